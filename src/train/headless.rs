//! Runs that learn values and train no weight that is known as a head's.

use super::TrainError;
use super::run::{TrainRun, Tune};
use crate::onnx::import::HEAD_PATHS;

/// What is said of such a run.
///
/// # Errors
/// A rate for the head that it does not train.
pub(super) fn headless(run: &TrainRun) -> Result<Option<String>, TrainError> {
    if run.head_rate.is_some() {
        return Err(TrainError::Settings(
            "`head_rate` is the rate of a head, and none of the weights that are trained is known as one; take it out"
                .to_owned(),
        ));
    }
    Ok(match run.tune {
        Tune::All | Tune::Head => None,
        Tune::Lora(_) => Some(format!(
            "`tune lora` trains no head here: none of the model's weights is known as a classifier's, by a path that begins with {}; \
             it stays as it is, and may be adapted like any layer",
            HEAD_PATHS.map(|path| format!("`{path}`")).join(", ")
        )),
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::train::Lora;
    use crate::train::tests::run;

    #[test]
    fn a_run_without_a_head_is_told_where_it_trains_adapters_and_refused_where_the_head_has_a_rate() {
        let mut settings = run(Path::new("."));
        let refused = headless(&settings).expect_err("a rate for nothing").to_string();
        assert!(refused.contains("`head_rate`"), "{refused}");
        settings.head_rate = None;
        assert_eq!(headless(&settings).expect("fine"), None, "all weights are trained, a head of any name among them");
        let (targets, base) = (Vec::new(), None);
        settings.tune = Tune::Lora(Lora {
            rank: 4,
            alpha: 8.0,
            targets,
            rank_stabilized: false,
            has_magnitude: false,
            dropout: 0.0,
            base,
        });
        let note = headless(&settings).expect("fine").expect("a note");
        assert!(note.contains("trains no head") && note.contains("`pre_classifier`"), "{note}");
    }
}
