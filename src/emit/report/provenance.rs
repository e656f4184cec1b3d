//! What the data set was made from.

use super::html::{Element, element};
use super::parts::{Cell, Section, bytes, count, facts, hash, heading, heads, note, table};
use crate::emit::manifest::{Manifest, SourceEntry};

/// Files of sources that are listed; the manifest has them all.
const FILES: usize = 50;

pub(super) fn section(manifest: &Manifest) -> Section {
    let words = |words: &str| element("span").text(words);
    let mut stated = vec![
        ("Licence".to_owned(), words(manifest.license.as_deref().unwrap_or("no source states one"))),
        ("Made from the spec".to_owned(), hash(&manifest.spec)),
        ("Fingerprint".to_owned(), hash(&manifest.fingerprint)),
    ];
    if !manifest.purpose.is_empty() {
        stated.insert(1, ("Purpose".to_owned(), words(&manifest.purpose.join(", "))));
    }
    let mut content = vec![facts(stated)];
    let duty = |entry: &crate::emit::manifest::AttributionEntry| {
        element("li").text(format_args!("{}, under {}: {}", entry.source, entry.license, entry.duty))
    };
    if !manifest.attribution.is_empty() {
        content.push(heading("Who passes the records on has to do this"));
        content.push(element("ul").children(manifest.attribution.iter().map(duty)));
    }
    content.push(sources(manifest));
    content.extend(source_files(manifest));
    content.push(note(
        "Hashes are BLAKE3. The fingerprint is that of the rules, the files read and this version of annotc.",
    ));
    Section { id: "provenance", title: "Where it comes from", content }
}

fn sources(manifest: &Manifest) -> Element {
    let row = |source: &SourceEntry| {
        let or_dash = |words: &Option<String>| Cell::Text(words.clone().unwrap_or_else(|| "–".to_owned()));
        vec![
            Cell::Text(source.name.clone()),
            or_dash(&source.license),
            or_dash(&source.origin),
            Cell::count(source.files.len() as u64),
            Cell::count(source.files.iter().map(|file| file.records).sum()),
        ]
    };
    table("Sources", heads(&["Source", "Licence", "Origin"], &["Files", "Rows"]), manifest.sources.iter().map(row))
}

fn source_files(manifest: &Manifest) -> Vec<Element> {
    let all = manifest.sources.iter().flat_map(|source| &source.files);
    let row = |file: &crate::emit::manifest::SourceFileEntry| {
        vec![
            Cell::Code(file.path.clone()),
            Cell::Node(hash(&file.digest.blake3)),
            Cell::Number(bytes(file.digest.bytes)),
            Cell::count(file.records),
        ]
    };
    let rows = all.clone().take(FILES).map(row);
    let mut content = vec![table("Files that were read", heads(&["File", "BLAKE3"], &["Size", "Rows"]), rows)];
    let more = all.count().saturating_sub(FILES);
    if more > 0 {
        content.push(note(format_args!("{} more files stand in manifest.json.", count(more as u64))));
    }
    content
}
