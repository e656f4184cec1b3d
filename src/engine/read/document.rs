//! Markdown and HTML files, each one record: the text, and what the file says of itself.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::cell::{Cell, RowError};
use super::html::page;
use super::json::JsonShape;
use super::shape::RecordPlace;
use crate::hir::{Source, SourceFormat};

/// How the files of a source become cells.
#[derive(Debug)]
pub struct DocumentShape {
    fields: JsonShape,
    format: SourceFormat,
    /// Whether a field asks for the file's name.
    with_path: bool,
}

impl DocumentShape {
    /// The shape of a source's documents.
    pub fn new(source: &Source) -> Self {
        let with_path = source.fields.iter().any(|field| field.column == ["path"]);
        Self { fields: JsonShape::new(&source.fields, "front matter"), format: source.format, with_path }
    }

    /// The cells of one document.
    ///
    /// # Errors
    /// Front matter that is no YAML, or a value of another type.
    pub fn read(&self, text: &str, place: RecordPlace<'_>, cells: &mut Vec<Cell<'_>>) -> Result<(), RowError> {
        let mut members = match self.format {
            SourceFormat::Html => page(text),
            _ => markdown(text)?,
        };
        if self.with_path {
            members.insert("path".to_owned(), place.file.into());
        }
        let record = Value::Object(members).to_string();
        let mut read = Vec::new();
        self.fields.read(&record, &mut read)?;
        cells.clear();
        for cell in read {
            cells.push(cell.into_owned());
        }
        Ok(())
    }
}

/// What a Markdown file holds: the members of its front matter, `text`, which is all behind it, and `title`, which is the
/// first heading where the front matter has none.
fn markdown(text: &str) -> Result<Map<String, Value>, RowError> {
    let (mut members, body) = match front_matter(text) {
        Some((yaml, body)) => match serde_yaml::from_str::<Value>(yaml) {
            Ok(Value::Object(members)) => (members, body),
            Ok(Value::Null) => (Map::new(), body),
            // What stands between two rules is text too.
            Ok(_) => (Map::new(), text),
            Err(error) => {
                let line = error.location().map_or(2, |at| at.line() + 1);
                return Err(format!("the front matter is no YAML at line {line} of the file"));
            }
        },
        None => (Map::new(), text),
    };
    if !members.contains_key("title")
        && let Some(heading) = body.lines().find_map(|line| line.strip_prefix("# "))
    {
        members.insert("title".to_owned(), heading.trim().trim_end_matches('#').trim_end().into());
    }
    members.insert("text".to_owned(), body.trim_matches(['\n', '\r']).into());
    Ok(members)
}

/// The YAML between two lines `---` at the very beginning, and what stands behind it.
fn front_matter(text: &str) -> Option<(&str, &str)> {
    let first = text.lines().next()?;
    if first.trim_end() != "---" {
        return None;
    }
    let begin = first.len() + text[first.len()..].find('\n')? + 1;
    let mut at = begin;
    for line in text[begin..].split_inclusive('\n') {
        if matches!(line.trim_end(), "---" | "...") {
            return Some((&text[begin..at], &text[at + line.len()..]));
        }
        at += line.len();
    }
    None
}

/// A text without markup, by the language's own function.
pub(super) fn without_markup(html: &str) -> Cow<'_, str> {
    let strip = crate::plan::functions::lookup("strip_html").map(|function| function.eval);
    let Some(crate::plan::functions::Eval::Text(strip)) = strip else {
        unreachable!("the language has a function of this name, from texts to texts")
    };
    strip(html, &crate::plan::functions::Constants::NONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn front_matter_and_body_are_told_apart() {
        let cases = [
            ("---\ntitle: A\ntags: [x, y]\nday: 2024-05-01\n---\n\nBody\n", Some(("A", "Body"))),
            ("# Heading #\r\n\r\nBody", Some(("Heading", "# Heading #\r\n\r\nBody"))),
            ("---\nno end", Some(("", "---\nno end"))),
            ("---\nrule\n---\nx", Some(("", "---\nrule\n---\nx"))),
            ("---\n---\n# T\n", Some(("T", "# T"))),
            ("--- \r\ntitle: \"B\"\r\n...\r\nx", Some(("B", "x"))),
            ("---\na: [\n---\nx", None),
        ];
        for (text, expected) in cases {
            let found = markdown(text).ok();
            let member = |name: &str| found.as_ref().and_then(|found| found.get(name)?.as_str()).unwrap_or_default();
            let got = found.as_ref().map(|_| (member("title"), member("text")));
            assert_eq!(got, expected, "{text:?}");
        }
        let found = markdown("---\nday: 2024-05-01\ndeep: {a: 1}\n---\n").unwrap();
        assert_eq!((found["day"].as_str(), found["deep"]["a"].as_i64()), (Some("2024-05-01"), Some(1)));
    }
}
