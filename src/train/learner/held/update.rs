//! An optimizer's update as a graph over flat tensors: the formulas of `train::optimizer`, for devices with memory of their own.

use super::layout::{Group, Layout};
use crate::onnx::{Attribute, Axis, ElementType, Graph, Node, Op, Tensor, ValueInfo};
use crate::runtime::InputTensor;
use crate::train::TrainError;
use crate::train::optimizer::{AdamW, Lion, Moment, Optimizer, Sgd, kept};

/// The flat tensors of an update by their names in its graph.
pub(super) const PARAMETERS: &str = "parameters";
pub(super) const GRADIENT: &str = "gradient";
pub(super) const UPDATED: &str = "updated";

/// The names of a slot before and after an update.
pub(super) fn slot_names(slot: usize) -> (String, String) {
    (format!("slot_{slot}"), format!("slot_{slot}_updated"))
}

/// Elements whose squares are summed together: sums of sums stay exact enough in 32 bits.
pub(super) const ROW: usize = 4096;

/// The Euclidean norm of the gradient.
pub(super) const NORM: &str = "norm";

/// A graph from the gradient to its norm.
pub(super) fn norm(layout: &Layout) -> Graph {
    let mut graph = Graph::new("annotc norm", 17);
    let flat = [Axis::Fixed(layout.length)];
    graph.inputs.push(ValueInfo::new(GRADIENT, ElementType::Float, &flat));
    graph.outputs.push(ValueInfo::new(NORM, ElementType::Float, &[]));
    let row = i64::try_from(ROW).expect("a small number");
    graph.initializers.insert("rows".to_owned(), Tensor::from_i64(&[2], &[-1, row]));
    let squares = Node::new("", Op::ReduceSumSquare, &["shaped"], &["squares"])
        .with("axes", Attribute::Ints(vec![1]))
        .with("keepdims", Attribute::Int(0));
    graph.nodes = vec![
        Node::new("", Op::Reshape, &[GRADIENT, "rows"], &["shaped"]),
        squares,
        Node::new("", Op::ReduceSum, &["squares"], &["sum"]).with("keepdims", Attribute::Int(0)),
        Node::new("", Op::Sqrt, &["sum"], &[NORM]),
    ];
    graph
}

/// How an optimizer's formulas are written down and fed.
pub(super) struct Update {
    /// From parameters, gradient, slots and numbers to parameters and slots.
    pub(super) graph: Graph,
    /// Slots of each parameter.
    pub(super) slots: usize,
}

impl Update {
    /// # Errors
    /// [`TrainError::Settings`] for an optimizer that is no formula of single elements.
    pub(super) fn of(optimizer: &Optimizer, layout: &Layout) -> Result<Self, TrainError> {
        let mut formula = Formula::new(layout);
        let gradient = formula.scaled_gradient();
        let slots = match optimizer {
            Optimizer::AdamW(adamw) => formula.adamw(adamw, &gradient),
            Optimizer::Lion(lion) => formula.lion(lion, &gradient),
            Optimizer::Sgd(sgd) => formula.sgd(sgd, &gradient),
            Optimizer::Adafactor(_) => {
                return Err(TrainError::Settings(
                    "`adafactor` sums over rows and columns, which is not built for `cuda`; write `adamw`, `lion` or `sgd`"
                        .to_owned(),
                ));
            }
        };
        Ok(Self { graph: formula.graph, slots })
    }
}

/// The numbers of one update: those of all elements, and for each group its own.
pub(super) fn numbers(optimizer: &Optimizer, moment: Moment, groups: &[Group]) -> Vec<InputTensor<'static>> {
    let number = |name: String, value: f32| InputTensor::f32(name, &[], vec![value]);
    let mut fed = vec![number("clip".to_owned(), moment.clip as f32)];
    if let Optimizer::AdamW(adamw) = optimizer {
        let correction = (1.0 - adamw.betas[1].powf(moment.step as f64)).sqrt();
        fed.push(number("correction".to_owned(), (1.0 / correction) as f32));
    }
    for (at, group) in groups.iter().enumerate() {
        let rate = moment.rate * group.rule.rate_factor;
        let (decay, rate) = match optimizer {
            Optimizer::AdamW(adamw) => {
                let step = rate / (1.0 - adamw.betas[0].powf(moment.step as f64));
                (kept(rate, adamw.weight_decay, &group.rule), step as f32)
            }
            Optimizer::Lion(lion) => (kept(rate, lion.weight_decay, &group.rule), rate as f32),
            Optimizer::Sgd(sgd) => (if group.rule.decays { sgd.weight_decay as f32 } else { 0.0 }, rate as f32),
            Optimizer::Adafactor(_) => unreachable!("an update of it is refused"),
        };
        fed.push(number(format!("decay_{at}"), decay));
        fed.push(number(format!("rate_{at}"), rate));
    }
    fed
}

/// A graph as it is written, one operation behind the other.
struct Formula<'a> {
    graph: Graph,
    layout: &'a Layout,
}

impl<'a> Formula<'a> {
    fn new(layout: &'a Layout) -> Self {
        let mut formula = Self { graph: Graph::new("annotc update", 17), layout };
        formula.flat_input(PARAMETERS);
        formula.flat_input(GRADIENT);
        formula
    }

    fn flat_input(&mut self, name: &str) {
        let axes = [Axis::Fixed(self.layout.length)];
        self.graph.inputs.push(ValueInfo::new(name, ElementType::Float, &axes));
    }

    fn number_input(&mut self, name: &str) -> String {
        self.graph.inputs.push(ValueInfo::new(name, ElementType::Float, &[]));
        name.to_owned()
    }

