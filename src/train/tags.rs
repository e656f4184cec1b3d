//! Spans of a text as tags of its words, and back.
//!
//! A word is what Unicode takes for one (UAX #29), as far as the tokenizer has a piece of it; its first piece is learnt and
//! asked, and the pieces behind it go with it. The tags are IOB2: `B-PERSON` for the first word of a span, `I-PERSON` for
//! its others, `O` for a word of none. A word belongs to a span that has a character of it, to the first of two.

use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;

use super::TrainError;
use super::example::{Collected, Encoded, Example, LengthLimit, Target, tokens_within};
use super::in_order::in_order;
use super::table::Table;
use super::tokenizer::{Tokenizer, Tokens};
use super::validate::{argmax, log_softmax};
use crate::eval::{TagReading, spans_of};
use crate::label::spans::LabelSpan;

/// The tag of a word of no span.
const OUTSIDE: &str = "O";

/// The target of a token that has none: by convention, what PyTorch's losses leave out.
pub(crate) const NO_TARGET: i64 = -100;

/// The tags of kinds of spans, in the order of a new head's outputs.
pub(crate) fn tag_names(kinds: &[String]) -> Vec<String> {
    let both = kinds.iter().flat_map(|kind| [format!("B-{kind}"), format!("I-{kind}")]);
    std::iter::once(OUTSIDE.to_owned()).chain(both).collect()
}

/// The kinds of the spans that tags are of, in order of appearance; `None` where a name is no tag.
pub(crate) fn kinds_of(tags: &[String]) -> Option<Vec<String>> {
    let mut kinds: Vec<String> = Vec::new();
    for tag in tags {
        spans_of(&[tag], TagReading::Default).ok()?;
        if let Some((_, kind)) = tag.split_once('-')
            && !kinds.iter().any(|known| known == kind)
        {
            kinds.push(kind.to_owned());
        }
    }
    Some(kinds)
}

/// The words of a text.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Words {
    /// Of each word its first token, and its first and last character, the last not included.
    words: Vec<(usize, usize, usize)>,
}

/// What is learnt of a record's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagTarget {
    /// For each token the index of its tag; negative for one that is not learnt.
    pub tags: Vec<i64>,
    /// The words.
    pub words: Words,
    /// The spans, those that the tokens do not show among them.
    pub gold: Vec<LabelSpan>,
}

/// A span that a model found.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundSpan {
    /// Where it is, in characters, and of which kind.
    pub span: LabelSpan,
    /// The least probability of the tags of its words.
    pub probability: f32,
    /// Whether the tags of its words keep to their scheme, so that a strict reading has it too.
    pub is_strict: bool,
}

/// The tags of a text, and what became of its spans.
struct Tagged {
    tags: Vec<i64>,
    /// Spans that do not begin and end with words.
    inexact: usize,
    /// Spans that stand in what was cut off, in part or as a whole.
    lost: usize,
}

impl Words {
    /// The words of a text that have a token.
    pub(crate) fn of(text: &str, tokens: &Tokens) -> Self {
        let starts: Vec<usize> = text.split_word_bound_indices().map(|(start, _)| start).collect();
        let characters: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let character = |byte: usize| characters.partition_point(|at| *at < byte);
        let mut words: Vec<(usize, usize, usize)> = Vec::new();
        let mut last = None;
        for (token, &(start, end)) in tokens.offsets.iter().enumerate() {
            // A piece may hold the space before its word.
            let Some(piece) = text.get(start..end).filter(|piece| !piece.trim().is_empty()) else { continue };
            let start = start + piece.len() - piece.trim_start().len();
            let end = end - (piece.len() - piece.trim_end().len());
            let word = starts.partition_point(|begin| *begin <= start);
            match words.last_mut().filter(|_| last == Some(word)) {
                Some(word) => word.2 = character(end),
                None => words.push((token, character(start), character(end))),
            }
            last = Some(word);
        }
        Self { words }
    }

