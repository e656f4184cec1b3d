//! Two runs beside each other on the same records: their figures, and whether the difference may be chance.

use std::collections::HashMap;

use super::evaluation::{Outcome, classification_metrics, figures as classification_figures, measured};
use super::figures::Figures;
use super::generated::figures as generation_figures;
use super::generation::TextMetric;
use super::metric::Metric;
use super::predictions::Predictions;
use super::resampling::{Interval, RecordKeys, bootstrap_intervals, mcnemar_exact, randomization_tests};
use super::results::{Results, Scored};
use super::several::{SetOutcome, SeveralEvaluated, figures as several_figures, several_metrics};
use super::tagged::{SpanOutcome, TaggedEvaluated, figures as span_figures, span_metrics};

/// How a difference was tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Test {
    /// The exact test of McNemar.
    McNemar,
    /// Approximate randomization.
    Randomization,
}

impl Test {
    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::McNemar => "McNemar, exact",
            Self::Randomization => "approximate randomization",
        }
    }
}

/// One figure of both runs.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparedFigure {
    /// The figure.
    pub metric: Metric,
    /// That of the first run.
    pub first: f64,
    /// That of the second run.
    pub second: f64,
    /// The 95 % paired bootstrap interval of the second less the first.
    pub interval: Option<Interval>,
    /// The probability of such a difference between runs that are equally good.
    pub p: Option<f64>,
    /// The test that it is of.
    pub test: Test,
}

/// Two runs beside each other.
#[derive(Debug, Clone, PartialEq)]
pub struct RunComparison {
    /// The records of both.
    pub records: usize,
    /// The figures that both have.
    pub figures: Vec<ComparedFigure>,
}

/// Why two runs cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotComparable {
    /// One learns something else than the other.
    #[error("the runs learn different tasks")]
    Kinds,
    /// The records are not the same.
    #[error("the runs were not evaluated on the same records")]
    Records,
    /// A record has another true value.
    #[error("the runs were evaluated on the same records with other true values")]
    Truths,
}

/// Compares two runs; the draws are keyed by `seed` and the records' ids.
///
/// # Errors
/// Runs that were not evaluated on the same records with the same true values.
pub fn compare(first: &Predictions, second: &Predictions, seed: u64) -> Result<RunComparison, NotComparable> {
    match (first, second) {
        (Predictions::Classified(first), Predictions::Classified(second)) => {
            let (values, places) = joined(&first.values, &second.values);
            let mut others = second.outcomes();
            for (_, outcome) in &mut others {
                outcome.judged.gold = outcome.judged.gold.map(|gold| places[gold]);
                outcome.judged.predicted = outcome.judged.predicted.map(|predicted| places[predicted]);
            }
            let pairs = Pairs::of(first.outcomes(), others)?;
            if pairs.first.iter().zip(&pairs.second).any(|(a, b)| a.judged.gold != b.judged.gold) {
                return Err(NotComparable::Truths);
            }
            let figures = |records: &[&Outcome], times: &[u32]| classification_figures(values.len(), records, times);
            let right = |metric: &Metric, outcome: &Outcome| match metric {
                Metric::Accuracy => Some(outcome.is_right()),
                _ => None,
            };
            Ok(pairs.compare(seed, &classification_metrics(), &values, &figures, &right))
        }
        (Predictions::Generated(first), Predictions::Generated(second)) => {
            let metrics = first.metrics();
            let metrics: Vec<Metric> = second.metrics().into_iter().filter(|one| metrics.contains(one)).collect();
            let pairs = Pairs::of(first.outcomes(), second.outcomes())?;
            let figures = |records: &[&Option<&super::generated::GeneratedRecord>], times: &[u32]| {
                generation_figures(&records.iter().map(|record| **record).collect::<Vec<_>>(), times)
            };
            let right = |metric: &Metric, record: &Option<&super::generated::GeneratedRecord>| {
                let scores = record.and_then(|record| record.answer.as_ref()).map(|answer| &answer.scores);
                match metric {
                    Metric::Text(TextMetric::ExactMatch) => Some(scores.is_some_and(|scores| scores.exact_match)),
                    Metric::Text(TextMetric::SquadMatch) => Some(scores.is_some_and(|scores| scores.squad_match)),
                    _ => None,
                }
            };
            Ok(pairs.compare(seed, &metrics, &[], &figures, &right))
        }
        (Predictions::Several(first), Predictions::Several(second)) => compare_several(first, second, seed),
        (Predictions::Tagged(first), Predictions::Tagged(second)) => compare_tagged(first, second, seed),
        (Predictions::Numbers(first), Predictions::Numbers(second)) => compare_results(first, second, seed),
        (Predictions::Preferences(first), Predictions::Preferences(second)) => compare_results(first, second, seed),
        (Predictions::Partners(first), Predictions::Partners(second)) => compare_results(first, second, seed),
        (
            Predictions::Classified(_)
            | Predictions::Generated(_)
            | Predictions::Several(_)
            | Predictions::Tagged(_)
            | Predictions::Numbers(_)
            | Predictions::Preferences(_)
            | Predictions::Partners(_),
            _,
        ) => Err(NotComparable::Kinds),
    }
}

