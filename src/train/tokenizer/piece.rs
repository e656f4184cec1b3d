//! What a token stands for: its entry in the vocabulary, and the bytes that it writes.

use std::collections::HashMap;
use std::sync::LazyLock;

use tokenizers::DecoderWrapper;

use super::Tokenizer;

/// A token by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Its entry in the vocabulary, `Ġcard` or `##ing`; empty for a number that the tokenizer does not know.
    pub entry: String,
    /// What it writes. One token may write a part of a character alone.
    pub bytes: Vec<u8>,
    /// Whether it is one of the special ones, which no text contains by itself.
    pub is_special: bool,
}

/// How a vocabulary writes what its tokens stand for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// A letter for each byte, as GPT-2 has it.
    Letters,
    /// `▁` for a space, and perhaps `<0x0A>` for a byte.
    Underlines,
    /// As it is, `##` before what continues a word.
    Plain,
}

impl Spelling {
    pub(super) fn of(tokenizer: &tokenizers::Tokenizer) -> Self {
        tokenizer.get_decoder().map_or(Self::Plain, Self::by_decoder)
    }

    fn by_decoder(decoder: &DecoderWrapper) -> Self {
        match decoder {
            DecoderWrapper::ByteLevel(_) => Self::Letters,
            DecoderWrapper::Metaspace(_) | DecoderWrapper::ByteFallback(_) => Self::Underlines,
            DecoderWrapper::Sequence(sequence) => {
                let parts = sequence.get_decoders().iter().map(Self::by_decoder);
                parts.into_iter().find(|spelling| *spelling != Self::Plain).unwrap_or(Self::Plain)
            }
            DecoderWrapper::BPE(_)
            | DecoderWrapper::WordPiece(_)
            | DecoderWrapper::CTC(_)
            | DecoderWrapper::Replace(_)
            | DecoderWrapper::Fuse(_)
            | DecoderWrapper::Strip(_) => Self::Plain,
        }
    }

    fn bytes(self, entry: &str) -> Vec<u8> {
        let plain = || entry.as_bytes().to_vec();
        match self {
            Self::Letters => {
                entry.chars().map(|letter| BYTES.get(&letter).copied()).collect::<Option<_>>().unwrap_or_else(plain)
            }
            Self::Underlines => fallback(entry).map_or_else(|| entry.replace('▁', " ").into_bytes(), |byte| vec![byte]),
            Self::Plain => {
                entry.strip_prefix("##").filter(|rest| !rest.is_empty()).unwrap_or(entry).as_bytes().to_vec()
            }
        }
    }
}

impl Tokenizer {
    /// What a token stands for.
    #[must_use]
    pub fn piece(&self, id: u32) -> Piece {
        let entry = self.inner.id_to_token(id).unwrap_or_default();
        let is_added = self.inner.get_added_vocabulary().get_added_tokens_decoder().contains_key(&id);
        let bytes = if is_added { entry.as_bytes().to_vec() } else { self.spelling.bytes(&entry) };
        Piece { entry, bytes, is_special: self.is_special(id) }
    }
}

/// The byte of `<0x0A>`.
fn fallback(entry: &str) -> Option<u8> {
    let digits = entry.strip_prefix("<0x")?.strip_suffix('>')?;
    if digits.len() == 2 { u8::from_str_radix(digits, 16).ok() } else { None }
}

/// The bytes by GPT-2's letters: printable ones of Latin-1 stand for themselves, the others, in order, for those from
/// U+0100 on.
static BYTES: LazyLock<HashMap<char, u8>> = LazyLock::new(|| {
    let stands_for_itself = |byte: &u8| matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
    let own = (0..=u8::MAX).filter(stands_for_itself).map(|byte| (char::from(byte), byte));
    let others = (0..=u8::MAX).filter(|byte| !stands_for_itself(byte));
    let letters = ('\u{100}'..).zip(others);
    own.chain(letters).collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_read_as_the_bytes_that_they_stand_for() {
        let check = |spelling: Spelling, entry: &str, bytes: &[u8]| assert_eq!(spelling.bytes(entry), bytes, "{entry}");
        check(Spelling::Letters, "Ġcard", b" card");
        check(Spelling::Letters, "ĊĊ", b"\n\n");
        // The last bytes of each stretch of letters.
        check(Spelling::Letters, "ŃâĤ", &[0xAD, 0xE2, 0x82]);
        check(Spelling::Underlines, "▁card", b" card");
        check(Spelling::Underlines, "<0xE2>", &[0xE2]);
        check(Spelling::Plain, "##ing", b"ing");
        check(Spelling::Plain, "##", b"##");
    }
}
