//! The closed lists of the language, as editors offer them: read from the tables that the checks work from.

use super::{calls, metrics, purpose, source, tables, task, templates, types};
use crate::pii;
use crate::plan::packs;

/// A word of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The word.
    pub word: &'static str,
    /// What it means, in Markdown; empty where the word says it.
    pub docs: String,
    /// Whether it is written in quotes.
    pub quoted: bool,
}

fn rows<'w>(words: impl IntoIterator<Item = &'w &'static str>) -> Vec<Row> {
    words.into_iter().map(|word| row(word, "")).collect()
}

fn row(word: &'static str, docs: impl Into<String>) -> Row {
    Row { word, docs: docs.into(), quoted: false }
}

/// The types of a field.
pub fn types() -> Vec<Row> {
    let mut found: Vec<Row> = types::PLAIN.iter().map(|(name, _)| row(name, "")).collect();
    found.push(row("list", "a list: `list<T>`"));
    found
}

/// The attributes of a field.
pub fn attributes() -> Vec<Row> {
    source::ATTRIBUTES.iter().map(|(name, docs)| row(name, *docs)).collect()
}

/// The formats that are read.
pub fn source_formats() -> Vec<Row> {
    tables::source_formats().flat_map(|format| format.words.iter().map(|word| row(word, format.record))).collect()
}

/// The options of a format.
fn format_options(word: &str) -> Vec<Row> {
    let format = tables::source_formats().find(|format| format.words.contains(&word));
    let options = format.map(|format| format.options).unwrap_or_default();
    options.iter().map(|option| option.about()).map(|(word, _, docs)| row(word, docs)).collect()
}

/// The formats that are written.
pub fn written_formats() -> Vec<Row> {
    let docs = |format: &tables::WriteFormat| match format.written {
        Some(written) => format!("`{}`", written.row),
        None => "is checked, and no version writes it yet".to_owned(),
    };
    tables::write_formats().map(|format| row(format.name, docs(&format))).collect()
}

/// Licences that data is often under.
pub fn licences() -> Vec<Row> {
    let docs = |licence: &tables::Licence| {
        let bar = if licence.commercial { "" } else { "no money may be earned by it" };
        [bar, licence.asks].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
    };
    tables::licences().map(|licence| Row { quoted: true, ..row(licence.id, docs(&licence)) }).collect()
}

/// The words of a purpose.
pub fn purposes() -> Vec<Row> {
    purpose::WORDS.iter().map(|(word, docs)| Row { quoted: true, ..row(word.word(), *docs) }).collect()
}

/// The schemas of a label.
pub fn label_schemas() -> Vec<Row> {
    let schemas = [
        ("choice", "one of several values"),
        ("choices", "several values: `choices(1..3) { … }`"),
        ("spans", "marked pieces of a field: `spans over text { … }`"),
        ("scale", "a number of a range: `scale 1..5`"),
        ("json", "a record: `json { amount: float }`"),
        ("number", "a number"),
        ("flag", "yes or no"),
        ("text", "a free text"),
        ("rank", "an order of candidates"),
        ("preference", "the better one of two"),
    ];
    schemas.iter().map(|(word, docs)| row(word, *docs)).collect()
}

/// The kinds of template.
pub fn template_kinds() -> Vec<Row> {
    let docs = |slots: &[&str]| format!("its slots: `{}`", slots.join("`, `"));
    templates::KINDS.iter().map(|(kind, slots)| row(kind, docs(slots))).collect()
}

/// The kinds of personal data that `@personal( … )` names.
pub fn personal_kinds() -> Vec<Row> {
    let undetected = tables::undetected_kinds().iter().map(|word| row(word, "no detector finds it in a text"));
    detectors().into_iter().chain(undetected).collect()
}

/// The detectors of personal data.
pub fn detectors() -> Vec<Row> {
    let docs =
        |detector: &pii::Detector| format!("{}\n\nIn its place stands `{}`.", detector.docs, detector.replacement);
    pii::all().iter().map(|detector| row(detector.name, docs(detector))).collect()
}

/// The named sets of shingles and bands of a `near`.
pub fn near_presets() -> Vec<Row> {
    crate::dedup::near::PRESETS.iter().map(|preset| row(preset.name, preset.origin)).collect()
}

/// The packs of cleaning rules.
pub fn packs() -> Vec<Row> {
    let docs = |pack: &packs::Pack| format!("{}.\n\n{}", pack.summary, pack.docs);
    packs::all().iter().map(|pack| row(pack.name, docs(pack))).collect()
}

fn pack_options(pack: &str) -> Vec<Row> {
    let options = packs::lookup(pack).map_or(&[][..], |pack| pack.options);
    options.iter().map(|option| row(option.name, option.docs)).collect()
}

/// What counts over the whole set.
pub fn aggregates() -> Vec<Row> {
    rows(&calls::AGGREGATES)
}

/// The methods that settle votes.
pub fn resolutions() -> Vec<Row> {
    rows(&super::mapping::METHODS)
}

/// The tasks of a run.
pub fn tasks() -> Vec<Row> {
    let docs = |takes: task::Takes| match takes {
        task::Takes::LabelFromField => "takes `LABEL from FIELD`".to_owned(),
        task::Takes::Label => "takes a label".to_owned(),
        task::Takes::Template(kinds) => format!("takes `from` a template of kind `{}`", kinds.join("` or `")),
    };
    task::TASKS.iter().map(|(word, takes)| row(word, docs(*takes))).collect()
}

/// The figures of `report`.
pub fn metrics() -> Vec<Row> {
    metrics::METRICS.iter().map(|metric| row(metric.name, metric_docs(metric.name))).collect()
}

/// The figures of `require`, and `gap`, which compares one between groups.
pub fn gates() -> Vec<Row> {
    let gated = metrics::METRICS.iter().filter(|metric| metric.gated);
    let mut found: Vec<Row> = gated.map(|metric| row(metric.name, metric_docs(metric.name))).collect();
    found.push(row("gap", "the greatest difference between groups: `gap(accuracy, by gender) <= 5%`"));
    found
}

/// How one number is made of a figure that each value has.
pub fn averages() -> Vec<Row> {
    rows(&metrics::AVERAGES)
}

fn metric_docs(name: &str) -> &'static str {
    tables::all_metrics().find(|metric| metric.row.name == name).map_or("", |metric| metric.row.docs)
}

/// The options of the block after a statement: `optimizer adamw { … }`.
pub fn options(statement: &str, word: &str) -> Vec<Row> {
    match (statement, word) {
        ("pack", pack) => pack_options(pack),
        ("new", _) => rows(&super::model::SIZES),
        ("tune", "lora") => rows(&super::train::LORA),
        ("optimizer", name) => rows(super::train::optimizer_options(name)),
        ("generate", "greedy") => rows(&super::generation::GREEDY),
        ("generate", _) => rows(&super::generation::SAMPLED),
        ("format", word) => format_options(word),
        _ => Vec::new(),
    }
}