    /// The tags of the first tokens of words, among `tokens` tokens. `is_cut` says that the words are not all of the text's.
    fn tagged(&self, spans: &[LabelSpan], names: &[String], tokens: usize, is_cut: bool) -> Tagged {
        let mut tagged = Tagged { tags: vec![NO_TARGET; tokens], inexact: 0, lost: 0 };
        let tag = |prefix: &str, kind: &str| {
            let tag = names.iter().position(|name| name.strip_prefix(prefix) == Some(kind));
            tag.map_or(NO_TARGET, |tag| tag as i64)
        };
        let outside = tag("", OUTSIDE);
        self.words.iter().for_each(|(token, ..)| tagged.tags[*token] = outside);
        let (from, to) = match (self.words.first(), self.words.last()) {
            (Some(first), Some(last)) => (first.1, last.2),
            _ => (0, 0),
        };
        let mut sorted: Vec<&LabelSpan> = spans.iter().collect();
        sorted.sort();
        let mut next = 0;
        for span in sorted {
            let first =
                self.words[next..].iter().position(|word| word.2 > span.start).map_or(self.words.len(), |at| next + at);
            let behind = self.words[first..].iter().take_while(|word| word.1 < span.end).count() + first;
            next = behind;
            if is_cut && (span.start < from || span.end > to) {
                tagged.lost += 1;
                self.words[first..behind].iter().for_each(|word| tagged.tags[word.0] = NO_TARGET);
                continue;
            }
            let (begins, ends) =
                (self.words.get(first).map(|word| word.1), self.words[..behind].last().map(|word| word.2));
            if first == behind || (begins, ends) != (Some(span.start), Some(span.end)) {
                tagged.inexact += 1;
            }
            for (at, word) in self.words[first..behind].iter().enumerate() {
                tagged.tags[word.0] = tag(if at == 0 { "B-" } else { "I-" }, &span.label);
            }
        }
        tagged
    }

    /// The spans that a model finds, whose logits are `[tokens, tags]`.
    pub(crate) fn found(&self, logits: &[f32], names: &[String]) -> Vec<FoundSpan> {
        let row = |token: usize| &logits[token * names.len()..(token + 1) * names.len()];
        let chosen: Vec<(usize, f32)> = self
            .words
            .iter()
            .filter_map(|(token, ..)| {
                let tag = argmax(row(*token))?;
                Some((tag, log_softmax(row(*token))[tag].exp()))
            })
            .collect();
        let tags: Vec<&str> = chosen.iter().map(|(tag, _)| names[*tag].as_str()).collect();
        let read = |reading| spans_of(&tags, reading).expect("a model with other names is refused when it is opened");
        // A span of the strict reading is one of the default reading too: it begins where one begins, and ends with it.
        let strict = read(TagReading::strict(names));
        let found = read(TagReading::Default).into_iter().map(|span| {
            let (start, end) = (self.words[span.start].1, self.words[span.end - 1].2);
            let least = chosen[span.start..span.end].iter().map(|(_, probability)| *probability);
            let (is_strict, probability) = (strict.contains(&span), least.fold(1.0, f32::min));
            FoundSpan { span: LabelSpan { start, end, label: span.kind }, probability, is_strict }
        });
        found.collect()
    }
}

/// The target of a text's words.
pub(crate) fn tag_target(
    words: Words,
    gold: Vec<LabelSpan>,
    names: &[String],
    tokens: usize,
    is_cut: bool,
) -> TagTarget {
    let tags = words.tagged(&gold, names, tokens, is_cut).tags;
    TagTarget { tags, words, gold }
}

/// Spans as a table has them.
pub(crate) fn read_spans(json: &str) -> Option<Vec<LabelSpan>> {
    serde_json::from_str(json).ok()
}

