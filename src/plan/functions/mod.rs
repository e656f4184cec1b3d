//! The scalar functions of the language: one file each, and [`all`], the one table from which the type checker, the
//! lowering and the reference work. Adding a function is one file and one row.
//!
//! The functions are pure: no input, locale, time or thread count but the text itself decides the result. A null
//! argument gives null without the function being called; that is the caller's part, the same for every row.

use std::borrow::Cow;

mod alpha_ratio;
mod chars;
mod collapse_whitespace;
mod digit_ratio;
mod fix_encoding;
mod language;
mod lines;
mod lowercase;
mod nfc;
mod nfkc;
mod sentences;
mod strip_control;
mod strip_html;
mod upper_ratio;
mod words;

#[cfg(test)]
mod tests;

/// One scalar function of the language.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    /// The name by which a spec calls it.
    pub name: &'static str,
    /// What it does, as one line of a list: a verb phrase without a full stop.
    pub summary: &'static str,
    /// The page of the reference, in Markdown.
    pub docs: &'static str,
    /// Its one parameter.
    pub parameter: Parameter,
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
        let Parameter { name, value } = self.parameter;
        format!("{}({name}: {}) -> {}{null}", self.name, value.word(), self.result.value.word())
    }
}

/// The parameter of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// The name under which the reference speaks of it.
    pub name: &'static str,
    /// Its type; the argument may always be null.
    pub value: ValueType,
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
    /// The argument.
    pub input: &'static str,
    /// The result.
    pub output: &'static str,
}

/// An implementation, by the shape of its result.
#[derive(Debug, Clone, Copy)]
pub enum Eval {
    /// A text from a text; borrowed where nothing changed.
    Text(for<'a> fn(&'a str) -> Cow<'a, str>),
    /// A text, or null where there is none to give.
    TextOrNull(fn(&str) -> Option<String>),
    /// A number of things, never negative.
    Count(fn(&str) -> i64),
    /// A share between 0 and 1, or null where there is nothing to take a share of.
    Ratio(fn(&str) -> Option<f64>),
}

impl Eval {
    /// The type of the results of this shape.
    pub const fn result(self) -> ResultType {
        match self {
            Eval::Text(_) => ResultType { value: ValueType::String, nullable: false },
            Eval::TextOrNull(_) => ResultType { value: ValueType::String, nullable: true },
            Eval::Count(_) => ResultType { value: ValueType::Int, nullable: false },
            Eval::Ratio(_) => ResultType { value: ValueType::Float, nullable: true },
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

static ALL: [Function; 15] = [
    fix_encoding::FUNCTION,
    nfc::FUNCTION,
    nfkc::FUNCTION,
    strip_html::FUNCTION,
    strip_control::FUNCTION,
    collapse_whitespace::FUNCTION,
    lowercase::FUNCTION,
    chars::FUNCTION,
    words::FUNCTION,
    sentences::FUNCTION,
    lines::FUNCTION,
    language::FUNCTION,
    alpha_ratio::FUNCTION,
    digit_ratio::FUNCTION,
    upper_ratio::FUNCTION,
];

/// The values that a function can have besides null, where they are a closed list.
pub fn values(function: &Function) -> Option<impl Iterator<Item = &'static str>> {
    (function.name == language::FUNCTION.name).then(language::codes)
}

/// The parameter that all functions share: the text they are about.
const TEXT: Parameter = Parameter { name: "text", value: ValueType::String };

/// A count as the language's integer. No text in memory has more than `i64::MAX` parts.
fn count(parts: impl Iterator) -> i64 {
    i64::try_from(parts.count()).expect("a text in memory has fewer than 2^63 parts")
}

/// The share of the characters that `counts` accepts which `belongs` accepts too; null where `counts` accepts none.
fn share(text: &str, counts: impl Fn(char) -> bool, belongs: impl Fn(char) -> bool) -> Option<f64> {
    let (mut of, mut part) = (0_u64, 0_u64);
    for character in text.chars().filter(|&character| counts(character)) {
        of += 1;
        part += u64::from(belongs(character));
    }
    (of > 0).then(|| part as f64 / of as f64)
}
