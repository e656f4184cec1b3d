//! Sample values of a field, read from the first rows of its source's first file.
//!
//! A value of a field that may hold personal data never leaves its file. Nor does one of a field in whose first rows a
//! detector finds something: what its author did not declare is personal all the same.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::analysis::Analysis;
use crate::engine::read::csv;
use crate::engine::read::records::{Framing, RecordEnds, trim_line_end};
use crate::hir::{Dialect, Source, SourceField, SourceFormat};
use crate::pii;
use crate::source::Span;

/// How much of a file is looked at, in bytes.
const LOOKED_AT: u64 = 64 << 10;

/// How many rows are looked at.
const ROWS: usize = 50;

/// How many files of a pattern are looked at.
const MOST_FILES: usize = 1000;

/// How many values are shown.
const SHOWN: usize = 3;

/// The longest value that is shown, in characters.
const LONGEST: usize = 40;

/// Up to three short values of the field that is declared at these places; none where there may be anything personal.
pub fn samples(analysis: &Analysis, declared: &[Span], data_root: Option<&Path>) -> Vec<String> {
    let fields = || analysis.program.sources.iter().flat_map(|it| it.fields.iter().map(move |field| (it, field)));
    let is_declared = |field: &SourceField| {
        declared.iter().any(|at| at.file == field.span.file && field.span.start <= at.start && at.end <= field.span.end)
    };
    let Some((_, named)) = fields().find(|(_, field)| is_declared(field)) else { return Vec::new() };
    // A field of the same name in another source is the same field of a record.
    let may_be_personal = |field: &SourceField| {
        field.name == named.name && (field.personal.is_some() || analysis.files.text(field.span).contains("@sensitive"))
    };
    if fields().any(|(_, field)| may_be_personal(field)) {
        return Vec::new();
    }
    let mut values: Vec<String> = Vec::new();
    for (source, field) in fields().filter(|(_, field)| is_declared(field)) {
        values.extend(read(analysis, source, field, data_root));
    }
    if values.iter().any(|value| pii::all().iter().any(|detector| !(detector.find)(value).is_empty())) {
        return Vec::new();
    }
    let is_short = |value: &String| {
        !value.trim().is_empty() && value.chars().count() <= LONGEST && !value.chars().any(char::is_control)
    };
    let mut shown: Vec<String> = Vec::new();
    for value in values.into_iter().filter(is_short) {
        if shown.len() < SHOWN && !shown.contains(&value) {
            shown.push(value);
        }
    }
    shown
}

/// The values of a field in the first rows of its source.
fn read(analysis: &Analysis, source: &Source, field: &SourceField, data_root: Option<&Path>) -> Vec<String> {
    // A source of a used file has its files beside that file.
    let beside = analysis.files.path(analysis.entry).parent().unwrap_or(Path::new("")).join(&source.folder);
    let folders = || std::iter::once(beside.as_path()).chain(data_root);
    let found = source.paths.iter().find_map(|path| folders().find_map(|folder| first_file(folder, path)));
    let Some(path) = found else { return Vec::new() };
    let mut bytes = Vec::new();
    let Ok(file) = File::open(path) else { return Vec::new() };
    if file.take(LOOKED_AT).read_to_end(&mut bytes).is_err() {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_start_matches('\u{feff}');
    // The last line may be cut off in its middle.
    let whole = if (bytes.len() as u64) < LOOKED_AT { text } else { &text[..text.rfind('\n').unwrap_or(0)] };
    match source.format {
        SourceFormat::Jsonl => of_json_lines(whole, &field.column),
        SourceFormat::Csv | SourceFormat::Tsv => of_values(whole, &field.column, source.options.dialect),
        SourceFormat::Json
        | SourceFormat::Text
        | SourceFormat::Conll
        | SourceFormat::Markdown
        | SourceFormat::Html
        | SourceFormat::Parquet
        | SourceFormat::Arrow
        | SourceFormat::Avro
        | SourceFormat::Sqlite => Vec::new(),
    }
}

/// The first file of a path: itself, the first of a folder, or of a pattern.
fn first_file(folder: &Path, path: &str) -> Option<PathBuf> {
    if path.contains("://") || path.ends_with(".gz") || path.ends_with(".zst") {
        return None;
    }
    let whole = folder.join(path);
    if whole.is_file() {
        return Some(whole);
    }
    // The folder is no pattern, whatever characters its name has.
    let fixed = PathBuf::from(glob::Pattern::escape(&folder.to_string_lossy()));
    let pattern = if whole.is_dir() { fixed.join(path).join("*") } else { fixed.join(path) };
    let mut found: Vec<PathBuf> = glob::glob(&pattern.to_string_lossy()).ok()?.take(MOST_FILES).flatten().collect();
    found.retain(|path| path.is_file());
    found.into_iter().min()
}

fn of_json_lines(text: &str, column: &[String]) -> Vec<String> {
    let value = |line: &str| {
        let row: Value = serde_json::from_str(line).ok()?;
        let found = column.iter().try_fold(&row, |value, key| value.get(key))?;
        match found {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(truth) => Some(truth.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    };
    text.lines().take(ROWS).filter_map(value).collect()
}

fn of_values(text: &str, column: &[String], dialect: Dialect) -> Vec<String> {
    let mut records = records(text, dialect).into_iter();
    let [name] = column else { return Vec::new() };
    if !dialect.header {
        return Vec::new();
    }
    let Some(Ok(head)) = records.next().map(|record| csv::split(record, dialect)) else { return Vec::new() };
    let Some(at) = head.iter().position(|field| field.text == *name) else { return Vec::new() };
    let value = |record: &str| Some(csv::split(record, dialect).ok()?.get(at)?.text.clone().into_owned());
    records.take(ROWS).filter_map(value).collect()
}

/// The first records of a text of values, where each ends as in a build.
fn records(text: &str, dialect: Dialect) -> Vec<&str> {
    let (mut found, mut rest) = (Vec::new(), text);
    while found.len() <= ROWS
        && let Some(end) = RecordEnds::new(Framing::Values(dialect)).next_end(rest.as_bytes())
    {
        let record = trim_line_end(&rest.as_bytes()[..end]);
        found.push(&rest[..record.len()]);
        rest = &rest[end..];
    }
    // The last one may have no line end; one that a quote keeps open has no place in the samples.
    if found.len() <= ROWS && !rest.is_empty() {
        found.push(rest);
    }
    found
}
