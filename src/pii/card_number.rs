//! Numbers of payment cards.

use std::ops::Range;

use super::number::{begins_whole, ends_whole};
use super::{Detector, context};

pub(super) const DETECTOR: Detector = Detector {
    name: "card_number",
    docs: "\
The number of a payment card: 12 to 19 digits with a prefix and a length that an issuer uses (Visa, Mastercard, American
Express, Discover, Diners Club, JCB, UnionPay, Maestro, Mir, RuPay, Troy) and a valid check digit (Luhn, ISO/IEC 7812-1), in
one piece or in groups parted by single spaces or hyphens, the same throughout. UATP's range is so wide that its numbers
are found after a word such as `card` alone. Parts of longer numbers, of decimals and of identifiers are not found.",
    replacement: "[CARD_NUMBER]",
    find,
    version: 1,
};

const SHORTEST: usize = 12;
const LONGEST: usize = 19;

fn find(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(offset) = bytes[at..].iter().position(u8::is_ascii_digit) {
        let start = at + offset;
        let run = Run::at(bytes, start);
        let whole = || begins_whole(text, start) && ends_whole(text, run.end);
        if run.is_plausible()
            && luhn(&run.digits)
            && whole()
            && is_issued(&run.digits, || context::speaks_of_card(text, start))
        {
            found.push(start..run.end);
        }
        at = run.end;
    }
    found
}

/// Digits in groups that single separators part.
struct Run {
    digits: Vec<u8>,
    groups: Vec<usize>,
    uniform: bool,
    end: usize,
}

impl Run {
    /// The longest run that begins at the digit at `start`.
    fn at(bytes: &[u8], start: usize) -> Run {
        let mut run = Run { digits: Vec::new(), groups: Vec::new(), uniform: true, end: start };
        let mut separator = None;
        loop {
            let group = bytes[run.end..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            // More digits than any card has are counted, not kept: the run is implausible already.
            let kept = group.min(LONGEST + 1 - run.digits.len().min(LONGEST + 1));
            run.digits.extend(bytes[run.end..run.end + kept].iter().map(|digit| digit - b'0'));
            run.groups.push(group);
            run.end += group;
            match bytes[run.end..] {
                [byte @ (b' ' | b'-'), next, ..] if next.is_ascii_digit() => {
                    run.uniform &= separator.is_none_or(|first| first == byte);
                    separator = Some(byte);
                    run.end += 1;
                }
                _ => return run,
            }
        }
    }

    /// Whether the digits and the groups could be a card's.
    fn is_plausible(&self) -> bool {
        let grouped = match self.groups.split_last() {
            Some((last, others)) => {
                others.iter().all(|group| (4..=7).contains(group)) && (others.is_empty() || *last <= 7)
            }
            None => false,
        };
        (SHORTEST..=LONGEST).contains(&self.digits.len()) && self.uniform && grouped
    }
}

/// The check digit of ISO/IEC 7812-1, annex B.
fn luhn(digits: &[u8]) -> bool {
    let doubled = |digit: u8| if digit < 5 { digit * 2 } else { digit * 2 - 9 };
    let sum: u32 =
        digits.iter().rev().enumerate().map(|(i, &d)| u32::from(if i % 2 == 1 { doubled(d) } else { d })).sum();
    sum.is_multiple_of(10)
}

/// Whether an issuer uses the prefix with this length. `near_card` says whether the text speaks of a card here.
fn is_issued(digits: &[u8], near_card: impl Fn() -> bool) -> bool {
    let prefix = |length: usize| digits.iter().take(length).fold(0_u32, |value, &digit| value * 10 + u32::from(digit));
    let (two, three, four, six) = (prefix(2), prefix(3), prefix(4), prefix(6));
    match digits.len() {
        13 => digits[0] == 4,
        14 => matches!(two, 36 | 38 | 39) || matches!(three, 300..=305 | 309),
        15 => matches!(two, 34 | 37) || (digits[0] == 1 && near_card()),
        16..=19 => {
            let visa = digits[0] == 4 && matches!(digits.len(), 16 | 19);
            let mastercard = digits.len() == 16 && (matches!(two, 51..=55) || matches!(four, 2221..=2720));
            let discover = matches!(four, 6011) || matches!(three, 644..=649) || matches!(two, 60 | 65);
            let others = matches!(four, 2200..=2204 | 3528..=3589 | 9792) || matches!(two, 36 | 62 | 81 | 82);
            visa || mastercard
                || discover
                || others
                || matches!(three, 508)
                || matches!(six, 506_099..=506_198)
                || is_maestro(four)
        }
        12 => is_maestro(four),
        _ => false,
    }
}

fn is_maestro(prefix: u32) -> bool {
    matches!(prefix, 5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761..=6763)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_cards_and_no_other_numbers() {
        super::super::check(
            &DETECTOR,
            &[
                ("my card 4111111111111111 expires", &["4111111111111111"]),
                ("4111 1111 1111 1111, 5555-5555-5555-4444.", &["4111 1111 1111 1111", "5555-5555-5555-4444"]),
                ("amex 3714 496353 98431 diners 3852 000002 3237", &["3714 496353 98431", "3852 000002 3237"]),
                ("no:6011000400000000", &["6011000400000000"]),
                ("my credit card: 122000000000003", &["122000000000003"]),
                ("order 122000000000003", &[]),
                ("4111111111111112 4111 1111-1111 1111", &[]),
                ("41111111111111110 04111111111111111", &[]),
                ("0.4111111111111111 4111111111111111.5 x_4111111111111111 A4111111111111111", &[]),
                ("550e8400-e29b-41d4-a716-446655440000", &[]),
                ("1 2 3 4 5 6 7 8 9 10 11 12 13", &[]),
                ("2024-01-15 10:30:00 1700000000000", &[]),
                ("[CARD_NUMBER] 4", &[]),
                ("", &[]),
            ],
        );
    }
}
