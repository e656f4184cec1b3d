//! What was wrong with the records in the quarantine.

use super::html::{Element, element};
use super::parts::{Section, counted, paragraph};
use super::taken::samples;
use crate::emit::manifest::Manifest;
use crate::emit::statistics::{ErrorEntry, Statistics};

pub(super) fn section(manifest: &Manifest, statistics: &Statistics) -> Option<Section> {
    let quarantined: u64 = manifest.steps.iter().map(|step| step.quarantined).sum();
    if quarantined == 0 {
        return None;
    }
    let words = format!(
        "{} could not be read, given a value or rendered. They stand in quarantine.jsonl with their places, without their texts.",
        counted(quarantined, "record")
    );
    let content = std::iter::once(paragraph(words)).chain(statistics.errors.iter().map(reason)).collect();
    Some(Section { id: "quarantine", title: "Quarantine", content })
}

fn reason(entry: &ErrorEntry) -> Element {
    let summary = element("summary")
        .child(element("b").text(&entry.error))
        .child(element("span").class("soft").text(counted(entry.records, "record")));
    element("details").child(summary).child(samples(&entry.samples))
}
