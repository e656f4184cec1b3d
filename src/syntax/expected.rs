//! What the grammar missed, in the words of the language.

use pest::error::{Error, ErrorVariant, InputLocation};

use super::grammar::Rule;
use super::statement::describe;
use super::token::{HARD_WORDS, Kind, OPERATOR_WORDS, Token};
use crate::diagnostics::{Code, Diagnostic};
use crate::source::{FileId, Span};

/// Where the grammar stopped, in bytes of what it was given.
pub(super) fn failure_offset(error: &Error<Rule>) -> usize {
    match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
    }
}

/// The index of the first token that begins at byte `at` or after it.
pub(super) fn token_at(tokens: &[Token], at: usize) -> usize {
    tokens.partition_point(|token| token.end <= at)
}

/// Tells what is wrong at the token `found`, the first one that the grammar could not read. `stop` is the end of its
/// declaration.
pub(super) fn explain(
    file: FileId,
    text: &str,
    tokens: &[Token],
    (found, stop): (usize, usize),
    error: &Error<Rule>,
) -> Diagnostic {
    let before = (0..found).rev().find(|at| tokens[*at].is_significant());
    let place = Place { file, text, tokens, before, found: (found < stop).then_some(found) };
    let wanted = wanted(error);
    place
        .trailing_operator()
        .or_else(|| place.foreign_operator(&wanted))
        .or_else(|| place.hard_word(&wanted))
        .unwrap_or_else(|| place.plain(&wanted))
}

/// What stands after the colon of a label.
const KIND_OF_LABEL: &str = "a kind of label like `choice`, `scale` or `text`";
/// The words that name one.
const LABEL_WORDS: &[&str] =
    &["choice", "choices", "spans", "scale", "number", "flag", "text", "rank", "preference", "json"];

struct Place<'t> {
    file: FileId,
    text: &'t str,
    tokens: &'t [Token],
    before: Option<usize>,
    found: Option<usize>,
}

