//! Logits are computed for the places alone that something is learnt from.

use std::path::Path;

use super::decoder_tests::answers;
use super::example::Encoded;
use super::memory::{Fullest, memory};
use super::model::{Model, TrainingPlan};
use super::objective::Objective;
use super::tests::shared;
use super::*;
use crate::autodiff::Operators;
use crate::autodiff::loss::Softening;
use crate::onnx::Graph;
use crate::onnx::shapes::{Dim, Shapes};
use crate::onnx::surgery::{LEARNT, PLACES};

fn lora(has_magnitude: bool, dropout: f64, base: Option<Width>) -> Tune {
    let targets = vec!["*".to_owned()];
    Tune::Lora(Lora { rank: 4, alpha: 8.0, targets, rank_stabilized: false, has_magnitude, dropout, base })
}

fn planned(folder: &Path, objective: Objective, tune: &Tune, pack: bool) -> (Model, TrainingPlan) {
    let model = Model::decoder(folder, objective).expect("a decoder");
    let plan = model.plan(tune, &Softening::default(), 7, pack, Operators::Ours).expect("it can be planned");
    (model, plan)
}

/// Values with as many numbers for every place of a batch as there are tokens.
fn wide(graph: &Graph, vocabulary: i64) -> Vec<String> {
    let shapes = Shapes::of(graph);
    let varies = |dim: &Dim| match dim {
        Dim::Known(_) => false,
        Dim::Symbol(name) => name != LEARNT,
        Dim::Computed(_) => true,
    };
    let is_wide = |name: &&String| match shapes.dims(name) {
        Some([leading @ .., last]) => *last == Dim::Known(vocabulary) && leading.iter().any(varies),
        Some([]) | None => false,
    };
    graph.nodes.iter().flat_map(|node| &node.outputs).filter(is_wide).cloned().collect()
}

#[test]
fn no_graph_of_a_decoder_computes_logits_that_nothing_is_learnt_from() {
    let objectives = [Objective::NextToken, Objective::Preference { beta: 0.1 }];
    let tunes = [Tune::All, lora(false, 0.0, None), lora(true, 0.2, None), lora(false, 0.3, Some(Width::Int8))];
    for (name, vocabulary) in [("gpt2", 2000), ("llama-chat", 4096)] {
        let Some(folder) = shared(&format!("models/{name}")) else { return };
        for (objective, tune) in objectives.iter().flat_map(|objective| tunes.iter().map(move |tune| (objective, tune)))
        {
            let pack = matches!(objective, Objective::NextToken);
            let (_, plan) = planned(&folder, *objective, tune, pack);
            for graph in [&plan.training.graph, &plan.measuring] {
                assert!(graph.input(PLACES).is_some(), "{name}, {objective:?}, {tune:?}");
                assert_eq!(wide(graph, vocabulary), [""; 0], "{name}, {objective:?}, {tune:?}");
            }
        }
    }
}

#[test]
fn the_plan_of_the_memory_counts_what_is_learnt() {
    let Some(folder) = shared("models/llama-chat") else { return };
    let settings = answers(tempfile::tempdir().expect("a folder").path(), folder.clone(), 4, 4);
    let settings = TrainRun { batch: 4, ..settings };
    let (_, plan) = planned(&folder, Objective::NextToken, &Tune::All, false);
    let activations = |learnt: usize| {
        let target = Target::Tokens((0..128).map(|at| at >= 128 - learnt).collect());
        let example = |id: usize| Example { id: id.to_string(), tokens: vec![5; 128], target: target.clone() };
        let encoded = Encoded { examples: (0..6).map(example).collect(), ..Encoded::default() };
        memory(&settings, &plan.training, &Fullest::of(&settings, &encoded), None, 0).activations
    };
    // Logits and their gradient, 4,096 numbers of 4 bytes each, and what leads to them.
    let (few, many) = (activations(4), activations(124));
    let of_logits = 4 * 120 * 4096 * 4;
    assert!(few + of_logits <= many && many < few + 4 * of_logits, "{few} and {many}");
}
