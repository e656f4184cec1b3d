//! What a run learns: the task against the data set's record.

use super::names::{self, Found, Kind};
use super::scope::View;
use super::types::{show, unknown_field};
use super::{Context, answers, index, labels, suggest, taint, templates};
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::{self, ColumnId, LabelId, LabelSchema, LabelValues, ScalarSchema, StepKind, Type};
use crate::source::Span;
use crate::syntax::ast::train::Task;
use crate::syntax::ast::{Decl, Ident};

/// The tasks, with what they take after `from`.
pub(super) const TASKS: [(&str, Takes); 6] = [
    ("classify", Takes::LabelFromField),
    ("regress", Takes::LabelFromField),
    ("tag", Takes::Label),
    ("generate", Takes::Template(&["chat", "completion"])),
    ("prefer", Takes::Template(&["preference"])),
    ("embed", Takes::Template(&["completion"])),
];

#[derive(Debug, Clone, Copy)]
pub(super) enum Takes {
    LabelFromField,
    Label,
    Template(&'static [&'static str]),
}

/// The weight of the reference where a run says none.
const BETA: f64 = 0.1;

/// A checked task.
pub(super) struct Resolved {
    /// Its word.
    pub(super) word: &'static str,
    /// The label that it learns.
    pub(super) label: Option<LabelId>,
    /// The field that it reads.
    pub(super) text: Option<String>,
    /// The task of the program, when it can be trained.
    pub(super) lowered: Option<hir::Task>,
}

/// Resolves a task against the record of a data set; `None` after a report.
pub(super) fn resolve_task(
    context: &mut Context<'_>,
    task: &Task,
    data: Option<usize>,
    span: Span,
) -> Option<Resolved> {
    let Some((word, takes)) = TASKS.iter().find(|(word, _)| *word == task.kind.name) else {
        let help = suggest(&task.kind.name, TASKS.iter().map(|(word, _)| *word), "tasks");
        context.error(
            Code::UnknownWord,
            format!("`{}` is no task", task.kind.name),
            task.kind.span,
            "unknown task",
            help,
        );
        return None;
    };
    match takes {
        Takes::Template(kinds) => from_template(context, task, word, kinds, data, span),
        Takes::Label | Takes::LabelFromField => from_field(context, task, word, *takes, data, span),
    }
}

fn from_template(
    context: &mut Context<'_>,
    task: &Task,
    word: &'static str,
    kinds: &[&str],
    data: Option<usize>,
    span: Span,
) -> Option<Resolved> {
    let Some(name) = &task.from else {
        misses(context, span, format!("`{word}` needs a template"), format!("write `task {word} from NAME`"));
        return None;
    };
    let Found::Declared(Decl::Template(template)) = names::look_up(context, name, Kind::Template) else { return None };
    if !kinds.contains(&template.kind.name.as_str()) && templates::is_kind(&template.kind.name) {
        context.report(
            Diagnostic::new(
                Code::TaskDoesNotFit,
                format!("`{word}` needs a `{}` template", kinds.join("` or `")),
                name.span,
                format!("is a `{}` template", template.kind.name),
            )
            .label(template.kind.span, "declared here")
            .help(format!("name a template of the kind `{}`", kinds[0])),
        );
        return None;
    }
    let template = templates::template_id(context, name)?;
    if let Some(data) = data {
        let place = context.names.get(name).map(|declared| declared.place);
        context.datasets[data].uses.extend(place);
        let record = context.datasets[data].record.clone();
        templates::check_use(context, template, &record, name.span, &format!("`task {word}`"));
    }
    let lowered = match word {
        "prefer" => hir::Task::Prefer { template, beta: BETA },
        "embed" => hir::Task::Embed { template },
        _ => hir::Task::Generate { template },
    };
    let lowered = Some(lowered);
    Some(Resolved { word, label: None, text: None, lowered })
}

fn misses(context: &mut Context<'_>, span: Span, message: String, help: String) {
    context.error(Code::MissingStatement, message, span, "is not whole", help);
}

fn from_field(
    context: &mut Context<'_>,
    task: &Task,
    word: &'static str,
    takes: Takes,
    data: Option<usize>,
    span: Span,
) -> Option<Resolved> {
    let Some(name) = &task.label else {
        misses(context, span, format!("`{word}` needs a label"), format!("write `task {word} LABEL from FIELD`"));
        return None;
    };
    let declared = matches!(names::look_up(context, name, Kind::Label), Found::Declared(_));
    let label = labels::label_id(context, name).filter(|_| declared);
    let column = match (label, data) {
        (Some(label), Some(data)) => label_column(context, name, label, word, data),
        _ => None,
    };
    let text = match (&task.from, takes) {
        (Some(field), _) => data.and_then(|data| text_column(context, field, word, data)),
        (None, Takes::LabelFromField) => {
            misses(
                context,
                span,
                format!("`{word}` needs a text"),
                format!("write `task {word} {} from FIELD`", name.name),
            );
            None
        }
        (None, Takes::Label | Takes::Template(_)) => None,
    };
    let label = label?;
    if let (Some(data), Some(label), Some(text), Some(from)) = (data, column, text, &task.from) {
        answers::check_task(context, data, label, text, from);
    }
    if word == "tag" {
        let found = column.zip(data).map(|(column, data)| (label, column, data));
        let text = found.and_then(|(label, column, data)| tagged_text(context, task, label, column, data));
        let (field, lowered) = text.map(|(field, lowered)| (Some(field), Some(lowered))).unwrap_or_default();
        return Some(Resolved { word, label: Some(label), text: field, lowered });
    }
    if word == "classify" && has_one_value(context, name, label) {
        return None;
    }
    let lowered = match (word, column, text) {
        ("classify", Some(label_column), Some(text)) => Some(hir::Task::Classify { label, label_column, text }),
        ("regress", Some(label_column), Some(text)) => Some(hir::Task::Regress { label, label_column, text }),
        _ => None,
    };
    Some(Resolved { word, label: Some(label), text: task.from.as_ref().map(|field| field.name.clone()), lowered })
}

