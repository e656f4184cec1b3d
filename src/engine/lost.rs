//! The records that a fixed part lost: an evaluation counts them as wrong.

use super::EngineError;
use super::narrow::{Codes, Interned, Row};
use super::outcome::{Gold, LabelOutcome, MissingRecord};
use super::report::{Life, Resolved};
use crate::hir::SplitRule;

/// Looks at records in ascending order of their rows.
pub(super) struct Lost<'r> {
    resolved: Resolved<'r>,
    labels: &'r [LabelOutcome],
    values: Vec<Values<'r, Vec<usize>>>,
    /// The part that a field names, where it is not the one that is trained on.
    named: Option<Values<'r, usize>>,
}

impl<'r> Lost<'r> {
    /// Before the first record; `labels` are those of the outcome.
    pub(super) fn new(resolved: Resolved<'r>, labels: &'r [LabelOutcome]) -> Result<Self, EngineError> {
        let part = |value: &String| {
            let part = resolved.dataset.split.parts.iter().position(|part| part == value);
            part.filter(|_| value != "train")
        };
        let named = resolved.decided.narrow.part.as_ref().map(|field| Values::of(field, part)).transpose()?;
        Ok(Self { resolved, labels, values: resolved.label_values()?, named })
    }

    /// What is told of a record that a part lost.
    pub(super) fn record(&mut self, life: &Life) -> Result<Option<MissingRecord>, EngineError> {
        let Some(stage) = life.fate.stage() else { return Ok(None) };
        let Some(part) = self.part(life)? else { return Ok(None) };
        let mut gold = Vec::with_capacity(self.labels.len());
        for (label, values) in self.labels.iter().zip(&mut self.values) {
            let names = |values: &[usize]| values.iter().map(|value| label.values[*value].clone()).collect::<Vec<_>>();
            gold.push(values.at(life.row)?.map(|values| Gold::of(label.several, names(values))));
        }
        Ok(Some(MissingRecord {
            id: life.id,
            source: self.resolved.source_name(life).to_owned(),
            file: self.resolved.file_name(life).to_owned(),
            line: life.line,
            part,
            verdict: life.fate.verdict(),
            rule: self.resolved.rule(stage).0.to_owned(),
            gold,
        }))
    }

    /// The part that a record would be in had nothing taken it out: known of fixed parts, and of a field that names any
    /// part but the one that is trained on.
    fn part(&mut self, life: &Life) -> Result<Option<usize>, EngineError> {
        match &self.resolved.dataset.split.rule {
            SplitRule::AllTrain => Ok(None),
            SplitRule::ByField(_) => self.named.as_mut().map_or(Ok(None), |named| Ok(named.at(life.row)?.copied())),
            SplitRule::Shares { fixed, .. } => {
                let source = self.resolved.source(life.location);
                Ok(fixed.iter().find(|part| part.sources.contains(&source)).map(|part| part.part))
            }
        }
    }
}

/// Rows' values of a column of texts, each as what it stands for, where that is known: a position in a list, or several.
pub(super) struct Values<'r, P> {
    codes: Codes<'r>,
    positions: Vec<Option<P>>,
}

impl<'r, P> Values<'r, P> {
    /// The values of a column; `position` is that of each different one.
    pub(super) fn of(values: &'r Interned, position: impl Fn(&String) -> Option<P>) -> Result<Self, EngineError> {
        Ok(Self { codes: values.codes()?, positions: values.values.iter().map(position).collect() })
    }

    /// A row's value; rows are asked for in ascending order.
    pub(super) fn at(&mut self, row: Row) -> Result<Option<&P>, EngineError> {
        Ok(self.codes.at(row)?.and_then(|code| self.positions[code].as_ref()))
    }
}
