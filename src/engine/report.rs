//! The outcome and the rows of the audit and the quarantine, from what was resolved.

use std::collections::BTreeMap;

use super::EngineError;
use super::assign::Parts;
use super::narrow::Narrow;
use super::outcome::{
    AuditRow, FileOutcome, LabelOutcome, MissingRecord, Outcome, PartOutcome, QuarantineRow, SourceOutcome,
    StepOutcome, Verdict,
};
use super::read::{Survey, file_and_offset};
use super::resolve::{Fates, Stage};
use crate::hir::{Dataset, Program, SourceId, SplitRule, StepKind};
use crate::label::LabelTables;

/// What the two passes know between them.
pub struct Resolved<'r> {
    /// The program.
    pub program: &'r Program,
    /// The data set.
    pub dataset: &'r Dataset,
    /// The files.
    pub survey: &'r Survey,
    /// The rows.
    pub narrow: &'r Narrow,
    /// Their fates.
    pub fates: &'r Fates,
    /// Their parts.
    pub parts: &'r Parts,
    /// The labels' values.
    pub tables: &'r LabelTables,
}

impl<'r> Resolved<'r> {
    fn file(&self, row: usize) -> usize {
        file_and_offset(self.narrow.location[row]).0
    }

    fn source(&self, row: usize) -> SourceId {
        self.survey.files[self.file(row)].source
    }

