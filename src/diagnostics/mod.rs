//! Diagnostics and the one table of codes; the only door to miette besides the command line.

pub mod codes;
mod help;
mod json;
mod render;

pub use codes::Code;
pub use help::{Help, Suggestion};
pub use json::render_json;
pub use render::{Look, render, render_one, summary};

use crate::source::Span;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is built.
    Error,
    /// The build goes on.
    Warning,
}

/// A place and what is to be said about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What it says: lower case, no final period.
    pub message: String,
}

/// An author's mistake: what is wrong, where, and how to mend it.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnostic {
    /// The stable code.
    pub code: Code,
    /// What is wrong: lower case, names in backticks, no final period.
    pub message: String,
    /// The places; the first is the primary one.
    pub labels: Vec<Label>,
    /// How to mend it.
    pub help: Option<String>,
    /// The edit that mends it, where it is a small one.
    pub suggestion: Option<Suggestion>,
}

impl Diagnostic {
    /// A finding with its primary place.
    pub fn new(code: Code, message: impl Into<String>, span: Span, label: impl Into<String>) -> Self {
        let labels = vec![Label { span, message: label.into() }];
        Self { code, message: message.into(), labels, help: None, suggestion: None }
    }

    /// Adds a further place.
    pub fn label(mut self, span: Span, message: impl Into<String>) -> Self {
        self.labels.push(Label { span, message: message.into() });
        self
    }

    /// Says how to mend it. What was meant instead is suggested for the primary place.
    pub fn help(mut self, help: impl Into<Help>) -> Self {
        let Help { text, instead } = help.into();
        self.help = Some(text);
        let primary = self.labels[0].span;
        match instead {
            Some(instead) => self.suggest(primary, instead),
            None => self,
        }
    }

    /// Suggests a text in the place of a span.
    pub fn suggest(mut self, span: Span, replacement: impl Into<String>) -> Self {
        self.suggestion = Some(Suggestion { span, replacement: replacement.into() });
        self
    }

    /// The severity that the code has.
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }
}

/// The findings of a stage.
pub type Diagnostics = Vec<Diagnostic>;

/// Whether any finding is an error.
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|diagnostic| diagnostic.severity() == Severity::Error)
}

/// The candidate closest to a misspelt word: at most a third of its letters wrong, or a shared start; else one that is
/// a part of a longer word, as `layers` is of `num_layers`.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    let lower = word.to_lowercase();
    let is_part = |candidate: &&&str| {
        let joined = candidate.len() >= 4 && (lower.starts_with(**candidate) || lower.ends_with(**candidate));
        joined || candidate.len() >= 2 && lower.contains('_') && lower.split('_').any(|part| part == **candidate)
    };
    nearest(word, &candidates).or_else(|| candidates.iter().find(is_part).copied())
}

fn nearest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let length = word.chars().count();
    let limit = (length / 3).max(1);
    // Words whose lengths differ by more have more letters wrong.
    candidates
        .iter()
        .filter(|candidate| candidate.starts_with(word) || candidate.chars().count().abs_diff(length) <= limit)
        .map(|candidate| (strsim::osa_distance(&word.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| {
            *distance <= limit || (word.len() >= 3 && candidate.starts_with(word)) && *distance < candidate.len()
        })
        .min()
        .map(|(_, candidate)| *candidate)
}
