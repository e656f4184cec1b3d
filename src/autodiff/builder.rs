//! New nodes behind the forward graph, with their shapes inferred as they are added.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::onnx::{
    Attribute, ElementType, Graph, Node, Op, Tensor,
    shapes::{Dim, Shapes},
};

/// What a training graph is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Operators {
    /// Stock operators alone, which every provider of the runtime has.
    #[default]
    Stock,
    /// The runtime room's own operators too, which the CPU has: fewer passes over memory for the same numbers.
    Ours,
}

/// The graph under construction.
pub(super) struct Builder {
    pub(super) graph: Graph,
    pub(super) shapes: Shapes,
    pub(super) operators: Operators,
    names: BTreeSet<String>,
    counter: usize,
    constants: BTreeMap<(Vec<usize>, Vec<u64>, bool), String>,
    shape_nodes: HashMap<String, String>,
}

impl Builder {
    /// Continues `graph`. Its operator set is raised to 16 where it is older: from there on `ScatterElements` adds, and
    /// nothing that exporters write at 13 to 15 means anything else at 16.
    pub(super) fn new(graph: Graph) -> Self {
        Self::with(graph, Operators::Stock)
    }

    /// As `new`, for rules that may use these operators.
    pub(super) fn with(mut graph: Graph, operators: Operators) -> Self {
        let opset = graph.opset().max(16);
        graph.opsets.insert(String::new(), opset);
        let shapes = Shapes::of(&graph);
        let names = graph.names().into_iter().map(str::to_owned).collect();
        let (constants, shape_nodes) = (BTreeMap::new(), HashMap::new());
        Self { graph, shapes, operators, names, counter: 0, constants, shape_nodes }
    }

    /// Whether rules may use operators of our own.
    pub(super) fn has_ours(&self) -> bool {
        self.operators == Operators::Ours
    }

    /// A name that no value has.
    pub(super) fn fresh(&mut self, stem: &str) -> String {
        loop {
            let name = format!("annotc/{stem}_{}", self.counter);
            self.counter += 1;
            if self.names.insert(name.clone()) {
                return name;
            }
        }
    }

    /// Adds a node and returns its first output.
    pub(super) fn node(&mut self, op: Op, inputs: &[&str], attributes: &[(&str, Attribute)]) -> String {
        self.nodes(op, inputs, attributes, 1).swap_remove(0)
    }

    /// Adds a node and returns its outputs.
    pub(super) fn nodes(
        &mut self,
        op: Op,
        inputs: &[&str],
        attributes: &[(&str, Attribute)],
        outputs: usize,
    ) -> Vec<String> {
        let names: Vec<String> = (0..outputs).map(|_| self.fresh(op.name())).collect();
        let mut node = Node::new(&names[0], op, inputs, &names.iter().map(String::as_str).collect::<Vec<_>>());
        node.attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        if !node.op.domain().is_empty() {
            self.graph.import_opset(node.op.domain(), 1);
        }
        self.shapes.visit(&node);
        self.graph.nodes.push(node);
        names
    }

    /// Adds a node that writes a name that is in use already.
    pub(super) fn named(&mut self, op: Op, inputs: &[&str], attributes: &[(&str, Attribute)], output: &str) {
        let mut node = Node::new(output, op, inputs, &[output]);
        node.attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        self.shapes.visit(&node);
        self.graph.nodes.push(node);
    }

    /// A node of one operand.
    pub(super) fn unary(&mut self, op: Op, x: &str) -> String {
        self.node(op, &[x], &[])
    }

    /// A node of two operands.
    pub(super) fn binary(&mut self, op: Op, a: &str, b: &str) -> String {
        self.node(op, &[a, b], &[])
    }

    /// `a + b`
    pub(super) fn add(&mut self, a: &str, b: &str) -> String {
        self.binary(Op::Add, a, b)
    }

    /// `a − b`
    pub(super) fn sub(&mut self, a: &str, b: &str) -> String {
        self.binary(Op::Sub, a, b)
    }

    /// `a · b`, elementwise
    pub(super) fn mul(&mut self, a: &str, b: &str) -> String {
        self.binary(Op::Mul, a, b)
    }

    /// `a / b`
    pub(super) fn div(&mut self, a: &str, b: &str) -> String {
        self.binary(Op::Div, a, b)
    }

    /// `a · factor`
    pub(super) fn scale(&mut self, a: &str, factor: f32) -> String {
        if factor == 1.0 {
            return a.to_owned();
        }
        let factor = self.scalar(factor);
        self.mul(a, &factor)
    }

