//! The `label` statements of a data set: where a label's values come from.

use super::compliance::text_field;
use super::labels::{has_value, label_id, listed_values, values_are_open};
use super::names::{self, Found, Kind};
use super::scope::{Record, ScopeColumn, View};
use super::types::{resolve_condition, resolve_expr, show};
use super::{Context, cleaning, compare, constraints, gates, index, labels, matching, taint};
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::{ColumnId, Expr, ExprKind, FieldType, LabelId, Literal, Step, StepBlock, StepKind, Type};
use crate::source::Span;
use crate::syntax::ast::dataset::{LabelBody, LabelItem, LabelItemKind};
use crate::syntax::ast::label::{Label, Schema};
use crate::syntax::ast::{self, ArmBody, Ident};

/// The ways to settle votes.
pub(super) const METHODS: [&str; 5] = ["majority", "unanimous", "first", "dawid_skene", "label_model"];

/// A label statement of a data set.
pub(super) struct Statement<'s> {
    pub(super) name: &'s Ident,
    pub(super) body: &'s LabelBody,
    pub(super) span: Span,
}

/// Resolves the label statements of a data set. Their right-hand sides see fields alone; afterwards each label is a column
/// that hides a field of its name.
pub(super) fn resolve_label_statements(
    context: &mut Context<'_>,
    statements: &[Statement<'_>],
    record: &mut Record,
) -> Vec<Step> {
    let fields = record.clone();
    let mut steps = Vec::new();
    for statement in statements {
        if let Some(first) =
            statements.iter().find(|first| first.name.name == statement.name.name && first.span != statement.span)
            && first.span < statement.span
        {
            super::quantities::duplicate(
                context,
                &format!("label {}", statement.name.name),
                statement.span,
                first.span,
            );
            continue;
        }
        index::enter(context, statement.span, &fields);
        let found = names::look_up(context, statement.name, Kind::Label);
        let declared = matches!(found, Found::Declared(_));
        let over = match found {
            Found::Declared(ast::Decl::Label(Label { schema: Schema::Spans { field, .. }, .. })) => {
                text_field(context, &fields, field, "spans refer to a text")
            }
            Found::Declared(_) | Found::Silent => None,
        };
        let label = label_id(context, statement.name).filter(|_| declared);
        let resolved = resolve_body(context, statement.body, &fields, label);
        if label.is_none() {
            record.complete = false;
        }
        let Some(label) = label else { continue };
        let tainted = resolved
            .as_ref()
            .filter(|_| values_are_open(context, label))
            .and_then(|resolved| taint::assigned(&fields, &resolved.value, &statement.name.name, statement.span));
        let column = add_column(context, record, statement.name, label, tainted);
        let Some(resolved) = resolved else { continue };
        let Resolved { value, drop_when, null_drops } = resolved;
        let Some(form) = labels::form(context, label, over) else { continue };
        let kind = StepKind::Label { column, label, value, form, constraints: Vec::new(), drop_when, null_drops };
        let (name, span) = (statement.name, statement.span);
        steps.push(cleaning::step(context, StepBlock::Label, &name.name, kind, rule_of(name), span));
    }
    // A constraint may speak of every label of the data set: they all stand in the record now.
    for statement in statements {
        if let Some(ast::Decl::Label(label)) = context.names.get(statement.name).map(|declared| declared.decl)
            && let Schema::Scale { constraints, .. } = &label.schema
        {
            let resolved = constraints::resolve_use(context, constraints, record);
            let of_label = steps.iter_mut().find(|step| step.rule == rule_of(statement.name));
            if let Some(StepKind::Label { constraints, .. }) = of_label.map(|step| &mut step.kind) {
                *constraints = resolved;
            }
        }
    }
    steps
}

/// A label statement as the audit names it.
fn rule_of(name: &Ident) -> String {
    format!("label {}", name.name)
}

fn add_column(
    context: &Context<'_>,
    record: &mut Record,
    name: &Ident,
    label: LabelId,
    tainted: Option<taint::Taint>,
) -> ColumnId {
    let label_name = context.names.get(name).map_or(name.span, |declared| declared.symbol());
    for column in &mut record.columns {
        if column.name == name.name {
            column.hidden = true;
        }
    }
    let ty = FieldType::plain(labels::value_type(context, label));
    let mut column = ScopeColumn::new(&name.name, Some(ty), name.span, label_name);
    column.label = Some(label);
    column.taint = tainted;
    record.columns.push(column);
    ColumnId(record.columns.len() as u32 - 1)
}

/// Where a label's value comes from.
struct Resolved {
    value: Expr,
    drop_when: Option<Expr>,
    null_drops: bool,
}

fn resolve_body(
    context: &mut Context<'_>,
    body: &LabelBody,
    fields: &Record,
    label: Option<LabelId>,
) -> Option<Resolved> {
    match body {
        LabelBody::Value { value, else_drop } => resolve_value(context, value, else_drop.is_some(), fields, label),
        LabelBody::Block(items) => resolve_block(context, items, fields, label),
    }
}

fn resolve_value(
    context: &mut Context<'_>,
    value: &ast::Expr,
    null_drops: bool,
    fields: &Record,
    label: Option<LabelId>,
) -> Option<Resolved> {
    // The names of an unknown label's values are unknown too.
    let fields = &Record { columns: fields.columns.clone(), complete: fields.complete && label.is_some() };
    let view = View::of(fields);
    let (resolved, drop_when, open) = match &value.kind {
        ast::ExprKind::Match { subject, arms } => {
            let matched = matching::resolve_match(context, &view, subject, arms, value.span, label)?;
            (matched.value, matched.drop_when, matched.open)
        }
        ast::ExprKind::Name(name) if fields.find(&name.name).is_some() => {
            (resolve_expr(context, &view, value, None)?, None, false)
        }
        _ => (resolve_expr(context, &view, value, label)?, None, false),
    };
    let label = label?;
    if !check_type(context, &resolved, label) {
        return None;
    }
    check_raw_texts(context, &resolved, label);
    if resolved.ty.nullable && !null_drops {
        report_null(context, value, &resolved, open);
        return None;
    }
    // A whole number is a number.
    let resolved = match labels::value_type(context, label) {
        Type::Float => compare::convert(resolved, &Type::Float)?,
        _ => resolved,
    };
    Some(Resolved { value: resolved, drop_when, null_drops })
}

/// Whether a raw value of one type can be a label's value: a choice is read from a text, a record may have further members.
fn fits(given: &Type, wanted: &Type) -> bool {
    match (given, wanted) {
        // A record may stand in a text as JSON.
        (Type::String, Type::Label(_) | Type::Record(_)) | (Type::Int, Type::Float) => true,
        (Type::List(given), Type::List(wanted)) => fits(&given.ty, &wanted.ty),
        (Type::Record(given), Type::Record(wanted)) => wanted.iter().all(|(name, wanted)| {
            given
                .iter()
                .any(|(own, given)| own == name && fits(&given.ty, &wanted.ty) && (wanted.nullable || !given.nullable))
        }),
        _ => given == wanted,
    }
}

/// A raw value must be what the label's schema says.
fn check_type(context: &mut Context<'_>, value: &Expr, label: LabelId) -> bool {
    let wanted = labels::value_type(context, label);
    if value.ty.ty == Type::Label(label) || fits(&value.ty.ty, &wanted) {
        return true;
    }
    let shown = show(context, &value.ty);
    let name = context.program[label].name.clone();
    let (needs, help) = match &wanted {
        Type::Label(_) => {
            let first = listed_values(context, label).and_then(|values| values.first());
            let first = first.map_or("…", |value| value.name.as_str());
            ("texts".to_owned(), format!("map it: `match {{ … => {first}; else => drop }}`"))
        }
        other => {
            let wanted = show(context, &FieldType::plain(other.clone()));
            (format!("of type `{wanted}`"), format!("give it a field of type `{wanted}`"))
        }
    };
    context.report(
        Diagnostic::new(
            Code::WrongType,
            format!("the values of `{name}` are {needs}, and this is `{shown}`"),
            value.span,
            format!("is `{shown}`"),
        )
        .help(help),
    );
    false
}

/// A constant that an arm gives as a text must be a value too.
fn check_raw_texts(context: &mut Context<'_>, value: &Expr, label: LabelId) {
    match &value.kind {
        ExprKind::Literal(Literal::String(name))
            if !values_are_open(context, label) && !has_value(context, label, name) =>
        {
            super::labels::value_literal(context, label, name, value.span);
        }
        ExprKind::Match { arms, otherwise, .. } => {
            for (_, body) in arms {
                check_raw_texts(context, body, label);
            }
            if let Some(otherwise) = otherwise {
                check_raw_texts(context, otherwise, label);
            }
        }
        _ => {}
    }
}

fn report_null(context: &mut Context<'_>, value: &ast::Expr, resolved: &Expr, open: bool) {
    if open && let ast::ExprKind::Match { arms, .. } = &value.kind {
        let drops = arms.iter().any(|arm| matches!(arm.body, ArmBody::Drop(_)));
        let instead = if drops { "another value" } else { "a value" };
        context.error(
            Code::MatchNotExhaustive,
            "a value without an arm would give null",
            value.span,
            "not every value has an arm",
            format!("add `else => drop`, or `else =>` and {instead}"),
        );
        return;
    }
    let shown = show(context, &resolved.ty);
    context.error(
        Code::NullableValue,
        "a label is never null, and this may be",
        resolved.span,
        format!("is `{shown}`"),
        "say what becomes of such a record: `else drop` after it, or a default with `??`",
    );
}

/// The block form. Gold alone is lowered; what people, rules and models say is checked here and refused at the build.
fn resolve_block(
    context: &mut Context<'_>,
    items: &[LabelItem],
    fields: &Record,
    label: Option<LabelId>,
) -> Option<Resolved> {
    let mut gold = None;
    let mut once = super::quantities::Once::default();
    let mut origins = 0_u32;
    for item in items {
        match &item.kind {
            LabelItemKind::From { value, else_drop } => {
                origins += 1;
                if once.first(context, "from", item.span) {
                    gold = resolve_value(context, value, else_drop.is_some(), fields, label);
                }
            }
            LabelItemKind::FromAnnotations(_) => origins += 1,
            LabelItemKind::FromRule { condition, value, .. } => {
                origins += 1;
                resolve_condition(context, &View::of(fields), condition);
                if let Some(resolved) = resolve_expr(context, &View::of(fields), value, label)
                    && let Some(label) = label
                {
                    check_type(context, &resolved, label);
                    check_raw_texts(context, &resolved, label);
                }
            }
            LabelItemKind::FromModel { model, condition, .. } => {
                origins += 1;
                names::look_up(context, model, Kind::Train);
                if let Some(condition) = condition {
                    check_figure(context, condition, "confidence");
                }
            }
            LabelItemKind::Resolve { method, .. } => {
                super::quantities::word(context, method, "method", &METHODS.map(|method| (method, ())));
            }
            LabelItemKind::Require(condition) => check_figure(context, condition, "alpha"),
        }
    }
    if origins == 0
        && let Some(item) = items.first()
    {
        context.error(
            Code::MissingStatement,
            "this label has no value: its block says no `from`",
            item.span,
            "needs `from`",
            "say where the values come from: `from category`",
        );
    }
    gold
}

/// A condition on the one figure that a statement has.
fn check_figure(context: &mut Context<'_>, condition: &ast::Expr, figure: &str) {
    let Some((compared, ..)) = gates::comparison(context, condition, &format!("{figure} >= 0.7")) else { return };
    if !matches!(&compared.kind, ast::ExprKind::Name(name) if name.name == figure) {
        context.error(
            Code::UnknownMetric,
            format!("only `{figure}` is known here"),
            compared.span,
            "unknown figure",
            format!("write `{figure}`"),
        );
    }
}
