//! What a function is told beside the text: constants that are known, and checked, before any data is read.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use regex::Regex;

use super::models::{language_model, tokenizer};
use super::{Function, Parameter, ParameterKind};
use crate::eval::CausalModel;
use crate::train::tokenizer::Tokenizer;

/// A constant as specifications and plans carry it: a pattern, a word and a model are texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argument<'a> {
    /// A whole number.
    Whole(i64),
    /// A text.
    Text(&'a str),
}

/// What is wrong with a constant: a program that no type checker has seen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a constant of `{function}` is not what its parameter `{parameter}` takes")]
pub struct BadConstant {
    function: &'static str,
    parameter: &'static str,
}

/// The constants of one call, ready for use.
#[derive(Clone, Default)]
pub struct Constants(Vec<Constant>);

#[derive(Clone)]
enum Constant {
    Whole(usize),
    Text(String),
    Pattern(Regex),
    Tokenizer(Arc<Tokenizer>),
    LanguageModel(Arc<CausalModel>),
}

impl Constants {
    /// Those of a function that takes a text alone.
    pub const NONE: Self = Self(Vec::new());

    /// Makes the constants of a call ready: all of them, in the order of the parameters.
    ///
    /// # Errors
    /// A constant that its parameter does not take, one too few or too many, a tokenizer or a model that nobody
    /// has provided.
    pub fn prepare(function: &'static Function, arguments: &[Argument<'_>]) -> Result<Self, BadConstant> {
        let parameters = function.constants();
        let wrong = |parameter: &Parameter| BadConstant { function: function.name, parameter: parameter.name };
        if parameters.len() != arguments.len() {
            return Err(wrong(parameters.first().unwrap_or(&function.parameters[0])));
        }
        let prepared = parameters.iter().zip(arguments).map(|(parameter, argument)| {
            parameter.takes(*argument).and_then(|()| prepare(parameter.kind, *argument)).ok_or_else(|| wrong(parameter))
        });
        prepared.collect::<Result<_, _>>().map(Self)
    }

    /// The whole number at a place among the constants; a negative one is no constant of any function.
    pub(super) fn whole(&self, at: usize) -> usize {
        match &self.0[at] {
            Constant::Whole(number) => *number,
            Constant::Text(_) | Constant::Pattern(_) | Constant::Tokenizer(_) | Constant::LanguageModel(_) => {
                unreachable!("the parameter is a whole number")
            }
        }
    }

    /// The text or the word at a place.
    pub(super) fn text(&self, at: usize) -> &str {
        match &self.0[at] {
            Constant::Text(text) => text,
            Constant::Whole(_) | Constant::Pattern(_) | Constant::Tokenizer(_) | Constant::LanguageModel(_) => {
                unreachable!("the parameter is a text")
            }
        }
    }

    /// The pattern at a place.
    pub(super) fn pattern(&self, at: usize) -> &Regex {
        match &self.0[at] {
            Constant::Pattern(regex) => regex,
            Constant::Whole(_) | Constant::Text(_) | Constant::Tokenizer(_) | Constant::LanguageModel(_) => {
                unreachable!("the parameter is a pattern")
            }
        }
    }

    /// The tokenizer at a place.
    pub(super) fn tokenizer(&self, at: usize) -> &Tokenizer {
        match &self.0[at] {
            Constant::Tokenizer(tokenizer) => tokenizer,
            Constant::Whole(_) | Constant::Text(_) | Constant::Pattern(_) | Constant::LanguageModel(_) => {
                unreachable!("the parameter is a model of which the tokenizer is taken")
            }
        }
    }

    /// The language model at a place.
    pub(super) fn language_model(&self, at: usize) -> &CausalModel {
        match &self.0[at] {
            Constant::LanguageModel(model) => model,
            Constant::Whole(_) | Constant::Text(_) | Constant::Pattern(_) | Constant::Tokenizer(_) => {
                unreachable!("the parameter is a language model")
            }
        }
    }
}

