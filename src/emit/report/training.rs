//! How a run went: loss and learning rate, step by step, and the lengths of its records in tokens.

use super::chart::Curve;
use super::html::{Element, element};
use super::lengths::{charts, length_row, lengths_table};
use super::parts::{Section, count, counted, heading, note, paragraph};
use crate::emit::runs::{Metric, RunFiles};
use crate::shown::figure;
use crate::statistics::Histogram;

pub(super) fn section(run: &RunFiles) -> Option<Section> {
    let mut content = vec![paragraph(told(run))];
    content.extend(curves(&run.metrics));
    content.extend(tokens(run));
    Some(Section { id: "training", title: "Training", content })
}

fn told(run: &RunFiles) -> String {
    let settings = &run.provenance["settings"];
    let mut words = format!("Run {} on data set {}", run.name, run.dataset);
    if let (Some(records), Some(steps)) = (run.provenance["data"]["records"].as_u64(), settings["steps"].as_u64()) {
        words.push_str(&format!(": {} in {}", counted(records, "record"), counted(steps, "step")));
    }
    if let (Some(first), Some(last)) = (run.metrics.first(), smoothed(&run.metrics)) {
        words.push_str(&format!(
            ", loss {} in the first and {} in the last steps",
            figure(first.loss, 3),
            figure(last, 3)
        ));
    }
    words.push('.');
    words
}

/// The mean loss of the last twentieth of the steps.
fn smoothed(metrics: &[Metric]) -> Option<f64> {
    let last = &metrics[metrics.len() - metrics.len().div_ceil(20)..];
    (!last.is_empty()).then(|| last.iter().map(|step| step.loss).sum::<f64>() / last.len() as f64)
}

fn curves(metrics: &[Metric]) -> Vec<Element> {
    let of = |value: fn(&Metric) -> f64| metrics.iter().map(|step| (step.step as f64, value(step))).collect::<Vec<_>>();
    let (loss, rate) = (of(|step| step.loss), of(|step| step.rate));
    let validation: Vec<(f64, f64)> =
        metrics.iter().filter_map(|step| Some((step.step as f64, step.validation_loss?))).collect();
    let figure = |caption: &str, curve: Curve<'_>| {
        let caption = element("figcaption").child(element("b").text(caption));
        Some(element("figure").class("wide").child(caption).child(curve.draw()?))
    };
    let told = "Loss by step";
    let caption = if validation.is_empty() { "Loss" } else { "Loss, and that of the validation part (dots)" };
    let loss = Curve { told, points: &loss, dots: &validation, height: 180.0, unit: "step" };
    let rate = Curve { told: "Learning rate by step", points: &rate, dots: &[], height: 60.0, unit: "step" };
    [figure(caption, loss), figure("Learning rate", rate)].into_iter().flatten().collect()
}

/// The records' lengths in tokens, as the run's tokenizer counts them, before any was cut.
fn tokens(run: &RunFiles) -> Vec<Element> {
    let lengths = run.tokens();
    if lengths.is_empty() {
        return Vec::new();
    }
    let limit = run.provenance["settings"]["length"].as_u64();
    let shown: Vec<(&str, &Histogram)> = lengths.iter().map(|(part, histogram)| (part.as_str(), histogram)).collect();
    let rows = shown.iter().map(|(part, histogram)| length_row(part, "tokens", histogram));
    let figure = |key: &str| run.provenance["data"][key].as_u64().unwrap_or(0);
    let mut content =
        vec![heading("Lengths in tokens"), charts(&shown, "tokens", limit), lengths_table("Lengths in tokens", rows)];
    if let Some(limit) = limit {
        content.push(note(format_args!(
            "The limit is {} tokens: {} cut, {} left out.",
            count(limit),
            counted(figure("truncated"), "record"),
            counted(figure("dropped"), "record"),
        )));
    }
    content
}
