//! Tests of a spec's blocks: what is met, what is not and how that is told, what fires.

use super::super::{Ending, Mismatch, Part, Wanted, rules, run_tests};
use super::program;
use crate::hir::Program;

const SPEC: &str = r#"annot 1
source s {
  path "a.jsonl"; license "MIT"
  fields {
    text: string
    kind: string?
    n: int?
    day: date?
    turns: list<{ role: string, content: string, weight: float? }>
  }
}
source t { path "b.jsonl"; license "MIT"; fields { text: string; sort: string } }
label mood: choice { good "Very good"; bad }
label topic: choice from s.kind
clean tidy {
  set text = text |> collapse_whitespace
  drop "short" when words(text) < 2
  drop "large" when n > 5
  dedup text exactly
  dedup text near 0.8
}
policy safe {
  redact text: email, phone
  forbid "secret" when text matches /secret/
  forbid "hidden" when text matches /hidden/ else drop
}
template pair: completion { prompt "{{ text }}"; completion " {{ mood.title }}" }
template talk: chat {
  system "Talk."
  turns turns
  user "{{ text }}"
  assistant "{{ kind|default('none', true) }}"
}
template better: preference { prompt "{{ text }}"; chosen "{{ good }}"; rejected "{{ bad }}" }
template alone: text { text "{{ text|upper }}\n" }
dataset d {
  from s
  clean tidy
  label mood = kind match { "+" => good; "-", "--" => bad; "0" => drop; else => kind } else drop
  label topic = kind else drop
  policy safe
  split train 80%, test 20% seed 3
  write prompt_completion from pair
  write messages from talk
}
dataset e { from t; label mood = sort; split train 80%, test 20%; write prompt_completion from pair }
"#;

/// A test's block with its records and expectations, and what is not met: "record: expected / got".
type Case = (&'static str, &'static [(&'static str, &'static str)], &'static [&'static str]);

const TURNS: &str = r#"{ text: "a", turns: [{ role: "user", content: "b" }, { role: "assistant", content: "c" }] }"#;