impl Place<'_> {
    fn span(&self, at: usize) -> Span {
        Span::new(self.file, self.tokens[at].start, self.tokens[at].end)
    }

    fn text(&self, at: usize) -> &str {
        self.tokens[at].text(self.text)
    }

    /// The token found, unless the statement ends there.
    fn found_token(&self) -> Option<usize> {
        self.found.filter(|at| !self.tokens[*at].is_boundary())
    }

    fn trailing_operator(&self) -> Option<Diagnostic> {
        let before = self.before?;
        let operator = self.text(before);
        let is_operator = match self.tokens[before].kind {
            Kind::Symbol => {
                matches!(operator, "+" | "-" | "*" | "/" | "??" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "|>" | ".")
            }
            Kind::Word => matches!(operator, "and" | "or" | "not" | "in" | "matches"),
            _ => false,
        };
        if !is_operator || self.found_token().is_some() {
            return None;
        }
        let message = format!("nothing follows the operator `{operator}`");
        let error = Diagnostic::new(Code::UnexpectedToken, message, self.span(before), "its right side is missing");
        let next = self.tokens.get(before + 1);
        Some(if next.is_some_and(|next| next.kind == Kind::Newline) {
            error
                .help(format!("an expression that goes on in the next line has `{operator}` at the start of that line"))
        } else {
            error.help("write its right side, or remove it")
        })
    }

    /// An operator that other languages write in another way.
    fn foreign_operator(&self, wanted: &[String]) -> Option<Diagnostic> {
        let at = self.found_token()?;
        let sign = self.text(at);
        let ours = match sign {
            "&&" | "&" => "and",
            "||" => "or",
            "!" => "not",
            "=" => "==",
            ":=" => "=",
            "->" => "=>",
            "|" => "or",
            _ => return None,
        };
        let something_else_is_missing = wanted.iter().any(|item| item.starts_with("a "));
        if sign == "=" && something_else_is_missing {
            return None;
        }
        let message = format!("unexpected `{sign}`");
        let label = format!("did you mean `{ours}`?");
        Some(Diagnostic::new(Code::UnexpectedToken, message, self.span(at), label))
    }

    /// A keyword where a name should stand.
    fn hard_word(&self, wanted: &[String]) -> Option<Diagnostic> {
        let at = self.found_token()?;
        let word = self.text(at);
        let name_stands_here = wanted.iter().any(|item| item.starts_with("a name"));
        if !name_stands_here || !HARD_WORDS.contains(&word) {
            return None;
        }
        let message = format!("`{word}` is a keyword and cannot be a name");
        let error = Diagnostic::new(Code::UnexpectedToken, message, self.span(at), "expected a name");
        Some(error.help(format!("put it in backticks: `` `{word}` ``")))
    }

    fn plain(&self, wanted: &[String]) -> Diagnostic {
        let after = self.before.map(|at| describe(self.text(at)));
        let expected = (!wanted.is_empty()).then(|| either(wanted));
        match (self.found_token(), self.before) {
            (Some(at), _) => {
                let found = describe(self.text(at));
                let message = match (&expected, after) {
                    (Some(expected), Some(after)) => format!("expected {expected} after {after}, found {found}"),
                    (Some(expected), None) => format!("expected {expected}, found {found}"),
                    (None, Some(after)) => format!("unexpected {found} after {after}"),
                    (None, None) => format!("unexpected {found}"),
                };
                let label = expected.map_or_else(|| "cannot stand here".to_owned(), |what| format!("expected {what}"));
                let error = Diagnostic::new(Code::UnexpectedToken, message, self.span(at), label);
                match self.advice(at, wanted) {
                    Some(help) => error.help(help),
                    None => error,
                }
            }
            (None, Some(at)) => {
                let last = describe(self.text(at));
                let what = expected.unwrap_or_else(|| "something more".to_owned());
                let message = format!("expected {what} after {last}");
                Diagnostic::new(Code::UnexpectedToken, message, self.span(at), "the statement ends too early")
            }
            (None, None) => {
                let span = Span::new(self.file, 0, 0);
                Diagnostic::new(Code::UnexpectedToken, "expected a declaration", span, "nothing stands here")
            }
        }
    }

    fn advice(&self, at: usize, wanted: &[String]) -> Option<String> {
        let text = self.text(at);
        let before = self.before?;
        let misspelt = |word: &String| word.trim_matches('`').to_owned();
        let mut words: Vec<String> = wanted.iter().filter(|item| item.starts_with('`')).map(misspelt).collect();
        if wanted.iter().any(|item| item == KIND_OF_LABEL) {
            words.extend(LABEL_WORDS.iter().map(|word| (*word).to_owned()));
        }
        if self.tokens[at].kind == Kind::Word
            && let Some(near) = crate::diagnostics::closest(text, words.iter().map(String::as_str))
        {
            return Some(format!("did you mean `{near}`?"));
        }
        match text {
            "<" => Some("the only type with `<…>` is `list<T>`".to_owned()).filter(|_| wanted.is_empty()),
            "," => Some("a comma stands between the items of a list; statements end at a newline or `;`".to_owned()),
            "(" => Some("a function is called by its name: `f(a, b)` or `a |> f(b)`".to_owned()),
            "{" if OPERATOR_WORDS.contains(&self.text(before)) => None,
            "when" if wanted.iter().any(|item| item == "a string") => {
                Some("a reason comes first: `\"too short\" when …`".to_owned())
            }
            "%" => Some("write the sign right after the number: `20%`".to_owned()),
            _ if self.tokens[before].kind == Kind::Comma => Some("remove the comma if the list ends there".to_owned()),
            _ if wanted.iter().any(|item| item == "a string") && self.tokens[at].kind == Kind::Word => {
                let rest = &self.text[self.tokens[at].start..];
                let end = rest.find(|c: char| c.is_whitespace() || matches!(c, ';' | ',' | '}')).unwrap_or(rest.len());
                Some(format!("write it in quotes: `\"{}\"`", super::statement::shorten(&rest[..end])))
            }
            _ if wanted.is_empty() => Some("a statement ends at a newline or `;`".to_owned()),
            _ => None,
        }
    }
}

