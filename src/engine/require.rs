//! What must hold of the emitted records: `require` and the `forbid` that fails the build.

use super::assign::Parts;
use super::narrow::{Interned, Narrow};
use super::outcome::{Measured, Place, Violation};
use super::resolve::{Fates, is_personal};
use crate::hir::{BinaryOp, ColumnId, Dataset, RequireSubject, Requirement, StepKind};
use crate::label::LabelTables;

/// Values that a violation names at most.
const NAMED: usize = 20;
/// Places that a violation names at most.
const PLACES: usize = 5;

/// The rules that are not met, `forbid` first. `file` names a row's file.
pub fn check_rules(
    narrow: &Narrow,
    dataset: &Dataset,
    tables: &LabelTables,
    fates: &Fates,
    parts: &Parts,
    file: &dyn Fn(u32) -> String,
) -> Vec<Violation> {
    let kept = fates.kept();
    let mut violations = Vec::new();
    for (at, step) in dataset.steps.iter().enumerate() {
        let (StepKind::Forbid { else_drop: false, .. }, Some(flags)) = (&step.kind, narrow.forbidden.get(&at)) else {
            continue;
        };
        let hits: Vec<u32> = kept.iter().copied().filter(|&row| flags[row as usize]).collect();
        if hits.is_empty() {
            continue;
        }
        let place =
            |&row: &u32| Place { id: fates.ids[row as usize], file: file(row), line: narrow.line[row as usize] };
        let first = hits.iter().take(PLACES).map(place).collect();
        let measured = Measured::Records { count: hits.len() as u64, first };
        violations.push(Violation { rule: step.rule.clone(), span: step.span, measured });
    }
    let kept: Vec<u32> = kept.into_iter().filter(|&row| parts[row as usize].is_some()).collect();
    for (at, requirement) in dataset.requirements.iter().enumerate() {
        let measured = match requirement.per {
            None => whole(requirement, kept.len() as u64),
            Some(column) => per_value(narrow, dataset, tables, requirement, at, column, &kept),
        };
        violations.extend(measured.map(|measured| Violation {
            rule: requirement.rule.clone(),
            span: requirement.span,
            measured,
        }));
    }
    violations
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
    narrow: &Narrow,
    dataset: &Dataset,
    tables: &LabelTables,
    requirement: &Requirement,
    at: usize,
    column: ColumnId,
    kept: &[u32],
) -> Option<Measured> {
    let described = &dataset.columns[column.0 as usize];
    let mut counted = counted(narrow, dataset, at, column, kept);
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
        RequireSubject::Share if kept.is_empty() => 0.0,
        RequireSubject::Share => count as f64 / kept.len() as f64,
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

/// The values of a column among the kept records, with their numbers; null is one of them.
fn counted(
    narrow: &Narrow,
    dataset: &Dataset,
    at: usize,
    column: ColumnId,
    kept: &[u32],
) -> Vec<(Option<String>, u64)> {
    let label_step = dataset
        .steps
        .iter()
        .rposition(|step| matches!(step.kind, StepKind::Label { column: labelled, .. } if labelled == column));
    let values = match label_step {
        Some(step) => narrow.labels.get(&step),
        None => narrow.per.get(&at),
    };
    values.map(|values| count_values(values, kept)).unwrap_or_default()
}

/// How often each value occurs among these rows, null at the end.
pub fn count_values(values: &Interned, rows: &[u32]) -> Vec<(Option<String>, u64)> {
    let mut counts = vec![0; values.values.len()];
    let mut nulls = 0;
    for &row in rows {
        match values.code(row as usize) {
            Some(code) => counts[code] += 1,
            None => nulls += 1,
        }
    }
    let named = values.values.iter().cloned().map(Some).zip(counts);
    named.chain([(None, nulls)]).filter(|(_, count)| *count > 0).collect()
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
