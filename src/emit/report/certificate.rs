//! How it is known that the parts share nothing.

use super::html::{Element, element};
use super::parts::{Cell, Section, heads, note, paragraph, percent, table};
use crate::emit::manifest::Manifest;

pub(super) fn section(manifest: &Manifest) -> Section {
    let all: u64 = manifest.splits.iter().map(|(_, part)| part.records).sum();
    let row = |(name, part): (&str, &crate::emit::manifest::SplitEntry)| {
        vec![Cell::Text(name.to_owned()), Cell::count(part.records), Cell::Number(percent(part.records, all))]
    };
    let mut content =
        vec![table("Records of each part", heads(&["Part"], &["Records", "Share"]), manifest.splits.iter().map(row))];
    let certificate = &manifest.certificate;
    if manifest.splits.0.len() > 1 {
        content.push(paragraph(match certificate.by.as_str() {
            "record" => "Each record is given to a part by itself.".to_owned(),
            by => format!("Records are never split apart that are alike by {by}."),
        }));
        content.push(paragraph(sentence(&certificate.method)));
        content.push(verdict(certificate.shared_keys, "unit that stands", "units that stand", "in more than one part"));
        if let Some(pairs) = certificate.near_pairs {
            content.push(verdict(pairs, "near-duplicate", "near-duplicates", "across parts"));
        }
    } else {
        content.push(note("All records are in one part: there is nothing that two parts could share."));
    }
    Section { id: "parts", title: "Parts, and what they share", content }
}

/// A finding in words; a mark says the same before it.
fn verdict(found: u64, one: &str, several: &str, place: &str) -> Element {
    if found == 0 {
        let mark = element("span").class("mark good").text("✓ ");
        return element("p").child(mark).text(format_args!("No {one} {place} was found."));
    }
    let mark = element("span").class("mark bad").text("✗ ");
    let several = if found == 1 { one } else { several };
    element("p").child(mark).text(format_args!("{} {several} {place}.", super::parts::count(found)))
}

/// Words with a capital before and one full stop after them.
fn sentence(words: &str) -> String {
    let words = words.trim().trim_end_matches('.');
    let mut letters = words.chars();
    let first: String = letters.next().map(|letter| letter.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_reads_as_a_sentence() {
        let said = |found| verdict(found, "unit that stands", "units that stand", "in more than one part").to_string();
        assert!(said(0).contains("No unit that stands in more than one part was found."), "{}", said(0));
        assert!(said(1).contains("1 unit that stands in more than one part."), "{}", said(1));
        assert!(said(1200).contains("1,200 units that stand in more than one part."), "{}", said(1200));
        assert_eq!(sentence("keyed; checked."), "Keyed; checked.");
    }
}
