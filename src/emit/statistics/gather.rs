//! What a build gathers for the statistics while it writes: the measures of the emitted records, and the first records
//! that each rule took out. It takes the same memory for any number of records.

use super::involved::{ever_personal, involved};
use super::{ErrorEntry, PartStatistics, SampleEntry, Statistics, TakenEntry};
use crate::emit::manifest::Manifest;
use crate::emit::named::Named;
use crate::engine::{AuditRow, QuarantineRow};
use crate::hir::{Dataset, Program, Type};
use crate::statistics::{Measure, Measured};

/// Records that are shown of each rule.
const SAMPLES: usize = 5;
/// Reasons for the quarantine that are told apart.
const ERRORS: usize = 100;
/// What the others are told as.
const OTHER: &str = "other reasons";

/// How a column of the emitted records is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnMeasure {
    /// Its place among the columns that are rendered: the id first, then those that no label hides.
    pub place: usize,
    /// Its name.
    pub name: String,
    /// How.
    pub measure: Measure,
}

/// A record that stands for those that a rule took out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sampled {
    /// The rule as the audit names it.
    pub rule: String,
    /// The rule's place among the steps that are counted.
    pub place: u32,
    /// Where the record is read.
    pub location: u64,
    id: String,
    source: String,
    file: String,
    line: u64,
    duplicate_of: Option<String>,
}

/// What was gathered so far.
#[derive(Debug)]
pub(in crate::emit) struct Gathered {
    measures: Vec<ColumnMeasure>,
    /// The measures of each part's columns.
    parts: Vec<Vec<Measured>>,
    samples: Vec<Sampled>,
    /// What is shown of each sample.
    texts: Vec<Named<String>>,
    errors: Vec<ErrorEntry>,
}

/// How the emitted columns of a data set are measured: all but labels whose values have names, and what labels hide. A column that is or ever was
/// personal, or that tells records apart, gives lengths and no values.
pub fn measures(program: &Program, dataset: &Dataset) -> Vec<ColumnMeasure> {
    let ever = ever_personal(program, dataset, dataset.steps.len());
    let visible = dataset.columns.iter().zip(ever).filter(|(column, _)| !column.hidden).enumerate();
    let measured = visible.filter(|(_, (column, _))| !matches!(column.ty.ty, Type::Label(_)));
    measured
        .map(|(at, (column, personal))| ColumnMeasure {
            place: at + 1,
            name: column.name.clone(),
            measure: measure(&column.ty.ty, personal || column.key || column.group),
        })
        .collect()
}

fn measure(ty: &Type, withheld: bool) -> Measure {
    match ty {
        Type::String if withheld => Measure::Lengths,
        Type::String => Measure::Text,
        Type::List(_) => Measure::Items,
        Type::Int | Type::Float | Type::Bool | Type::Date | Type::Timestamp if withheld => Measure::Presence,
        Type::Int | Type::Float => Measure::Numbers,
        Type::Bool => Measure::Flags,
        Type::Date | Type::Timestamp => Measure::Years,
        Type::Record(_) | Type::Label(_) => Measure::Presence,
    }
}

