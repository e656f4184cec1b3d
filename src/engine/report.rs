//! The outcome and the rows of the audit and the quarantine, from what was resolved.

use std::collections::BTreeMap;
use std::ops::Range;

use super::EngineError;
use super::build::Decided;
use super::lost::Values;
use super::narrow::{Note, Row};
use super::outcome::{
    AuditRow, FileOutcome, LabelOutcome, Outcome, PartOutcome, Place, QuarantineRow, RecordId, SourceOutcome,
    SourceUse, StepOutcome, Verdict,
};
use super::read::{Survey, file_and_offset};
use super::require::check_rules;
use super::resolve::{Fate, Layers, Repeat, Stage};
use super::spool::Reader;
use crate::hir::{Dataset, LabelForm, Program, SourceId, StepKind};
use crate::label::kept::read_kept;

/// What the two passes know between them.
#[derive(Debug, Clone, Copy)]
pub struct Resolved<'r> {
    /// The program.
    pub program: &'r Program,
    /// The data set.
    pub dataset: &'r Dataset,
    /// The files.
    pub survey: &'r Survey,
    /// What was decided of every record.
    pub(super) decided: &'r Decided,
}

/// All that is known of a record but its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    /// Its row.
    pub row: Row,
    /// Where it begins.
    pub location: u64,
    /// Its 1-based line.
    pub line: u64,
    /// Its identity.
    pub id: RecordId,
    /// What became of it.
    pub fate: Fate,
    /// Its part.
    pub part: Option<u16>,
    /// The record that it repeats.
    pub repeats: Option<Repeat>,
    /// What is wrong with it.
    pub error: Option<String>,
}

/// The lives of records in order of their rows.
pub struct Lives<'r> {
    rows: Range<Row>,
    location: Reader<'r, u64>,
    line: Reader<'r, u64>,
    ids: Reader<'r, RecordId>,
    fates: Reader<'r, Fate>,
    parts: Reader<'r, Option<u16>>,
    repeats: Layers<'r, Repeat>,
    errors: Layers<'r, Note>,
}

impl Lives<'_> {
    fn read(&mut self, row: Row) -> Result<Life, EngineError> {
        const EACH: &str = "every column has a value for each row";
        Ok(Life {
            row,
            location: self.location.next().expect(EACH)?,
            line: self.line.next().expect(EACH)?,
            id: self.ids.next().expect(EACH)?,
            fate: self.fates.next().expect(EACH)?,
            part: self.parts.next().expect(EACH)?,
            repeats: self.repeats.at(row)?,
            error: self.errors.at(row)?.map(|note| note.text),
        })
    }
}

impl Iterator for Lives<'_> {
    type Item = Result<Life, EngineError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rows.next().map(|row| self.read(row))
    }
}

