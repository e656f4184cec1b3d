//! What went otherwise in a test, for people and for programs.

use serde_json::{Value, json};

use super::difference::{self, Mark};
use crate::engine::{CaseFailure, Difference, Ending, Mismatch, RuleRef, Wanted};

/// The lines below the place of a failure.
pub fn lines(failure: &CaseFailure, mark: Option<Mark<'_>>) -> Vec<String> {
    let mut lines: Vec<String> = failure.dataset.iter().map(|name| format!("in data set `{name}`")).collect();
    match &failure.mismatch {
        Mismatch::Ending { expected, got } => {
            lines.push(format!("expected  {}", wanted(expected)));
            lines.extend(ending(got).into_iter().enumerate().map(|(at, line)| {
                let word = if at == 0 { "got" } else { "" };
                format!("{word:<8}  {line}")
            }));
        }
        Mismatch::Values(differences) => {
            for Difference { name, expected, got } in differences {
                for (path, expected, got) in difference::places(name, expected, got) {
                    lines.push(path);
                    let compared = difference::lines(&expected, &got, mark);
                    lines.extend(compared.into_iter().map(|line| format!("  {line}")));
                }
            }
        }
        Mismatch::Unrendered(reason) => lines.push(format!("the template could not be rendered: {reason}")),
    }
    lines
}

/// A failure in one sentence.
pub fn message(failure: &CaseFailure) -> String {
    let said = match &failure.mismatch {
        Mismatch::Ending { expected, got } => {
            format!("expected {}, got {}", wanted(expected), ending(got).join("; "))
        }
        Mismatch::Values(differences) => {
            let names: Vec<String> = differences.iter().map(|difference| format!("`{}`", difference.name)).collect();
            let verb = if names.len() == 1 { "is" } else { "are" };
            format!("{} {verb} not as expected", names.join(", "))
        }
        Mismatch::Unrendered(reason) => format!("the template could not be rendered: {reason}"),
    };
    match &failure.dataset {
        Some(dataset) => format!("in data set `{dataset}`: {said}"),
        None => said,
    }
}

/// The failure for programs.
pub fn to_json(failure: &CaseFailure, line: usize) -> Value {
    let mut answer = json!({ "record": failure.case + 1, "line": line, "message": message(failure) });
    if let Some(dataset) = &failure.dataset {
        answer["dataset"] = json!(dataset);
    }
    match &failure.mismatch {
        Mismatch::Ending { expected, got } => {
            answer["expected"] = match expected {
                Wanted::Kept(value) => kept(value.as_ref()),
                Wanted::Dropped(rule) => verdict("dropped", rule.as_ref()),
                Wanted::Quarantined => json!({ "verdict": "quarantined" }),
            };
            answer["got"] = match got {
                Ending::Kept(value) => kept(value.as_ref()),
                Ending::Dropped { rule, .. } => verdict("dropped", Some(rule)),
                Ending::Quarantined { rule, value, .. } => {
                    let mut quarantined = verdict("quarantined", Some(rule));
                    quarantined["value"] = value.clone();
                    quarantined
                }
            };
        }
        Mismatch::Values(differences) => {
            let difference = |Difference { name, expected, got }: &Difference| json!({ "name": name, "expected": expected, "got": got });
            answer["differences"] = differences.iter().map(difference).collect();
        }
        Mismatch::Unrendered(_) => {}
    }
    answer
}

fn kept(value: Option<&Value>) -> Value {
    match value {
        Some(value) => json!({ "verdict": "kept", "value": value }),
        None => json!({ "verdict": "kept" }),
    }
}

/// A verdict with the rule that gives it, in the words of the audit.
fn verdict(word: &str, rule: Option<&RuleRef>) -> Value {
    match rule {
        Some(rule) => json!({ "verdict": word, "rule": rule.rule, "rule_line": rule.line }),
        None => json!({ "verdict": word }),
    }
}

fn wanted(wanted: &Wanted) -> String {
    match wanted {
        Wanted::Kept(None) => "kept".to_owned(),
        Wanted::Kept(Some(value)) => format!("kept, with the value {}", difference::literal(value)),
        Wanted::Dropped(None) => "dropped".to_owned(),
        Wanted::Dropped(Some(rule)) => format!("dropped by {}", shown(rule)),
        Wanted::Quarantined => "quarantined".to_owned(),
    }
}

/// What became of the record, then what a reader wants to know next.
fn ending(ending: &Ending) -> Vec<String> {
    match ending {
        Ending::Kept(None) => vec!["kept: no rule dropped it".to_owned()],
        Ending::Kept(Some(value)) => vec![format!("kept, with the value {}", difference::literal(value))],
        Ending::Dropped { rule, duplicate_of, expected_too } => {
            let mut lines = vec![format!("dropped by {}", shown(rule))];
            if let Some(of) = duplicate_of {
                lines.push(format!("it repeats record {} of the test", of + 1));
            }
            if *expected_too {
                lines.push("the rule that was expected would drop it too, but stands later".to_owned());
            }
            lines
        }
        Ending::Quarantined { rule, reason, value, closest } => {
            let mut lines = vec![format!("quarantined by {}: {reason}", shown(rule))];
            if let Some(raw) = value.as_str() {
                lines.push(format!("the value is {}", difference::literal(&json!(raw))));
            }
            if let Some(closest) = closest {
                lines.push(format!("the closest value is `{closest}`"));
            }
            lines
        }
    }
}

/// `"too short" (line 12)`
fn shown(rule: &RuleRef) -> String {
    format!("{} (line {})", difference::literal(&json!(rule.rule)), rule.line)
}
