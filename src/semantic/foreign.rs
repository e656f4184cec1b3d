//! What types, values, functions and attributes are called in other languages.

use super::suggest;
use crate::diagnostics::Help;

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meant {
    /// A type.
    Type,
    /// A constant, where a field was looked for.
    Value,
    /// A function.
    Function,
    /// An attribute of a field.
    Attribute,
}

/// Names elsewhere, in small letters, with the name here.
const NAMES: [(Meant, &[&str], &str); 16] = [
    (Meant::Type, &["str", "text", "varchar", "char", "utf8"], "string"),
    (Meant::Type, &["integer", "int64", "int32", "long", "bigint", "number"], "int"),
    (Meant::Type, &["double", "float64", "float32", "real", "decimal"], "float"),
    (Meant::Type, &["boolean"], "bool"),
    (Meant::Type, &["datetime", "time"], "timestamp"),
    (Meant::Type, &["array", "vec", "sequence"], "list"),
    (Meant::Value, &["none", "nil", "null", "undefined", "nan", "na"], "null"),
    (Meant::Value, &["true", "yes"], "true"),
    (Meant::Value, &["false", "no"], "false"),
    (Meant::Function, &["len", "length", "char_length"], "chars"),
    (Meant::Function, &["lower", "to_lower", "tolower", "downcase", "casefold"], "lowercase"),
    (Meant::Function, &["trim", "strip", "squeeze", "normalize_whitespace"], "collapse_whitespace"),
    (Meant::Function, &["word_count", "count_words", "wordcount"], "words"),
    (Meant::Function, &["lang", "detect_language", "langdetect"], "language"),
    (Meant::Attribute, &["pii", "private", "confidential"], "personal"),
    (Meant::Attribute, &["id", "primary_key", "unique"], "key"),
];

/// What was meant by a name that there is not, or what there is.
pub(super) fn suggest_meant<'s>(
    meant: Meant,
    word: &str,
    candidates: impl IntoIterator<Item = &'s str>,
    what: &str,
) -> Help {
    let lower = word.to_lowercase();
    let known = NAMES.iter().find(|(of, names, _)| *of == meant && names.contains(&lower.as_str()));
    match known {
        Some((.., ours)) => Help::did_you_mean(ours),
        None => suggest(word, candidates, what),
    }
}
