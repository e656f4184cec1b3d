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
        let measured = result.measured.map(|figure| format!("   {figure:.4}")).unwrap_or_default();
        let reason = result.reason().map(|reason| format!("   {reason}")).unwrap_or_default();
        let verdict = if result.met { "met" } else { "NOT MET" };
        line(&mut text, &format!("require {}{measured}{reason}   {verdict}", result.gate));
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
        found.map(|(_, interval)| format!("  {:.4} to {:.4}", interval.low, interval.high)).unwrap_or_default()
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
        if let Some(figure) = figures.get(&metric, &evaluation.values) {
            let judged = evaluation.judged(&metric);
            let of = if judged < figures.records {
                format!("  over {judged} of {} records", figures.records)
            } else {
                String::new()
            };
            line(text, &format!("{:<10}  {figure:.4}{}{of}", metric.to_string(), between(metric)));
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
        let interval = row
            .interval
            .map_or_else(|| "–".to_owned(), |interval| format!("{:+.4} to {:+.4}", interval.low, interval.high));
        let p = row.p.map_or_else(|| "–".to_owned(), |p| format!("{p:.4}"));
        let figures = format!(
            "{:<named$}  {:<width$.4}  {:<width$.4}  {:<+10.4}  {interval:<18}  {p}  {}",
            row.metric.to_string(),
            row.first,
            row.second,
            row.second - row.first,
            row.test.name()
        );
        line(&mut text, &figures);
    }
    text
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
    let name = |row: &ValueScores| names.get(row.value).map_or("", String::as_str);
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
    let mut by = "";
    for slice in &evaluation.slices {
        if slice.by != by {
            by = &slice.by;
            line(text, &format!("\nby {by}"));
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
            let figure = slice.figures.get(&metric, &evaluation.values)?;
            Some(format!("{metric} {figure:.4}"))
        });
        let figures = figures.collect::<Vec<_>>().join("  ");
        line(text, &format!("{:<12}  {figures}  {} records", slice.key, slice.figures.records));
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
