//! What a build did, as text for a terminal.

use std::fmt::Write;

use super::card::count;
use super::manifest::{Manifest, StepEntry};
use super::named::Named;
use crate::shown::{cell, printable};

/// How the text may be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Characters alone.
    Plain,
    /// With ANSI codes for bold and dim.
    Ansi,
}

/// The longest balance that is shown value by value; a longer one is told by its count, smallest and largest.
const BALANCE_WIDTH: usize = 56;

/// The funnel from rows to records, then the parts with their labels, then what was written.
pub fn summary(manifest: &Manifest, style: Style) -> String {
    let mut text = String::new();
    funnel(&mut text, manifest, style);
    methods(&mut text, manifest);
    parts(&mut text, manifest, style);
    for (field, kind, places) in manifest
        .personal
        .iter()
        .flat_map(|entry| entry.found.iter().map(|(kind, places)| (&entry.field, kind, *places)))
    {
        if places > 0 {
            line(&mut text, &format!("  {field}: {} × {kind} replaced", count(places)));
        }
    }
    text
}

fn funnel(text: &mut String, manifest: &Manifest, style: Style) {
    let head = ["step", "in", "dropped", "quarantined", "changed", "out"].map(str::to_owned);
    let mut rows = vec![head];
    // A step that did nothing to any record is no news.
    let told = |step: &&StepEntry| step.dropped + step.quarantined + step.changed > 0 || step.step == "read";
    for step in manifest.steps.iter().filter(told) {
        let name = if step.step == step.rule { step.rule.clone() } else { format!("{} · {}", step.step, step.rule) };
        let figure = |number: u64| if number == 0 { "·".to_owned() } else { count(number) };
        rows.push([
            cell(&name),
            count(step.records_in),
            figure(step.dropped),
            figure(step.quarantined),
            figure(step.changed),
            count(step.records_out),
        ]);
    }
    columns(text, &rows, style);
}

/// How near-duplicates were looked for, and how much was cut out of texts.
fn methods(text: &mut String, manifest: &Manifest) {
    for step in &manifest.steps {
        if let Some(near) = &step.near {
            line(text, &format!("  {}: {}", cell(&step.rule), near.told()));
        }
        if let Some(cut) = &step.cut {
            let (places, bytes) = (count(cut.places), count(cut.bytes));
            line(text, &format!("  {}: {places} places with {bytes} bytes cut", cell(&step.rule)));
        }
    }
}

fn parts(text: &mut String, manifest: &Manifest, style: Style) {
    let mut rows = vec![["part".to_owned(), "records".to_owned(), String::new()]];
    for (name, part) in manifest.splits.iter() {
        let labels: Vec<String> = part.labels.iter().filter_map(|(label, values)| balance(label, values)).collect();
        rows.push([printable(name), count(part.records), labels.join("; ")]);
    }
    line(text, "");
    let widths = widths(&rows);
    for (at, [name, records, labels]) in rows.iter().enumerate() {
        let row = format!("  {}{}  {records:>2$}  {labels}", name, pad(name, widths[0]), widths[1]);
        line(text, &styled(row.trim_end(), at == 0, style));
    }
    let certificate = &manifest.certificate;
    let told = |number: u64, what: &str| (number > 0).then(|| format!("{} {what}", count(number)));
    let equal = told(certificate.shared_keys, "equal");
    let near = told(certificate.near_pairs.unwrap_or(0), "near-duplicate");
    let shared: Vec<String> = equal.into_iter().chain(near).collect();
    if !shared.is_empty() {
        line(text, &format!("  in more than one part: {}", shared.join(", ")));
    }
}

/// How often each value of a label occurs, where there are records.
fn balance(label: &str, values: &Named<u64>) -> Option<String> {
    let present: Vec<(&str, u64)> =
        values.iter().map(|(value, &records)| (value, records)).filter(|(_, records)| *records > 0).collect();
    let least = present.iter().map(|(_, records)| *records).min()?;
    let most = present.iter().map(|(_, records)| *records).max()?;
    let each = present.iter().map(|(value, records)| format!("{} {}", printable(value), count(*records)));
    let each = each.collect::<Vec<_>>().join(", ");
    let told = if each.chars().count() <= BALANCE_WIDTH {
        each
    } else {
        let (all, least, most) = (values.0.len(), count(least), count(most));
        format!("{} values of {all}, {least} to {most} records each", present.len())
    };
    Some(format!("{}: {told}", printable(label)))
}

/// Sets rows in columns: the first to the left, figures to the right.
fn columns<const N: usize>(text: &mut String, rows: &[[String; N]], style: Style) {
    let widths = widths(rows);
    for (at, row) in rows.iter().enumerate() {
        let mut cells = format!("  {}{}", row[0], pad(&row[0], widths[0]));
        for (cell, &width) in row.iter().zip(&widths).skip(1) {
            cells.push_str(&format!("  {}{cell}", pad(cell, width)));
        }
        line(text, &styled(&cells, at == 0, style));
    }
}

fn widths<const N: usize>(rows: &[[String; N]]) -> [usize; N] {
    std::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
}

fn pad(cell: &str, width: usize) -> String {
    " ".repeat(width.saturating_sub(cell.chars().count()))
}

fn styled(row: &str, head: bool, style: Style) -> String {
    match style {
        Style::Ansi if head => format!("\u{1b}[2m{row}\u{1b}[0m"),
        Style::Ansi | Style::Plain => row.to_owned(),
    }
}

fn line(text: &mut String, row: &str) {
    writeln!(text, "{row}").expect("a string takes every write");
}
