//! Personal data on its way: through every form of expression and every statement, each leak with its whole path.

use super::{all_shown, check};
use crate::diagnostics::has_errors;

/// A specification whose one data set prints `printed` in an answer.
fn spec(blocks: &str, statements: &str, printed: &str) -> String {
    format!(
        "annot 1
source s {{
  path \"a.jsonl\"
  fields {{
    text: string @personal
    mail: string @personal(email, name)
    who: {{ mail: string, name: string? }} @personal
    notes: list<string> @personal
    history: list<{{ role: string, content: string }}> @personal
    secret: string @personal @drop
    note: string?
    category: string
    stars: int
  }}
}}
label found: choice from s.category
label mood: choice {{ good; bad }}
fn shouted(a: string, b: string) = (b |> lowercase) + a
{blocks}
template t: chat {{ user \"Well?\"; {printed} }}
dataset d {{
  from s
{statements}
  split train 90%, test 10%
  write messages from t
}}
"
    )
}

/// The texts under the labels of the one leak.
fn path(text: &str) -> Vec<String> {
    let checked = check(text);
    let leaks: Vec<_> = checked.found.iter().filter(|found| found.code.id() == "E0401").collect();
    let [leak] = leaks.as_slice() else { panic!("{text}\n{}", all_shown(&checked, &checked.found)) };
    leak.labels.iter().map(|label| checked.files.text(label.span).to_owned()).collect()
}

#[test]
fn computed_values_carry_it() {
    const TEXT: &str = "text: string @personal";
    let cases: [(&[&str], &str); 12] = [
        (&["set category = text"], TEXT),
        (&["set category = text match { \"a\" => \"x\"; else => \"y\" }"], TEXT),
        (&["set category = stars match { 1 => text; else => \"y\" }"], TEXT),
        (&["set category = stars match { 1 => \"x\"; else => text }"], TEXT),
        (&["set category = note ?? text"], TEXT),
        (&["set category = shouted(category, text)"], TEXT),
        (&["set category = shouted(text, category)"], TEXT),
        (&["set category = language(text) ?? \"en\""], TEXT),
        (&["set note = text", "set category = note ?? \"none\""], TEXT),
        (&["set category = category + (\"-\" + who.mail)"], "who: { mail: string, name: string? } @personal"),
        (&["set category = who.name ?? \"none\""], "who: { mail: string, name: string? } @personal"),
        (&["set note = secret", "set category = (note ?? \"none\") + \".\""], "secret: string @personal @drop"),
    ];
    for (sets, declared) in cases {
        let found =
            path(&spec(&format!("clean c {{ {} }}", sets.join("; ")), "  clean c", "assistant \"{{ category }}\""));
        let expected: Vec<&str> = ["t", declared].into_iter().chain(sets.iter().copied()).chain(["category"]).collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn templates_carry_it() {
    let printed = [
        ("assistant \"{{ text }}\"", "text"),
        ("assistant \"{{ text|length }}\"", "text"),
        ("assistant \"{% if text == 'a' %}x{% endif %}\"", "text"),
        ("assistant \"{% set x = text %}{{ x }}\"", "text"),
        ("assistant \"{{ who.name|default('', true) }}\"", "who.name"),
        ("assistant \"{% for one in notes %}{{ one }}{% endfor %}\"", "notes"),
        ("assistant \"{{ [category, mail]|join }}\"", "mail"),
        ("turns history", "history"),
    ];
    for (slot, place) in printed {
        let found = path(&spec("", "", slot));
        assert_eq!((found[0].as_str(), found.last().map(String::as_str)), ("t", Some(place)), "{slot}");
        assert_eq!(found.len(), 3, "{slot}");
    }
}

#[test]
fn labels_and_rules_carry_it() {
    // The label was read off the text before the policy redacted that.
    let open = spec("policy p { redact text: email }", "  label found = text\n  policy p", "assistant \"{{ found }}\"");
    assert_eq!(path(&open), ["t", "text: string @personal", "label found = text", "found"]);
    let partly = spec("policy p { redact mail: email }", "  policy p", "assistant \"{{ mail }}\"");
    assert_eq!(path(&partly), ["t", "mail: string @personal(email, name)", "mail"]);
    let counted = spec(
        "clean c { set note = text }\npolicy p { require count() >= 1 per note }",
        "  clean c\n  policy p",
        "assistant \"{{ category }}\"",
    );
    assert_eq!(path(&counted), ["note", "text: string @personal", "set note = text"]);
    let joined = spec("clean c { set category = text + mail }", "  clean c", "assistant \"{{ category }}\"");
    let both = [
        "t",
        "text: string @personal",
        "mail: string @personal(email, name)",
        "set category = text + mail",
        "category",
    ];
    assert_eq!(path(&joined), both);
}

#[test]
fn evaluations_carry_it() {
    let run = |blocks: &str| {
        let clean =
            "policy p { redact @personal: email, phone; allow personal mail, who, notes, history because \"ours\" }";
        let run = "model m { onnx \"m\" }\ntrain r { model m; data d; task classify mood from text; epochs 1 }";
        let label = "  label mood = category\n  policy p";
        spec(&format!("{clean}\n{run}\n{blocks}"), label, "assistant \"{{ mood }}\"")
    };
    let slice = "evaluate r on d.test { report accuracy; by category }";
    let checked = check(&run(slice));
    assert!(!has_errors(&checked.found), "{}", all_shown(&checked, &checked.found));
    // Another data set, where nothing was redacted, is written for the evaluation too.
    let other = "dataset e { from s; label mood = category; split train 50%, test 50% }\n\
        evaluate r on e.test { report accuracy; by category }";
    assert_eq!(path(&run(other)), ["e", "text: string @personal"]);
    let slices = other.replace("by category", "by who.mail").replace("split", "policy q; split");
    let slices = format!("policy q {{ redact text: email }}\n{slices}");
    assert_eq!(path(&run(&slices)), ["who.mail", "who: { mail: string, name: string? } @personal"]);
    let told = "template g: chat { user \"{{ text }}\"; assistant \"{{ mood }}\" }\n\
        train w { model m; data d; task generate from g; epochs 1 }\n\
        dataset e { from s; label mood = category; split train 50%, test 50% }\n\
        evaluate w on e.test { report perplexity }";
    assert_eq!(path(&run(told)), ["e", "text: string @personal", "text"]);
}

/// What decides where a record goes is not written, and a closed list of values holds nobody's data.
#[test]
fn what_is_not_written_is_no_leak() {
    for statements in ["  label mood = text match { x => good; else => bad }", "  label mood = text"] {
        for split in [
            "train 90%, test 10% by text near 0.9",
            "train 90%, test 10% by mail",
            "train 90%, test 10% stratify secret",
            "as text",
        ] {
            let text = spec("", statements, "assistant \"{{ mood }}\"").replace("train 90%, test 10%", split);
            let checked = check(&text);
            let leaks = checked.found.iter().filter(|found| found.code.id() == "E0401").count();
            assert_eq!(leaks, 0, "{}", all_shown(&checked, &checked.found));
        }
    }
}
