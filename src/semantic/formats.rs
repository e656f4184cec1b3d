//! Formats of sources: their options, and the columns that they make by themselves.

use super::quantities::{known_settings, setting_word, whole, word, wrong_value};
use super::{Context, labels, suggest};
use crate::diagnostics::Code;
use crate::engine::read::encoding;
use crate::engine::read::shape::column_number;
use crate::hir::{self, ColumnKind, FORMATS, FieldType, FormatOption, ReadOptions, SourceFormat, TextUnit, Type};
use crate::syntax::ast::{Ident, Quantity, Setting, SettingValue};

/// The units of a row's length, each with its bytes.
pub(super) const SIZES: [(&str, u64); 3] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

/// The longest row that a source may allow.
const LONGEST_ROW: u64 = 1 << 30;

/// The words of all formats.
pub(super) fn words() -> impl Iterator<Item = &'static str> {
    FORMATS.iter().flat_map(|row| row.words.iter().copied())
}

/// The format and the options of a `format` statement; `None` after a report that there is no such format.
pub(super) fn resolve_format(
    context: &mut Context<'_>,
    name: &Ident,
    settings: &[Setting],
) -> Option<(SourceFormat, ReadOptions)> {
    let words: Vec<(&str, SourceFormat)> =
        FORMATS.iter().flat_map(|row| row.words.iter().map(|word| (*word, row.format))).collect();
    let format = word(context, name, "format", &words);
    let known = format.map(|format| format.row().options).unwrap_or_default();
    let mut options = ReadOptions::of(format?);
    let names: Vec<&str> = known.iter().map(|option| option.about().0).collect();
    for setting in known_settings(context, settings, &format!("format `{}`", name.name), &names) {
        let option = known.iter().find(|option| option.about().0 == setting.name.name);
        if let (Some(option), Some(format)) = (option, format) {
            resolve_option(context, *option, format, setting, &mut options);
        }
    }
    check_characters(context, settings, &mut options);
    Some((format?, options))
}

fn resolve_option(
    context: &mut Context<'_>,
    option: FormatOption,
    format: SourceFormat,
    setting: &Setting,
    options: &mut ReadOptions,
) {
    match option {
        FormatOption::Delimiter => {
            let Some(delimiter) = character(context, setting) else { return };
            if format == SourceFormat::Conll {
                options.separator = Some(delimiter);
            } else {
                options.dialect.delimiter = delimiter;
            }
        }
        FormatOption::Quote => match &setting.value {
            Some(SettingValue::Word(word)) if word.name == "off" => options.dialect.quote = None,
            _ => options.dialect.quote = character(context, setting).or(options.dialect.quote),
        },
        FormatOption::Escape => options.dialect.escape = character(context, setting),
        FormatOption::Header => {
            let words = [("on", true), ("off", false)];
            let Some(value) = setting_word(context, setting) else { return };
            options.dialect.header = word(context, value, "answer", &words).unwrap_or(true);
        }
        FormatOption::By => {
            let words = [("line", TextUnit::Line), ("paragraph", TextUnit::Paragraph), ("file", TextUnit::File)];
            let Some(value) = setting_word(context, setting) else { return };
            options.unit = word(context, value, "piece of a text", &words).unwrap_or(TextUnit::Line);
        }
        FormatOption::At => match &setting.value {
            Some(SettingValue::Text(keys)) if !keys.node.split('.').any(str::is_empty) => {
                options.at = keys.node.split('.').map(str::to_owned).collect();
            }
            _ => wrong_value(context, setting, "keys with dots between, in quotes"),
        },
        FormatOption::Table => match &setting.value {
            Some(SettingValue::Text(table)) if !table.node.is_empty() => options.table = Some(table.node.clone()),
            _ => wrong_value(context, setting, "the name of a table, in quotes"),
        },
        FormatOption::Encoding => resolve_encoding(context, setting, options),
    }
}

fn resolve_encoding(context: &mut Context<'_>, setting: &Setting, options: &mut ReadOptions) {
    let Some(SettingValue::Text(label)) = &setting.value else {
        return wrong_value(context, setting, "the name of an encoding, in quotes");
    };
    match encoding::find(&label.node) {
        Some(name) => options.encoding = Some(name).filter(|name| *name != encoding::UTF_8),
        None => {
            let help = suggest(&label.node, encoding::COMMON.iter().copied(), "encodings");
            context.error(
                Code::UnknownWord,
                format!("`{}` is no encoding", label.node),
                label.span,
                "unknown encoding",
                help,
            );
        }
    }
}

/// The one ASCII character that an option has; `None` after a report. A line end means the end of a row, whatever is said.
fn character(context: &mut Context<'_>, setting: &Setting) -> Option<u8> {
    if let Some(SettingValue::Text(text)) = &setting.value
        && let [byte] = text.node.as_bytes()
        && byte.is_ascii()
        && !matches!(byte, b'\n' | b'\r')
    {
        return Some(*byte);
    }
    wrong_value(context, setting, "one ASCII character, in quotes");
    None
}

