//! Differences of declarations: what makes none, and how those that are are named.

use std::fmt::Write;

use super::{Change, compare_declarations};
use crate::source::FileId;
use crate::syntax::{self, ast};

const SPEC: &str = include_str!("../semantic/cases/example.annot");

fn parse(text: &str) -> Vec<ast::File> {
    let (tree, findings) = syntax::parse(FileId(0), text);
    assert!(findings.is_empty(), "{findings:?}\n{text}");
    vec![tree]
}

/// The differences, one on each line: `~ clean tidy | ~ too short: OLD → NEW`.
fn told(before: &str, after: &str) -> String {
    let mut lines = String::new();
    let sign = |change| match change {
        Change::Added => '+',
        Change::Removed => '-',
        Change::Changed => '~',
    };
    for change in compare_declarations(&parse(before), &parse(after)) {
        let head = format!("{} {} {}", sign(change.change), change.kind, change.name);
        if change.entries.is_empty() {
            writeln!(lines, "{head}{}", if change.reordered { " | order" } else { "" }).expect("a string");
        }
        for entry in &change.entries {
            writeln!(lines, "{head} | {} {}", sign(entry.change()), entry.key).expect("a string");
        }
    }
    lines
}

#[test]
fn formatting_and_comments_make_no_difference() {
    let respaced: String = SPEC
        .lines()
        .filter(|line| !line.trim_start().starts_with("//") || line.trim_start().starts_with("///"))
        .map(|line| {
            let line = if line.contains("//") && !line.contains("///") {
                line.split(" //").next().unwrap_or(line)
            } else {
                line
            };
            let indent = if line.starts_with(' ') { "\t  " } else { "" };
            format!("{indent}{}\n\n", line.trim())
        })
        .collect();
    // A description belongs to the line behind it.
    let respaced = respaced.replace("\n\n\t  ///", "\n\t  ///");
    assert_ne!(respaced, SPEC);
    assert_eq!(told(SPEC, &respaced), "");
    let cases = [
        ("clean a { set t = f(t) |> g(10) }", "clean a {\n  set t = t |> f |> g(1_0)\n}"),
        ("policy p { require share() <= 40% }", "policy p {\n  require share() <= 40.0%   // at most\n}"),
        ("let x = \"a\\u{62}c\"", "let x = \"abc\""),
        ("train t { seed 7; epochs 3 }", "train t { epochs 3; seed 7 }"),
    ];
    for (a, b) in cases {
        assert_eq!(told(&format!("annot 1\n{a}\n"), &format!("annot 1\n{b}\n")), "", "{a} | {b}");
    }
}

#[test]
fn what_differs_is_named_as_in_the_audit() {
    let base = "annot 1\nclean tidy {\n  set text = text |> nfc\n  drop \"too short\" when words(text) < 3\n  dedup text exactly\n}\n";
    let cases = [
        ("words(text) < 3", "words(text) < 4", "~ clean tidy | ~ too short\n"),
        ("  dedup text exactly\n", "", "~ clean tidy | - dedup text exactly\n"),
        (
            "  dedup text exactly\n",
            "  dedup text near 0.9\n",
            "~ clean tidy | - dedup text exactly\n~ clean tidy | + dedup text near 0.9\n",
        ),
        ("clean tidy", "/// Tidies.\nclean tidy", "~ clean tidy | + description\n"),
        ("clean tidy", "clean neat", "- clean tidy\n+ clean neat\n"),
        (
            "  set text = text |> nfc\n  drop \"too short\" when words(text) < 3\n",
            "  drop \"too short\" when words(text) < 3\n  set text = text |> nfc\n",
            "~ clean tidy | order\n",
        ),
    ];
    for (right, wrong, expected) in cases {
        assert!(base.contains(right), "{right}");
        assert_eq!(told(base, &base.replacen(right, wrong, 1)), expected, "{wrong}");
    }
}

/// Every statement of the reference is seen: leaving any line of a block out is a difference.
#[test]
fn no_statement_is_overlooked() {
    let spec = include_str!("../semantic/cases/statements.annot");
    let (tree, _) = syntax::parse(FileId(0), spec);
    let lines: Vec<&str> = spec.lines().collect();
    let mut tried = 0;
    for at in 0..lines.len() {
        let without = [&lines[..at], &lines[at + 1..]].concat().join("\n") + "\n";
        let (other, findings) = syntax::parse(FileId(0), &without);
        let line = lines[at].trim();
        if line.is_empty() || line.starts_with("//") || !findings.is_empty() {
            continue;
        }
        tried += 1;
        let changes = compare_declarations(std::slice::from_ref(&tree), std::slice::from_ref(&other));
        assert!(!changes.is_empty(), "line {} makes no difference: {line}", at + 1);
    }
    assert!(tried > 50, "{tried} lines were tried");
}
