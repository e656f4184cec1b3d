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
    /// The records that the figure leaves out. A bound is one for all records, so that such a figure never meets it.
    pub left_out: u64,
    /// The records of the evaluation.
    pub records: u64,
    /// Whether it is as required.
    pub met: bool,
}

impl GateResult {
    /// Why the gate is not met, where it is not for the figure itself.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        if self.left_out > 0 {
            return Some(format!("{} of {} records have no such figure", self.left_out, self.records));
        }
        self.measured.is_none().then(|| "no such figure".to_owned())
    }
}

/// Measures a gate. A gate that cannot be measured is not met, nor one whose figure leaves records out.
#[must_use]
pub fn check_gate(gate: &Gate, evaluation: &Evaluation) -> GateResult {
    let measured = match &gate.measure {
        Measure::Metric(metric) => evaluation.figures.get(metric, &evaluation.values),
        Measure::Gap { metric, by } => gap(metric, by, evaluation),
    };
    let (Measure::Metric(metric) | Measure::Gap { metric, .. }) = &gate.measure;
    let records = evaluation.figures.records;
    let left_out = records - evaluation.judged(metric);
    let reached = measured.is_some_and(|figure| match gate.comparison {
        Comparison::AtLeast => figure >= gate.bound,
        Comparison::Above => figure > gate.bound,
        Comparison::AtMost => figure <= gate.bound,
        Comparison::Below => figure < gate.bound,
        Comparison::Exactly => figure == gate.bound,
        Comparison::OtherThan => figure != gate.bound,
    });
    GateResult { gate: gate.clone(), measured, left_out, records, met: reached && left_out == 0 }
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
    use super::super::{
        Evaluated, EvaluationFile, Generated, LostRecord, SeveralEvaluated, TaggedEvaluated, evaluate_classification,
        evaluate_generation, evaluate_several, evaluate_tagged, evaluation_json, evaluation_table,
    };
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
    /// What `require loss <= 9` and `require accuracy <= 0.75` come to, with the reason where they are not met.
    fn reasons(evaluation: &Evaluation) -> [(bool, Option<String>); 2] {
        ["loss", "accuracy"].map(|name| {
            let measure = Measure::Metric(Metric::parse(name).expect("a metric"));
            let bound = if name == "loss" { 9.0 } else { 0.75 };
            let result = check_gate(&Gate { measure, comparison: Comparison::AtMost, bound }, evaluation);
            (result.met, result.reason())
        })
    }

    #[test]
    fn a_figure_that_leaves_records_out_meets_no_gate() {
        let mut evaluation = two_slices();
        assert_eq!(reasons(&evaluation), [(true, None), (true, None)]);
        let lost = LostRecord { id: "5".to_owned(), gold: serde_json::Value::Null, reason: "lost".to_owned() };
        evaluation.missing = vec![lost];
        evaluation.figures.records = 5;
        // A lost record is a wrong one, and has no loss.
        let reason = Some("1 of 5 records have no such figure".to_owned());
        assert_eq!(reasons(&evaluation), [(false, reason), (true, None)]);
        let table = evaluation_table(&evaluation, &[]);
        assert!(
            table
                .contains("1 of them never reached the model and count as wrong; they have no part in `ece`, `loss`\n")
        );
        let lines: Vec<&str> = table.lines().filter(|line| line.ends_with("  over 4 of 5 records")).collect();
        assert!(lines.len() == 2 && lines[1].starts_with("loss "), "{table}");
    }

    #[test]
    fn no_records_have_no_figures() {
        let evaluations = [
            evaluate_classification(&Evaluated { values: vec!["a".to_owned()], ..Evaluated::default() }, 7),
            evaluate_several(&SeveralEvaluated { values: vec!["a".to_owned()], ..SeveralEvaluated::default() }, 7),
            evaluate_tagged(&TaggedEvaluated { kinds: vec!["a".to_owned()], ..TaggedEvaluated::default() }, 7),
            evaluate_generation(&Generated::default(), 7),
        ];
        for evaluation in evaluations {
            let reason = Some("no such figure".to_owned());
            assert_eq!(reasons(&evaluation), [(false, reason.clone()), (false, reason)]);
            assert_eq!(evaluation_table(&evaluation, &[]), "records     0\n");
            let (report, signature) = (Vec::new(), Vec::new());
            let file = evaluation_json(&EvaluationFile {
                evaluation: &evaluation,
                gates: &[],
                report: &report,
                signature: &signature,
                predictions: "",
                generation: None,
            });
            assert_eq!((file["metrics"].to_string(), &file["values"]), ("{}".to_owned(), &serde_json::Value::Null));
        }
    }
}
