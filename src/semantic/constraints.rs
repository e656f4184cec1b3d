//! `when … require …` of a label: conditions over the record's fields and labels, and whether they can hold together.
//!
//! Whether they can is decided by trying every value of the labels that they speak of, which are few: a condition on a field,
//! whose values are unknown, may be true or false.

use std::collections::{BTreeMap, BTreeSet};

use super::scope::{Record, ScopeColumn, View};
use super::types::resolve_condition;
use super::{Context, cleaning, labels};
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::{BinaryOp, ColumnId, Expr, ExprKind, FieldType, LabelId, LabelSchema, Literal, ScalarSchema, Type};
use crate::source::Span;
use crate::syntax::ast::label::{Constraint, Label, Schema};

/// Combinations of values that are tried at most; constraints over more are not compared.
const MOST_COMBINATIONS: usize = 20_000;

/// Combinations that are tried at most for all the constraints of one label; the last of very many are not compared.
const MOST_TRIALS: usize = 1_000_000;

/// Checks the constraints of a label by themselves: their types as far as labels decide them, and contradictions. What they
/// ask of fields is checked where a data set uses the label.
pub(super) fn check_label(context: &mut Context<'_>, label: &Label) {
    let Schema::Scale { constraints, .. } = &label.schema else { return };
    let Some(own) = labels::label_id(context, &label.name) else { return };
    let record = record_of_labels(context, label.name.span);
    let mut checked = Vec::new();
    for constraint in constraints {
        let when = resolve_condition(context, &View::of(&record), &constraint.when);
        let require = resolve_condition(context, &View::of(&record), &constraint.require);
        if let Some(require) = require {
            let opaque = cleaning::in_short(context, constraint.when.span);
            checked.push(Checked { when, opaque, require, span: constraint.require.span });
        }
    }
    let own_column = ColumnId(own.0);
    let Some(variables) = variables(context, &record, own_column, &checked) else { return };
    report_impossible(context, own_column, &checked, &variables);
}

/// Resolves the constraints of a label against the record of a data set that uses it, each as the condition that must hold:
/// `not when or require`.
pub(super) fn resolve_use(context: &mut Context<'_>, constraints: &[Constraint], record: &Record) -> Vec<Expr> {
    let mut resolved = Vec::new();
    for constraint in constraints {
        let [when, require] =
            [&constraint.when, &constraint.require].map(|side| resolve_condition(context, &View::of(record), side));
        let (Some(when), Some(require)) = (when, require) else { continue };
        let span = when.span.to(require.span);
        let (of_when, nullable) = (when.ty.clone(), when.ty.nullable || require.ty.nullable);
        let otherwise = Expr { span: when.span, kind: ExprKind::Not(Box::new(when)), ty: of_when };
        let kind = ExprKind::Binary(BinaryOp::Or, Box::new(otherwise), Box::new(require));
        resolved.push(Expr { kind, ty: FieldType { ty: Type::Bool, nullable }, span });
    }
    resolved
}

/// A record of all labels, column by column in the order of the program, whose fields are unknown.
fn record_of_labels(context: &Context<'_>, place: Span) -> Record {
    let columns = (0..context.program.labels.len() as u32).map(|index| {
        let label = &context.program.labels[index as usize];
        let mut column =
            ScopeColumn::new(&label.name, Some(FieldType::plain(Type::Label(LabelId(index)))), label.span, place);
        column.label = Some(LabelId(index));
        column.names = context.label_names.get(&LabelId(index)).copied().into_iter().collect();
        column
    });
    Record { columns: columns.collect(), complete: false }
}

/// A constraint whose demand was resolved.
struct Checked {
    /// The condition, when it speaks of labels alone.
    when: Option<Expr>,
    /// What identifies a condition on fields: its text.
    opaque: String,
    require: Expr,
    span: Span,
}

/// What is tried: the values of each label that the constraints speak of, and both outcomes of each unknown condition.
struct Variables {
    columns: Vec<(ColumnId, Vec<Literal>)>,
    conditions: Vec<String>,
}

