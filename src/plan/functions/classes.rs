//! Classes of characters that the standard library does not know, from the same Unicode tables as the language's regexes.

use std::sync::LazyLock;

use regex_syntax::hir::{Class as Ranges, HirKind};

/// A set of characters.
pub(super) struct Class {
    ascii: [bool; 128],
    /// The ranges, ends included, in order.
    ranges: Vec<(char, char)>,
}

/// Unicode's category P.
pub(super) static PUNCTUATION: LazyLock<Class> = LazyLock::new(|| Class::of(r"\p{P}"));

/// Unicode's category So: pictures, arrows and the like.
pub(super) static SYMBOL: LazyLock<Class> = LazyLock::new(|| Class::of(r"\p{So}"));

/// What ends a sentence in any script: Unicode's property `Sentence_Terminal`.
pub(super) static TERMINAL: LazyLock<Class> = LazyLock::new(|| Class::of(r"\p{Sentence_Terminal}"));

impl Class {
    fn of(pattern: &str) -> Self {
        let ranges = match regex_syntax::parse(pattern).map(regex_syntax::hir::Hir::into_kind) {
            Ok(HirKind::Class(Ranges::Unicode(class))) => {
                class.iter().map(|range| (range.start(), range.end())).collect()
            }
            _ => unreachable!("the pattern is one class of characters"),
        };
        let mut class = Self { ascii: [false; 128], ranges };
        for byte in 0..128_u8 {
            class.ascii[usize::from(byte)] = class.finds(char::from(byte));
        }
        class
    }

    /// Whether a character is in the set.
    pub(super) fn holds(&self, character: char) -> bool {
        match self.ascii.get(character as usize) {
            Some(held) => *held,
            None => self.finds(character),
        }
    }

    fn finds(&self, character: char) -> bool {
        let after = self.ranges.partition_point(|(first, _)| *first <= character);
        after > 0 && self.ranges[after - 1].1 >= character
    }
}
