//! The stages of a build that run plans.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arrow::array::{AsArray, RecordBatch};

use super::EngineError;
use super::build::{Destination, Progress, Stage};
use super::narrow::Narrow;
use super::outcome::{Outcome, PersonalFound, StepOutcomeKind};
use super::passes::{Batches, Workers, scan};
use super::read::table::ERROR;
use super::read::{ChunkTable, Keep, Survey, file_and_offset};
use super::report::Resolved;
use super::training::TableWriter;
use super::write::{Emitted, Write, redacted, rendered_schema};
use crate::dedup::Threshold;
use crate::dedup::near::{Clusters, Index};
use crate::emit::{self, EmitError, Finished, Renderer, Staging, Stamp, TrainingRenderer};
use crate::hir::{Column, Dataset, Expr, LabelSchema, LabelValues, Program, SourceId, StepKind};
use crate::label::{LabelTable, LabelTables};
use crate::plan::labels::FoundField;
use crate::plan::{Chain, column_name, first_pass, near_pass, second_pass};

/// Rows of the audit that are handed over at once.
const AUDIT_ROWS: usize = 16_384;

/// A build under way.
pub(super) struct Build<'b> {
    pub(super) program: &'b Program,
    pub(super) dataset: &'b Dataset,
    pub(super) survey: &'b Survey,
    pub(super) table: ChunkTable,
    pub(super) workers: Workers,
    pub(super) progress: &'b mut dyn FnMut(Progress),
}

