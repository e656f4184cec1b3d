//! Which targets a build makes: all, or those named with what they stand on.

use std::path::Path;

use crate::cli::Failure;
use crate::cli::context::{self, Spec};
use crate::cli::terminal::Terminal;
use crate::diagnostics::closest;
use crate::emit::file_name;
use crate::hir::{DatasetId, Program, TrainId};
use crate::semantic;

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
    /// evaluations. A name that is no target fails the command, with a way out.
    pub fn choose(program: &Program, names: &[String], terminal: &Terminal) -> Result<Self, Failure> {
        Self::named(program, names).map_err(|(message, help)| {
            terminal.error(message, Some(&help));
            Failure::Usage
        })
    }

    /// A specification without mistakes, and its targets; what a build would refuse of them fails the command.
    pub fn load(path: &Path, names: &[String], terminal: &Terminal) -> Result<(Spec, Self), Failure> {
        let spec = context::load_checked(path, terminal)?;
        let named: Vec<&str> = names.iter().map(String::as_str).collect();
        let wanted = (!named.is_empty()).then_some(named.as_slice());
        if terminal.report(&spec.sources, &semantic::check_supported(&spec.parsed, wanted)) {
            return Err(Failure::Spec);
        }
        let targets = Self::choose(&spec.program, names, terminal)?;
        Ok((spec, targets))
    }

    /// The names of the folders that they are built into.
    pub fn names<'p>(&'p self, program: &'p Program) -> impl Iterator<Item = String> + 'p {
        let datasets = self.datasets.iter().map(|&id| program[id].name.as_str());
        datasets.chain(self.trains.iter().map(|&id| program[id].name.as_str())).map(file_name)
    }

    fn named(program: &Program, names: &[String]) -> Result<Self, (String, String)> {
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
