//! Rows that are picked, each once at most, see `onnx::surgery::pick_learnt`: the node with stock operators, and its gradient.
//!
//! ```text
//! y[i] = x[place[i]]      ∂/∂x[place[i]] = g[i], and 0 for every row that no place names
//! ```
//!
//! x counts as a matrix of rows, whatever axes it has before the last. No two rows of the gradient go to one place, so that they are
//! copied there and nothing is added up.

use super::builder::Builder;
use crate::onnx::{Attribute, Node, Op};

/// Writes a node with stock operators.
pub(super) fn lower(b: &mut Builder, node: &Node) {
    let [x, places] = node.inputs.as_slice() else { unreachable!("rows and places are picked by") };
    let rows = b.rows(x);
    b.named(Op::Gather, &[&rows, places], &[("axis", Attribute::Int(0))], &node.outputs[0]);
}

/// The gradient of x.
pub(super) fn gradient(b: &mut Builder, node: &Node, upstream: &str) -> String {
    let [x, places] = node.inputs.as_slice() else { unreachable!("rows and places are picked by") };
    let upstream = b.expand_like(upstream, &node.outputs[0]);
    let (rows, column) = (b.rows(x), b.ints(&[-1, 1]));
    let (zeros, picked) = (b.zeros_like(&rows), b.rows(&upstream));
    let places = b.node(Op::Reshape, &[places, &column], &[]);
    let spread = b.node(Op::ScatterNd, &[&zeros, &places, &picked], &[]);
    b.reshape_like(&spread, x)
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::super::loss::{self, Alignment};
    use super::super::oracles::{BOTH, Case, prepare, shared_model};
    use super::super::{Operators, TrainingGraph, differentiate_beside};
    use crate::onnx::encode;
    use crate::onnx::surgery::{PLACES, fix_past, pick_learnt};
    use crate::onnx::test_session::{Values, available, test_session};

    /// Sums of the same numbers are taken in other orders.
    const ROUNDING: f64 = 1e-6;

    /// The training graph of a model whose logits are those of picked places.
    fn picked(case: &Case, operators: Operators) -> TrainingGraph {
        let mut graph = case.imported.graph.clone();
        fix_past(&mut graph);
        assert!(pick_learnt(&mut graph, "logits"), "its head works row by row");
        let added = loss::cross_entropy(&mut graph, "logits", Alignment::Next).expect("a loss");
        let names: Vec<String> = case.training.trainables.iter().map(|trainable| trainable.name.clone()).collect();
        differentiate_beside(&graph, &added.loss, &[], &names, operators).expect("gradients")
    }

    /// Loss and gradients.
    fn run(training: &TrainingGraph, case: &Case) -> Vec<Vec<f32>> {
        let mut feeds = case.feeds.clone();
        feeds.retain(|name, _| training.graph.input(name).is_some());
        let outputs = test_session(&encode(&training.graph)).run(&feeds);
        let gradients = training.trainables.iter().map(|trainable| &trainable.gradient);
        std::iter::once(&training.loss).chain(gradients).map(|name| outputs[name].floats().to_vec()).collect()
    }

    fn norm(values: &[f32]) -> f64 {
        values.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt()
    }

    /// Every third token is learnt, and then none.
    fn check(folder: &Path) {
        for operators in BOTH {
            let mut case = prepare(folder, operators).expect("a model that trains");
            let (shape, mut labels) = match case.feeds.remove(loss::LABELS) {
                Some(Values::Int(shape, labels)) => (shape, labels),
                _ => panic!("labels are integers"),
            };
            for (at, label) in labels.iter_mut().enumerate() {
                *label = if at % 3 == 0 && at % shape[1] > 0 { *label } else { -100 };
            }
            let of = |labels: &[i64], number: f32| -> Vec<f32> {
                labels.iter().map(|label| if *label < 0 { 0.0 } else { number }).collect()
            };
            let weights = of(&labels, 0.125);
            case.feeds.insert(loss::LABELS.to_owned(), Values::Int(shape.clone(), labels.clone()));
            case.feeds.insert(loss::WEIGHTS.to_owned(), Values::Float(shape, weights));
            let plain = run(&case.training, &case);
            let training = picked(&case, operators);
            let mut feed = |targets: Vec<(usize, i64)>| {
                let places = targets.iter().map(|(at, _)| *at as i64).collect();
                let labels: Vec<i64> = targets.iter().map(|(_, label)| *label).collect();
                let (shape, weights) = (vec![1, labels.len()], of(&labels, 0.125));
                case.feeds.insert(PLACES.to_owned(), Values::Int(shape.clone(), places));
                case.feeds.insert(loss::LABELS.to_owned(), Values::Int(shape.clone(), labels));
                case.feeds.insert(loss::WEIGHTS.to_owned(), Values::Float(shape, weights));
                run(&training, &case)
            };
            let targets = labels.iter().enumerate().filter(|(_, label)| **label >= 0);
            let found = feed(targets.map(|(at, label)| (at - 1, *label)).collect());
            let whole = norm(&plain[1..].concat());
            assert!((plain[0][0] - found[0][0]).abs() <= ROUNDING as f32 * plain[0][0], "{}", folder.display());
            for (tensor, (plain, found)) in plain[1..].iter().zip(&found[1..]).enumerate() {
                let differences: Vec<f32> = plain.iter().zip(found).map(|(plain, found)| plain - found).collect();
                let difference = norm(&differences) / norm(plain).max(1e-3 * whole);
                let name = &training.trainables[tensor].name;
                assert!(difference <= ROUNDING, "{}, {operators:?}, {name}: {difference}", folder.display());
            }
            let nothing = feed(vec![(0, -100)]);
            assert!(nothing.iter().flatten().all(|value| *value == 0.0), "{}: nothing is learnt", folder.display());
        }
    }

    #[test]
    fn gradients_of_picked_places_are_those_of_all() {
        for name in ["gpt2", "llama-chat"] {
            let Some(folder) = shared_model(name).filter(|_| available()) else { return };
            check(&folder);
        }
    }

    /// The decoders of `benches/peers/make_exports.py`, in the folder that `ANNOTC_EXPORTS` names.
    #[test]
    fn every_exported_decoder_learns_from_picked_places() {
        let Some(exports) = std::env::var_os("ANNOTC_EXPORTS").filter(|_| available()) else { return };
        for model in ["gpt2", "llama", "qwen2", "gemma", "phi3"] {
            for kind in ["optimum", "fresh", "dynamo", "dynamo23"] {
                check(&PathBuf::from(&exports).join(format!("{model}-{kind}")));
            }
        }
    }
}
