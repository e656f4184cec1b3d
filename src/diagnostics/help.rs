//! How a finding is mended: in words, and where it is that simple, as an edit.

use crate::source::Span;

/// Words that say how to mend a finding, with what may stand in the place of its primary characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Help {
    /// The words: lower case, no final period.
    pub text: String,
    /// What was meant, when it is one word for another.
    pub instead: Option<String>,
}

impl Help {
    /// The question whether another word was meant.
    pub fn did_you_mean(word: &str) -> Self {
        Self { text: format!("did you mean `{word}`?"), instead: Some(word.to_owned()) }
    }
}

impl From<&str> for Help {
    fn from(text: &str) -> Self {
        Self { text: text.to_owned(), instead: None }
    }
}

impl From<String> for Help {
    fn from(text: String) -> Self {
        Self { text, instead: None }
    }
}

/// An edit that mends a finding: programs may offer it, and a person decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// What is replaced.
    pub span: Span,
    /// What stands there then.
    pub replacement: String,
}
