//! The rules that no test makes fire.

use std::collections::BTreeSet;

use serde_json::json;

use super::super::check::counted;
use super::super::context::Spec;
use super::super::terminal::{Paint, Terminal};
use super::{difference, place};
use crate::engine::{self, Part, Rule, TestOutcome};
use crate::hir::{Literal, Program};

/// What the tests that ran left out.
pub struct Uncovered {
    /// The rules that did not fire, in order of their places.
    pub rules: Vec<Rule>,
    /// The number of all rules.
    pub total: usize,
}

impl Uncovered {
    /// Compares what fired with what can.
    pub fn of(program: &Program, outcomes: &[TestOutcome]) -> Self {
        let mut rules = engine::rules(program);
        let total = rules.len();
        let fired: BTreeSet<_> = outcomes.iter().flat_map(|outcome| &outcome.fired).collect();
        rules.retain(|rule| !fired.contains(&rule.id));
        Self { rules, total }
    }

    /// Lists them: for programs one on each line.
    pub fn show(&self, terminal: &Terminal, spec: &Spec) {
        if terminal.json() {
            for rule in &self.rules {
                let mut answer = json!({
                    "uncovered": rule.kind,
                    "block": rule.block,
                    "rule": statement(spec, rule),
                    "path": spec.sources.file(rule.place.file).path.display().to_string(),
                    "line": spec.sources.line(rule.place),
                });
                if let Some(dataset) = &rule.dataset {
                    answer["dataset"] = json!(dataset);
                }
                terminal.answer(answer);
            }
            return;
        }
        if self.rules.is_empty() {
            terminal.answer(format_args!("every rule fires in a test: {}", counted(self.total, "rule")));
            return;
        }
        terminal.answer("no test makes these fire:");
        let places: Vec<String> = self.rules.iter().map(|rule| place(spec, rule.place)).collect();
        let width = places.iter().map(|place| place.chars().count()).max().unwrap_or(0);
        let blocks = self.rules.iter().map(|rule| rule.block.chars().count()).max().unwrap_or(0);
        for (rule, place) in self.rules.iter().zip(&places) {
            let of = rule.dataset.as_ref().map(|name| format!("  (data set `{name}`)")).unwrap_or_default();
            terminal.answer(format_args!("  {place:<width$}  {:<blocks$}  {}{of}", rule.block, statement(spec, rule)));
        }
        let summary = format!("{} of {} not covered", self.rules.len(), counted(self.total, "rule"));
        terminal.answer(terminal.paint_answer(Paint::Yellow, &summary));
    }
}

/// A rule as it is written, on one line.
fn statement(spec: &Spec, rule: &Rule) -> String {
    let written = || spec.sources.text(rule.place).split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some(from) = &rule.pack {
        return format!("pack {}: {}", from.pack, from.statement);
    }
    match (&rule.arm, rule.id.part) {
        (Some(arm), _) => {
            let patterns: Vec<String> = arm.patterns.iter().map(pattern).collect();
            let patterns = if patterns.is_empty() { "else".to_owned() } else { patterns.join(", ") };
            let body = if arm.drops { "drop".to_owned() } else { written() };
            format!("{patterns} => {body}")
        }
        (None, Part::ElseDrop) => "else drop".to_owned(),
        (None, Part::Whole | Part::Arm(_) | Part::OfPack(_)) if rule.kind == "template" => {
            format!("template {}", rule.block)
        }
        (None, Part::Whole | Part::Arm(_) | Part::OfPack(_)) => written(),
    }
}

fn pattern(literal: &Literal) -> String {
    match literal {
        Literal::Null => "null".to_owned(),
        Literal::Bool(value) => value.to_string(),
        Literal::Int(value) => value.to_string(),
        Literal::Float(value) => value.to_string(),
        Literal::String(text) => difference::literal(&json!(text)),
    }
}
