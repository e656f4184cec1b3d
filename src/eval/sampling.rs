//! Choosing the next token of a text from a model's logits.

use crate::train::argmax;

/// How tokens are drawn at random. The steps are those of the field in their order: the temperature, then the `top_k` most
/// probable tokens, then the fewest of those that have at least `top_p` of their probability.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampling {
    /// What the logits are divided by; below 1 the probable becomes more probable.
    pub temperature: f64,
    /// The number of tokens that are drawn from; all without one.
    pub top_k: Option<usize>,
    /// The share of the probability that is drawn from, above 0, at most 1.
    pub top_p: f64,
    /// Keys the draws, with the record's id and the token's place.
    pub seed: u64,
}

/// The next token: the most probable one, of equals the first, or one that is drawn. A draw is keyed by the seed, the
/// record and the token's place behind the prompt, so that no other record and no thread has a part in it.
pub(super) fn next_token(logits: &[f32], sampling: Option<&Sampling>, id: &str, place: usize) -> Option<u32> {
    let chosen = match sampling {
        None => argmax(logits),
        Some(sampling) => draw(logits, sampling, uniform(sampling.seed, id, place)),
    };
    chosen.map(|token| u32::try_from(token).expect("a vocabulary has fewer than 2^32 tokens"))
}

/// A number between 0 and 1.
fn uniform(seed: u64, id: &str, place: usize) -> f64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"annotc generation ").update(&seed.to_le_bytes()).update(&(place as u64).to_le_bytes());
    let hash = hasher.update(id.as_bytes()).finalize();
    let bits = u64::from_le_bytes(*hash.as_bytes().first_chunk().expect("a hash has 32 bytes"));
    // The upper 53 bits are a number that a float holds exactly.
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

fn draw(logits: &[f32], sampling: &Sampling, uniform: f64) -> Option<usize> {
    let mut order: Vec<usize> = (0..logits.len()).collect();
    order.sort_by(|a, b| logits[*b].total_cmp(&logits[*a]).then(a.cmp(b)));
    order.truncate(sampling.top_k.unwrap_or(order.len()).max(1));
    let peak = f64::from(logits[*order.first()?]);
    let weight = |token: &usize| ((f64::from(logits[*token]) - peak) / sampling.temperature).exp();
    let mut weights: Vec<f64> = order.iter().map(weight).collect();
    let wanted = weights.iter().sum::<f64>() * sampling.top_p;
    let mut below = 0.0;
    let kept = weights.iter().position(|weight| {
        below += weight;
        below >= wanted
    });
    weights.truncate(kept.map_or(weights.len(), |last| last + 1));
    let mut left = uniform * weights.iter().sum::<f64>();
    let drawn = weights.iter().position(|weight| {
        left -= weight;
        left < 0.0
    });
    // What rounding leaves over falls to the last.
    order.get(drawn.unwrap_or(weights.len() - 1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGITS: [f32; 4] = [1.0, 3.0, 2.0, 3.0];

    fn shares(sampling: &Sampling) -> [f64; 4] {
        let mut counts = [0.0; 4];
        for place in 0..4000 {
            let token = next_token(&LOGITS, Some(sampling), "record", place).expect("there are logits");
            counts[token as usize] += 1.0 / 4000.0;
        }
        counts
    }

    fn check(sampling: Sampling, expected: [f64; 4]) {
        for (found, expected) in shares(&sampling).into_iter().zip(expected) {
            assert!((found - expected).abs() < 0.03, "{found} is not {expected}: {sampling:?}");
            assert!(expected > 0.0 || found == 0.0);
        }
    }

    #[test]
    fn draws_have_the_probabilities_that_are_asked_for() {
        let all = Sampling { temperature: 1.0, top_k: None, top_p: 1.0, seed: 7 };
        let softmax = |temperature: f64, of: [bool; 4]| {
            let weights: Vec<f64> = (0..4)
                .map(|token| if of[token] { (f64::from(LOGITS[token]) / temperature).exp() } else { 0.0 })
                .collect();
            let total: f64 = weights.iter().sum();
            [0, 1, 2, 3].map(|token: usize| weights[token] / total)
        };
        check(all.clone(), softmax(1.0, [true; 4]));
        check(Sampling { temperature: 2.0, ..all.clone() }, softmax(2.0, [true; 4]));
        check(Sampling { top_k: Some(3), ..all.clone() }, softmax(1.0, [false, true, true, true]));
        // The two best have 0.80 of the probability, the third brings it to 0.94.
        check(Sampling { top_p: 0.79, ..all.clone() }, softmax(1.0, [false, true, false, true]));
        check(Sampling { top_p: 0.81, ..all.clone() }, softmax(1.0, [false, true, true, true]));
        check(Sampling { top_k: Some(1), ..all }, [0.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn a_draw_is_the_records_own() {
        let drawn = |seed: u64, id: &str| -> Vec<Option<u32>> {
            let sampling = Sampling { temperature: 1.0, top_k: None, top_p: 1.0, seed };
            (0..40).map(|place| next_token(&LOGITS, Some(&sampling), id, place)).collect()
        };
        assert_eq!(drawn(7, "a"), drawn(7, "a"));
        assert_ne!(drawn(7, "a"), drawn(7, "b"));
        assert_ne!(drawn(7, "a"), drawn(8, "a"));
        assert_eq!(next_token(&LOGITS, None, "a", 0), Some(1));
        assert_eq!(next_token(&[], None, "a", 0), None);
    }
}
