//! What holds of every formatted text: the same program, the same comments, and nothing left to format.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use proptest::prelude::*;

use super::read;
use crate::diagnostics::has_errors;
use crate::semantic::{self, NoFiles};
use crate::source::{FileId, SourceFile, SourceMap};
use crate::syntax::format;
use crate::syntax::scan::scan;
use crate::syntax::token::Kind;
use crate::syntax::words::Block;

/// Formats a text and checks what must hold of the result.
#[track_caller]
pub(super) fn check_format(text: &str) -> String {
    let once = format(text).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
    assert_eq!(tree(&once).as_deref(), tree(text).as_deref(), "another program:\n{text}\n---\n{once}");
    assert_eq!(comments(&once), comments(text), "other comments:\n{text}\n---\n{once}");
    let twice = format(&once).unwrap_or_else(|errors| panic!("{errors:?}\n{once}"));
    assert_eq!(once, twice, "formatted twice:\n{text}");
    assert!(once.ends_with('\n') && !once.ends_with("\n\n") && !once.starts_with('\n'), "{once:?}");
    let mut outside = once.clone();
    for token in scan(FileId(0), &once).tokens.iter().rev().filter(|token| token.kind == Kind::Text) {
        outside.replace_range(token.start..token.end, "\"\"");
    }
    assert!(!outside.contains(" \n") && !outside.contains("\r\n") && !outside.contains("\n\n\n\n"), "{once:?}");
    once
}

/// The syntax tree without places; none if the text cannot be read.
fn tree(text: &str) -> Option<String> {
    let (tree, errors) = read(text);
    (!has_errors(&errors)).then(|| without_places(&format!("{tree:?}")))
}

fn without_places(shown: &str) -> String {
    let mut out = String::with_capacity(shown.len());
    let mut parts = shown.split("Span { file: FileId(");
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        out.push_str(part.split_once('}').expect("a span is closed").1);
    }
    out
}

/// The comments and `///` lines in order.
fn comments(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut before = 0;
    for token in scan(FileId(0), text).tokens {
        found.push(&text[before..token.start]);
        if token.kind == Kind::Doc {
            found.push(&text[token.start..token.end]);
        }
        before = token.end;
    }
    found.push(&text[before..]);
    found.iter().map(|part| part.trim().to_owned()).filter(|part| part.starts_with("//")).collect()
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files below a folder with this ending, sorted.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let pattern = repository().join(folder).join("**").join(format!("*.{ending}"));
    let mut files: Vec<PathBuf> =
        glob::glob(&pattern.to_string_lossy()).expect("a pattern").filter_map(Result::ok).collect();
    files.sort();
    assert!(!files.is_empty(), "{folder} holds files that end in .{ending}");
    files
}

/// Every text of the language in this repository that can be read, with its file.
fn corpus() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for path in ["specs", "tests/corpus", "src/semantic/cases"].iter().flat_map(|folder| files(folder, "annot")) {
        if !path.components().any(|part| part.as_os_str() == "build") {
            found.push((path.display().to_string(), std::fs::read_to_string(&path).expect("a spec is text")));
        }
    }
    for path in files("docs", "md").into_iter().chain([repository().join("README.md")]) {
        let page = std::fs::read_to_string(&path).expect("a page is text");
        for block in page.split("```annot\n").skip(1) {
            let block = block.split_once("```").expect("a block is closed").0;
            let text = if block.starts_with("annot 1") { block.to_owned() } else { format!("annot 1\n{block}") };
            found.push((path.display().to_string(), text));
        }
    }
    found
}

#[test]
fn every_text_of_this_repository_keeps_its_meaning() {
    let mut read = 0;
    for (name, text) in corpus() {
        match tree(&text) {
            Some(_) => {
                check_format(&text);
                check_format(&text.replace('\n', "\r\n"));
                read += 1;
            }
            None => assert!(format(&text).is_err(), "{name}: what cannot be read is not formatted"),
        }
    }
    assert!(read > 100, "{read} texts were formatted");
}