/// Both runs' values in one list, so that indices mean the same, and the places of the second run's in it.
fn joined(first: &[String], second: &[String]) -> (Vec<String>, Vec<usize>) {
    let mut values = first.to_vec();
    values.extend(second.iter().filter(|value| !first.contains(value)).cloned());
    let place =
        |value: &String| values.iter().position(|known| known == value).expect("the list has both runs' values");
    let places = second.iter().map(place).collect();
    (values, places)
}

fn compare_several(
    first: &SeveralEvaluated,
    second: &SeveralEvaluated,
    seed: u64,
) -> Result<RunComparison, NotComparable> {
    let (values, places) = joined(&first.values, &second.values);
    let mut others = second.outcomes();
    let placed = |set: &mut Vec<usize>| set.iter_mut().for_each(|value| *value = places[*value]);
    for (_, outcome) in &mut others {
        placed(&mut outcome.gold);
        outcome.predicted.iter_mut().for_each(placed);
    }
    let pairs = Pairs::of(first.outcomes(), others)?;
    let same = |a: &[usize], b: &[usize]| a.len() == b.len() && a.iter().all(|value| b.contains(value));
    if pairs.first.iter().zip(&pairs.second).any(|(a, b)| !same(&a.gold, &b.gold)) {
        return Err(NotComparable::Truths);
    }
    let figures = |records: &[&SetOutcome], times: &[u32]| several_figures(values.len(), records, times);
    let right = |metric: &Metric, outcome: &SetOutcome| (*metric == Metric::Accuracy).then(|| outcome.is_right());
    Ok(pairs.compare(seed, &several_metrics(), &values, &figures, &right))
}

fn compare_tagged(
    first: &TaggedEvaluated,
    second: &TaggedEvaluated,
    seed: u64,
) -> Result<RunComparison, NotComparable> {
    let (kinds, _) = joined(&first.kinds, &second.kinds);
    let pairs = Pairs::of(first.outcomes(), second.outcomes())?;
    let sorted = |outcome: &SpanOutcome| {
        let mut gold = outcome.gold.clone();
        gold.sort();
        gold
    };
    if pairs.first.iter().zip(&pairs.second).any(|(a, b)| sorted(a) != sorted(b)) {
        return Err(NotComparable::Truths);
    }
    let figures = |records: &[&SpanOutcome], times: &[u32]| span_figures(&kinds, records, times);
    Ok(pairs.compare(seed, &span_metrics(), &kinds, &figures, &|_, _| None))
}

fn compare_results<R: Scored>(
    first: &Results<R>,
    second: &Results<R>,
    seed: u64,
) -> Result<RunComparison, NotComparable> {
    let pairs = Pairs::of(first.outcomes(), second.outcomes())?;
    let differ = |(a, b): (&Option<&R>, &Option<&R>)| matches!((a, b), (Some(a), Some(b)) if !a.has_truth_of(b));
    if pairs.first.iter().zip(&pairs.second).any(differ) {
        return Err(NotComparable::Truths);
    }
    let figures = |records: &[&Option<&R>], times: &[u32]| {
        R::figures(&records.iter().map(|record| **record).collect::<Vec<_>>(), times)
    };
    let right = |metric: &Metric, record: &Option<&R>| R::is_right(metric, *record);
    Ok(pairs.compare(seed, &R::metrics(), &[], &figures, &right))
}

/// The results of both runs, record by record.
struct Pairs<'a, R> {
    ids: Vec<&'a str>,
    first: Vec<R>,
    second: Vec<R>,
}

impl<'a, R> Pairs<'a, R> {
    fn of(first: Vec<(&'a str, R)>, second: Vec<(&'a str, R)>) -> Result<Self, NotComparable> {
        let mut others: HashMap<&str, R> = second.into_iter().collect();
        let mut pairs = Self { ids: Vec::new(), first: Vec::new(), second: Vec::new() };
        for (id, record) in first {
            pairs.second.push(others.remove(id).ok_or(NotComparable::Records)?);
            pairs.ids.push(id);
            pairs.first.push(record);
        }
        if others.is_empty() { Ok(pairs) } else { Err(NotComparable::Records) }
    }