impl Build<'_> {
    /// The first pass.
    pub(super) fn decide(&mut self) -> Result<Narrow, EngineError> {
        let plan = first_pass(self.program, self.dataset, scan(Arc::new(self.table.clone()))?)?;
        let mut narrow = Narrow::new(self.program, self.dataset);
        let (survey, progress) = (self.survey, &mut *self.progress);
        self.workers.run(&plan, Arc::new(Batches), &mut |chunk, batches| {
            batches.iter().for_each(|batch| narrow.push(batch, |file| survey.files[file].source));
            progress(at_chunk(survey, Stage::Decide, chunk));
            Ok(())
        })?;
        Ok(narrow)
    }

    /// The near-duplicates among these rows by the plan's column of texts. The texts pass by; none is kept.
    pub(super) fn near(
        &mut self,
        narrow: &Narrow,
        column: &str,
        rows: &[u32],
        threshold: f64,
    ) -> Result<Clusters, EngineError> {
        let threshold = Threshold::new(threshold).expect("a checked program's similarity lies above 0 and up to 1");
        let table = self.table.keeping(keep(self.survey, rows.iter().map(|&row| narrow.location[row as usize])));
        let plan = near_pass(self.program, self.dataset, column, scan(Arc::new(table))?)?;
        let mut index = Index::new(threshold);
        let (survey, progress) = (self.survey, &mut *self.progress);
        self.workers.run(&plan, Arc::new(Batches), &mut |chunk, batches| {
            for batch in &batches {
                let texts = batch[column].as_string::<i32>();
                texts.iter().for_each(|text| {
                    index.push(text.unwrap_or_default());
                });
            }
            progress(at_chunk(survey, Stage::Compare, chunk));
            Ok(())
        })?;
        Ok(index.finish())
    }

    /// The values of the data set's labels, once the first pass has found those that the data decide.
    pub(super) fn label_tables(
        &self,
        narrow: &Narrow,
        elsewhere: &BTreeMap<SourceId, Survey>,
        cancel: &Arc<AtomicBool>,
    ) -> Result<LabelTables, EngineError> {
        let mut tables: Vec<LabelTable> = Vec::new();
        for step in &self.dataset.steps {
            let StepKind::Label { label, .. } = step.kind else { continue };
            if tables.iter().any(|table| table.label() == label) {
                continue;
            }
            tables.push(match &self.program[label].schema {
                LabelSchema::Choice(LabelValues::Listed(values)) => LabelTable::new(label, values.clone(), false),
                LabelSchema::Choice(LabelValues::Found { source, .. }) => {
                    let found = narrow.found.iter().find(|(field, _)| field.label == label);
                    let (field, values) = found.expect("the first pass looks for every label that is found");
                    let values = match elsewhere.get(source) {
                        Some(survey) => self.found_elsewhere(field, survey, cancel)?,
                        None => values.iter().cloned().collect(),
                    };
                    LabelTable::from_found(label, values)
                }
                LabelSchema::Declared(_) => unreachable!("a checked program uses no label that is only declared"),
            });
        }
        Ok(LabelTables(tables))
    }

    /// The values of a field of a source that the data set does not read.
    fn found_elsewhere(
        &self,
        found: &FoundField,
        survey: &Survey,
        cancel: &Arc<AtomicBool>,
    ) -> Result<Vec<String>, EngineError> {
        let field = &self.program[found.source].fields[found.field];
        let column = Column {
            name: field.name.clone(),
            ty: field.ty.clone(),
            label: None,
            hidden: false,
            personal: field.personal.clone(),
            key: field.key,
            group: field.group,
        };
        let table = ChunkTable::new(survey.clone(), &[column], |source| &self.program[source], Arc::clone(cancel));
        let plan = Chain::new(scan(Arc::new(table))?).select(&[column_name(0), ERROR.to_owned()])?;
        let mut values = std::collections::BTreeSet::new();
        self.workers.run(&plan, Arc::new(Batches), &mut |_, batches| {
            for batch in &batches {
                // A row with an error has no values.
                values.extend(batch[column_name(0).as_str()].as_string::<i32>().iter().flatten().map(str::to_owned));
            }
            Ok(())
        })?;
        Ok(values.into_iter().collect())
    }

    /// The second pass: renders and stages everything, and completes the outcome.
    pub(super) fn write(
        &mut self,
        resolved: &Resolved<'_>,
        outcome: &mut Outcome,
        destination: &Destination,
    ) -> Result<Finished, EngineError> {
        let dataset = self.dataset;
        let mut staging =
            Staging::create(&destination.out, dataset, &rendered_schema(dataset)).map_err(EngineError::written)?;
        let (work, plan) = self.second_pass(resolved, destination)?;
        begin_tables(&work, &mut staging)?;
        let mut found: Vec<Vec<u64>> = redacted(dataset).iter().map(|(.., kinds)| vec![0; kinds.len()]).collect();
        let mut changed: BTreeMap<usize, u64> = BTreeMap::new();
        let (survey, progress) = (self.survey, &mut *self.progress);
        let work = Arc::new(work);
        self.workers.run(&plan, Arc::clone(&work), &mut |chunk, pieces| {
            for (piece, changed_here) in pieces {
                for (output, part, rendered) in piece.rendered {
                    staging.append(output, part, rendered).map_err(EngineError::written)?;
                }
                for (at, part, rows) in piece.training {
                    let name = &work.tables[at].table.name;
                    staging.training(name, &dataset.split.parts[part], &rows).map_err(EngineError::written)?;
                }
                let sums = found.iter_mut().flatten().zip(piece.found.iter().flatten());
                sums.for_each(|(sum, count)| *sum += count);
                changed_here.into_iter().for_each(|(step, count)| *changed.entry(step).or_default() += count);
            }
            progress(at_chunk(survey, Stage::Write, chunk));
            Ok(())
        })?;
        complete(dataset, outcome, &found, &changed);
        stage_lists(resolved, &mut staging)?;
        let fingerprint = emit::fingerprint(self.program, dataset, &outcome.sources);
        let stamp = Stamp { spec: destination.spec.clone(), fingerprint };
        staging.finish(self.program, dataset, outcome, &stamp).map_err(EngineError::written)
    }

    fn second_pass(
        &self,
        resolved: &Resolved<'_>,
        destination: &Destination,
    ) -> Result<(Write, datafusion::logical_expr::LogicalPlan), EngineError> {
        let (program, dataset, tables) = (self.program, self.dataset, resolved.tables);
        let renderer = |output| Renderer::new(program, dataset, output, tables).map_err(EngineError::written);
        let renderers = dataset.outputs.iter().map(renderer).collect::<Result<_, _>>()?;
        let (mut writers, mut extras) = (Vec::new(), Vec::<&Expr>::new());
        for table in &destination.training {
            let messages = table.messages.map(|id| TrainingRenderer::new(program, dataset, id, tables));
            let messages = messages.transpose().map_err(EngineError::written)?;
            writers.push(TableWriter { table: table.clone(), messages, first_extra: extras.len() });
            extras.extend(table.slices.iter().map(|slice| &slice.value));
        }
        let narrow = resolved.narrow;
        let emitted = |(row, part): (usize, &Option<u16>)| {
            let (location, line, id) = (narrow.location[row], narrow.line[row], resolved.fates.ids[row]);
            part.map(|part| Emitted { location, line, id, part })
        };
        let chunks = by_chunk(self.survey, resolved.parts.iter().enumerate().filter_map(emitted), |one| one.location);
        let keep: Keep =
            chunks.iter().map(|rows| rows.iter().map(|one| file_and_offset(one.location).1).collect()).collect();
        let plan = second_pass(dataset, &extras, scan(Arc::new(self.table.keeping(keep)))?)?;
        let name = |chunk: &super::read::Chunk| self.survey.files[chunk.file].file.name.clone();
        let work = Write {
            dataset: Arc::new(dataset.clone()),
            renderers,
            tables: writers,
            extras: extras.len(),
            chunks,
            files: self.survey.chunks.iter().map(name).collect(),
        };
        Ok((work, plan))
    }
}

