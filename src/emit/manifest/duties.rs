//! What a data set owes: to the people whose data it may hold, and to those under whose licences it stands.

use serde::{Deserialize, Serialize};

use crate::emit::named::Named;
use crate::engine::Outcome;
use crate::hir::{self, StepKind};

/// What one licence of a source asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttributionEntry {
    /// The source.
    pub source: String,
    /// The SPDX identifier.
    pub license: String,
    /// What it asks for, in words.
    pub duty: String,
}

/// What was done about the personal data of a field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PersonalEntry {
    /// The field.
    pub field: String,
    /// The kinds that were looked for; of an allowed field, those that it is said to hold (none: any).
    pub kinds: Vec<String>,
    /// For each kind the places that were replaced in the emitted records.
    pub found: Named<u64>,
    /// Why it was allowed to stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

/// One entry for each licence that asks for something.
pub(super) fn attribution(program: &hir::Program, dataset: &hir::Dataset) -> Vec<AttributionEntry> {
    let entry = |credit: &hir::Credit| AttributionEntry {
        source: program[credit.source].name.clone(),
        license: credit.license.clone(),
        duty: credit.duty.to_owned(),
    };
    dataset.terms.iter().flat_map(|terms| &terms.credits).map(entry).collect()
}

/// One entry for each statement about personal data: redacted fields with what was replaced, allowed ones with the reason.
pub(super) fn personal(dataset: &hir::Dataset, outcome: &Outcome) -> Vec<PersonalEntry> {
    let entry = |statement: &hir::PersonalStatement| {
        let column = &dataset.columns[statement.column.0 as usize];
        let kinds: Vec<String> = match &statement.because {
            Some(_) => match &column.personal {
                Some(hir::Personal::Kinds(kinds)) => kinds.clone(),
                Some(hir::Personal::Any) | None => Vec::new(),
            },
            None => redacted_kinds(dataset, statement.column),
        };
        let found = |kind: &String| {
            let places = outcome.personal.iter().filter(|found| found.column == column.name && found.kind == *kind);
            places.map(|found| found.found).sum()
        };
        PersonalEntry {
            field: column.name.clone(),
            found: if statement.because.is_some() {
                Named::default()
            } else {
                kinds.iter().map(|kind| (kind.clone(), found(kind))).collect()
            },
            kinds,
            because: statement.because.clone(),
        }
    };
    dataset.personal.iter().map(entry).collect()
}

/// The detectors of all `redact` rules over a column, each once, in order.
fn redacted_kinds(dataset: &hir::Dataset, column: hir::ColumnId) -> Vec<String> {
    let mut kinds: Vec<String> = Vec::new();
    for step in &dataset.steps {
        if let StepKind::Redact { columns, detectors } = &step.kind
            && columns.contains(&column)
        {
            for detector in detectors {
                if !kinds.iter().any(|kind| kind == detector.name) {
                    kinds.push(detector.name.to_owned());
                }
            }
        }
    }
    kinds
}
