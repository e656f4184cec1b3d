//! Near-duplicates among the records that reach a step: their texts are read again and sketched on the workers.

use std::num::NonZeroUsize;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Float64Type;

use super::EngineError;
use super::build::Stage;
use super::passes::{ChunkWork, scan};
use super::resolve::Reached;
use super::stages::{Build, Reckoning};
use crate::dedup::Scheme;
use crate::dedup::near::{Clusters, Index, Sketches};
use crate::hir::Dataset;
use crate::plan::near_pass;

/// What is compared, and by what the kept one of a cluster is chosen.
#[derive(Debug, Clone)]
pub struct Compared {
    /// The plan's column of texts.
    pub texts: String,
    /// The plan's column of scores; without one the first record of a cluster is kept.
    pub scores: Option<String>,
    /// How they are compared.
    pub scheme: Scheme,
}

/// Sketches texts and lets them go.
struct Sketch(Compared);

impl ChunkWork for Sketch {
    type Chunk = ();
    type Piece = (Sketches, Vec<Option<f64>>);

    fn begin(&self, _: usize) -> Result<(), EngineError> {
        Ok(())
    }

    fn batch(&self, (): &(), _: usize, batch: RecordBatch) -> Result<Self::Piece, EngineError> {
        Ok(sketched(&batch, &self.0))
    }
}

/// The sketches of a batch's texts, null as an empty one, and the scores.
fn sketched(batch: &RecordBatch, compared: &Compared) -> (Sketches, Vec<Option<f64>>) {
    let texts = batch[compared.texts.as_str()].as_string::<i32>();
    let sketches = compared.scheme.sketch(texts.iter().map(Option::unwrap_or_default));
    let scores = compared.scores.as_ref().map(|name| batch[name.as_str()].as_primitive::<Float64Type>());
    (sketches, scores.map(|scores| scores.iter().collect()).unwrap_or_default())
}

/// The clusters of a batch that lies in memory.
pub fn clusters_of(batch: &RecordBatch, compared: &Compared) -> Clusters {
    let (sketches, scores) = sketched(batch, compared);
    let mut index = Index::new(compared.scheme);
    index.push(&sketches);
    index.finish(NonZeroUsize::MIN, &scores)
}

impl Build<'_> {
    /// The near-duplicates among these rows of a data set, which may be the first steps of this one. The texts pass by; none
    /// is kept.
    pub(super) fn near(
        &mut self,
        dataset: &Dataset,
        compared: &Compared,
        reached: &Reached,
    ) -> Result<Clusters, EngineError> {
        let table = self.table.keeping(Arc::new(reached.clone()));
        let columns: Vec<String> = std::iter::once(&compared.texts).chain(&compared.scores).cloned().collect();
        let scanned = scan(Arc::new(table))?;
        let plan = near_pass(self.program, dataset, &self.prepared, &columns, scanned)?;
        let (mut index, mut scores) = (Index::new(compared.scheme), Vec::new());
        let (reckoning, progress) = (Reckoning::of(self.survey, Stage::Compare), &mut *self.progress);
        self.workers.run(&plan, Arc::new(Sketch(compared.clone())), &mut |chunk, pieces| {
            for (sketches, more) in pieces {
                index.push(&sketches);
                scores.extend(more);
            }
            progress(reckoning.at(chunk));
            Ok(())
        })?;
        Ok(index.finish(self.workers.jobs(), &scores))
    }
}
