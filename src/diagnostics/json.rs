//! Diagnostics for programs: one line of JSON each.

use serde::Serialize;

use super::render::sorted;
use super::{Diagnostic, Severity};
use crate::source::{SourceMap, Span};

/// All diagnostics in the order of the text, one line each.
///
/// `line` and `column` are 1-based; `column` and `length` count characters. `help` and `suggestion` are `null` where there
/// is none; a suggestion is a text that may stand in the place of another.
pub fn render_json(diagnostics: &[Diagnostic], sources: &SourceMap) -> String {
    sorted(diagnostics).into_iter().map(|diagnostic| line(diagnostic, sources) + "\n").collect()
}

fn line(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    let labels = diagnostic.labels.iter();
    let labels = labels.map(|label| Place { at: at(label.span, sources), message: &label.message }).collect();
    let suggestion = diagnostic.suggestion.as_ref();
    let suggestion = suggestion.map(|it| Replacement { at: at(it.span, sources), replacement: &it.replacement });
    let row = Row {
        code: diagnostic.code.id(),
        name: diagnostic.code.name(),
        severity: match diagnostic.severity() {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        message: &diagnostic.message,
        labels,
        help: diagnostic.help.as_deref(),
        suggestion,
    };
    serde_json::to_string(&row).expect("texts and numbers are always JSON")
}

fn at(span: Span, sources: &SourceMap) -> At {
    let (line, column) = sources.file(span.file).line_column(span.start);
    let path = sources.path(span.file).to_string_lossy().into_owned();
    At { path, line, column, length: sources.text(span).chars().count() }
}

#[derive(Serialize)]
struct Row<'d> {
    code: &'d str,
    name: &'d str,
    severity: &'d str,
    message: &'d str,
    labels: Vec<Place<'d>>,
    help: Option<&'d str>,
    suggestion: Option<Replacement<'d>>,
}

#[derive(Serialize)]
struct Place<'d> {
    #[serde(flatten)]
    at: At,
    message: &'d str,
}

#[derive(Serialize)]
struct Replacement<'d> {
    #[serde(flatten)]
    at: At,
    replacement: &'d str,
}

#[derive(Serialize)]
struct At {
    path: String,
    line: usize,
    column: usize,
    length: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostics::Code;
    use crate::source::{FileId, SourceFile};

    #[test]
    fn a_diagnostic_is_one_line() {
        let mut sources = SourceMap::default();
        sources.add(SourceFile::new("spec.annot", "annot 1\n// ä\n  ä pathh \"x\"\n"));
        let start = sources.file(FileId(0)).text.find("pathh").expect("the word stands in the text");
        let span = Span::new(FileId(0), start, start + 5);
        let first = Diagnostic::new(Code::UnknownStatement, "unknown statement\n`pathh`", span, "did you mean `path`?")
            .suggest(span, "path");
        let earlier = Diagnostic::new(Code::MissingEdition, "m", Span::new(FileId(0), 0, 5), "l").help("h");
        let expected = concat!(
            r#"{"code":"E0007","name":"missing-edition","severity":"error","message":"m","labels":[{"path":"spec.annot","#,
            r#""line":1,"column":1,"length":5,"message":"l"}],"help":"h","suggestion":null}"#,
            "\n",
            r#"{"code":"E0003","name":"unknown-statement","severity":"error","message":"unknown statement\n`pathh`","#,
            r#""labels":[{"path":"spec.annot","line":3,"column":5,"length":5,"message":"did you mean `path`?"}],"help":null,"#,
            r#""suggestion":{"path":"spec.annot","line":3,"column":5,"length":5,"replacement":"path"}}"#,
            "\n",
        );
        assert_eq!(render_json(&[first, earlier], &sources), expected);
    }
}
