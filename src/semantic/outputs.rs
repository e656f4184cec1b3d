//! What a data set writes: formats, their templates, the folders' names.

use std::collections::BTreeMap;

use super::names::{self, Found, Kind};
use super::quantities::known_settings;
use super::scope::Record;
use super::{Context, cleaning, suggest, taint, templates};
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::{Output, OutputFormat, Step, StepBlock, StepKind, TemplateId, TemplateKind, Turn};
use crate::source::Span;
use crate::syntax::ast::{Decl, Ident, Setting};

/// The kinds of template that a format renders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// None: it writes the columns.
    Columns,
    /// A template of one of these kinds.
    Template(&'static [&'static str]),
}

/// A row of the table of formats.
pub(super) struct Format {
    /// Its name.
    pub(super) name: &'static str,
    /// How it is written; `None` for one that is refused at the build.
    pub(super) written: Option<OutputFormat>,
    /// What it needs.
    pub(super) needs: Needs,
}

const fn row(name: &'static str, written: Option<OutputFormat>, needs: Needs) -> Format {
    Format { name, written, needs }
}

/// The formats of the language.
pub(super) const FORMATS: [Format; 13] = [
    row("messages", Some(OutputFormat::Messages), Needs::Template(&["chat"])),
    row("alpaca", Some(OutputFormat::Alpaca), Needs::Template(&["chat", "completion"])),
    row("prompt_completion", Some(OutputFormat::PromptCompletion), Needs::Template(&["chat", "completion"])),
    row("jsonl", Some(OutputFormat::Jsonl), Needs::Columns),
    row("parquet", Some(OutputFormat::Parquet), Needs::Columns),
    row("sharegpt", None, Needs::Template(&["chat"])),
    row("segments", None, Needs::Template(&["chat", "completion"])),
    row("tokenized", None, Needs::Template(&["chat", "completion", "text"])),
    row("preference", Some(OutputFormat::Preference), Needs::Template(&["preference"])),
    row("unpaired", None, Needs::Template(&["preference", "completion"])),
    row("text", None, Needs::Template(&["text", "completion"])),
    row("arrow", None, Needs::Columns),
    row("csv", None, Needs::Columns),
];

/// A `write` statement.
pub(super) struct Write<'s> {
    pub(super) format: &'s Ident,
    pub(super) template: Option<&'s Ident>,
    pub(super) name: Option<&'s Ident>,
    pub(super) settings: &'s [Setting],
    pub(super) span: Span,
}

/// Resolves the outputs of a data set and reports what leaks into them. A format that cannot be written stands not among
/// them.
pub(super) fn resolve_outputs(context: &mut Context<'_>, writes: &[Write<'_>], record: &Record) -> Vec<Output> {
    let mut outputs: Vec<Output> = Vec::new();
    let mut folders: BTreeMap<String, Span> = BTreeMap::new();
    for write in writes {
        let folder = write.name.unwrap_or(write.format);
        if let Some(name) = write.name {
            names::check_file_name(context, name, "an output");
        }
        // Two names that differ in case alone are one folder on some machines.
        let plain = folder.name.to_lowercase();
        if let Some(first) = folders.get(&plain) {
            context.report(
                Diagnostic::new(
                    Code::DuplicateName,
                    format!("two outputs are named `{}`", folder.name),
                    folder.span,
                    "the same folder again",
                )
                .label(*first, "first written here")
                .help(format!("name one of them: `write {} as other`", write.format.name)),
            );
        }
        folders.entry(plain).or_insert(folder.span);
        outputs.extend(resolve_write(context, write, folder, record));
    }
    outputs
}

/// The steps by which outputs take records out that they cannot hold.
pub(super) fn asked_of_records(context: &Context<'_>, outputs: &[Output]) -> Vec<Step> {
    let pairs = outputs.iter().enumerate().filter(|(_, output)| output.format == OutputFormat::Preference);
    let step = |(at, output): (usize, &Output)| {
        let kind = StepKind::Pair { output: at };
        cleaning::step(context, StepBlock::Write, &output.name, kind, "two different answers".to_owned(), output.span)
    };
    pairs.map(step).collect()
}

