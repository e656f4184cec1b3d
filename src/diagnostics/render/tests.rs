//! How findings look.

use super::*;
use crate::diagnostics::Code;
use crate::source::Span;

const PLAIN: Look = Look { color: false, unicode: true, width: 80 };

fn sources(texts: &[(&str, &str)]) -> SourceMap {
    let mut sources = SourceMap::default();
    for (path, text) in texts {
        sources.add(SourceFile::new(*path, *text));
    }
    sources
}

/// The span of the first `word` in a file.
fn find(sources: &SourceMap, file: u32, word: &str) -> Span {
    let start = sources.file(FileId(file)).text.find(word).expect("the word stands in the text");
    Span::new(FileId(file), start, start + word.len())
}

#[test]
fn of_many_findings_the_errors_are_shown_and_the_others_counted() {
    let text: String = (0..200).map(|n| format!("word{n:03}\n")).collect();
    let sources = sources(&[("a.annot", &text)]);
    let finding = |code, n: usize| {
        let word = format!("word{n:03}");
        Diagnostic::new(code, format!("about `{word}`"), find(&sources, 0, &word), "here")
    };
    // Every third is a warning, and 133 are errors.
    let code = |n| if n % 3 == 2 { Code::UnusedDeclaration } else { Code::UnknownStatement };
    let findings: Vec<Diagnostic> = (0..200).rev().map(|n| finding(code(n), n)).collect();
    let shown = render(&findings, &sources, PLAIN);
    let heads: Vec<&str> = shown.lines().filter(|line| line.contains("about `")).collect();
    assert_eq!(heads.len(), SHOWN);
    assert!(heads.iter().all(|head| head.starts_with("error")), "{heads:?}");
    assert!(heads[0].contains("word000") && heads[SHOWN - 1].contains("word148"), "{heads:?}");
    assert!(shown.ends_with("\n\n… and 100 more, which `--format json` shows too\n\n"), "{shown}");
    let few = render(&findings[..SHOWN], &sources, PLAIN);
    assert!(!few.contains("more, which"), "{few}");
}

#[test]
fn a_diagnostic_over_two_files() {
    let sources = sources(&[
        ("spec.annot", "annot 1\n\nuse \"house.annot\": bank\nclean tidy {\n  dop \"a\" when b\n}\n"),
        ("house.annot", "annot 1\npolicy bank { }\n"),
    ]);
    let diagnostic = Diagnostic::new(
        Code::UnknownStatement,
        "unknown statement `dop`",
        find(&sources, 0, "dop"),
        "did you mean `drop`?",
    )
    .label(find(&sources, 0, "tidy"), "in this block")
    .label(find(&sources, 1, "bank"), "declared here")
    .help("for example `drop \"too short\" when words(text) < 3`");
    let expected = "\
error[E0003 unknown-statement]: unknown statement `dop`
   ╭─[spec.annot:5:3]
 4 │ clean tidy {
   ·       ──┬─
   ·         ╰── in this block
 5 │   dop \"a\" when b
   ·   ─┬─
   ·    ╰── did you mean `drop`?
   ╰────
   ╭─[house.annot:2:8]
 2 │ policy bank { }
   ·        ──┬─
   ·          ╰── declared here
   ╰────
  help: for example `drop \"too short\" when words(text) < 3`
";
    assert_eq!(render_one(&diagnostic, &sources, PLAIN), expected);
    let ascii = render_one(&diagnostic, &sources, Look { unicode: false, ..PLAIN });
    assert!(ascii.is_ascii(), "{ascii}");
    let colored = render_one(&diagnostic, &sources, Look { color: true, ..PLAIN });
    assert!(colored.starts_with("\u{1b}[1;31merror[E0003 unknown-statement]\u{1b}[0m"), "{colored}");
}

#[test]
fn no_place_and_no_character_breaks_the_picture() {
    let long = format!("{}é{}\n", "a ".repeat(5000), " b".repeat(5000));
    let texts = ["", "x", "x\n", "é", "a\u{1b}[31m\u{202e}b\r\nc", &long, "\n\n\n"];
    for text in texts {
        let sources = sources(&[("a\u{1b}.annot", text)]);
        let length = text.len();
        for (start, end) in
            [(0, 0), (0, length), (length, length), (length / 2, length / 2 + 1), (length + 5, length + 9)]
        {
            let span = Span::new(FileId(0), start, end);
            let diagnostic = Diagnostic::new(Code::BadCharacter, "a\u{1b}b", span, "c\u{202e}d").label(span, "");
            let picture = render_one(&diagnostic, &sources, PLAIN);
            assert!(!picture.contains(['\u{1b}', '\u{202e}']), "{picture:?}");
            assert!(picture.len() < 3000, "{picture}");
        }
    }
}

#[test]
fn the_summary_counts() {
    let span = Span::new(FileId(0), 0, 0);
    let error = || Diagnostic::new(Code::BadNumber, "", span, "");
    assert_eq!(summary(&[]), "no errors");
    assert_eq!(summary(&[error()]), "1 error");
    assert_eq!(summary(&[error(), error(), error()]), "3 errors");
}
