//! The tour is walked as a reader walks it: its blocks are put into the specification, its commands are run.

use annotc::source::FileId;
use annotc::syntax::ast::Decl;
use regex::Regex;

use super::fences::fences;
use crate::support::{Project, repository};

/// The document.
pub const TOUR: &str = "docs/language/tour.md";
/// What the tour starts from.
const DATA: &str = "specs/quickstart/data/contact_form.jsonl";
/// The file that its blocks are put into.
const SPEC: &str = "tour/shop.annot";

#[test]
fn the_tour_can_be_walked() {
    let data = std::fs::read(repository().join(DATA)).expect("the data is there");
    let project = Project::new(&[(DATA, &data)]);
    let mut spec = String::new();
    let mut commands = 0;
    for fence in fences(TOUR) {
        match fence.language.as_str() {
            "annot" => {
                spec = with(&spec, &fence.text);
                project.write(SPEC, spec.as_bytes());
            }
            "console" => {
                let status = fence.option("status").map_or(0, |status| status.parse().expect("a status is a number"));
                for (command, expected) in steps(&fence.text) {
                    let run = project.shell(command);
                    let place = fence.place();
                    assert_eq!(run.status, status, "{place}: `{command}`:\n{}", run.stdout);
                    assert!(
                        pattern(&expected).is_match(&trimmed(&run.stdout)),
                        "{place}: `{command}` prints\n{}\nnot\n{expected}",
                        run.stdout
                    );
                    commands += 1;
                }
            }
            _ => {}
        }
    }
    assert!(commands >= 10, "the tour has {commands} commands");
}

/// The specification with a block of the tour: a declaration takes the place of the one with its name, or is added.
fn with(spec: &str, block: &str) -> String {
    let mut spec = spec.to_owned();
    if block.starts_with("annot 1") {
        return block.to_owned();
    }
    for piece in declarations(&format!("annot 1\n{block}")) {
        let old = declarations(&spec).into_iter().find(|old| old.name == piece.name);
        match old {
            Some(old) => spec.replace_range(old.range, &piece.text),
            None => spec += &format!("\n{}\n", piece.text),
        }
    }
    spec
}

struct Piece {
    /// Its first two words, which name it: `clean tidy`.
    name: String,
    text: String,
    range: std::ops::Range<usize>,
}

fn declarations(spec: &str) -> Vec<Piece> {
    let (tree, found) = annotc::syntax::parse(FileId(0), spec);
    assert!(found.is_empty(), "{found:?} in\n{spec}");
    tree.decls
        .iter()
        .map(|decl| {
            let span = match decl {
                Decl::Source(source) => source.span,
                Decl::Label(label) => label.span,
                Decl::Clean(clean) => clean.span,
                Decl::Policy(policy) => policy.span,
                Decl::Template(template) => template.span,
                Decl::Dataset(dataset) => dataset.span,
                Decl::Model(model) => model.span,
                Decl::Train(train) => train.span,
                Decl::Evaluate(evaluate) => evaluate.span,
                Decl::Test(test) => test.span,
                Decl::Let(constant) => constant.span,
                Decl::Fn(function) => function.span,
                Decl::Use(import) => import.span,
            };
            let range = span.start as usize..span.end as usize;
            let text = spec[range.clone()].to_owned();
            let name = text.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
            Piece { name, text, range }
        })
        .collect()
}

/// The commands of a block, each with what it prints.
fn steps(console: &str) -> Vec<(&str, String)> {
    let mut steps: Vec<(&str, String)> = Vec::new();
    for line in console.lines() {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => steps.push((command, String::new())),
            (None, Some((_, expected))) => *expected += &format!("{}\n", line.trim_end()),
            (None, None) => panic!("`{line}` stands before the first command"),
        }
    }
    steps
}

fn trimmed(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// What a command prints, as a pattern: `…` alone on a line is any number of lines, `…` in a line any characters.
fn pattern(expected: &str) -> Regex {
    let lines: String = expected
        .lines()
        .map(|line| match line.trim() {
            "…" => "(?:.*\n)*?".to_owned(),
            _ => format!("{}\n", regex::escape(line).replace('…', ".*")),
        })
        .collect();
    Regex::new(&format!("^{lines}$")).expect("an escaped text is a pattern")
}
