//! Records as bytes: numbers of seven bits a byte, the last of which is below 128 (LEB128).

use super::super::example::{Encoded, Example, Target};

/// Writes records.
pub(super) fn write(encoded: &Encoded) -> Vec<u8> {
    let Encoded { examples, seconds, truncated, muted, dropped, lost_spans, inexact_spans, joined, lengths } = encoded;
    let mut to = Vec::new();
    for count in [truncated, muted, dropped, lost_spans, inexact_spans] {
        number(&mut to, *count as u64);
    }
    number(&mut to, joined.len() as u64);
    joined.iter().for_each(|id| bytes(&mut to, id.as_bytes()));
    bytes(&mut to, &serde_json::to_vec(lengths).expect("a histogram is numbers"));
    for examples in [examples, seconds] {
        number(&mut to, examples.len() as u64);
        examples.iter().for_each(|example| write_example(&mut to, example));
    }
    to
}

fn write_example(to: &mut Vec<u8>, Example { id, tokens, target }: &Example) {
    bytes(to, id.as_bytes());
    number(to, tokens.len() as u64);
    tokens.iter().for_each(|token| number(to, u64::from(*token)));
    let (kind, learnt) = match target {
        Target::Class(class) => {
            to.push(0);
            return number(to, *class as u64);
        }
        Target::Choices(has) => {
            to.push(1);
            return truths(to, has);
        }
        Target::Tags(tags) => {
            to.push(2);
            return bytes(to, &serde_json::to_vec(tags).expect("tags are numbers and names"));
        }
        Target::Number(value) => {
            to.push(3);
            return number(to, u64::from(value.to_bits()));
        }
        Target::Tokens(learnt) => (4, learnt),
        // What the reference says is no part of the tokens.
        Target::Answer { learnt, reference: _ } => (5, learnt),
        Target::Text(text) => {
            to.push(6);
            return number(to, *text);
        }
    };
    to.push(kind);
    truths(to, learnt);
}

fn number(to: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        to.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}

fn bytes(to: &mut Vec<u8>, bytes: &[u8]) {
    number(to, bytes.len() as u64);
    to.extend(bytes);
}

/// Truths as the lengths of runs of the same, the first one of which is of what is not.
fn truths(to: &mut Vec<u8>, truths: &[bool]) {
    number(to, truths.len() as u64);
    if truths.first() == Some(&true) {
        number(to, 0);
    }
    truths.chunk_by(|a, b| a == b).for_each(|run| number(to, run.len() as u64));
}

/// Reads records; `None` where these are no such bytes.
pub(super) fn read(bytes: &[u8]) -> Option<Encoded> {
    let mut from = Reader(bytes);
    let [truncated, muted, dropped, lost_spans, inexact_spans] =
        [from.size()?, from.size()?, from.size()?, from.size()?, from.size()?];
    let joined = from.texts()?;
    let lengths = serde_json::from_slice(from.bytes()?).ok()?;
    let [examples, seconds] = [from.examples()?, from.examples()?];
    let encoded = Encoded { examples, seconds, truncated, muted, dropped, lost_spans, inexact_spans, joined, lengths };
    from.0.is_empty().then_some(encoded)
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn number(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            let bits = u64::from(byte & 0x7f);
            value |= bits.checked_shl(shift).filter(|shifted| shifted >> shift == bits)?;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn size(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.size()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    fn texts(&mut self) -> Option<Vec<String>> {
        let count = self.size()?;
        (0..count).map(|_| String::from_utf8(self.bytes()?.to_vec()).ok()).collect()
    }

    fn truths(&mut self) -> Option<Vec<bool>> {
        let length = self.size()?;
        let (mut truths, mut value) = (Vec::new(), false);
        while truths.len() < length {
            let run = self.size()?;
            let end = truths.len().checked_add(run).filter(|end| *end <= length && (run > 0 || truths.is_empty()))?;
            truths.resize(end, value);
            value = !value;
        }
        Some(truths)
    }

    fn examples(&mut self) -> Option<Vec<Example>> {
        let count = self.size()?;
        (0..count).map(|_| self.example()).collect()
    }

    fn example(&mut self) -> Option<Example> {
        let id = String::from_utf8(self.bytes()?.to_vec()).ok()?;
        let count = self.size()?;
        let tokens = (0..count).map(|_| u32::try_from(self.number()?).ok()).collect::<Option<Vec<u32>>>()?;
        let (kind, rest) = self.0.split_first()?;
        self.0 = rest;
        let of_tokens = |learnt: Vec<bool>| Some(learnt).filter(|learnt| learnt.len() == tokens.len());
        let target = match kind {
            0 => Target::Class(self.size()?),
            1 => Target::Choices(self.truths()?),
            2 => Target::Tags(serde_json::from_slice(self.bytes()?).ok()?),
            3 => Target::Number(f32::from_bits(u32::try_from(self.number()?).ok()?)),
            4 => Target::Tokens(of_tokens(self.truths()?)?),
            5 => Target::Answer { learnt: of_tokens(self.truths()?)?, reference: 0.0 },
            6 => Target::Text(self.number()?),
            _ => return None,
        };
        Some(Example { id, tokens, target })
    }
}
