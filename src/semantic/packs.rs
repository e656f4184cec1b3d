//! Packs: the published rules behind a name, as ordinary steps.

use std::collections::BTreeMap;

use super::compliance::text_field;
use super::quantities::{Bounds, known_settings, number, setting_quantity, whole, word, wrong_value};
use super::scope::{Record, View};
use super::types::resolve_condition;
use super::{Context, cleaning, index, suggest};
use crate::diagnostics::Code;
use crate::hir::{FromPack, Step, StepBlock, StepKind};
use crate::plan::packs::{self, OptionKind, OptionValue, Pack, PackOption, Written};
use crate::source::{FileId, Span};
use crate::syntax::ast::clean::{Rule, RuleKind};
use crate::syntax::ast::{Decl, Ident, Setting, SettingValue};
use crate::syntax::{self, written_name};

/// The field that a pack reads where none is named.
const FIELD: &str = "text";

/// A statement that names a pack.
pub(super) struct Named<'a> {
    pub(super) name: &'a Ident,
    pub(super) field: Option<&'a Ident>,
    pub(super) settings: &'a [Setting],
    pub(super) span: Span,
}

/// The reasons for which a pack drops records.
pub(super) fn reasons(name: &str) -> Vec<String> {
    let rules = packs::lookup(name).map_or(&[][..], |pack| pack.rules);
    rules.iter().filter(|rule| rule.statement.starts_with("drop ")).map(|rule| rule.name.to_owned()).collect()
}

/// The steps that a pack stands for; none after a report.
pub(super) fn resolve_pack(
    context: &mut Context<'_>,
    named: &Named<'_>,
    block: &str,
    record: &mut Record,
) -> Vec<Step> {
    let Some(pack) = look_up(context, named.name) else { return Vec::new() };
    index::refer_to_pack(context, named.name.span, pack);
    let options = resolve_options(context, pack, named.settings);
    let implied = Ident { name: FIELD.to_owned(), span: named.name.span };
    let field = named.field.unwrap_or(&implied);
    let needs = format!("`pack {}` reads a text", pack.name);
    if named.field.is_none() && record.find(FIELD).is_none() {
        report_no_field(context, named, record);
        return Vec::new();
    }
    let (Some(options), Some(_), Some(written)) =
        (options, text_field(context, record, field, &needs), written_name(&field.name))
    else {
        return Vec::new();
    };
    // What stands in a pack stands in no file: editors are told of the name alone.
    let recorder = context.recorder.take();
    let statements = pack.written(&written, &options);
    let steps = statements.iter().filter_map(|one| resolve_statement(context, named, pack, one, record));
    let steps: Vec<(StepKind, FromPack)> = steps.collect();
    context.recorder = recorder;
    let step = |(kind, from): (StepKind, FromPack)| {
        let rule = pack.rules[from.at].name.to_owned();
        Step { pack: Some(from), ..cleaning::step(context, StepBlock::Clean, block, kind, rule, named.span) }
    };
    steps.into_iter().map(step).collect()
}

fn look_up(context: &mut Context<'_>, name: &Ident) -> Option<&'static Pack> {
    let found = packs::lookup(&name.name);
    if found.is_none() {
        let help = suggest(&name.name, packs::all().iter().map(|pack| pack.name), "packs");
        context.error(Code::UnknownName, format!("there is no pack `{}`", name.name), name.span, "unknown pack", help);
    }
    found
}

fn report_no_field(context: &mut Context<'_>, named: &Named<'_>, record: &Record) {
    if record.complete {
        context.error(
            Code::UnknownField,
            format!("`pack {}` reads the field `{FIELD}`, and the record has none", named.name.name),
            named.name.span,
            format!("reads `{FIELD}`"),
            format!("name the field: `pack {} of FIELD`", named.name.name),
        );
    }
}

/// The options that are given; `None` after a report.
fn resolve_options<'a>(
    context: &mut Context<'_>,
    pack: &'static Pack,
    settings: &'a [Setting],
) -> Option<BTreeMap<&'a str, OptionValue>> {
    let names: Vec<&str> = pack.options.iter().map(|option| option.name).collect();
    let known = known_settings(context, settings, &format!("`pack {}`", pack.name), &names);
    let whole = known.len() == settings.len();
    let values = known.into_iter().map(|setting| {
        let option = pack.options.iter().find(|option| option.name == setting.name.name)?;
        Some((setting.name.name.as_str(), resolve_option(context, option, setting)?))
    });
    let values: Vec<Option<_>> = values.collect();
    values.into_iter().collect::<Option<BTreeMap<_, _>>>().filter(|_| whole)
}

fn resolve_option(context: &mut Context<'_>, option: &'static PackOption, setting: &Setting) -> Option<OptionValue> {
    let words: &[(&str, OptionValue)] = match option.kind {
        OptionKind::Switch => &[("on", OptionValue::On), ("off", OptionValue::Off)],
        OptionKind::Whole(..) | OptionKind::Number(..) => &[("off", OptionValue::Off)],
    };
    if let Some(SettingValue::Word(given)) = &setting.value {
        return word(context, given, &format!("value of `{}`", option.name), words);
    }
    match option.kind {
        OptionKind::Switch => {
            wrong_value(context, setting, "`on` or `off`");
            None
        }
        OptionKind::Whole(_, least, most) => {
            let bounds = Bounds::between(option.name, f64::from(least), f64::from(most));
            let quantity = setting_quantity(context, setting)?;
            whole(context, quantity, bounds).map(|number| OptionValue::Number(number as f64))
        }
        OptionKind::Number(_, least, most) => {
            let quantity = setting_quantity(context, setting)?;
            number(context, quantity, Bounds::between(option.name, least, most)).map(OptionValue::Number)
        }
    }
}

/// One statement of a pack against the record; nothing where what the field holds is unknown.
fn resolve_statement(
    context: &mut Context<'_>,
    named: &Named<'_>,
    pack: &'static Pack,
    written: &Written,
    record: &mut Record,
) -> Option<(StepKind, FromPack)> {
    let rule = parse_statement(&written.statement, named.span.file);
    let kind = match &rule.kind {
        RuleKind::Set { field, value } => cleaning::resolve_set(context, field, value, record, named.span)?,
        RuleKind::Drop { condition, .. } => {
            let condition = resolve_condition(context, &View::of(record), condition)?;
            cleaning::narrow(record, &condition);
            StepKind::Drop { condition }
        }
        RuleKind::Dedup { .. }
        | RuleKind::DedupPieces { .. }
        | RuleKind::Decontaminate { .. }
        | RuleKind::Pack { .. } => unreachable!("a pack sets and drops"),
    };
    let kind = match kind {
        StepKind::Set { column, value } => StepKind::Set { column, value: value.at(named.span) },
        StepKind::Drop { condition } => StepKind::Drop { condition: condition.at(named.span) },
        other => other,
    };
    Some((kind, FromPack { pack: pack.name, at: written.rule, statement: written.statement.clone() }))
}

/// A statement of a pack as it would be read in a `clean` block. Its places lie in no file.
fn parse_statement(statement: &str, file: FileId) -> Rule {
    let (tree, _) = syntax::parse(file, &format!("annot 1\nclean pack {{\n{statement}\n}}\n"));
    let rule = tree.decls.into_iter().find_map(|decl| match decl {
        Decl::Clean(clean) => clean.rules.into_iter().next(),
        _ => None,
    });
    rule.expect("the statements of packs can be read")
}