    fn op(&mut self, op: Op, inputs: &[&str]) -> String {
        let name = format!("value_{}", self.graph.nodes.len());
        self.graph.nodes.push(Node::new("", op, inputs, &[&name]));
        name
    }

    fn constant(&mut self, value: f32) -> String {
        let name = format!("constant_{}", self.graph.initializers.len());
        self.graph.initializers.insert(name.clone(), Tensor::scalar_f32(value));
        name
    }

    fn scale(&mut self, value: &str, factor: f32) -> String {
        let factor = self.constant(factor);
        self.op(Op::Mul, &[value, &factor])
    }

    fn output(&mut self, value: &str, name: &str) {
        self.graph.nodes.push(Node::new("", Op::Identity, &[value], &[name]));
        let axes = [Axis::Fixed(self.layout.length)];
        self.graph.outputs.push(ValueInfo::new(name, ElementType::Float, &axes));
    }

    fn slot(&mut self, at: usize) -> (String, String) {
        let (before, after) = slot_names(at);
        self.flat_input(&before);
        (before, after)
    }

    fn scaled_gradient(&mut self) -> String {
        let clip = self.number_input("clip");
        self.op(Op::Mul, &[GRADIENT, &clip])
    }

    /// A number of each group, as often as the group has elements; of one group, the number itself.
    fn by_group(&mut self, stem: &str) -> String {
        let layout = self.layout;
        let mut spread = Vec::new();
        for (at, group) in layout.groups.iter().enumerate() {
            let number = self.number_input(&format!("{stem}_{at}"));
            if layout.groups.len() == 1 {
                return number;
            }
            let shape = format!("elements_{at}");
            let elements = i64::try_from(group.length).expect("a tensor in memory is shorter than an i64");
            self.graph.initializers.insert(shape.clone(), Tensor::from_i64(&[1], &[elements]));
            spread.push(self.op(Op::Expand, &[&number, &shape]));
        }
        let inputs: Vec<&str> = spread.iter().map(String::as_str).collect();
        let joined = self.op(Op::Concat, &inputs);
        let concat = self.graph.nodes.last_mut().expect("it was just added");
        concat.attributes.insert("axis".to_owned(), Attribute::Int(0));
        joined
    }

    /// β·slot + (1 − β)·gradient
    fn mean(&mut self, slot: &str, gradient: &str, beta: f64) -> String {
        let beta = beta as f32;
        let (old, new) = (self.scale(slot, beta), self.scale(gradient, 1.0 - beta));
        self.op(Op::Add, &[&old, &new])
    }

    fn adamw(&mut self, adamw: &AdamW, gradient: &str) -> usize {
        let ((first, first_after), (second, second_after)) = (self.slot(0), self.slot(1));
        let moment = self.mean(&first, gradient, adamw.betas[0]);
        let beta = adamw.betas[1] as f32;
        let (old, weighted) = (self.scale(&second, beta), self.scale(gradient, 1.0 - beta));
        let square = self.op(Op::Mul, &[&weighted, gradient]);
        let spread = self.op(Op::Add, &[&old, &square]);
        let (root, correction) = (self.op(Op::Sqrt, &[&spread]), self.number_input("correction"));
        let (corrected, epsilon) = (self.op(Op::Mul, &[&root, &correction]), self.constant(adamw.epsilon as f32));
        let divisor = self.op(Op::Add, &[&corrected, &epsilon]);
        let (decay, rate) = (self.by_group("decay"), self.by_group("rate"));
        let (left, stepped) = (self.op(Op::Mul, &[PARAMETERS, &decay]), self.op(Op::Mul, &[&moment, &rate]));
        let step = self.op(Op::Div, &[&stepped, &divisor]);
        let updated = self.op(Op::Sub, &[&left, &step]);
        self.output(&updated, UPDATED);
        self.output(&moment, &first_after);
        self.output(&spread, &second_after);
        2
    }

    fn lion(&mut self, lion: &Lion, gradient: &str) -> usize {
        let (momentum, after) = self.slot(0);
        let direction = self.mean(&momentum, gradient, lion.betas[0]);
        let remembered = self.mean(&momentum, gradient, lion.betas[1]);
        let sign = self.op(Op::Sign, &[&direction]);
        let (decay, rate) = (self.by_group("decay"), self.by_group("rate"));
        let (left, step) = (self.op(Op::Mul, &[PARAMETERS, &decay]), self.op(Op::Mul, &[&sign, &rate]));
        let updated = self.op(Op::Sub, &[&left, &step]);
        self.output(&updated, UPDATED);
        self.output(&remembered, &after);
        1
    }

    fn sgd(&mut self, sgd: &Sgd, gradient: &str) -> usize {
        let (decay, rate) = (self.by_group("decay"), self.by_group("rate"));
        let decayed = self.op(Op::Mul, &[PARAMETERS, &decay]);
        let gradient = self.op(Op::Add, &[gradient, &decayed]);
        let mut direction = gradient.clone();
        let slots = usize::from(sgd.momentum > 0.0);
        if slots > 0 {
            let (velocity, after) = self.slot(0);
            let momentum = sgd.momentum as f32;
            let old = self.scale(&velocity, momentum);
            direction = self.op(Op::Add, &[&old, &gradient]);
            self.output(&direction, &after);
            if sgd.nesterov {
                let ahead = self.scale(&direction, momentum);
                direction = self.op(Op::Add, &[&gradient, &ahead]);
            }
        }
        let step = self.op(Op::Mul, &[&direction, &rate]);
        let updated = self.op(Op::Sub, &[PARAMETERS, &step]);
        self.output(&updated, UPDATED);
        slots
    }
}
