//! A run that computes layers again is the run that kept them.

use super::decoder_tests::answers;
use super::tests::{largest_difference, run, runtime, shared, train_quietly, weights, write_texts};
use super::*;
use crate::runtime::Runtime;

/// Steps of the same losses and weights, but for what the runtime computes by other kernels where it can join nodes.
fn check(settings: &TrainRun, runtime: &Runtime) {
    let trained = |recompute| {
        let settings = TrainRun { recompute, ..settings.clone() };
        let (_, losses) = train_quietly(&settings, runtime).expect("trained");
        let provenance = read_json(&settings.output.join("provenance.json")).expect("JSON");
        assert_eq!(provenance["settings"]["recompute"], recompute);
        (losses, weights(&settings.output))
    };
    let ((losses, plain), (again_losses, again)) = (trained(false), trained(true));
    for (plain, again) in losses.iter().zip(&again_losses) {
        assert!((plain - again).abs() <= 1e-6 * plain, "{plain} {again}");
    }
    let difference = largest_difference(&plain, &again);
    assert!(difference <= 1e-6, "{difference}");
}

#[test]
fn encoders_learn_the_same_where_layers_are_computed_again() {
    let Some(runtime) = runtime() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    write_texts(&folder.path().join("train.parquet"), 24);
    let mut settings = run(folder.path());
    settings.model = ModelSource::NewEncoder { layers: 4, hidden: 32, heads: 2, vocab: 120 };
    settings.extent = Extent::Steps(3);
    settings.optimizer = Optimizer::Sgd(Sgd { momentum: 0.9, nesterov: false, weight_decay: 0.0 });
    check(&settings, &runtime);
    settings.held = true;
    check(&settings, &runtime);
}

#[test]
fn packed_adapters_learn_the_same_where_layers_are_computed_again() {
    let (Some(runtime), Some(model)) = (runtime(), shared("models/llama-chat")) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let mut settings = answers(folder.path(), model, 8, 4);
    settings.extent = Extent::Steps(2);
    (settings.batch, settings.accumulate, settings.pack) = (2, 2, true);
    for (has_magnitude, dropout, base) in [(true, 0.0, None), (false, 0.2, Some(Width::Int8))] {
        let targets = Vec::new();
        settings.tune =
            Tune::Lora(Lora { rank: 2, alpha: 4.0, targets, rank_stabilized: false, has_magnitude, dropout, base });
        check(&settings, &runtime);
    }
}

#[test]
fn a_run_that_does_not_fit_is_told_what_computing_again_would_take() {
    let Some(runtime) = runtime() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    write_texts(&folder.path().join("train.parquet"), 24);
    let mut settings = run(folder.path());
    settings.model = ModelSource::NewEncoder { layers: 6, hidden: 32, heads: 2, vocab: 120 };
    settings.memory = Some(1 << 20);
    let refusal = |settings: &TrainRun| match train_quietly(settings, &runtime).expect_err("it does not fit") {
        TrainError::Memory { plan, recomputed, .. } => (plan, recomputed),
        other => panic!("{other}"),
    };
    let (plan, recomputed) = refusal(&settings);
    settings.recompute = true;
    let (again, advice) = refusal(&settings);
    // Both say what the process took when they were made.
    let beside = |plan: MemoryPlan, total: u64| total - plan.process;
    assert_eq!(recomputed.map(|total| beside(plan, total)), Some(beside(again, again.total())));
    assert_eq!(advice, None);
    assert!(again.activations * 2 < plan.activations, "{again} against {plan}");
    let error = TrainError::Memory { plan, limit: 1 << 20, recomputed };
    assert!(error.to_string().contains("with `recompute on` it needs about"), "{error}");
}
