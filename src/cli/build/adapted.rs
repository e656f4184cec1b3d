//! What is known of adapters before any run is trained.

use super::{Session, lower, train};
use crate::cli::Failure;
use crate::hir::{self, TrainId};
use crate::train::check_targets;

/// Holds the layers that adapters name against the models of their runs: a mistake in the last of them would else be told when all
/// others are trained. The first run is the next thing to be done, and says so itself.
pub fn check_adapted(session: &Session<'_>, trains: &[TrainId]) -> Result<(), Failure> {
    let program = &session.spec.program;
    for &id in trains.iter().skip(1) {
        let run = &program[id];
        let hir::Tune::Lora(lora) = &run.tune else { continue };
        let folder = train::model_folder(session, run)?;
        let model = lower::model_source(program, run, folder.as_deref());
        check_targets(&model, &lora.targets).map_err(|error| {
            session.terminal.error(format_args!("training `{}`: {error}", run.name), None);
            Failure::World
        })?;
    }
    Ok(())
}
