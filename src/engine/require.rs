//! What must hold of the emitted records: `require` and the `forbid` that fails the build.

use super::EngineError;
use super::narrow::{Codes, Interned, Narrow, Row};
use super::outcome::{Measured, Violation};
use super::report::Resolved;
use super::resolve::is_personal;
use super::spool::{Cursor, Spool};
use crate::hir::{BinaryOp, ColumnId, Dataset, RequireSubject, Requirement, Step, StepKind};
use crate::label::LabelTables;

/// Values that a violation names at most.
const NAMED: usize = 20;
/// Places that a violation names at most.
const PLACES: usize = 5;

/// A `forbid` that fails the build, with the emitted rows that fulfil it.
struct Forbidden<'d> {
    step: &'d Step,
    flags: Cursor<'d, bool>,
    count: u64,
    first: Vec<Row>,
}

/// How often each value of a column occurs.
struct Counted<'d> {
    values: &'d Interned,
    codes: Codes<'d>,
    counts: Vec<u64>,
    nulls: u64,
}

/// The rules that are not met, `forbid` first.
///
/// # Errors
/// A file cannot be read.
pub fn check_rules(resolved: &Resolved<'_>) -> Result<Vec<Violation>, EngineError> {
    let (dataset, decided) = (resolved.dataset, resolved.decided);
    let mut forbidden = forbidden(&decided.narrow, dataset)?;
    let counted = dataset.requirements.iter().enumerate().map(|(at, requirement)| match requirement.per {
        None => Ok(None),
        Some(column) => Counted::of(&decided.narrow, dataset, at, column),
    });
    let mut counted = counted.collect::<Result<Vec<_>, _>>()?;
    if forbidden.is_empty() && counted.is_empty() {
        return Ok(Vec::new());
    }
    let mut kept = 0;
    for (row, part) in (0..).zip(decided.parts.iter()?) {
        if part?.is_some() {
            kept += 1;
            forbidden.iter_mut().try_for_each(|rule| rule.see(row))?;
            counted.iter_mut().flatten().try_for_each(|values| values.see(row))?;
        }
    }
    let mut violations = Vec::new();
    for Forbidden { step, count, first, .. } in forbidden.into_iter().filter(|rule| rule.count > 0) {
        let first = first.into_iter().map(|row| resolved.place(row)).collect::<Result<_, _>>()?;
        let measured = Measured::Records { count, first };
        violations.push(Violation { rule: step.rule.clone(), span: step.span, measured });
    }
    for (requirement, counted) in dataset.requirements.iter().zip(counted) {
        let measured = match requirement.per {
            None => whole(requirement, kept),
            Some(column) => per_value(dataset, &decided.tables, requirement, column, counted, kept),
        };
        violations.extend(measured.map(|measured| Violation {
            rule: requirement.rule.clone(),
            span: requirement.span,
            measured,
        }));
    }
    Ok(violations)
}

fn forbidden<'d>(narrow: &'d Narrow, dataset: &'d Dataset) -> Result<Vec<Forbidden<'d>>, EngineError> {
    let rule = |(at, flags): (&usize, &'d Spool<bool>)| {
        Ok(Forbidden { step: &dataset.steps[*at], flags: flags.cursor()?, count: 0, first: Vec::new() })
    };
    narrow.forbidden.iter().map(rule).collect()
}

impl Forbidden<'_> {
    fn see(&mut self, row: Row) -> Result<(), EngineError> {
        if self.flags.at(row)? {
            self.count += 1;
            if self.first.len() < PLACES {
                self.first.push(row);
            }
        }
        Ok(())
    }
}

