//! From the syntax tree to the resolved program: names, types, proofs.
//!
//! [`resolve`] reports every independent mistake of the files in one run. What was found wrong once is silent
//! afterwards: an expression without a type is `None`, a field without a type is a column that is known and never
//! complained about. [`check_supported`] says, with its place, what is well-formed and cannot be built by this version.

mod answers;
mod calls;
mod cleaning;
mod compare;
mod compliance;
mod dataset;
mod evaluate;
mod gates;
mod implies;
mod labels;
mod licence;
mod mapping;
mod matching;
mod metrics;
mod model;
mod names;
mod order;
mod outputs;
mod purpose;
mod quantities;
mod ranges;
mod reach;
mod scope;
mod source;
mod split;
mod strata;
mod supported;
mod taint;
mod task;
mod templates;
mod tests;
mod train;
mod types;
mod unmeetable;
mod values;

#[cfg(test)]
mod cases;

pub use supported::check_supported;

use std::collections::BTreeSet;

use crate::diagnostics::{Code, Diagnostic, Diagnostics};
use crate::hir;
use crate::source::{SourceMap, Span};
use crate::syntax::ast;
use names::Names;

/// Reads the files that a specification refers to at check time, such as a list of label values.
pub trait Loader {
    /// The text of the file with this path, as the specification writes it; else the reason why it cannot be had.
    ///
    /// # Errors
    /// One line that says what went wrong: lower case, no final period.
    fn read(&mut self, path: &str) -> Result<String, String>;
}

/// A loader for callers without files: it finds none.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFiles;

impl Loader for NoFiles {
    fn read(&mut self, _path: &str) -> Result<String, String> {
        Err("there is no file of this name".to_owned())
    }
}

/// Resolves and checks the parsed files of one program.
///
/// The program may be used when the diagnostics hold no error. A declaration that [`check_supported`] refuses is checked
/// here like any other; a training run or an evaluation among them does not stand in the program.
pub fn resolve(files: &SourceMap, parsed: &[ast::File], loader: &mut dyn Loader) -> (hir::Program, Diagnostics) {
    let mut context = Context {
        files,
        names: Names::default(),
        diagnostics: Vec::new(),
        loader,
        program: hir::Program::default(),
        bare_fields: BTreeSet::new(),
        omitted_fields: BTreeSet::new(),
        template_facts: Vec::new(),
        datasets: Vec::new(),
        runs: Vec::new(),
        evaluations: Vec::new(),
        depth: 0,
        expansions: 0,
    };
    names::collect(&mut context, parsed);
    source::resolve_sources(&mut context, parsed);
    labels::resolve_labels(&mut context, parsed);
    templates::resolve_templates(&mut context, parsed);
    dataset::resolve_datasets(&mut context, parsed);
    order::check_order(&mut context);
    model::resolve_models(&mut context, parsed);
    train::resolve_trains(&mut context, parsed);
    evaluate::resolve_evaluates(&mut context, parsed);
    tests::resolve_tests(&mut context, parsed);
    names::check_unused(&mut context);
    (context.program, in_order(context.diagnostics))
}

/// What the passes share.
struct Context<'a> {
    files: &'a SourceMap,
    names: Names<'a>,
    diagnostics: Diagnostics,
    loader: &'a mut dyn Loader,
    program: hir::Program,
    /// Fields whose type is unknown: their mistake was reported where they are declared.
    bare_fields: BTreeSet<(hir::SourceId, String)>,
    /// Fields marked `@drop`: they can be read and are not written.
    omitted_fields: BTreeSet<(hir::SourceId, String)>,
    /// What each template reads, beside `program.templates`.
    template_facts: Vec<templates::Facts<'a>>,
    /// What stands in scope at the end of each data set, beside `program.datasets`.
    datasets: Vec<dataset::Facts<'a>>,
    /// Runs by name, also those that are not in the program.
    runs: Vec<train::Run<'a>>,
    /// What each evaluation of the file is about, to find two of one kind.
    evaluations: Vec<(&'a str, &'a str, &'a str, Span)>,
    /// How deep the expression at hand is nested.
    depth: u32,
    /// How many calls of declared functions the expression at hand has been written out for.
    expansions: usize,
}

impl Context<'_> {
    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn error(
        &mut self,
        code: Code,
        message: impl Into<String>,
        span: Span,
        label: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.report(Diagnostic::new(code, message, span, label).help(help));
    }

    /// The 1-based line that a span begins on.
    fn line(&self, span: Span) -> u32 {
        u32::try_from(self.files.line(span)).unwrap_or(u32::MAX)
    }
}

/// Orders findings by place and leaves one of those that say the same of one place: a block that two data sets use is
/// checked twice.
fn in_order(mut diagnostics: Diagnostics) -> Diagnostics {
    let place = |diagnostic: &Diagnostic| diagnostic.labels.first().map(|label| label.span);
    diagnostics.sort_by_key(|diagnostic| (place(diagnostic), diagnostic.code));
    let mut seen = BTreeSet::new();
    diagnostics.retain(|diagnostic| seen.insert((place(diagnostic), diagnostic.code)));
    diagnostics
}

/// `word`, or the closest of `candidates` as a suggestion, or a list of what there is.
fn suggest<'s>(word: &str, candidates: impl IntoIterator<Item = &'s str>, what: &str) -> String {
    let mut all: Vec<&str> = candidates.into_iter().collect();
    if let Some(closest) = crate::diagnostics::closest(word, all.iter().copied()) {
        return format!("did you mean `{closest}`?");
    }
    if all.is_empty() {
        return format!("there are no {what} here");
    }
    let count = all.len();
    all.truncate(12);
    let list: Vec<String> = all.iter().map(|name| format!("`{name}`")).collect();
    let more = if count > all.len() { format!(" and {} more", count - all.len()) } else { String::new() };
    format!("{what}: {}{more}", list.join(", "))
}
