use proptest::prelude::*;

use super::*;
use crate::dedup::union_find::UnionFind;

/// The representatives that comparing every pair gives.
fn by_every_pair(texts: &[String], threshold: f64) -> Vec<usize> {
    let mut sets = UnionFind::new(texts.len());
    for a in 0..texts.len() {
        for b in a + 1..texts.len() {
            if text_similarity(&texts[a], &texts[b], Shingle::DEFAULT) >= threshold {
                sets.union(a as u32, b as u32);
            }
        }
    }
    sets.roots().into_iter().map(|root| root as usize).collect()
}

fn scheme(threshold: f64) -> Scheme {
    Scheme::new(Threshold::new(threshold).expect("the tests use thresholds of the range"))
}

fn representatives(texts: &[String], threshold: f64) -> Vec<usize> {
    let clusters = clusters(texts.iter().map(String::as_str), scheme(threshold));
    (0..clusters.len()).map(|index| clusters.representative(index)).collect()
}

/// Numbers without a pattern that any test needs, the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(1);
        (crate::dedup::hash::mix(self.0) % bound as u64) as usize
    }
}

/// Texts of `words` words over a large vocabulary, some of them changed copies of an earlier one.
fn corpus(seed: u64, texts: usize, words: usize, changes: usize) -> Vec<String> {
    let mut numbers = Numbers(seed << 32);
    let mut corpus: Vec<Vec<String>> = Vec::new();
    for _ in 0..texts {
        let copied = !corpus.is_empty() && numbers.below(2) == 0;
        let mut text: Vec<String> = if copied {
            corpus[numbers.below(corpus.len())].clone()
        } else {
            (0..words).map(|_| format!("w{}", numbers.below(5000))).collect()
        };
        for _ in 0..if copied { numbers.below(changes + 1) } else { 0 } {
            let at = numbers.below(text.len());
            text[at] = format!("x{}", numbers.below(5000));
        }
        corpus.push(text);
    }
    corpus.iter().map(|text| text.join(" ")).collect()
}

#[test]
fn short_and_equal_texts() {
    let texts = ["", "card", "Where is my card", "?!", "card!", "where is my card??", "", "Where is my", "?!"];
    let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
    assert_eq!(representatives(&texts, 0.85), [0, 1, 2, 3, 1, 2, 0, 7, 3]);
    assert_eq!(representatives(&[], 0.85), [0_usize; 0]);
}

#[test]
fn the_first_text_represents_its_cluster() {
    let long = |last: &str| format!("{} {last}", (0..40).map(|i| format!("word{i}")).collect::<Vec<_>>().join(" "));
    let texts = [long("a"), "something else altogether that is not alike".to_owned(), long("b"), long("a")];
    let clusters = clusters(texts.iter().map(String::as_str), scheme(0.9));
    let duplicates: Vec<_> = clusters.duplicates().map(|one| (one.index, one.of, one.similarity)).collect();
    assert_eq!(duplicates, [(2, 0, 36.0 / 38.0), (3, 0, 1.0)]);
    assert_eq!((clusters.len(), clusters.is_empty()), (4, false));
}

#[test]
fn thresholds_are_shares() {
    for (similarity, valid) in
        [(0.0, false), (0.01, true), (1.0, true), (1.01, false), (-1.0, false), (f64::NAN, false)]
    {
        assert_eq!(Threshold::new(similarity).is_some(), valid, "{similarity}");
    }
}

/// Of the pairs whose similarity is at the threshold or up to 0.05 above, the share that ends in one cluster.
#[test]
fn the_recall_of_pairs_at_the_threshold() {
    let mut numbers = Numbers(1);
    for similarity in [0.5, 0.7, 0.85, 0.95] {
        let scheme = scheme(similarity);
        let (mut pairs, mut joined) = (0, 0);
        while pairs < 400 {
            let text: Vec<String> = (0..60 + numbers.below(150)).map(|_| format!("w{}", numbers.below(5000))).collect();
            let mut copy = text.clone();
            for _ in 0..1 + numbers.below(8) {
                let at = numbers.below(copy.len());
                copy[at] = format!("x{}", numbers.below(5000));
            }
            let (text, copy) = (text.join(" "), copy.join(" "));
            if (similarity..similarity + 0.05).contains(&text_similarity(&text, &copy, Shingle::DEFAULT)) {
                pairs += 1;
                joined += clusters([text.as_str(), copy.as_str()], scheme).duplicates().count();
            }
        }
        let recall = joined as f64 / f64::from(pairs);
        println!("threshold {similarity}: recall {recall:.4} of {pairs} pairs");
        assert!(recall >= 0.95, "{similarity}: {recall}");
    }
}

/// A bucket that overflows still joins texts that are all alike.
#[test]
fn very_many_variants_of_one_text_are_one_cluster() {
    let body = (0..120).map(|i| format!("word{i}")).collect::<Vec<_>>().join(" ");
    let texts: Vec<String> = (0..2000).map(|i| format!("{body} variant{i}")).collect();
    assert!(representatives(&texts, 0.85).iter().all(|&of| of == 0));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever is joined, comparing every pair joins as well.
    #[test]
    fn nothing_is_joined_that_is_not_near(seed in any::<u32>(), percent in 1_u32..=100, changes in 0_usize..12) {
        let texts = corpus(u64::from(seed), 24, 30, changes);
        let threshold = f64::from(percent) / 100.0;
        let (found, truth) = (representatives(&texts, threshold), by_every_pair(&texts, threshold));
        for (index, &of) in found.iter().enumerate() {
            prop_assert!(of <= index);
            prop_assert_eq!(truth[of], truth[index]);
        }
    }

    #[test]
    fn any_texts_are_clustered(texts in prop::collection::vec(any::<String>(), 0..6)) {
        let found = representatives(&texts, 0.85);
        prop_assert_eq!(found.len(), texts.len());
    }
}
