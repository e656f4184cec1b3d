//! A life as it is printed.

use serde_json::{Map, Value, json};

use super::reread::Again;
use crate::cli::ink::{Ink, Inked, Margin};
use crate::cli::preview::show::{hidden_change, plain};
use crate::cli::terminal::{Paint, Terminal};
use crate::emit::count;
use crate::emit::trace::{Life, Other, Passed, RunUse, Wanted};
use crate::engine::preview::Change;
use crate::engine::replay::Seen;
use crate::shown::printable;

/// The digits of another record's id that are shown.
const ID_DIGITS: usize = 12;
/// The columns before a text.
const INDENT: usize = 6;
/// The columns of a field's name before its text.
const NAME: usize = 10;

/// How lives are shown.
pub struct Shown<'s> {
    /// Where.
    pub terminal: &'s Terminal,
    /// What was looked for.
    pub wanted: &'s Wanted,
    /// Whether values that are or were personal are shown.
    pub show_personal: bool,
}

impl Shown<'_> {
    /// Prints a life.
    pub fn life(&self, life: &Life, again: Option<&Again>) {
        let terminal = self.terminal;
        let verdict = match (&life.rule, life.verdict.as_str()) {
            (_, "kept") => life.split.as_ref().map_or("kept".to_owned(), |part| format!("kept, in {part}")),
            (Some(rule), verdict) if rule == "read" => format!("{verdict} while it was read"),
            (Some(rule), verdict) if rule == "split" => format!("{verdict} by the split"),
            (Some(rule), verdict) => format!("{verdict} by {}", printable(rule)),
            (None, verdict) => verdict.to_owned(),
        };
        let paint = if life.verdict == "kept" { Paint::Green } else { Paint::Yellow };
        let verdict = terminal.paint_answer(paint, &verdict);
        let id = terminal.paint_answer(Paint::Bold, &life.id);
        terminal.answer(format_args!("{id} in {}: {verdict}", printable(&life.dataset)));
        self.dim(&format!("  read from {}:{} (source {})", life.file, life.line, life.source));
        if let Wanted::Place { line, .. } = self.wanted
            && *line != life.line
        {
            self.dim(&format!(
                "  no record begins on line {line}: this one begins before it, and no other until there"
            ));
        }
        self.steps(life, again);
        self.duplicates(life);
        for (path, at) in life.outputs.iter() {
            let row = if path.ends_with(".parquet") { format!(", row {at}") } else { format!(":{at}") };
            terminal.answer(format_args!("  written to {}/{}{row}", printable(&life.dataset), printable(path)));
        }
        for used in &life.runs {
            terminal.answer(format_args!("  {}", printable(&self.used(used))));
        }
        match again {
            Some(Err(reason)) => self.dim(&format!("  what the steps changed is not known: {reason}")),
            None => self.dim("  `--spec` names the spec by which it is read again, to tell what the steps changed"),
            Some(Ok(_)) => {}
        }
    }

    fn steps(&self, life: &Life, again: Option<&Again>) {
        let mut block = String::new();
        for (at, step) in life.steps.iter().enumerate() {
            if step.step != block && step.step != step.rule {
                self.terminal.answer(format_args!("  {}", printable(&step.step)));
            }
            block.clone_from(&step.step);
            self.step(step, life, if step.step == step.rule { "  " } else { "    " });
            // Reading stands before the steps that change something.
            let Some((Ok(replayed), at)) = again.zip(at.checked_sub(1)) else { continue };
            for change in replayed.changes.iter().filter(|(own, _)| *own == at).flat_map(|(_, changes)| changes) {
                self.change(change);
            }
            if step.result != "passed" {
                replayed.looked.iter().for_each(|seen| self.seen(seen));
            }
            let of_label = |seen: &&Seen| step.step.strip_prefix("label ").is_some_and(|label| label == seen.column);
            if step.result == "passed" {
                replayed.labels.iter().filter(of_label).for_each(|seen| self.seen(seen));
            }
        }
    }

    fn step(&self, step: &Passed, life: &Life, indent: &str) {
        let (mark, paint) = if step.result == "passed" { ("✓", Paint::Green) } else { ("✗", Paint::Red) };
        let line = step.line.map_or_else(String::new, |line| format!("  line {line}"));
        let mut told = String::new();
        if step.result != "passed" {
            told = format!("  {}", step.result);
            if let Some(error) = &life.error {
                told.push_str(&format!(": {}", printable(error)));
            }
        }
        self.terminal.answer(format_args!(
            "{indent}{} {}{}{told}",
            self.terminal.paint_answer(paint, mark),
            printable(&step.rule),
            self.terminal.paint_answer(Paint::Dim, &line),
        ));
    }

    fn change(&self, change: &Change) {
        let mut text = Inked::default();
        let may = |personal: bool| self.show_personal || !personal;
        if may(change.personal_before) && may(change.personal_after) {
            text.push_change(&plain(&change.before), &plain(&change.after), self.terminal);
        } else {
            text.push(&format!("({})", hidden_change(change)), Ink::Remark);
        }
        self.text(&change.column, &text);
    }

    fn seen(&self, seen: &Seen) {
        let mut text = Inked::default();
        match &seen.value {
            _ if seen.personal && !self.show_personal => {
                text.push("(may hold personal data: `--show-personal` shows it)", Ink::Remark);
            }
            Value::Null => text.push("null", Ink::Remark),
            value => text.push(&plain(value), Ink::Plain),
        }
        self.text(&seen.column, &text);
    }

    fn text(&self, name: &str, text: &Inked) {
        let width = self.terminal.answer_width().min(110).saturating_sub(INDENT);
        let margin = Margin { name, paint: Paint::Dim, width: NAME, gap: 2 };
        for line in text.lines(&margin, width, self.terminal) {
            self.terminal.answer(format_args!("{:INDENT$}{line}", ""));
        }
    }

    fn duplicates(&self, life: &Life) {
        let place = |other: &Other| {
            let id: String = other.id.chars().take(ID_DIGITS).collect();
            let at = if other.line > 0 { format!(" at {}:{}", other.file, other.line) } else { String::new() };
            printable(&format!("{id}{at}"))
        };
        if let Some(of) = &life.duplicate_of {
            let alike = life.similarity.map_or(String::new(), |similarity| format!(", similarity {similarity:.3}"));
            self.terminal.answer(format_args!("  it repeats {}{alike}", place(of)));
        }
        if let Some(bytes) = life.cut_bytes {
            let s = if bytes == 1 { "byte" } else { "bytes" };
            self.terminal.answer(format_args!("  {} {s} of it were cut out, which occurred before", count(bytes)));
        }
        if let Some(copies) = life.copies {
            self.terminal.answer(format_args!("  it is written {copies} times"));
        }
        if life.repeats > 0 {
            let s = if life.repeats == 1 { "record repeats" } else { "records repeat" };
            let named: Vec<String> = life.repeated_by.iter().map(place).collect();
            let more = if (named.len() as u64) < life.repeats { ", …" } else { "" };
            self.terminal.answer(format_args!("  {} {s} it: {}{more}", count(life.repeats), named.join(", ")));
        }
    }

    fn used(&self, used: &RunUse) -> String {
        let RunUse { run, kind, evaluation, prediction } = used;
        let Some(evaluation) = evaluation else {
            let words = if *kind == "trained" { "was trained on it" } else { "was measured on it after each epoch" };
            return format!("{run} {words}");
        };
        let Some(prediction) = prediction else { return format!("{run} was evaluated on it, in {evaluation}") };
        let gold = values(&prediction.gold);
        if prediction.predicted.is_null() {
            return format!("{run} never saw it and counts it as wrong in {evaluation}; it is {gold}");
        }
        if prediction.predicted.is_number() {
            return format!("{run} predicted {} in {evaluation}; it is {gold}", values(&prediction.predicted));
        }
        let sure = prediction.probability.as_f64().map_or(String::new(), |sure| format!(" with {sure:.3}"));
        let right = if same_values(&prediction.predicted, &prediction.gold) {
            "right".to_owned()
        } else {
            format!("wrong, it is {gold}")
        };
        format!("{run} predicted {}{sure} in {evaluation}: {right}", values(&prediction.predicted))
    }

    fn dim(&self, words: &str) {
        self.terminal.answer(self.terminal.paint_answer(Paint::Dim, &printable(words)));
    }

    /// What a program reads of a life.
    pub fn to_json(&self, life: &Life, again: Option<&Again>) -> Value {
        let mut answer = match serde_json::to_value(life) {
            Ok(Value::Object(answer)) => answer,
            Ok(_) | Err(_) => unreachable!("a life has only names and numbers"),
        };
        match again {
            Some(Ok(replayed)) => {
                let step = |(at, changes): &(usize, Vec<Change>)| {
                    let step = life.steps.get(at + 1);
                    let changes: Vec<Value> = changes.iter().map(|change| self.change_facts(change)).collect();
                    json!({ "rule": step.map(|step| &step.rule), "line": step.and_then(|step| step.line), "fields": changes })
                };
                answer.insert("changes".to_owned(), replayed.changes.iter().map(step).collect());
                answer.insert("looked_at".to_owned(), self.seen_facts(&replayed.looked));
                answer.insert("labels".to_owned(), self.seen_facts(&replayed.labels));
            }
            Some(Err(reason)) => {
                answer.insert("not_read_again".to_owned(), json!(reason));
            }
            None => {}
        }
        Value::Object(answer)
    }

    fn change_facts(&self, change: &Change) -> Value {
        // What a `redact` left of a text is still a text of a personal field.
        let withheld = !self.show_personal && (change.personal_before || change.personal_after);
        let shown = |value: &Value| if withheld { Value::Null } else { value.clone() };
        let found: Map<String, Value> =
            change.found.iter().map(|(kind, count)| ((*kind).to_owned(), json!(count))).collect();
        json!({
            "field": change.column,
            "before": shown(&change.before),
            "after": shown(&change.after),
            "withheld": withheld,
            "found": found,
        })
    }

    /// The values by column; those that are not shown are null.
    fn seen_facts(&self, seen: &[Seen]) -> Value {
        let shown = |seen: &Seen| if seen.personal && !self.show_personal { Value::Null } else { seen.value.clone() };
        Value::Object(seen.iter().map(|seen| (seen.column.clone(), shown(seen))).collect())
    }
}

/// A value, or a list of them, in words.
fn values(value: &Value) -> String {
    match value {
        Value::Null => "not known".to_owned(),
        Value::String(name) => name.clone(),
        Value::Array(list) if list.is_empty() => "none".to_owned(),
        Value::Array(list) => list.iter().map(values).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// Whether both are the same value, or the same values in any order.
fn same_values(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().all(|value| b.contains(value)),
        _ => a == b,
    }
}
