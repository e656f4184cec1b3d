//! What the grammar missed, in the words of the language.

use pest::error::{Error, ErrorVariant, InputLocation};

use super::grammar::Rule;
use super::statement::describe;
use super::token::{CLAUSE_WORDS, HARD_WORDS, Kind, OPERATOR_WORDS, Token};
use super::words::Block;
use crate::diagnostics::{Code, Diagnostic, Help};
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

/// What is read in the place of a mistake whose meaning is plain: bytes by where they begin, as many as there were. Where
/// there are none, the statement is left out.
pub(super) struct Mend(pub Vec<(usize, String)>);

impl Mend {
    /// Nothing can be read for it.
    pub fn lose() -> Self {
        Self(Vec::new())
    }

    /// One place is read differently.
    pub fn read(start: usize, text: String) -> Self {
        Self(vec![(start, text)])
    }
}

/// Where the grammar stopped.
pub(super) struct Stop {
    /// The first token that it could not read.
    pub found: usize,
    /// The end of the declaration.
    pub end: usize,
    /// The innermost statement around it, by its block and first word.
    pub statement: Option<(Block, usize)>,
}

/// Tells what is wrong where the grammar stopped, and what may be read instead.
pub(super) fn explain(
    file: FileId,
    source: &str,
    tokens: &[Token],
    stop: &Stop,
    error: &Error<Rule>,
) -> (Diagnostic, Mend) {
    let Stop { found, end, statement } = *stop;
    let before = (0..found).rev().find(|at| tokens[*at].is_significant());
    let place = Place { file, source, tokens, before, found: (found < end).then_some(found), stop: end, statement };
    let wanted = wanted(error);
    if let Some(told) = place.habit(&wanted) {
        return told;
    }
    let error = place.trailing_operator().or_else(|| place.hard_word(&wanted)).unwrap_or_else(|| place.plain(&wanted));
    let error = match (&error.help, place.example()) {
        (None, Some(example)) => error.help(example),
        _ => error,
    };
    (error, Mend::lose())
}

/// What stands after the colon of a label.
const KIND_OF_LABEL: &str = "a kind of label like `choice`, `scale` or `text`";
/// The words that name one.
const LABEL_WORDS: &[&str] =
    &["choice", "choices", "spans", "scale", "number", "flag", "text", "rank", "preference", "json"];

/// A place that the grammar could not read, and what stands around it.
pub(super) struct Place<'t> {
    pub file: FileId,
    pub source: &'t str,
    pub tokens: &'t [Token],
    /// The last token that was read.
    pub before: Option<usize>,
    /// The one after it, unless the declaration ends there.
    pub found: Option<usize>,
    /// The end of the declaration.
    pub stop: usize,
    /// The innermost statement around it, by its block and first word.
    pub statement: Option<(Block, usize)>,
}

impl Place<'_> {
    pub(super) fn span(&self, at: usize) -> Span {
        Span::new(self.file, self.tokens[at].start, self.tokens[at].end)
    }

    pub(super) fn text(&self, at: usize) -> &str {
        self.tokens[at].text(self.source)
    }

    /// The token found, unless the statement ends there.
    pub(super) fn found_token(&self) -> Option<usize> {
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
        let help = format!("put it in backticks: `` `{word}` ``");
        Some(error.help(help).suggest(self.span(at), format!("`{word}`")))
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

    fn advice(&self, at: usize, wanted: &[String]) -> Option<Help> {
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
            return Some(Help::did_you_mean(near));
        }
        let advice = match text {
            "<" => Some("the only type with `<…>` is `list<T>`".to_owned()).filter(|_| wanted.is_empty()),
            "," => Some("a comma stands between the items of a list; statements end at a newline or `;`".to_owned()),
            "(" => Some("a function is called by its name: `f(a, b)` or `a |> f(b)`".to_owned()),
            "{" if OPERATOR_WORDS.contains(&self.text(before)) => None,
            _ if self.tokens[before].kind == Kind::Comma => Some("remove the comma if the list ends there".to_owned()),
            _ if wanted.iter().any(|item| item == "a string") && self.is_bare_text(at) => {
                let rest = &self.source[self.tokens[at].start..];
                let end = rest.find(|c: char| c.is_whitespace() || matches!(c, ';' | ',' | '}')).unwrap_or(rest.len());
                Some(format!("write it in quotes: `\"{}\"`", super::statement::shorten(&rest[..end])))
            }
            _ if wanted.is_empty() => Some("a statement ends at a newline or `;`".to_owned()),
            _ => None,
        };
        advice.map(Help::from)
    }

    /// Whether a word may be a text whose quotes were forgotten.
    fn is_bare_text(&self, at: usize) -> bool {
        let word = self.text(at);
        self.tokens[at].kind == Kind::Word && !HARD_WORDS.contains(&word) && !CLAUSE_WORDS.contains(&word)
    }

    /// How the statement at hand is written.
    fn example(&self) -> Option<String> {
        let (block, head) = self.statement?;
        let shown = match block {
            Block::Fields => "a field is a name and a type: `text: string`",
            Block::Values => "a value is a name, and a title and a key if it has them: `refund \"Refund\" key \"r\"`",
            Block::Arms => "an arm is its patterns and what follows from them: `1, 2 => bad`",
            Block::Settings => "an option is a name and its value: `rank 8`",
            _ => {
                let row = block.words().find(|row| row.word == self.text(head))?;
                return Some(format!("for example `{}`", row.example));
            }
        };
        Some(shown.to_owned())
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
        | Rule::decay
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
