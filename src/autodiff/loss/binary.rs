//! The loss of a label of several values: each value is told apart from its absence by a logit of its own.
//!
//! ```text
//! loss = Σ w · 1/C · Σ_c ((1 − y_c)·x_c + (1 + (p_c − 1)·y_c)·softplus(−x_c))
//! ```
//!
//! with `softplus(−x) = log(1 + e^−x) = −log σ(x)`: PyTorch's `binary_cross_entropy_with_logits` with its `pos_weight`, and
//! its mean over the values of a row. It is made of stock operators, whose own rules give the gradient.

use super::{LABELS, Loss, LossError, WEIGHTS};
use crate::autodiff::builder::Builder;
use crate::onnx::{Attribute, Axis, ElementType, Graph, Op, Tensor, ValueInfo};

/// The name of the constant with the weights of the values that a record has.
const POSITIVE_WEIGHTS: &str = "positive_weights";

/// Adds the loss of `logits` (float, `[rows, values]`) to a graph, with two graph inputs and two outputs. The labels are
/// floats in the shape of the logits: 1 for a value that the row has, else 0. `positive` weighs the values that a row has
/// against those that it lacks; without it all weigh 1.
///
/// # Errors
/// Logits of another rank or of an unknown number of values, or a name that is taken.
pub fn binary_cross_entropy(graph: &mut Graph, logits: &str, positive: Option<&[f32]>) -> Result<Loss, LossError> {
    let no_logits = || LossError::NoLogits { logits: logits.to_owned() };
    let axes = graph.output(logits).and_then(|output| output.shape.clone()).ok_or_else(no_logits)?;
    let [rows, Axis::Fixed(values)] = axes.as_slice() else { return Err(no_logits()) };
    if positive.is_some_and(|weights| weights.len() != *values) {
        return Err(LossError::Classes { logits: logits.to_owned() });
    }
    let loss = Loss {
        loss: "loss".to_owned(),
        rows: "row_losses".to_owned(),
        labels: LABELS.to_owned(),
        weights: WEIGHTS.to_owned(),
    };
    let taken = graph.names();
    let new = [&loss.loss, &loss.rows, &loss.labels, &loss.weights].map(String::as_str);
    if let Some(name) = new.into_iter().chain([POSITIVE_WEIGHTS]).find(|name| taken.contains(*name)) {
        return Err(LossError::Taken { name: name.to_owned() });
    }
    let mut b = Builder::new(std::mem::replace(graph, Graph::new("", 0)));
    b.declare_input(ValueInfo::new(LABELS, ElementType::Float, &axes));
    b.declare_input(ValueInfo::new(WEIGHTS, ElementType::Float, std::slice::from_ref(rows)));
    let one = b.scalar(1.0);
    let absent = b.sub(&one, LABELS);
    let negated = b.unary(Op::Neg, logits);
    let surprise = b.unary(Op::Softplus, &negated);
    let surprise = match positive {
        None => surprise,
        Some(weights) => {
            let above: Vec<f32> = weights.iter().map(|weight| weight - 1.0).collect();
            b.graph.initializers.insert(POSITIVE_WEIGHTS.to_owned(), Tensor::from_f32(&[1, *values], &above));
            let above = b.mul(LABELS, POSITIVE_WEIGHTS);
            let factor = b.add(&above, &one);
            b.mul(&surprise, &factor)
        }
    };
    let wrong = b.mul(&absent, logits);
    let each = b.add(&wrong, &surprise);
    let sums = b.reduce(Op::ReduceSum, &each, &[1]);
    let means = b.scale(&sums, 1.0 / *values as f32);
    let flat = b.ints(&[-1]);
    b.named(Op::Reshape, &[&means, &flat], &[], &loss.rows);
    let weighted = b.mul(&loss.rows, WEIGHTS);
    b.named(Op::ReduceSum, &[&weighted], &[("keepdims", Attribute::Int(0))], &loss.loss);
    b.graph.outputs.push(ValueInfo::new(loss.loss.clone(), ElementType::Float, &[]));
    b.graph.outputs.push(ValueInfo::new(loss.rows.clone(), ElementType::Float, &[Axis::Free]));
    *graph = b.graph;
    Ok(loss)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::forward;
    use super::*;
    use crate::autodiff::differentiate;
    use crate::onnx::encode;
    use crate::onnx::test_session::{Values, available, test_session};

    /// A graph whose logits are an initializer, so that there is something to differentiate by.
    fn graph(logits: &[f32]) -> Graph {
        let mut graph = Graph::new("g", 18);
        graph.import_opset("", 18);
        graph.initializers.insert("x".to_owned(), Tensor::from_f32(&[2, 3], logits));
        let axes = [Axis::Fixed(2), Axis::Fixed(3)];
        graph.nodes.push(crate::onnx::Node::new("same", Op::Identity, &["x"], &["logits"]));
        graph.outputs.push(ValueInfo::new("logits", ElementType::Float, &axes));
        graph
    }

    const LOGITS: [f32; 6] = [0.5, -1.5, 2.0, 30.0, 0.0, -0.25];
    const TARGETS: [f32; 6] = [1.0, 0.0, 0.0, 0.0, 1.0, 1.0];
    const POSITIVE: [f32; 3] = [1.0, 3.0, 0.5];

    /// The loss and ∂loss/∂x.
    fn run(logits: &[f32; 6], positive: Option<&[f32]>) -> (f32, Vec<f32>) {
        let mut graph = graph(logits);
        let loss = binary_cross_entropy(&mut graph, "logits", positive).expect("a loss");
        let training = differentiate(&graph, &loss.loss, &["x".to_owned()]).expect("a gradient");
        let inputs = BTreeMap::from([
            (LABELS.to_owned(), Values::Float(vec![2, 3], TARGETS.to_vec())),
            (WEIGHTS.to_owned(), Values::Float(vec![2], vec![0.5, 0.5])),
            ("x".to_owned(), Values::Float(vec![2, 3], logits.to_vec())),
        ]);
        let outputs = test_session(&encode(&training.graph)).run(&inputs);
        let gradient = outputs[&training.trainables[0].gradient].floats().to_vec();
        let plain = BTreeMap::from_iter(inputs.into_iter().filter(|(name, _)| name != "x"));
        let measured = test_session(&encode(&forward(&graph, &["loss"]))).run(&plain);
        assert_eq!(measured["loss"].floats()[0], outputs["loss"].floats()[0], "measuring and training agree");
        (outputs["loss"].floats()[0], gradient)
    }

    /// The same in double precision, as PyTorch's documentation defines it.
    fn by_hand(logits: &[f64; 6], positive: [f64; 3]) -> f64 {
        let each = logits.iter().zip(TARGETS).enumerate().map(|(at, (x, y))| {
            let log_sigmoid = |x: f64| -((-x).max(0.0) + (-x.abs()).exp().ln_1p());
            let y = f64::from(y);
            -(positive[at % 3] * y * log_sigmoid(*x) + (1.0 - y) * log_sigmoid(-*x))
        });
        each.sum::<f64>() / 6.0
    }

    #[test]
    fn loss_and_gradient_are_those_of_torch() {
        if !available() {
            return;
        }
        // torch 2.15.0: F.binary_cross_entropy_with_logits(x, y[, pos_weight=p]) and its x.grad.
        let torch = [
            (
                None,
                5.720_250_6,
                [-0.062_923_44, 0.030_404_254, 0.146_799_5, 0.166_666_67, -0.083_333_336, -0.093_696_08],
            ),
            (
                Some(&POSITIVE[..]),
                5.882_471_6,
                [-0.062_923_44, 0.030_404_254, 0.146_799_5, 0.166_666_67, -0.25, -0.046_848_04],
            ),
        ];
        for (positive, expected, expected_gradient) in torch {
            let (loss, gradient) = run(&LOGITS, positive);
            assert!((loss - expected).abs() < 1e-5 * expected, "{loss} is not {expected}");
            for (at, (found, expected)) in gradient.iter().zip(expected_gradient).enumerate() {
                assert!((found - expected).abs() < 1e-6, "gradient {at}: {found} is not {expected}");
            }
            let weights = positive.map_or([1.0; 3], |weights| [weights[0], weights[1], weights[2]].map(f64::from));
            let wide = LOGITS.map(f64::from);
            for (at, found) in gradient.iter().enumerate() {
                let moved = |by: f64| {
                    let mut moved = wide;
                    moved[at] += by;
                    by_hand(&moved, weights)
                };
                let slope = (moved(1e-4) - moved(-1e-4)) / 2e-4;
                assert!((f64::from(*found) - slope).abs() < 1e-6, "gradient {at}: {found}, the slope is {slope}");
            }
        }
    }

    #[test]
    fn weights_are_one_for_each_value() {
        let error = binary_cross_entropy(&mut graph(&LOGITS), "logits", Some(&[1.0]));
        assert_eq!(error, Err(LossError::Classes { logits: "logits".to_owned() }));
    }
}
