//! The figures of a data set as a page of text.

use super::grid::{Bar, Grid};
use super::{Found, counted, fields, figure, percent};
use crate::cli::terminal::{Paint, Terminal};
use crate::emit::count;
use crate::emit::manifest::StepEntry;
use crate::shown::printable;

/// The columns of a terminal from which on a rule is named with its block.
const ROOMY: usize = 110;
/// Values of a label up to which all are shown.
const VALUES: usize = 20;
/// Of more values the most frequent and the rarest.
const FREQUENT: usize = 8;
const RARE: usize = 5;
/// Reasons and clusters that are shown.
const SHOWN: usize = 8;

/// Prints all that is known of a data set.
pub fn dataset(found: &Found, terminal: &Terminal) {
    title(found, terminal);
    funnel(found, terminal);
    quarantine(found, terminal);
    duplicates(found, terminal);
    parts(found, terminal);
    labels(found, terminal);
    fields::show(found, terminal);
    personal(found, terminal);
}

/// A heading with an empty line before it.
pub fn heading(words: &str, terminal: &Terminal) {
    terminal.answer("");
    terminal.answer(terminal.paint_answer(Paint::Bold, &printable(words)));
}

/// Words behind the indent of the rows, broken where the line ends.
pub fn words(words: &str, terminal: &Terminal) {
    let width = terminal.answer_width().saturating_sub(2);
    let mut line = String::new();
    for word in printable(words).split(' ') {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            terminal.answer(format_args!("  {line}"));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    terminal.answer(format_args!("  {line}"));
}

fn title(found: &Found, terminal: &Terminal) {
    let emitted: u64 = found.manifest.splits.iter().map(|(_, part)| part.records).sum();
    let read = found.manifest.steps.first().map_or(0, |step| step.records_in);
    let sum = |of: fn(&StepEntry) -> u64| found.manifest.steps.iter().map(of).sum::<u64>();
    terminal.answer(terminal.paint_answer(Paint::Bold, &printable(&found.manifest.dataset)));
    if let Some(description) = &found.statistics.description {
        words(description, terminal);
    }
    let told = format!(
        "{} from {} ({}), {} dropped, {} in the quarantine",
        counted(emitted, "record"),
        counted(read, "row"),
        percent(emitted, read),
        count(sum(|step| step.dropped)),
        count(sum(|step| step.quarantined)),
    );
    words(&told, terminal);
}

fn funnel(found: &Found, terminal: &Terminal) {
    heading("From rows to records", terminal);
    let read = found.manifest.steps.first().map_or(0, |step| step.records_in);
    let mut grid = Grid::new(&["step", "in", "dropped", "quarantined", "changed", "out"]);
    // A step that did nothing to any record is no news.
    let told = |step: &&StepEntry| step.dropped + step.quarantined + step.changed > 0 || step.step == "read";
    for step in found.manifest.steps.iter().filter(told) {
        let short = step.step == step.rule || terminal.answer_width() < ROOMY;
        let name = if short { step.rule.clone() } else { format!("{} · {}", step.step, step.rule) };
        let figures = [step.dropped, step.quarantined, step.changed].map(figure);
        let cells = [name, count(step.records_in)].into_iter().chain(figures).chain([count(step.records_out)]);
        let bar = Bar { full: step.records_out, light: step.dropped + step.quarantined, whole: read };
        grid.row(cells.collect(), Some(bar));
    }
    grid.show(terminal);
}

fn quarantine(found: &Found, terminal: &Terminal) {
    let errors = &found.statistics.errors;
    if errors.is_empty() {
        return;
    }
    heading("Why records are in the quarantine", terminal);
    let mut grid = Grid::new(&["reason", "records", "the first"]).left(2);
    for entry in errors.iter().take(SHOWN) {
        let first = entry.samples.first().map_or(String::new(), |sample| format!("{}:{}", sample.file, sample.line));
        grid.row(vec![entry.error.clone(), count(entry.records), first], None);
    }
    grid.show(terminal);
    more(errors.len(), "reason", terminal);
}

fn duplicates(found: &Found, terminal: &Terminal) {
    for rule in &found.statistics.duplicates {
        heading(&format!("Duplicates · {}", rule.rule), terminal);
        let largest = rule.sizes.range().map_or(0, |(_, most)| most);
        let repeats = match rule.repeats {
            1 => "1 record repeats another and was dropped".to_owned(),
            several => format!("{} records repeat {} others and were dropped", count(several), count(rule.clusters)),
        };
        let told = format!("{repeats}; the largest cluster has {}", counted(largest, "record"));
        words(&told, terminal);
        let mut grid = Grid::new(&["record that stays", "read at", "records"]).left(1);
        // Clusters of two are the rule, and no news.
        let large = rule.largest.iter().filter(|cluster| cluster.records > 2).take(SHOWN);
        let mut any = false;
        for cluster in large {
            any = true;
            let id = cluster.id.chars().take(12).collect();
            grid.row(vec![id, format!("{}:{}", cluster.file, cluster.line), count(cluster.records)], None);
        }
        if any {
            grid.show(terminal);
        }
    }
}

fn parts(found: &Found, terminal: &Terminal) {
    heading("Parts", terminal);
    let all: u64 = found.manifest.splits.iter().map(|(_, part)| part.records).sum();
    let mut grid = Grid::new(&["part", "records", "share"]);
    for (name, part) in found.manifest.splits.iter() {
        let bar = Bar { full: part.records, light: 0, whole: all };
        grid.row(vec![name.to_owned(), count(part.records), percent(part.records, all)], Some(bar));
    }
    grid.show(terminal);
    let certificate = &found.manifest.certificate;
    if found.manifest.splits.0.len() > 1 {
        words(&certificate.method, terminal);
        let near = certificate.near_pairs.map_or(String::new(), |near| format!(", {} near-duplicate", count(near)));
        words(&format!("in more than one part: {} equal{near}", count(certificate.shared_keys)), terminal);
    }
}

fn labels(found: &Found, terminal: &Terminal) {
    let splits = &found.manifest.splits;
    let Some((_, first)) = splits.iter().next() else { return };
    for (label, values) in first.labels.iter() {
        heading(&format!("Label {label}"), terminal);
        let counts = |value: &str| -> Vec<u64> {
            let of_part = |part: &crate::emit::manifest::SplitEntry| part.labels.get(label)?.get(value).copied();
            splits.iter().map(|(_, part)| of_part(part).unwrap_or(0)).collect()
        };
        let mut rows: Vec<(&str, Vec<u64>)> = values.iter().map(|(value, _)| (value, counts(value))).collect();
        let sum = |row: &(&str, Vec<u64>)| row.1.iter().sum::<u64>();
        if rows.len() > VALUES {
            rows.sort_by(|a, b| sum(b).cmp(&sum(a)).then_with(|| a.0.cmp(b.0)));
        }
        let most = rows.iter().map(sum).max().unwrap_or(0);
        let names: Vec<String> = splits.iter().flat_map(|(name, _)| [name.to_owned(), "%".to_owned()]).collect();
        let heads: Vec<&str> = std::iter::once("value").chain(names.iter().map(String::as_str)).collect();
        let mut grid = Grid::new(&heads);
        let hidden = if rows.len() > VALUES { FREQUENT..rows.len() - RARE } else { 0..0 };
        for (at, row) in rows.iter().enumerate() {
            if hidden.contains(&at) {
                if at == hidden.start {
                    let mut cells = vec![format!("… {} values between", hidden.len())];
                    cells.resize(heads.len(), String::new());
                    grid.row(cells, None);
                }
                continue;
            }
            let shares = row.1.iter().zip(splits.iter()).flat_map(|(records, (_, part))| {
                [figure(*records), percent(*records, part.records).trim_end_matches(" %").to_owned()]
            });
            let bar = Bar { full: sum(row), light: 0, whole: most };
            grid.row(std::iter::once(row.0.to_owned()).chain(shares).collect(), Some(bar));
        }
        grid.show(terminal);
    }
}

fn personal(found: &Found, terminal: &Terminal) {
    let entries = &found.manifest.personal;
    if entries.is_empty() {
        return;
    }
    heading("Personal data", terminal);
    for entry in entries {
        let kinds: Vec<String> =
            entry.found.iter().map(|(kind, places)| format!("{kind} {}", count(*places))).collect();
        let told = match &entry.because {
            Some(reason) => format!("{} stays as it is: {reason}", entry.field),
            None => format!("{}, places replaced: {}", entry.field, kinds.join(", ")),
        };
        words(&told, terminal);
    }
}

/// How many are not shown.
fn more(all: usize, noun: &str, terminal: &Terminal) {
    if all > SHOWN {
        let told = format!("  {}, which `--format json` has", counted((all - SHOWN) as u64, &format!("more {noun}")));
        terminal.answer(terminal.paint_answer(Paint::Dim, &told));
    }
}
