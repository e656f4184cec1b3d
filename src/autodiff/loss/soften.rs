//! Losses with a smoothed target and classes that weigh differently.
//!
//! Softened, the target is spread over the classes (label smoothing; Szegedy et al., "Rethinking the Inception
//! Architecture", 2016) and classes weigh differently, both as PyTorch's `cross_entropy` has them:
//!
//! ```text
//! loss = Σ w·((1 − ε)·k[label]·(lse − x[label]) + ε/C·Σ_c k[c]·(lse − x[c]))
//! ∂loss/∂x = w·(((1 − ε)·k[label] + ε/C·Σk)·P − (1 − ε)·k[label]·onehot − ε/C·k)
//! ```

use super::{Alignment, Loss, LossError, cross_entropy};
use crate::autodiff::builder::Builder;
use crate::onnx::{Attribute, Axis, Graph, Node, Op, Tensor};

/// How a loss differs from a plain cross-entropy.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Softening {
    /// ε: the share of the target that is spread over all classes.
    pub smoothing: f32,
    /// k: a weight for each class; without them all weigh 1.
    pub weights: Option<Vec<f32>>,
}

impl Softening {
    fn is_plain(&self) -> bool {
        self.smoothing == 0.0 && self.weights.is_none()
    }
}

/// The name of the constant with the classes' weights.
const CLASS_WEIGHTS: &str = "class_weights";

/// Attributes of a softened loss node: 1 − ε, ε/C and ε/C·Σk.
const HARD: &str = "hard";
const SPREAD: &str = "spread";
const SPREAD_OVER_ALL: &str = "spread_over_all";

/// Adds a cross-entropy as [`cross_entropy`] does, with classes that weigh differently and a target that is smoothed. The
/// rows' own losses stay plain.
pub fn soft_cross_entropy(
    graph: &mut Graph,
    logits: &str,
    alignment: Alignment,
    softening: &Softening,
) -> Result<Loss, LossError> {
    let axes = graph.output(logits).and_then(|output| output.shape.clone());
    let loss = cross_entropy(graph, logits, alignment)?;
    if softening.is_plain() {
        return Ok(loss);
    }
    let classes = axes.and_then(|axes| match axes.last() {
        Some(Axis::Fixed(classes)) if *classes > 0 => Some(*classes),
        _ => None,
    });
    let classes = classes.filter(|classes| softening.weights.as_ref().is_none_or(|weights| weights.len() == *classes));
    let Some(classes) = classes else { return Err(LossError::Classes { logits: logits.to_owned() }) };
    let spread = softening.smoothing / classes as f32;
    let total = softening.weights.as_ref().map_or(classes as f32, |weights| weights.iter().sum());
    let node = graph.nodes.last_mut().expect("the loss was added last");
    for (name, value) in [(HARD, 1.0 - softening.smoothing), (SPREAD, spread), (SPREAD_OVER_ALL, spread * total)] {
        node.attributes.insert(name.to_owned(), Attribute::Float(value));
    }
    if let Some(weights) = &softening.weights {
        if graph.names().contains(CLASS_WEIGHTS) {
            return Err(LossError::Taken { name: CLASS_WEIGHTS.to_owned() });
        }
        let node = graph.nodes.last_mut().expect("the loss was added last");
        node.inputs.push(CLASS_WEIGHTS.to_owned());
        graph.initializers.insert(CLASS_WEIGHTS.to_owned(), Tensor::from_f32(&[classes], weights));
    }
    Ok(loss)
}

/// The numbers of a softened loss node.
pub(super) struct Softened<'a> {
    hard: f32,
    spread: f32,
    pub(super) spread_over_all: f32,
    class_weights: Option<&'a str>,
}

impl<'a> Softened<'a> {
    pub(super) fn of(node: &'a Node) -> Option<Self> {
        Some(Self {
            hard: node.float(HARD)?,
            spread: node.float(SPREAD)?,
            spread_over_all: node.float(SPREAD_OVER_ALL)?,
            class_weights: node.input(3),
        })
    }

    /// (1 − ε)·k[label], in the shape of the index or as one number.
    pub(super) fn hard(&self, b: &mut Builder, index: &str) -> String {
        let hard = b.scalar(self.hard);
        match self.class_weights {
            Some(weights) => {
                let own = b.node(Op::Gather, &[weights, index], &[("axis", Attribute::Int(0))]);
                b.mul(&own, &hard)
            }
            None => hard,
        }
    }