    /// `right` says whether a record is right where that is all that a metric counts.
    fn compare(
        &self,
        seed: u64,
        metrics: &[Metric],
        values: &[String],
        figures: &dyn Fn(&[&R], &[u32]) -> Figures,
        right: &dyn Fn(&Metric, &R) -> Option<bool>,
    ) -> RunComparison {
        let keys = RecordKeys::new(seed, self.ids.iter().copied());
        let of = |records: &[&R], times: &[u32]| measured(&figures(records, times), metrics, values);
        let difference = |a: Vec<f64>, b: Vec<f64>| -> Vec<f64> { a.iter().zip(b).map(|(a, b)| b - a).collect() };
        let (first, second): (Vec<&R>, Vec<&R>) = (self.first.iter().collect(), self.second.iter().collect());
        let once = vec![1; self.ids.len()];
        let intervals =
            bootstrap_intervals(&keys, metrics.len(), &mut |times| difference(of(&first, times), of(&second, times)));
        let tests = randomization_tests(&keys, &mut |exchanged| {
            let pairs = first.iter().zip(&second).zip(exchanged);
            let dealt = pairs.map(|((a, b), exchanged)| if *exchanged { (*b, *a) } else { (*a, *b) });
            let (a, b): (Vec<&R>, Vec<&R>) = dealt.unzip();
            difference(of(&a, &once), of(&b, &once))
        });
        let rows = metrics.iter().zip(of(&first, &once)).zip(of(&second, &once)).zip(intervals).zip(tests);
        let figures = rows.map(|((((metric, first), second), interval), p)| {
            let exact = self.mcnemar(&|record| right(metric, record));
            let test = if exact.is_some() { Test::McNemar } else { Test::Randomization };
            ComparedFigure { metric: metric.clone(), first, second, interval, p: exact.or(p), test }
        });
        RunComparison { records: self.ids.len(), figures: figures.filter(ComparedFigure::is_there).collect() }
    }

    fn mcnemar(&self, right: &dyn Fn(&R) -> Option<bool>) -> Option<f64> {
        let (mut only_first, mut only_second) = (0, 0);
        for (a, b) in self.first.iter().zip(&self.second) {
            let (a, b) = (right(a)?, right(b)?);
            only_first += u64::from(a && !b);
            only_second += u64::from(b && !a);
        }
        Some(mcnemar_exact(only_first, only_second))
    }
}

impl ComparedFigure {
    /// Whether both runs have it.
    fn is_there(&self) -> bool {
        !self.first.is_nan() && !self.second.is_nan()
    }
}

#[cfg(test)]
mod tests {
    use super::super::evaluation::{Evaluated, Prediction};
    use super::*;

    /// Records of two values; `right` says which are.
    fn run(records: usize, values: [&str; 2], right: &dyn Fn(usize) -> bool) -> Predictions {
        let predictions = (0..records)
            .map(|record| {
                let place = |value: &str| usize::from(values[1] == value);
                let (gold, other) = if record % 2 == 0 { ("a", "b") } else { ("b", "a") };
                Prediction {
                    id: format!("{record:032x}"),
                    gold: place(gold),
                    predicted: place(if right(record) { gold } else { other }),
                    probability: 0.75,
                    loss: if right(record) { 0.3 } else { 1.4 },
                    slices: Vec::new(),
                }
            })
            .collect();
        let values = values.map(str::to_owned).to_vec();
        Predictions::Classified(Evaluated { values, predictions, ..Evaluated::default() })
    }

    fn figure(comparison: &RunComparison, name: &str) -> ComparedFigure {
        let found = comparison.figures.iter().find(|figure| figure.metric.to_string() == name);
        found.cloned().unwrap_or_else(|| panic!("there is a figure {name}"))
    }

    #[test]
    fn runs_are_compared_by_the_names_of_their_values() {
        // The second run lists the values in another order, and is right on 30 of 60 records more.
        let first = run(60, ["a", "b"], &|record| record < 20);
        let second = run(60, ["b", "a"], &|record| record < 50);
        let comparison = compare(&first, &second, 7).expect("the same records");
        assert_eq!(comparison.records, 60);
        let accuracy = figure(&comparison, "accuracy");
        assert!((accuracy.first - 1.0 / 3.0).abs() < 1e-12 && (accuracy.second - 5.0 / 6.0).abs() < 1e-12);
        assert_eq!((accuracy.test, accuracy.p), (Test::McNemar, Some(mcnemar_exact(0, 30))));
        assert!(accuracy.interval.is_some_and(|interval| interval.low > 0.3 && interval.high < 0.7));
        let f1 = figure(&comparison, "f1.macro");
        assert!(f1.test == Test::Randomization && f1.p.is_some_and(|p| p < 0.001), "{f1:?}");

        let same = compare(&first, &first, 7).expect("the same records");
        for figure in &same.figures {
            assert_eq!(figure.p, Some(1.0), "{figure:?}");
        }
    }

    #[test]
    fn what_is_not_the_same_is_not_compared() {
        let all = run(10, ["a", "b"], &|_| true);
        assert_eq!(compare(&all, &run(9, ["a", "b"], &|_| true), 7), Err(NotComparable::Records));
        assert_eq!(compare(&run(9, ["a", "b"], &|_| true), &all, 7), Err(NotComparable::Records));
        let generated = Predictions::Generated(super::super::generated::Generated::default());
        assert_eq!(compare(&all, &generated, 7), Err(NotComparable::Kinds));
        let Predictions::Classified(mut other) = all.clone() else { panic!("it classifies") };
        other.predictions[3].gold = 1 - other.predictions[3].gold;
        assert_eq!(compare(&all, &Predictions::Classified(other), 7), Err(NotComparable::Truths));
    }
}
