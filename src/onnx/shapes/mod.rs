//! Shape inference with symbolic sizes: what the gradient rules and the surgery know about a value before it is run.
//!
//! A size is a number, a name from the model's inputs, or a size that only the run knows. Small integer tensors carry
//! their content along, so that the `Shape → Gather → Concat → Reshape` chains of exporters resolve. What cannot be
//! told stays unknown: the rules then compute shapes in the graph.

mod attention;
mod content;
mod equation;
mod infer;
mod sizes;
mod windows;

use std::collections::HashMap;

use super::{Axis, ElementType, Graph, Node};
pub use equation::Equation;

/// A size, or an element of an integer tensor.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dim {
    /// A number.
    Known(i64),
    /// A size that an input declares by name.
    Symbol(String),
    /// A size that only the run knows; equal numbers are equal sizes.
    Computed(u32),
}

/// What is known of a value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Value {
    /// The element type.
    pub element: Option<ElementType>,
    /// The sizes of the axes.
    pub dims: Option<Vec<Dim>>,
    /// The elements of a small integer or boolean tensor, row-major.
    pub content: Option<Vec<Dim>>,
}

/// What is known of every value of a graph.
#[derive(Clone, Debug)]
pub struct Shapes {
    values: HashMap<String, Value>,
    fresh: u32,
}

/// Integer tensors up to this many elements carry their content.
const SMALL: usize = 64;

impl Shapes {
    /// Infers over the whole graph.
    pub fn of(graph: &Graph) -> Self {
        let mut shapes = Self { values: HashMap::new(), fresh: 0 };
        for (name, tensor) in &graph.initializers {
            let dims = Some(tensor.shape().iter().map(|&dim| Dim::Known(dim as i64)).collect());
            let small = tensor.len() <= SMALL;
            let content = small.then(|| tensor.to_i64()).flatten().map(|all| all.into_iter().map(Dim::Known).collect());
            shapes.set(name, Value { element: Some(tensor.element()), dims, content });
        }
        for input in &graph.inputs {
            let dims = input.shape.as_ref().map(|axes| axes.iter().map(|axis| shapes.dim_of(axis)).collect());
            shapes.set(&input.name, Value { element: Some(input.element), dims, content: None });
        }
        for node in &graph.nodes {
            shapes.visit(node);
        }
        shapes
    }

    /// Infers the outputs of a node whose inputs have been visited.
    pub fn visit(&mut self, node: &Node) {
        for (output, value) in node.outputs.iter().zip(self.infer(node)) {
            if !output.is_empty() {
                self.set(output, value);
            }
        }
    }

    /// Declares a value.
    pub fn set(&mut self, name: &str, value: Value) {
        self.values.insert(name.to_owned(), value);
    }

    /// What is known of the value.
    pub fn value(&self, name: &str) -> Value {
        self.values.get(name).cloned().unwrap_or_default()
    }

    /// The sizes of the axes, where the rank is known.
    pub fn dims(&self, name: &str) -> Option<&[Dim]> {
        self.values.get(name)?.dims.as_deref()
    }

    /// The number of axes.
    pub fn rank(&self, name: &str) -> Option<usize> {
        self.dims(name).map(<[Dim]>::len)
    }

    /// The element type.
    pub fn element(&self, name: &str) -> Option<ElementType> {
        self.values.get(name)?.element
    }

    /// The elements of an integer tensor whose elements are all numbers.
    pub fn ints(&self, name: &str) -> Option<Vec<i64>> {
        let content = self.values.get(name)?.content.as_ref()?;
        content.iter().map(Dim::known).collect()
    }

    /// The sizes of the axes, where all are numbers.
    pub fn known_dims(&self, name: &str) -> Option<Vec<i64>> {
        self.dims(name)?.iter().map(Dim::known).collect()
    }

    fn dim_of(&mut self, axis: &Axis) -> Dim {
        match axis {
            Axis::Fixed(size) => Dim::Known(*size as i64),
            Axis::Named(name) => Dim::Symbol(name.clone()),
            Axis::Free => self.computed(),
        }
    }

    fn computed(&mut self) -> Dim {
        self.fresh += 1;
        Dim::Computed(self.fresh)
    }
}

impl Dim {
    /// The number, if it is one.
    pub fn known(&self) -> Option<i64> {
        match self {
            Self::Known(size) => Some(*size),
            Self::Symbol(_) | Self::Computed(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::{Attribute, Op, Tensor};

    #[test]
    fn exporters_reshape_chain_resolves() {
        let mut graph = Graph::new("g", 18);
        let axes = [Axis::named("batch"), Axis::named("sequence"), Axis::Fixed(64)];
        graph.inputs.push(crate::onnx::ValueInfo::new("x", ElementType::Float, &axes));
        for (name, shape, values) in
            [("zero", &[][..], &[0][..]), ("axes", &[1], &[0]), ("tail", &[3], &[-1, 4, 16]), ("flat", &[1], &[-1])]
        {
            graph.initializers.insert(name.to_owned(), Tensor::from_i64(shape, values));
        }
        graph.nodes = vec![
            Node::new("", Op::Shape, &["x"], &["s"]),
            Node::new("", Op::Gather, &["s", "zero"], &["b"]),
            Node::new("", Op::Unsqueeze, &["b", "axes"], &["b1"]),
            Node::new("", Op::Concat, &["b1", "tail"], &["target"]).with("axis", Attribute::Int(0)),
            Node::new("", Op::Reshape, &["x", "target"], &["heads"]),
            Node::new("", Op::Transpose, &["heads"], &["k"]).with("perm", Attribute::Ints(vec![0, 2, 3, 1])),
            Node::new("", Op::Reshape, &["x", "flat"], &["all"]),
        ];
        let shapes = Shapes::of(&graph);
        let symbol = |name: &str| Dim::Symbol(name.to_owned());
        let expected = [symbol("batch"), Dim::Known(4), Dim::Known(16), symbol("sequence")];
        assert_eq!(shapes.dims("k"), Some(&expected[..]));
        assert_eq!(shapes.rank("all"), Some(1));
    }
}