/// Texts with the tags of their spans, `names` being those of the model in its order.
///
/// # Errors
/// Spans that are null or of an unknown kind, a tokenizer's failure, too-long records where the run refuses them.
pub fn encode_spans(
    table: &Table,
    (text, label): (&str, &str),
    names: &[String],
    tokenizer: &Tokenizer,
    limit: LengthLimit,
) -> Result<Encoded, TrainError> {
    let kinds = kinds_of(names).unwrap_or_default();
    let mut collected = Collected::new(limit);
    let rows: Vec<_> = table.ids.iter().zip(table.column(text)).zip(table.column(label)).collect();
    let make = |((id, text), spans): &((&String, &Option<String>), &Option<String>)| {
        let known = |spans: &Vec<LabelSpan>| spans.iter().all(|span| kinds.contains(&span.label));
        let gold = spans.as_deref().and_then(read_spans).filter(known);
        let gold = gold.ok_or_else(|| TrainError::UnknownLabel { id: (*id).clone(), values: kinds.len() })?;
        let text = text.as_deref().unwrap_or_default();
        let failed = |message| TrainError::Tokenize { id: (*id).clone(), message };
        let (tokens, length) = tokens_within(text, tokenizer, limit).map_err(failed)?;
        let words = Words::of(text, &tokens);
        let Tagged { tags, inexact, lost } = words.tagged(&gold, names, tokens.ids.len(), length > tokens.ids.len());
        let target = Target::Tags(TagTarget { tags, words, gold });
        Ok((Example { id: (*id).clone(), tokens: tokens.ids, target }, length, (inexact, lost)))
    };
    in_order(tokenizer.threads(), &rows, make, |((id, _), _), (example, length, (inexact, lost))| {
        if collected.admit(id, length).is_some() {
            collected.encoded.inexact_spans += inexact;
            collected.encoded.lost_spans += lost;
            collected.encoded.examples.push(example);
        }
    })?;
    collected.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tokens of pieces between `|`, with one in front and one behind that the tokenizer added.
    fn tokens(pieces: &str) -> (String, Tokens) {
        let (mut text, mut offsets) = (String::new(), vec![(0, 0)]);
        for piece in pieces.split('|') {
            offsets.push((text.len(), text.len() + piece.len()));
            text.push_str(piece);
        }
        offsets.push((0, 0));
        (text, Tokens { ids: vec![7; offsets.len()], offsets })
    }

    fn names() -> Vec<String> {
        tag_names(&["PER".to_owned(), "ORG".to_owned()])
    }

    fn span(start: usize, end: usize, label: &str) -> LabelSpan {
        LabelSpan { start, end, label: label.to_owned() }
    }

    #[test]
    fn the_first_piece_of_a_word_is_learnt() {
        let (text, tokens) = tokens("Zo|ë| Hal|lam| of| Quill| &| Lan|tern|.");
        let words = Words::of(&text, &tokens);
        let spans = [span(0, 10, "PER"), span(14, 29, "ORG")];
        let tagged = words.tagged(&spans, &names(), tokens.ids.len(), false);
        assert_eq!(tagged.tags, [-100, 1, -100, 2, -100, 0, 3, 4, 4, -100, 0, -100]);
        assert_eq!((tagged.inexact, tagged.lost), (0, 0));
        // One-hot logits of these tags give the spans back; what a piece behind a first one says is not asked.
        let mut logits = vec![0.0; tagged.tags.len() * 5];
        for (token, tag) in tagged.tags.iter().enumerate() {
            logits[token * 5 + usize::try_from(*tag).unwrap_or(4)] = 9.0;
        }
        let found: Vec<LabelSpan> = words.found(&logits, &names()).into_iter().map(|found| found.span).collect();
        assert_eq!(found, spans);
    }

    #[test]
    fn a_span_that_cuts_a_word_takes_it_and_is_counted() {
        let (text, tokens) = tokens("pre|paid| card");
        let words = Words::of(&text, &tokens);
        let tagged = words.tagged(&[span(3, 7, "ORG"), span(8, 12, "PER")], &names(), tokens.ids.len(), false);
        assert_eq!((tagged.tags.as_slice(), tagged.inexact), ([-100, 3, -100, 1, -100].as_slice(), 1));
        // Two spans of one word: the first has it.
        let tagged = words.tagged(&[span(0, 3, "ORG"), span(3, 7, "PER")], &names(), tokens.ids.len(), false);
        assert_eq!((tagged.tags[1], tagged.inexact), (3, 2));
    }

    #[test]
    fn a_span_that_length_cuts_is_not_learnt_in_part() {
        let (text, mut tokens) = tokens("Ann| met| Quill| and| Lantern");
        tokens.offsets.truncate(4);
        tokens.ids.truncate(4);
        let words = Words::of(&text, &tokens);
        let spans = [span(0, 3, "PER"), span(8, 25, "ORG"), span(18, 25, "PER")];
        let tagged = words.tagged(&spans, &names(), tokens.ids.len(), true);
        assert_eq!((tagged.tags.as_slice(), tagged.lost, tagged.inexact), ([-100, 1, 0, -100].as_slice(), 2, 0));
    }

    #[test]
    fn names_of_tags_are_told_from_others() {
        assert_eq!(names(), ["O", "B-PER", "I-PER", "B-ORG", "I-ORG"]);
        assert_eq!(kinds_of(&names()), Some(vec!["PER".to_owned(), "ORG".to_owned()]));
        assert_eq!(kinds_of(&["LABEL_0".to_owned()]), None);
    }
}