fn prepare(kind: ParameterKind, argument: Argument<'_>) -> Option<Constant> {
    match (kind, argument) {
        (ParameterKind::Whole { .. }, Argument::Whole(number)) => usize::try_from(number).ok().map(Constant::Whole),
        (ParameterKind::Literal | ParameterKind::Word(_), Argument::Text(text)) => {
            Some(Constant::Text(text.to_owned()))
        }
        (ParameterKind::Pattern, Argument::Text(pattern)) => compiled(pattern).map(Constant::Pattern),
        (ParameterKind::Model, Argument::Text(name)) => tokenizer(name).map(Constant::Tokenizer),
        (ParameterKind::LanguageModel, Argument::Text(name)) => language_model(name).map(Constant::LanguageModel),
        (ParameterKind::Whole { .. }, Argument::Text(_))
        | (
            ParameterKind::Literal
            | ParameterKind::Word(_)
            | ParameterKind::Pattern
            | ParameterKind::Model
            | ParameterKind::LanguageModel,
            Argument::Whole(_),
        )
        | (ParameterKind::Text, _) => None,
    }
}

/// The regex of a pattern; `None` for one that does not compile. It is compiled once in a process, not once for each batch.
pub fn compiled(pattern: &str) -> Option<Regex> {
    static COMPILED: LazyLock<Mutex<HashMap<String, Regex>>> = LazyLock::new(Mutex::default);
    // A thread that panicked while it held the map left it whole: an insertion is the only change.
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(regex) = compiled.get(pattern) {
        return Some(regex.clone());
    }
    let regex = Regex::new(pattern).ok()?;
    compiled.insert(pattern.to_owned(), regex.clone());
    Some(regex)
}

impl Parameter {
    /// Whether a constant is of the parameter's kind and range. Whether a pattern compiles is not asked.
    fn takes(&self, argument: Argument<'_>) -> Option<()> {
        let takes = match (self.kind, argument) {
            (ParameterKind::Whole { least, most }, Argument::Whole(number)) => (least..=most).contains(&number),
            (ParameterKind::Word(words), Argument::Text(word)) => words.contains(&word),
            (
                ParameterKind::Literal | ParameterKind::Pattern | ParameterKind::Model | ParameterKind::LanguageModel,
                Argument::Text(_),
            ) => true,
            (ParameterKind::Text, _)
            | (ParameterKind::Whole { .. }, Argument::Text(_))
            | (
                ParameterKind::Word(_)
                | ParameterKind::Literal
                | ParameterKind::Pattern
                | ParameterKind::Model
                | ParameterKind::LanguageModel,
                Argument::Whole(_),
            ) => false,
        };
        takes.then_some(())
    }

    /// A constant of this parameter as a specification writes it.
    pub fn written(&self, argument: Argument<'_>) -> String {
        match argument {
            Argument::Whole(number) => number.to_string(),
            Argument::Text(text) => match self.kind {
                ParameterKind::Pattern => format!("/{}/", text.replace('/', "\\/")),
                ParameterKind::Word(_) | ParameterKind::Model | ParameterKind::LanguageModel => text.to_owned(),
                ParameterKind::Text | ParameterKind::Literal | ParameterKind::Whole { .. } => format!("{text:?}"),
            },
        }
    }
}

impl fmt::Display for Parameter {
    /// The parameter as a signature shows it: `most: int`, `bound: word | character = word`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            ParameterKind::Text | ParameterKind::Literal => "string".to_owned(),
            ParameterKind::Whole { .. } => "int".to_owned(),
            ParameterKind::Pattern => "regex".to_owned(),
            ParameterKind::Model | ParameterKind::LanguageModel => "model".to_owned(),
            ParameterKind::Word(words) => words.join(" | "),
        };
        write!(formatter, "{}: {kind}", self.name)?;
        match self.default {
            Some(default) => write!(formatter, " = {}", self.written(default)),
            None => Ok(()),
        }
    }
}
