//! What must hold of every text, whatever stands in it. The tests and the fuzzer call the same function.

use std::path::Path;
use std::time::{Duration, Instant};

use annotc::diagnostics::{Diagnostic, Look, has_errors, render, render_json};
use annotc::semantic::{Index, Loader, analyze, check_supported, load, resolve};
use annotc::source::{SourceFile, SourceMap, Span};
use annotc::syntax;

/// More than any text of a megabyte may take, in a build that is not optimised and on a busy machine.
const LONGEST: Duration = Duration::from_secs(30);

/// As many files can be had from a text that names itself under ever new paths.
const MOST_READS: usize = 6;

/// Checks, shows and formats bytes as if they were a specification, and panics where one of these does not hold:
///
/// * every place lies in its file and on character boundaries, and findings stand in the order of the text;
/// * what a person is shown holds no character that acts on a terminal, and a program gets one line of JSON for each finding;
/// * an editor's view of the text has the same findings;
/// * a text without mistakes of syntax can be formatted, to something that has the same findings and stays as it is.
///
/// Bytes that are no UTF-8 are replaced: the command line refuses such a file before it reads it.
pub fn survive(bytes: &[u8]) {
    let begin = Instant::now();
    let text = String::from_utf8_lossy(bytes);
    let codes = check(&text);
    check_look(&text, &codes);
    let took = begin.elapsed();
    assert!(took < LONGEST, "{} bytes took {took:?}", bytes.len());
}

/// Hands the text itself out for every path but those that say otherwise.
struct Itself<'t> {
    text: &'t str,
    left: usize,
}

impl<'t> Itself<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, left: MOST_READS }
    }
}

impl Loader for Itself<'_> {
    fn read(&mut self, path: &Path) -> Result<String, String> {
        if self.left == 0 || path.to_string_lossy().contains("missing") {
            return Err("no such file".to_owned());
        }
        self.left -= 1;
        Ok(self.text.to_owned())
    }
}

/// Checks a text; the codes of its findings, sorted.
fn check(text: &str) -> Vec<&'static str> {
    let mut sources = SourceMap::default();
    let file = sources.add(SourceFile::new("spec.annot", text));
    let (parsed, mut found) = load(&mut sources, file, &mut Itself::new(text));
    check_order(&sources, &syntax::parse(file, &sources.file(file).text).1);
    let resolved = resolve(&sources, &parsed, &mut Itself::new(text)).1;
    check_order(&sources, &resolved);
    let (_, analyzed, index) = analyze(&sources, &parsed, &mut Itself::new(text));
    assert_eq!(resolved, analyzed, "an editor sees other findings");
    check_index(&sources, &index);
    found.extend(resolved);
    let mut codes: Vec<&str> = found.iter().map(|finding| finding.code.id()).collect();
    codes.sort_unstable();
    found.extend(check_supported(&parsed, None));
    for finding in &found {
        check_finding(&sources, finding);
    }
    check_shown(&sources, &found);
    codes
}

fn check_order(sources: &SourceMap, found: &[Diagnostic]) {
    let place = |finding: &Diagnostic| finding.labels.first().map(|label| (label.span.file, label.span.start));
    for pair in found.windows(2) {
        assert!(place(&pair[0]) <= place(&pair[1]), "out of order: {}", render_json(pair, sources));
    }
}

fn check_finding(sources: &SourceMap, finding: &Diagnostic) {
    assert!(!finding.labels.is_empty(), "no place: {finding:?}");
    assert!(!finding.message.is_empty() && finding.help.as_deref() != Some(""), "nothing is said: {finding:?}");
    for label in &finding.labels {
        check_place(sources, label.span, finding);
    }
}

fn check_place(sources: &SourceMap, span: Span, of: &dyn std::fmt::Debug) {
    let text = &sources.file(span.file).text;
    assert!(text.get(span.start as usize..span.end as usize).is_some(), "{span:?} is no place: {of:?}");
}

fn check_index(sources: &SourceMap, index: &Index) {
    for symbol in &index.symbols {
        symbol.declared.iter().for_each(|span| check_place(sources, *span, symbol));
    }
    for reference in &index.references {
        check_place(sources, reference.span, reference);
        assert!(reference.symbol < index.symbols.len(), "{reference:?} means no symbol");
    }
    for scope in &index.scopes {
        check_place(sources, scope.span, scope);
        scope.fields.iter().flat_map(|field| &field.declared).for_each(|span| check_place(sources, *span, scope));
    }
}

fn check_shown(sources: &SourceMap, found: &[Diagnostic]) {
    let shown = render(found, sources, Look { color: false, unicode: true, width: 100 });
    let acts = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t')) || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert!(!shown.contains(acts), "a character acts on the terminal: {shown:?}");
    render(found, sources, Look { color: true, unicode: false, width: 40 });
    let answered = render_json(found, sources);
    let lines: Vec<&str> = answered.split_terminator('\n').collect();
    assert_eq!(lines.len(), found.len(), "a line for each finding: {answered}");
    for line in lines {
        let value: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(value["labels"][0]["line"].is_number(), "{line}");
    }
}

/// Formats a text that has findings of these codes.
fn check_look(text: &str, codes: &[&str]) {
    match syntax::format(text) {
        Ok(once) => {
            let twice = syntax::format(&once);
            assert_eq!(twice.as_ref(), Ok(&once), "formatting again changes something");
            assert_eq!(check(&once), codes, "formatting changes the findings:\n{once}");
        }
        Err(found) => {
            assert!(has_errors(&found), "a text without a mistake cannot be formatted: {found:?}");
            let mut sources = SourceMap::default();
            sources.add(SourceFile::new("<stdin>", text));
            found.iter().for_each(|finding| check_finding(&sources, finding));
            check_shown(&sources, &found);
        }
    }
}
