//! The scalar functions of the language: one file each, and [`all`], the one table from which the type checker, the
//! lowering and the reference work. Adding a function is one file and one row.
//!
//! The functions are pure: no input, locale, time or thread count but the text and the constants decide the result; one that
//! runs a model may round otherwise on a processor with other instructions. A null text gives null without the function being
//! called; that is the caller's part, the same for every row.

use std::borrow::Cow;
use std::ops::Range;

mod alpha_ratio;
mod alpha_words;
mod bullet_lines;
mod chars;
mod classes;
mod collapse_whitespace;
mod compression_ratio;
mod constants;
mod digit_ratio;
mod drop_lines;
mod drop_long_word_lines;
mod drop_short_lines;
mod ellipsis_lines;
mod emoji;
mod emojis;
mod fix_encoding;
mod html;
mod keep_lines;
mod language;
mod language_confidence;
mod line_wise;
mod lines;
mod lowercase;
mod main_text;
mod mean_word_length;
mod models;
mod newline_ratio;
mod nfc;
mod nfkc;
mod normalize_quotes;
mod parts;
mod perplexity;
mod prose_words;
mod punctuated_lines;
mod punctuation_ratio;
mod repeated_lines;
mod repeated_ngrams;
mod repeated_paragraphs;
mod replace;
mod sentences;
mod short_lines;
mod stopwords;
mod strip_boilerplate;
mod strip_control;
mod strip_emoji;
mod strip_html;
mod strip_urls;
mod symbol_ratio;
mod tokens;
mod top_ngram;
mod trim_lines;
mod truncate;
mod upper_ratio;
mod url_ratio;
mod urls;
mod words;

#[cfg(test)]
mod tests;

pub use constants::{Argument, BadConstant, Constants, compiled};
pub use models::{forget_language_models, provide_language_model, provide_tokenizer};
pub use parts::Parts;
pub use parts::words::count_words;

use crate::eval::CausalModelError;

/// One scalar function of the language.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    /// The name by which a spec calls it.
    pub name: &'static str,
    /// What it does, as one line of a list: a verb phrase without a full stop.
    pub summary: &'static str,
    /// The page of the reference, in Markdown.
    pub docs: &'static str,
    /// What it takes: the text it is about, then constants.
    pub parameters: &'static [Parameter],
    /// The type of what it returns for a text that is not null.
    pub result: ResultType,
    /// Shown in the reference and run as tests.
    pub examples: &'static [Example],
    /// Raised whenever some text's result changes, because results are cached under it.
    pub version: u32,
    /// The implementation.
    pub eval: Eval,
}

impl Function {
    /// How it is called and what it gives: `words(text: string) -> int`.
    pub fn signature(&self) -> String {
        let null = if self.result.nullable { "?" } else { "" };
        let parameters: Vec<String> = self.parameters.iter().map(ToString::to_string).collect();
        format!("{}({}) -> {}{null}", self.name, parameters.join(", "), self.result.value.word())
    }

    /// What it takes beside the text.
    pub fn constants(&self) -> &'static [Parameter] {
        &self.parameters[1..]
    }

    /// How an example calls it: `truncate("a text", 3)`.
    pub fn call(&self, example: &Example) -> String {
        let constants = self.constants().iter().zip(example.constants);
        let constants: String = constants.map(|(one, given)| format!(", {}", one.written(*given))).collect();
        format!("{}({:?}{constants})", self.name, example.input)
    }
}

/// A parameter of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// The name under which the reference speaks of it.
    pub name: &'static str,
    /// What it takes.
    pub kind: ParameterKind,
    /// What it is where a call leaves it out; only the last constants have one.
    pub default: Option<Argument<'static>>,
}

/// What a parameter takes. All but the text are constants, checked before data is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// The text that the function is about; a null argument gives null.
    Text,
    /// A whole number between both, ends included; neither is negative.
    Whole {
        /// The lowest value.
        least: i64,
        /// The highest value.
        most: i64,
    },
    /// A text.
    Literal,
    /// A regex.
    Pattern,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A declared model, of which the tokenizer is taken.
    Model,
    /// A declared model that continues texts, which is run.
    LanguageModel,
}

