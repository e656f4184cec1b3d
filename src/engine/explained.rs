//! What a build would find in the cache. What a step cuts out is part of the names of what is measured behind it, and follows
//! from the records that reach it: so as much is decided here as the cache has measures for, and no record is read.

use std::sync::Arc;

use super::EngineError;
use super::build::{BuildInputs, Progress, Surveyed};
use super::pieces::{Before, up_to};
use super::stage::{Beside, CutsFrom, Explained, Stages, Wanted, explain};
use super::stages::Build;
use crate::hir::{Dataset, DatasetId, Program, StepKind};
use crate::plan::Prepared;
use crate::plan::stage::{Cutting, Measures};

/// What a build would find of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetExplained {
    /// The steps that cut, in order, up to the first one of which it is not known what it cuts.
    pub cuts: Vec<CutsExplained>,
    /// The first pass; `None` where it is not known what is cut.
    pub first_pass: Option<Explained>,
    /// The conditions that are evaluated over the measures.
    pub conditions: usize,
}

/// What a build would find of a step that cuts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CutsExplained {
    /// The rule.
    pub rule: String,
    /// What the steps before it measure.
    pub before: Explained,
    /// What it cuts, with where that would come from; `None` where it is not known which records reach the step.
    pub cut: Option<(Explained, CutsFrom)>,
}

/// What a build would find of a data set in these stages.
///
/// # Errors
/// What the world did.
pub fn explain_dataset(
    stages: &Stages,
    program: &Program,
    id: DatasetId,
    surveyed: &Surveyed,
    inputs: &BuildInputs,
    progress: &mut dyn FnMut(Progress),
) -> Result<DatasetExplained, EngineError> {
    let dataset = &program[id];
    let inputs = BuildInputs { stages: Some(stages.looking()), ..inputs.clone() };
    let mut build = Build::open(program, id, surveyed, &inputs, progress)?;
    // Only what is measured already is looked at, so nothing needs to be read that records are held against.
    build.prepared = Prepared { against: surveyed.against(program, dataset), ..Prepared::of_nothing(dataset) };
    let measures = Measures::of(program, dataset, &build.prepared.against);
    let mut explained = DatasetExplained { cuts: Vec::new(), first_pass: None, conditions: measures.conditions() };
    if measures.withheld().is_none() {
        for (at, step) in dataset.steps.iter().enumerate() {
            let Some(cutting) = Cutting::of(step) else { continue };
            let is_known = build.explain_cuts(stages, at, cutting, &mut explained)?;
            if !is_known {
                return Ok(explained);
            }
        }
    }
    explained.first_pass = Some(build.explain(stages, dataset, &measures, &build.cut_from(dataset)));
    Ok(explained)
}

/// Whether a step reads texts again to compare them, so that nothing tells without that which records it keeps.
fn compares_texts(dataset: &Dataset) -> bool {
    dataset.steps.iter().any(|step| matches!(step.kind, StepKind::DedupNear { .. }))
}

impl Build<'_> {
    fn explain(&self, stages: &Stages, dataset: &Dataset, measures: &Measures, beside: &Beside) -> Explained {
        explain(stages, &Wanted { program: self.program, dataset, survey: self.survey, measures, beside })
    }

    /// Adds what there is of a step that cuts, and says whether it is known what that cuts.
    fn explain_cuts(
        &mut self,
        stages: &Stages,
        at: usize,
        cutting: Cutting<'_>,
        explained: &mut DatasetExplained,
    ) -> Result<bool, EngineError> {
        let dataset = up_to(self.dataset, at);
        let measures = Measures::before(self.program, &dataset, &cutting, &self.prepared.against);
        let found = self.explain(stages, &dataset, &measures, &self.cut_from(&dataset));
        let rule = cutting.rule.to_owned();
        if found.reused < found.chunks || compares_texts(&dataset) {
            explained.cuts.push(CutsExplained { rule, before: found, cut: None });
            return Ok(false);
        }
        let before = self.before(at, cutting)?;
        let (cut, from) = self.explain_cut(stages, &before)?;
        explained.cuts.push(CutsExplained { rule, before: found, cut: Some((cut, from)) });
        if from == CutsFrom::Texts {
            return Ok(false);
        }
        let (cuts, _) = self.cuts(&before)?;
        self.prepared.cuts.insert(at, Arc::new(cuts));
        Ok(true)
    }

    /// What there is of what a step cuts, and where that would come from.
    fn explain_cut(&self, stages: &Stages, before: &Before<'_>) -> Result<(Explained, CutsFrom), EngineError> {
        let measures = Measures::cut(self.program, &before.dataset, &before.cutting, &self.prepared.against);
        let beside = self.reached_from(before)?;
        let cut = self.explain(stages, &before.dataset, &measures, &beside);
        let from = if cut.reused == cut.chunks {
            CutsFrom::Cache
        } else if before.cutting.is_measured() {
            CutsFrom::Measures
        } else {
            CutsFrom::Texts
        };
        Ok((cut, from))
    }
}
