//! Lines, sentences and passages that occurred before: what of a text repeats an earlier one, so that it is cut out.
//!
//! A passage that is at least so long and occurred before is made of windows of exactly that length that occurred before,
//! so the windows are enough to find all of it; this is the exact substring deduplication of Lee et al. 2022 without a suffix
//! array. A window counts as repeated where it does not overlap its first occurrence: of a letter that stands a
//! thousand times in a row, one length stays.
//!
//! Pieces are compared by 128-bit keys: among 10^12 different ones two have the same key with a probability below 10^-14.
//! Whoever has all [`Occurrence`]s sorted, in memory or in files, finds with [`Repeats`] those that repeat an earlier one.
//! An occurrence takes 32 bytes: for lines and sentences little beside the texts, for substrings in words 5 to 6 bytes for each
//! byte of English text, in characters and bytes 32.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::exact;
use super::words::for_each_word;

/// What texts are cut into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pieces {
    /// Lines, without the white space at their ends. Blank ones never repeat.
    Lines(Length),
    /// Sentences, by Unicode's sentence boundaries, without the white space at their ends.
    Sentences(Length),
    /// Every passage of exactly this length.
    Windows(Length),
}

/// A length that a piece has at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Length {
    /// How many.
    pub count: usize,
    /// Of what.
    pub unit: Unit,
}

/// What lengths are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Words of the language's `words`. Windows of words are compared in small letters, and whatever stands between the
    /// words counts for nothing.
    Words,
    /// Characters.
    Characters,
    /// Bytes of UTF-8. Where a passage begins or ends within a character, that one stays; so does one that is longer than
    /// the passages.
    Bytes,
}

impl Unit {
    /// Its word in the language.
    pub fn word(self) -> &'static str {
        match self {
            Unit::Words => "words",
            Unit::Characters => "characters",
            Unit::Bytes => "bytes",
        }
    }
}

/// A piece of a text, in the order of the keys and then of the texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Occurrence {
    /// What it is compared by.
    pub key: [u8; 16],
    /// The text.
    pub text: u64,
    /// The bytes of the text that go where it repeats an earlier one.
    pub start: u32,
    /// Where they end.
    pub end: u32,
}

/// Finds the occurrences that repeat an earlier one, in a text before or in the same one, among all in order.
#[derive(Debug)]
pub struct Repeats {
    first: Option<Occurrence>,
    /// The bytes of a piece, where all have as many. Those that go may be fewer: characters go as wholes.
    bytes: u32,
}

impl Repeats {
    /// Among pieces of this kind.
    pub fn of(pieces: Pieces) -> Self {
        let bytes = match pieces {
            Pieces::Windows(Length { count, unit: Unit::Bytes }) => u32::try_from(count).unwrap_or(u32::MAX),
            Pieces::Windows(Length { unit: Unit::Words | Unit::Characters, .. })
            | Pieces::Lines(_)
            | Pieces::Sentences(_) => 0,
        };
        Self { first: None, bytes }
    }

    /// Whether this one repeats an earlier one that it does not overlap.
    pub fn next(&mut self, one: &Occurrence) -> bool {
        match self.first.filter(|first| first.key == one.key) {
            // Two pieces of the same bytes lose the same ones at their ends, so they begin as far apart as what goes of them.
            Some(first) => {
                first.text != one.text || first.end <= one.start && first.start.saturating_add(self.bytes) <= one.start
            }
            None => {
                self.first = Some(*one);
                false
            }
        }
    }
}

impl Pieces {
    /// The pieces of the text with this number, put behind those in `pieces`. Of a text beyond 4 GiB the first 4 GiB count.
    pub fn cut_into(self, number: u64, text: &str, pieces: &mut Vec<Occurrence>) {
        let mut each = |key: u128, place: Range<usize>| {
            if let (Ok(start), Ok(end)) = (u32::try_from(place.start), u32::try_from(place.end)) {
                pieces.push(Occurrence { key: key.to_be_bytes(), text: number, start, end });
            }
        };
        match self {
            Pieces::Lines(least) => {
                let mut start = 0;
                for line in text.split_inclusive('\n') {
                    let mut place = start..start + line.len();
                    start = place.end;
                    // The last line goes with the break before it, any other with the one behind it.
                    if !line.ends_with('\n') && place.start > 0 {
                        place.start -= 1;
                    }
                    push_whole(line.trim(), least, place, &mut each);
                }
            }
            Pieces::Sentences(least) => {
                for (start, sentence) in text.split_sentence_bound_indices() {
                    push_whole(sentence.trim(), least, start..start + sentence.len(), &mut each);
                }
            }
            Pieces::Windows(Length { count, unit }) => windows_into(text, count, unit, &mut each),
        }
    }
}