/// One combination of values.
#[derive(Default)]
struct Assignment {
    columns: BTreeMap<ColumnId, Literal>,
    conditions: BTreeMap<String, bool>,
}

fn variables(context: &Context<'_>, record: &Record, own: ColumnId, checked: &[Checked]) -> Option<Variables> {
    let mut columns: BTreeMap<ColumnId, Vec<Literal>> = BTreeMap::new();
    let mut conditions: BTreeSet<String> = BTreeSet::new();
    for constraint in checked {
        for expr in constraint.when.iter().chain([&constraint.require]) {
            expr.visit_columns(&mut |column| {
                if !columns.contains_key(&column)
                    && let Some(values) = domain(context, record, column)
                {
                    columns.insert(column, values);
                }
            });
        }
        if constraint.when.is_none() {
            conditions.insert(constraint.opaque.clone());
        }
    }
    let own_values = columns.remove(&own)?;
    let mut others = columns.values().map(Vec::len).chain(conditions.iter().map(|_| 2));
    let combinations = others.try_fold(own_values.len(), |product, size| {
        product.checked_mul(size).filter(|product| *product <= MOST_COMBINATIONS)
    });
    combinations?;
    let mut columns: Vec<_> = columns.into_iter().collect();
    columns.insert(0, (own, own_values));
    Some(Variables { columns, conditions: conditions.into_iter().collect() })
}

/// All values of a label, where they are few.
fn domain(context: &Context<'_>, record: &Record, column: ColumnId) -> Option<Vec<Literal>> {
    let label = record.column(column).label?;
    if let Some(values) = labels::listed_values(context, label) {
        return Some(values.iter().map(|value| Literal::String(value.name.clone())).collect());
    }
    match &context.program[label].schema {
        LabelSchema::Scalar(ScalarSchema::Scale { low, high }) if high - low <= 1000 => {
            Some((*low..=*high).map(Literal::Int).collect())
        }
        LabelSchema::Scalar(ScalarSchema::Flag) => Some(vec![Literal::Bool(false), Literal::Bool(true)]),
        LabelSchema::Choice(_)
        | LabelSchema::Choices(_)
        | LabelSchema::Spans(_)
        | LabelSchema::Scalar(_)
        | LabelSchema::Declared(_) => None,
    }
}

/// Reports demands that no value of the label meets, alone or together with another one.
fn report_impossible(context: &mut Context<'_>, own: ColumnId, checked: &[Checked], variables: &Variables) {
    let combinations: usize = variables.columns.iter().map(|(_, values)| values.len().max(1)).product();
    let mut trials = MOST_TRIALS / (combinations << variables.conditions.len()).max(1);
    let mut possible = Vec::new();
    for constraint in checked.iter().take(trials) {
        if is_impossible(own, &[constraint], variables) {
            let name = context.program.labels[own.0 as usize].name.clone();
            context.error(
                Code::ContradictoryConstraints,
                format!("no value of `{name}` meets this demand"),
                constraint.span,
                "cannot be met",
                "demand what the label's values allow, or change `when`",
            );
        } else {
            possible.push(constraint);
        }
    }
    for (second, later) in possible.iter().enumerate() {
        for first in &possible[..second] {
            if trials == 0 {
                return;
            }
            trials -= 1;
            if is_impossible(own, &[first, later], variables) {
                context.report(
                    Diagnostic::new(
                        Code::ContradictoryConstraints,
                        "these demands contradict each other",
                        later.span,
                        "no value meets this one",
                    )
                    .label(first.span, "and this one, where both apply")
                    .help("make the conditions after `when` exclude each other, or the demands agree"),
                );
                break;
            }
        }
    }
}

