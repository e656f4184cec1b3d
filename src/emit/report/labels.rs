//! How the values of each label lie over the parts.

use super::html::{Element, element};
use super::parts::{Cell, Head, Section, bar, count, counted, heading, note, percent, table};
use crate::emit::manifest::Manifest;

/// Up to so many values stand in the label's own order; more are sorted by how often they occur.
const IN_ORDER: usize = 12;

/// A value with its records in each part.
struct Row<'m> {
    value: &'m str,
    counts: Vec<u64>,
}

pub(super) fn section(manifest: &Manifest) -> Option<Section> {
    let (_, first) = manifest.splits.iter().next()?;
    if first.labels.is_empty() {
        return None;
    }
    let content = first.labels.iter().flat_map(|(label, _)| of_label(manifest, label)).collect();
    Some(Section { id: "labels", title: "Labels", content })
}

fn of_label(manifest: &Manifest, label: &str) -> Vec<Element> {
    let parts: Vec<(&str, u64)> = manifest.splits.iter().map(|(name, part)| (name, part.records)).collect();
    let (_, first) = manifest.splits.iter().next().expect("a data set has a part");
    let values = first.labels.get(label).into_iter().flat_map(|values| values.iter());
    let counts = |value: &str| {
        let of_part = |part: &crate::emit::manifest::SplitEntry| part.labels.get(label)?.get(value).copied();
        manifest.splits.iter().map(|(_, part)| of_part(part).unwrap_or(0)).collect::<Vec<u64>>()
    };
    let mut rows: Vec<Row<'_>> = values.map(|(value, _)| Row { value, counts: counts(value) }).collect();
    let sum = |row: &Row<'_>| row.counts.iter().sum::<u64>();
    if rows.len() > IN_ORDER {
        rows.sort_by(|a, b| sum(b).cmp(&sum(a)).then_with(|| a.value.cmp(b.value)));
    }
    let mut content = vec![heading(label)];
    content.extend(balance(&rows, &parts));
    let mut heads = vec![Head::Text("Value".to_owned())];
    heads.extend(parts.iter().map(|(name, _)| Head::Number((*name).to_owned())));
    // Bars of one part are comparable: the greatest of all shares fills its cell.
    let most =
        rows.iter().flat_map(|row| row.counts.iter().zip(&parts)).map(|(count, (_, records))| share(*count, *records));
    let most = most.fold(0.0, f64::max);
    let cell = |(&records, (_, whole)): (&u64, &(&str, u64))| {
        let width = if most > 0.0 { (share(records, *whole) / most * 1000.0).round() as u64 } else { 0 };
        let figure =
            if records == 0 { element("span").class("zero").text("0") } else { element("span").text(count(records)) };
        let figure =
            element("div").child(figure).text(" ").child(element("span").class("note").text(percent(records, *whole)));
        Cell::Figure(figure.child(bar("bar thin", &[("kept", width)], 1000)))
    };
    let row = |row: &Row<'_>| {
        let cells = row.counts.iter().zip(&parts).map(cell);
        std::iter::once(Cell::Text(row.value.to_owned())).chain(cells).collect::<Vec<_>>()
    };
    content.push(table(
        &format!("Records with each value of {label}, and their share of the part"),
        heads,
        rows.iter().map(row),
    ));
    content
}

/// How even the values are, and how alike the parts.
fn balance(rows: &[Row<'_>], parts: &[(&str, u64)]) -> Vec<Element> {
    let sums: Vec<u64> = rows.iter().map(|row| row.counts.iter().sum()).collect();
    let present: Vec<u64> = sums.iter().copied().filter(|sum| *sum > 0).collect();
    let (Some(least), Some(most)) = (present.iter().min(), present.iter().max()) else {
        return vec![note(format!("{}; no record has one.", counted(rows.len() as u64, "value")))];
    };
    let mut words = format!(
        "{}, {} to {} records each: the most frequent is {:.1} times as frequent as the rarest.",
        counted(rows.len() as u64, "value"),
        count(*least),
        count(*most),
        *most as f64 / *least as f64,
    );
    if present.len() < rows.len() {
        words.push_str(&format!(" {} no record has.", counted((rows.len() - present.len()) as u64, "value")));
    }
    let mut notes = vec![note(words)];
    match difference(rows, parts) {
        Some((difference, ..)) if difference < 0.0005 => {
            notes.push(note("Each value has the same share of every part, to a tenth of a percentage point."));
        }
        Some((difference, value, low, high)) => notes.push(note(format_args!(
            "The parts differ most in {value}: its share in {low} and in {high} is {:.1} percentage points apart.",
            difference * 100.0
        ))),
        None => {}
    }
    notes
}

/// The value whose shares differ most between two parts that have records.
fn difference<'r>(rows: &'r [Row<'_>], parts: &'r [(&str, u64)]) -> Option<(f64, &'r str, &'r str, &'r str)> {
    let with_records: Vec<usize> = (0..parts.len()).filter(|&at| parts[at].1 > 0).collect();
    if with_records.len() < 2 {
        return None;
    }
    let of_row = |row: &'r Row<'_>| {
        let of = |at: &usize| share(row.counts[*at], parts[*at].1);
        let low = *with_records.iter().min_by(|a, b| of(a).total_cmp(&of(b)))?;
        let high = *with_records.iter().max_by(|a, b| of(a).total_cmp(&of(b)))?;
        Some((of(&high) - of(&low), row.value, parts[low].0, parts[high].0))
    };
    rows.iter().filter_map(of_row).reduce(|best, next| if next.0 > best.0 { next } else { best })
}

fn share(records: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { records as f64 / whole as f64 }
}
