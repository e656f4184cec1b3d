//! The names of metrics: one table, from which the reference page and `require` are read.

use std::fmt;

use super::generation::TextMetric;
use super::regression::NumberMetric;
use super::retrieval::RetrievalMetric;

/// A row of the table: a family of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricRow {
    /// The name in `report`.
    pub name: &'static str,
    /// What may follow it in `require`.
    pub forms: &'static [&'static str],
    /// One sentence for the reference.
    pub docs: &'static str,
    /// Whose definition it has, for its signature.
    pub definition: &'static str,
    /// Whether `report` knows it and `require` does not.
    pub report_only: bool,
}

/// Every metric.
pub const METRICS: &[MetricRow] = &[
    MetricRow {
        name: "accuracy",
        forms: &["accuracy"],
        docs: "The share of records whose prediction is right, of a label of several values exactly right; a record that \
               never reached the model counts as wrong. Of preferences: the share of pairs whose chosen answer has become \
               more probable against the rejected one than it was, which Rafailov et al. 2023 call the reward accuracy.",
        definition: "scikit-learn",
        report_only: false,
    },
    MetricRow {
        name: "precision",
        forms: &["precision.micro", "precision.macro", "precision.weighted", "precision.samples", "precision[VALUE]"],
        docs: "TP / (TP + FP): how many of the records that were given a value have it. 0 where it was never given.",
        definition: "scikit-learn, zero_division=0",
        report_only: false,
    },
    MetricRow {
        name: "recall",
        forms: &["recall.micro", "recall.macro", "recall.weighted", "recall.samples", "recall[VALUE]"],
        docs: "TP / (TP + FN): how many of the records that have a value were given it. 0 where no record has it.",
        definition: "scikit-learn, zero_division=0",
        report_only: false,
    },
    MetricRow {
        name: "f1",
        forms: &["f1.micro", "f1.macro", "f1.weighted", "f1.samples", "f1[VALUE]"],
        docs: "2TP / (2TP + FP + FN), the harmonic mean of precision and recall; `macro` is the mean over the values \
               that occur as true or as predicted, of a label of several values over all that it has; `weighted` weighs them by \
               support, `micro` sums the counts first. `samples`, of a label of several values, is the mean of each record's own.",
        definition: "scikit-learn, zero_division=0",
        report_only: false,
    },
    strict_metric(
        "strict_precision",
        &["strict_precision.micro", "strict_precision.macro", "strict_precision.weighted", "strict_precision[VALUE]"],
        "Of spans: precision where a predicted span counts only if its tags keep to their scheme. One that begins with `I-` \
         is none.",
    ),
    strict_metric(
        "strict_recall",
        &["strict_recall.micro", "strict_recall.macro", "strict_recall.weighted", "strict_recall[VALUE]"],
        "Recall of the same spans.",
    ),
    strict_metric(
        "strict_f1",
        &["strict_f1.micro", "strict_f1.macro", "strict_f1.weighted", "strict_f1[VALUE]"],
        "F1 of the same spans.",
    ),
    MetricRow {
        name: "jaccard",
        forms: &["jaccard.micro", "jaccard.macro", "jaccard.weighted", "jaccard.samples", "jaccard[VALUE]"],
        docs: "Of a label of several values: TP / (TP + FP + FN), what is right of all that is true or predicted.",
        definition: "scikit-learn, zero_division=0",
        report_only: false,
    },
    MetricRow {
        name: "hamming_loss",
        forms: &["hamming_loss"],
        docs: "Of a label of several values: the share of all pairs of a record and a value that are wrong.",
        definition: "scikit-learn",
        report_only: false,
    },
    MetricRow {
        name: "confusion",
        forms: &[],
        docs: "How many records of each true value were given each value.",
        definition: "scikit-learn",
        report_only: true,
    },
    MetricRow {
        name: "ece",
        forms: &["ece"],
        docs: "The expected calibration error: the mean difference between how often a prediction is right and its \
               probability, over 15 bins of equal width; records without a prediction have no probability and are left \
               out.",
        definition: "Guo et al. 2017, 15 bins (low, high]",
        report_only: false,
    },
    MetricRow {
        name: "loss",
        forms: &["loss"],
        docs: "What the run minimized, without smoothing and weights: the mean cross-entropy in nats for each record of a \
               classification, each word of a tagger and each trained token of a generation, the mean squared error of a \
               regression, the mean −log σ(margin) of preferences.",
        definition: "natural logarithm; of a regression the mean squared error",
        report_only: false,
    },
    MetricRow {
        name: "perplexity",
        forms: &["perplexity"],
        docs: "exp of the mean cross-entropy of the tokens that are learnt.",
        definition: "exp of the mean loss of the learnt tokens",
        report_only: false,
    },
    MetricRow {
        name: "margin",
        forms: &["margin"],
        docs: "How much more the chosen answer has gained than the rejected one, in the mean: β times the difference of the \
               gains of their log-probabilities.",
        definition: "the reward margin of Rafailov et al. 2023",
        report_only: false,
    },
    retrieval_metric(
        RetrievalMetric::RecallAt1,
        &["recall_at_1"],
        "The share of texts whose partner is nearest among the different partners of the part, by the cosine; one that \
         belongs to an equal text is none of the others.",
    ),
    retrieval_metric(RetrievalMetric::RecallAt10, &["recall_at_10"], "The same among the ten nearest."),
    retrieval_metric(RetrievalMetric::Mrr, &["mrr"], "The mean of the inverse ranks of the partners."),
    number_metric(NumberMetric::Mae, &["mae"], "The mean absolute error.", "scikit-learn"),
    number_metric(NumberMetric::Mse, &["mse"], "The mean squared error.", "scikit-learn"),
    number_metric(NumberMetric::Rmse, &["rmse"], "The root of the mean squared error.", "scikit-learn"),
    number_metric(
        NumberMetric::R2,
        &["r2"],
        "The coefficient of determination: 1 for a perfect prediction, 0 for one no better than the mean of the true values.",
        "scikit-learn, force_finite",
    ),
    number_metric(NumberMetric::Pearson, &["pearson"], "Pearson's correlation of true and predicted numbers.", "scipy"),
    number_metric(NumberMetric::Spearman, &["spearman"], "Spearman's correlation: Pearson's of the ranks.", "scipy"),
    text_metric(
        TextMetric::ExactMatch,
        "The share of answers that are the reference, character by character but for whitespace at either end.",
    ),
    text_metric(
        TextMetric::SquadMatch,
        "The same after SQuAD's normalization: in lower case, without ASCII punctuation and the words `a`, `an`, `the`, \
         with single spaces.",
    ),
    text_metric(
        TextMetric::Bleu,
        "BLEU of all answers, 0 to 100, as sacrebleu has it: tokenizer `13a`, case kept, exponential smoothing.",
    ),
    text_metric(TextMetric::Chrf, "chrF of all answers, 0 to 100, as sacrebleu has it: `nc:6`, `nw:0`, β 2."),
    text_metric(TextMetric::ChrfPlusPlus, "chrF++ of all answers, 0 to 100, as sacrebleu has it: `nc:6`, `nw:2`, β 2."),
    text_metric(
        TextMetric::Rouge1,
        "The mean F1 of the tokens that an answer and its reference share, as rouge-score has it without a stemmer.",
    ),
    text_metric(TextMetric::Rouge2, "The same of pairs of tokens."),
    text_metric(TextMetric::RougeL, "The same of their longest common subsequence."),
    text_metric(TextMetric::RougeLsum, "The same of the union of their lines' longest common subsequences."),
];