    /// A float constant of rank 0.
    pub(super) fn scalar(&mut self, value: f32) -> String {
        let key = (Vec::new(), vec![u64::from(value.to_bits())], true);
        self.constant(key, || Tensor::scalar_f32(value))
    }

    /// An integer constant of rank 1.
    pub(super) fn ints(&mut self, values: &[i64]) -> String {
        let key = (vec![values.len()], values.iter().map(|&value| value as u64).collect(), false);
        self.constant(key, || Tensor::from_i64(&[values.len()], values))
    }

    /// An integer constant of rank 0.
    pub(super) fn int(&mut self, value: i64) -> String {
        self.constant((Vec::new(), vec![value as u64], false), || Tensor::from_i64(&[], &[value]))
    }

    fn constant(&mut self, key: (Vec<usize>, Vec<u64>, bool), tensor: impl FnOnce() -> Tensor) -> String {
        if let Some(name) = self.constants.get(&key) {
            return name.clone();
        }
        let name = self.fresh("constant");
        let tensor = tensor();
        let value = crate::onnx::shapes::Value {
            element: Some(tensor.element()),
            dims: Some(tensor.shape().iter().map(|&dim| Dim::Known(dim as i64)).collect()),
            content: tensor.to_i64().map(|all| all.into_iter().map(Dim::Known).collect()),
        };
        self.shapes.set(&name, value);
        self.graph.initializers.insert(name.clone(), tensor);
        self.constants.insert(key, name.clone());
        name
    }

    /// The shape of `x` as a tensor: a constant where all sizes are known.
    pub(super) fn shape_of(&mut self, x: &str) -> String {
        if let Some(dims) = self.shapes.known_dims(x) {
            return self.ints(&dims);
        }
        if let Some(name) = self.shape_nodes.get(x) {
            return name.clone();
        }
        let name = self.unary(Op::Shape, x);
        self.shape_nodes.insert(x.to_owned(), name.clone());
        name
    }

    /// The size of one axis of `x`, as a tensor of one element.
    pub(super) fn size_of_axis(&mut self, x: &str, axis: i64) -> String {
        let shape = self.shape_of(x);
        let axis = self.ints(&[axis]);
        self.node(Op::Gather, &[&shape, &axis], &[("axis", Attribute::Int(0))])
    }

    /// `x` with the shape of `like`, which has as many elements.
    pub(super) fn reshape_like(&mut self, x: &str, like: &str) -> String {
        if self.shapes.dims(x).is_some() && self.shapes.dims(x) == self.shapes.dims(like) {
            return x.to_owned();
        }
        let shape = self.shape_of(like);
        self.reshape(x, &shape)
    }

    /// `x` with the shape in the tensor `shape`; a size 0 in it is a size.
    pub(super) fn reshape(&mut self, x: &str, shape: &str) -> String {
        let zero_is_a_size = !self.shapes.value(shape).content.is_some_and(|content| content.contains(&Dim::Known(-1)));
        self.node(Op::Reshape, &[x, shape], &[("allowzero", Attribute::Int(zero_is_a_size.into()))])
    }

    /// `x` as a matrix of rows: every axis but the last together.
    pub(super) fn rows(&mut self, x: &str) -> String {
        let columns = match self.shapes.dims(x).and_then(<[Dim]>::last) {
            Some(Dim::Known(size)) if *size > 0 => self.ints(&[-1, *size]),
            Some(_) | None => {
                let minus_one = self.ints(&[-1]);
                let last = self.size_of_axis(x, -1);
                self.node(Op::Concat, &[&minus_one, &last], &[("axis", Attribute::Int(0))])
            }
        };
        match self.shapes.rank(x) {
            Some(2) => x.to_owned(),
            Some(_) | None => self.node(Op::Reshape, &[x, &columns], &[]),
        }
    }

    /// Sums over `axes`.
    pub(super) fn reduce_sum(&mut self, x: &str, axes: &[i64], keep: bool) -> String {
        let axes = self.ints(axes);
        self.node(Op::ReduceSum, &[x, &axes], &[("keepdims", Attribute::Int(keep.into()))])
    }

    /// The mean over `axes`, which are an attribute before operator set 18 and an input from there on.
    pub(super) fn reduce(&mut self, op: Op, x: &str, axes: &[i64]) -> String {
        let keep = ("keepdims", Attribute::Int(1));
        if self.graph.opset() < 18 {
            return self.node(op, &[x], &[("axes", Attribute::Ints(axes.to_vec())), keep]);
        }
        let axes = self.ints(axes);
        self.node(op, &[x, &axes], &[keep])
    }

