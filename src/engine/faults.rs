//! Records that an output cannot hold although each of their fields is right: they are rendered once before the split, so
//! that they are counted like all others that a step takes out.

use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray};

use super::EngineError;
use super::build::Stage;
use super::passes::{ChunkWork, scan};
use super::resolve::Reached;
use super::stages::{Build, Reckoning};
use super::write::visible;
use crate::emit::Renderer;
use crate::hir::Dataset;
use crate::label::LabelTables;
use crate::plan::second_pass;

/// Looks at the records of a chunk.
struct Look {
    dataset: Arc<Dataset>,
    renderer: Renderer,
}

impl ChunkWork for Look {
    type Chunk = ();
    type Piece = Vec<Option<&'static str>>;

    fn begin(&self, _: usize) -> Result<(), EngineError> {
        Ok(())
    }

    fn batch(&self, (): &(), _: usize, batch: RecordBatch) -> Result<Self::Piece, EngineError> {
        // No template names the ids, which are therefore left blank.
        let ids = StringArray::from(vec![""; batch.num_rows()]);
        Ok(self.renderer.faults(&visible(&self.dataset, &batch, ids)))
    }
}

impl Build<'_> {
    /// Tells `each` which of the rows an output cannot hold, by their place among them, each with the reason. The texts pass
    /// by; none is kept.
    pub(super) fn faults(
        &mut self,
        tables: &LabelTables,
        output: usize,
        reached: &Reached,
        each: &mut dyn FnMut(u64, &'static str) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let output = &self.dataset.outputs[output];
        let renderer = Renderer::new(self.program, self.dataset, output, tables).map_err(EngineError::written)?;
        let work = Arc::new(Look { dataset: Arc::new(self.dataset.clone()), renderer });
        let table = self.table.keeping(Arc::new(reached.clone()));
        let plan = second_pass(self.dataset, &self.prepared, &[], scan(Arc::new(table))?)?;
        let (reckoning, progress) = (Reckoning::of(self.survey, Stage::Compare), &mut *self.progress);
        let mut seen = 0;
        self.workers.run(&plan, work, &mut |chunk, pieces| {
            for fault in pieces.into_iter().flatten() {
                fault.map_or(Ok(()), |fault| each(seen, fault))?;
                seen += 1;
            }
            progress(reckoning.at(chunk));
            Ok(())
        })
    }
}
