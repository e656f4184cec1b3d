//! How records are drawn, for people and for programs.

use serde_json::{Map, Value, json};

use crate::cli::check::counted;
use crate::cli::ink::{Ink, Inked, Margin};
use crate::cli::terminal::{Paint, Terminal};
use crate::diff::words::{Piece, compare};
use crate::emit::count;
use crate::engine::preview::{Change, Rendered};
use crate::engine::{AuditRow, StepOutcome};
use crate::hir::{Column, Dataset, Program, Step, TemplateId, Train};
use crate::shown::{printable, shortened};

/// The digits of an id that are shown to people.
const ID_DIGITS: usize = 12;
/// The columns of the names before texts.
const INDENT: usize = 12;
/// The widest text: longer lines are hard to read.
const WIDEST: usize = 110;

/// What is shown of a data set, and where.
pub struct Shown<'s> {
    /// Where it is shown.
    pub terminal: &'s Terminal,
    /// What the data set is part of.
    pub program: &'s Program,
    /// The data set.
    pub dataset: &'s Dataset,
    /// The template that renders its records.
    pub template: Option<TemplateId>,
    /// Emitted columns that may hold personal data all the same.
    pub withheld: Vec<&'s str>,
    /// Whether values that may hold personal data are shown.
    pub show_personal: bool,
}

