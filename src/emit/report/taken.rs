//! The rules that took records out, with examples of what they took.

use super::html::{Element, element};
use super::parts::{Cell, Head, Section, count, counted, heads, id, paragraph, place, table};
use crate::emit::statistics::{SampleEntry, Statistics, TakenEntry};

/// Rules whose examples are seen without a click.
const OPEN: usize = 2;

pub(super) fn section(statistics: &Statistics) -> Option<Section> {
    if statistics.taken.is_empty() {
        return None;
    }
    let words = "Each rule that took records out, with the first of them. Their texts stand here only where no column that \
                 the rule looks at is, or was, personal.";
    let rules = statistics.taken.iter().enumerate().map(|(at, entry)| rule(entry, at < OPEN));
    let content = std::iter::once(paragraph(words)).chain(rules).collect();
    Some(Section { id: "taken", title: "What was taken out", content })
}

fn rule(entry: &TakenEntry, open: bool) -> Element {
    let told = [(entry.dropped, "dropped"), (entry.quarantined, "quarantined")];
    let told: Vec<String> = told
        .iter()
        .filter(|(records, _)| *records > 0)
        .map(|(records, word)| format!("{} {word}", count(*records)))
        .collect();
    let step = if entry.step == entry.rule { String::new() } else { format!("{} · ", entry.step) };
    let summary = element("summary")
        .child(element("b").text(&entry.rule))
        .child(element("span").class("soft").text(format_args!("{step}{}", told.join(", "))));
    let mut details = element("details");
    if open {
        details = details.with("open", "open");
    }
    details = details.child(summary).child(samples(&entry.samples));
    if entry.withheld.is_empty() {
        return details;
    }
    let words = format!(
        "Not shown, since it may be personal: {}. annotc preview --dropped shows it to those who may see it.",
        entry.withheld.join(", ")
    );
    details.child(super::parts::note(words))
}

/// Records with their places, and with what may be shown of them.
pub(super) fn samples(samples: &[SampleEntry]) -> Element {
    let repeats = samples.iter().any(|sample| sample.duplicate_of.is_some());
    let mut columns: Vec<&str> = Vec::new();
    for (name, _) in samples.iter().flat_map(|sample| sample.text.iter()) {
        if !columns.contains(&name) {
            columns.push(name);
        }
    }
    let mut heads = heads(&["Record", "Where it was read"], &[]);
    heads.extend(repeats.then(|| Head::Text("Repeats".to_owned())));
    heads.extend(columns.iter().map(|name| Head::Text((*name).to_owned())));
    let row = |sample: &SampleEntry| {
        let mut cells = vec![Cell::Node(id(&sample.id)), Cell::Node(place(&sample.file, sample.line))];
        if repeats {
            cells.push(sample.duplicate_of.as_deref().map_or(Cell::Text(String::new()), |of| Cell::Node(id(of))));
        }
        cells.extend(columns.iter().map(|name| Cell::Text(sample.text.get(name).cloned().unwrap_or_default())));
        cells
    };
    let caption = match samples {
        [_] => "The record".to_owned(),
        several => format!("The first {}", counted(several.len() as u64, "record")),
    };
    table(&caption, heads, samples.iter().map(row))
}
