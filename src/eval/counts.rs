//! Counting: which value was meant, which was predicted, and what was never predicted at all.

/// One record of a test set after prediction. Values are indices into the label's list of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The true value; `None` where the record was lost before its label was known.
    pub gold: Option<usize>,
    /// The predicted value; `None` where the record never reached the model.
    pub predicted: Option<usize>,
}

/// A confusion matrix with a column for "no prediction".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confusion {
    /// `counts[gold][predicted]`.
    pub counts: Vec<Vec<u64>>,
    /// Records of each true value that have no prediction: false negatives of that value.
    pub unpredicted: Vec<u64>,
    /// Records whose true value is unknown: wrong, and nobody's false negative.
    pub unknown: u64,
}

impl Confusion {
    /// Counts records over `values` label values.
    ///
    /// # Panics
    /// Where an index is not below `values`: the caller maps names to indices of the same list.
    pub fn count<'a>(values: usize, records: impl IntoIterator<Item = &'a Judged>) -> Self {
        let mut confusion = Self::empty(values);
        records.into_iter().for_each(|record| confusion.add(record, 1));
        confusion
    }

    pub(super) fn empty(values: usize) -> Self {
        Self { counts: vec![vec![0; values]; values], unpredicted: vec![0; values], unknown: 0 }
    }

    /// Counts a record `times` over.
    pub(super) fn add(&mut self, record: &Judged, times: u64) {
        match (record.gold, record.predicted) {
            (Some(gold), Some(predicted)) => self.counts[gold][predicted] += times,
            (Some(gold), None) => self.unpredicted[gold] += times,
            (None, _) => self.unknown += times,
        }
    }

    /// All records, those without a prediction included.
    #[must_use]
    pub fn records(&self) -> u64 {
        let predicted: u64 = self.counts.iter().flatten().sum();
        predicted + self.unpredicted.iter().sum::<u64>() + self.unknown
    }

    /// Records whose prediction is right.
    #[must_use]
    pub fn correct(&self) -> u64 {
        (0..self.counts.len()).map(|value| self.counts[value][value]).sum()
    }

    /// Records whose true value this is.
    #[must_use]
    pub fn support(&self, value: usize) -> u64 {
        self.counts[value].iter().sum::<u64>() + self.unpredicted[value]
    }

    /// Records for which this value was predicted.
    #[must_use]
    pub fn predicted(&self, value: usize) -> u64 {
        self.counts.iter().map(|row| row[value]).sum()
    }

    /// The values that occur, as true or as predicted: those that averages are taken over.
    pub fn occurring(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.counts.len()).filter(|value| self.support(*value) + self.predicted(*value) > 0)
    }
}
