//! The figures as a table for the terminal.

use std::fmt::Write;

use super::comparison::RunComparison;
use super::evaluation::Evaluation;
use super::figures::Families;
use super::gate::GateResult;
use super::generation::TextMetric;
use super::metric::{Average, Metric};
use super::metrics::ValueScores;
use super::regression::NumberMetric;
use super::retrieval::RetrievalMetric;
use crate::shown::{cell, figure, printable};

/// Above this many values only the worst are shown.
const VALUES_SHOWN: usize = 20;
/// How many of the worst.
const WORST_SHOWN: usize = 5;

/// A table of the figures, lines ending in a newline, without colour.
#[must_use]
pub fn evaluation_table(evaluation: &Evaluation, gates: &[GateResult]) -> String {
    let mut text = String::new();
    line(&mut text, &format!("records     {}", evaluation.figures.records));
    if !evaluation.missing.is_empty() {
        let count = evaluation.missing.len();
        line(&mut text, &format!("            {count} of them never reached the model and {}", missing(evaluation)));
    }
    whole(&mut text, evaluation);
    if let Some(families) = Families::of(&evaluation.figures) {
        values(&mut text, &families, &evaluation.values);
    }
    slices(&mut text, evaluation);
    for result in gates {
        let measured = result.measured.map(|measured| format!("   {}", figure(measured, 4))).unwrap_or_default();
        let reason = result.reason().map(|reason| format!("   {reason}")).unwrap_or_default();
        let verdict = if result.met { "met" } else { "NOT MET" };
        line(&mut text, &format!("require {}{measured}{reason}   {verdict}", printable(&result.gate.to_string())));
    }
    text
}

/// The figures that are one number and of no value, but for the accuracy.
fn plain_metrics() -> impl Iterator<Item = Metric> {
    let plain = [Metric::Margin].into_iter().chain(RetrievalMetric::ALL.map(Metric::Retrieval));
    let plain = plain.chain(NumberMetric::ALL.map(Metric::Number));
    let plain = plain.chain([Metric::HammingLoss, Metric::Ece, Metric::Loss, Metric::Perplexity]);
    plain.chain(TextMetric::ALL.map(Metric::Text))
}

/// What becomes of records that never reached the model, figure by figure.
fn missing(evaluation: &Evaluation) -> String {
    let figures = &evaluation.figures;
    let there: Vec<Metric> =
        plain_metrics().filter(|metric| figures.get(metric, &evaluation.values).is_some()).collect();
    let accuracy = figures.get(&Metric::Accuracy, &evaluation.values).is_some();
    let is_counted = accuracy || Families::of(figures).is_some() || there.iter().any(Metric::counts_missing);
    let left_out = there.iter().filter(|metric| !metric.counts_missing());
    let left_out: Vec<String> = left_out.map(|metric| format!("`{metric}`")).collect();
    match (is_counted, left_out.is_empty()) {
        (true, true) => "count as wrong".to_owned(),
        (true, false) => format!("count as wrong; they have no part in {}", left_out.join(", ")),
        (false, false) => format!("have no part in {}", left_out.join(", ")),
        (false, true) => "have no figure".to_owned(),
    }
}

fn whole(text: &mut String, evaluation: &Evaluation) {
    let figures = &evaluation.figures;
    let between = |metric: Metric| {
        let found = evaluation.intervals.iter().find(|(of, _)| *of == metric);
        found
            .map(|(_, interval)| format!("  {} to {}", figure(interval.low, 4), figure(interval.high, 4)))
            .unwrap_or_default()
    };
    if let Some(accuracy) = figures.get(&Metric::Accuracy, &evaluation.values) {
        line(text, &format!("accuracy    {accuracy:.4}{}", between(Metric::Accuracy)));
    }
    for (kind, families) in [("", Families::of(figures)), ("strict", Families::strict(figures))] {
        let Some(families) = families else { continue };
        line(text, &format!("{kind:<10}  precision  recall  f1"));
        for (name, scores) in families.averages {
            let row = format!("{name:<10}  {:<9.4}  {:.4}  {:.4}", scores.precision, scores.recall, scores.f1);
            line(text, &row);
        }
    }
    for metric in plain_metrics() {
        if let Some(measured) = figures.get(&metric, &evaluation.values) {
            let judged = evaluation.judged(&metric);
            let of = if judged < figures.records {
                format!("  over {judged} of {} records", figures.records)
            } else {
                String::new()
            };
            line(text, &format!("{:<10}  {}{}{of}", metric.to_string(), figure(measured, 4), between(metric)));
        }
    }
    if !evaluation.intervals.is_empty() {
        line(text, "            (with the ends of a 95 % bootstrap interval)");
    }
}

/// Two runs as a table, lines ending in a newline, without colour.
#[must_use]
pub fn comparison_table(comparison: &RunComparison, first: &str, second: &str) -> String {
    let mut text = String::new();
    line(&mut text, &format!("records {}", comparison.records));
    let width = [first, second].iter().map(|name| name.chars().count()).max().unwrap_or(0).max(8);
    let longest = comparison.figures.iter().map(|row| row.metric.to_string().chars().count());
    let named = longest.max().unwrap_or(0).max(18);
    line(
        &mut text,
        &format!("{:<named$}  {first:<width$}  {second:<width$}  difference  95 % interval       p", "figure"),
    );
    for row in &comparison.figures {
        let interval = row.interval.map_or_else(
            || "–".to_owned(),
            |interval| format!("{} to {}", signed(interval.low), signed(interval.high)),
        );
        let p = row.p.map_or_else(|| "–".to_owned(), probability);
        let figures = format!(
            "{:<named$}  {:<width$}  {:<width$}  {:<10}  {interval:<18}  {p:<8}  {}",
            printable(&row.metric.to_string()),
            figure(row.first, 4),
            figure(row.second, 4),
            signed(row.second - row.first),
            row.test.name()
        );
        line(&mut text, &figures);
    }
    text
}

