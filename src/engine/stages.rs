//! The stages of a build that run plans.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arrow::array::{AsArray, RecordBatch};
use datafusion::logical_expr::LogicalPlan;

use super::EngineError;
use super::build::{Decided, Destination, Progress, Stage};
use super::lost::Lost;
use super::narrow::Narrow;
use super::outcome::{LabelOutcome, Outcome, PersonalFound, StepOutcomeKind};
use super::passes::{Batches, Workers, scan};
use super::read::table::ERROR;
use super::read::{ChunkTable, Keep, Survey};
use super::report::{Lives, Resolved};
use super::spool::Budget;
use super::stage::{Beside, MeasureTable, Reuse, Stages, Wanted};
use super::training::TableWriter;
use super::write::{Emission, Write, redacted, rendered_schema};
use crate::emit::{self, EmitError, Finished, Renderer, Staging, Stamp, TrainingRenderer};
use crate::hir::{Choices, Column, Dataset, Expr, LabelSchema, LabelValues, Program, SourceId, Spans, StepKind};
use crate::label::{LabelTable, LabelTables};
use crate::plan::labels::FoundField;
use crate::plan::normal;
use crate::plan::stage::{Cutting, Measures, measure_pass, verdict_pass};
use crate::plan::{Chain, Cuts, Prepared, column_name, first_pass, second_pass};

/// Rows of the audit that are handed over at once.
const AUDIT_ROWS: usize = 16_384;

/// A build under way.
pub(super) struct Build<'b> {
    pub(super) program: &'b Program,
    pub(super) dataset: &'b Dataset,
    pub(super) survey: &'b Survey,
    pub(super) table: ChunkTable,
    pub(super) workers: Workers,
    pub(super) budget: Arc<Budget>,
    pub(super) prepared: Prepared,
    pub(super) progress: &'b mut dyn FnMut(Progress),
    /// Where what the first pass measures is kept.
    pub(super) stages: Option<Stages>,
    /// How much of the first pass was there already, as far as it is done.
    pub(super) reuse: Reuse,
}

