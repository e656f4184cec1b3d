//! The figures of a training run.

use serde_json::{Map, Value, json};

use super::show::{heading, words};
use super::{counted, fields};
use crate::cli::terminal::{Paint, Terminal};
use crate::emit::runs::RunFiles;
use crate::shown::{self, printable};

/// Prints what a run did and what it reaches.
pub fn show(run: &RunFiles, terminal: &Terminal) {
    heading(&format!("Run {}", run.name), terminal);
    words(&told(run), terminal);
    let tokens = run.tokens();
    if !tokens.is_empty() {
        fields::lengths(tokens.iter().map(|(part, lengths)| (format!("{part}, tokens"), lengths)), terminal);
    }
    for (name, figures) in &run.evaluations {
        let metrics: Vec<String> = named(figures)
            .into_iter()
            .map(|(metric, figure)| format!("{metric} {}", shown::figure(figure, 4)))
            .collect();
        words(&format!("on {name}: {}", metrics.join(", ")), terminal);
        for gate in figures["gates"].as_array().into_iter().flatten() {
            let met = gate["met"] == true;
            let (paint, word) = if met { (Paint::Green, "met") } else { (Paint::Red, "not met") };
            let require = printable(gate["require"].as_str().unwrap_or_default());
            let reason = gate["reason"].as_str().map(|reason| format!(" ({})", printable(reason))).unwrap_or_default();
            terminal.answer(format_args!("    require {require}: {}{reason}", terminal.paint_answer(paint, word)));
        }
    }
}

/// What a program reads of it.
pub fn to_json(run: &RunFiles) -> Value {
    let tokens: Map<String, Value> = run.tokens().into_iter().map(|(part, lengths)| (part, json!(lengths))).collect();
    let evaluations: Map<String, Value> = run.evaluations.iter().cloned().collect();
    json!({
        "schema": "annotc.stats/1",
        "kind": "train",
        "name": run.name,
        "dataset": run.dataset,
        "data": {
            "records": run.provenance["data"]["records"],
            "truncated": run.provenance["data"]["truncated"],
            "dropped": run.provenance["data"]["dropped"],
            "tokens": tokens,
        },
        "steps": run.metrics.len(),
        "first_loss": run.metrics.first().map(|step| step.loss),
        "last_loss": run.metrics.last().map(|step| step.loss),
        "evaluations": evaluations,
    })
}

fn told(run: &RunFiles) -> String {
    let data = &run.provenance["data"];
    let figure = |value: &Value| value.as_u64().unwrap_or(0);
    let mut told = format!(
        "on data set {}: {} in {}",
        run.dataset,
        counted(figure(&data["records"]), "record"),
        counted(run.metrics.len() as u64, "step")
    );
    if let (Some(first), Some(last)) = (run.metrics.first(), run.metrics.last()) {
        told.push_str(&format!(
            ", loss {} in the first and {} in the last",
            shown::figure(first.loss, 3),
            shown::figure(last.loss, 3)
        ));
    }
    let (cut, left_out) = (figure(&data["truncated"]), figure(&data["dropped"]));
    if cut + left_out > 0 {
        told.push_str(&format!("; too long: {cut} cut, {left_out} left out"));
    }
    told
}

/// The metrics by the names that `require` uses, each family by its mean over the values.
fn named(figures: &Value) -> Vec<(String, f64)> {
    let metrics = figures["metrics"].as_object().into_iter().flatten();
    let figure = |(name, value): (&String, &Value)| match value.as_f64() {
        Some(figure) => Some((name.clone(), figure)),
        None => Some((format!("{name}.macro"), value["macro"].as_f64()?)),
    };
    metrics.filter_map(figure).collect()
}
