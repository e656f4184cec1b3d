//! Differences as they are drawn for people.

use super::{Compared, Differences};
use crate::cli::ink::{Ink, Inked, Margin};
use crate::cli::terminal::{Paint, Terminal};
use crate::diff::{Change, Count, DeclChange, EntryChange, RecordDiff};
use crate::emit::count;
use crate::emit::snapshot::Id;
use crate::shown::{printable, shortened};

/// The digits of an id that are shown to people.
const ID_DIGITS: usize = 12;
/// The most rows of a table of counts.
const MOST_COUNTS: usize = 20;
/// The widest line.
const WIDEST: usize = 120;

/// The word for programs.
pub fn word(change: Change) -> &'static str {
    match change {
        Change::Added => "added",
        Change::Removed => "removed",
        Change::Changed => "changed",
    }
}

/// Tells all differences.
pub fn show(differences: &Differences, ids: usize, terminal: &Terminal) {
    let drawn = Drawn { terminal, ids, width: terminal.answer_width().min(WIDEST) };
    if let Some(changes) = &differences.declarations {
        drawn.declarations(changes);
    }
    for name in &differences.alone.0 {
        drawn.signed(Change::Removed, 0, &format!("data set {name} was built for {} alone", differences.sides.0));
    }
    for name in &differences.alone.1 {
        drawn.signed(Change::Added, 0, &format!("data set {name} was built for {} alone", differences.sides.1));
    }
    for compared in &differences.datasets {
        drawn.dataset(compared);
    }
    for note in &differences.notes {
        terminal.answer(terminal.paint_answer(Paint::Dim, note));
    }
}

struct Drawn<'d> {
    terminal: &'d Terminal,
    ids: usize,
    width: usize,
}