impl Build<'_> {
    /// The first pass over a data set: the whole one, or its first steps. `measures` says what of it is kept; with it comes
    /// the table of what was measured.
    pub(super) fn decide(
        &mut self,
        dataset: &Dataset,
        measures: Option<&Measures>,
    ) -> Result<(Narrow, Option<MeasureTable>), EngineError> {
        let (plan, table) = self.first_pass(dataset, measures)?;
        let mut narrow = Narrow::new(self.program, dataset, &self.budget);
        let (survey, progress) = (self.survey, &mut *self.progress);
        let reckoning = Reckoning::of(survey, Stage::Decide);
        self.workers.run(&plan, Arc::new(Batches), &mut |chunk, batches| {
            batches.iter().try_for_each(|batch| narrow.push(batch, |file| survey.files[file].source))?;
            progress(reckoning.at(chunk));
            Ok(())
        })?;
        Ok((narrow, table))
    }

    /// The plan of the first pass: over the measures that are kept, with the table that keeps them, or over the records.
    fn first_pass(
        &self,
        dataset: &Dataset,
        measures: Option<&Measures>,
    ) -> Result<(LogicalPlan, Option<MeasureTable>), EngineError> {
        let program = self.program;
        let records = scan(Arc::new(self.table.clone()))?;
        let Some((stages, measures)) = self.stages.as_ref().zip(measures) else {
            return Ok((first_pass(program, dataset, &self.prepared, records)?, None));
        };
        let plan = measure_pass(program, dataset, measures, &self.prepared, records)?;
        let measuring = self.workers.physical(&plan)?;
        let beside = self.cut_from(dataset);
        let wanted = Wanted { program, dataset, survey: self.survey, measures, beside: &beside };
        let table = MeasureTable::new(stages, &wanted, measuring);
        let plan = verdict_pass(program, dataset, measures, scan(Arc::new(table.clone()))?)?;
        Ok((plan, Some(table)))
    }

    /// What is measured of the data set where that may be kept; where it may not, nothing of it is.
    pub(super) fn measures(&mut self) -> Option<Measures> {
        self.stages.as_ref()?;
        let measures = Measures::of(self.program, self.dataset, &self.prepared.against);
        let Some(why) = measures.withheld() else { return Some(measures) };
        self.reuse.withheld = Some(why.to_owned());
        self.stages = None;
        None
    }

    /// What the chunks of a data set, which may be the first steps of this one, depend on: what its steps cut out.
    pub(super) fn cut_from(&self, dataset: &Dataset) -> Beside {
        let cuts = (0..dataset.steps.len()).filter(|at| Cutting::of(&dataset.steps[*at]).is_some());
        let cuts: Vec<&Cuts> = cuts.filter_map(|at| self.prepared.cuts.get(&at).map(Arc::as_ref)).collect();
        Beside::cut(self.survey, &cuts)
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
            let table = match &self.program[label].schema {
                LabelSchema::Choice(LabelValues::Listed(values))
                | LabelSchema::Choices(Choices { values, .. })
                | LabelSchema::Spans(Spans { values, .. }) => LabelTable::new(label, values.clone(), false),
                LabelSchema::Choice(LabelValues::Found { source, .. }) => {
                    let found = narrow.found.iter().find(|(field, _)| field.label == label);
                    let (field, values) = found.expect("the first pass looks for every label that is found");
                    let values = match elsewhere.get(source) {
                        Some(survey) => self.found_elsewhere(field, survey, cancel)?,
                        None => values.iter().cloned().collect(),
                    };
                    LabelTable::from_found(label, values)
                }
                // Numbers and truth values have no names.
                LabelSchema::Scalar(_) => continue,
                LabelSchema::Declared(_) => unreachable!("a checked program uses no label that is only declared"),
            };
            tables.push(table);
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
        decided: &Arc<Decided>,
        outcome: &mut Outcome,
        destination: &Destination,
    ) -> Result<Finished, EngineError> {
        let dataset = self.dataset;
        let mut staging = Staging::create(&destination.out, self.program, dataset, &rendered_schema(dataset))
            .map_err(EngineError::written)?;
        let (work, plan) = self.second_pass(decided, destination)?;
        begin_tables(&work, &mut staging)?;
        let mut found: Vec<Vec<u64>> = redacted(dataset).iter().map(|(.., kinds)| vec![0; kinds.len()]).collect();
        let mut changed: BTreeMap<usize, u64> = BTreeMap::new();
        let mut lists = Lists::begin(self.resolved(decided), &outcome.labels)?;
        let reckoning = Reckoning::of(self.survey, Stage::Write);
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
                piece.measured.iter().for_each(|(part, measured)| staging.measured(*part, measured));
                let sums = found.iter_mut().flatten().zip(piece.found.iter().flatten());
                sums.for_each(|(sum, count)| *sum += count);
                changed_here.into_iter().for_each(|(step, count)| *changed.entry(step).or_default() += count);
            }
            if let Some(chunk) = survey.chunks.get(chunk) {
                lists.stage_up_to(decided.narrow.rows_of(chunk)?.end, &mut staging)?;
            }
            progress(reckoning.at(chunk));
            Ok(())
        })?;
        lists.stage_up_to(decided.narrow.len(), &mut staging)?;
        complete(dataset, outcome, &found, &changed);
        let texts = self.sample_texts(staging.samples())?;
        staging.sample_texts(texts);
        let fingerprint = emit::fingerprint(self.program, dataset, &outcome.sources);
        let stamp = Stamp {
            spec: normal::declaration(self.program, dataset),
            declared: normal::parts(self.program, dataset),
            fingerprint,
        };
        staging.finish(self.program, dataset, outcome, &stamp).map_err(EngineError::written)
    }

    fn second_pass(
        &self,
        decided: &Arc<Decided>,
        destination: &Destination,
    ) -> Result<(Write, LogicalPlan), EngineError> {
        let (program, dataset, tables) = (self.program, self.dataset, &decided.tables);
        let renderer = |output| Renderer::new(program, dataset, output, tables).map_err(EngineError::written);
        let renderers = dataset.outputs.iter().map(renderer).collect::<Result<_, _>>()?;
        let (mut writers, mut extras) = (Vec::new(), Vec::<&Expr>::new());
        for table in &destination.training {
            let messages = table.messages.map(|id| TrainingRenderer::new(program, dataset, id, tables));
            let messages = messages.transpose().map_err(EngineError::written)?;
            writers.push(TableWriter { table: table.clone(), messages, first_extra: extras.len() });
            extras.extend(table.slices.iter().map(|slice| &slice.value));
        }
        let emission = Arc::new(Emission(Arc::clone(decided)));
        let table = self.table.keeping(Arc::clone(&emission) as Arc<dyn Keep>);
        let plan = second_pass(dataset, &self.prepared, &extras, scan(Arc::new(table))?)?;
        let work = Write {
            dataset: Arc::new(dataset.clone()),
            renderers,
            tables: writers,
            measures: emit::statistics::measures(program, dataset),
            extras: extras.len(),
            emission,
            chunks: self.survey.chunks.clone(),
            files: self.survey.files.iter().map(|file| file.file.name.clone()).collect(),
        };
        Ok((work, plan))
    }
}

