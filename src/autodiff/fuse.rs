//! Before differentiation: what exporters write out in parts becomes one operator again, so that its gradient needs
//! only the operand and not every part.

use std::collections::HashMap;

use crate::onnx::{Graph, Node, Op};

/// `x·(erf(x/√2) + 1)·½`, five nodes, becomes `com.microsoft:Gelu`.
pub(super) fn gelu(graph: &mut Graph) {
    let found: Vec<Found> = {
        let index = Index::of(graph);
        let erfs = graph.nodes.iter().enumerate().filter(|(_, node)| node.op == Op::Erf);
        erfs.filter_map(|(at, _)| index.gelu_around(at)).collect()
    };
    if found.is_empty() {
        return;
    }
    graph.import_opset("com.microsoft", 1);
    let mut gone = vec![false; graph.nodes.len()];
    for Found { parts, x, y } in found {
        let [rest @ .., last] = &parts;
        rest.iter().for_each(|&at| gone[at] = true);
        let name = graph.nodes[*last].name.clone();
        graph.nodes[*last] = Node::new(&name, Op::MicrosoftGelu, &[&x], &[&y]);
    }
    let mut gone = gone.into_iter();
    graph.nodes.retain(|_| !gone.next().unwrap_or(false));
}

struct Found {
    /// The five nodes, in the order in which they run.
    parts: [usize; 5],
    x: String,
    y: String,
}

/// Who writes and who reads each value.
struct Index<'a> {
    graph: &'a Graph,
    writer: HashMap<&'a str, usize>,
    readers: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Index<'a> {
    fn of(graph: &'a Graph) -> Self {
        let (mut writer, mut readers) = (HashMap::new(), HashMap::<&str, Vec<usize>>::new());
        for (at, node) in graph.nodes.iter().enumerate() {
            writer.extend(node.outputs.iter().map(|name| (name.as_str(), at)));
            node.reads().for_each(|name| readers.entry(name).or_default().push(at));
        }
        // A value that the graph returns must stay: it counts as read once more.
        for output in &graph.outputs {
            readers.entry(&output.name).or_default().push(usize::MAX);
        }
        Self { graph, writer, readers }
    }

    fn gelu_around(&self, erf: usize) -> Option<Found> {
        let nodes = &self.graph.nodes;
        let scaled = *self.writer.get(nodes[erf].input(0)?)?;
        let (x, factor) = self.operand_and_constant(scaled)?;
        let unscaled = match nodes[scaled].op {
            Op::Div => 1.0 / factor,
            Op::Mul => factor,
            _ => return None,
        };
        let plus_one = self.only_reader(erf)?;
        let product = self.only_reader(plus_one)?;
        let half = self.only_reader(product)?;
        let shape = (&nodes[plus_one].op, &nodes[product].op, &nodes[half].op) == (&Op::Add, &Op::Mul, &Op::Mul);
        let reads_x = nodes[product].inputs.iter().any(|name| name == x);
        let constants = self.operand_and_constant(plus_one)?.1 == 1.0 && self.operand_and_constant(half)?.1 == 0.5;
        let exact = (unscaled - std::f32::consts::FRAC_1_SQRT_2).abs() < 1e-6;
        let one_use = self.only_reader(scaled) == Some(erf);
        (shape && reads_x && constants && exact && one_use).then(|| Found {
            parts: [scaled, erf, plus_one, product, half],
            x: x.to_owned(),
            y: nodes[half].outputs[0].clone(),
        })
    }

    fn only_reader(&self, node: usize) -> Option<usize> {
        match self.readers.get(self.graph.nodes[node].outputs.first()?.as_str())?.as_slice() {
            [reader] if *reader != usize::MAX => Some(*reader),
            _ => None,
        }
    }

    /// The operand of a node of two inputs whose other input is a float constant of one element.
    fn operand_and_constant(&self, node: usize) -> Option<(&'a str, f32)> {
        let [a, b] = self.graph.nodes[node].inputs.as_slice() else { return None };
        let constant = |name: &str| {
            let tensor = self.graph.initializers.get(name).filter(|tensor| tensor.len() == 1)?;
            tensor.to_f32().map(|values| values[0])
        };
        match (constant(a), constant(b)) {
            (None, Some(value)) => Some((a, value)),
            (Some(value), None) if self.graph.nodes[node].op != Op::Div => Some((b, value)),
            _ => None,
        }
    }
}