const CASES: &[Case] = &[
    ("tidy", &[(r#"{ text: "a   b" }"#, r#"{ text: "a b", n: null }"#)], &[]),
    ("tidy", &[(r#"{ text: "a" }"#, r#"drop "short""#), (r#"{ text: "a" }"#, "drop")], &[]),
    ("tidy", &[(r#"{ text: "a b" }"#, r#"drop "short""#)], &["1: dropped by short, line 17 / kept"]),
    (
        "tidy",
        &[(r#"{ text: "a b" }"#, "drop"), (r#"{ text: "c d", n: 6 }"#, r#"drop "large""#)],
        &["1: dropped / kept"],
    ),
    ("tidy", &[(r#"{ text: "a" }"#, r#"{ text: "a" }"#)], &["1: kept / dropped by short, line 17"]),
    (
        "tidy",
        &[(r#"{ text: "a" }"#, r#"drop "large""#), (r#"{ text: "a", n: 6 }"#, r#"drop "large""#)],
        &[
            "1: dropped by large, line 18 / dropped by short, line 17",
            "2: dropped by large, line 18 / dropped by short, line 17, expected too",
        ],
    ),
    ("tidy", &[(r#"{ text: "a b", n: 3 }"#, r#"{ text: "b", n: 4 }"#)], &[r#"1: text "b" / "a b", n 4 / 3"#]),
    // The records of a test are compared with each other, and those of another test are not.
    (
        "tidy",
        &[(r#"{ text: "a b" }"#, r#"{ text: "a b" }"#), (r#"{ text: "a  b" }"#, r#"drop "dedup text exactly""#)],
        &[],
    ),
    (
        "tidy",
        &[
            (r#"{ text: "one two three four five six seven eight nine ten eleven" }"#, "{ n: null }"),
            (
                r#"{ text: "one two three four five six seven eight nine ten eleven twelve" }"#,
                r#"drop "dedup text near 0.8""#,
            ),
            (r#"{ text: "one two three four five six seven eight nine ten eleven" }"#, "{ n: null }"),
        ],
        &["3: kept / dropped by dedup text exactly, line 19, repeats 1"],
    ),
    (
        "tidy",
        &[(
            r#"{ text: "a b", day: "2024-05-31", turns: [{ role: "user", content: "x" }] }"#,
            r#"{ day: "2024-06-01", turns: [{ role: "user", content: "x", weight: 1 }] }"#,
        )],
        &[
            r#"1: day "2024-06-01" / "2024-05-31", turns [{"role":"user","content":"x","weight":1.0}] / [{"role":"user","content":"x","weight":null}]"#,
        ],
    ),
    ("safe", &[(r#"{ text: "to a@b.example now" }"#, r#"{ text: "to [EMAIL] now" }"#)], &[]),
    ("safe", &[(r#"{ text: "a secret" }"#, r#"drop "secret""#), (r#"{ text: "hidden" }"#, r#"drop "hidden""#)], &[]),
    // Both data sets that give the label a value must agree; `e` takes names alone.
    (
        "mood",
        &[(r#"{ kind: "good", sort: "good" }"#, "{ mood: good }"), (r#"{ kind: null, sort: "bad" }"#, "drop")],
        &["e 2: dropped / kept as \"bad\""],
    ),
    (
        "mood",
        &[
            (r#"{ kind: "+", sort: "good" }"#, "{ mood: bad }"),
            (r#"{ kind: "god", sort: "god" }"#, "quarantine"),
            (r#"{ kind: "bad", sort: "god" }"#, "{ mood: bad }"),
            (r#"{ kind: "0", sort: "0" }"#, "quarantine"),
            (r#"{ kind: "--", sort: "bad" }"#, "{ mood: bad }"),
        ],
        &[
            "d 1: mood \"bad\" / \"good\"",
            "d 4: quarantined / dropped by label mood, line 39",
            "e 1: mood \"bad\" / \"good\"",
            "e 3: kept as \"bad\" / quarantined by label mood, line 46: \"god\", near good",
        ],
    ),
    ("topic", &[(r#"{ kind: "anything" }"#, "{ topic: anything }"), (r#"{ kind: null }"#, "drop")], &[]),
    ("pair", &[(r#"{ text: "a ", mood: good }"#, r#"{ prompt: "a ", completion: " Very good" }"#)], &[]),
    ("pair", &[(r#"{ text: "a ", mood: good }"#, r#"{ prompt: "a" }"#)], &[r#"1: prompt "a" / "a ""#]),
    ("talk", &[(TURNS, r#"{ system: "Talk.", user: ["b", "a"], assistant: ["c", "none"] }"#)], &[]),
    ("talk", &[(TURNS, r#"{ user: "a", tool: [] }"#)], &[r#"1: user ["a"] / ["b","a"]"#]),
    (
        "talk",
        &[(r#"{ text: "a", turns: [{ role: "boss", content: "b" }] }"#, r#"{ user: "a" }"#)],
        &["1: a turn of `turns` has a role that is none of system, user, assistant, tool"],
    ),
    (
        "better",
        &[(r#"{ text: "a", good: "b", bad: "c" }"#, r#"{ prompt: "a", chosen: "b", rejected: "d" }"#)],
        &[r#"1: rejected "d" / "c""#],
    ),
    ("alone", &[(r#"{ text: "a" }"#, r#"{ text: "A\n" }"#)], &[]),
];

fn with_tests(cases: &[Case]) -> Program {
    let mut spec = SPEC.to_owned();
    for (at, (block, records, _)) in cases.iter().enumerate() {
        spec += &format!("test {block} \"{at}\" {{\n");
        for (given, expect) in *records {
            spec += &format!("  given {given}\n  expect {expect}\n");
        }
        spec += "}\n";
    }
    program(&spec)
}

fn wanted(wanted: &Wanted) -> String {
    match wanted {
        Wanted::Kept(None) => "kept".to_owned(),
        Wanted::Kept(Some(value)) => format!("kept as {value}"),
        Wanted::Dropped(None) => "dropped".to_owned(),
        Wanted::Dropped(Some(rule)) => format!("dropped by {}, line {}", rule.rule, rule.line),
        Wanted::Quarantined => "quarantined".to_owned(),
    }
}

fn ending(ending: &Ending) -> String {
    match ending {
        Ending::Kept(None) => "kept".to_owned(),
        Ending::Kept(Some(value)) => format!("kept as {value}"),
        Ending::Dropped { rule, duplicate_of, expected_too } => {
            let repeats = duplicate_of.map(|of| format!(", repeats {}", of + 1)).unwrap_or_default();
            let too = if *expected_too { ", expected too" } else { "" };
            format!("dropped by {}, line {}{repeats}{too}", rule.rule, rule.line)
        }
        Ending::Quarantined { rule, value, closest, .. } => {
            let near = closest.as_ref().map(|name| format!(", near {name}")).unwrap_or_default();
            format!("quarantined by {}, line {}: {value}{near}", rule.rule, rule.line)
        }
    }
}

fn mismatch(mismatch: &Mismatch) -> String {
    match mismatch {
        Mismatch::Ending { expected, got } => format!("{} / {}", wanted(expected), ending(got)),
        Mismatch::Values(differences) => {
            let shown = differences.iter().map(|one| format!("{} {} / {}", one.name, one.expected, one.got));
            shown.collect::<Vec<_>>().join(", ")
        }
        Mismatch::Unrendered(reason) => reason.clone(),
    }
}

#[test]
fn blocks_are_tested_by_the_code_of_a_build() {
    let program = with_tests(CASES);
    let tests: Vec<_> = program.tests.iter().collect();
    let outcomes = run_tests(&program, &tests).unwrap();
    for ((block, records, expected), outcome) in CASES.iter().zip(&outcomes) {
        let failures = outcome.failures.iter().map(|failure| {
            let dataset = failure.dataset.as_ref().map(|name| format!("{name} ")).unwrap_or_default();
            format!("{dataset}{}: {}", failure.case + 1, mismatch(&failure.mismatch))
        });
        assert_eq!(failures.collect::<Vec<_>>(), *expected, "{block} {records:?}");
    }
}

/// The rules that these tests leave out, in order of their places.
fn uncovered(cases: &[Case]) -> Vec<String> {
    let program = with_tests(cases);
    let tests: Vec<_> = program.tests.iter().collect();
    let outcomes = run_tests(&program, &tests).unwrap();
    let fired: Vec<_> = outcomes.iter().flat_map(|outcome| &outcome.fired).collect();
    let missing = rules(&program).into_iter().filter(|rule| !fired.contains(&&rule.id));
    let shown = missing.map(|rule| {
        let dataset = rule.dataset.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
        let part = match rule.id.part {
            Part::Whole => String::new(),
            Part::Arm(at) => format!(" arm {at}"),
            Part::ElseDrop => " else drop".to_owned(),
            Part::OfPack(at) => format!(" rule {at}"),
        };
        format!("{} {}{part}{dataset}", rule.kind, rule.block)
    });
    shown.collect()
}

#[test]
fn rules_that_no_record_meets_are_named() {
    assert_eq!(uncovered(CASES), [""; 0], "the cases above make every rule fire");
    // A rule that is reached and does nothing, and one behind the rule that drops, have not fired.
    let few: &[Case] = &[
        ("tidy", &[(r#"{ text: "a b", n: null }"#, "{ n: null }"), (r#"{ text: "a", n: 6 }"#, "drop")], &[]),
        ("safe", &[(r#"{ text: "nothing" }"#, "{ n: null }"), (r#"{ text: "my secret" }"#, "drop")], &[]),
        ("mood", &[(r#"{ kind: "--", sort: "god" }"#, "quarantine"), (r#"{ kind: null, sort: "good" }"#, "drop")], &[]),
        ("alone", &[(r#"{ text: "a" }"#, r#"{ text: "wrong" }"#)], &[]),
    ];
    let expected = [
        "set tidy",
        "drop tidy",
        "dedup tidy",
        "dedup tidy",
        "redact safe",
        "forbid safe",
        "template pair",
        "template talk",
        "template better",
        "label mood arm 0 of d",
        "label mood arm 2 of d",
        "label topic of d",
        "label topic else drop of d",
    ];
    let mut found = uncovered(few);
    found.sort_unstable();
    let mut wanted = expected.map(str::to_owned).to_vec();
    wanted.sort_unstable();
    assert_eq!(found, wanted);
}
