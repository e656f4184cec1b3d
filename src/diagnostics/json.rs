//! Diagnostics for programs: one line of JSON each.

use serde::Serialize;

use super::render::sorted;
use super::{Diagnostic, Severity};
use crate::source::SourceMap;

/// All diagnostics in the order of the text, one line each.
///
/// `line` and `column` are 1-based; `column` and `length` count characters. `help` is `null` where there is none.
pub fn render_json(diagnostics: &[Diagnostic], sources: &SourceMap) -> String {
    sorted(diagnostics).into_iter().map(|diagnostic| line(diagnostic, sources) + "\n").collect()
}

fn line(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    let labels = diagnostic
        .labels
        .iter()
        .map(|label| {
            let (line, column) = sources.file(label.span.file).line_column(label.span.start);
            Place {
                path: sources.path(label.span.file).to_string_lossy().into_owned(),
                line,
                column,
                length: sources.text(label.span).chars().count(),
                message: &label.message,
            }
        })
        .collect();
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
    };
    serde_json::to_string(&row).expect("texts and numbers are always JSON")
}

#[derive(Serialize)]
struct Row<'d> {
    code: &'d str,
    name: &'d str,
    severity: &'d str,
    message: &'d str,
    labels: Vec<Place<'d>>,
    help: Option<&'d str>,
}

#[derive(Serialize)]
struct Place<'d> {
    path: String,
    line: usize,
    column: usize,
    length: usize,
    message: &'d str,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostics::Code;
    use crate::source::{FileId, SourceFile, Span};

    #[test]
    fn a_diagnostic_is_one_line() {
        let mut sources = SourceMap::default();
        sources.add(SourceFile::new("spec.annot", "annot 1\n// ä\n  ä pathh \"x\"\n"));
        let start = sources.file(FileId(0)).text.find("pathh").expect("the word stands in the text");
        let span = Span::new(FileId(0), start, start + 5);
        let first = Diagnostic::new(Code::UnknownStatement, "unknown statement\n`pathh`", span, "did you mean `path`?");
        let earlier = Diagnostic::new(Code::MissingEdition, "m", Span::new(FileId(0), 0, 5), "l").help("h");
        let expected = concat!(
            r#"{"code":"E0007","name":"missing-edition","severity":"error","message":"m","labels":[{"path":"spec.annot","#,
            r#""line":1,"column":1,"length":5,"message":"l"}],"help":"h"}"#,
            "\n",
            r#"{"code":"E0003","name":"unknown-statement","severity":"error","message":"unknown statement\n`pathh`","#,
            r#""labels":[{"path":"spec.annot","line":3,"column":5,"length":5,"message":"did you mean `path`?"}],"help":null}"#,
            "\n",
        );
        assert_eq!(render_json(&[first, earlier], &sources), expected);
    }
}
