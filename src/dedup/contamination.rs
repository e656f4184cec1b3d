//! Texts that share a run of words with what is evaluated on.

use std::collections::HashSet;

use super::hash;
use super::words::for_each_word;

/// The runs of words of the texts that are evaluated on.
///
/// Words are those of the language's `words`, in small letters. A text of fewer words than a run matches as a whole: a
/// record is taken for it when it has the same words and no others. Runs are compared by 64-bit hashes: of 10^9 runs
/// checked against 10^7 one is mistaken for another with a probability below 10^-3. **Memory:** 9 to 18 bytes for each
/// different run.
#[derive(Debug, Clone)]
pub struct Contamination {
    run: usize,
    runs: HashSet<u64>,
    /// Whole texts that are shorter than a run.
    short: HashSet<u64>,
}

impl Contamination {
    /// Nothing is evaluated on yet; runs have so many words.
    pub fn new(run: usize) -> Self {
        Self { run, runs: HashSet::new(), short: HashSet::new() }
    }

    /// Adds a text that is evaluated on. One without a word matches nothing.
    pub fn add(&mut self, text: &str) {
        let words = words_of(text);
        if words.is_empty() {
            return;
        }
        if words.len() < self.run {
            self.short.insert(hash::all(&words));
        } else {
            self.runs.extend(words.windows(self.run).map(hash::all));
        }
    }

    /// Whether a text shares a run with those that are evaluated on, or is one of the short ones.
    pub fn touches(&self, text: &str) -> bool {
        let words = words_of(text);
        if words.len() < self.run {
            return self.short.contains(&hash::all(&words));
        }
        words.windows(self.run).any(|run| self.runs.contains(&hash::all(run)))
    }
}

fn words_of(text: &str) -> Vec<u64> {
    let mut words = Vec::new();
    for_each_word(text, |word, _| words.push(word));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_words_or_a_whole_short_text_is_contamination() {
        let mut evaluated = Contamination::new(4);
        for text in ["Who wrote the book of Job?", "Name a prime.", "?!", ""] {
            evaluated.add(text);
        }
        for (text, touches) in [
            ("they asked: who wrote THE book", true),
            ("who wrote the, book", true),
            ("wrote the book", false),
            ("the book of job", true),
            ("name a prime", true),
            ("name a prime number", false),
            ("now name a prime", false),
            ("", false),
            ("?!", false),
            ("book the wrote who", false),
        ] {
            assert_eq!(evaluated.touches(text), touches, "{text:?}");
        }
    }
}
