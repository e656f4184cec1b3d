//! What was done about personal data.

use super::html::{Element, element};
use super::parts::{Cell, Section, count, heads, note, paragraph, table};
use crate::emit::manifest::{Manifest, PersonalEntry};

pub(super) fn section(manifest: &Manifest) -> Option<Section> {
    let entries = &manifest.personal;
    let mut content = Vec::new();
    if entries.is_empty() {
        content.push(paragraph("No written field is declared to hold personal data."));
    }
    let redacted: Vec<&PersonalEntry> = entries.iter().filter(|entry| entry.because.is_none()).collect();
    if !redacted.is_empty() {
        content.push(paragraph(
            "These fields were searched, and what was found was replaced in the records that are written.",
        ));
        let rows = redacted.iter().flat_map(|entry| {
            entry.found.iter().map(|(kind, places)| {
                vec![Cell::Text(entry.field.clone()), Cell::Text(kind.to_owned()), Cell::count(*places)]
            })
        });
        content.push(table("Places replaced, by field and kind", heads(&["Field", "Kind"], &["Places"]), rows));
        let all: u64 = redacted.iter().flat_map(|entry| entry.found.iter()).map(|(_, places)| places).sum();
        content.push(note(format_args!(
            "{} in all. Detectors miss what they do not know, names of people among it: the text is not anonymous by this alone.",
            if all == 1 { "1 place".to_owned() } else { format!("{} places", count(all)) }
        )));
    }
    let allowed: Vec<Element> = entries.iter().filter_map(allowed).collect();
    if !allowed.is_empty() {
        content.push(paragraph("These fields may hold personal data and stay as they are:"));
        content.push(element("ul").children(allowed));
    }
    Some(Section { id: "personal", title: "Personal data", content })
}

fn allowed(entry: &PersonalEntry) -> Option<Element> {
    let because = entry.because.as_ref()?;
    let kinds = if entry.kinds.is_empty() { String::new() } else { format!(" ({})", entry.kinds.join(", ")) };
    Some(element("li").child(element("b").text(&entry.field)).text(format_args!("{kinds}, because {because}")))
}
