//! From the syntax tree to the resolved program: names, types, proofs.
//!
//! [`resolve`] reports every independent mistake of the files in one run. What was found wrong once is silent
//! afterwards: an expression without a type is `None`, a field without a type is a column that is known and never
//! complained about. [`check_supported`] says, with its place, what is well-formed and cannot be built by this version.

mod answers;
mod builtins;
mod calls;
mod cleaning;
mod compare;
mod compliance;
mod constraints;
mod dataset;
mod dedup;
mod evaluate;
mod foreign;
mod formats;
mod gates;
mod generation;
mod implies;
mod index;
mod label_values;
mod labels;
mod licence;
mod mapping;
mod matching;
mod metrics;
mod model;
mod names;
mod order;
mod outputs;
mod packs;
mod paths;
mod periods;
mod purpose;
mod quantities;
mod ranges;
mod reach;
mod samples;
mod scope;
mod source;
mod split;
mod strata;
mod supported;
pub mod tables;
mod taint;
mod task;
mod templates;
mod tests;
mod train;
mod types;
mod unmeetable;
mod uses;
mod values;
pub mod vocabulary;

#[cfg(test)]
mod cases;

pub use index::{Index, Reference, Scope, Symbol, SymbolKind, Visible};
pub use supported::check_supported;
pub use uses::{Parsed, load};

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::diagnostics::{Code, Diagnostic, Diagnostics, Help, Suggestion};
use crate::hir;
use crate::source::{FileId, SourceMap, Span};
use crate::syntax::{self, ast::Ident};
use names::Names;

/// Reads the files that a specification refers to at check time: other specifications, and lists of label values.
pub trait Loader {
    /// The text of the file at this path, which is joined to the folder of the file that names it; else the reason why it
    /// cannot be had.
    ///
    /// # Errors
    /// One line that says what went wrong: lower case, no final period.
    fn read(&mut self, path: &Path) -> Result<String, String>;
}

/// A loader for callers without files: it finds none.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFiles;

impl Loader for NoFiles {
    fn read(&mut self, _path: &Path) -> Result<String, String> {
        Err("there is no file of this name".to_owned())
    }
}

/// Resolves and checks the parsed files of one program: all of the first file, and of the others what it takes.
///
/// The program may be used when the diagnostics hold no error. A declaration that [`check_supported`] refuses is checked
/// here like any other; a training run or an evaluation among them does not stand in the program.
pub fn resolve(files: &SourceMap, parsed: &Parsed, loader: &mut dyn Loader) -> (hir::Program, Diagnostics) {
    let context = resolve_all(files, parsed, loader, None);
    (context.program, in_order(context.diagnostics))
}

/// The same with what names mean and where they stand, for editors.
pub fn analyze(files: &SourceMap, parsed: &Parsed, loader: &mut dyn Loader) -> (hir::Program, Diagnostics, Index) {
    let mut context = resolve_all(files, parsed, loader, Some(index::Recorder::default()));
    let index = context.recorder.take().map(index::finish).unwrap_or_default();
    (context.program, in_order(context.diagnostics), index)
}

fn resolve_all<'a>(
    files: &'a SourceMap,
    parsed: &'a Parsed,
    loader: &'a mut dyn Loader,
    recorder: Option<index::Recorder>,
) -> Context<'a> {
    let (names, diagnostics) = names::collect(parsed);
    let decls = reach::needed(&names, parsed);
    let mut context = Context {
        files,
        names,
        diagnostics,
        loader,
        entry: parsed.entry(),
        program: hir::Program::default(),
        ids: BTreeMap::new(),
        bare_fields: BTreeSet::new(),
        omitted_fields: BTreeSet::new(),
        template_facts: Vec::new(),
        datasets: Vec::new(),
        runs: Vec::new(),
        evaluations: Vec::new(),
        field_names: BTreeMap::new(),
        label_names: BTreeMap::new(),
        value_places: BTreeMap::new(),
        recorder,
        regexes: BTreeSet::new(),
        too_large: BTreeSet::new(),
        depth: 0,
        expansions: 0,
    };
    index::define_declarations(&mut context, parsed);
    source::resolve_sources(&mut context, &decls);
    labels::resolve_labels(&mut context, &decls);
    templates::resolve_templates(&mut context, &decls);
    dataset::resolve_datasets(&mut context, &decls);
    order::check_order(&mut context);
    model::resolve_models(&mut context, &decls);
    train::resolve_trains(&mut context, &decls);
    evaluate::resolve_evaluates(&mut context, &decls);
    tests::resolve_tests(&mut context, &decls);
    names::check_unused(&mut context, parsed.entry());
    context
}

