//! Which code computed a figure.

use std::sync::LazyLock;

/// The sources that decide what figures are.
const SOURCES: &[(&str, &str)] = &[
    ("bleu", include_str!("bleu.rs")),
    ("calibration", include_str!("calibration.rs")),
    ("chrf", include_str!("chrf.rs")),
    ("classifier", include_str!("classifier.rs")),
    ("counts", include_str!("counts.rs")),
    ("decoder", include_str!("decoder.rs")),
    ("embedder", include_str!("embedder.rs")),
    ("evaluation", include_str!("evaluation.rs")),
    ("exact_match", include_str!("exact_match.rs")),
    ("figures", include_str!("figures.rs")),
    ("generated", include_str!("generated.rs")),
    ("generation", include_str!("generation.rs")),
    ("language_model", include_str!("language_model.rs")),
    ("metric", include_str!("metric.rs")),
    ("metrics", include_str!("metrics.rs")),
    ("multi_label", include_str!("multi_label.rs")),
    ("preference", include_str!("preference.rs")),
    ("regression", include_str!("regression.rs")),
    ("regressor", include_str!("regressor.rs")),
    ("resampling", include_str!("resampling.rs")),
    ("results", include_str!("results.rs")),
    ("retrieval", include_str!("retrieval.rs")),
    ("rouge", include_str!("rouge.rs")),
    ("sampling", include_str!("sampling.rs")),
    ("several", include_str!("several.rs")),
    ("spans", include_str!("spans.rs")),
    ("tagged", include_str!("tagged.rs")),
    ("tagger", include_str!("tagger.rs")),
    ("text_model", include_str!("text_model.rs")),
    ("texts", include_str!("texts.rs")),
];

/// Files of this folder that only show, read or write figures, or measure texts for data sets.
#[cfg(test)]
const OTHERS: &[&str] =
    &["causal_model", "code", "comparison", "fixture", "gate", "mod", "predictions", "predictor", "report", "terminal"];

static HASH: LazyLock<String> = LazyLock::new(|| {
    let mut hasher = blake3::Hasher::new();
    for (name, source) in SOURCES {
        // A checkout may have changed the ends of lines.
        hasher.update(name.as_bytes()).update(&[0]).update(source.replace("\r\n", "\n").as_bytes()).update(&[0]);
    }
    hasher.finalize().to_hex().to_string()
});

/// BLAKE3 of the sources of the metrics and of generation: figures with the same hash have the same definitions.
#[must_use]
pub fn code_hash() -> &'static str {
    &HASH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_is_hashed_or_said_not_to_matter() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/eval");
        let mut found: Vec<String> = std::fs::read_dir(folder)
            .expect("the folder is there")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .filter_map(|name| name.strip_suffix(".rs").map(str::to_owned))
            .collect();
        found.sort();
        let mut listed: Vec<&str> = SOURCES.iter().map(|(name, _)| *name).chain(OTHERS.iter().copied()).collect();
        listed.sort_unstable();
        assert_eq!(found, listed);
        assert_eq!(code_hash().len(), 64);
    }
}
