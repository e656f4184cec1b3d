//! From rows to records: what each step left.

use super::html::{Element, element};
use super::parts::{Cell, Section, bar, count, counted, heads, note, of_class, paragraph, percent, table};
use crate::emit::manifest::{Manifest, StepEntry};

pub(super) fn section(manifest: &Manifest) -> Section {
    let read = manifest.steps.first().map_or(0, |step| step.records_in);
    let emitted = manifest.steps.last().map_or(0, |step| step.records_out);
    let mut content = vec![if read == 0 {
        paragraph("The sources hold no rows.")
    } else {
        paragraph(format_args!(
            "Of {} {} written, {}. For every step, what came in went out, was dropped or is in the quarantine.",
            counted(read, "row"),
            if emitted == 1 { "1 is".to_owned() } else { format!("{} are", count(emitted)) },
            percent(emitted, read),
        ))
    }];
    content.push(key());
    // A step that did nothing to any record is no news.
    let told = |step: &&StepEntry| step.dropped + step.quarantined + step.changed > 0 || step.step == "read";
    let rows = manifest.steps.iter().filter(told).map(|step| row(step, read));
    let heads = heads(&["Step"], &["In", "Dropped", "Quarantined", "Changed", "Out"]);
    content.push(of_class("funnel", table("What each step did to the records that reached it", heads, rows)));
    let silent = manifest.steps.len() - manifest.steps.iter().filter(told).count();
    if silent > 0 {
        let names: Vec<&str> =
            manifest.steps.iter().filter(|step| !told(step)).map(|step| step.rule.as_str()).take(12).collect();
        content.push(note(format_args!(
            "{} neither took out nor changed a record: {}{}.",
            counted(silent as u64, "more step"),
            names.join(", "),
            if names.len() < silent { ", …" } else { "" }
        )));
    }
    Section { id: "funnel", title: "From rows to records", content }
}

fn row(step: &StepEntry, read: u64) -> Vec<Cell> {
    let pieces = [("kept", step.records_out), ("dropped", step.dropped), ("quarantined", step.quarantined)];
    let mut name = element("div").text(&step.rule);
    if step.step != step.rule {
        name = name.text(" ").child(element("span").class("note").text(&step.step));
    }
    vec![
        Cell::Node(name.child(bar("bar", &pieces, read))),
        Cell::count(step.records_in),
        Cell::count(step.dropped),
        Cell::count(step.quarantined),
        Cell::count(step.changed),
        Cell::count(step.records_out),
    ]
}

/// What the colours of the bars mean; the figures beside them say the same.
fn key() -> Element {
    let item = |class: &'static str, word: &str| {
        let sign = element("svg").with("viewBox", "0 0 10 10").with("aria-hidden", "true");
        element("li").child(sign.child(super::parts::rect(0.0, 0.0, 10.0, 10.0).class(class))).text(word)
    };
    let items = [item("kept", "went on"), item("dropped", "dropped"), item("quarantined", "quarantined")];
    element("ul").class("key").children(items)
}
