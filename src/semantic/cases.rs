//! Specifications with one mistake each, and what is said about it.

use std::path::Path;

use super::{Loader, NoFiles, check_supported, load, resolve};
use crate::diagnostics::{Diagnostic, Diagnostics, Severity, has_errors};
use crate::hir;
use crate::source::{SourceFile, SourceMap};

mod builds;
mod gathering;
mod index;
mod labels;
mod leaks;
mod mistakes;
mod numbers;
mod packs_and_formats;
mod pages;
mod proofs;
mod quiet;
mod tasks;
mod unit_tests;
mod uses;

/// The whole example of the language's reference.
pub(super) const EXAMPLE: &str = include_str!("cases/example.annot");

/// A file that others take from.
const PII: &str = r#"annot 1

use "lib/shop.annot": shortest

/// What must hold of every text.
policy house { redact @personal: email, phone }

policy bank { redact @personal: phone }

clean brief { drop "short" when words(text) < shortest }

let unused = 1
"#;

/// One in another folder, with a source of its own.
const SHOP: &str = r#"annot 1

let shortest = 3

fn plain(s: string) = s |> nfc |> collapse_whitespace

clean tidy { set text = plain(text) }

source orders {
  path    "data/orders.jsonl"
  license "CC0-1.0"
  fields  { text: string; kind: string }
}

label kind: choice from "kinds.yaml"
"#;

struct OneFile;

impl Loader for OneFile {
    fn read(&mut self, path: &Path) -> Result<String, String> {
        match path.to_str().unwrap_or_default() {
            "labels/intents.yaml" => Ok("- value: a\n  title: The first\n  key: x\n- b\n".to_owned()),
            "labels/twice.yaml" => Ok("[a, a]".to_owned()),
            "lib/kinds.yaml" => Ok("[bike, hire]".to_owned()),
            "labels/map.yaml" => Ok("a: b".to_owned()),
            "pii.annot" => Ok(PII.to_owned()),
            "lib/shop.annot" => Ok(SHOP.to_owned()),
            "ring.annot" => Ok("annot 1\nuse \"spec.annot\": tidy\nlet one = 1\n".to_owned()),
            "wrong.annot" => Ok("annot 1\nlet far = \nlet near = 2\n".to_owned()),
            _ => NoFiles.read(path),
        }
    }
}

struct Checked {
    files: SourceMap,
    program: hir::Program,
    found: Diagnostics,
    refused: Diagnostics,
}

fn check(text: &str) -> Checked {
    let mut files = SourceMap::default();
    let id = files.add(SourceFile::new("spec.annot", text));
    let (parsed, mut found) = load(&mut files, id, &mut OneFile);
    let (program, resolved) = resolve(&files, &parsed, &mut OneFile);
    found.extend(resolved);
    let refused = check_supported(&parsed, None);
    Checked { files, program, found, refused }
}

fn shown(checked: &Checked, diagnostic: &Diagnostic) -> String {
    let labels: Vec<String> = diagnostic
        .labels
        .iter()
        .map(|label| {
            format!("    {}: {:?}: {}", checked.files.line(label.span), checked.files.text(label.span), label.message)
        })
        .collect();
    let help = diagnostic.help.as_deref().unwrap_or("NONE");
    format!("{} {}\n{}\n    help: {help}", diagnostic.code.id(), diagnostic.message, labels.join("\n"))
}

fn all_shown(checked: &Checked, of: &[Diagnostic]) -> String {
    of.iter().map(|diagnostic| shown(checked, diagnostic)).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_example_resolves() {
    let checked = check(EXAMPLE);
    let errors: Vec<_> = checked.found.iter().filter(|found| found.severity() == Severity::Error).cloned().collect();
    assert!(!has_errors(&checked.found), "{}", all_shown(&checked, &errors));
    assert_eq!(checked.program.datasets[0].steps.len(), 8);
    assert_eq!(checked.program.tests.len(), 3);
    let refused: Vec<&str> = checked.refused.iter().map(|refused| checked.files.text(refused.labels[0].span)).collect();
    assert!(refused.is_empty(), "{refused:?}");
}

/// Every statement of the reference outside of its example: right, and refused at the build where that is said.
#[test]
fn every_statement_resolves() {
    let checked = check(include_str!("cases/statements.annot"));
    assert!(checked.found.is_empty(), "{}", all_shown(&checked, &checked.found));
    let mut refused: Vec<&str> =
        checked.refused.iter().map(|refused| checked.files.text(refused.labels[0].span)).collect();
    refused.sort_unstable();
    let shortened: Vec<String> =
        refused.iter().map(|text| text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")).collect();
    let expected = [
        "@created",
        "@sensitive(gender)",
        "annotations \"annotations/more.jsonl\"",
        "csv",
        "facts",
        "from annotations",
        "from model",
        "from rule",
        "keep for",
        "k_anonymous 5",
        "pack hipaa.safe_harbor",
        "product",
        "require alpha",
        "resolve dawid_skene",
    ];
    let missing: Vec<&&str> = expected.iter().filter(|wanted| !shortened.iter().any(|text| text == *wanted)).collect();
    let further: Vec<&String> = shortened.iter().filter(|text| !expected.contains(&text.as_str())).collect();
    assert!(missing.is_empty() && further.is_empty(), "missing {missing:?}, further {further:?}");
}
