//! Which targets a build makes: all, or those named with what they stand on.

use crate::diagnostics::closest;
use crate::hir::{DatasetId, Program, TrainId};

/// The targets of a build, each list in order of declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Targets {
    /// Data sets.
    pub datasets: Vec<DatasetId>,
    /// Training runs.
    pub trains: Vec<TrainId>,
    /// Evaluations, as indices into the program's.
    pub evaluates: Vec<usize>,
}

impl Targets {
    /// All targets of the program, or the named ones: a data set alone, or a training run with its data sets and its
    /// evaluations. A name that is no target gives the message and a way out.
    pub fn choose(program: &Program, names: &[String]) -> Result<Self, (String, String)> {
        for name in names {
            if !known(program).any(|target| target == name) {
                let help = match closest(name, known(program)) {
                    Some(target) => format!("did you mean `{target}`?"),
                    None => format!(
                        "the targets are {}",
                        known(program).map(|t| format!("`{t}`")).collect::<Vec<_>>().join(", ")
                    ),
                };
                return Err((format!("the spec has no data set or training run `{name}`"), help));
            }
        }
        let wanted = |name: &str| names.is_empty() || names.iter().any(|wanted| wanted == name);
        let trains: Vec<TrainId> = ids(program.trains.len(), TrainId).filter(|&id| wanted(&program[id].name)).collect();
        let evaluates: Vec<usize> =
            (0..program.evaluates.len()).filter(|&at| trains.contains(&program.evaluates[at].train)).collect();
        let needed = |id: DatasetId| {
            trains.iter().any(|&train| program[train].data == id)
                || evaluates.iter().any(|&at| program.evaluates[at].dataset == id)
        };
        let datasets =
            ids(program.datasets.len(), DatasetId).filter(|&id| wanted(&program[id].name) || needed(id)).collect();
        Ok(Self { datasets, trains, evaluates })
    }
}

fn ids<T>(count: usize, id: fn(u32) -> T) -> impl Iterator<Item = T> {
    (0..count as u32).map(id)
}

fn known(program: &Program) -> impl Iterator<Item = &str> {
    let datasets = program.datasets.iter().map(|dataset| dataset.name.as_str());
    datasets.chain(program.trains.iter().map(|train| train.name.as_str()))
}
