//! What the statements that look at all the records of a set need.

use super::expression::value;
use super::want::Want::{self, Declared, Field, Rows, Words};
use crate::semantic::SymbolKind;
use crate::semantic::vocabulary;

/// What compares the records, or parts of their texts, with each other.
pub(super) fn dedup(words: &[&str]) -> Vec<Want> {
    const LENGTHS: Want = Words(&["words", "characters", "bytes"]);
    if let Some(by) = words.windows(2).position(|pair| pair == ["best", "by"]) {
        return value(&words[by + 2..]);
    }
    match words {
        [.., "near" | "least"] => Vec::new(),
        ["lines" | "sentences" | "substrings", "of"] | [.., ","] => vec![Field],
        ["lines" | "sentences" | "substrings", "of", _] => vec![Words(&["at least"])],
        [.., "at", "least", _] => vec![LENGTHS],
        [.., "keep"] => vec![Words(&["first", "longest", "best by"])],
        [.., "like"] => vec![Rows(vocabulary::near_presets())],
        [.., "over", _] => vec![Words(&["words", "characters"])],
        [.., "near", _] => vec![Words(&["over", "like", "keep"])],
        [.., "exactly"] | [.., "like", _] | [.., "over", _, _] => vec![Words(&["keep"])],
        _ => vec![Words(&["exactly", "near"])],
    }
}

/// What compares the records with evaluation texts.
pub(super) fn decontaminate(words: &[&str]) -> Vec<Want> {
    match words {
        [] => vec![Field],
        [_] => vec![Words(&["against"])],
        [.., "by", _] => vec![Words(&["words"])],
        [.., "against" | ","] => vec![Declared(&[SymbolKind::Source])],
        [.., "." | "by"] => Vec::new(),
        _ => vec![Words(&["by"])],
    }
}

/// What takes some of the records.
pub(super) fn sample(words: &[&str]) -> Vec<Want> {
    const SEED: Want = Words(&["seed"]);
    match words {
        [.., "seed"] | ["sample" | "take"] => Vec::new(),
        ["balance"] | [.., "per"] => vec![Field, Declared(&[SymbolKind::Label])],
        ["mix" | "weight"] | ["mix", .., ","] => vec![Declared(&[SymbolKind::Source])],
        ["take", _] => vec![Words(&["per", "seed"])],
        ["balance", _] => vec![Words(&["at most", "seed"])],
        ["balance", _, "at", "most", _] => vec![Words(&["times"])],
        ["mix" | "weight", _] => Vec::new(),
        _ => vec![SEED],
    }
}
