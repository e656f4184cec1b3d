//! International bank account numbers.

use std::ops::Range;

use iban::{Iban, IbanLike, ParseIbanError};

use super::Detector;

pub(super) const DETECTOR: Detector = Detector {
    name: "iban",
    docs: "\
An IBAN of a country in the register, with the length and the structure of that country and a valid checksum (ISO 13616,
modulo 97), in one piece or in groups parted by single spaces or hyphens, in capital or small letters. A number with a
mistyped digit fails the checksum and is not found.",
    replacement: "[IBAN]",
    find,
    version: 1,
};

/// The lengths that the register knows, without separators.
const SHORTEST: usize = 15;
const LONGEST: usize = 34;

fn find(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = next_head(bytes, at) {
        match account_end(text, start) {
            Some(end) => {
                found.push(start..end);
                at = end;
            }
            None => at = start + 1,
        }
    }
    found
}

/// The next place from `at` on where a country code and two check digits begin, and no word or number goes before.
fn next_head(bytes: &[u8], at: usize) -> Option<usize> {
    let is_head = |window: &[u8]| {
        window[2].is_ascii_digit()
            && window[3].is_ascii_digit()
            && window[0].is_ascii_alphabetic()
            && window[1].is_ascii_alphabetic()
    };
    let begins = |start: usize| start == 0 || !(bytes[start - 1].is_ascii_alphanumeric() || bytes[start - 1] >= 0x80);
    let heads = bytes.get(at..)?.windows(4).enumerate().filter(|(_, window)| is_head(window));
    heads.map(|(offset, _)| at + offset).find(|&start| begins(start) || after_no_break_space(bytes, start))
}

/// Whether a no-break space, the two bytes C2 A0, stands before `start`.
fn after_no_break_space(bytes: &[u8], start: usize) -> bool {
    bytes[..start].ends_with("\u{a0}".as_bytes())
}

/// Where the account number ends that begins at `start`: the longest valid one.
fn account_end(text: &str, start: usize) -> Option<usize> {
    let mut compact = String::with_capacity(LONGEST);
    // The places where a group ends, with the length of what was read until there.
    let mut ends: Vec<(usize, usize)> = Vec::new();
    let mut characters = text[start..].char_indices().peekable();
    while let Some((offset, character)) = characters.next() {
        if character.is_ascii_alphanumeric() {
            if compact.len() == LONGEST {
                break;
            }
            compact.push(character.to_ascii_uppercase());
            if !characters.peek().is_some_and(|&(_, next)| next.is_alphanumeric()) {
                ends.push((start + offset + 1, compact.len()));
            }
        } else if !(matches!(character, ' ' | '-' | '\u{a0}')
            && characters.peek().is_some_and(|&(_, next)| next.is_ascii_alphanumeric()))
        {
            break;
        }
    }
    let valid = |length: usize| length >= SHORTEST && is_valid(&compact[..length]);
    ends.into_iter().rev().find(|&(_, length)| valid(length)).map(|(end, _)| end)
}

/// Whether `compact`, capitals and digits alone, has a valid checksum and the structure of its country.
fn is_valid(compact: &str) -> bool {
    match compact.parse::<Iban>() {
        Ok(_) => true,
        // Pakistan (four letters, sixteen letters or digits) is in the register but not in the crate's copy of it.
        Err(ParseIbanError::UnknownCountry(base)) => {
            let bank = base.bban_unchecked().bytes().take_while(u8::is_ascii_uppercase).count();
            base.country_code() == "PK" && compact.len() == 24 && bank >= 4
        }
        Err(ParseIbanError::InvalidBaseIban { .. } | ParseIbanError::InvalidBban(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_valid_accounts_alone() {
        super::super::check(
            &DETECTOR,
            &[
                ("IBAN: DE89370400440532013000.", &["DE89370400440532013000"]),
                ("pay to DE89 3704 0044 0532 0130 00 today", &["DE89 3704 0044 0532 0130 00"]),
                ("de89-3704-0044-0532-0130-00", &["de89-3704-0044-0532-0130-00"]),
                (
                    "\u{a0}DE89\u{a0}3704\u{a0}0044\u{a0}0532\u{a0}0130\u{a0}00\u{a0}x",
                    &["DE89\u{a0}3704\u{a0}0044\u{a0}0532\u{a0}0130\u{a0}00"],
                ),
                ("VG96 VPVG 0000 0123 4567 8901 X in a sentence", &["VG96 VPVG 0000 0123 4567 8901"]),
                ("NO9386011117947,CH9300762011623852957", &["NO9386011117947", "CH9300762011623852957"]),
                ("DE89 3704 0044 0532 0130 01", &[]),
                ("DE8937040044053201300", &[]),
                ("XDE89370400440532013000 DE89370400440532013000X", &[]),
                ("\u{e9}DE89370400440532013000 DE89370400440532013000\u{e9}", &[]),
                ("DE89  3704 0044 0532 0130 00", &[]),
                ("[IBAN] DE89 DE", &[]),
                ("", &[]),
            ],
        );
    }
}
