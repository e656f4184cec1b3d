//! `pieces`: the digests and places of a text's lines or sentences, as a measure that can be kept: see
//! [`crate::dedup::pieces`].

use std::sync::Arc;

use arrow::array::{ArrayRef, LargeBinaryBuilder, StringArray};
use datafusion::common::{Result, exec_datafusion_err};

use crate::dedup::pieces::{Length, Occurrence, Pieces, Unit};

/// The bytes of a key.
const KEY: usize = 16;
/// The bytes of a piece: its key, where it begins and where it ends.
const PIECE: usize = KEY + 8;
/// The units by their words.
const UNITS: [Unit; 3] = [Unit::Words, Unit::Characters, Unit::Bytes];

/// What texts are cut into, as the constant that a plan carries: `["lines", 3, "words"]`.
pub fn written(pieces: Pieces) -> String {
    let (name, Length { count, unit }) = match pieces {
        Pieces::Lines(least) => ("lines", least),
        Pieces::Sentences(least) => ("sentences", least),
        Pieces::Windows(length) => ("windows", length),
    };
    serde_json::json!([name, count, unit.word()]).to_string()
}

fn read(written: &str) -> Option<Pieces> {
    let (name, count, word): (String, usize, String) = serde_json::from_str(written).ok()?;
    let unit = UNITS.into_iter().find(|unit| unit.word() == word)?;
    let length = Length { count, unit };
    Some(match name.as_str() {
        "lines" => Pieces::Lines(length),
        "sentences" => Pieces::Sentences(length),
        "windows" => Pieces::Windows(length),
        _ => return None,
    })
}

/// The pieces of each text; null of null. The keys of all pieces come first, then their places, which compress well
/// beside each other.
pub(super) fn evaluate(texts: &StringArray, written: &str) -> Result<ArrayRef> {
    let pieces = read(written).ok_or_else(|| exec_datafusion_err!("the pieces of the plan cannot be read here"))?;
    let (mut builder, mut found, mut bytes) = (LargeBinaryBuilder::new(), Vec::new(), Vec::new());
    for text in texts {
        let Some(text) = text else {
            builder.append_null();
            continue;
        };
        found.clear();
        bytes.clear();
        pieces.cut_into(0, text, &mut found);
        found.iter().for_each(|piece| bytes.extend(piece.key));
        for piece in &found {
            bytes.extend(piece.start.to_le_bytes());
            bytes.extend(piece.end.to_le_bytes());
        }
        builder.append_value(&bytes);
    }
    Ok(Arc::new(builder.finish()))
}

/// The pieces of a text, which is numbered, of what [`evaluate`] made of it.
pub fn occurrences(text: u64, bytes: &[u8]) -> impl Iterator<Item = Occurrence> {
    let (keys, places) = bytes.split_at(bytes.len() / PIECE * KEY);
    let keys = keys.as_chunks::<KEY>().0.iter();
    keys.zip(places.as_chunks::<8>().0).map(move |(key, place)| {
        let [start, end] = [[place[0], place[1], place[2], place[3]], [place[4], place[5], place[6], place[7]]];
        Occurrence { key: *key, text, start: u32::from_le_bytes(start), end: u32::from_le_bytes(end) }
    })
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};

    use super::*;

    #[test]
    fn pieces_are_read_back_as_they_were_found() {
        let texts = StringArray::from(vec![Some("one line\nand another\n\none line"), None, Some("")]);
        for unit in UNITS {
            for pieces in [Pieces::Lines, Pieces::Sentences, Pieces::Windows].map(|of| of(Length { count: 2, unit })) {
                assert_eq!(read(&written(pieces)), Some(pieces));
                let column = evaluate(&texts, &written(pieces)).expect("it is the constant of a plan");
                for (row, text) in texts.iter().enumerate() {
                    let mut found = Vec::new();
                    pieces.cut_into(7, text.unwrap_or_default(), &mut found);
                    let kept = column.as_binary::<i64>();
                    assert_eq!(kept.is_null(row), text.is_none());
                    assert!(found.is_empty() == text.is_none_or(str::is_empty));
                    assert_eq!(occurrences(7, kept.value(row)).collect::<Vec<_>>(), found);
                }
            }
        }
        assert!(evaluate(&texts, "[\"words\",1,\"words\"]").is_err());
    }
}
