//! Signs that mean something elsewhere.

use crate::diagnostics::Diagnostic;
use crate::syntax::expected::{Mend, Place};
use crate::syntax::statement::{describe, shorten};
use crate::syntax::token::Kind;
use crate::syntax::words::Block;

/// Signs for operators elsewhere, with the operator here and what it does.
const OPERATORS: &[(&str, &str, &str)] = &[
    ("&&", "and", "conditions are joined by the words `and` and `or`"),
    ("&", "and", "conditions are joined by the words `and` and `or`"),
    ("||", "or", "conditions are joined by the words `and` and `or`"),
    ("!", "not", "a condition is turned round by the word `not`"),
    ("=", "==", "two values are compared with `==`"),
    (":=", "=", "a field is given its value with `=`"),
    ("->", "=>", "what follows from a pattern or a condition stands after `=>`"),
];

/// Two signs in a row that are one operator elsewhere, with the operator here.
const DOUBLE_SIGNS: &[(&str, &str, &str)] = &[("<", ">", "!="), ("==", "=", "=="), ("!=", "=", "!=")];

impl Place<'_> {
    /// `path: "x"`, `path = "x"`, `source tickets = {`
    pub(super) fn sign_after_word(&self, at: usize, wanted: &[String]) -> Option<(Diagnostic, Mend)> {
        let (sign, before) = (self.text(at), self.before?);
        if !matches!(sign, ":" | "=" | "=>" | ":=") {
            return None;
        }
        let (block, head) = self.statement?;
        if block == Block::Settings && before == head {
            return Some(self.signs_of_options(at, head));
        }
        let word = block.words().find(|row| row.word == self.text(head)).filter(|_| !block.is_open())?;
        // `set = 3` lacks a name, not a sign too many.
        let takes_sign = sign == "=" && word.example.contains(" = ");
        let help = if before == head && !takes_sign {
            format!("a statement has no sign after its first word: `{}`", word.example)
        } else if wanted.iter().any(|item| item == "`{`") {
            format!("a block follows without a sign: `{}`", word.example)
        } else {
            return None;
        };
        let message = format!("unexpected `{sign}` after {}", describe(self.text(before)));
        Some((self.error(self.span(at), message, "leave it out").help(help), self.without(at)))
    }

    /// `layers = 2; hidden = 128`: one habit, however many options there are.
    fn signs_of_options(&self, at: usize, head: usize) -> (Diagnostic, Mend) {
        let sign = self.text(at);
        let in_block = (at..self.stop).take_while(|next| self.tokens[*next].kind != Kind::Close(b'}'));
        let signs = in_block.filter(|next| self.text(*next) == sign);
        let blank = |at: usize| (self.tokens[at].start, " ".repeat(sign.len()));
        let message = format!("unexpected `{sign}` after {}", describe(self.text(head)));
        let error = self.error(self.span(at), message, "leave it out, here and in the options after it");
        (error.help("an option is a name and its value: `rank 8`"), Mend(signs.map(blank).collect()))
    }

    /// `text = string`, `stars?: int`
    pub(super) fn sign_before_type(&self, at: usize, wanted: &[String]) -> Option<(Diagnostic, Mend)> {
        let (block, head) = self.statement?;
        let (sign, name) = (self.text(at), self.text(self.before?));
        if !wanted.iter().any(|item| item == "`:`") {
            return None;
        }
        if sign == "=" {
            let message = format!("expected `:` after {}, found `=`", describe(name));
            let help = match block {
                Block::Fields => "a field and its type are joined by a colon: `text: string`",
                _ => "a name and what it stands for are joined by a colon here",
            };
            let mend = Mend::read(self.tokens[at].start, ":".to_owned());
            return Some((self.error(self.span(at), message, "expected `:`").help(help), mend));
        }
        if sign == "?" && block == Block::Fields && self.before == Some(head) {
            let message = "`?` stands after the type, not after the name";
            let help = format!("write the type of a field that may be null with it: `{}: int?`", shorten(name));
            return Some((self.error(self.span(at), message, "leave it out here").help(help), self.without(at)));
        }
        None
    }

    /// `<>`, `===`, `!==`
    pub(super) fn double_sign(&self, at: usize) -> Option<(Diagnostic, Mend)> {
        let before = self.before.filter(|before| self.touch(*before, at))?;
        let signs = (self.text(before), self.text(at));
        let (.., ours) = DOUBLE_SIGNS.iter().find(|(first, second, _)| signs == (*first, *second))?;
        let message = format!("there is no operator `{}{}`", signs.0, signs.1);
        let help = "values are compared with `==`, `!=`, `<`, `<=`, `>` and `>=`";
        let span = self.span(before).to(self.span(at));
        let read = format!("{ours:0$}", span.len());
        let error = self.error(span, message, format!("did you mean `{ours}`?")).suggest(span, *ours);
        Some((error.help(help), Mend::read(span.start as usize, read)))
    }

    pub(super) fn operator(&self, at: usize, wanted: &[String]) -> Option<(Diagnostic, Mend)> {
        let sign = self.text(at);
        let (_, ours, help) = OPERATORS.iter().find(|(foreign, ..)| *foreign == sign)?;
        let something_else_is_missing =
            wanted.iter().any(|item| item.starts_with("a ") || matches!(item.as_str(), "`{`" | "`:`"));
        if sign == "=" && something_else_is_missing {
            return None;
        }
        let span = self.span(at);
        let error = self.error(span, format!("unexpected `{sign}`"), format!("did you mean `{ours}`?"));
        let error = error.suggest(span, *ours);
        let stands_apart = !self.before.is_some_and(|before| self.touch(before, at))
            && self.tokens.get(at + 1).is_some_and(|_| !self.touch(at, at + 1));
        let fits = ours.len() == sign.len() && (stands_apart || !ours.starts_with(char::is_alphabetic));
        let mend = if fits { Mend::read(self.tokens[at].start, (*ours).to_owned()) } else { Mend::lose() };
        Some((error.help(*help), mend))
    }

    /// `country in ("DE", "FR")`
    pub(super) fn round_list(&self, at: usize) -> Option<(Diagnostic, Mend)> {
        if self.text(at) != "," {
            return None;
        }
        let mut depth = 0usize;
        let open = (0..at).rev().find(|back| match self.tokens[*back].kind {
            Kind::Close(_) => {
                depth += 1;
                false
            }
            Kind::Open(_) if depth > 0 => {
                depth -= 1;
                false
            }
            Kind::Open(_) => true,
            _ => false,
        })?;
        let before = (0..open).rev().find(|back| self.tokens[*back].is_significant())?;
        if self.text(open) != "(" || self.text(before) != "in" {
            return None;
        }
        let close = (at..self.stop).find(|next| self.tokens[*next].kind == Kind::Close(b')'))?;
        let error = self.error(self.span(open), "the list after `in` stands in square brackets", "a round bracket");
        let mend = Mend(vec![(self.tokens[open].start, "[".to_owned()), (self.tokens[close].start, "]".to_owned())]);
        Some((error.help("write `in [ … ]`"), mend))
    }

    /// `a ? b : c`, `string[]`, `int | null`, `text.strip()`
    pub(super) fn other_sign(&self, at: usize) -> Option<(Diagnostic, Mend)> {
        let before = self.before?;
        let block = self.statement?.0;
        let unexpected = |label: &str| {
            let message = format!("unexpected `{}` after {}", self.text(at), describe(self.text(before)));
            self.error(self.span(at), message, label)
        };
        let error = match (self.text(at), block) {
            ("?", Block::Fields) => return None,
            ("?", _) => unexpected("cannot stand here")
                .help("one of several values is chosen with `match`: `stars match { 1, 2 => bad; else => good }`"),
            ("[", Block::Fields) => {
                unexpected("no sign of a type").help("the type of a list is written `list<string>`")
            }
            ("|", Block::Fields) => unexpected("no sign of a type")
                .help("a field has one type; one that may be null is marked with `?`: `int?`"),
            ("|", Block::Clean) => {
                unexpected("did you mean `|>`?").help("a value is passed on with `|>`; conditions are joined by `or`")
            }
            ("|", _) => unexpected("did you mean `or`?").help("conditions are joined by the words `and` and `or`"),
            ("(", _) if self.follows_dot(before) => {
                let name = self.text(before);
                unexpected("values have no methods").help(format!("write `{name}(x)` or `x |> {name}`"))
            }
            _ => return None,
        };
        Some((error, Mend::lose()))
    }

    fn follows_dot(&self, at: usize) -> bool {
        at > 0 && self.text(at - 1) == "."
    }
}