impl Shown<'_> {
    /// What the records are that follow.
    pub fn head(&self, part: Option<&str>, run: Option<&Train>, shown: usize, all: usize) {
        let of = part.map_or(String::new(), |part| format!(" of {part}"));
        let by = match run {
            Some(run) => format!(", as {} reads them", run.name),
            None => self.template_name().map_or(String::new(), |name| format!(", rendered by {name}")),
        };
        let records = if all == 1 { "record" } else { "records" };
        self.title_of(&format!("{shown} of {} {records}{of}{by}", count(all as u64)));
    }

    /// A record that is emitted.
    pub fn record(&self, about: &AuditRow<'_>, record: &Rendered) {
        let masked = self.masked_emitted();
        let fields = allowed(&record.fields, &masked);
        let labels: Map<String, Value> = self
            .dataset
            .columns
            .iter()
            .filter(|column| column.label.is_some())
            .filter_map(|column| Some((column.name.clone(), fields.get(&column.name)?.clone())))
            .collect();
        if self.terminal.json() {
            let mut answer = self.place(about);
            answer.insert("part".to_string(), json!(about.split));
            answer.insert("labels".to_string(), Value::Object(labels));
            match self.template_name() {
                Some(name) => {
                    let turn = |turn: &crate::engine::preview::Spoken| json!({ "role": turn.role, "content": turn.content, "train": turn.train });
                    answer.insert("template".to_string(), json!(name));
                    answer.insert("turns".to_string(), record.turns.iter().map(turn).collect());
                }
                None => {
                    answer.insert("fields".to_string(), Value::Object(fields));
                    answer.insert("withheld".to_string(), json!(masked));
                }
            }
            return self.terminal.answer(Value::Object(answer));
        }
        let labels = labels.iter().map(|(name, value)| format!("{} {}", printable(name), printable(&plain(value))));
        let known: Vec<String> = about.split.iter().map(|part| (*part).to_string()).chain(labels).collect();
        self.title(about, &known.join(" · "));
        if self.template.is_none() {
            return self.fields(&record.fields, &masked);
        }
        for turn in &record.turns {
            let mut text = Inked::default();
            if turn.train {
                text.push_marked(&turn.content, Ink::New, ("‹", "›"), self.terminal);
            } else {
                text.push(&turn.content, Ink::Plain);
            }
            self.lines(&turn.role, &text);
        }
    }

    /// A row that was taken out, as it was read.
    pub fn read(&self, about: &AuditRow<'_>, error: Option<&str>, fields: &Map<String, Value>) {
        let masked = self.masked_read();
        if self.terminal.json() {
            let mut answer = self.place(about);
            answer.insert("verdict".to_string(), json!(about.verdict.name()));
            answer.insert("rule".to_string(), json!(about.rule));
            answer.insert("rule_line".to_string(), json!(about.rule_line));
            answer.insert("error".to_string(), json!(error));
            answer.insert("duplicate_of".to_string(), json!(about.duplicate_of.map(|id| id.to_string())));
            answer.insert("fields".to_string(), Value::Object(allowed(fields, &masked)));
            answer.insert("withheld".to_string(), json!(masked));
            return self.terminal.answer(Value::Object(answer));
        }
        let repeats = about.duplicate_of.map(|id| format!("repeats {}", short(&id.to_string())));
        let why = error.map(str::to_string).or(repeats).unwrap_or_default();
        self.title(about, &why);
        self.fields(fields, &masked);
    }

    /// What is shown of the data set.
    pub fn title_of(&self, what: &str) {
        if !self.terminal.json() {
            let line = printable(&format!("{}: {what}", self.dataset.name));
            self.terminal.answer(self.terminal.paint_answer(Paint::Bold, &line));
        }
    }

    /// The rules that took records out, with their counts.
    pub fn funnel(&self, steps: &[&StepOutcome]) {
        let total: u64 = steps.iter().map(|step| step.dropped + step.quarantined).sum();
        self.title_of(&format!("{} taken out by {}, one of each", records(total), counted(steps.len(), "rule")));
    }

    /// A rule that takes records out. Programs read the rule in each record.
    pub fn rule(&self, step: &StepOutcome) {
        if self.terminal.json() {
            return;
        }
        let of = |count: u64, word: &str| (count > 0).then(|| format!("{} {word}", records(count)));
        let counts: Vec<String> =
            [of(step.dropped, "dropped"), of(step.quarantined, "quarantined")].into_iter().flatten().collect();
        self.section(&step.rule, step.line, &counts.join(", "));
    }

    /// A rule that changes records.
    pub fn changing(&self, step: &Step, rows: usize) {
        if !self.terminal.json() {
            self.section(&step.rule, step.line, &format!("{} changed", records(rows as u64)));
        }
    }

    /// What a rule made of a record. Where its values are not shown, they are as they are emitted, if they are.
    pub fn change(&self, about: &AuditRow<'_>, rule: &str, changes: &[Change], emitted: Option<&Rendered>) {
        let masked = self.masked_emitted();
        let emitted = |column: &str| {
            let value = emitted?.fields.get(column).filter(|_| !masked.contains(&column));
            value.map(plain)
        };
        if self.terminal.json() {
            let mut answer = self.place(about);
            answer.insert("rule".to_string(), json!(rule));
            answer.insert("changes".to_string(), changes.iter().map(|change| self.change_facts(change)).collect());
            return self.terminal.answer(Value::Object(answer));
        }
        let fate = about.rule.map_or(String::new(), |rule| format!("later {} by {rule}", about.verdict.name()));
        self.title(about, &printable(&fate));
        for change in changes {
            let mut text = Inked::default();
            if self.may_show(change.personal_before) && self.may_show(change.personal_after) {
                text.push_change(&plain(&change.before), &plain(&change.after), self.terminal);
                self.lines(&change.column, &text);
                continue;
            }
            text.push(&format!("({})", hidden_change(change)), Ink::Remark);
            self.lines(&change.column, &text);
            if let Some(value) = emitted(&change.column) {
                let mut text = Inked::default();
                text.push(&value, Ink::Plain);
                self.lines("emitted as", &text);
            }
        }
    }

    fn change_facts(&self, change: &Change) -> Value {
        let shown = |value: &Value, personal: bool| if self.may_show(personal) { value.clone() } else { Value::Null };
        let found: Map<String, Value> =
            change.found.iter().map(|(kind, count)| ((*kind).to_string(), json!(count))).collect();
        let (out, came) = words_changed(change);
        json!({
            "field": change.column,
            "before": shown(&change.before, change.personal_before),
            "after": shown(&change.after, change.personal_after),
            "withheld": !(self.may_show(change.personal_before) && self.may_show(change.personal_after)),
            "words_out": out,
            "words_in": came,
            "found": found,
        })
    }

    fn may_show(&self, personal: bool) -> bool {
        self.show_personal || !personal
    }

    /// The fields of a record, the masked ones with a note in place of their values.
    fn fields(&self, fields: &Map<String, Value>, masked: &[&str]) {
        for (name, value) in fields {
            let mut text = Inked::default();
            match value {
                _ if masked.contains(&name.as_str()) => {
                    text.push("(may hold personal data: `--show-personal` shows it)", Ink::Remark);
                }
                Value::Null => text.push("null", Ink::Remark),
                value => text.push(&plain(value), Ink::Plain),
            }
            self.lines(name, &text);
        }
    }

    /// The emitted columns whose values are not shown: those that no policy has cleaned.
    fn masked_emitted(&self) -> Vec<&str> {
        if self.show_personal { Vec::new() } else { self.withheld.clone() }
    }

    /// The columns whose values are not shown as they were read: those that are declared personal.
    fn masked_read(&self) -> Vec<&str> {
        let personal = |column: &&Column| column.personal.is_some() && !self.show_personal;
        self.dataset.columns.iter().filter(personal).map(|column| column.name.as_str()).collect()
    }

    pub(super) fn place(&self, about: &AuditRow<'_>) -> Map<String, Value> {
        let place = json!({
            "dataset": self.dataset.name,
            "id": about.id.to_string(),
            "source": about.source,
            "file": about.file,
            "line": about.line,
        });
        match place {
            Value::Object(place) => place,
            _ => unreachable!("an object was written above"),
        }
    }

    /// The line above a record: its id, what is known of it, and where it was read.
    pub(super) fn title(&self, about: &AuditRow<'_>, known: &str) {
        let id = short(&about.id.to_string());
        let place = printable(&format!("{}:{}", about.file, about.line));
        let room = self.width().saturating_sub(ID_DIGITS + 4 + place.chars().count()).max(20);
        let known = shortened(known, room);
        let gap = if known.is_empty() { "" } else { "  " };
        self.terminal.answer("");
        self.terminal.answer(format_args!(
            "{}{gap}{known}  {}",
            self.terminal.paint_answer(Paint::Bold, &id),
            self.terminal.paint_answer(Paint::Dim, &place),
        ));
    }

    fn section(&self, rule: &str, line: u32, counts: &str) {
        let place = if line > 0 { format!(" (line {line})") } else { String::new() };
        let room = self.width().saturating_sub(place.chars().count() + counts.chars().count() + 2).max(20);
        let rule = shortened(&printable(rule), room);
        self.terminal.answer("");
        let head = self.terminal.paint_answer(Paint::Yellow, &rule);
        self.terminal.answer(format_args!("{head}{}: {counts}", self.terminal.paint_answer(Paint::Dim, &place)));
    }

    fn lines(&self, name: &str, text: &Inked) {
        let margin = Margin { name, paint: Paint::Dim, width: INDENT, gap: 2 };
        for line in text.lines(&margin, self.width(), self.terminal) {
            self.terminal.answer(line);
        }
    }

    /// A line behind the margin, which is not wrapped.
    pub(super) fn row(&self, name: &str, line: &str) {
        let name = self.terminal.paint_answer(Paint::Dim, &format!("{name:>INDENT$}"));
        self.terminal.answer(format_args!("{name}  {line}"));
    }

    /// The columns behind the margin.
    pub(super) fn room(&self) -> usize {
        self.width().saturating_sub(INDENT + 2).max(20)
    }

    fn width(&self) -> usize {
        self.terminal.answer_width().min(WIDEST)
    }

    fn template_name(&self) -> Option<&str> {
        self.template.map(|id| self.program[id].name.as_str())
    }
}

