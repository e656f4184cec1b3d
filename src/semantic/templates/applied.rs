//! A template where a record is given to it: unknown fields, nulls, personal data, answers that are copied.

use std::collections::BTreeSet;

use super::super::scope::{Record, ScopeColumn, View};
use super::super::types::{show, unknown_field};
use super::super::{Context, answers, index, suggest, taint};
use super::Read;
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::{FieldType, TemplateId, Type};
use crate::prompt::Variable;
use crate::source::Span;
use crate::syntax::ast::Ident;

/// Checks a template against the record that a statement gives it: unknown fields, nulls, personal data.
pub(in crate::semantic) fn check_use(
    context: &mut Context<'_>,
    template: TemplateId,
    record: &Record,
    user: Span,
    arrives: &str,
) {
    let (index, place) = (template.0 as usize, context.program[template].span);
    index::enter(context, place, record);
    let reads = std::mem::take(&mut context.template_facts[index].reads);
    let mut printed: BTreeSet<&str> = BTreeSet::new();
    for read in &reads {
        match read {
            Read::Variable(variable, span, places) => {
                let twice = !printed.insert(&variable.name);
                check_variable(context, record, variable, (*span, places), user, arrives, twice);
            }
            Read::Braced(name, span) => check_braced(context, record, name, *span, user),
            Read::Turns(field) => check_turns(context, record, field, user, arrives),
        }
    }
    context.template_facts[index].reads = reads;
    let copied = answers::answer_in_prompt(&context.template_facts[index], record, user);
    context.diagnostics.extend(copied);
}

fn check_variable(
    context: &mut Context<'_>,
    record: &Record,
    variable: &Variable,
    (span, places): (Span, &[Span]),
    user: Span,
    arrives: &str,
    twice: bool,
) {
    let found = record.find(&variable.name).map(|id| record.column(id)).filter(|column| !column.hidden);
    let Some(column) = found else {
        if record.complete {
            let visible = record.columns.iter().filter(|column| !column.hidden).map(|column| column.name.as_str());
            let help = suggest(&variable.name, visible, "fields");
            context.report(
                Diagnostic::new(
                    Code::UnknownTemplateVariable,
                    format!("the record has no field `{}`", variable.name),
                    span,
                    "unknown field",
                )
                .label(user, "the template is used here")
                .help(help),
            );
        }
        return;
    };
    let length = variable.name.len();
    for place in places {
        let name = Span { end: place.start + length as u32, ..*place };
        index::refer_to_column(context, name, column);
    }
    let Some(ty) = column.current() else { return };
    check_members(context, &ty, variable, span);
    if ty.nullable && variable.printed {
        context.report(
            Diagnostic::new(
                Code::NullInTemplate,
                format!("`{}` may be null, and would stand in the text as `none`", variable.name),
                span,
                "may be null",
            )
            .label(user, "the template is used here")
            .help(format!(
                "write `{{{{ {0}|default(\"\", true) }}}}`, or drop such records: `drop \"…\" when {0} is null`",
                variable.name
            )),
        );
    }
    if !twice {
        leak(context, column, span, user, arrives);
    }
}

/// A field's name in single braces prints the name, not the field.
fn check_braced(context: &mut Context<'_>, record: &Record, name: &str, span: Span, user: Span) {
    if record.find(name).is_none_or(|id| record.column(id).hidden) {
        return;
    }
    context.report(
        Diagnostic::new(
            Code::SingleBraces,
            format!("`{{{name}}}` stands in the text as it is written"),
            span,
            "prints no field",
        )
        .label(user, "the template is used here")
        .help(format!("a field is printed by two braces: `{{{{ {name} }}}}`")),
    );
}

fn leak(context: &mut Context<'_>, column: &ScopeColumn, span: Span, user: Span, arrives: &str) {
    let Some(taint) = column.taint.clone() else { return };
    let taint = taint.through(span, format!("the template prints `{}` here", column.name));
    taint::report_leak(context, &column.name, &taint, user, arrives);
}

/// Walks the members; below a list everything may be.
fn check_members(context: &mut Context<'_>, ty: &FieldType, variable: &Variable, span: Span) {
    let mut ty = ty.clone();
    for member in &variable.members {
        let known: Vec<String> = match &ty.ty {
            Type::Record(members) => members.iter().map(|(name, _)| name.clone()).collect(),
            Type::Label(_) => ["name", "title", "guideline"].map(str::to_owned).to_vec(),
            Type::List(_) => return,
            Type::String | Type::Int | Type::Float | Type::Bool | Type::Date | Type::Timestamp => Vec::new(),
        };
        if !known.contains(member) {
            let shown = show(context, &ty);
            let help = suggest(member, known.iter().map(String::as_str), "members");
            context.error(
                Code::UnknownTemplateVariable,
                format!("`{}` is `{shown}` and has no member `{member}`", variable.name),
                span,
                "unknown member",
                help,
            );
            return;
        }
        let next = match &ty.ty {
            Type::Record(members) => members.iter().find(|(name, _)| name == member).map(|(_, ty)| ty.clone()),
            _ => None,
        };
        let Some(next) = next else { return };
        ty = next;
    }
}

fn check_turns(context: &mut Context<'_>, record: &Record, field: &Ident, user: Span, arrives: &str) {
    let Some(id) = record.find(&field.name) else {
        unknown_field(context, &View::of(record), field);
        return;
    };
    let column = record.column(id);
    index::refer_to_column(context, field.span, column);
    let Some(ty) = column.current() else { return };
    let text = |members: &[(String, FieldType)], name: &str| {
        members.iter().any(|(member, ty)| member == name && ty.ty == Type::String && !ty.nullable)
    };
    let fits = match &ty.ty {
        Type::List(of) => {
            matches!(&of.ty, Type::Record(members) if text(members, "role") && text(members, "content")) && !of.nullable
        }
        _ => false,
    };
    if !fits || ty.nullable {
        let shown = show(context, &ty);
        let mut diagnostic = Diagnostic::new(
            Code::WrongType,
            format!("`turns` needs a list of turns, and `{}` is `{shown}`", field.name),
            field.span,
            format!("is `{shown}`"),
        );
        if let Some(declared) = column.declared.first() {
            diagnostic = diagnostic.label(*declared, "declared here");
        }
        context.report(diagnostic.help("declare it `list<{ role: string, content: string }>`"));
    }
    leak(context, column, field.span, user, arrives);
}
