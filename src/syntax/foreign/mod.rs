//! What people write who come from another language, and how it is said here. Where the meaning is plain, the rest of the
//! statement is read as if it had been said so.

mod signs;
mod words;

use super::expected::{Mend, Place};
use super::token::Kind;
use super::words::Block;
use crate::diagnostics::{Code, Diagnostic};
use crate::source::Span;

/// Words that begin a statement elsewhere, with the word that begins it here.
const STATEMENTS: &[(Block, &[&str], &str)] = &[
    (Block::File, &["def", "func", "function", "fun", "lambda"], "fn"),
    (Block::File, &["const", "var", "val", "define", "set"], "let"),
    (Block::File, &["import", "include", "require"], "use"),
    (Block::File, &["input", "table", "load"], "source"),
    (Block::File, &["prompt"], "template"),
    (Block::File, &["filter", "cleaning", "preprocess"], "clean"),
    (Block::File, &["output", "export"], "dataset"),
    (Block::File, &["fit", "finetune", "trainer"], "train"),
    (Block::File, &["metrics"], "evaluate"),
    (Block::Source, &["file", "files", "url", "uri", "location", "data"], "path"),
    (Block::Source, &["schema", "columns"], "fields"),
    (Block::Source, &["type", "kind"], "format"),
    (Block::Clean, &["filter", "remove", "delete", "reject", "skip", "if"], "drop"),
    (Block::Clean, &["replace", "map", "let", "update", "transform"], "set"),
    (Block::Clean, &["deduplicate", "distinct", "unique", "drop_duplicates"], "dedup"),
    (Block::Policy, &["mask", "anonymize", "anonymise", "hide", "scrub"], "redact"),
    (Block::Policy, &["deny", "block"], "forbid"),
    (Block::Policy, &["assert", "check", "ensure"], "require"),
    (Block::Template, &["human", "instruction"], "user"),
    (Block::Template, &["bot", "gpt", "ai", "answer", "response", "output"], "assistant"),
    (Block::Dataset, &["source", "sources", "input", "use"], "from"),
    (Block::Dataset, &["output", "export", "save", "format"], "write"),
    (Block::Dataset, &["filter"], "clean"),
    (Block::Train, &["dataset"], "data"),
    (Block::Train, &["lr", "learning_rate"], "rate"),
    (Block::Train, &["batch_size", "per_device_train_batch_size"], "batch"),
    (Block::Train, &["num_epochs", "num_train_epochs", "n_epochs"], "epochs"),
    (Block::Train, &["max_steps"], "steps"),
    (Block::Train, &["max_length", "max_seq_length", "seq_len"], "length"),
    (Block::Train, &["gradient_checkpointing", "activation_checkpointing"], "recompute"),
    (Block::Train, &["fp16", "bf16", "mixed_precision", "dtype"], "precision"),
    (Block::Evaluate, &["metric", "metrics"], "report"),
    (Block::Evaluate, &["assert", "expect", "check"], "require"),
    (Block::Test, &["input", "when", "in"], "given"),
    (Block::Test, &["output", "then", "assert", "out"], "expect"),
];

/// The word that begins the statement here that begins with `word` elsewhere.
pub(super) fn statement_word(block: Block, word: &str) -> Option<&'static str> {
    let word = word.to_lowercase();
    STATEMENTS.iter().find(|(of, words, _)| *of == block && words.contains(&word.as_str())).map(|(.., ours)| *ours)
}

impl Place<'_> {
    /// A mistake that other languages suggest at the token found.
    pub(super) fn habit(&self, wanted: &[String]) -> Option<(Diagnostic, Mend)> {
        let Some(at) = self.found_token() else { return self.brace_in_next_line() };
        self.sign_after_word(at, wanted)
            .or_else(|| self.sign_before_type(at, wanted))
            .or_else(|| self.double_sign(at))
            .or_else(|| self.operator(at, wanted))
            .or_else(|| self.capitals(at))
            .or_else(|| self.quoted(at, wanted))
            .or_else(|| self.number_apart(at))
            .or_else(|| self.dash_in_name(at))
            .or_else(|| self.round_list(at))
            .or_else(|| self.reason(at, wanted))
            .or_else(|| self.other_word(at, wanted))
            .or_else(|| self.other_sign(at))
    }

    /// A declaration whose `{` stands in a line of its own.
    fn brace_in_next_line(&self) -> Option<(Diagnostic, Mend)> {
        let newline = self.found?;
        let (block, _) = self.statement?;
        let brace = (newline..self.stop).find(|at| self.tokens[*at].kind != Kind::Newline)?;
        if block != Block::File || self.text(brace) != "{" {
            return None;
        }
        let (from, to) = (self.tokens[newline].start, self.tokens[brace].start);
        let message = "a block begins on the line of its declaration";
        let error = self.error(self.span(brace), message, "on a line of its own");
        Some((error.help("write the `{` at the end of the line before"), Mend::read(from, " ".repeat(to - from))))
    }

    fn error(&self, span: Span, message: impl Into<String>, label: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Code::UnexpectedToken, message, span, label)
    }

    /// Whether two tokens stand side by side without a space.
    fn touch(&self, first: usize, second: usize) -> bool {
        self.tokens[first].end == self.tokens[second].start
    }

    /// White space in the place of a token.
    fn without(&self, at: usize) -> Mend {
        Mend::read(self.tokens[at].start, " ".repeat(self.tokens[at].end - self.tokens[at].start))
    }
}