fn push_whole(text: &str, least: Length, place: Range<usize>, each: &mut impl FnMut(u128, Range<usize>)) {
    if !text.is_empty() && reaches(text, least) {
        each(u128::from_be_bytes(exact::key(text).0), place);
    }
}

fn reaches(text: &str, least: Length) -> bool {
    match least.unit {
        Unit::Bytes => text.len() >= least.count,
        Unit::Characters => text.chars().nth(least.count.saturating_sub(1)).is_some(),
        Unit::Words => {
            let mut words = 0;
            for_each_word(text, |_, _| words += 1);
            words >= least.count
        }
    }
}

fn windows_into(text: &str, length: usize, unit: Unit, each: &mut impl FnMut(u128, Range<usize>)) {
    let mut units: Vec<(u64, Range<usize>)> = Vec::new();
    match unit {
        Unit::Words => for_each_word(text, |hash, place| units.push((hash, place))),
        Unit::Characters => {
            units.extend(text.char_indices().map(|(at, one)| (u64::from(one), at..at + one.len_utf8())));
        }
        Unit::Bytes => units.extend(text.bytes().enumerate().map(|(at, byte)| (u64::from(byte), at..at + 1))),
    }
    if length == 0 || units.len() < length {
        return;
    }
    let mut halves = BASES.map(|base| Rolling::new(base, length));
    for at in 0..units.len() {
        let gone = at.checked_sub(length).map(|gone| units[gone].0);
        halves.iter_mut().for_each(|half| half.step(units[at].0, gone));
        if at + 1 >= length {
            let place = whole_characters(text, units[at + 1 - length].1.start, units[at].1.end);
            if !place.is_empty() {
                each(u128::from(halves[0].hash) << 64 | u128::from(halves[1].hash), place);
            }
        }
    }
}

/// The characters that lie between two bytes as wholes: nothing where there is none.
fn whole_characters(text: &str, mut start: usize, mut end: usize) -> Range<usize> {
    while !text.is_char_boundary(start) {
        start += 1;
    }
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    start..end.max(start)
}

/// Two arbitrary numbers below the modulus.
const BASES: [u64; 2] = [0x1656_67b1_9e37_79f9, 0x0f9b_2f8d_3c6e_f372];

/// 2^61 − 1, a prime.
const MODULUS: u64 = (1 << 61) - 1;

/// The hash of the latest `length` units: a polynomial of them modulo a prime (Karp and Rabin 1987).
struct Rolling {
    base: u64,
    /// base^length
    highest: u64,
    hash: u64,
}

impl Rolling {
    fn new(base: u64, length: usize) -> Self {
        let highest = (0..length).fold(1, |power, _| multiply(power, base));
        Self { base, highest, hash: 0 }
    }

    /// Takes a unit in, and the one out that stood `length` before it.
    fn step(&mut self, come: u64, gone: Option<u64>) {
        // A unit counts one more than it is, so that leading zeros count.
        let own = |unit: u64| reduce(u128::from(unit) + 1);
        let gone = gone.map_or(0, |gone| multiply(own(gone), self.highest));
        let hash = multiply(self.hash, self.base) + own(come) + MODULUS - gone;
        self.hash = reduce(u128::from(hash));
    }
}

fn multiply(a: u64, b: u64) -> u64 {
    reduce(u128::from(a) * u128::from(b))
}

/// A number below 2^122 modulo 2^61 − 1.
fn reduce(value: u128) -> u64 {
    let sum = (value as u64 & MODULUS) + (value >> 61) as u64;
    let sum = (sum & MODULUS) + (sum >> 61);
    if sum == MODULUS { 0 } else { sum }
}

/// Places in order, those that touch made one.
pub fn join_places(mut places: Vec<Range<u32>>) -> Vec<Range<u32>> {
    places.sort_unstable_by_key(|place| (place.start, place.end));
    let mut joined: Vec<Range<u32>> = Vec::new();
    for place in places {
        match joined.last_mut() {
            Some(last) if place.start <= last.end => last.end = last.end.max(place.end),
            Some(_) | None => joined.push(place),
        }
    }
    joined
}

/// A text without these places, which are in order, do not overlap and cut no character. Places beyond its end are left out.
pub fn without(text: &str, places: &[Range<u32>]) -> String {
    let mut rest = String::with_capacity(text.len());
    let mut from = 0;
    for place in places {
        rest.push_str(text.get(from..place.start as usize).unwrap_or_default());
        from = place.end as usize;
    }
    rest.push_str(text.get(from..).unwrap_or_default());
    rest
}

#[cfg(test)]
mod tests;