/// What could have stood there, without what can always stand there.
fn wanted(error: &Error<Rule>) -> Vec<String> {
    let ErrorVariant::ParsingError { positives, .. } = &error.variant else { return Vec::new() };
    let mut words: Vec<String> = Vec::new();
    for rule in positives {
        for word in wording(*rule).unwrap_or_default() {
            if !words.contains(&word) {
                words.push(word);
            }
        }
    }
    // A value can begin in so many ways that naming them all says less than naming none.
    if words.iter().any(|word| word == "a value") {
        words.retain(|word| word == "a value" || word.starts_with('`'));
    }
    words
}

/// How a rule is spoken of; `None` for what may stand almost anywhere.
fn wording(rule: Rule) -> Option<Vec<String>> {
    let one = |word: &str| Some(vec![word.to_owned()]);
    match rule {
        Rule::name
        | Rule::names
        | Rule::import_name
        | Rule::param
        | Rule::field
        | Rule::entry
        | Rule::type_entry
        | Rule::setting
        | Rule::setting_word
        | Rule::value
        | Rule::value_name
        | Rule::part
        | Rule::values_field
        | Rule::schedule => one("a name"),
        Rule::text | Rule::texts | Rule::reason | Rule::value_title => one("a string"),
        Rule::number | Rule::amount | Rule::quantity | Rule::percent => one("a number"),
        Rule::range => one("a range like `1..5`"),
        Rule::type_of | Rule::type_list | Rule::type_record => one("a type"),
        Rule::expr | Rule::operand | Rule::prefix | Rule::arg | Rule::rule_value | Rule::call => one("a value"),
        Rule::record => one("a record `{ … }`"),
        Rule::pattern | Rule::patterns | Rule::arm => one("a pattern"),
        Rule::target => Some(vec!["`@personal`".to_owned(), "a name".to_owned()]),
        Rule::open | Rule::fields | Rule::value_list | Rule::label_block => one("`{`"),
        Rule::dot => one("`.`"),
        Rule::dots => one("`..`"),
        Rule::sep => one("`,`"),
        Rule::less => one("`<`"),
        Rule::more => one("`>`"),
        Rule::paren => one("`(`"),
        Rule::colon => one("`:`"),
        Rule::equals | Rule::label_value => one("`=`"),
        Rule::arrow => one("`=>`"),
        Rule::text_list | Rule::quantity_list | Rule::list => one("`[`"),
        Rule::name_list | Rule::count => one("`(`"),
        Rule::values => Some(vec!["`{`".to_owned(), "`from`".to_owned()]),
        Rule::schema => one(KIND_OF_LABEL),
        Rule::near
        | Rule::when
        | Rule::per
        | Rule::at
        | Rule::stratify
        | Rule::seed
        | Rule::warmup
        | Rule::floor
        | Rule::accumulate
        | Rule::overlap
        | Rule::vote => one(&format!("`{rule:?}`")),
        Rule::split_by | Rule::validate_by => one("`by`"),
        Rule::validate_every => one("`every`"),
        Rule::value_key => one("`key`"),
        Rule::else_drop => one("`else drop`"),
        Rule::length_else | Rule::device_else => one("`else`"),
        Rule::import_as | Rule::write_name | Rule::split_field => one("`as`"),
        Rule::part_from | Rule::write_template => one("`from`"),
        Rule::part_share => one("a share like `90%`"),
        Rule::expect_drop => one("`drop`"),
        Rule::expect_quarantine => one("`quarantine`"),
        Rule::task_pair => Some(vec!["`classify`".to_owned(), "`regress`".to_owned()]),
        Rule::task_label => one("`tag`"),
        Rule::task_source => Some(vec!["`generate`".to_owned(), "`prefer`".to_owned(), "`embed`".to_owned()]),
        Rule::slot_name => one("a slot like `user`"),
        // Operators, and what may follow many things.
        Rule::k_and | Rule::k_or | Rule::k_in | Rule::k_is | Rule::k_matches | Rule::k_match | Rule::k_not => None,
        // That a statement may end says less than what else it may hold.
        Rule::close => None,
        Rule::k_anonymous_word => one("`k_anonymous`"),
        other => {
            // A keyword's rule is named after its word.
            let name = format!("{other:?}");
            name.strip_prefix("k_").map(|word| vec![format!("`{word}`")])
        }
    }
}

/// `a`, `a or b`, `a, b or c`
pub(super) fn either(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} or {last}", rest.join(", ")),
    }
}