impl<'r> Resolved<'r> {
    /// All records.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn lives(&self) -> Result<Lives<'r>, EngineError> {
        self.lives_of(0..self.decided.narrow.len())
    }

    /// The records of these rows.
    fn lives_of(&self, rows: Range<Row>) -> Result<Lives<'r>, EngineError> {
        let Decided { narrow, fates, parts, .. } = self.decided;
        let first = rows.start;
        Ok(Lives {
            rows,
            location: narrow.location.iter_from(first)?,
            line: narrow.line.iter_from(first)?,
            ids: fates.ids.iter_from(first)?,
            fates: fates.fates.iter_from(first)?,
            parts: parts.iter_from(first)?,
            repeats: fates.repeats()?,
            errors: fates.errors()?,
        })
    }

    /// One record.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn life(&self, row: Row) -> Result<Life, EngineError> {
        self.lives_of(row..row + 1)?.read(row)
    }

    /// Where a record was read.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn place(&self, row: Row) -> Result<Place, EngineError> {
        let life = self.life(row)?;
        Ok(Place { id: life.id, file: self.file_name(&life).to_owned(), line: life.line })
    }

    pub(super) fn source(&self, location: u64) -> SourceId {
        self.survey.files[file_and_offset(location).0].source
    }

    /// The name of a record's source.
    pub fn source_name(&self, life: &Life) -> &'r str {
        &self.program[self.source(life.location)].name
    }

    /// The name of a record's file.
    pub fn file_name(&self, life: &Life) -> &'r str {
        &self.survey.files[file_and_offset(life.location).0].file.name
    }

    pub(super) fn rule(&self, stage: Stage) -> (&'r str, Option<u32>) {
        match stage {
            Stage::Read => ("read", None),
            Stage::Split => ("split", None),
            Stage::Step(at) => {
                let step = &self.dataset.steps[at as usize];
                (&step.rule, Some(step.line))
            }
        }
    }

    /// The place of a stage among the steps that are counted.
    fn step(&self, stage: Stage) -> u32 {
        match stage {
            Stage::Read => 0,
            Stage::Step(at) => at + 1,
            Stage::Split => self.dataset.steps.len() as u32 + 1,
        }
    }

    /// A record's line in the audit.
    pub fn audit_row(&self, life: &Life) -> AuditRow<'r> {
        let (rule, rule_line) = life.fate.stage().map(|stage| self.rule(stage)).unzip();
        AuditRow {
            id: life.id,
            source: self.source_name(life),
            file: self.file_name(life),
            line: life.line,
            location: life.location,
            verdict: life.fate.verdict(),
            rule,
            rule_line: rule_line.flatten(),
            step: life.fate.stage().map(|stage| self.step(stage)),
            duplicate_of: life.repeats.map(|repeat| repeat.id),
            similarity: life.repeats.and_then(|repeat| repeat.similarity()),
            split: life.part.map(|part| self.dataset.split.parts[usize::from(part)].as_str()),
            copies: life.part.map(|part| self.decided.copies.count(life.location, life.id, part)),
            cut_bytes: Some(self.decided.cuts.iter().map(|cuts| cuts.bytes(life.location)).sum())
                .filter(|sum| *sum > 0),
        }
    }

    /// A record's line in the quarantine, when it is there.
    pub fn quarantine_row<'l>(&self, life: &'l Life) -> Option<QuarantineRow<'l>>
    where
        'r: 'l,
    {
        let error = life.error.as_deref()?;
        let (_, offset) = file_and_offset(life.location);
        let AuditRow { id, source, file, line, .. } = self.audit_row(life);
        Some(QuarantineRow { id, source, file, line, offset, error })
    }

    /// All that is known before anything is written; `personal` is yet empty.
    ///
    /// # Errors
    /// [`EngineError::Sums`] where records vanished, or a file that cannot be read.
    pub fn outcome(&self) -> Result<Outcome, EngineError> {
        let steps = self.decided.fates.steps.clone();
        let labels: Vec<LabelOutcome> = self.labels().into_iter().map(|(_, label)| label).collect();
        let (parts, rows) = self.count(&labels)?;
        check_sums(&steps, parts.iter().map(|part| part.records).sum(), self.decided.narrow.len())?;
        Ok(Outcome {
            dataset: self.dataset.name.clone(),
            sources: sources(self.program, self.dataset, self.survey, &rows),
            steps,
            parts,
            personal: Vec::new(),
            certificate: self.decided.certificate.clone(),
            violations: check_rules(self)?,
            labels,
        })
    }

    /// The parts with their numbers of records and of each label's values, and the rows of each file.
    fn count(&self, labels: &[LabelOutcome]) -> Result<(Vec<PartOutcome>, Vec<u64>), EngineError> {
        let Decided { narrow, parts: assigned, fates, copies, .. } = self.decided;
        let empty = |name: &String| PartOutcome {
            name: name.clone(),
            records: 0,
            copies: 0,
            labels: labels.iter().map(|label| vec![0; label.values.len()]).collect(),
        };
        let mut parts: Vec<PartOutcome> = self.dataset.split.parts.iter().map(empty).collect();
        let mut rows = vec![0; self.survey.files.len()];
        let mut values = self.label_values()?;
        let all = (0..).zip(assigned.iter()?).zip(narrow.location.iter()?).zip(fates.ids.iter()?);
        for (((row, part), location), id) in all {
            let (location, id) = (location?, id?);
            rows[file_and_offset(location).0] += 1;
            let Some(at) = part? else { continue };
            let part = &mut parts[usize::from(at)];
            part.records += 1;
            part.copies += u64::from(copies.count(location, id, at) - 1);
            for (values, counts) in values.iter_mut().zip(&mut part.labels) {
                for value in values.at(row)?.into_iter().flatten() {
                    counts[*value] += 1;
                }
            }
        }
        Ok((parts, rows))
    }

    /// Each label whose values have names, with the step that gives it its value; columns in the data set's order.
    fn labels(&self) -> Vec<(usize, LabelOutcome)> {
        let mut labels = BTreeMap::new();
        for (at, step) in self.dataset.steps.iter().enumerate() {
            let StepKind::Label { column, label, form, .. } = &step.kind else { continue };
            let (column, label) = (*column, *label);
            // Numbers and truth values are measured as fields are.
            let Some(table) = self.decided.tables.get(label) else { continue };
            let described = LabelOutcome {
                label,
                name: self.program[label].name.clone(),
                column: self.dataset.columns[column.0 as usize].name.clone(),
                values: table.values().iter().map(|value| value.name.clone()).collect(),
                found: table.is_found(),
                several: *form != LabelForm::One,
            };
            labels.insert(column, (at, described));
        }
        labels.into_values().collect()
    }

    /// The rows' values of each label of the outcome.
    pub(super) fn label_values(&self) -> Result<Vec<Values<'r, Vec<usize>>>, EngineError> {
        let Decided { narrow, tables, .. } = self.decided;
        let values = |(step, label): (usize, LabelOutcome)| {
            let table = tables.get(label.label).expect("every label of the data set has its table");
            let position = |name: &str| table.position(name).map(|at| at as usize);
            let positions = |value: &String| match label.several {
                false => position(value).map(|at| vec![at]),
                true => read_kept(value).ok()?.iter().map(|name| position(name)).collect(),
            };
            Values::of(&narrow.labels[&step], positions)
        };
        self.labels().into_iter().map(values).collect()
    }
}

