//! The `source` block as text.

use std::fmt::Write as _;

use super::fields::{Field, Inferred, Role};
use super::shape::write_type;
use crate::emit::count as grouped;
use crate::hir::Type;
use crate::syntax::{written_name, written_text};

/// The widest line; a remark that would not fit stands above its field.
const WIDTH: usize = 110;
/// The widest declaration of a field that others are aligned to.
const ALIGNED: usize = 56;

/// The block of a source that reads `paths`, with remarks as comments. `says_format` is for files whose endings do not
/// say their format.
pub fn write_block(inferred: &Inferred, paths: &[String], says_format: bool) -> String {
    let name = written_name(&inferred.name).expect("the caller names the source by something that can be written");
    let paths: Vec<String> = paths.iter().map(|path| written_text(path)).collect();
    let mut text = format!("source {name} {{\n");
    let mut line = |words: &str| writeln!(text, "{words}").expect("a string takes every write");
    line(&format!("  path    {}", paths.join(", ")));
    let table = inferred.table.as_ref().map(|table| format!(" {{ table {} }}", written_text(table)));
    if says_format || table.is_some() {
        line(&format!("  format  {}{}", inferred.format.word(), table.unwrap_or_default()));
    }
    line("  // license \"CC-BY-4.0\"    under which licence the records may be used, as an SPDX expression");
    line("  fields {");
    write_fields(&inferred.fields, &mut line);
    for left_out in &inferred.left_out {
        let key = written_text(&left_out.key);
        line(&format!("    // not declared: {key} {}", left_out.why));
    }
    line("  }");
    line("}");
    for remark in suggestions(inferred) {
        line(&format!("// {remark}"));
    }
    text
}

fn write_fields(fields: &[Field], line: &mut impl FnMut(&str)) {
    let written: Vec<(String, String)> = fields.iter().map(|field| (shown_name(field), declaration(field))).collect();
    let names = written.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0) + 1;
    let declared = |(name, rest): &(String, String)| format!("    {:<names$} {rest}", format!("{name}:"));
    let lines: Vec<String> = written.iter().map(declared).collect();
    let column = lines.iter().map(|line| line.chars().count()).filter(|&width| width <= ALIGNED).max().unwrap_or(0);
    for (field, declared) in fields.iter().zip(&lines) {
        let remark = described(field).join("; ");
        let begin = column.max(declared.chars().count()) + 4;
        if remark.is_empty() {
            line(declared);
        } else if begin + remark.chars().count() + 3 <= WIDTH {
            line(&format!("{declared:<width$}// {remark}", width = begin));
        } else {
            for part in described(field) {
                line(&format!("    // {part}"));
            }
            line(declared);
        }
    }
}

fn shown_name(field: &Field) -> String {
    written_name(&field.name).expect("a field that no name fits was left out").into_owned()
}

/// The type of a field with its attributes.
fn declaration(field: &Field) -> String {
    let mut declaration = write_type(&field.ty);
    if field.role == Role::Key {
        declaration.push_str(" @key");
    }
    if !field.personal.is_empty() {
        let kinds: Vec<&str> = field.personal.iter().map(|(kind, _)| *kind).collect();
        declaration.push_str(&format!(" @personal({})", kinds.join(", ")));
    }
    if let Some(column) = &field.column {
        declaration.push_str(&format!(" @column({})", written_text(column)));
    }
    declaration
}

/// What is to be said about a field, each a sentence without its end.
fn described(field: &Field) -> Vec<String> {
    let mut remarks = Vec::new();
    if !field.personal.is_empty() {
        let found: Vec<String> =
            field.personal.iter().map(|(kind, count)| format!("{kind} in {}", counted(*count, "text"))).collect();
        remarks.push(found.join(", "));
        if field.ty.ty != Type::String {
            let name = shown_name(field);
            remarks.push(format!(
                "`redact` works on texts alone: a policy says `allow personal {name} because \"…\"`, or the field goes"
            ));
        }
    }
    if field.ty.nullable && field.nulls > 0 {
        remarks.push(format!("null in {}", counted(field.nulls, "row")));
    }
    if !field.without.is_empty() {
        remarks.push(format!("without {}, which no type reads", field.without.join(", ")));
    }
    match &field.role {
        Role::Plain => {}
        Role::Key => remarks.push("differs in every row and is never null".to_owned()),
        Role::Unique => remarks.push("differs in every row: `@key` if it stays with its record".to_owned()),
        Role::Label => {
            let values = field.distinct.expect("a label's values are counted");
            remarks.push(format!("{values} different values"));
        }
        Role::Part(_) => remarks.push("names the parts of a split".to_owned()),
    }
    remarks
}

/// `1 row`, `2,000 rows`.
fn counted(count: u64, noun: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{} {noun}{s}", grouped(count))
}

/// Declarations that the fields suggest.
fn suggestions(inferred: &Inferred) -> Vec<String> {
    let source = written_name(&inferred.name).expect("the source's name can be written");
    let mut lines = Vec::new();
    for field in &inferred.fields {
        let name = shown_name(field);
        match &field.role {
            Role::Label => lines.push(format!(
                "label {}: choice from {source}.{name}    then, in the data set: label {} = {name}",
                label_name(inferred, field),
                label_name(inferred, field)
            )),
            Role::Part(renamed) => {
                lines.push(format!("split as {name}    in the data set: the field says each record's part"));
                if !renamed.is_empty() {
                    let arms: Vec<String> =
                        renamed.iter().map(|(word, part)| format!("{} => \"{part}\"", written_text(word))).collect();
                    let value = format!("{name} match {{ {}; else => {name} }}", arms.join("; "));
                    lines.push(format!("set {name} = {value}    before it, in a `clean`"));
                }
            }
            Role::Plain | Role::Key | Role::Unique => {}
        }
    }
    lines
}

/// A label's name: the field's, unless the source has it, since all declarations share one namespace.
fn label_name(inferred: &Inferred, field: &Field) -> String {
    let name = shown_name(field);
    if field.name == inferred.name { format!("{}_label", field.name.trim_matches('`')) } else { name }
}