    /// ε/C·k over the classes, `[1, C]` or one number.
    pub(super) fn row(&self, b: &mut Builder) -> String {
        let spread = b.scalar(self.spread);
        match self.class_weights {
            Some(weights) => {
                let row = b.ints(&[1, -1]);
                let weights = b.node(Op::Reshape, &[weights, &row], &[]);
                b.mul(&weights, &spread)
            }
            None => spread,
        }
    }

    /// ε/C·Σ_c k[c]·(lse − x[c]), `[rows, 1]`.
    pub(super) fn spread(&self, b: &mut Builder, logits: &str, log_sum: &str) -> String {
        let row = self.row(b);
        let chosen = b.mul(logits, &row);
        let chosen = b.reduce(Op::ReduceSum, &chosen, &[1]);
        let over_all = b.scalar(self.spread_over_all);
        let all = b.mul(log_sum, &over_all);
        b.sub(&all, &chosen)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::{LABELS, WEIGHTS, forward};
    use super::*;
    use crate::onnx::test_session::{Values, available, test_session};
    use crate::onnx::{ElementType, ValueInfo, encode};

    /// PyTorch's `cross_entropy(logits, labels, weight=k, label_smoothing=ε)`, written out in double precision as its
    /// documentation defines it; with its mean the sums are divided by Σ k[label], as the caller's weights do.
    fn torch(logits: &[[f64; 3]], labels: &[usize], k: [f64; 3], epsilon: f64) -> f64 {
        let row = |(x, y): (&[f64; 3], &usize)| {
            let lse = x.iter().map(|x| x.exp()).sum::<f64>().ln();
            let smooth: f64 = (0..3).map(|c| k[c] * (lse - x[c])).sum();
            (1.0 - epsilon) * k[*y] * (lse - x[*y]) + epsilon / 3.0 * smooth
        };
        let total: f64 = labels.iter().map(|label| k[*label]).sum();
        logits.iter().zip(labels).map(row).sum::<f64>() / total
    }

    #[test]
    fn a_softened_loss_is_that_of_torch() {
        if !available() {
            return;
        }
        let logits = [[0.3, -1.2, 2.0], [1.5, 0.1, -0.4]];
        let labels = [0, 2];
        let check = |epsilon: f64, k: Option<[f64; 3]>| {
            let mut graph = Graph::new("g", 18);
            let axes = [Axis::named("batch"), Axis::Fixed(3)];
            graph.inputs.push(ValueInfo::new("x", ElementType::Float, &axes));
            graph.nodes.push(Node::new("", Op::Identity, &["x"], &["logits"]));
            graph.outputs.push(ValueInfo::new("logits", ElementType::Float, &axes));
            let weights = k.map(|k| k.map(|k| k as f32).to_vec());
            let softening = Softening { smoothing: epsilon as f32, weights };
            let loss = soft_cross_entropy(&mut graph, "logits", Alignment::Same, &softening).expect("added");
            let graph = forward(&graph, &[&loss.loss]);
            let k = k.unwrap_or([1.0; 3]);
            let total: f64 = labels.iter().map(|label| k[*label]).sum();
            let feeds = BTreeMap::from([
                ("x".to_owned(), Values::Float(vec![2, 3], logits.concat().iter().map(|x| *x as f32).collect())),
                (LABELS.to_owned(), Values::Int(vec![2], labels.map(|label| label as i64).to_vec())),
                (WEIGHTS.to_owned(), Values::Float(vec![2], vec![(1.0 / total) as f32; 2])),
            ]);
            let found = f64::from(test_session(&encode(&graph)).run(&feeds)[&loss.loss].floats()[0]);
            let expected = torch(&logits, &labels, k, epsilon);
            assert!((found - expected).abs() < 1e-6, "ε {epsilon}, k {k:?}: {found} is not {expected}");
        };
        check(0.0, None);
        check(0.1, None);
        check(0.0, Some([0.5, 2.0, 1.25]));
        check(0.3, Some([0.5, 2.0, 1.25]));
    }

    #[test]
    fn classes_must_be_known_to_be_smoothed_over() {
        let mut graph = Graph::new("g", 18);
        graph.outputs.push(ValueInfo::new("logits", ElementType::Float, &[Axis::named("batch"), Axis::Fixed(3)]));
        let softening = Softening { smoothing: 0.0, weights: Some(vec![1.0; 2]) };
        let error = soft_cross_entropy(&mut graph, "logits", Alignment::Same, &softening);
        assert_eq!(error, Err(LossError::Classes { logits: "logits".to_owned() }));
    }
}