fn resolve_write(context: &mut Context<'_>, write: &Write<'_>, folder: &Ident, record: &Record) -> Option<Output> {
    known_settings(context, write.settings, &format!("`write {}`", write.format.name), &[]);
    let Some(format) = FORMATS.iter().find(|format| format.name == write.format.name) else {
        let help = suggest(&write.format.name, FORMATS.iter().map(|format| format.name), "formats");
        context.error(
            Code::UnknownFormat,
            format!("there is no format `{}`", write.format.name),
            write.format.span,
            "unknown format",
            help,
        );
        if let Some(template) = write.template {
            names::look_up(context, template, Kind::Template);
        }
        return None;
    };
    let template = match format.needs {
        Needs::Columns => {
            check_columns(context, write, record);
            None
        }
        Needs::Template(kinds) => Some(resolve_template(context, write, kinds, record)?),
    };
    Some(Output { name: folder.name.clone(), format: format.written?, template, span: write.span })
}

/// Formats that hold one exchange take a chat of one, and what is learnt stands last.
fn check_shape(context: &mut Context<'_>, write: &Write<'_>, name: &Ident, template: TemplateId) {
    let TemplateKind::Chat(turns) = &context.program[template].kind else { return };
    let roles: Vec<&str> = turns
        .iter()
        .map(|turn| match turn {
            Turn::Text { role, .. } => role.as_str(),
            Turn::Field { .. } => "turns",
        })
        .collect();
    let ends_with_answer = matches!(turns.last(), Some(Turn::Text { role, trained: true, .. }) if role == "assistant");
    let (fits, needs) = match write.format.name.as_str() {
        "alpaca" => (
            matches!(roles[..], ["user", "assistant"] | ["system", "user", "assistant"]),
            "one exchange: `user` and `assistant`, after a `system` or alone",
        ),
        "prompt_completion" => {
            (turns.len() > 1 && ends_with_answer, "a chat that ends with an `assistant` turn which is learnt")
        }
        _ => (true, ""),
    };
    // What a template without an answer lacks was reported where it is declared.
    if !fits && roles.contains(&"assistant") {
        let place = context.program[template].span;
        context.report(
            Diagnostic::new(
                Code::TemplateDoesNotFit,
                format!("`{}` holds {needs}", write.format.name),
                name.span,
                "has other turns",
            )
            .label(place, "declared here")
            .help("write it as `messages`, which holds any turns"),
        );
    }
}

fn check_columns(context: &mut Context<'_>, write: &Write<'_>, record: &Record) {
    // A rule with a mistake may be the one that would have taken the nulls out.
    let whole = !crate::diagnostics::has_errors(&context.diagnostics);
    if let Some(template) = write.template {
        context.error(
            Code::TemplateDoesNotFit,
            format!("`{}` writes the fields as they are", write.format.name),
            template.span,
            "takes no template",
            "take `from` and the template out",
        );
    }
    for column in record.columns.iter().filter(|column| !column.hidden) {
        if whole && write.format.name == "jsonl" && column.current().is_some_and(|ty| ty.nullable) {
            let declared = column.declared.first().copied().unwrap_or(write.span);
            context.report(
                Diagnostic::new(
                    Code::NullInOutput,
                    format!("`{}` may be null, and a line of `jsonl` holds no null: the build would stop there", column.name),
                    write.format.span,
                    "every line has every field",
                )
                .label(declared, format!("`{}` may be null", column.name))
                .help(format!(
                    "give it a default with `??`, drop such records (`drop \"…\" when {} is null`), leave the field out with `@drop`, or write `parquet`",
                    column.name
                )),
            );
        }
        taint::check_column(context, column, write.span, &format!("`write {}`", write.format.name));
    }
}

fn resolve_template(
    context: &mut Context<'_>,
    write: &Write<'_>,
    kinds: &[&str],
    record: &Record,
) -> Option<TemplateId> {
    let Some(name) = write.template else {
        context.error(
            Code::TemplateDoesNotFit,
            format!("`{}` needs a template", write.format.name),
            write.format.span,
            "names no template",
            format!("name a `{}` template: `write {} from NAME`", kinds[0], write.format.name),
        );
        return None;
    };
    let Found::Declared(Decl::Template(template)) = names::look_up(context, name, Kind::Template) else { return None };
    let id = templates::template_id(context, name)?;
    if !kinds.contains(&template.kind.name.as_str()) && templates::is_kind(&template.kind.name) {
        context.report(
            Diagnostic::new(
                Code::TemplateDoesNotFit,
                format!("`{}` needs a `{}` template", write.format.name, kinds.join("` or `")),
                name.span,
                format!("is a `{}` template", template.kind.name),
            )
            .label(template.kind.span, "declared here")
            .help(format!("give it a template of the kind `{}`", kinds[0])),
        );
        return None;
    }
    check_shape(context, write, name, id);
    templates::check_use(context, id, record, name.span, &format!("`write {}`", write.format.name));
    Some(id)
}
