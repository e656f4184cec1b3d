//! `require` gates: pure comparisons of a figure with what was asked for.

use std::fmt;

use super::evaluation::Evaluation;
use super::metric::Metric;

/// What is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Measure {
    /// One figure over all records.
    Metric(Metric),
    /// The largest difference of a figure between the slices of one `by`; slices without records do not count.
    Gap {
        /// The figure.
        metric: Metric,
        /// The slices' name, as in `by`.
        by: String,
    },
}

/// How a figure is compared with its bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `>=`
    AtLeast,
    /// `>`
    Above,
    /// `<=`
    AtMost,
    /// `<`
    Below,
    /// `==`
    Exactly,
    /// `!=`
    OtherThan,
}

/// One `require`.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    /// What is compared.
    pub measure: Measure,
    /// How.
    pub comparison: Comparison,
    /// With what; a share is between 0 and 1.
    pub bound: f64,
}

/// A gate with what was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct GateResult {
    /// The gate.
    pub gate: Gate,
    /// The figure; `None` where this evaluation has no such figure, which never meets a gate.
    pub measured: Option<f64>,
    /// Whether it is as required.
    pub met: bool,
}

/// Measures a gate. A gate that cannot be measured is not met.
#[must_use]
pub fn check_gate(gate: &Gate, evaluation: &Evaluation) -> GateResult {
    let measured = match &gate.measure {
        Measure::Metric(metric) => evaluation.figures.get(metric, &evaluation.values),
        Measure::Gap { metric, by } => gap(metric, by, evaluation),
    };
    let met = measured.is_some_and(|figure| match gate.comparison {
        Comparison::AtLeast => figure >= gate.bound,
        Comparison::Above => figure > gate.bound,
        Comparison::AtMost => figure <= gate.bound,
        Comparison::Below => figure < gate.bound,
        Comparison::Exactly => figure == gate.bound,
        Comparison::OtherThan => figure != gate.bound,
    });
    GateResult { gate: gate.clone(), measured, met }
}

fn gap(metric: &Metric, by: &str, evaluation: &Evaluation) -> Option<f64> {
    let figures = evaluation
        .slices
        .iter()
        .filter(|slice| slice.by == by && slice.figures.records > 0)
        .map(|slice| slice.figures.get(metric, &evaluation.values))
        .collect::<Option<Vec<f64>>>()?;
    let highest = figures.iter().copied().reduce(f64::max)?;
    let lowest = figures.iter().copied().reduce(f64::min)?;
    Some(highest - lowest)
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Metric(metric) => write!(f, "{metric}"),
            Self::Gap { metric, by } => write!(f, "gap({metric}, by {by})"),
        }
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.comparison {
            Comparison::AtLeast => ">=",
            Comparison::Above => ">",
            Comparison::AtMost => "<=",
            Comparison::Below => "<",
            Comparison::Exactly => "==",
            Comparison::OtherThan => "!=",
        };
        write!(f, "{} {sign} {}", self.measure, self.bound)
    }
}

#[cfg(test)]
mod tests {
    use super::super::evaluation::tests::two_slices;
    use super::*;

    #[test]
    fn gates_compare_figures_and_gaps() {
        // two_slices: 4 records, 3 right; slice `short` 2 of 2, slice `long` 1 of 2.
        let evaluation = two_slices();
        let check = |measure: Measure, comparison, bound, measured: Option<f64>, met: bool| {
            let gate = Gate { measure, comparison, bound };
            let result = check_gate(&gate, &evaluation);
            assert_eq!((result.measured, result.met), (measured, met), "{gate}");
        };
        let metric = |name: &str| Measure::Metric(Metric::parse(name).expect("a metric"));
        let gap = |by: &str| Measure::Gap { metric: Metric::Accuracy, by: by.to_owned() };
        check(metric("accuracy"), Comparison::AtLeast, 0.75, Some(0.75), true);
        check(metric("accuracy"), Comparison::Above, 0.75, Some(0.75), false);
        check(metric("recall[b]"), Comparison::AtLeast, 0.6, Some(0.5), false);
        check(metric("recall[nobody]"), Comparison::AtLeast, 0.0, None, false);
        check(gap("length"), Comparison::AtMost, 0.05, Some(0.5), false);
        check(gap("length"), Comparison::AtMost, 0.5, Some(0.5), true);
        check(gap("colour"), Comparison::AtMost, 1.0, None, false);
    }
}