/// The fields whose values are shown.
fn allowed(fields: &Map<String, Value>, masked: &[&str]) -> Map<String, Value> {
    let shown = fields.iter().filter(|(name, _)| !masked.contains(&name.as_str()));
    shown.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// What is said of a change whose values are not shown.
pub fn hidden_change(change: &Change) -> String {
    let (out, came) = words_changed(change);
    let found: Vec<String> = change.found.iter().map(|(kind, count)| format!("{kind} × {count}")).collect();
    let found = if found.is_empty() { String::new() } else { format!("{}; ", found.join(", ")) };
    let words = match (out, came) {
        (0, 0) => "spaces or the form of characters alone".to_string(),
        (out, came) => format!("{} out, {came} in", counted(out, "word")),
    };
    format!("{found}{words}: `--show-personal` shows it")
}

/// How many words went out and came in; of spaces alone none.
fn words_changed(change: &Change) -> (usize, usize) {
    let (before, after) = (plain(&change.before), plain(&change.after));
    let words = |text: &str| text.split_whitespace().count();
    compare(&before, &after).iter().fold((0, 0), |(out, came), piece| match piece {
        Piece::Same(_) => (out, came),
        Piece::Out(text) => (out + words(text), came),
        Piece::In(text) => (out, came + words(text)),
    })
}

/// A text as it is, anything else as JSON.
pub fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

fn records(number: u64) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{} record{s}", count(number))
}

fn short(id: &str) -> String {
    id.chars().take(ID_DIGITS).collect()
}