/// A difference with its sign.
fn signed(difference: f64) -> String {
    let sign = if difference.is_sign_negative() { "" } else { "+" };
    format!("{sign}{}", figure(difference, 4))
}

/// A probability. One that is not 0 is never shown as 0.
fn probability(p: f64) -> String {
    if p < 1e-4 { "< 0.0001".to_owned() } else { format!("{p:.4}") }
}

fn values(text: &mut String, families: &Families<'_>, names: &[String]) {
    let mut rows: Vec<&ValueScores> = families.rows().collect();
    let all = rows.len();
    if all > VALUES_SHOWN {
        rows.sort_by(|a, b| a.scores.f1.total_cmp(&b.scores.f1).then(a.value.cmp(&b.value)));
        rows.truncate(WORST_SHOWN);
        line(text, &format!("\nthe {} worst of {all} values", rows.len()));
    } else {
        line(text, "\neach value");
    }
    let name = |row: &ValueScores| names.get(row.value).map_or(String::new(), |name| cell(name));
    let width = rows.iter().map(|row| name(row).chars().count()).max().unwrap_or(0).max(5);
    line(text, &format!("{:<width$}  precision  recall  f1      records", "value"));
    for row in rows {
        let figures = format!(
            "{:<width$}  {:<9.4}  {:.4}  {:.4}  {}",
            name(row),
            row.scores.precision,
            row.scores.recall,
            row.scores.f1,
            row.support
        );
        line(text, &figures);
    }
}

fn slices(text: &mut String, evaluation: &Evaluation) {
    let keys = evaluation.slices.iter().map(|slice| cell(&slice.key).chars().count());
    let width = keys.max().unwrap_or(0).max(12);
    let mut by = "";
    for slice in &evaluation.slices {
        if slice.by != by {
            by = &slice.by;
            line(text, &format!("\nby {}", printable(by)));
        }
        let shown = [
            Metric::Accuracy,
            Metric::F1(Average::Macro),
            Metric::Margin,
            Metric::Retrieval(RetrievalMetric::RecallAt1),
            Metric::Retrieval(RetrievalMetric::Mrr),
            Metric::Number(NumberMetric::Mae),
            Metric::Number(NumberMetric::Spearman),
            Metric::Perplexity,
        ];
        let figures = shown.into_iter().filter_map(|metric| {
            let measured = slice.figures.get(&metric, &evaluation.values)?;
            Some(format!("{metric} {}", figure(measured, 4)))
        });
        let figures = figures.collect::<Vec<_>>().join("  ");
        line(text, &format!("{:<width$}  {figures}  {} records", cell(&slice.key), slice.figures.records));
    }
}

fn line(text: &mut String, content: &str) {
    writeln!(text, "{content}").expect("writing to a string cannot fail");
}

#[cfg(test)]
mod tests {
    use super::super::counts::{Confusion, Judged};
    use super::super::evaluation::tests::two_slices;
    use super::super::figures::Figures;
    use super::super::metrics::Classification;
    use super::*;

    #[test]
    fn every_cell_stays_in_its_column() {
        let mut evaluation = two_slices();
        evaluation.values = vec!["a\nb".to_owned(), "é".repeat(300)];
        evaluation.figures.loss = Some(9.084_010_194e35);
        evaluation.slices[0].key = "x\ty".repeat(100);
        let table = evaluation_table(&evaluation, &[]);
        assert!(table.contains("a\\nb ") && table.contains("…") && table.contains("loss        9.0840e35"), "{table}");
        assert!(table.lines().all(|line| line.chars().count() < 100), "{table}");
    }

    #[test]
    fn a_probability_that_is_not_0_is_not_shown_as_0() {
        let check = |p: f64, shown: &str| assert_eq!(probability(p), shown);
        check(3.4e-10, "< 0.0001");
        check(0.000_099_9, "< 0.0001");
        check(0.0001, "0.0001");
        check(0.03125, "0.0312");
        check(1.0, "1.0000");
    }

    #[test]
    fn many_values_are_trimmed_to_the_worst() {
        let records: Vec<Judged> = (0..30)
            .map(|value| Judged { gold: Some(value), predicted: Some(if value == 7 { 8 } else { value }) })
            .collect();
        let evaluation = Evaluation {
            values: (0..30).map(|value| format!("value_{value}")).collect(),
            figures: Figures {
                records: 30,
                classification: Some(Classification::of(Confusion::count(30, &records))),
                ..Figures::default()
            },
            ..Evaluation::default()
        };
        let table = evaluation_table(&evaluation, &[]);
        assert!(table.contains("the 5 worst of 30 values"), "{table}");
        assert_eq!(table.matches("value_").count(), 5);
        assert!(table.contains("value_7 ") && table.contains("value_8 "));
        assert!(evaluation_table(&two_slices(), &[]).contains("by length"));
    }
}