/// What the passes share.
struct Context<'a> {
    files: &'a SourceMap,
    names: Names<'a>,
    diagnostics: Diagnostics,
    loader: &'a mut dyn Loader,
    /// The file that was named.
    entry: FileId,
    program: hir::Program,
    /// The index in its list of the program (for a run, in `runs`) of each declaration, by the place of its name.
    ids: BTreeMap<Span, u32>,
    /// Fields whose type is unknown: their mistake was reported where they are declared.
    bare_fields: BTreeSet<(hir::SourceId, String)>,
    /// Fields marked `@drop`: they can be read and are not written.
    omitted_fields: BTreeSet<(hir::SourceId, String)>,
    /// Where the name of each field stands.
    field_names: BTreeMap<(hir::SourceId, String), Span>,
    /// Where the name of each label is declared.
    label_names: BTreeMap<hir::LabelId, Span>,
    /// Where each value of a label is written, for those that are written in a specification.
    value_places: BTreeMap<(hir::LabelId, String), Span>,
    /// What editors want to know, where somebody asked for it.
    recorder: Option<index::Recorder>,
    /// What each template reads, beside `program.templates`.
    template_facts: Vec<templates::Facts<'a>>,
    /// What stands in scope at the end of each data set, beside `program.datasets`.
    datasets: Vec<dataset::Facts>,
    /// Runs by name, also those that are not in the program.
    runs: Vec<train::Run>,
    /// What each evaluation of the file is about, to find two of one kind.
    evaluations: Vec<(&'a str, &'a str, &'a str, Span)>,
    /// Patterns that compile: the same one stands in many files, and compiling is what a check waits for.
    regexes: BTreeSet<String>,
    /// Functions, by the places of their names, that are too large when they are written out: whoever calls one is so too,
    /// and it was said once.
    too_large: BTreeSet<Span>,
    /// How deep the expression at hand is nested.
    depth: u32,
    /// How many calls of declared functions the expression at hand has been written out for.
    expansions: usize,
}

impl Context<'_> {
    fn report(&mut self, mut diagnostic: Diagnostic) {
        diagnostic.suggestion = diagnostic.suggestion.and_then(|suggestion| self.spelt_as_written(suggestion));
        self.diagnostics.push(diagnostic);
    }

    /// A suggestion in quotes or backticks where the word in its place has them; none where more stands there than the
    /// misspelt word.
    fn spelt_as_written(&self, suggestion: Suggestion) -> Option<Suggestion> {
        let Suggestion { span, replacement } = suggestion;
        let written = self.files.text(span);
        let in_quotes = written.starts_with('"');
        let word = written.trim_matches(['"', '`']);
        if !word.chars().all(syntax::is_name_char) {
            crate::diagnostics::closest(word, [replacement.as_str()])?;
        }
        let replacement = match replacement.as_str() {
            _ if in_quotes => format!("\"{replacement}\""),
            "null" | "true" | "false" => replacement,
            name => syntax::written_name(name)?.into_owned(),
        };
        Some(Suggestion { span, replacement })
    }

    fn error(
        &mut self,
        code: Code,
        message: impl Into<String>,
        span: Span,
        label: impl Into<String>,
        help: impl Into<Help>,
    ) {
        self.report(Diagnostic::new(code, message, span, label).help(help));
    }

    /// The index of the declaration that a name means, among those of its kind that were resolved so far.
    fn id_of(&self, name: &Ident) -> Option<u32> {
        self.ids.get(&self.names.get(name)?.place).copied()
    }

    /// The folder that paths at a span begin at, from the folder of the file that was named; empty for that one itself.
    fn folder_at(&self, at: Span) -> String {
        uses::between(self.files.path(self.entry), self.files.path(at.file))
    }

    /// Reads a file that a specification names at a span.
    fn read(&mut self, at: Span, path: &str) -> Result<String, String> {
        let folder = uses::folder_of(self.files.path(at.file));
        self.loader.read(&uses::plain(&folder.join(path)))
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
fn suggest<'s>(word: &str, candidates: impl IntoIterator<Item = &'s str>, what: &str) -> Help {
    let mut all: Vec<&str> = candidates.into_iter().collect();
    if let Some(closest) = crate::diagnostics::closest(word, all.iter().copied()) {
        return Help::did_you_mean(closest);
    }
    if all.is_empty() {
        return format!("there are no {what} here").into();
    }
    let count = all.len();
    all.truncate(12);
    let list: Vec<String> = all.iter().map(|name| format!("`{name}`")).collect();
    let more = if count > all.len() { format!(" and {} more", count - all.len()) } else { String::new() };
    format!("{what}: {}{more}", list.join(", ")).into()
}
