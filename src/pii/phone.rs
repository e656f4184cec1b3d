//! Telephone numbers.

use std::ops::Range;

use super::number::{begins_whole, ends_whole};
use super::phone_shape::{Group, Shape, groups, shape};
use super::{Detector, context};

pub(super) const DETECTOR: Detector = Detector {
    name: "phone",
    docs: "\
A telephone number. Found by their form alone: a number with `+` or `00` and a country code (ITU-T E.164), the groups of the
North American plan (`(415) 555-0132`), and groups after a trunk prefix 0 (`020 7946 0958`). Any other 7 to 15 digits, in groups
or 8 to 13 in one piece, are found where the nearest telling word of the same line, up to 48 bytes before or directly
after, speaks of a telephone (`call`, `mobile`, `Tel.`, `m\u{f3}vil` …) and not of another number (`order`, `card`, `ISBN` …). An
extension (`x751`, `ext. 12`) belongs to the number. Dates, ranges of years, amounts and parts of longer numbers are not found.",
    replacement: "[PHONE]",
    find,
    version: 1,
};

fn find(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    let begins = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'(');
    while let Some(offset) = bytes[at..].iter().position(begins) {
        let start = at + offset;
        let (groups, plus) = groups(text, start);
        let number = longest_number(text, start, &groups, plus);
        at = match (&number, groups.first()) {
            (Some(range), _) => range.end,
            (None, Some(first)) if plus || first.parenthesised => first.range.start,
            (None, Some(first)) => first.end,
            (None, None) => start + 1,
        };
        found.extend(number);
    }
    found
}

/// The telephone number that begins at byte `start` with the first of `groups`. With a country code up to 13 digits are
/// preferred to more: longer numbers are rare, and a small number often follows.
fn longest_number(text: &str, start: usize, groups: &[Group], plus: bool) -> Option<Range<usize>> {
    if groups.is_empty() || !begins_whole(text, start) {
        return None;
    }
    let digits = |count: usize| groups[..count].iter().map(|group| group.range.len()).sum::<usize>();
    let (usual, long): (Vec<usize>, Vec<usize>) =
        (1..=groups.len()).rev().partition(|&count| !plus || digits(count) <= 13);
    usual.into_iter().chain(long).find_map(|count| {
        let end = with_extension(text, groups[count - 1].end);
        let is_number = match shape(text, &groups[..count], plus) {
            Shape::Certain => true,
            // Groups that go on are part of something longer, and so is what other digits go before.
            Shape::Possible => {
                count == groups.len() && !follows_digits(text, start) && context::speaks_of_phone(text, start, end)
            }
            Shape::Other => false,
        };
        (is_number && ends_whole(text, end)).then_some(start..end)
    })
}

fn follows_digits(text: &str, start: usize) -> bool {
    text[..start].trim_end_matches([' ', '(']).ends_with(|character: char| character.is_ascii_digit())
}

/// The end of the number that ends at byte `end`, with the extension after it.
fn with_extension(text: &str, end: usize) -> usize {
    const LONGEST: usize = 6;
    let rest = text[end..].trim_start_matches(' ');
    let Some(after) = ["extension", "ext.", "ext", "x"].iter().find_map(|mark| {
        rest.get(..mark.len()).filter(|head| head.eq_ignore_ascii_case(mark)).map(|_| &rest[mark.len()..])
    }) else {
        return end;
    };
    let number = after.trim_start_matches([' ', ':']);
    let digits = number.bytes().take_while(u8::is_ascii_digit).count();
    if (1..=LONGEST).contains(&digits) { text.len() - number.len() + digits } else { end }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_telephone_numbers_by_their_form() {
        super::super::check(
            &DETECTOR,
            &[
                (
                    "+49 30 1234567, +14155550132; +44 (0)20 7946 0958",
                    &["+49 30 1234567", "+14155550132", "+44 (0)20 7946 0958"],
                ),
                (
                    "(415) 555-0132 415-555-0132 415.555.0132 1-415-555-0132",
                    &["(415) 555-0132", "415-555-0132", "415.555.0132", "1-415-555-0132"],
                ),
                ("0049 30 1234567 001-420-335-7509x38548", &["0049 30 1234567", "001-420-335-7509x38548"]),
                (
                    "020 7946 0958 (07) 5331 0577, 01 42 68 53 00, 030/123 4567",
                    &["020 7946 0958", "(07) 5331 0577", "01 42 68 53 00", "030/123 4567"],
                ),
                ("986.291.2294 ext. 12 is415-555-0132", &["986.291.2294 ext. 12", "415-555-0132"]),
                ("+55 11 98456 5666 4 times", &["+55 11 98456 5666"]),
                ("room 2 415-555-0132", &["415-555-0132"]),
                ("(415-555-0132)", &["415-555-0132"]),
            ],
        );
    }

    #[test]
    fn needs_a_word_about_telephones_for_other_digits() {
        super::super::check(
            &DETECTOR,
            &[
                ("call me at (96) 627-277 or 21 212 133 2727", &["(96) 627-277", "21 212 133 2727"]),
                ("Tel: 4155550132", &["4155550132"]),
                ("69 987 88 37 office", &["69 987 88 37"]),
                ("call us about order 4155550132", &[]),
                ("they call 1200-1000 a quotient of 2000/1000 in tel 12345678/2", &[]),
                ("4155550132 21 212 133 2727", &[]),
            ],
        );
    }

    #[test]
    fn leaves_other_numbers() {
        super::super::check(
            &DETECTOR,
            &[
                ("2024-01-15 15.01.2024 01.02.2024 15 Uhr 01/02/2024 2010-2020", &[]),
                ("call 1 000 000 or 10.000.000 times; +10 000 000 +5 kg", &[]),
                ("123-45-6789 978-3-16-148410-0 1.2.3.4 010.020.030.040", &[]),
                ("4111 1111 1111 1111 ABC-415-555-0132 415-555-0132-7 $415-555-0132", &[]),
                ("12:30 3.14159265 1,234,567 5551234 00 00 (1) 2 [PHONE] + (", &[]),
                ("", &[]),
            ],
        );
    }
}