impl Parameter {
    const fn of(name: &'static str, kind: ParameterKind) -> Self {
        Self { name, kind, default: None }
    }

    const fn whole(name: &'static str, least: i64, most: i64) -> Self {
        Self::of(name, ParameterKind::Whole { least, most })
    }

    /// A word that may be left out.
    const fn word(name: &'static str, words: &'static [&'static str], default: &'static str) -> Self {
        Self { name, kind: ParameterKind::Word(words), default: Some(Argument::Text(default)) }
    }
}

/// What a function returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResultType {
    /// The type of the value.
    pub value: ValueType,
    /// Whether a text that is not null can have the result null.
    pub nullable: bool,
}

/// The plain types that functions take and return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueType {
    /// UTF-8 text.
    String,
    /// A signed 64-bit integer.
    Int,
    /// A 64-bit float.
    Float,
    /// True or false.
    Bool,
}

impl ValueType {
    /// The type as the language writes it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Int => "int",
            Self::Float => "float",
            Self::Bool => "bool",
        }
    }
}

/// A call and its result, both as text: a number in decimal digits, null as `null`.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// The text.
    pub input: &'static str,
    /// The constants, defaults included.
    pub constants: &'static [Argument<'static>],
    /// The result.
    pub output: &'static str,
}

impl Example {
    const fn of(input: &'static str, output: &'static str) -> Self {
        Self { input, constants: &[], output }
    }