/// Reports a `choice` of one value, which leaves nothing to tell apart.
fn has_one_value(context: &mut Context<'_>, name: &Ident, label: LabelId) -> bool {
    let declared = &context.program[label];
    let LabelSchema::Choice(LabelValues::Listed(values)) = &declared.schema else { return false };
    let [only] = values.as_slice() else { return false };
    let diagnostic = Diagnostic::new(
        Code::TaskDoesNotFit,
        format!("`classify` tells values apart, and `{}` has one: `{}`", name.name, only.name),
        name.span,
        "has one value",
    )
    .label(declared.span, "declared here")
    .help("declare its other values; whether a record has this one is a `choice` of two, or `choices`");
    context.report(diagnostic);
    true
}

/// The text that the spans of a label are of, and the task; `None` after a report.
fn tagged_text(
    context: &mut Context<'_>,
    task: &Task,
    label: LabelId,
    label_column: ColumnId,
    data: usize,
) -> Option<(String, hir::Task)> {
    let name = task.label.as_ref()?;
    let LabelSchema::Spans(spans) = &context.program[label].schema else { return None };
    if spans.may_overlap {
        let place = context.program[label].span;
        context.report(
            Diagnostic::new(
                Code::TaskDoesNotFit,
                format!("the spans of `{}` may overlap, and a word has one tag", name.name),
                name.span,
                "may overlap",
            )
            .label(place, "declared here")
            .help("write `overlap no` behind its kinds"),
        );
        return None;
    }
    let over = context.program.datasets.get(data)?.steps.iter().find_map(|step| match &step.kind {
        StepKind::Label { column, form, .. } if *column == label_column => form.over(),
        _ => None,
    })?;
    let column = context.datasets[data].record.column(over).clone();
    taint::check_column(context, &column, name.span, "`task tag`");
    Some((column.name.clone(), hir::Task::Tag { label, label_column, text: over }))
}

fn label_column(context: &mut Context<'_>, name: &Ident, label: LabelId, word: &str, data: usize) -> Option<ColumnId> {
    let facts = &context.datasets[data];
    let found = facts.record.of_label(label);
    if found.is_none() {
        let complete = facts.record.complete;
        let (dataset, has): (String, Vec<String>) = (
            facts.name.clone(),
            facts
                .record
                .columns
                .iter()
                .filter(|column| column.label.is_some())
                .map(|column| column.name.clone())
                .collect(),
        );
        if complete {
            let help = if has.is_empty() {
                format!("say where it comes from in `{dataset}`: `label {} = FIELD`", name.name).into()
            } else {
                suggest(&name.name, has.iter().map(String::as_str), "its labels")
            };
            context.error(
                Code::TaskDoesNotFit,
                format!("data set `{dataset}` does not have the label `{}`", name.name),
                name.span,
                "not a label of this data set",
                help,
            );
        }
        return None;
    }
    let schema = &context.program[label].schema;
    let fits = match (word, schema) {
        ("classify", LabelSchema::Choice(_) | LabelSchema::Choices(_)) => true,
        ("classify", LabelSchema::Declared(schema)) => {
            matches!(schema.word(), "choice" | "choice tree" | "choices")
        }
        ("tag", LabelSchema::Spans(_)) => true,
        ("tag", LabelSchema::Declared(schema)) => schema.word() == "spans",
        ("regress", LabelSchema::Scalar(schema)) => *schema != ScalarSchema::Flag,
        _ => false,
    };
    if !fits {
        let kind = schema.word();
        let place = context.program[label].span;
        context.report(
            Diagnostic::new(
                Code::TaskDoesNotFit,
                format!("`{word}` cannot learn a `{kind}` label"),
                name.span,
                format!("is a `{kind}`"),
            )
            .label(place, "declared here")
            .help("`classify` learns a `choice` or `choices`, `tag` `spans`, `regress` a `scale` or `number`"),
        );
        return None;
    }
    found
}

fn text_column(context: &mut Context<'_>, field: &Ident, word: &str, data: usize) -> Option<ColumnId> {
    let record = context.datasets[data].record.clone();
    let Some(id) = record.find(&field.name) else {
        unknown_field(context, &View::of(&record), field);
        return None;
    };
    let column = record.column(id);
    index::refer_to_column(context, field.span, column);
    let ty = column.current()?;
    if ty.ty != Type::String {
        let shown = show(context, &ty);
        context.error(
            Code::TaskDoesNotFit,
            format!("`{word}` reads a text, and `{}` is `{shown}`", field.name),
            field.span,
            format!("is `{shown}`"),
            "name a field of type `string`",
        );
        return None;
    }
    if ty.nullable {
        context.error(
            Code::NullableValue,
            format!("`{word}` reads a text, and `{}` may be null", field.name),
            field.span,
            "may be null",
            format!("drop such records: `drop \"no {0}\" when {0} is null`", field.name),
        );
    }
    taint::check_column(context, column, field.span, &format!("`task {word}`"));
    Some(id)
}
