//! Spans of a text: what is wrong with them, and where they stand when the text has changed. Offsets count characters
//! (Unicode code points) from 0; the end is not included.

use super::align::Alignment;
use crate::pii::Redaction;

/// A stretch of a text with its kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct LabelSpan {
    /// Its first character.
    pub start: usize,
    /// The character behind its last.
    pub end: usize,
    /// Its kind: a value of the label.
    pub label: String,
}

/// Why spans cannot be carried to a changed text.
const LOST: &str = "an end of a span was changed or cut out with its text";

/// Spans as they were given: the numbers may be anything.
pub type GivenSpan<'a> = (Option<i64>, Option<i64>, Option<&'a str>);

/// Holds spans against the text that they are of, in its characters, and the label's values.
///
/// # Errors
/// What is wrong with one of them.
pub fn check_spans(
    given: &[GivenSpan<'_>],
    text: &str,
    values: &[String],
    may_overlap: bool,
) -> Result<Vec<LabelSpan>, &'static str> {
    let length = text.chars().count();
    let mut spans = Vec::with_capacity(given.len());
    for span in given {
        let (Some(start), Some(end), Some(label)) = *span else { return Err("a member of a span is null") };
        let (Ok(start), Ok(end)) = (usize::try_from(start), usize::try_from(end)) else {
            return Err("a span is not inside of its text");
        };
        if end > length {
            return Err("a span is not inside of its text");
        }
        if start >= end {
            return Err("a span is empty");
        }
        if !values.iter().any(|value| value == label) {
            return Err("the value of a span is unknown");
        }
        spans.push(LabelSpan { start, end, label: label.to_owned() });
    }
    let mut sorted: Vec<&LabelSpan> = spans.iter().collect();
    sorted.sort();
    if !may_overlap && sorted.windows(2).any(|pair| pair[1].start < pair[0].end) {
        return Err("two spans overlap");
    }
    Ok(spans)
}

/// Spans of a text in what became of it.
///
/// # Errors
/// Why one of them is lost.
pub fn carry_spans(spans: Vec<LabelSpan>, before: &str, after: &str) -> Result<Vec<LabelSpan>, &'static str> {
    if before == after || spans.is_empty() {
        return Ok(spans);
    }
    let alignment = Alignment::of(before, after).ok_or("too much of the text was changed to carry its spans")?;
    let carried = |span: LabelSpan| {
        let (start, end) = alignment.stretch(span.start, span.end).ok_or(LOST)?;
        Ok(LabelSpan { start, end, ..span })
    };
    spans.into_iter().map(carried).collect()
}

/// Spans of a text in what a redaction left of it: one that is all of what was replaced is all of the placeholder.
///
/// # Errors
/// Why one of them is lost.
pub fn carry_redacted(
    spans: Vec<LabelSpan>,
    before: &str,
    redaction: &Redaction<'_>,
) -> Result<Vec<LabelSpan>, &'static str> {
    if redaction.replaced.is_empty() || spans.is_empty() {
        return Ok(spans);
    }
    let bytes: Vec<usize> = before.char_indices().map(|(at, _)| at).chain([before.len()]).collect();
    let place = |at: usize| redaction.offset(bytes[at]).map(|byte| redaction.text[..byte].chars().count()).ok_or(LOST);
    let carried = |span: LabelSpan| Ok(LabelSpan { start: place(span.start)?, end: place(span.end)?, ..span });
    spans.into_iter().map(carried).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pii;

    #[test]
    fn what_is_wrong_with_spans_is_told() {
        let values = ["PERSON", "ORG"].map(str::to_owned);
        let check = |given: &[(i64, i64, &str)], may_overlap| {
            let given: Vec<GivenSpan<'_>> =
                given.iter().map(|(start, end, label)| (Some(*start), Some(*end), Some(*label))).collect();
            check_spans(&given, "Zoë met Ann", &values, may_overlap).map(|spans| spans.len())
        };
        assert_eq!(check(&[(8, 11, "PERSON"), (0, 3, "PERSON")], false), Ok(2));
        assert_eq!(check(&[(8, 12, "PERSON")], false), Err("a span is not inside of its text"));
        assert_eq!(check(&[(-1, 3, "PERSON")], false), Err("a span is not inside of its text"));
        assert_eq!(check(&[(3, 3, "PERSON")], false), Err("a span is empty"));
        assert_eq!(check(&[(0, 3, "person")], false), Err("the value of a span is unknown"));
        assert_eq!(check(&[(0, 7, "ORG"), (4, 11, "PERSON")], false), Err("two spans overlap"));
        assert_eq!(check(&[(0, 7, "ORG"), (4, 11, "PERSON")], true), Ok(2));
        assert_eq!(check_spans(&[(Some(0), None, Some("ORG"))], "a", &values, true), Err("a member of a span is null"));
    }

    #[test]
    fn a_redaction_moves_what_stands_behind_it() {
        let text = "Zoë: zoe@shop.example or Ann";
        let email = pii::lookup("email").expect("a detector");
        let redaction = pii::redact(text, &[email]);
        let span = |start, end| vec![LabelSpan { start, end, label: "PERSON".to_owned() }];
        let carry = |start, end| {
            let spans = carry_redacted(span(start, end), text, &redaction)?;
            let (start, end) = (spans[0].start, spans[0].end);
            Ok::<String, &str>(redaction.text.chars().skip(start).take(end - start).collect())
        };
        assert_eq!(carry(0, 3).as_deref(), Ok("Zoë"));
        assert_eq!(carry(25, 28).as_deref(), Ok("Ann"));
        assert_eq!(carry(5, 21).as_deref(), Ok("[EMAIL]"));
        assert_eq!(carry(5, 8), Err(LOST));
    }
}