/// A row of a figure of spans whose tags keep to their scheme.
const fn strict_metric(name: &'static str, forms: &'static [&'static str], docs: &'static str) -> MetricRow {
    let definition = "seqeval, mode='strict', scheme=IOB2, or IOBES where the model's tags are";
    MetricRow { name, forms, docs, definition, report_only: false }
}

/// A row of a figure of generated texts, which is one number.
const fn text_metric(metric: TextMetric, docs: &'static str) -> MetricRow {
    MetricRow { name: metric.name(), forms: metric.forms(), docs, definition: metric.definition(), report_only: false }
}

/// A row of a figure of predicted numbers.
const fn number_metric(
    metric: NumberMetric,
    forms: &'static [&'static str],
    docs: &'static str,
    definition: &'static str,
) -> MetricRow {
    MetricRow { name: metric.name(), forms, docs, definition, report_only: false }
}

/// A row of a figure of texts that look for their partners.
const fn retrieval_metric(metric: RetrievalMetric, forms: &'static [&'static str], docs: &'static str) -> MetricRow {
    MetricRow { name: metric.name(), forms, docs, definition: "cosine, all partners of the part", report_only: false }
}

/// How the values' scores become one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Average {
    /// The counts are summed first.
    Micro,
    /// The mean over the values that occur; of a label of several values over all that it has.
    Macro,
    /// The mean, weighted by support.
    Weighted,
    /// Of a label of several values: the mean of each record's own.
    Samples,
    /// One value's own score, by the value's name.
    Value(String),
}

