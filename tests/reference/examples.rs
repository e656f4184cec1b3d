//! Every `annot` block of the documents says what it should: nothing, or the codes that its fence names.

use std::collections::BTreeSet;
use std::path::Path;

use annotc::diagnostics::Diagnostic;
use annotc::engine::run_tests;
use annotc::hir::Program;
use annotc::semantic::{Loader, NoFiles, check_supported, load, resolve};
use annotc::source::{SourceFile, SourceMap};

use super::completion::{complete, declarations};
use super::fences::{Fence, fences, pages};
use super::tour::TOUR;

const FOLDERS: [&str; 2] = ["docs/language", "docs/guides"];

#[test]
fn every_example_of_the_documents_is_true() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    // The tour is one specification that grows, and the page of the formatter shows texts before and after it: each is run by
    // a test of its own.
    for page in pages(&FOLDERS).iter().filter(|page| *page != TOUR && !page.ends_with("formatting.md")) {
        let fences = fences(page);
        for fence in fences.iter().filter(|fence| fence.language == "annot" && fence.option("file").is_none()) {
            seen += 1;
            let result = match fence.option("results") {
                Some(_) => check_results(fence),
                None => check_example(fence, &fences),
            };
            if let Err(reason) = result {
                wrong.push(format!("{}: {reason}", fence.place()));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {seen}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(seen > 50, "the documents have {seen} examples");
}

/// Files that stand on the page.
struct OfPage<'f>(&'f [Fence]);

impl Loader for OfPage<'_> {
    fn read(&mut self, path: &Path) -> Result<String, String> {
        match self.0.iter().find(|fence| fence.option("file").is_some_and(|file| Path::new(file) == path)) {
            Some(fence) => Ok(fence.text.clone()),
            None => NoFiles.read(path),
        }
    }
}

fn check_example(fence: &Fence, page: &[Fence]) -> Result<(), String> {
    let whole = fence.text.starts_with("annot 1");
    let spec = if whole { fence.text.clone() } else { complete(&declarations(&fence.text, fence.option("in"))) };
    let (files, _, found) = check(&spec, &mut OfPage(page));
    let mut found: Vec<(String, String)> = found.iter().map(|found| shown(&files, found)).collect();
    // What a fragment leaves unused stands for itself.
    found.retain(|(code, _)| whole || code != "W0106");
    let expected: BTreeSet<&str> =
        ["fails", "warns"].iter().filter_map(|key| fence.option(key)).flat_map(|codes| codes.split(',')).collect();
    let codes: BTreeSet<&str> = found.iter().map(|(code, _)| code.as_str()).collect();
    if codes == expected {
        return Ok(());
    }
    let found: Vec<&str> = found.iter().map(|(_, text)| text.as_str()).collect();
    Err(format!("expected {expected:?}, found\n{}", found.join("\n")))
}

fn check(spec: &str, loader: &mut dyn Loader) -> (SourceMap, Program, Vec<Diagnostic>) {
    let mut files = SourceMap::default();
    let id = files.add(SourceFile::new("spec.annot", spec));
    let (parsed, mut found) = load(&mut files, id, loader);
    let (program, more) = resolve(&files, &parsed, loader);
    found.extend(more);
    found.extend(check_supported(&parsed, None));
    (files, program, found)
}

fn shown(files: &SourceMap, found: &Diagnostic) -> (String, String) {
    let place = found.labels.first().map_or("", |label| files.text(label.span));
    (found.code.id().to_owned(), format!("  {} {} at {place:?}", found.code.id(), found.message))
}

/// The record that the expressions of `annot results` see.
const RECORD: &str = r#"{ text: "Where is my card?", topic: "card", stars: 4, score: 0.5, paid: true, note: null, code: "A-17", tags: ["card", "lost"], turns: [{ role: "user", content: "Hi" }] }"#;

/// Each line becomes a rule that drops the record where the expression has the value, and a unit test of the rule.
fn check_results(fence: &Fence) -> Result<(), String> {
    let mut spec = "annot 1\n".to_owned();
    let lines: Vec<&str> = fence.text.lines().filter(|line| !line.trim().is_empty()).collect();
    for (at, line) in lines.iter().enumerate() {
        let (expression, value) = line.split_once("//").ok_or_else(|| format!("`{line}` has no value"))?;
        let test = match value.trim() {
            "null" => format!("({expression}) is null"),
            value => format!("({expression}) == ({value})"),
        };
        spec += &format!("clean rule_{at} {{ drop \"as written\" when {test} }}\n");
        spec += &format!("test rule_{at} \"line {at}\" {{ given {RECORD}; expect drop \"as written\" }}\n");
    }
    let (files, program, found) = check(&spec, &mut NoFiles);
    // Constants are compared with constants on purpose, and no data set uses the rules.
    let found: Vec<String> = found
        .iter()
        .map(|found| shown(&files, found))
        .filter(|(code, _)| !matches!(code.as_str(), "W0301" | "W0106"))
        .map(|(_, text)| text)
        .collect();
    if !found.is_empty() {
        return Err(found.join("\n"));
    }
    assert_eq!(program.tests.len(), lines.len(), "{}", fence.place());
    let tests: Vec<_> = program.tests.iter().collect();
    let outcomes = run_tests(&program, &tests).map_err(|error| error.to_string())?;
    for (outcome, line) in outcomes.iter().zip(lines) {
        if !outcome.failures.is_empty() {
            return Err(format!("`{line}` has another value"));
        }
    }
    Ok(())
}
