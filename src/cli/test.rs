//! `annotc test`: the unit tests that a specification holds.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::check::counted;
use super::terminal::{Paint, Terminal};
use super::{Failure, context};
use crate::diagnostics::Diagnostic;
use crate::engine;
use crate::semantic;
use crate::syntax::ast::Decl;

/// Options of `annotc test`.
#[derive(Debug, Args)]
pub struct TestArgs {
    /// The specification
    #[arg(value_name = "SPEC")]
    spec: PathBuf,
    /// Run only the tests whose block or title contains this text
    #[arg(value_name = "FILTER")]
    filter: Option<String>,
}

/// Runs each test and shows what went otherwise.
pub fn run(args: &TestArgs, terminal: &Terminal) -> Result<(), Failure> {
    let spec = context::load_checked(&args.spec, terminal)?;
    let mut refused = semantic::check_supported(&spec.parsed, None);
    refused.retain(|finding| stands_in_a_test(&spec, finding));
    if terminal.report(&spec.sources, &refused) {
        return Err(Failure::Spec);
    }
    let wanted = |target: &str, title: &str| {
        args.filter.as_ref().is_none_or(|filter| target.contains(filter.as_str()) || title.contains(filter.as_str()))
    };
    let (mut passed, mut failed) = (0, 0);
    for test in spec.program.tests.iter().filter(|test| wanted(&test.target, &test.title)) {
        let outcome = engine::run_test(test).map_err(|error| {
            terminal.error(error, None);
            Failure::World
        })?;
        let good = outcome.failures.is_empty();
        if good {
            passed += 1
        } else {
            failed += 1
        }
        let line = spec.sources.line(test.span);
        if terminal.json() {
            let failures: Vec<&str> = outcome.failures.iter().map(|failure| failure.message.as_str()).collect();
            terminal.answer(json!({
                "test": test.target, "title": test.title, "line": line, "passed": good, "failures": failures,
            }));
            continue;
        }
        let mark =
            if good { terminal.paint_answer(Paint::Green, "✓") } else { terminal.paint_answer(Paint::Red, "✗") };
        terminal.answer(format_args!("{mark} {} · {}", test.target, test.title));
        for failure in &outcome.failures {
            terminal.answer(format_args!("  {}:{line}", spec.path.display()));
            for line in failure.message.lines() {
                terminal.answer(format_args!("    {line}"));
            }
        }
    }
    if !terminal.json() {
        let summary = format!("{} passed, {failed} failed", counted(passed, "test"));
        let paint = if failed > 0 { Paint::Red } else { Paint::Green };
        terminal.answer(terminal.paint_answer(paint, &summary));
    }
    if failed > 0 { Err(Failure::Spec) } else { Ok(()) }
}

/// Whether a finding is about a test: the rest of the spec may hold what cannot be built yet.
fn stands_in_a_test(spec: &context::Spec, finding: &Diagnostic) -> bool {
    let place = finding.labels.first().map(|label| label.span);
    spec.parsed.entry_tree().decls.iter().any(|decl| match decl {
        Decl::Test(test) => place.is_some_and(|place| test.span.start <= place.start && place.end <= test.span.end),
        _ => false,
    })
}
