//! What a second thread changes of the weights: nothing. More than two may change the rounding of the runtime's products.

use super::tests::{run, runtime, train_quietly, write_texts};
use super::*;

/// Matrices large enough that the runtime and the optimizer share out each of their products and sums.
#[test]
fn weights_are_the_same_bytes_with_one_thread_and_with_two() {
    let Some(runtime) = runtime() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    write_texts(&folder.path().join("train.parquet"), 64);
    let adapters = Lora {
        rank: 8,
        alpha: 16.0,
        targets: vec!["*".to_owned()],
        rank_stabilized: false,
        has_magnitude: true,
        dropout: 0.1,
        base: Some(Width::Int8),
    };
    for tune in [Tune::All, Tune::Lora(adapters)] {
        let mut settings = run(folder.path());
        settings.model = ModelSource::NewEncoder { layers: 1, hidden: 192, heads: 4, vocab: 120 };
        (settings.batch, settings.extent) = (32, Extent::Steps(2));
        settings.tune = tune;
        let weights = |threads| {
            let settings = TrainRun { threads, ..settings.clone() };
            train_quietly(&settings, &runtime).expect("trained").0.weights
        };
        assert_eq!(weights(2), weights(1), "{:?}", settings.tune);
    }
}