impl Drawn<'_> {
    fn declarations(&self, changes: &[DeclChange]) {
        if changes.is_empty() {
            self.terminal.answer("The specs say the same.");
            return;
        }
        self.head("Declarations");
        for change in changes {
            self.signed(change.change, 0, &format!("{} {}", change.kind, change.name));
            for entry in &change.entries {
                self.entry(entry);
            }
            if change.reordered {
                self.signed(Change::Changed, 4, "the order of its statements");
            }
        }
    }

    /// A statement: what it said and says.
    fn entry(&self, entry: &EntryChange) {
        let mut text = Inked::default();
        match (&entry.before, &entry.after) {
            (Some(before), Some(after)) => {
                self.signed(Change::Changed, 4, &entry.key);
                text.push_change(before, after, self.terminal);
                self.wrapped("", 6, &text);
            }
            (Some(before), None) => {
                text.push(&named(&entry.key, before), Ink::Plain);
                self.wrapped("-", 5, &text);
            }
            (None, Some(after)) => {
                text.push(&named(&entry.key, after), Ink::Plain);
                self.wrapped("+", 5, &text);
            }
            (None, None) => {}
        }
    }

    /// A text in as many lines as it needs, behind a sign.
    fn wrapped(&self, sign: &str, indent: usize, text: &Inked) {
        let paint = match sign {
            "+" => Paint::Green,
            "-" => Paint::Red,
            _ => Paint::Dim,
        };
        let margin = Margin { name: sign, paint, width: indent, gap: 1 };
        for line in text.lines(&margin, self.width, self.terminal) {
            self.terminal.answer(line);
        }
    }

    fn dataset(&self, compared: &Compared) {
        let (old, new) = &compared.names;
        let name = if old == new { new.clone() } else { format!("{old} and {new}") };
        let diff = &compared.diff;
        let records = format!("{} records of {} rows", pair(diff.emitted), pair(diff.rows));
        self.head(&format!("Data set {name}: {records}"));
        if !diff.differs() {
            self.terminal.answer("  the same records, written the same way");
            return;
        }
        self.records(diff);
        self.counts("rule", &diff.rules);
        self.counts("label", &diff.labels);
    }

    fn records(&self, diff: &RecordDiff) {
        for (fate, ids) in &diff.removed {
            self.line(Change::Removed, &format!("gone, {fate} before"), ids);
        }
        for (fate, ids) in &diff.added {
            self.line(Change::Added, &format!("new, {fate}"), ids);
        }
        for ((from, to), ids) in &diff.verdicts {
            self.line(Change::Changed, &format!("{from} → {to}"), ids);
        }
        for ((from, to), ids) in &diff.moved {
            self.line(Change::Changed, &format!("moved from {from} to {to}"), ids);
        }
        for ((label, from, to), ids) in &diff.relabelled {
            self.line(Change::Changed, &format!("{label}: {from} → {to}"), ids);
        }
        match &diff.changed {
            Some(ids) if !ids.is_empty() => self.line(Change::Changed, "other values", ids),
            Some(_) => {}
            None => self.remark("no output has columns: labels and values are not compared one by one"),
        }
        for (sign, columns) in [(Change::Removed, &diff.columns.0), (Change::Added, &diff.columns.1)] {
            columns.iter().for_each(|column| self.signed(sign, 2, &format!("column {column}")));
        }
        for output in diff.rewritten.iter().filter(|output| !output.records.is_empty()) {
            let of = format!("written otherwise in {} (of {} in both)", output.output, count(output.of));
            self.line(Change::Changed, &of, &output.records);
        }
    }

    /// `~    12  kept → dropped by too short   3f9a…, …`
    fn line(&self, change: Change, what: &str, ids: &[Id]) {
        let number = count(ids.len() as u64);
        let mut shown: Vec<String> = ids.iter().take(self.ids).map(|id| id.chars().take(ID_DIGITS).collect()).collect();
        if ids.len() > shown.len() && !shown.is_empty() {
            shown.push("…".to_string());
        }
        let what = printable(what);
        let begin = shortened(&format!("{number:>7}  {what}"), self.width.saturating_sub(4));
        let ids = shown.join(" ");
        self.signed(change, 2, &begin);
        if !ids.is_empty() {
            let indent = 13;
            self.terminal.answer(self.terminal.paint_answer(Paint::Dim, &format!("{:indent$}{ids}", "")));
        }
    }

    /// The counts that differ.
    fn counts(&self, of: &str, counts: &[Count]) {
        let differing: Vec<&Count> = counts.iter().filter(|count| count.before != count.after).collect();
        if differing.is_empty() {
            return;
        }
        let shown = &differing[..differing.len().min(MOST_COUNTS)];
        let figure = |figure: Option<u64>| figure.map_or("·".to_string(), count);
        let widest = self.width.saturating_sub(42).max(20);
        let name = |count: &Count| match of {
            "label" => shortened(&printable(&format!("{} {}", count.of, count.what)), widest),
            _ => shortened(&printable(&count.of), widest),
        };
        // A value of a label needs no word for what it counts.
        let gap = if of == "label" { 0 } else { 13 };
        let what = |count: &Count| if gap == 0 { String::new() } else { count.what.clone() };
        let width = shown.iter().map(|count| name(count).chars().count()).max().unwrap_or(0).max(of.len());
        let head = format!("  {of:<width$}{:gap$}  {:>8}  {:>8}", "", "before", "after");
        self.terminal.answer("");
        self.terminal.answer(self.terminal.paint_answer(Paint::Dim, &head));
        for count in shown {
            let change = count.after.unwrap_or(0) as i64 - count.before.unwrap_or(0) as i64;
            let begin = format!("  {:<width$}{:>gap$}", name(count), what(count));
            self.terminal.answer(format_args!(
                "{begin}  {:>8}  {:>8}  {change:>+7}",
                figure(count.before),
                figure(count.after)
            ));
        }
        if differing.len() > shown.len() {
            self.remark(&format!("and {} more", differing.len() - shown.len()));
        }
    }

    fn head(&self, text: &str) {
        self.terminal.answer(self.terminal.paint_answer(Paint::Bold, &printable(text)));
    }

    fn remark(&self, text: &str) {
        self.terminal.answer(self.terminal.paint_answer(Paint::Dim, &format!("  {text}")));
    }

    fn signed(&self, change: Change, indent: usize, text: &str) {
        let (sign, paint) = match change {
            Change::Added => ('+', Paint::Green),
            Change::Removed => ('-', Paint::Red),
            Change::Changed => ('~', Paint::Yellow),
        };
        let text = shortened(&printable(text), self.width.saturating_sub(indent + 2).max(20));
        self.terminal.answer(format_args!(
            "{:indent$}{} {text}",
            "",
            self.terminal.paint_answer(paint, &sign.to_string())
        ));
    }
}

/// A statement with its name before it, unless it begins with it.
fn named(key: &str, statement: &str) -> String {
    if statement.contains(key) || key.starts_with("field ") || key.starts_with("value ") {
        statement.to_string()
    } else {
        format!("{key}: {statement}")
    }
}

/// `12`, or `12 → 15`.
fn pair((before, after): (u64, u64)) -> String {
    if before == after { count(after) } else { format!("{} → {}", count(before), count(after)) }
}
