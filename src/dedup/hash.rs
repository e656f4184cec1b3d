//! Hash functions that are fast and the same on every machine.

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014): a bijection in which each bit of the input reaches all of
/// the output.
pub(super) fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// The two halves of a 128-bit product laid over each other: one multiplication in which each bit of both factors
/// reaches the middle of the result (the step of wyhash, Wang Yi 2019).
pub(super) fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

const START: u64 = 0x2d35_8dcc_aa6c_78a5;
const STEP: u64 = 0x8bb8_4b93_962e_acc9;

/// A hash of bytes, eight at a time; each eight, in little-endian order, go through `each` first.
pub(super) fn bytes(bytes: &[u8], each: impl Fn(u64) -> u64) -> u64 {
    let (eights, rest) = bytes.as_chunks::<8>();
    let hash = eights.iter().fold(START, |hash, eight| fold(hash ^ each(u64::from_le_bytes(*eight)), STEP));
    let last = rest.iter().rev().fold(0, |last, &byte| last << 8 | u64::from(byte));
    end(hash, each(last), bytes.len())
}

/// The hash of fewer than eight bytes, which went through `each`: what [`bytes`] gives.
pub(super) fn one(last: u64, length: usize) -> u64 {
    end(START, last, length)
}

fn end(hash: u64, last: u64, length: usize) -> u64 {
    fold(hash ^ last, STEP ^ length as u64)
}

/// A hash of numbers in a row.
pub(super) fn all(numbers: &[u64]) -> u64 {
    numbers.iter().fold(START ^ numbers.len() as u64, |hash, &number| fold(hash ^ number, STEP))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_their_number_count() {
        let hash = |text: &str| bytes(text.as_bytes(), |eight| eight);
        let texts = ["", "\0", "\0\0", "a", "b", "ab", "ba", "abcdefgh", "abcdefgh\0", "abcdefghi", "iabcdefgh"];
        for (at, one) in texts.iter().enumerate() {
            for other in &texts[..at] {
                assert_ne!(hash(one), hash(other), "{one:?} {other:?}");
            }
        }
    }
}
