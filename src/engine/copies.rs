//! How often records are written: more than once by a `weight` above 1, and then in `train` alone.

use super::outcome::RecordId;
use super::read::{FileSurvey, Survey, file_and_offset};
use crate::hir::{Dataset, StepKind, Taken};
use crate::sample::{copies, rank};

/// The weights of a data set's sources.
#[derive(Debug, Clone, Default)]
pub(super) struct Copies {
    /// For each file the weight of its source, with the seed of the ranks.
    weights: Vec<Option<(f64, u64)>>,
    train: Option<u16>,
}

impl Copies {
    /// Those of a data set over these files.
    pub(super) fn of(dataset: &Dataset, survey: &Survey) -> Self {
        let weight = |file: &FileSurvey| {
            dataset.steps.iter().find_map(|step| match &step.kind {
                StepKind::Sample { taken: Taken::Weighted { source, weight }, seed } if *source == file.source => {
                    Some((*weight, *seed))
                }
                _ => None,
            })
        };
        let train = dataset.split.parts.iter().position(|part| part == "train");
        Self { weights: survey.files.iter().map(weight).collect(), train: train.map(|part| part as u16) }
    }

    /// How often a record is written that a `weight` has kept.
    pub(super) fn count(&self, location: u64, id: RecordId, part: u16) -> u32 {
        let (file, _) = file_and_offset(location);
        match self.weights.get(file).copied().flatten() {
            Some((weight, seed)) if self.train == Some(part) => copies(rank("weight", seed, &id.0), weight).max(1),
            Some(_) | None => 1,
        }
    }
}
