//! `compression_ratio`: how much shorter a text gets when what it repeats is said once.

use super::{Constants, Eval, Example, Function, Parts, TEXT};

pub(super) const FUNCTION: Function = Function {
    name: "compression_ratio",
    summary: "the size of the compressed text as a share of its own, from 0 to 1",
    docs: "\
How many bytes are left when each piece of the text that stood in it before is said by reference, as a share of its bytes: 1
where nothing repeats, near 0 where a line is repeated over and over. English prose of some pages is near 0.6.

The algorithm is fixed here and is no library's, so that a figure never changes: from left to right, the four bytes at hand
are looked up among those before them, by a table that remembers where the latest four bytes with each hash stand. It has as
many places as the text has bytes, rounded up to a power of two between 256 and 65,536 = 2^b; a hash is the upper b bits of the four bytes' number
(little end first) times 2,654,435,761. Where the same four stand at most
65,535 bytes before, as many bytes as agree become a reference of 3 bytes, and 1 more for each 255 bytes of its length; any
other byte stays. This is the greedy LZ77 of the LZ4 family, without entropy coding: gzip says smaller numbers. Null for the
empty text.",
    parameters: &[TEXT],
    result: Eval::Ratio(eval).result(),
    examples: &[
        Example::of("no repeats", "1"),
        Example::of("ab cd ab cd ab cd ab cd ab cd", "0.3103448275862069"),
        Example::of("", "null"),
    ],
    version: 1,
    eval: Eval::Ratio(eval),
};

/// How far back a reference can point.
const WINDOW: usize = 65_535;

fn eval(of: &Parts<'_>, _: &Constants) -> Option<f64> {
    let bytes = of.text().as_bytes();
    (!bytes.is_empty()).then(|| compressed(bytes) as f64 / bytes.len() as f64)
}

/// The size of the compressed bytes.
fn compressed(bytes: &[u8]) -> usize {
    let size = bytes.len().clamp(1 << 8, 1 << 16).next_power_of_two();
    let shift = 32 - size.trailing_zeros();
    // Places are counted from 1; 0 is a place of the table that is still empty.
    let mut latest = vec![0_usize; size];
    let (mut at, mut size) = (0, 0);
    while let Some(four) = bytes.get(at..at + 4).and_then(<[u8]>::first_chunk::<4>) {
        let hash = u32::from_le_bytes(*four).wrapping_mul(2_654_435_761) >> shift;
        let slot = &mut latest[hash as usize];
        let before = std::mem::replace(slot, at + 1);
        let length = match before.checked_sub(1) {
            Some(before) if at - before <= WINDOW => agreeing(bytes, before, at),
            _ => 0,
        };
        if length >= 4 {
            size += 3 + length / 255;
            at += length;
        } else {
            size += 1;
            at += 1;
        }
    }
    size + bytes.len() - at
}

/// How many bytes from `before` on are the same as those from `at` on.
fn agreeing(bytes: &[u8], before: usize, at: usize) -> usize {
    bytes[at..].iter().zip(&bytes[before..]).take_while(|(one, other)| one == other).count()
}
