//! What holds of every text: no panic, places that point at something, and one language for the parser and its grammar.

use std::time::{Duration, Instant};

use pest::Parser;
use proptest::prelude::*;

use super::corpus::{EXAMPLES, WHOLE};
use super::format::check_format;
use super::{at, mistakes, read};
use crate::diagnostics::{Look, render};
use crate::source::{SourceFile, SourceMap};
use crate::syntax::grammar::{Grammar, Rule};
use crate::syntax::words::{Block, WORDS};

/// Reads any text and checks what must hold of the result.
fn check_invariants(text: &str) {
    let (_, errors) = read(text);
    for label in errors.iter().flat_map(|error| &error.labels) {
        assert!(text.get(label.span.start as usize..label.span.end as usize).is_some(), "{text:?}: {label:?}");
    }
    for error in &errors {
        assert!(!error.message.contains("k_") && !error.message.is_empty(), "{error:?}");
    }
    if errors.is_empty() {
        Grammar::parse(Rule::file, text).unwrap_or_else(|error| panic!("the grammar refuses {text:?}: {error}"));
        check_format(text);
    }
    let mut sources = SourceMap::default();
    sources.add(SourceFile::new("spec.annot", text));
    if !text.starts_with('\u{feff}') {
        render(&errors, &sources, Look { color: true, unicode: true, width: 80 });
    }
}

/// Pieces of the language, to be thrown together.
const PIECES: &[&str] = &[
    "annot 1\n",
    "source",
    "label",
    "clean",
    "dataset",
    "train",
    " x ",
    " {",
    "}",
    "(",
    ")",
    "[",
    "]",
    ",",
    ";",
    "\n",
    ":",
    "=",
    "=>",
    "|>",
    "/",
    "//",
    "///",
    "\"",
    "\"\"\"",
    "`",
    "\\",
    "1",
    "0.5",
    "%",
    "..",
    ".",
    "-",
    "+",
    "==",
    "<",
    "list<",
    ">",
    "?",
    "??",
    "@",
    "match",
    "when",
    "drop",
    "else",
    "not",
    "in",
    "is",
    "null",
    "fields",
    "from",
    "by",
    "é",
    "\t",
    "\r",
    "\0",
    "\u{202e}",
    "\u{1}",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_survived(text in "(annot 1\n)?\\PC{0,120}") {
        check_invariants(&text);
    }

    #[test]
    fn any_pieces_are_survived(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..60)) {
        check_invariants(&pieces.concat());
        check_invariants(&format!("annot 1\n{}", pieces.join(" ")));
    }

    #[test]
    fn a_damaged_example_is_survived(
        example in 0usize..EXAMPLES.len(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0usize..12, prop::sample::select(PIECES)), 1..4),
    ) {
        let mut text = EXAMPLES[example].2.to_owned();
        for (place, length, piece) in cuts {
            let start = text.floor_char_boundary(place.index(text.len()));
            let end = text.floor_char_boundary((start + length).min(text.len()));
            text.replace_range(start..end, piece);
        }
        check_invariants(&text);
    }
}

/// Every place in a tree begins and ends with something written, and a name's place is the name.
#[test]
fn places_are_exact() {
    for (name, _, text) in EXAMPLES {
        let (tree, _) = read(text);
        let shown = format!("{tree:?}");
        let number = |part: &str| {
            part.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<usize>().expect("a number")
        };
        let mut count = 0;
        for part in shown.split("Span { file: FileId(0), start: ").skip(1) {
            let start = number(part);
            let end = number(part.split_once("end: ").expect("a span has an end").1);
            let written = &text[start..end];
            assert!(
                !written.is_empty() && (written.trim() == written || text[..start].ends_with('"')),
                "{name}: {written:?}"
            );
            assert!(!written.starts_with("//"), "{name}: {written:?}");
            assert!(!written.lines().last().unwrap_or_default().contains(" // "), "{name}: {written:?}");
            count += 1;
        }
        for part in shown.split("Ident { name: \"").skip(1) {
            let (word, rest) = part.split_once("\", span: ").expect("a name has a place");
            let start = number(rest.split_once("start: ").expect("a span has a start").1);
            let end = number(rest.split_once("end: ").expect("a span has an end").1);
            assert_eq!(text[start..end].trim_matches(['`', '"']), word, "{name}");
        }
        assert!(count > 20, "{name}: {count}");
    }
}

