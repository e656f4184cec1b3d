//! `annotc test`: the unit tests that a specification holds.

mod difference;
mod failure;
mod junit;
mod select;
mod uncovered;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::build::inputs::Roots;
use super::check::counted;
use super::models::{self, Purpose};
use super::terminal::{Paint, Terminal};
use super::{Failure, RuntimeArgs, context};
use crate::diagnostics::Diagnostic;
use crate::engine::{self, TestOutcome};
use crate::hir::Test;
use crate::semantic;
use crate::source::Span;
use uncovered::Uncovered;

/// Options of `annotc test`.
#[derive(Debug, Args)]
pub struct TestArgs {
    /// The specification
    #[arg(value_name = "SPEC")]
    spec: PathBuf,
    /// Run only the tests whose `block · title` contains one of these texts
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,
    /// Print the tests without running them
    #[arg(long, conflicts_with_all = ["junit", "uncovered"])]
    list: bool,
    /// Write a JUnit report to this file; `-` prints it instead of the list
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// List the rules, label arms and templates that no test makes fire; with `=fail` such a rule is a failure
    #[arg(long, value_enum, value_name = "WHAT", num_args = 0..=1, default_missing_value = "list", require_equals = true)]
    uncovered: Option<WhenUncovered>,
    /// Where a model's folder is looked for after the spec's own folder
    #[arg(long, value_name = "DIR", env = "ANNOTC_DATA")]
    data_root: Option<PathBuf>,
    #[command(flatten)]
    runtime: RuntimeArgs,
}

/// What a rule that no test makes fire does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WhenUncovered {
    /// It is listed
    List,
    /// It is listed, and the command fails
    Fail,
}

/// Runs each test and shows what went otherwise.
pub fn run(args: &TestArgs, terminal: &Terminal) -> Result<(), Failure> {
    let report_alone = args.junit.as_deref() == Some(Path::new("-"));
    if report_alone && (terminal.json() || args.uncovered.is_some()) {
        let other = if terminal.json() { "--format json" } else { "--uncovered" };
        let help = "name a file, and the rest stands on standard output";
        terminal.error(format_args!("`--junit -` prints the report alone, without `{other}`"), Some(help));
        return Err(Failure::Usage);
    }
    let mut spec = context::load_checked(&args.spec, terminal)?;
    let roots = Roots { spec: spec.folder(), data: args.data_root.clone() };
    if !args.list {
        let runtime = models::library_for_tests(&mut spec.program, &args.runtime, terminal)?;
        models::provide_for_tests(&mut spec.program, &roots, Purpose::Measure(runtime.as_ref()))
            .map_err(|missing| models::fail(terminal, &missing))?;
    }
    let selected = select::tests(&spec.program.tests, &args.filters, terminal)?;
    if args.list {
        selected.iter().for_each(|test| list(terminal, &spec, test));
        return Ok(());
    }
    let mut refused = semantic::check_supported(&spec.parsed, None);
    refused.retain(|finding| selected.iter().any(|test| is_about(finding, test)));
    if terminal.report(&spec.sources, &refused) {
        return Err(Failure::Spec);
    }
    let outcomes = engine::run_tests(&spec.program, &selected).map_err(|error| {
        terminal.error(error, None);
        Failure::World
    })?;
    let failed = outcomes.iter().filter(|outcome| !outcome.failures.is_empty()).count();
    let uncovered = args.uncovered.map(|_| Uncovered::of(&spec.program, &outcomes));
    if let Some(path) = &args.junit {
        junit::write(path, &spec, &outcomes, terminal)?;
    }
    if !report_alone {
        outcomes.iter().for_each(|outcome| show(terminal, &spec, outcome));
        if let Some(uncovered) = &uncovered {
            uncovered.show(terminal, &spec);
        }
        summarise(terminal, outcomes.len(), failed, uncovered.as_ref());
    }
    let fails_uncovered = args.uncovered == Some(WhenUncovered::Fail);
    let uncovered = uncovered.is_some_and(|uncovered| fails_uncovered && !uncovered.rules.is_empty());
    if failed > 0 || uncovered { Err(Failure::Spec) } else { Ok(()) }
}

/// The name by which tests are shown and selected.
fn full_name(target: &str, title: &str) -> String {
    format!("{target} · {title}")
}

/// `spec.annot:12`
fn place(spec: &context::Spec, span: Span) -> String {
    format!("{}:{}", spec.sources.file(span.file).path.display(), spec.sources.line(span))
}

fn list(terminal: &Terminal, spec: &context::Spec, test: &Test) {
    if terminal.json() {
        let path = spec.sources.file(test.span.file).path.display().to_string();
        let line = spec.sources.line(test.span);
        terminal.answer(json!({
            "test": test.target, "kind": test.kind.word(), "title": test.title, "path": path, "line": line,
        }));
    } else {
        terminal.answer(difference::one_line(&full_name(&test.target, &test.title)));
    }
}

fn show(terminal: &Terminal, spec: &context::Spec, outcome: &TestOutcome) {
    let passed = outcome.failures.is_empty();
    if terminal.json() {
        let failures: Vec<Value> =
            outcome.failures.iter().map(|failure| failure::to_json(failure, spec.sources.line(failure.span))).collect();
        terminal.answer(json!({
            "test": outcome.target,
            "kind": outcome.kind.word(),
            "title": outcome.title,
            "path": spec.sources.file(outcome.span.file).path.display().to_string(),
            "line": spec.sources.line(outcome.span),
            "passed": passed,
            "failures": failures,
        }));
        return;
    }
    let (paint, mark) = if passed { (Paint::Green, "✓") } else { (Paint::Red, "✗") };
    let name = difference::one_line(&full_name(&outcome.target, &outcome.title));
    terminal.answer(format_args!("{} {name}", terminal.paint_answer(paint, mark)));
    let mark = |text: &str| terminal.paint_answer(Paint::Differing, text);
    let mark: Option<difference::Mark<'_>> = if terminal.paints_answers() { Some(&mark) } else { None };
    for failure in &outcome.failures {
        terminal.answer(format_args!("  {}", place(spec, failure.span)));
        for line in failure::lines(failure, mark) {
            terminal.answer(format_args!("    {line}"));
        }
    }
}

fn summarise(terminal: &Terminal, tests: usize, failed: usize, uncovered: Option<&Uncovered>) {
    let passed = tests - failed;
    if terminal.json() {
        let mut summary = json!({ "tests": tests, "passed": passed, "failed": failed });
        if let Some(uncovered) = uncovered {
            summary["rules"] = json!(uncovered.total);
            summary["uncovered"] = json!(uncovered.rules.len());
        }
        terminal.answer(summary);
        return;
    }
    let summary = format!("{} passed, {failed} failed", counted(passed, "test"));
    let paint = if failed > 0 { Paint::Red } else { Paint::Green };
    terminal.answer(terminal.paint_answer(paint, &summary));
}

/// Whether a finding is about a test: the rest of the spec may hold what cannot be built yet.
fn is_about(finding: &Diagnostic, test: &Test) -> bool {
    let place = finding.labels.first().map(|label| label.span);
    place.is_some_and(|place| {
        place.file == test.span.file && test.span.start <= place.start && place.end <= test.span.end
    })
}