/// Reports characters that mean two things. An escape that is the quote is what a doubled quote is anyhow.
fn check_characters(context: &mut Context<'_>, settings: &[Setting], options: &mut ReadOptions) {
    let dialect = &mut options.dialect;
    if dialect.escape == dialect.quote {
        dialect.escape = None;
    }
    for (word, other) in [("quote", dialect.quote), ("escape", dialect.escape)] {
        if other == Some(dialect.delimiter) {
            let said = settings.iter().find(|setting| setting.name.name == word);
            let said = said.or_else(|| settings.iter().find(|setting| setting.name.name == "delimiter"));
            if let Some(setting) = said {
                context.error(
                    Code::WrongType,
                    format!("the {word} and the delimiter are the same character"),
                    setting.span,
                    "means two things",
                    "give each a character of its own, or say `quote off`",
                );
            }
        }
    }
}

/// The bytes of `row at most 8 MiB`; `None` after a report.
pub(super) fn resolve_longest_row(context: &mut Context<'_>, quantity: &Quantity) -> Option<u64> {
    let units: [&str; 3] = SIZES.map(|(unit, _)| unit);
    let unit = quantity.unit.as_ref().and_then(|unit| SIZES.iter().find(|(name, _)| *name == unit.name));
    let (Some((_, bytes)), false) = (unit, quantity.percent) else {
        let help = match &quantity.unit {
            Some(unit) => suggest(&unit.name, units.iter().copied(), "units"),
            None => format!("write a unit behind it: `row at most {} MiB`", quantity.value).into(),
        };
        context.error(
            Code::UnknownUnit,
            "the length of a row is told in KiB, MiB or GiB",
            quantity.unit.as_ref().map_or(quantity.span, |unit| unit.span),
            "not a size",
            help,
        );
        return None;
    };
    let highest = (LONGEST_ROW / bytes) as f64;
    let above = super::quantities::Bounds::positive("the length of a row in this unit");
    let bounds = super::quantities::Bounds { high: highest, ..above };
    whole(context, &Quantity { unit: None, ..quantity.clone() }, bounds).map(|value| value * bytes)
}

/// Reports fields that no file of the source's format can have.
pub(super) fn check_columns(context: &mut Context<'_>, source: &hir::Source) {
    let row = source.format.row();
    let values = matches!(source.format, SourceFormat::Csv | SourceFormat::Tsv);
    for field in &source.fields {
        let column = field.column.join(".");
        if values && matches!(field.ty.ty, Type::List(_) | Type::Record(_)) {
            let what = format!("a `{}` file has neither lists nor objects", row.words[0]);
            context.error(Code::WrongType, what, field.span, "no column can be this", "read it as `string`");
        }
        let numbered = column_number(field).is_some();
        if values && !source.options.dialect.header && field.column != [field.name.as_str()] && !numbered {
            context.error(
                Code::BadAttribute,
                "without a header columns have numbers",
                field.span,
                "no number of a column",
                "count from 1: `@column(\"3\")`",
            );
        }
        match row.columns.iter().find(|(name, _)| *name == column) {
            Some((_, kind)) => check_kind(context, source.format, field, *kind),
            None if source.format == SourceFormat::Conll && numbered => {
                check_kind(context, source.format, field, ColumnKind::Texts);
            }
            None if row.columns.is_empty() || row.others && source.format != SourceFormat::Conll => {}
            None => {
                let names = row.columns.iter().map(|(name, _)| *name);
                let help = suggest(&column, names, "columns");
                context.error(
                    Code::UnknownField,
                    format!("a `{}` file has no `{column}`", row.words[0]),
                    field.span,
                    "no such column",
                    help,
                );
            }
        }
    }
}

fn check_kind(context: &mut Context<'_>, format: SourceFormat, field: &hir::SourceField, kind: ColumnKind) {
    let text = FieldType::plain(Type::String);
    let (fits, written) = match kind {
        ColumnKind::Text => (field.ty.ty == Type::String, "string"),
        ColumnKind::Number => (field.ty.ty == Type::Int, "int"),
        ColumnKind::Texts => (matches!(&field.ty.ty, Type::List(item) if item.ty == text.ty), "list<string>"),
        ColumnKind::Spans => (field.ty.ty == labels::spans_type(), "list<{ start: int, end: int, label: string }>"),
    };
    if !fits {
        context.error(
            Code::WrongType,
            format!("`{}` of a `{}` file is a `{written}`", field.column.join("."), format.word()),
            field.span,
            format!("not `{written}`"),
            format!("write `{}: {written}`", field.name),
        );
    }
}