    /// The name of a row's file.
    pub fn file_name(&self, row: usize) -> &'r str {
        &self.survey.files[self.file(row)].file.name
    }

    fn rule(&self, stage: Stage) -> (&'r str, Option<u32>) {
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
    fn place(&self, stage: Stage) -> u32 {
        match stage {
            Stage::Read => 0,
            Stage::Step(at) => at + 1,
            Stage::Split => self.dataset.steps.len() as u32 + 1,
        }
    }

    /// The row's line in the audit.
    pub fn audit_row(&self, row: usize) -> AuditRow<'r> {
        let fate = self.fates.fates[row];
        let (rule, rule_line) = fate.stage().map(|stage| self.rule(stage)).unzip();
        let duplicate_of = self.fates.duplicate_of.get(&(row as u32));
        AuditRow {
            id: self.fates.ids[row],
            source: &self.program[self.source(row)].name,
            file: self.file_name(row),
            line: self.narrow.line[row],
            verdict: fate.verdict(),
            rule,
            rule_line: rule_line.flatten(),
            step: fate.stage().map(|stage| self.place(stage)),
            duplicate_of: duplicate_of.map(|&of| self.fates.ids[of as usize]),
            split: self.parts[row].map(|part| self.dataset.split.parts[usize::from(part)].as_str()),
        }
    }

    /// The row's line in the quarantine, when it is there.
    pub fn quarantine_row(&self, row: usize) -> Option<QuarantineRow<'r>> {
        let error = self.fates.errors.get(&(row as u32))?;
        let (_, offset) = file_and_offset(self.narrow.location[row]);
        let AuditRow { id, source, file, line, .. } = self.audit_row(row);
        Some(QuarantineRow { id, source, file, line, offset, error })
    }

    /// All that is known before anything is written; `personal` is yet empty.
    ///
    /// # Errors
    /// [`EngineError::Sums`] where records vanished.
    pub fn outcome(&self, certificate: super::outcome::Certificate) -> Result<Outcome, EngineError> {
        let steps = self.fates.steps.clone();
        let labels = self.labels();
        let parts = self.parts(&labels);
        check_sums(&steps, parts.iter().map(|part| part.records).sum(), self.narrow.len() as u64)?;
        Ok(Outcome {
            dataset: self.dataset.name.clone(),
            sources: sources(self.program, self.dataset, self.survey, &self.rows_by_file()),
            steps,
            parts,
            personal: Vec::new(),
            certificate,
            violations: Vec::new(),
            missing: self.missing(&labels),
            labels: labels.into_iter().map(|(_, label)| label).collect(),
        })
    }

    fn rows_by_file(&self) -> Vec<u64> {
        let mut rows = vec![0; self.survey.files.len()];
        (0..self.narrow.len()).for_each(|row| rows[self.file(row)] += 1);
        rows
    }

    /// Each label with the step that gives it its value; columns in the data set's order.
    fn labels(&self) -> Vec<(usize, LabelOutcome)> {
        let mut labels = BTreeMap::new();
        for (at, step) in self.dataset.steps.iter().enumerate() {
            let StepKind::Label { column, label, .. } = step.kind else { continue };
            let table = self.tables.get(label).expect("every label of the data set has its table");
            let described = LabelOutcome {
                label,
                name: self.program[label].name.clone(),
                column: self.dataset.columns[column.0 as usize].name.clone(),
                values: table.values().iter().map(|value| value.name.clone()).collect(),
                found: table.is_found(),
            };
            labels.insert(column, (at, described));
        }
        labels.into_values().collect()
    }

    /// A row's value of a label, as a position in its values.
    fn label_value(&self, step: usize, label: &LabelOutcome, row: usize) -> Option<usize> {
        let raw = self.narrow.labels.get(&step)?.value(row)?;
        let table = self.tables.get(label.label)?;
        table.position(raw).map(|at| at as usize)
    }

    fn parts(&self, labels: &[(usize, LabelOutcome)]) -> Vec<PartOutcome> {
        let empty = |name: &String| PartOutcome {
            name: name.clone(),
            records: 0,
            labels: labels.iter().map(|(_, label)| vec![0; label.values.len()]).collect(),
        };
        let mut parts: Vec<PartOutcome> = self.dataset.split.parts.iter().map(empty).collect();
        for (row, part) in self.parts.iter().enumerate() {
            let Some(part) = part.map(|part| &mut parts[usize::from(part)]) else { continue };
            part.records += 1;
            for ((step, label), counts) in labels.iter().zip(&mut part.labels) {
                if let Some(value) = self.label_value(*step, label, row) {
                    counts[value] += 1;
                }
            }
        }
        parts
    }

    /// The part that a row would be in had nothing taken it out: known of fixed parts, and of a field that names any
    /// part but the one that is trained on.
    fn lost_part(&self, row: usize) -> Option<usize> {
        match &self.dataset.split.rule {
            SplitRule::AllTrain => None,
            SplitRule::ByField(_) => {
                let name = self.narrow.part.as_ref()?.value(row)?;
                let part = self.dataset.split.parts.iter().position(|part| part == name)?;
                (name != "train").then_some(part)
            }
            SplitRule::Shares { fixed, .. } => {
                let source = self.source(row);
                fixed.iter().find(|part| part.sources.contains(&source)).map(|part| part.part)
            }
        }
    }

    fn missing(&self, labels: &[(usize, LabelOutcome)]) -> Vec<MissingRecord> {
        let mut missing = Vec::new();
        for (row, fate) in self.fates.fates.iter().enumerate() {
            let Some(stage) = fate.stage() else { continue };
            let Some(part) = self.lost_part(row) else { continue };
            let gold = |(step, label): &(usize, LabelOutcome)| {
                self.label_value(*step, label, row).map(|value| label.values[value].clone())
            };
            missing.push(MissingRecord {
                id: self.fates.ids[row],
                source: self.program[self.source(row)].name.clone(),
                file: self.file_name(row).to_owned(),
                line: self.narrow.line[row],
                part,
                verdict: fate.verdict(),
                rule: self.rule(stage).0.to_owned(),
                gold: labels.iter().map(gold).collect(),
            });
        }
        missing
    }
}

/// The sources of a data set with their files; `rows` are the numbers of records, by file.
pub fn sources(program: &Program, dataset: &Dataset, survey: &Survey, rows: &[u64]) -> Vec<SourceOutcome> {
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
    let of = |id: &SourceId| SourceOutcome {
        name: program[*id].name.clone(),
        files: (0..survey.files.len()).filter(|&at| survey.files[at].source == *id).map(file).collect(),
        license: program[*id].license.clone(),
    };
    dataset.sources.iter().map(of).collect()
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
