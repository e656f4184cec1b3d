//! The figures of generated texts: what each is worth beside its reference, and what all of them are worth together.

use serde::{Deserialize, Serialize};

use super::bleu::BleuCounts;
use super::chrf::{Chrf, ChrfCounts};
use super::exact_match::{Matching, exact_match};
use super::rouge::Rouge;

/// A figure of generated texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextMetric {
    /// The share that is the reference.
    ExactMatch,
    /// The share that is the reference after SQuAD's normalization.
    SquadMatch,
    /// BLEU of all.
    Bleu,
    /// chrF of all.
    Chrf,
    /// chrF++ of all.
    ChrfPlusPlus,
    /// The mean F1 of tokens.
    Rouge1,
    /// The mean F1 of pairs of tokens.
    Rouge2,
    /// The mean F1 of the longest common subsequence.
    RougeL,
    /// The mean F1 of the lines' longest common subsequences.
    RougeLsum,
}

impl TextMetric {
    /// Every one, in the order to show.
    pub const ALL: [Self; 9] = [
        Self::ExactMatch,
        Self::SquadMatch,
        Self::Bleu,
        Self::Chrf,
        Self::ChrfPlusPlus,
        Self::Rouge1,
        Self::Rouge2,
        Self::RougeL,
        Self::RougeLsum,
    ];

    /// Its name in `report` and `require`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.forms()[0]
    }

    /// The names that it has in `require`: its own alone.
    #[must_use]
    pub const fn forms(self) -> &'static [&'static str] {
        match self {
            Self::ExactMatch => &["exact_match"],
            Self::SquadMatch => &["squad_match"],
            Self::Bleu => &["bleu"],
            Self::Chrf => &["chrf"],
            Self::ChrfPlusPlus => &["chrf_plus_plus"],
            Self::Rouge1 => &["rouge1"],
            Self::Rouge2 => &["rouge2"],
            Self::RougeL => &["rouge_l"],
            Self::RougeLsum => &["rouge_lsum"],
        }
    }

    /// The metric of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.name() == name)
    }

    /// What its definition is that of, as the library's own signature says it.
    #[must_use]
    pub const fn definition(self) -> &'static str {
        match self {
            Self::ExactMatch => "equal but for whitespace at either end",
            Self::SquadMatch => "equal after SQuAD 1.1's normalization",
            Self::Bleu => "sacrebleu, nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp",
            Self::Chrf => "sacrebleu, nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no",
            Self::ChrfPlusPlus => "sacrebleu, nrefs:1|case:mixed|eff:yes|nc:6|nw:2|space:no",
            Self::Rouge1 => "rouge-score, rouge1, use_stemmer=False, mean F1",
            Self::Rouge2 => "rouge-score, rouge2, use_stemmer=False, mean F1",
            Self::RougeL => "rouge-score, rougeL, use_stemmer=False, mean F1",
            Self::RougeLsum => "rouge-score, rougeLsum, use_stemmer=False, mean F1",
        }
    }
}

/// What a generated text is worth beside its reference.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TextScores {
    /// Whether it is the reference.
    pub exact_match: bool,
    /// Whether it is the reference after SQuAD's normalization.
    pub squad_match: bool,
    /// Its counts for BLEU.
    pub bleu: BleuCounts,
    /// Its counts for chrF.
    pub chrf: ChrfCounts,
    /// Its counts for chrF++.
    pub chrf_plus_plus: ChrfCounts,
    /// The F1 of ROUGE-1, ROUGE-2, ROUGE-L and ROUGE-Lsum.
    pub rouge: [f64; 4],
}

impl TextScores {
    /// The scores of a text.
    #[must_use]
    pub fn of(text: &str, references: &[&str]) -> Self {
        let Rouge { rouge1, rouge2, rouge_l, rouge_lsum } = Rouge::of(text, references);
        Self {
            exact_match: exact_match(text, references, Matching::Plain),
            squad_match: exact_match(text, references, Matching::Squad),
            bleu: BleuCounts::of(text, references),
            chrf: ChrfCounts::of(text, references, Chrf::Characters),
            chrf_plus_plus: ChrfCounts::of(text, references, Chrf::WithWords),
            rouge: [rouge1, rouge2, rouge_l, rouge_lsum].map(|scores| scores.f1),
        }
    }
}

/// The scores of texts added up.
#[derive(Debug, Clone, Default)]
pub struct TextSums {
    records: u64,
    /// Those of them that were generated.
    generated: u64,
    exact_matches: u64,
    squad_matches: u64,
    bleu: BleuCounts,
    chrf: ChrfCounts,
    chrf_plus_plus: ChrfCounts,
    rouge: [f64; 4],
}

impl TextSums {
    /// Adds a record `times` over; `None` is one that never reached the model.
    pub fn add(&mut self, scores: Option<&TextScores>, times: u64) {
        self.records += times;
        let Some(scores) = scores else { return };
        self.generated += times;
        self.exact_matches += u64::from(scores.exact_match) * times;
        self.squad_matches += u64::from(scores.squad_match) * times;
        self.bleu.add(&scores.bleu, times);
        self.chrf.add(&scores.chrf, times);
        self.chrf_plus_plus.add(&scores.chrf_plus_plus, times);
        for (sum, f1) in self.rouge.iter_mut().zip(scores.rouge) {
            *sum += f1 * times as f64;
        }
    }

    /// The figures. A record that never reached the model is worth nothing: the mean figures count it as 0, and those
    /// over all texts at once are lowered by the share of such records.
    #[must_use]
    pub fn figures(&self) -> TextFigures {
        let records = self.records.max(1) as f64;
        let reached = self.generated as f64 / records;
        let [rouge1, rouge2, rouge_l, rouge_lsum] = self.rouge.map(|sum| sum / records);
        TextFigures([
            self.exact_matches as f64 / records,
            self.squad_matches as f64 / records,
            self.bleu.corpus_score() * reached,
            self.chrf.score() * reached,
            self.chrf_plus_plus.score() * reached,
            rouge1,
            rouge2,
            rouge_l,
            rouge_lsum,
        ])
    }
}

/// The figures of generated texts, in the order of [`TextMetric::ALL`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TextFigures([f64; 9]);

impl TextFigures {
    /// One of them.
    #[must_use]
    pub fn get(&self, metric: TextMetric) -> f64 {
        self.0[metric as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_never_reached_the_model_lowers_every_figure() {
        let mut sums = TextSums::default();
        let text = "the chain of the bicycle was replaced";
        sums.add(Some(&TextScores::of(text, &[text])), 3);
        for metric in TextMetric::ALL {
            let best = sums.figures().get(metric);
            assert!([1.0, 100.0].iter().any(|full| (best - full).abs() < 1e-9), "{}: {best}", metric.name());
        }
        let before = sums.figures();
        sums.add(None, 1);
        for metric in TextMetric::ALL {
            let (found, expected) = (sums.figures().get(metric), before.get(metric) * 0.75);
            assert!((found - expected).abs() < 1e-9, "{}", metric.name());
        }
    }
}
