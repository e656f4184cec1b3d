//! What was written.

use super::parts::{Cell, Section, bytes, hash, heads, paragraph, table};
use crate::emit::manifest::{FileEntry, Manifest, OutputEntry};

pub(super) fn section(manifest: &Manifest) -> Section {
    let output = |file: &OutputEntry| {
        vec![
            Cell::Code(file.path.clone()),
            Cell::Text(file.format.clone()),
            Cell::Node(hash(&file.digest.blake3)),
            Cell::Number(bytes(file.digest.bytes)),
            Cell::count(file.records),
        ]
    };
    let mut content = if manifest.outputs.is_empty() {
        vec![paragraph("The data set has no write statement: it is read by runs alone.")]
    } else {
        let heads = heads(&["File", "Format", "BLAKE3"], &["Size", "Records"]);
        vec![table("Data files", heads, manifest.outputs.iter().map(output))]
    };
    // This page is one of them, and cannot name its own hash.
    let beside = manifest.files.iter().filter(|file| file.path != crate::emit::REPORT);
    let row = |file: &FileEntry| {
        let size = Cell::Number(bytes(file.digest.bytes));
        vec![Cell::Code(file.path.clone()), Cell::Node(hash(&file.digest.blake3)), size]
    };
    let rows: Vec<Vec<Cell>> = beside.map(row).collect();
    if !rows.is_empty() {
        content.push(table("Beside the data", heads(&["File", "BLAKE3"], &["Size"]), rows));
    }
    Section { id: "files", title: "What was written", content }
}
