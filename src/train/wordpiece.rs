//! Learning the pieces of a WordPiece vocabulary from counted words.
//!
//! Words start as characters, all but the first with the prefix `##`; the most frequent pair of neighbours becomes a
//! piece until the vocabulary is full (the merge procedure of Sennrich et al. 2016, as the field trains WordPiece
//! vocabularies). Ties go to the pair that comes first in the alphabet, and every table is ordered, so the same texts
//! give the same pieces in the same order.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

/// What a word's later pieces start with.
pub(super) const CONTINUATION: &str = "##";

/// A pair that occurs less often becomes no piece.
const MINIMUM_COUNT: u64 = 2;

type Pair = (usize, usize);

/// A pair with its count; of equal counts the one first in the alphabet is the greatest.
type Candidate = (u64, Reverse<(String, String)>, Pair);

struct Word {
    pieces: Vec<usize>,
    count: u64,
}

/// At most `size` pieces: first `special`, then the characters in alphabetical order (the most frequent ones where not
/// all have room), then merged pieces in the order in which they were found.
pub(super) fn learn(words: &BTreeMap<String, u64>, special: &[&str], size: usize) -> Vec<String> {
    let mut vocabulary: Vec<String> = special.iter().map(|&piece| piece.to_owned()).collect();
    let room = size.saturating_sub(vocabulary.len());
    vocabulary.extend(alphabet(words, room));
    let mut index: BTreeMap<String, usize> =
        vocabulary.iter().enumerate().map(|(index, piece)| (piece.clone(), index)).collect();
    let mut words: Vec<Word> = words
        .iter()
        .filter_map(|(word, count)| split(word, &index).map(|pieces| Word { pieces, count: *count }))
        .collect();
    let mut pairs = PairTable::of(&words);
    while vocabulary.len() < size {
        let Some((left, right)) = pairs.most_frequent(&vocabulary) else {
            break;
        };
        let merged = format!("{}{}", vocabulary[left], continuation_of(&vocabulary[right]));
        let piece = *index.entry(merged.clone()).or_insert_with(|| {
            vocabulary.push(merged);
            vocabulary.len() - 1
        });
        pairs.merge(&mut words, (left, right), piece);
    }
    vocabulary
}

fn continuation_of(piece: &str) -> &str {
    piece.strip_prefix(CONTINUATION).unwrap_or(piece)
}

/// The first-of-word and later forms of the characters.
fn alphabet(words: &BTreeMap<String, u64>, room: usize) -> Vec<String> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for (word, count) in words {
        for piece in characters(word) {
            *counts.entry(piece).or_default() += count;
        }
    }
    let mut pieces: Vec<(u64, String)> = counts.into_iter().map(|(piece, count)| (count, piece)).collect();
    pieces.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    pieces.truncate(room);
    let mut pieces: Vec<String> = pieces.into_iter().map(|(_, piece)| piece).collect();
    pieces.sort();
    pieces
}

fn characters(word: &str) -> impl Iterator<Item = String> + '_ {
    word.chars().enumerate().map(|(position, character)| {
        if position == 0 { character.to_string() } else { format!("{CONTINUATION}{character}") }
    })
}

fn split(word: &str, index: &BTreeMap<String, usize>) -> Option<Vec<usize>> {
    characters(word).map(|piece| index.get(&piece).copied()).collect()
}

/// Counts of neighbouring pairs, the words that hold them, and a heap of candidates that may be out of date.
struct PairTable {
    counts: BTreeMap<Pair, u64>,
    words: BTreeMap<Pair, BTreeSet<usize>>,
    heap: BinaryHeap<Candidate>,
    dirty: BTreeSet<Pair>,
}

impl PairTable {
    fn of(words: &[Word]) -> Self {
        let mut table =
            Self { counts: BTreeMap::new(), words: BTreeMap::new(), heap: BinaryHeap::new(), dirty: BTreeSet::new() };
        for (position, word) in words.iter().enumerate() {
            table.add(word, position);
        }
        table
    }

    fn add(&mut self, word: &Word, position: usize) {
        for pair in neighbours(&word.pieces) {
            *self.counts.entry(pair).or_default() += word.count;
            self.words.entry(pair).or_default().insert(position);
            self.dirty.insert(pair);
        }
    }

    fn remove(&mut self, word: &Word, position: usize) {
        for pair in neighbours(&word.pieces) {
            if let Some(count) = self.counts.get_mut(&pair) {
                *count -= word.count;
            }
            if let Some(words) = self.words.get_mut(&pair) {
                words.remove(&position);
            }
            self.dirty.insert(pair);
        }
    }

    fn most_frequent(&mut self, vocabulary: &[String]) -> Option<Pair> {
        for pair in std::mem::take(&mut self.dirty) {
            let count = self.counts.get(&pair).copied().unwrap_or(0);
            if count >= MINIMUM_COUNT {
                let names = (vocabulary[pair.0].clone(), vocabulary[pair.1].clone());
                self.heap.push((count, Reverse(names), pair));
            }
        }
        while let Some((count, _, pair)) = self.heap.pop() {
            if self.counts.get(&pair) == Some(&count) {
                return Some(pair);
            }
        }
        None
    }

    fn merge(&mut self, words: &mut [Word], pair: Pair, piece: usize) {
        let holders = self.words.remove(&pair).unwrap_or_default();
        for position in holders {
            let word = &mut words[position];
            self.remove(word, position);
            word.pieces = merged(&word.pieces, pair, piece);
            self.add(word, position);
        }
        self.counts.remove(&pair);
        self.dirty.remove(&pair);
    }
}

fn neighbours(pieces: &[usize]) -> impl Iterator<Item = Pair> + '_ {
    pieces.windows(2).map(|pair| (pair[0], pair[1]))
}

fn merged(pieces: &[usize], pair: Pair, piece: usize) -> Vec<usize> {
    let mut result = Vec::with_capacity(pieces.len());
    let mut position = 0;
    while position < pieces.len() {
        if pieces[position] == pair.0 && pieces.get(position + 1) == Some(&pair.1) {
            result.push(piece);
            position += 2;
        } else {
            result.push(pieces[position]);
            position += 1;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> BTreeMap<String, u64> {
        let mut words = BTreeMap::new();
        for word in text.split_whitespace() {
            *words.entry(word.to_owned()).or_default() += 1;
        }
        words
    }

    #[test]
    fn the_most_frequent_pair_is_merged_first() {
        // By hand: l+##o and ##o+##w occur 5 times each; `##o`+`##w` comes first in the alphabet (`#` before `l`).
        let pieces = learn(&words("low low low lower lower newer"), &["[UNK]"], 100);
        assert_eq!(&pieces[..8], ["[UNK]", "##e", "##o", "##r", "##w", "l", "n", "##ow"]);
        assert_eq!(pieces[8], "low");
        assert!(pieces.contains(&"lower".to_owned()));
        assert!(!pieces.contains(&"newer".to_owned()), "it occurs once");
    }

    #[test]
    fn the_size_is_a_limit() {
        for size in [1, 4, 9] {
            assert_eq!(learn(&words("low low low lower lower newer"), &["[UNK]"], size).len(), size);
        }
    }
}