/// One figure, named in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Metric {
    /// Right over all.
    Accuracy,
    /// TP / (TP + FP).
    Precision(Average),
    /// TP / (TP + FN).
    Recall(Average),
    /// 2TP / (2TP + FP + FN).
    F1(Average),
    /// Precision of the spans whose tags keep to their scheme.
    StrictPrecision(Average),
    /// Recall of these.
    StrictRecall(Average),
    /// F1 of these.
    StrictF1(Average),
    /// TP / (TP + FP + FN).
    Jaccard(Average),
    /// Wrong pairs of a record and a value.
    HammingLoss,
    /// Expected calibration error.
    Ece,
    /// Mean cross-entropy.
    Loss,
    /// exp of the mean cross-entropy.
    Perplexity,
    /// The reward margin of preferences.
    Margin,
    /// Of texts that look for their partners.
    Retrieval(RetrievalMetric),
    /// Of predicted numbers.
    Number(NumberMetric),
    /// Of generated texts.
    Text(TextMetric),
}

impl Metric {
    /// Reads `accuracy`, `f1.macro`, `recall[refund]`; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "accuracy" => return Some(Self::Accuracy),
            "loss" => return Some(Self::Loss),
            "perplexity" => return Some(Self::Perplexity),
            "ece" => return Some(Self::Ece),
            "hamming_loss" => return Some(Self::HammingLoss),
            "margin" => return Some(Self::Margin),
            _ => {}
        }
        if let Some(metric) = RetrievalMetric::parse(text) {
            return Some(Self::Retrieval(metric));
        }
        if let Some(metric) = NumberMetric::parse(text) {
            return Some(Self::Number(metric));
        }
        if let Some(metric) = TextMetric::parse(text) {
            return Some(Self::Text(metric));
        }
        if let Some((family, value)) = text.strip_suffix(']').and_then(|text| text.split_once('[')) {
            let average = Average::Value(value.to_owned());
            return if value.is_empty() { None } else { Self::of_family(family, average) };
        }
        let (family, average) = text.split_once('.')?;
        let average = match average {
            "micro" => Average::Micro,
            "macro" => Average::Macro,
            "weighted" => Average::Weighted,
            "samples" => Average::Samples,
            _ => return None,
        };
        Self::of_family(family, average)
    }

    /// The one of a family that is a number for each value.
    #[must_use]
    pub fn of_family(family: &str, average: Average) -> Option<Self> {
        match family {
            "precision" => Some(Self::Precision(average)),
            "recall" => Some(Self::Recall(average)),
            "f1" => Some(Self::F1(average)),
            "strict_precision" => Some(Self::StrictPrecision(average)),
            "strict_recall" => Some(Self::StrictRecall(average)),
            "strict_f1" => Some(Self::StrictF1(average)),
            "jaccard" => Some(Self::Jaccard(average)),
            _ => None,
        }
    }

    /// Whether a record that never reached the model counts in the figure, as wrong or as not found; else it is left out.
    #[must_use]
    pub fn counts_missing(&self) -> bool {
        match self {
            Self::Accuracy | Self::Precision(_) | Self::Recall(_) | Self::F1(_) => true,
            Self::StrictPrecision(_) | Self::StrictRecall(_) | Self::StrictF1(_) => true,
            Self::Jaccard(_) | Self::HammingLoss | Self::Text(_) | Self::Retrieval(_) => true,
            Self::Ece | Self::Loss | Self::Perplexity | Self::Margin | Self::Number(_) => false,
        }
    }

    /// Whether the figure belongs to a family whose averages are taken over the values that the signature names.
    #[must_use]
    pub fn averages_values(&self) -> bool {
        match self {
            Self::Precision(_) | Self::Recall(_) | Self::F1(_) | Self::Jaccard(_) => true,
            // Their definition is seqeval's, and says it.
            Self::StrictPrecision(_) | Self::StrictRecall(_) | Self::StrictF1(_) => false,
            Self::Accuracy | Self::HammingLoss | Self::Ece | Self::Loss | Self::Perplexity | Self::Margin => false,
            Self::Retrieval(_) | Self::Number(_) | Self::Text(_) => false,
        }
    }

    /// Whether more is better.
    #[must_use]
    pub fn higher_is_better(&self) -> bool {
        match self {
            Self::Accuracy | Self::Precision(_) | Self::Recall(_) | Self::F1(_) => true,
            Self::StrictPrecision(_) | Self::StrictRecall(_) | Self::StrictF1(_) => true,
            Self::Jaccard(_) | Self::Text(_) | Self::Margin | Self::Retrieval(_) => true,
            Self::HammingLoss | Self::Ece | Self::Loss | Self::Perplexity => false,
            Self::Number(metric) => metric.higher_is_better(),
        }
    }
}

