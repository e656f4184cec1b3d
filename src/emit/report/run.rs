//! What decided a run's weights.

use serde_json::Value;

use super::html::{Element, element};
use super::parts::{Section, count, facts, figures, hash, note};
use crate::emit::runs::RunFiles;
use crate::shown::figure;

pub(super) fn great_figures(run: &RunFiles) -> Element {
    let mut shown = Vec::new();
    let number = |value: &Value| value.as_u64().map(count);
    let settings = &run.provenance["settings"];
    let counted = [
        ("records trained on", number(&run.provenance["data"]["records"])),
        ("steps", number(&settings["steps"])),
        ("loss of the last step", run.metrics.last().map(|step| figure(step.loss, 3))),
    ];
    shown.extend(counted.into_iter().filter_map(|(name, figure)| Some((name.to_owned(), figure?))));
    for (name, evaluation) in &run.evaluations {
        let metrics = &evaluation["metrics"];
        let told = [
            ("accuracy", &metrics["accuracy"]),
            ("f1.macro", &metrics["f1"]["macro"]),
            ("perplexity", &metrics["perplexity"]),
        ];
        shown.extend(
            told.iter()
                .filter_map(|(metric, measured)| Some((format!("{metric} on {name}"), figure(measured.as_f64()?, 3)))),
        );
    }
    figures(shown)
}

pub(super) fn section(run: &RunFiles) -> Section {
    let provenance = &run.provenance;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let hashes = [
        ("Data set's fingerprint", text(&provenance["dataset"]["fingerprint"])),
        ("Spec", text(&provenance["spec"])),
        ("Tokenizer", text(&provenance["tokenizer"])),
        ("Weights", text(&provenance["weights"])),
    ];
    let words = [
        ("Data set", Some(run.dataset.clone())),
        ("Base model", text(&provenance["base_model"]["name"])),
        ("onnxruntime", text(&provenance["runtime"]["onnxruntime"])),
    ];
    let words = words.into_iter().filter_map(|(name, words)| Some((name.to_owned(), element("span").text(words?))));
    let hashes = hashes.into_iter().filter_map(|(name, of)| Some((name.to_owned(), hash(&of?))));
    let setting = |(name, value): (&String, &Value)| {
        let said = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        (!value.is_null()).then(|| (name.replace('_', " "), element("span").text(said)))
    };
    let settings = provenance["settings"].as_object().into_iter().flatten().filter_map(setting);
    let content = vec![
        facts(words.chain(hashes)),
        super::parts::heading("Settings"),
        super::parts::of_class("tight", facts(settings)),
        note("Hashes are BLAKE3. provenance.json has all of this for programs, metrics.jsonl every step."),
    ];
    Section { id: "provenance", title: "Where it comes from", content }
}
