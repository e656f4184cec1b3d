//! Measures that several rules ask of one text, computed together.
//!
//! Ten rules over one text would cut it into words ten times. So the measures that are asked of a column, from one change of
//! it to the next, become one record that is computed where the first of them is needed, row by row, so that they share
//! what they find in the text; the rules read its members.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::common::Result;
use datafusion::logical_expr::Expr as Plan;

use super::expr::column;
use super::{column_name, scalar};
use crate::hir::{ColumnId, Expr, ExprKind, FieldType, Literal, Step, StepKind, Type};
use crate::plan::functions::{Argument, Eval, Function};

/// The steps of a data set with the measures that are computed together.
pub(super) struct Shared {
    /// The steps' kinds; a rule reads the members of a record where its measures are computed together.
    pub(super) kinds: Vec<StepKind>,
    /// The records that are computed before a step, by its index: the column's name and its value.
    before: BTreeMap<usize, Vec<(String, Plan)>>,
}

/// A call of a measure: the function with its constants.
type Call = (&'static Function, Vec<Literal>);

/// The measures that are asked of one column between two changes of it.
struct Group {
    of: ColumnId,
    /// The step that asks first.
    first: usize,
    calls: Vec<Call>,
    /// How often they are asked.
    asked: usize,
}

impl Shared {
    /// What is computed before a step.
    pub(super) fn before(&self, step: usize) -> Option<Vec<(String, Plan)>> {
        self.before.get(&step).cloned()
    }
}

/// Finds the measures of conditions that can be computed together. `columns` is the number of the data set's columns: the
/// records are numbered after them.
pub(super) fn share(columns: usize, steps: &[Step]) -> Result<Shared> {
    let (groups, mut asking) = gather(steps);
    let mut shared = Shared { kinds: steps.iter().map(|step| step.kind.clone()).collect(), before: BTreeMap::new() };
    for (number, group) in groups.iter().enumerate().filter(|(_, group)| group.asked > 1) {
        let id = ColumnId((columns + number) as u32);
        let calls: Vec<(&'static Function, Vec<Argument<'_>>)> = group
            .calls
            .iter()
            .map(|(function, constants)| (*function, constants.iter().map(argument).collect()))
            .collect();
        let record = (column_name(id.0 as usize), scalar::measures(column(group.of), &calls));
        shared.before.entry(group.first).or_default().push(record);
        for step in asking.remove(&number).unwrap_or_default() {
            read_members(&mut shared.kinds[step], group, id);
        }
    }
    Ok(shared)
}

/// The groups in order of their first steps, and the steps that ask each of them.
fn gather(steps: &[Step]) -> (Vec<Group>, BTreeMap<usize, BTreeSet<usize>>) {
    let mut groups: Vec<Group> = Vec::new();
    let mut asking: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    // The group of each column since it changed last.
    let mut current: BTreeMap<ColumnId, usize> = BTreeMap::new();
    for (at, step) in steps.iter().enumerate() {
        match &step.kind {
            StepKind::Drop { condition } | StepKind::Forbid { condition, .. } => condition.visit(&mut |part| {
                let Some((of, call)) = measure(part) else { return };
                let number = *current.entry(of).or_insert_with(|| {
                    groups.push(Group { of, first: at, calls: Vec::new(), asked: 0 });
                    groups.len() - 1
                });
                asking.entry(number).or_default().insert(at);
                groups[number].asked += 1;
                if !groups[number].calls.iter().any(|known| is_same(known, &call)) {
                    groups[number].calls.push(call);
                }
            }),
            StepKind::Set { column, .. } | StepKind::Label { column, .. } => {
                current.remove(column);
            }
            StepKind::Redact { columns, .. } => columns.iter().for_each(|column| {
                current.remove(column);
            }),
            StepKind::DedupExact { .. } | StepKind::DedupNear { .. } | StepKind::Pair { .. } => {}
        }
    }
    (groups, asking)
}

/// The column and the call, where an expression measures a column as it is.
fn measure(expr: &Expr) -> Option<(ColumnId, Call)> {
    let ExprKind::Call(function, arguments) = &expr.kind else { return None };
    let [Expr { kind: ExprKind::Column(of), .. }, constants @ ..] = arguments.as_slice() else { return None };
    if matches!(function.eval, Eval::Text(_)) {
        return None;
    }
    let constant = |argument: &Expr| match &argument.kind {
        ExprKind::Literal(literal) => Some(literal.clone()),
        _ => None,
    };
    Some((*of, (function, constants.iter().map(constant).collect::<Option<Vec<_>>>()?)))
}

fn is_same(one: &Call, other: &Call) -> bool {
    one.0.name == other.0.name && one.1 == other.1
}

fn argument(constant: &Literal) -> Argument<'_> {
    match constant {
        Literal::Int(number) => Argument::Whole(*number),
        Literal::String(text) => Argument::Text(text),
        Literal::Null | Literal::Bool(_) | Literal::Float(_) => {
            unreachable!("the constants of functions are whole numbers and texts")
        }
    }
}

/// Puts members of the record in the place of the measures of a condition.
fn read_members(kind: &mut StepKind, group: &Group, record: ColumnId) {
    let (StepKind::Drop { condition } | StepKind::Forbid { condition, .. }) = kind else { return };
    let mut read = |part: Expr| {
        let place = measure(&part)
            .filter(|(of, _)| *of == group.of)
            .and_then(|(_, call)| group.calls.iter().position(|known| is_same(known, &call)));
        let Some(place) = place else { return part };
        let of =
            Expr { kind: ExprKind::Column(record), ty: FieldType::plain(Type::Record(Vec::new())), span: part.span };
        Expr { kind: ExprKind::Member(Box::new(of), scalar::measured(place)), ..part }
    };
    *condition = condition.clone().map(&mut read);
}
