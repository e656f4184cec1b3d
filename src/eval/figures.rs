//! The figures of a set of records, and what a metric's name finds among them.

use super::generation::TextFigures;
use super::metric::{Average, Metric};
use super::metrics::{Classification, Scores, ValueScores};
use super::multi_label::MultiLabel;
use super::preference::PreferenceFigures;
use super::regression::Regression;
use super::retrieval::RetrievalFigures;
use super::spans::SpanFigures;

/// The figures of one set of records, or of one slice of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Figures {
    /// Of a classification.
    pub classification: Option<Classification>,
    /// Of a label of several values.
    pub several: Option<MultiLabel>,
    /// Of spans.
    pub spans: Option<SpanFigures>,
    /// Of the spans whose tags keep to their scheme.
    pub strict_spans: Option<SpanFigures>,
    /// The expected calibration error of a classification.
    pub ece: Option<f64>,
    /// Of preferences.
    pub preference: Option<PreferenceFigures>,
    /// Of texts that look for their partners.
    pub retrieval: Option<RetrievalFigures>,
    /// Of predicted numbers.
    pub regression: Option<Regression>,
    /// What the run minimized.
    pub loss: Option<f64>,
    /// exp of the mean cross-entropy of generated tokens.
    pub perplexity: Option<f64>,
    /// Of the generated texts, where there are any.
    pub texts: Option<TextFigures>,
    /// Records, those without a prediction included.
    pub records: u64,
}

impl Figures {
    /// The figure that a metric names; `None` where this evaluation has none, as for a value that the label lacks, or of no
    /// record at all.
    #[must_use]
    pub fn get(&self, metric: &Metric, values: &[String]) -> Option<f64> {
        if self.records == 0 {
            return None;
        }
        let place = |name: &String| values.iter().position(|value| value == name);
        let among = |families: Option<Families<'_>>, average: &Average| -> Option<Scores> {
            let families = families?;
            let named = |name: &str| families.averages.iter().find(|(own, _)| *own == name).map(|(_, scores)| *scores);
            match average {
                Average::Micro => named("micro"),
                Average::Macro => named("macro"),
                Average::Weighted => named("weighted"),
                Average::Samples => named("samples"),
                Average::Value(name) => families.of_value(place(name)?).map(|row| row.scores),
            }
        };
        let scores = |average: &Average| among(Families::of(self), average);
        let strict = |average: &Average| among(Families::strict(self), average);
        let several = self.several.as_ref();
        match metric {
            Metric::Accuracy => {
                let of_values = self.classification.as_ref().map(|figures| figures.accuracy);
                let of_sets = of_values.or(several.map(|figures| figures.subset_accuracy));
                of_sets.or(self.preference.map(|figures| figures.accuracy))
            }
            Metric::HammingLoss => several.map(|figures| figures.hamming_loss),
            Metric::Jaccard(average) => several.and_then(|figures| match average {
                Average::Micro => Some(figures.jaccard.micro),
                Average::Macro => Some(figures.jaccard.macro_),
                Average::Weighted => Some(figures.jaccard.weighted),
                Average::Samples => Some(figures.jaccard.samples),
                Average::Value(name) => place(name).map(|value| figures.jaccard_of(value)),
            }),
            Metric::Margin => self.preference.map(|figures| figures.margin),
            Metric::Retrieval(metric) => self.retrieval.map(|figures| figures.get(*metric)),
            Metric::Precision(average) => scores(average).map(|scores| scores.precision),
            Metric::Recall(average) => scores(average).map(|scores| scores.recall),
            Metric::F1(average) => scores(average).map(|scores| scores.f1),
            Metric::StrictPrecision(average) => strict(average).map(|scores| scores.precision),
            Metric::StrictRecall(average) => strict(average).map(|scores| scores.recall),
            Metric::StrictF1(average) => strict(average).map(|scores| scores.f1),
            Metric::Loss => self.loss,
            Metric::Perplexity => self.perplexity,
            Metric::Ece => self.ece,
            Metric::Number(metric) => self.regression.and_then(|figures| figures.get(*metric)),
            Metric::Text(metric) => self.texts.as_ref().map(|texts| texts.get(*metric)),
        }
    }
}

/// Precision, recall and F1: their averages by name, and each value's own.
pub(super) struct Families<'f> {
    pub(super) averages: Vec<(&'static str, Scores)>,
    values: &'f [ValueScores],
    over: Over,
}

/// The values that averages are taken over, which are those that are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    /// Those that occur, as true or as predicted: what scikit-learn finds in lists of values.
    Occurring,
    /// All that the label has: what scikit-learn finds in an indicator matrix, which has a column for each.
    All,
}

impl Over {
    /// What a metric's signature says of it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Occurring => "averages over the values that occur",
            Self::All => "averages over all values of the label",
        }
    }
}

impl<'f> Families<'f> {
    /// Those that figures have; of no record there are none.
    pub(super) fn of(figures: &'f Figures) -> Option<Self> {
        if figures.records == 0 {
            return None;
        }
        if let Some(of) = &figures.classification {
            let averages = vec![("micro", of.micro), ("macro", of.macro_), ("weighted", of.weighted)];
            return Some(Self { averages, values: &of.values, over: Over::Occurring });
        }
        if let Some(of) = &figures.spans {
            return Some(Self::of_spans(of));
        }
        let of = figures.several.as_ref()?;
        let averages =
            vec![("micro", of.micro), ("macro", of.macro_), ("weighted", of.weighted), ("samples", of.samples)];
        Some(Self { averages, values: &of.values, over: Over::All })
    }

    /// Those of the spans whose tags keep to their scheme.
    pub(super) fn strict(figures: &'f Figures) -> Option<Self> {
        figures.strict_spans.as_ref().filter(|_| figures.records > 0).map(Self::of_spans)
    }

    fn of_spans(of: &'f SpanFigures) -> Self {
        let averages = vec![("micro", of.micro), ("macro", of.macro_), ("weighted", of.weighted)];
        Self { averages, values: &of.values, over: Over::Occurring }
    }

    /// The values that the averages are taken over.
    pub(super) fn over(&self) -> Over {
        self.over
    }

    /// The rows of those values.
    pub(super) fn rows(&self) -> impl Iterator<Item = &'f ValueScores> + use<'f> {
        let over = self.over;
        self.values.iter().filter(move |row| match over {
            Over::Occurring => row.support + row.predicted > 0,
            Over::All => true,
        })
    }

    pub(super) fn of_value(&self, value: usize) -> Option<&'f ValueScores> {
        self.values.iter().find(|row| row.value == value)
    }
}
