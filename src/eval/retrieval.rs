//! Measuring whether a text's vector is nearest to its partner's: each first text is asked for among the partners of the part.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::figures::Figures;
use super::metric::Metric;
use super::results::Scored;

/// Where a text finds its partner.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FoundPartner {
    /// Its place among all different partners by the cosine, from 1. Of equal cosines the others stand first.
    pub rank: u32,
    /// The cosine of both vectors.
    pub similarity: f32,
}

/// The figures of texts that look for their partners.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetrievalFigures {
    /// The share of texts that find theirs at the first place.
    pub recall_at_1: f64,
    /// Among the first ten.
    pub recall_at_10: f64,
    /// The mean of the ranks' inverses.
    pub mrr: f64,
}

/// A figure of texts that look for their partners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetrievalMetric {
    /// Found at the first place.
    RecallAt1,
    /// Found among the first ten.
    RecallAt10,
    /// The mean reciprocal rank.
    Mrr,
}

impl RetrievalMetric {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::RecallAt1, Self::RecallAt10, Self::Mrr];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RecallAt1 => "recall_at_1",
            Self::RecallAt10 => "recall_at_10",
            Self::Mrr => "mrr",
        }
    }

    /// The one of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.name() == name)
    }
}

impl RetrievalFigures {
    /// One of the figures.
    #[must_use]
    pub fn get(&self, metric: RetrievalMetric) -> f64 {
        match metric {
            RetrievalMetric::RecallAt1 => self.recall_at_1,
            RetrievalMetric::RecallAt10 => self.recall_at_10,
            RetrievalMetric::Mrr => self.mrr,
        }
    }
}

impl Scored for FoundPartner {
    fn metrics() -> Vec<Metric> {
        RetrievalMetric::ALL.into_iter().map(Metric::Retrieval).collect()
    }

    /// A record that never reached the model has found nothing.
    fn figures(results: &[Option<&Self>], times: &[u32]) -> Figures {
        let records: u64 = times.iter().copied().map(u64::from).sum();
        let mean = |of: fn(u32) -> f64| {
            let found = results.iter().zip(times).filter_map(|(result, times)| Some((result.as_ref()?, times)));
            found.map(|(result, times)| of(result.rank) * f64::from(*times)).sum::<f64>() / records as f64
        };
        let retrieval = RetrievalFigures {
            recall_at_1: mean(|rank| f64::from(u8::from(rank <= 1))),
            recall_at_10: mean(|rank| f64::from(u8::from(rank <= 10))),
            mrr: mean(|rank| 1.0 / f64::from(rank)),
        };
        let reached = results.iter().zip(times).any(|(result, times)| result.is_some() && *times > 0);
        Figures { records, retrieval: reached.then_some(retrieval), ..Figures::default() }
    }

    fn is_right(metric: &Metric, result: Option<&Self>) -> Option<bool> {
        let within = |first: u32| Some(result.is_some_and(|result| result.rank <= first));
        match metric {
            Metric::Retrieval(RetrievalMetric::RecallAt1) => within(1),
            Metric::Retrieval(RetrievalMetric::RecallAt10) => within(10),
            _ => None,
        }
    }

    fn has_truth_of(&self, _: &Self) -> bool {
        true
    }
}

/// A vector of norm 1; of zeros it stays one of zeros.
#[must_use]
pub fn unit(vector: &[f32]) -> Vec<f32> {
    let norm = vector.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt().max(1e-12);
    vector.iter().map(|value| (f64::from(*value) / norm) as f32).collect()
}

/// The product of two vectors, which of vectors of norm 1 is their cosine.
#[must_use]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>() as f32
}

/// Where each of the first vectors, all of norm 1, finds its partner among the partners of different texts. `texts` tells
/// texts apart: that of each first one and that of its partner. A partner that another record gives the same text is no
/// wrong one.
#[must_use]
pub fn found_partners(firsts: &[Vec<f32>], partners: &[Vec<f32>], texts: &[(u64, u64)]) -> Vec<FoundPartner> {
    let mut seen = std::collections::BTreeSet::new();
    let candidates: Vec<usize> = (0..partners.len()).filter(|at| seen.insert(texts[*at].1)).collect();
    let mut own: std::collections::HashMap<u64, Vec<u64>> = std::collections::HashMap::new();
    for (text, partner) in texts {
        own.entry(*text).or_default().push(*partner);
    }
    let find = |(at, first): (usize, &Vec<f32>)| {
        let similarity = dot(first, &partners[at]);
        let (text, _) = texts[at];
        let others = candidates.iter().filter(|other| !own[&text].contains(&texts[**other].1));
        let nearer = others.filter(|other| dot(first, &partners[**other]).total_cmp(&similarity) != Ordering::Less);
        FoundPartner { rank: nearer.count() as u32 + 1, similarity }
    };
    firsts.iter().enumerate().map(find).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partners_are_ranked_among_those_of_other_texts() {
        let at = |degrees: f32| vec![degrees.to_radians().cos(), degrees.to_radians().sin()];
        let firsts = [at(0.0), at(90.0), at(0.0), at(80.0)];
        let partners = [at(10.0), at(20.0), at(60.0), at(20.0)];
        // The first and the third are one text; the second and the fourth have one partner.
        let found = found_partners(&firsts, &partners, &[(1, 10), (2, 20), (1, 30), (4, 20)]);
        assert_eq!(found.iter().map(|found| found.rank).collect::<Vec<_>>(), [1, 2, 2, 2]);
        assert!((found[0].similarity - 10.0_f32.to_radians().cos()).abs() < 1e-6);
        let results: Vec<Option<&FoundPartner>> = found.iter().map(Some).chain([None]).collect();
        let figures = FoundPartner::figures(&results, &[1; 5]).retrieval.expect("figures");
        assert!((figures.recall_at_1 - 0.2).abs() < 1e-12 && (figures.recall_at_10 - 0.8).abs() < 1e-12);
        assert!((figures.mrr - (1.0 + 3.0 * 0.5) / 5.0).abs() < 1e-12);
        assert_eq!(unit(&[0.0, 0.0]), [0.0, 0.0]);
    }
}
