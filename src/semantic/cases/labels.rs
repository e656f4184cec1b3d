//! Label schemas: what their values are in conditions and statements, and constraints between labels.

use super::{all_shown, check};

const SPEC: &str = "annot 1
source posts {
  path \"posts.jsonl\"
  fields { text: string; stars: int; hot: bool; spam: string; found: list<{ start: int, end: int, label: string }>
    facts: { amount: float, currency: string? } }
}
label flagged: flag
label mood: choice { bad; good }
";

/// Declarations, statements of a data set of `posts`; the code that is found, if any, and the text under its primary place.
type Case = (&'static str, &'static str, Option<(&'static str, &'static str)>);

const CASES: &[Case] = &[
    // What a schema's values are.
    ("label severity: scale 1..5", "label severity = stars", None),
    ("label severity: scale 1..5", "label severity = text", Some(("E0206", "text"))),
    ("label price: number", "label price = stars", None),
    ("label price: number", "label price = hot", Some(("E0206", "hot"))),
    ("", "label flagged = hot", None),
    ("", "label flagged = stars", Some(("E0206", "stars"))),
    ("label people: spans over text { PERSON }", "label people = found", None),
    ("label people: spans over text { PERSON }", "label people = text", Some(("E0206", "text"))),
    ("label fact: json { amount: float }", "label fact = facts", None),
    ("label fact: json { amount: string }", "label fact = facts", Some(("E0206", "facts"))),
    // … and in a condition.
    (
        "label severity: scale 1..5\npolicy p { forbid \"hot\" when severity >= 4 else drop }",
        "label severity = stars\npolicy p",
        None,
    ),
    ("policy p { forbid \"hot\" when flagged else drop }", "label flagged = hot\npolicy p", None),
    ("policy p { forbid \"hot\" when mood >= good else drop }", "label mood = spam\npolicy p", Some(("E0206", "mood"))),
    // Schemas that are wrong in themselves.
    ("label topics: choices(1..4) { a; b; c }", "label mood = spam", Some(("E1004", "4"))),
    ("label topics: choices(2..1) { a; b; c }", "label mood = spam", Some(("E0215", "2..1"))),
    ("label steps: scale 1..2.5", "label mood = spam", Some(("E0215", "2.5"))),
    ("label keyed: choice { a key \"x\"; b key \"x\" }", "label mood = spam", Some(("E1006", "\"x\""))),
    ("label keyed: choice { a key \"xy\"; b key \"x\" }", "label mood = spam", Some(("E1004", "\"xy\""))),
    ("label fact: json { a: int; a: float }", "label mood = spam", Some(("E0108", "a"))),
    // Constraints: their types, and what cannot hold.
    ("label s: scale 1..5 { when flagged require s >= 3 }", "label s = stars\nlabel flagged = hot", None),
    ("label s: scale 1..5 { when hot == true require s >= 3 }", "label s = stars", None),
    ("label s: scale 1..5 { when hott == true require s >= 3 }", "label s = stars", Some(("E0201", "hott"))),
    ("label s: scale 1..5 { when s require s >= 3 }", "label mood = spam", Some(("E0207", "s"))),
    ("label s: scale 1..5 { when flagged require s >= 7 }", "label mood = spam", Some(("E1005", "s >= 7"))),
    (
        "label s: scale 1..5 { when mood == bad require s <= 2; when mood in [bad, good] require s > 2 }",
        "label mood = spam",
        Some(("E1005", "s > 2")),
    ),
    (
        "label s: scale 1..5 { when mood == bad require s <= 2; when mood == good require s > 2 }",
        "label mood = spam",
        None,
    ),
    (
        "label s: scale 1..5 { when hot == true require s <= 2; when hot == true require s > 2 }",
        "label mood = spam",
        Some(("E1005", "s > 2")),
    ),
    ("label s: scale 1..5 { when s >= 4 require mood == bad }", "label mood = spam", None),
];

#[test]
fn labels_have_the_types_of_their_schemas() {
    let mut wrong = String::new();
    for (declarations, statements, expected) in CASES {
        let text = format!(
            "{SPEC}{declarations}\ndataset d {{\n  from posts\n  {statements}\n  split train 90%, test 10%\n}}\n"
        );
        let checked = check(&text);
        // What no data set of a case uses is no concern of it.
        let found: Vec<(&str, &str)> = checked
            .found
            .iter()
            .filter(|found| found.code.id() != "W0106")
            .map(|found| (found.code.id(), checked.files.text(found.labels[0].span)))
            .collect();
        if found != expected.iter().copied().collect::<Vec<_>>() {
            wrong += &format!("== {declarations} | {statements}\n{}\n", all_shown(&checked, &checked.found));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
