//! The figures of a predicted number: errors and R² as scikit-learn has them, correlations as scipy has them.

/// A figure of a predicted number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberMetric {
    /// The mean absolute error.
    Mae,
    /// The mean squared error.
    Mse,
    /// Its square root.
    Rmse,
    /// The coefficient of determination.
    R2,
    /// Pearson's correlation.
    Pearson,
    /// Spearman's.
    Spearman,
}

impl NumberMetric {
    /// Every one.
    pub const ALL: [Self; 6] = [Self::Mae, Self::Mse, Self::Rmse, Self::R2, Self::Pearson, Self::Spearman];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mae => "mae",
            Self::Mse => "mse",
            Self::Rmse => "rmse",
            Self::R2 => "r2",
            Self::Pearson => "pearson",
            Self::Spearman => "spearman",
        }
    }

    /// The one of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.name() == name)
    }

    /// Whether more is better.
    #[must_use]
    pub fn higher_is_better(self) -> bool {
        match self {
            Self::Mae | Self::Mse | Self::Rmse => false,
            Self::R2 | Self::Pearson | Self::Spearman => true,
        }
    }
}

/// All figures of a regression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Regression {
    /// Records.
    pub records: u64,
    /// The mean absolute error.
    pub mae: f64,
    /// The mean squared error.
    pub mse: f64,
    /// Its square root.
    pub rmse: f64,
    /// The coefficient of determination, 1 − Σ(y−ŷ)² / Σ(y−ȳ)². Where the true values are all equal it is 1 for a perfect
    /// prediction and else 0 (scikit-learn's `force_finite`); `None` of fewer than two records.
    pub r2: Option<f64>,
    /// Pearson's correlation; `None` where either side is constant or there are fewer than two records.
    pub pearson: Option<f64>,
    /// Spearman's: Pearson's of the ranks, equal values sharing the mean of theirs.
    pub spearman: Option<f64>,
}

impl Regression {
    /// One of the figures.
    #[must_use]
    pub fn get(&self, metric: NumberMetric) -> Option<f64> {
        match metric {
            NumberMetric::Mae => Some(self.mae),
            NumberMetric::Mse => Some(self.mse),
            NumberMetric::Rmse => Some(self.rmse),
            NumberMetric::R2 => self.r2,
            NumberMetric::Pearson => self.pearson,
            NumberMetric::Spearman => self.spearman,
        }
    }

    /// The figures of pairs of a true and a predicted number; `None` of nothing.
    #[must_use]
    pub fn of(pairs: &[(f64, f64)]) -> Option<Self> {
        if pairs.is_empty() {
            return None;
        }
        let count = pairs.len() as f64;
        let (gold, predicted): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
        let absolute: f64 = pairs.iter().map(|(gold, predicted)| (gold - predicted).abs()).sum();
        let squared: f64 = pairs.iter().map(|(gold, predicted)| (gold - predicted).powi(2)).sum();
        let spread: f64 = deviations(&gold).iter().map(|deviation| deviation.powi(2)).sum();
        let r2 = match (squared == 0.0, spread == 0.0) {
            (_, false) => 1.0 - squared / spread,
            (true, true) => 1.0,
            (false, true) => 0.0,
        };
        Some(Self {
            records: pairs.len() as u64,
            mae: absolute / count,
            mse: squared / count,
            rmse: (squared / count).sqrt(),
            r2: (pairs.len() > 1).then_some(r2),
            pearson: correlation(&gold, &predicted),
            spearman: correlation(&ranks(&gold), &ranks(&predicted)),
        })
    }
}

fn deviations(values: &[f64]) -> Vec<f64> {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|value| value - mean).collect()
}

fn correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let is_constant = |values: &[f64]| values.iter().all(|value| *value == values[0]);
    if a.len() < 2 || is_constant(a) || is_constant(b) {
        return None;
    }
    let (a, b) = (deviations(a), deviations(b));
    let norm = |values: &[f64]| values.iter().map(|value| value.powi(2)).sum::<f64>().sqrt();
    let product: f64 = a.iter().zip(&b).map(|(a, b)| a * b).sum();
    Some((product / (norm(&a) * norm(&b))).clamp(-1.0, 1.0))
}

/// Each value's rank from 1; equal values have the mean of the ranks that they take up.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for equal in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let mean = before as f64 + (equal.len() + 1) as f64 / 2.0;
        equal.iter().for_each(|index| ranks[*index] = mean);
        before += equal.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{cases, close, numbers};
    use super::*;

    #[test]
    fn figures_are_those_of_scikit_learn_and_scipy() {
        for (number, case) in cases("regression").iter().enumerate() {
            let what = |name: &str| format!("case {number}, {name}");
            let pairs: Vec<(f64, f64)> = numbers(&case["gold"]).into_iter().zip(numbers(&case["predicted"])).collect();
            let figures = Regression::of(&pairs).expect("there are records");
            close(figures.mae, &case["mae"], &what("MAE"));
            close(figures.mse, &case["mse"], &what("MSE"));
            close(figures.rmse, &case["rmse"], &what("RMSE"));
            let optional = [("r2", figures.r2), ("pearson", figures.pearson), ("spearman", figures.spearman)];
            for (name, figure) in optional {
                assert_eq!(figure.is_some(), !case[name].is_null(), "{}", what(name));
                if let Some(figure) = figure {
                    close(figure, &case[name], &what(name));
                }
            }
        }
        assert_eq!(Regression::of(&[]), None);
    }
}
