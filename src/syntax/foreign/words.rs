//! Words, numbers and strings that stand as they do elsewhere.

use crate::diagnostics::Diagnostic;
use crate::syntax::expected::{Mend, Place};
use crate::syntax::literal::number_length;
use crate::syntax::statement::{describe, shorten};
use crate::syntax::token::{CLAUSE_WORDS, HARD_WORDS, Kind, is_name_char};
use crate::syntax::words::Block;

/// Words that compare texts elsewhere.
const LIKE: &[&str] = &["like", "ilike", "rlike", "regexp", "contains", "startswith", "endswith", "includes"];

impl Place<'_> {
    /// `x IS NOT NULL AND y`: one habit in a statement, however many words of it are in capitals.
    pub(super) fn capitals(&self, at: usize) -> Option<(Diagnostic, Mend)> {
        let ours = self.in_small_letters(at)?;
        let message = format!("unexpected `{}`", self.text(at));
        let error = self.error(self.span(at), message, format!("did you mean `{ours}`?")).suggest(self.span(at), ours);
        let help = "the words of the language are written in small letters";
        let statement = (at..self.stop).take_while(|next| !self.tokens[*next].is_boundary());
        let words = statement.filter_map(|next| Some((self.tokens[next].start, self.in_small_letters(next)?)));
        Some((error.help(help), Mend(words.collect())))
    }

    /// The word of the language that a token is but for its capitals.
    fn in_small_letters(&self, at: usize) -> Option<String> {
        let word = self.text(at);
        let ours = word.to_ascii_lowercase();
        let is_ours = HARD_WORDS.contains(&ours.as_str()) || CLAUSE_WORDS.contains(&ours.as_str());
        // `LIKE` compares texts elsewhere, and only after `near` is it a word of ours.
        let is_ours = is_ours && !LIKE.contains(&ours.as_str());
        (word != ours && is_ours && self.tokens[at].kind == Kind::Word).then_some(ours)
    }

    /// `source "tickets"`, `"text": string`, `epochs "3"`
    pub(super) fn quoted(&self, at: usize, wanted: &[String]) -> Option<(Diagnostic, Mend)> {
        let literal = self.text(at);
        let inside = literal.strip_prefix('"')?.strip_suffix('"')?;
        let wants = |what: &str| wanted.iter().any(|item| item == what);
        let is_name = inside.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && inside.chars().all(is_name_char)
            && !HARD_WORDS.contains(&inside);
        let is_number = !inside.is_empty() && number_length(inside) == inside.trim_end_matches('%').len();
        let what = if is_name && (wants("a name") || wants("a type")) {
            if wants("a type") && !wants("a name") { "a type" } else { "a name" }
        } else if is_number && wants("a number") {
            "a number"
        } else {
            return None;
        };
        let after = describe(self.text(self.before?));
        let error = self.error(
            self.span(at),
            format!("expected {what} after {after}, found a string"),
            format!("{what} has no quotes"),
        );
        // What is left begins where the token begins, so that its place is the token's.
        let unquote = |at: usize| {
            let literal = self.text(at);
            (self.tokens[at].start, format!("{:1$}", literal.trim_matches('"'), literal.chars().count()))
        };
        let mend = match self.statement {
            // Where the name is quoted, its type is as well: that is one habit.
            Some((Block::Fields, _)) => {
                let line =
                    (at..self.stop).take_while(|next| !self.tokens[*next].is_boundary() && self.text(*next) != "@");
                Mend(line.filter(|next| self.tokens[*next].kind == Kind::Text).map(unquote).collect())
            }
            _ => Mend(vec![unquote(at)]),
        };
        Some((error.help(format!("write `{inside}`")), mend))
    }

    /// `80 %`, `0,001`
    pub(super) fn number_apart(&self, at: usize) -> Option<(Diagnostic, Mend)> {
        let before = self.before.filter(|before| self.tokens[*before].kind == Kind::Number)?;
        let number = self.text(before);
        if self.text(at) == "%" && !number.ends_with('%') {
            let span = self.span(before).to(self.span(at));
            let read = format!("{:1$}", format!("{number}%"), span.len());
            let message = format!("the `%` stands apart from `{number}`");
            let error = self.error(span, message, "a space between them");
            return Some((error.help(format!("write `{number}%`")), Mend::read(span.start as usize, read)));
        }
        let next = at + 1;
        let is_fraction = self.text(at) == ","
            && self.tokens.get(next).is_some_and(|token| token.kind == Kind::Number)
            && self.touch(before, at)
            && self.touch(at, next);
        if !is_fraction {
            return None;
        }
        let span = self.span(before).to(self.span(next));
        let error = self.error(span, format!("`{number},{}` is no number", self.text(next)), "with a comma");
        let help = format!("a fraction stands after a point: `{number}.{}`", self.text(next));
        Some((error.help(help), Mend::read(self.tokens[at].start, ".".to_owned())))
    }

    /// `dataset help-desk`
    pub(super) fn dash_in_name(&self, at: usize) -> Option<(Diagnostic, Mend)> {
        let before = self.before.filter(|before| self.tokens[*before].kind == Kind::Word)?;
        let is_part = |at: &usize| matches!(self.tokens[*at].kind, Kind::Word | Kind::Number) || self.text(*at) == "-";
        if self.text(at) != "-" || !self.touch(before, at) {
            return None;
        }
        let mut last = at;
        while last + 1 < self.stop && self.touch(last, last + 1) && is_part(&(last + 1)) {
            last += 1;
        }
        let span = self.span(before).to(self.span(last));
        let name = &self.source[span.start as usize..span.end as usize];
        let error = self.error(span, format!("`{}` is no name: it has a `-` in it", shorten(name)), "not a name");
        let help = format!("write `{}`, or put it in backticks: `` `{name}` ``", name.replace('-', "_"));
        Some((error.help(help), Mend::read(span.start as usize, name.replace('-', "_"))))
    }

    /// `drop when …`, `drop too short when …`
    pub(super) fn reason(&self, at: usize, wanted: &[String]) -> Option<(Diagnostic, Mend)> {
        let (block, head) = self.statement?;
        let word = self.text(head);
        let wants_reason = self.before == Some(head) && wanted.iter().any(|item| item == "a string");
        if !matches!((block, word), (Block::Clean, "drop") | (Block::Policy, "forbid")) || !wants_reason {
            return None;
        }
        let said: Vec<usize> = (at..self.stop)
            .take_while(|next| !self.tokens[*next].is_boundary() && self.text(*next) != "when")
            .collect();
        let message = format!("expected a reason in quotes after `{word}`, found {}", describe(self.text(at)));
        let error = self.error(self.span(at), message, "the reason by which such records are counted is missing");
        let help = match (said.first(), said.last()) {
            (Some(first), Some(last)) if self.tokens[at].kind == Kind::Word => {
                let reason = &self.source[self.tokens[*first].start..self.tokens[*last].end];
                format!("write it in quotes: `{word} \"{}\" when …`", shorten(reason))
            }
            _ => format!("for example `{word} \"too short\" when words(text) < 3`"),
        };
        Some((error.help(help), Mend::lose()))
    }

    /// `if` for `when`, `like` for `matches`, `elif` before an arm
    pub(super) fn other_word(&self, at: usize, wanted: &[String]) -> Option<(Diagnostic, Mend)> {
        let word = self.text(at);
        let lower = word.to_lowercase();
        let before = self.before?;
        let (block, head) = self.statement?;
        let elif = self.text(before);
        if block == Block::Arms && before == head && matches!(elif, "elif" | "elsif" | "elseif" | "case" | "if") {
            let error = self.error(self.span(head), format!("`{elif}` begins no arm"), "leave it out");
            let help =
                "an arm is its patterns and what follows from them: `1, 2 => bad`; the last one may be `else => …`";
            return Some((error.help(help), self.without(head)));
        }
        if self.tokens[at].kind != Kind::Word {
            return None;
        }
        let unexpected = || self.error(self.span(at), format!("unexpected `{word}`"), "no word of the language");
        let wants = |what: &str| wanted.iter().any(|item| item == what);
        if wants("`null`") && matches!(lower.as_str(), "none" | "nil" | "undefined" | "empty" | "nan") {
            let error = self.error(self.span(at), format!("unexpected `{word}`"), "did you mean `null`?");
            let error = error.suggest(self.span(at), "null");
            return Some((error.help("a value that is missing is `null`: `country is null`"), Mend::lose()));
        }
        if LIKE.contains(&lower.as_str()) {
            let help = "a text is compared with a pattern between slashes: `text matches /refund|money back/i`";
            return Some((unexpected().help(help), Mend::lose()));
        }
        if !matches!(lower.as_str(), "if" | "where" | "unless" | "having" | "filter") {
            return None;
        }
        if wants("`when`") {
            let error = self.error(self.span(at), format!("unexpected `{word}`"), "did you mean `when`?");
            let error = error.suggest(self.span(at), "when");
            let help = "a condition stands after `when`: `drop \"too short\" when words(text) < 3`";
            return Some((error.help(help), Mend::lose()));
        }
        let help = "records are taken out by a `clean` block: `drop \"too short\" when words(text) < 3`";
        (block == Block::Dataset).then(|| (unexpected().help(help), Mend::lose()))
    }
}