impl Gathered {
    pub(in crate::emit) fn new(program: &Program, dataset: &Dataset) -> Self {
        let measures = measures(program, dataset);
        let nothing = || measures.iter().map(|column| column.measure.nothing()).collect();
        Self {
            parts: dataset.split.parts.iter().map(|_| nothing()).collect(),
            measures,
            samples: Vec::new(),
            texts: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// Adds what was measured of records of a part.
    pub(in crate::emit) fn measured(&mut self, part: usize, measured: &[Measured]) {
        self.parts[part].iter_mut().zip(measured).for_each(|(sum, more)| sum.merge(more));
    }

    /// Looks at rows of the audit, which come in order of location.
    pub(in crate::emit) fn audited(&mut self, rows: &[AuditRow<'_>]) {
        for row in rows {
            let (Some(rule), Some(place)) = (row.rule, row.step) else { continue };
            let same = |sample: &&Sampled| sample.place == place;
            if self.samples.iter().filter(same).count() < SAMPLES {
                self.samples.push(Sampled {
                    rule: rule.to_owned(),
                    place,
                    location: row.location,
                    id: row.id.to_string(),
                    source: row.source.to_owned(),
                    file: row.file.to_owned(),
                    line: row.line,
                    duplicate_of: row.duplicate_of.map(|id| id.to_string()),
                });
            }
        }
    }

    /// Looks at rows of the quarantine, which come in order of location.
    pub(in crate::emit) fn quarantined(&mut self, rows: &[QuarantineRow<'_>]) {
        for row in rows {
            let known = self.errors.iter().position(|entry| entry.error == row.error);
            let at = known.or_else(|| self.errors.iter().position(|entry| entry.error == OTHER)).unwrap_or_else(|| {
                let error = if self.errors.len() < ERRORS { row.error } else { OTHER };
                self.errors.push(ErrorEntry { error: error.to_owned(), records: 0, samples: Vec::new() });
                self.errors.len() - 1
            });
            let entry = &mut self.errors[at];
            entry.records += 1;
            if entry.samples.len() < SAMPLES {
                entry.samples.push(SampleEntry {
                    id: row.id.to_string(),
                    source: row.source.to_owned(),
                    file: row.file.to_owned(),
                    line: row.line,
                    duplicate_of: None,
                    text: Named::default(),
                });
            }
        }
    }

    /// The records that stand for those that were taken out.
    pub(in crate::emit) fn samples(&self) -> &[Sampled] {
        &self.samples
    }

    /// Adds what is shown of each of them.
    pub(in crate::emit) fn texts(&mut self, texts: Vec<Named<String>>) {
        self.texts = texts;
    }

    /// All but the duplicates, of a data set whose steps and parts the manifest has.
    pub(in crate::emit) fn finish(mut self, program: &Program, dataset: &Dataset, manifest: &Manifest) -> Statistics {
        self.errors.sort_by(|a, b| b.records.cmp(&a.records).then_with(|| a.error.cmp(&b.error)));
        self.texts.resize(self.samples.len(), Named::default());
        let part = |((name, entry), columns): ((&str, &crate::emit::manifest::SplitEntry), Vec<Measured>)| {
            let columns = self.measures.iter().map(|column| column.name.clone()).zip(columns).collect();
            (name.to_owned(), PartStatistics { records: entry.records, columns })
        };
        let shown: Vec<(&Sampled, Named<String>)> = self.samples.iter().zip(self.texts).collect();
        Statistics {
            dataset: dataset.name.clone(),
            description: dataset.doc.clone(),
            parts: manifest.splits.iter().zip(self.parts).map(part).collect(),
            taken: taken(program, dataset, manifest, &shown),
            errors: self.errors,
            ..Statistics::default()
        }
    }
}

/// The rules that took records out.
fn taken(
    program: &Program,
    dataset: &Dataset,
    manifest: &Manifest,
    samples: &[(&Sampled, Named<String>)],
) -> Vec<TakenEntry> {
    let name = |id: &crate::hir::ColumnId| dataset.columns[id.0 as usize].name.clone();
    let took = (0_u32..).zip(&manifest.steps).filter(|(_, step)| step.dropped + step.quarantined > 0);
    took.map(|(place, step)| {
        // Reading stands before the steps, the split behind them.
        let position = place.checked_sub(1).map(|at| at as usize).filter(|at| *at < dataset.steps.len());
        let looked = position.map(|at| involved(program, dataset, at));
        let of_rule = |sample: &&(&Sampled, Named<String>)| sample.0.place == place;
        TakenEntry {
            step: step.step.clone(),
            rule: step.rule.clone(),
            place,
            dropped: step.dropped,
            quarantined: step.quarantined,
            withheld: looked.iter().flat_map(|looked| &looked.withheld).map(name).collect(),
            samples: samples.iter().filter(of_rule).map(|(sample, text)| sample_entry(sample, text)).collect(),
        }
    })
    .collect()
}

fn sample_entry(sample: &Sampled, text: &Named<String>) -> SampleEntry {
    SampleEntry {
        id: sample.id.clone(),
        source: sample.source.clone(),
        file: sample.file.clone(),
        line: sample.line,
        duplicate_of: sample.duplicate_of.clone(),
        text: text.clone(),
    }
}
