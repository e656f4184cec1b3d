//! What the detectors of numbers share: what may stand beside a number that is whole.

/// Whether a number that begins at byte `start` is not the continuation of something longer: not of a word or a number,
/// not of one joined to it by a point, a comma, a hyphen, a slash or the like. Letters run into a number by a lost
/// space (`is415-555-0132`) are no continuation where they end in two small ones.
pub(super) fn begins_whole(text: &str, start: usize) -> bool {
    let mut before = text[..start].chars().rev();
    let (last, previous) = (before.next(), before.next());
    let joined = |next: Option<char>| next.is_some_and(char::is_alphanumeric);
    match last {
        None => true,
        Some('-' | '.' | ',' | '/' | '\u{2013}') => !joined(previous),
        Some('_' | '#' | '$' | '\u{a3}' | '\u{20ac}' | '\u{a5}' | '+' | '\u{fffd}') => false,
        Some(letter) if letter.is_alphanumeric() => letter.is_lowercase() && previous.is_some_and(char::is_lowercase),
        Some(_) => true,
    }
}

/// Whether a number that ends before byte `end` does not continue: with a letter or a digit, or with one after a
/// joining character, nor into a percentage or an amount of money.
pub(super) fn ends_whole(text: &str, end: usize) -> bool {
    let mut after = text[end..].chars();
    let (next, following) = (after.next(), after.next());
    match next {
        None => true,
        Some('-' | '.' | ',' | '/' | ':' | '\u{2013}') => !following.is_some_and(|c| c.is_ascii_digit()),
        Some('_' | '%' | '$' | '\u{a3}' | '\u{20ac}' | '\u{a5}' | '@') => false,
        Some(other) => !other.is_alphanumeric(),
    }
}