#[test]
fn specs_are_formatted_and_resolve_to_the_same_program() {
    let resolved = |text: &str| {
        let mut sources = SourceMap::default();
        let file = sources.add(SourceFile::new("spec.annot", text));
        let (parsed, _) = semantic::load(&mut sources, file, &mut NoFiles);
        let (program, _) = semantic::resolve(&sources, &parsed, &mut NoFiles);
        without_places(&format!("{program:?}"))
    };
    for path in files("specs", "annot") {
        let text = std::fs::read_to_string(&path).expect("a spec is text");
        assert_eq!(format(&text).as_ref(), Ok(&text), "{} has the canonical look", path.display());
        let flat: String = text.lines().map(|line| format!("{}\n", line.trim())).collect();
        assert_eq!(format(&flat).as_ref(), Ok(&text), "{} has it again without indentation", path.display());
        assert_eq!(resolved(&flat), resolved(&text), "{}", path.display());
    }
}

static DECLARATIONS: LazyLock<Vec<String>> = LazyLock::new(declarations);

/// The declarations of the specs in the corpus, each with a first line of its own.
fn declarations() -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (name, text) in corpus().into_iter().filter(|(name, _)| name.ends_with(".annot")) {
        let tokens = scan(FileId(0), &text).tokens;
        let mut from = tokens[1].end;
        let mut depth = 0;
        for (at, token) in tokens.iter().enumerate() {
            match token.kind {
                Kind::Open(_) => depth += 1,
                Kind::Close(_) => depth -= 1,
                _ => {}
            }
            let next = tokens[at..].iter().find(|next| next.is_significant());
            let begins = |word: &str| Block::File.words().any(|row| row.word == word);
            if token.kind != Kind::Newline || depth > 0 || next.is_some_and(|next| !begins(next.text(&text))) {
                continue;
            }
            let part = &text[from..token.start];
            if scan(FileId(0), part).tokens.iter().any(|token| token.is_significant()) {
                let alone = format!("annot 1{part}\n");
                assert!(tree(&alone).is_some(), "{name}: {alone}");
                found.push(alone);
                from = token.start;
            }
        }
    }
    found.sort();
    found.dedup();
    assert!(found.len() > 90, "{} declarations", found.len());
    found
}

/// Comments are put between two tokens wherever the language allows one, also on a line of its own.
#[test]
fn a_comment_between_any_two_tokens_is_kept() {
    const APART: usize = 5;
    let mut count = 0;
    for text in DECLARATIONS.iter() {
        let program = tree(text);
        for inserted in [" // kept\n", "\n\n// kept\n"] {
            let with = |places: &[usize]| {
                let mut changed = text.clone();
                places.iter().rev().for_each(|place| changed.insert_str(*place, inserted));
                let kept = comments(&changed).len() == comments(text).len() + places.len();
                (kept && tree(&changed) == program).then_some(changed)
            };
            let ends = scan(FileId(0), text).tokens.into_iter().map(|token| token.end);
            let places: Vec<usize> = ends.filter(|end| with(&[*end]).is_some()).collect();
            for first in 0..APART {
                let some: Vec<usize> = places.iter().copied().skip(first).step_by(APART).collect();
                check_format(&with(&some).expect("comments that are allowed alone are allowed together"));
                count += some.len();
            }
        }
    }
    assert!(count > 1000, "{count} comments were put in");
}

/// What a change of the layout puts between two tokens.
const BETWEEN: &[&str] = &[
    "",
    " ",
    "   ",
    "\t",
    "\n",
    "\n\n\n\n",
    "\r\n",
    ";",
    " // a\n",
    "\n// b\n",
    "\n\n  //c\n\n",
    " // d\n // e\n",
    ",",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_layout_is_formatted(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(BETWEEN)), 1..24),
    ) {
        let mut text = which.get(&DECLARATIONS).clone();
        let program = tree(&text);
        for (place, between) in changes {
            let tokens = scan(FileId(0), &text).tokens;
            let at = place.index(tokens.len());
            let until = tokens.get(at + 1).map_or(text.len(), |next| next.start);
            let mut changed = text.clone();
            match changed[tokens[at].end..until].trim().is_empty() {
                true => changed.replace_range(tokens[at].end..until, between),
                false => changed.insert_str(until, between),
            }
            if tree(&changed) == program {
                text = changed;
            }
        }
        check_format(&text);
    }

    #[test]
    fn any_text_gets_an_answer(text in "(annot 1\n)?(let x = )?\\PC{0,80}") {
        if format(&text).is_ok() {
            check_format(&text);
        }
    }
}