impl EngineError {
    pub(super) fn written(error: EmitError) -> Self {
        EngineError::Write(Box::new(error))
    }
}

/// How far a stage is that has ended a chunk.
pub(super) fn at_chunk(survey: &Survey, stage: Stage, chunk: usize) -> Progress {
    let total = survey.files.iter().map(|file| file.bytes).sum();
    let before = |file: usize| survey.files[..file].iter().map(|file| file.bytes).sum::<u64>();
    let share = |file: usize, end: u64| {
        let file = &survey.files[file];
        (u128::from(file.bytes) * u128::from(end) / u128::from(file.extent.max(1))) as u64
    };
    let done = survey.chunks.get(chunk).map_or(total, |at| before(at.file) + share(at.file, at.end));
    Progress { stage, done, total }
}

/// Things in order of location, by the chunk that each lies in.
fn by_chunk<T>(survey: &Survey, things: impl Iterator<Item = T>, location: impl Fn(&T) -> u64) -> Vec<Vec<T>> {
    let mut chunks: Vec<Vec<T>> = survey.chunks.iter().map(|_| Vec::new()).collect();
    let mut at = 0;
    for thing in things {
        let (file, offset) = file_and_offset(location(&thing));
        while survey.chunks[at].file < file || survey.chunks[at].end <= offset {
            at += 1;
        }
        chunks[at].push(thing);
    }
    chunks
}

/// The records at these locations, for a table that reads no others.
pub(super) fn keep(survey: &Survey, locations: impl Iterator<Item = u64>) -> Keep {
    let chunks = by_chunk(survey, locations, |location| *location);
    let offsets = |chunk: Vec<u64>| chunk.into_iter().map(|location| file_and_offset(location).1).collect();
    chunks.into_iter().map(offsets).collect()
}

/// Begins the files of every table and part, so that a part without records has its file too.
fn begin_tables(work: &Write, staging: &mut Staging) -> Result<(), EngineError> {
    let none = RecordBatch::new_empty(rendered_schema(&work.dataset));
    for table in &work.tables {
        for part in &work.dataset.split.parts {
            let rows = table.empty(&work.dataset, &none);
            staging.training(&table.table.name, part, &rows).map_err(EngineError::written)?;
        }
    }
    Ok(())
}

/// What only the second pass knows: how much personal data was replaced, and where.
fn complete(dataset: &Dataset, outcome: &mut Outcome, found: &[Vec<u64>], changed: &BTreeMap<usize, u64>) {
    for ((step, column, kinds), counts) in redacted(dataset).into_iter().zip(found) {
        for (kind, found) in kinds.into_iter().zip(counts) {
            let column = dataset.columns[column.0 as usize].name.clone();
            outcome.personal.push(PersonalFound { step, column, kind: kind.to_owned(), found: *found });
        }
    }
    for step in &mut outcome.steps {
        if let StepOutcomeKind::Step(at) = step.kind
            && let Some(count) = changed.get(&at)
        {
            step.changed = *count;
        }
    }
}

/// The audit and the quarantine.
fn stage_lists(resolved: &Resolved<'_>, staging: &mut Staging) -> Result<(), EngineError> {
    for first in (0..resolved.narrow.len()).step_by(AUDIT_ROWS) {
        let rows = first..resolved.narrow.len().min(first + AUDIT_ROWS);
        let audit: Vec<_> = rows.clone().map(|row| resolved.audit_row(row)).collect();
        staging.audit(&audit).map_err(EngineError::written)?;
        let quarantine: Vec<_> = rows.filter_map(|row| resolved.quarantine_row(row)).collect();
        staging.quarantine(&quarantine).map_err(EngineError::written)?;
    }
    Ok(())
}