impl fmt::Display for Average {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Micro => f.write_str(".micro"),
            Self::Macro => f.write_str(".macro"),
            Self::Weighted => f.write_str(".weighted"),
            Self::Samples => f.write_str(".samples"),
            Self::Value(value) => write!(f, "[{value}]"),
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accuracy => f.write_str("accuracy"),
            Self::Precision(average) => write!(f, "precision{average}"),
            Self::Recall(average) => write!(f, "recall{average}"),
            Self::F1(average) => write!(f, "f1{average}"),
            Self::StrictPrecision(average) => write!(f, "strict_precision{average}"),
            Self::StrictRecall(average) => write!(f, "strict_recall{average}"),
            Self::StrictF1(average) => write!(f, "strict_f1{average}"),
            Self::Jaccard(average) => write!(f, "jaccard{average}"),
            Self::HammingLoss => f.write_str("hamming_loss"),
            Self::Loss => f.write_str("loss"),
            Self::Perplexity => f.write_str("perplexity"),
            Self::Ece => f.write_str("ece"),
            Self::Margin => f.write_str("margin"),
            Self::Retrieval(metric) => f.write_str(metric.name()),
            Self::Number(metric) => f.write_str(metric.name()),
            Self::Text(metric) => f.write_str(metric.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written_alike() {
        for row in METRICS {
            for form in row.forms {
                let metric = Metric::parse(form).unwrap_or_else(|| panic!("{form} is a metric's name"));
                assert_eq!(metric.to_string(), *form);
                assert!(!row.report_only);
            }
        }
        for wrong in ["f1", "recall[]", "f1.mean", "accuracy.macro", "confusion", "recall[a", ""] {
            assert_eq!(Metric::parse(wrong), None, "{wrong}");
        }
        assert_eq!(Metric::parse("recall[a.b[c]]"), Some(Metric::Recall(Average::Value("a.b[c]".to_owned()))));
    }
}