/// What a declaration's place covers is that declaration again.
#[test]
fn a_declaration_is_its_place() {
    use crate::syntax::ast::Decl;
    let (tree, _) = read(WHOLE);
    for decl in &tree.decls {
        let span = match decl {
            Decl::Source(x) => x.span,
            Decl::Label(x) => x.span,
            Decl::Clean(x) => x.span,
            Decl::Policy(x) => x.span,
            Decl::Template(x) => x.span,
            Decl::Dataset(x) => x.span,
            Decl::Model(x) => x.span,
            Decl::Train(x) => x.span,
            Decl::Evaluate(x) => x.span,
            Decl::Test(x) => x.span,
            Decl::Use(x) => x.span,
            Decl::Let(x) => x.span,
            Decl::Fn(x) => x.span,
        };
        let alone = format!("annot 1\n{}", at(WHOLE, span));
        assert_eq!(mistakes(&alone), Vec::<String>::new());
        assert_eq!(read(&alone).0.decls.len(), 1, "{alone}");
    }
}

/// Each row of the table of words is a statement that the grammar knows.
#[test]
fn every_word_has_an_example_that_is_read() {
    for row in WORDS {
        let statement = row.example;
        assert!(statement.starts_with(row.word), "{statement}");
        let text = match row.block {
            Block::File if row.word == "annot" => statement.to_owned(),
            Block::File => format!("annot 1\n{statement}"),
            Block::Source => format!("annot 1\nsource x {{ {statement} }}"),
            Block::Constraints => format!("annot 1\nlabel x: scale 1..5 {{ {statement} }}"),
            Block::Clean => format!("annot 1\nclean x {{ {statement} }}"),
            Block::Policy => format!("annot 1\npolicy x {{ {statement} }}"),
            Block::Template => format!("annot 1\ntemplate x: chat {{ {statement} }}"),
            Block::Dataset => format!("annot 1\ndataset x {{ {statement} }}"),
            Block::LabelSources => format!("annot 1\ndataset x {{ label y {{ {statement} }} }}"),
            Block::Model => format!("annot 1\nmodel x {{ {statement} }}"),
            Block::Train => format!("annot 1\ntrain x {{ {statement} }}"),
            Block::Evaluate => format!("annot 1\nevaluate x on y.test {{ {statement} }}"),
            Block::Test => format!("annot 1\ntest x \"y\" {{ {statement} }}"),
            Block::Fields | Block::Values | Block::Arms | Block::Settings => panic!("`{statement}` needs no row"),
        };
        assert_eq!(mistakes(&text), Vec::<String>::new(), "{text}");
    }
}

/// The time that this thread has been on a processor, where the system tells it: a busy machine does not count.
fn clock() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    stat.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

/// How long something takes.
pub(super) fn time(run: impl FnOnce()) -> Duration {
    let (begin, cpu) = (Instant::now(), clock());
    run();
    match (cpu, clock()) {
        (Some(before), Some(after)) => after.saturating_sub(before),
        _ => begin.elapsed(),
    }
}

#[test]
fn a_megabyte_takes_a_second_or_two() {
    let body = WHOLE.trim_start_matches("annot 1");
    let text = format!("annot 1\n{}", body.repeat((1 << 20) / body.len() + 1));
    let fastest = (0..5).map(|_| time(|| drop(read(&text)))).min().expect("five runs");
    println!("{} bytes in {fastest:?}", text.len());
    // Half a second on a machine with nothing else to do; here other tests run at the same time.
    assert!(fastest < Duration::from_secs(3), "{fastest:?}");
}

#[test]
fn no_text_takes_long() {
    let size = 64 << 10;
    let nasty = [
        "(",
        ")",
        "{",
        "}",
        "[(",
        "\"",
        "'",
        "/ ",
        "/x\n",
        "`",
        "\n",
        "///\n",
        "//\n",
        "a.",
        "-",
        "list<",
        "1x ",
        "1,\n",
        "a {\n",
        "a match {",
        "#",
        "\\",
        "\u{202e}",
        "source a {\n",
        "clean a { b }\n",
        "let a = \n",
        "let a = (\n",
        "f(by ",
        "x |> ",
        "1 => ",
        "fields {",
        "a: b\n",
    ];
    for piece in nasty {
        for head in ["", "annot 1\n", "annot 1\nlet x = a match {\n", "annot 1\nsource x {\nfields {\n"] {
            let text = format!("{head}{}", piece.repeat(size / piece.len()));
            let took = time(|| drop(read(&text)));
            assert!(took < Duration::from_secs(2), "{head:?} {piece:?}: {took:?}");
        }
    }
}