    /// Zeros in the shape of `x`.
    pub(super) fn zeros_like(&mut self, x: &str) -> String {
        let shape = self.shape_of(x);
        self.node(Op::ConstantOfShape, &[&shape], &[("value", Attribute::Tensor(Tensor::from_f32(&[1], &[0.0])))])
    }

    /// `x` broadcast to the shape of `like`.
    pub(super) fn expand_like(&mut self, x: &str, like: &str) -> String {
        if self.shapes.dims(x).is_some() && self.shapes.dims(x) == self.shapes.dims(like) {
            return x.to_owned();
        }
        let shape = self.shape_of(like);
        self.binary(Op::Expand, x, &shape)
    }

    /// `x` as floats.
    pub(super) fn float_of(&mut self, x: &str) -> String {
        self.node(Op::Cast, &[x], &[("to", Attribute::Int(ElementType::Float.onnx().into()))])
    }

    /// The adjoint of broadcasting: sums `gradient` over the axes along which `target` was repeated. Where the sizes
    /// are only known at run time, the axes are computed there: those at which `target` (padded with ones in front) has
    /// size 1, for summing over an axis of size 1 changes nothing.
    pub(super) fn unbroadcast(&mut self, gradient: &str, target: &str) -> String {
        let dims = |shapes: &Shapes, name: &str| shapes.dims(name).map(<[Dim]>::to_vec);
        if let (Some(from), Some(to)) = (dims(&self.shapes, gradient), dims(&self.shapes, target)) {
            if from == to {
                return gradient.to_owned();
            }
            if let Some(axes) = repeated_axes(&from, &to) {
                return self.sum_repeated(gradient, target, &axes, from.len() == to.len());
            }
        }
        self.unbroadcast_at_run_time(gradient, target)
    }

    fn sum_repeated(&mut self, gradient: &str, target: &str, axes: &[i64], same_rank: bool) -> String {
        let leading = axes.iter().enumerate().all(|(position, &axis)| position as i64 == axis);
        let rest = self.shapes.rank(gradient).unwrap_or(0) - axes.len();
        // Summing the rows of a matrix is the fastest reduction that the runtime has.
        if leading && !same_rank && rest == 1 {
            let rows = self.rows(gradient);
            return self.reduce_sum(&rows, &[0], false);
        }
        let summed = self.reduce_sum(gradient, axes, true);
        if same_rank { summed } else { self.reshape_like(&summed, target) }
    }

    fn unbroadcast_at_run_time(&mut self, gradient: &str, target: &str) -> String {
        let (wide, narrow) = (self.shape_of(gradient), self.shape_of(target));
        let (wide_rank, narrow_rank) = (self.unary(Op::Shape, &wide), self.unary(Op::Shape, &narrow));
        let missing = self.sub(&wide_rank, &narrow_rank);
        let one = Attribute::Tensor(Tensor::from_i64(&[1], &[1]));
        let ones = self.node(Op::ConstantOfShape, &[&missing], &[("value", one)]);
        let padded = self.node(Op::Concat, &[&ones, &narrow], &[("axis", Attribute::Int(0))]);
        let unit = self.ints(&[1]);
        let repeated = self.binary(Op::Equal, &padded, &unit);
        let positions = self.unary(Op::NonZero, &repeated);
        let flat = self.ints(&[-1]);
        let axes = self.node(Op::Reshape, &[&positions, &flat], &[]);
        let attributes = [("keepdims", Attribute::Int(1)), ("noop_with_empty_axes", Attribute::Int(1))];
        let summed = self.node(Op::ReduceSum, &[gradient, &axes], &attributes);
        self.reshape_like(&summed, target)
    }
}

/// The axes of `from` along which `to` is repeated; `None` where a size decides that only the run knows.
fn repeated_axes(from: &[Dim], to: &[Dim]) -> Option<Vec<i64>> {
    let missing = from.len().checked_sub(to.len())?;
    let mut axes: Vec<i64> = (0..missing as i64).collect();
    for (position, (wide, narrow)) in from[missing..].iter().zip(to).enumerate() {
        match (wide, narrow) {
            (wide, narrow) if wide == narrow => {}
            (_, Dim::Known(1)) => axes.push((missing + position) as i64),
            _ => return None,
        }
    }
    Some(axes)
}
