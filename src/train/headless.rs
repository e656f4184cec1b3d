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
