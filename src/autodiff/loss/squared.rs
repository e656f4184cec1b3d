//! The squared error of one number for each text.
//!
//! ```text
//! loss = Σ w·(x − y)²    ∂loss/∂x = 2w·(x − y)
//! ```

use super::{Loss, LossError, claim};
use crate::autodiff::builder::Builder;
use crate::onnx::{Axis, ElementType, Graph, Op, ValueInfo};

/// Adds the weighted squared error of `numbers` (float, `[batch, 1]`) to the graph, with two graph inputs and two outputs: the
/// true numbers, floats `[batch]`, in place of labels.
pub fn squared_error(graph: &mut Graph, numbers: &str) -> Result<Loss, LossError> {
    let axes = graph.output(numbers).and_then(|output| output.shape.clone());
    let Some([batch, Axis::Fixed(1)]) = axes.as_deref() else {
        return Err(LossError::NoLogits { logits: numbers.to_owned() });
    };
    let loss = claim(graph)?;
    let mut b = Builder::new(std::mem::replace(graph, Graph::new("", 0)));
    for name in [&loss.labels, &loss.weights] {
        b.declare_input(ValueInfo::new(name.clone(), ElementType::Float, std::slice::from_ref(batch)));
    }
    let flat = b.ints(&[-1]);
    let predicted = b.node(Op::Reshape, &[numbers, &flat], &[]);
    let error = b.sub(&predicted, &loss.labels);
    b.named(Op::Mul, &[&error, &error], &[], &loss.rows);
    let weighted = b.mul(&loss.rows, &loss.weights);
    b.sum_all(&weighted, &loss.loss);
    loss.declare_outputs(&mut b.graph);
    *graph = b.graph;
    Ok(loss)
}