/// Whether there is a case in which all the constraints apply and no value of the label meets them all.
fn is_impossible(own: ColumnId, constraints: &[&Checked], variables: &Variables) -> bool {
    let (_, own_values) = &variables.columns[0];
    let mut sizes: Vec<usize> = variables.columns[1..].iter().map(|(_, values)| values.len()).collect();
    sizes.extend(variables.conditions.iter().map(|_| 2));
    let cases: usize = sizes.iter().product();
    (0..cases).any(|case| {
        let mut assignment = assign(case, &sizes, variables);
        let mut applies = vec![false; constraints.len()];
        let met = own_values.iter().any(|value| {
            assignment.columns.insert(own, value.clone());
            let mut all = true;
            for (constraint, applies) in constraints.iter().zip(&mut applies) {
                let when = match &constraint.when {
                    Some(when) => truth(when, &assignment),
                    None => assignment.conditions.get(&constraint.opaque).copied(),
                };
                // A condition that cannot be told may be false: then nothing is demanded.
                if when == Some(true) {
                    *applies = true;
                    all &= truth(&constraint.require, &assignment) != Some(false);
                }
            }
            all
        });
        !met && applies.iter().all(|applies| *applies)
    })
}

fn assign(mut case: usize, sizes: &[usize], variables: &Variables) -> Assignment {
    let mut assignment = Assignment::default();
    for (index, size) in sizes.iter().enumerate() {
        let choice = case % size;
        case /= size;
        match variables.columns.get(index + 1) {
            Some((column, values)) => {
                assignment.columns.insert(*column, values[choice].clone());
            }
            None => {
                let condition = &variables.conditions[index + 1 - variables.columns.len()];
                assignment.conditions.insert(condition.clone(), choice == 1);
            }
        }
    }
    assignment
}

/// The truth of a condition where it can be told.
fn truth(expr: &Expr, given: &Assignment) -> Option<bool> {
    match &expr.kind {
        ExprKind::Literal(Literal::Bool(value)) => Some(*value),
        ExprKind::Column(column) => match given.columns.get(column)? {
            Literal::Bool(value) => Some(*value),
            _ => None,
        },
        ExprKind::Not(of) => truth(of, given).map(|value| !value),
        ExprKind::Binary(BinaryOp::And, left, right) => match (truth(left, given), truth(right, given)) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        },
        ExprKind::Binary(BinaryOp::Or, left, right) => match (truth(left, given), truth(right, given)) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        },
        ExprKind::Binary(op, left, right) => {
            let order = order(&value(left, given)?, &value(right, given)?)?;
            match op {
                BinaryOp::Equal => Some(order.is_eq()),
                BinaryOp::NotEqual => Some(order.is_ne()),
                BinaryOp::Less => Some(order.is_lt()),
                BinaryOp::LessEqual => Some(order.is_le()),
                BinaryOp::Greater => Some(order.is_gt()),
                BinaryOp::GreaterEqual => Some(order.is_ge()),
                _ => None,
            }
        }
        ExprKind::In { value: of, list, negated } => Some(list.contains(&value(of, given)?) != *negated),
        ExprKind::IsNull { value: of, negated } if !of.ty.nullable => Some(*negated),
        _ => None,
    }
}

fn value(expr: &Expr, given: &Assignment) -> Option<Literal> {
    match &expr.kind {
        ExprKind::Literal(literal) => Some(literal.clone()),
        ExprKind::Column(column) => given.columns.get(column).cloned(),
        ExprKind::ToFloat(of) => match value(of, given)? {
            Literal::Int(value) => Some(Literal::Float(value as f64)),
            other => Some(other),
        },
        ExprKind::Negate(of) => match value(of, given)? {
            Literal::Int(value) => Some(Literal::Int(value.checked_neg()?)),
            Literal::Float(value) => Some(Literal::Float(-value)),
            Literal::Null | Literal::Bool(_) | Literal::String(_) => None,
        },
        _ => None,
    }
}

fn order(left: &Literal, right: &Literal) -> Option<std::cmp::Ordering> {
    match (left, right) {
        (Literal::Int(left), Literal::Int(right)) => Some(left.cmp(right)),
        (Literal::Float(left), Literal::Float(right)) => left.partial_cmp(right),
        (Literal::Bool(left), Literal::Bool(right)) => Some(left.cmp(right)),
        (Literal::String(left), Literal::String(right)) => Some(left.cmp(right)),
        _ => None,
    }
}
