//! Measures that are asked of one text several times, computed together.
//!
//! Ten rules over one text would cut it into words ten times. So the measures that are asked of a column, from one change of
//! it to the next, become one record that is computed where the first of them is needed, row by row, so that they share
//! what they find in the text; who asks reads its members.

use std::collections::BTreeMap;

use datafusion::common::Result;

use super::chain::Chain;
use super::expr::column;
use super::{column_name, scalar};
use crate::hir::{ColumnId, Expr, ExprKind, FieldType, Literal, Step, StepKind, Type};
use crate::plan::functions::{Argument, Eval, Function};

/// Expressions over the columns as they are at steps, with the measures that are computed together.
pub(super) struct Together {
    /// The expressions in the order given, reading the members of records.
    pub(super) exprs: Vec<Expr>,
    groups: Vec<Group>,
    /// The column of the first group's record; those of the others follow.
    first: usize,
}

/// A call of a measure: the function with its constants.
type Call = (&'static Function, Vec<Literal>);

/// The measures that are asked of one column between two changes of it.
struct Group {
    of: ColumnId,
    /// The step before which they are computed.
    before: usize,
    calls: Vec<Call>,
    /// How often they are asked.
    asked: usize,
}

impl Together {
    /// Finds what can be computed together among expressions before steps, in the order of the steps. The columns from
    /// `first` on are free for the records.
    pub(super) fn of(first: usize, steps: &[Step], asked: &[(usize, &Expr)]) -> Self {
        let mut groups: Vec<Group> = Vec::new();
        // The group of each column since it changed last, and those that each expression asks.
        let mut current: BTreeMap<ColumnId, usize> = BTreeMap::new();
        let mut asks: Vec<Vec<usize>> = Vec::with_capacity(asked.len());
        let mut open = asked.iter().peekable();
        for (at, step) in steps.iter().enumerate() {
            while let Some((_, expr)) = open.next_if(|(before, _)| *before == at) {
                let mut asked_here = Vec::new();
                expr.visit(&mut |part| {
                    if let Some((of, call)) = measure(part) {
                        let group = *current.entry(of).or_insert_with(|| {
                            groups.push(Group { of, before: at, calls: Vec::new(), asked: 0 });
                            groups.len() - 1
                        });
                        groups[group].ask(call);
                        asked_here.push(group);
                    }
                });
                asks.push(asked_here);
            }
            changed(&step.kind, |column| {
                current.remove(&column);
            });
        }
        let read = |(_, expr): &(usize, &Expr), asked_here: Vec<usize>| {
            expr.map(&mut |part| read_member(part, &groups, &asked_here, first))
        };
        let exprs = asked.iter().zip(asks).map(|(one, asked_here)| read(one, asked_here)).collect();
        Self { exprs, groups, first }
    }

    /// Computes the records that are needed from a step on.
    pub(super) fn lower_before(&self, chain: Chain, step: usize) -> Result<Chain> {
        let here = self.groups.iter().enumerate().filter(|(_, group)| group.before == step && group.is_shared());
        let records: Vec<_> = here.map(|(at, group)| (column_name(self.first + at), group.lower())).collect();
        if records.is_empty() { Ok(chain) } else { chain.stage(records) }
    }
}

impl Group {
    fn ask(&mut self, call: Call) {
        self.asked += 1;
        if self.place(&call).is_none() {
            self.calls.push(call);
        }
    }

    fn place(&self, (function, constants): &Call) -> Option<usize> {
        self.calls.iter().position(|(known, with)| known.name == function.name && with == constants)
    }

    fn is_shared(&self) -> bool {
        self.asked > 1
    }

    fn lower(&self) -> datafusion::logical_expr::Expr {
        let calls: Vec<(&'static Function, Vec<Argument<'_>>)> = self
            .calls
            .iter()
            .map(|(function, constants)| (*function, constants.iter().map(argument).collect()))
            .collect();
        scalar::measures(column(self.of), &calls)
    }
}

/// Calls `visit` with each column that a step gives another value.
fn changed(step: &StepKind, mut visit: impl FnMut(ColumnId)) {
    match step {
        StepKind::Set { column, .. } | StepKind::Label { column, .. } | StepKind::DedupPieces { column, .. } => {
            visit(*column);
        }
        StepKind::Redact { columns, .. } => columns.iter().copied().for_each(visit),
        StepKind::Drop { .. }
        | StepKind::Forbid { .. }
        | StepKind::DedupExact { .. }
        | StepKind::DedupNear { .. }
        | StepKind::Decontaminate { .. }
        | StepKind::Sample { .. }
        | StepKind::Pair { .. } => {}
    }
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

fn argument(constant: &Literal) -> Argument<'_> {
    match constant {
        Literal::Int(number) => Argument::Whole(*number),
        Literal::String(text) => Argument::Text(text),
        Literal::Null | Literal::Bool(_) | Literal::Float(_) => {
            unreachable!("the constants of functions are whole numbers and texts")
        }
    }
}

/// The member of a record in the place of a measure that is computed together with others.
fn read_member(part: Expr, groups: &[Group], asked: &[usize], first: usize) -> Expr {
    let place = measure(&part).and_then(|(of, call)| {
        let group = asked.iter().copied().find(|group| groups[*group].of == of && groups[*group].is_shared())?;
        Some((group, groups[group].place(&call)?))
    });
    let Some((group, place)) = place else { return part };
    let record = Expr {
        kind: ExprKind::Column(ColumnId((first + group) as u32)),
        ty: FieldType::plain(Type::Record(Vec::new())),
        span: part.span,
    };
    Expr { kind: ExprKind::Member(Box::new(record), scalar::measured(place)), ..part }
}