/// The sources of a data set with their files; `rows` are the numbers of records, by file.
pub fn sources(program: &Program, dataset: &Dataset, survey: &Survey, rows: &[u64]) -> Vec<SourceOutcome> {
    dataset.sources.iter().map(|id| source_outcome(program, *id, survey, rows)).collect()
}

/// A source with its files among those of a survey.
pub fn source_outcome(program: &Program, id: SourceId, survey: &Survey, rows: &[u64]) -> SourceOutcome {
    let file = |at: usize| {
        let surveyed = &survey.files[at];
        FileOutcome {
            path: surveyed.file.name.clone(),
            location: surveyed.file.location.clone(),
            blake3: surveyed.blake3.to_hex().to_string(),
            bytes: surveyed.bytes,
            records: rows.get(at).copied().unwrap_or(0),
        }
    };
    SourceOutcome {
        name: program[id].name.clone(),
        files: (0..survey.files.len()).filter(|&at| survey.files[at].source == id).map(file).collect(),
        license: program[id].license.clone(),
        used: SourceUse::Records,
    }
}

/// Nothing vanishes: in = out + dropped + quarantined for each step, each step begins where the last one ended, and the
/// last one's records are those of the parts.
fn check_sums(steps: &[StepOutcome], emitted: u64, rows: u64) -> Result<(), EngineError> {
    let mut expected = rows;
    for step in steps {
        let adds_up = step.records_in == step.records_out + step.dropped + step.quarantined;
        if !adds_up || step.records_in != expected {
            return Err(EngineError::Sums {
                rule: step.rule.clone(),
                records_in: step.records_in,
                records_out: step.records_out,
                dropped: step.dropped,
                quarantined: step.quarantined,
            });
        }
        expected = step.records_out;
    }
    if expected == emitted {
        return Ok(());
    }
    let of = |verdict| {
        let counted = |step: &StepOutcome| match verdict {
            Verdict::Kept => 0,
            Verdict::Dropped => step.dropped,
            Verdict::Quarantined => step.quarantined,
        };
        steps.iter().map(counted).sum()
    };
    Err(EngineError::Sums {
        rule: "split".to_owned(),
        records_in: rows,
        records_out: emitted,
        dropped: of(Verdict::Dropped),
        quarantined: of(Verdict::Quarantined),
    })
}