impl<'d> Counted<'d> {
    /// The values of the column that a requirement names.
    fn of(
        narrow: &'d Narrow,
        dataset: &Dataset,
        requirement: usize,
        column: ColumnId,
    ) -> Result<Option<Self>, EngineError> {
        let labels = |step: &Step| matches!(step.kind, StepKind::Label { column: labelled, .. } if labelled == column);
        let values = match narrow.per.get(&requirement) {
            Some(values) => Some(values),
            None => dataset.steps.iter().rposition(labels).and_then(|step| narrow.labels.get(&step)),
        };
        let Some(values) = values else { return Ok(None) };
        Ok(Some(Self { values, codes: values.codes()?, counts: vec![0; values.values.len()], nulls: 0 }))
    }

    fn see(&mut self, row: Row) -> Result<(), EngineError> {
        match self.codes.at(row)? {
            Some(code) => self.counts[code] += 1,
            None => self.nulls += 1,
        }
        Ok(())
    }

    /// Each value that occurs with its number, null at the end.
    fn named(self) -> Vec<(Option<String>, u64)> {
        let named = self.values.values.iter().cloned().map(Some).zip(self.counts);
        named.chain([(None, self.nulls)]).filter(|(_, count)| *count > 0).collect()
    }
}

fn whole(requirement: &Requirement, records: u64) -> Option<Measured> {
    let figure = match requirement.subject {
        RequireSubject::Count => records as f64,
        // The share of the whole in itself; of nothing there is none.
        RequireSubject::Share => f64::from(u8::from(records > 0)),
    };
    (!holds(requirement.comparison, figure, requirement.bound)).then_some(Measured::Whole(figure))
}

fn per_value(
    dataset: &Dataset,
    tables: &LabelTables,
    requirement: &Requirement,
    column: ColumnId,
    counted: Option<Counted<'_>>,
    kept: u64,
) -> Option<Measured> {
    let described = &dataset.columns[column.0 as usize];
    let mut counted = counted.map(Counted::named).unwrap_or_default();
    if let Some(table) = described.label.and_then(|label| tables.get(label)) {
        // A value of the label that no record has counts as well: its figure is 0.
        for value in table.values() {
            if counted.iter().all(|(name, _)| name.as_deref() != Some(&value.name)) {
                counted.push((Some(value.name.clone()), 0));
            }
        }
    }
    let figure = |count: u64| match requirement.subject {
        RequireSubject::Count => count as f64,
        RequireSubject::Share if kept == 0 => 0.0,
        RequireSubject::Share => count as f64 / kept as f64,
    };
    let figures = counted.into_iter().map(|(name, count)| (name, figure(count)));
    let mut failing: Vec<(Option<String>, f64)> =
        figures.filter(|(_, figure)| !holds(requirement.comparison, *figure, requirement.bound)).collect();
    if failing.is_empty() {
        return None;
    }
    let distance = |figure: f64| (figure - requirement.bound).abs();
    failing.sort_by(|a, b| distance(b.1).total_cmp(&distance(a.1)).then(a.0.cmp(&b.0)));
    let count = failing.len() as u64;
    failing.truncate(NAMED);
    if described.label.is_none() && is_personal(described) {
        failing.iter_mut().for_each(|(name, _)| *name = None);
    }
    Some(Measured::Values { worst: failing, failing: count })
}

/// One of the six comparisons; a bound is met within a billionth, as `40%` of 5 is 2.
fn holds(comparison: BinaryOp, figure: f64, bound: f64) -> bool {
    let near = (figure - bound).abs() <= 1e-9 * bound.abs().max(1.0);
    match comparison {
        BinaryOp::Equal => near,
        BinaryOp::NotEqual => !near,
        BinaryOp::Less => figure < bound && !near,
        BinaryOp::LessEqual => figure <= bound || near,
        BinaryOp::Greater => figure > bound && !near,
        BinaryOp::GreaterEqual => figure >= bound || near,
        BinaryOp::Add
        | BinaryOp::Subtract
        | BinaryOp::Multiply
        | BinaryOp::Divide
        | BinaryOp::Coalesce
        | BinaryOp::And
        | BinaryOp::Or => unreachable!("a requirement compares with one of the six comparisons"),
    }
}