    const fn with(input: &'static str, constants: &'static [Argument<'static>], output: &'static str) -> Self {
        Self { input, constants, output }
    }
}

/// An implementation, by the shape of its result. What measures a text is given its [`Parts`], which measures share.
#[derive(Debug, Clone, Copy)]
pub enum Eval {
    /// A text from a text; borrowed where nothing changed.
    Text(for<'a> fn(&'a str, &Constants) -> Cow<'a, str>),
    /// A text, or null where there is none to give.
    TextOrNull(fn(&Parts<'_>, &Constants) -> Option<String>),
    /// A number of things, never negative.
    Count(fn(&Parts<'_>, &Constants) -> i64),
    /// The same, or null where they cannot be counted.
    CountOrNull(fn(&Parts<'_>, &Constants) -> Option<i64>),
    /// A share between 0 and 1, or null where there is nothing to take a share of.
    Ratio(fn(&Parts<'_>, &Constants) -> Option<f64>),
    /// A number that is never negative and may be above 1, or null where there is nothing to measure.
    Amount(fn(&Parts<'_>, &Constants) -> Option<f64>),
    /// A number that is never below 1, or null where there is nothing to measure: by a model, whose runtime can fail.
    Judged(fn(&Parts<'_>, &Constants) -> Result<Option<f64>, CausalModelError>),
}

impl Eval {
    /// The type of the results of this shape.
    pub const fn result(self) -> ResultType {
        match self {
            Eval::Text(_) => ResultType { value: ValueType::String, nullable: false },
            Eval::TextOrNull(_) => ResultType { value: ValueType::String, nullable: true },
            Eval::Count(_) => ResultType { value: ValueType::Int, nullable: false },
            Eval::CountOrNull(_) => ResultType { value: ValueType::Int, nullable: true },
            Eval::Ratio(_) | Eval::Amount(_) | Eval::Judged(_) => {
                ResultType { value: ValueType::Float, nullable: true }
            }
        }
    }
}

/// The function that a spec calls `name`.
pub fn lookup(name: &str) -> Option<&'static Function> {
    ALL.iter().find(|function| function.name == name)
}

/// Every function, in the order of the reference: what cleans a text, then what measures it.
pub fn all() -> &'static [Function] {
    &ALL
}

static ALL: [Function; 48] = [
    fix_encoding::FUNCTION,
    nfc::FUNCTION,
    nfkc::FUNCTION,
    strip_html::FUNCTION,
    main_text::FUNCTION,
    strip_control::FUNCTION,
    collapse_whitespace::FUNCTION,
    trim_lines::FUNCTION,
    strip_urls::FUNCTION,
    strip_emoji::FUNCTION,
    normalize_quotes::FUNCTION,
    strip_boilerplate::FUNCTION,
    keep_lines::FUNCTION,
    drop_lines::FUNCTION,
    drop_short_lines::FUNCTION,
    drop_long_word_lines::FUNCTION,
    replace::FUNCTION,
    truncate::FUNCTION,
    lowercase::FUNCTION,
    chars::FUNCTION,
    words::FUNCTION,
    prose_words::FUNCTION,
    sentences::FUNCTION,
    lines::FUNCTION,
    tokens::FUNCTION,
    language::FUNCTION,
    language_confidence::FUNCTION,
    alpha_ratio::FUNCTION,
    digit_ratio::FUNCTION,
    symbol_ratio::FUNCTION,
    punctuation_ratio::FUNCTION,
    upper_ratio::FUNCTION,
    alpha_words::FUNCTION,
    stopwords::FUNCTION,
    mean_word_length::FUNCTION,
    bullet_lines::FUNCTION,
    ellipsis_lines::FUNCTION,
    short_lines::FUNCTION,
    punctuated_lines::FUNCTION,
    newline_ratio::FUNCTION,
    repeated_lines::FUNCTION,
    repeated_paragraphs::FUNCTION,
    top_ngram::FUNCTION,
    repeated_ngrams::FUNCTION,
    compression_ratio::FUNCTION,
    perplexity::FUNCTION,
    url_ratio::FUNCTION,
    emoji::FUNCTION,
];

/// The values that a function can have besides null, where they are a closed list.
pub fn values(function: &Function) -> Option<impl Iterator<Item = &'static str>> {
    (function.name == language::FUNCTION.name).then(language::codes)
}

/// The first parameter of all functions: the text they are about.
const TEXT: Parameter = Parameter::of("text", ParameterKind::Text);

/// A count as the language's integer. No text in memory has more than `i64::MAX` parts.
fn whole(count: usize) -> i64 {
    i64::try_from(count).expect("a text in memory has fewer than 2^63 parts")
}

/// The share of the characters that `counts` accepts which `belongs` accepts too; null where `counts` accepts none.
fn share(text: &str, counts: impl Fn(char) -> bool, belongs: impl Fn(char) -> bool) -> Option<f64> {
    let (mut of, mut part) = (0_u64, 0_u64);
    let mut add = |character: char, times: u64| {
        if counts(character) {
            of += times;
            part += if belongs(character) { times } else { 0 };
        }
    };
    // The bytes are counted first, and each character of ASCII is asked about once.
    let mut bytes = [0_u64; 256];
    text.bytes().for_each(|byte| bytes[usize::from(byte)] += 1);
    for (byte, times) in (0..128_u8).zip(bytes).filter(|(_, times)| *times > 0) {
        add(char::from(byte), times);
    }
    if bytes[128..].iter().any(|times| *times > 0) {
        text.chars().filter(|character| !character.is_ascii()).for_each(|character| add(character, 1));
    }
    (of > 0).then(|| part as f64 / of as f64)
}

/// The share of the lines that `belongs` accepts; null where there are none.
fn share_of<'t>(lines: impl Iterator<Item = &'t str>, belongs: impl Fn(&str) -> bool) -> Option<f64> {
    let (mut of, mut part) = (0_u64, 0_u64);
    for line in lines {
        of += 1;
        part += u64::from(belongs(line));
    }
    (of > 0).then(|| part as f64 / of as f64)
}

/// The text without what stands in these places, which are in order.
fn without(text: &str, places: impl Iterator<Item = Range<usize>>) -> Cow<'_, str> {
    let (mut kept, mut at) = (String::new(), 0);
    for place in places {
        kept.push_str(&text[at..place.start]);
        at = place.end;
    }
    if at == 0 {
        return Cow::Borrowed(text);
    }
    kept.push_str(&text[at..]);
    Cow::Owned(kept)
}
