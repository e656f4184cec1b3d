//! `clean` blocks against a record: types at each step, narrowing, rules that never fire.

use super::compliance::find_field;
use super::scope::{Record, View};
use super::types::{resolve_condition, resolve_expr, show};
use super::{Context, compare, dedup, implies, index, packs, taint};
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::{BinaryOp, Expr, ExprKind, Step, StepBlock, StepKind};
use crate::source::Span;
use crate::syntax::ast::clean::{Clean, Rule, RuleKind};
use crate::syntax::ast::{self, Ident};
use crate::syntax::one_line;

/// Resolves the rules of a block, in order, against the record as it is at each of them.
pub(super) fn resolve_clean(context: &mut Context<'_>, clean: &Clean, record: &mut Record) -> Vec<Step> {
    let mut steps = Vec::new();
    for rule in &clean.rules {
        index::enter(context, rule.span, record);
        let block = context.names.title(&clean.name);
        if let RuleKind::Pack { name, field, settings } = &rule.kind {
            let named = packs::Named { name, field: field.as_ref(), settings, span: rule.span };
            steps.extend(packs::resolve_pack(context, &named, &block, record));
            continue;
        }
        let Some((kind, name)) = resolve_rule(context, rule, record) else { continue };
        steps.push(step(context, StepBlock::Clean, &block, kind, name, rule.span));
    }
    let is_set = |rule: &Rule| matches!(rule.kind, RuleKind::Set { .. });
    let places = |rules: &[Rule]| rules.iter().map(|rule| rule.span).collect::<Vec<Span>>();
    let sets: Vec<Span> = clean.rules.iter().filter(|rule| is_set(rule)).map(|rule| rule.span).collect();
    check_repeated(context, &sets);
    // After a `set` a rule may find what it did not find before.
    for rules in clean.rules.split(is_set) {
        check_repeated(context, &places(rules));
    }
    steps
}

/// A step with the names by which the audit knows it.
pub(super) fn step(
    context: &Context<'_>,
    block: StepBlock,
    block_name: &str,
    kind: StepKind,
    rule: String,
    span: Span,
) -> Step {
    Step { block, block_name: block_name.to_owned(), kind, rule, pack: None, span, line: context.line(span) }
}

/// A statement as written, on one line.
pub(super) fn in_short(context: &Context<'_>, span: Span) -> String {
    one_line(context.files.text(span))
}

fn resolve_rule(context: &mut Context<'_>, rule: &Rule, record: &mut Record) -> Option<(StepKind, String)> {
    match &rule.kind {
        RuleKind::Set { field, value } => {
            let kind = resolve_set(context, field, value, record, rule.span)?;
            Some((kind, format!("set {}", field.name)))
        }
        RuleKind::Drop { reason, condition } => {
            let condition = resolve_condition(context, &View::of(record), condition)?;
            check_constant(context, &condition);
            narrow(record, &condition);
            Some((StepKind::Drop { condition }, reason.node.clone()))
        }
        RuleKind::Dedup { fields, how, keep } => {
            let kind = dedup::resolve_dedup(context, fields, how, keep.as_ref(), record)?;
            Some((kind, in_short(context, rule.span)))
        }
        RuleKind::DedupPieces { pieces, field, at_least } => {
            let kind = dedup::resolve_pieces(context, *pieces, field, at_least.as_ref(), record)?;
            Some((kind, in_short(context, rule.span)))
        }
        RuleKind::Decontaminate { field, against, by } => {
            let kind = dedup::resolve_decontaminate(context, field, against, by, record)?;
            Some((kind, in_short(context, rule.span)))
        }
        RuleKind::Pack { .. } => unreachable!("a pack is several rules, and no pack has another in it"),
    }
}