impl EngineError {
    pub(super) fn written(error: EmitError) -> Self {
        EngineError::Write(Box::new(error))
    }
}

/// How far a stage has come, chunk by chunk.
pub(super) struct Reckoning<'s> {
    survey: &'s Survey,
    stage: Stage,
    /// The bytes of the files before each file, and of all.
    before: Vec<u64>,
}

impl<'s> Reckoning<'s> {
    pub(super) fn of(survey: &'s Survey, stage: Stage) -> Self {
        let mut before = vec![0];
        before.extend(survey.files.iter().scan(0, |sum, file| {
            *sum += file.bytes;
            Some(*sum)
        }));
        Self { survey, stage, before }
    }

    /// Once this chunk is done.
    pub(super) fn at(&self, chunk: usize) -> Progress {
        let total = self.before[self.survey.files.len()];
        let share = |file: usize, end: u64| {
            let file = &self.survey.files[file];
            (u128::from(file.bytes) * u128::from(end) / u128::from(file.extent.max(1))) as u64
        };
        let chunk = self.survey.chunks.get(chunk);
        let done = chunk.map_or(total, |chunk| self.before[chunk.file] + share(chunk.file, chunk.end));
        Progress { stage: self.stage, done, total }
    }
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

/// The audit, the quarantine, and what fixed parts lost. They are written while the workers render, each row behind the records
/// of its chunk.
struct Lists<'r> {
    resolved: Resolved<'r>,
    labels: &'r [LabelOutcome],
    lives: Lives<'r>,
    lost: Lost<'r>,
    /// The rows that are written.
    done: u64,
}

impl<'r> Lists<'r> {
    fn begin(resolved: Resolved<'r>, labels: &'r [LabelOutcome]) -> Result<Self, EngineError> {
        Ok(Self { resolved, labels, lives: resolved.lives()?, lost: Lost::new(resolved, labels)?, done: 0 })
    }

    /// Writes the rows up to this one.
    fn stage_up_to(&mut self, end: u64, staging: &mut Staging) -> Result<(), EngineError> {
        while self.done < end {
            let rows = (end - self.done).min(AUDIT_ROWS as u64);
            self.done += rows;
            let some = self.lives.by_ref().take(rows as usize).collect::<Result<Vec<_>, _>>()?;
            let audit: Vec<_> = some.iter().map(|life| self.resolved.audit_row(life)).collect();
            staging.audit(&audit).map_err(EngineError::written)?;
            let quarantine: Vec<_> = some.iter().filter_map(|life| self.resolved.quarantine_row(life)).collect();
            staging.quarantine(&quarantine).map_err(EngineError::written)?;
            let missing = some.iter().filter_map(|life| self.lost.record(life).transpose());
            let missing = missing.collect::<Result<Vec<_>, _>>()?;
            staging.missing(self.resolved.dataset, self.labels, &missing).map_err(EngineError::written)?;
        }
        Ok(())
    }
}