pub(super) fn resolve_set(
    context: &mut Context<'_>,
    field: &Ident,
    value: &ast::Expr,
    record: &mut Record,
    span: Span,
) -> Option<StepKind> {
    let id = find_field(context, record, field);
    let value = resolve_expr(context, &View::of(record), value, None);
    let id = id?;
    let Some(value) = value else {
        // What the field holds from here on is unknown; its null and its taint stay as they were.
        return None;
    };
    let target = record.column(id);
    let declared = target.declared.first().copied().unwrap_or(field.span);
    let ty = target.ty.clone()?;
    let (shown, wanted) = (show(context, &value.ty), show(context, &ty));
    let at = value.span;
    let Some(value) = compare::convert(value, &ty.ty) else {
        context.report(
            Diagnostic::new(
                Code::WrongType,
                format!("`{}` is `{wanted}`, and this is `{shown}`", field.name),
                at,
                format!("is `{shown}`"),
            )
            .label(declared, format!("`{}` is declared `{wanted}` here", field.name))
            .help("a field keeps its type; declare another field for the new value"),
        );
        return None;
    };
    if value.ty.nullable && !ty.nullable {
        context.report(
            Diagnostic::new(
                Code::NullableValue,
                format!("`{}` is never null, and this may be", field.name),
                at,
                format!("is `{shown}`"),
            )
            .label(declared, format!("declared `{wanted}` here"))
            .help(format!("give a default with `??`, or declare the field `{wanted}?`")),
        );
        return None;
    }
    let tainted = taint::assigned(record, &value, &field.name, span);
    let target = record.column_mut(id);
    target.held_personal = tainted.is_some();
    target.taint = tainted;
    target.not_null = !value.ty.nullable;
    Some(StepKind::Set { column: id, value })
}

/// What holds of a record for which the condition is not true: fields that it asked for null are not null.
pub(super) fn narrow(record: &mut Record, dropped_when: &Expr) {
    let mut proved = Vec::new();
    not_null_unless(dropped_when, &mut proved);
    for column in proved {
        record.column_mut(column).not_null = true;
    }
}

/// The columns that hold no null when the condition is not true.
fn not_null_unless(condition: &Expr, proved: &mut Vec<crate::hir::ColumnId>) {
    match &condition.kind {
        ExprKind::IsNull { value, negated: false } => {
            if let ExprKind::Column(column) = value.kind {
                proved.push(column);
            }
        }
        ExprKind::Binary(BinaryOp::Or, left, right) => {
            not_null_unless(left, proved);
            not_null_unless(right, proved);
        }
        ExprKind::Not(of) => not_null_when(of, proved),
        _ => {}
    }
}

/// The columns that hold no null unless `not condition` is true. A null condition keeps the record, so this is sound only
/// for `is not null`, which is never null, and for what `and` joins of it.
fn not_null_when(condition: &Expr, proved: &mut Vec<crate::hir::ColumnId>) {
    match &condition.kind {
        ExprKind::IsNull { value, negated: true } => {
            if let ExprKind::Column(column) = value.kind {
                proved.push(column);
            }
        }
        ExprKind::Binary(BinaryOp::And, left, right) => {
            not_null_when(left, proved);
            not_null_when(right, proved);
        }
        _ => {}
    }
}

/// Warns of a condition that has one value whatever the record holds.
pub(super) fn check_constant(context: &mut Context<'_>, condition: &Expr) {
    let Some(value) = implies::constant(&context.program.labels, condition) else { return };
    let (message, help) = if value {
        ("this condition is always true: no record is left", "compare with a field of the record")
    } else {
        ("this condition is never true: the rule never fires", "take the rule out, or compare with what can happen")
    };
    let label = if value { "always true" } else { "never true" };
    context.error(Code::ConstantCondition, message, condition.span, label, help);
}

/// Warns of a statement that stands twice, word for word, in one block.
pub(super) fn check_repeated(context: &mut Context<'_>, statements: &[Span]) {
    let mut seen: Vec<(String, Span)> = Vec::new();
    for span in statements {
        let text = in_short(context, *span);
        if let Some((_, first)) = seen.iter().find(|(seen, _)| *seen == text) {
            context.report(
                Diagnostic::new(Code::RepeatedRule, "this rule stands in the block already", *span, "does nothing new")
                    .label(*first, "first written here")
                    .help("take one of them out"),
            );
        } else {
            seen.push((text, *span));
        }
    }
}
