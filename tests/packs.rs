//! Packs: the cases that their public implementations are tested with, and how a pack looks to who uses it.

use std::fmt::Write;

use serde_json::Value;

use crate::support::Project;

/// Cases of datatrove's own tests, as data: see the file for where they come from and their licence.
const CASES: &str = include_str!("fixtures/packs/datatrove.json");

/// A text as a string of the language. JSON's escapes are among the language's.
fn quoted(text: &Value) -> String {
    text.to_string()
}

/// A specification with a `clean` block and a unit test for each case.
fn as_unit_tests(cases: &[Value]) -> String {
    let mut spec = String::from("annot 1\n");
    for (at, case) in cases.iter().enumerate() {
        let options = case["options"].as_object().expect("options are named");
        let options: Vec<String> =
            options.iter().map(|(name, value)| format!("{name} {}", value.to_string().trim_matches('"'))).collect();
        let pack = case["pack"].as_str().expect("a pack is named");
        let expected = match (case["drop"].as_str(), &case["becomes"]) {
            (Some(reason), _) => format!("drop {reason:?}"),
            (None, Value::Null) => format!("{{ text: {} }}", quoted(&case["text"])),
            (None, becomes) => format!("{{ text: {} }}", quoted(becomes)),
        };
        let (name, text) = (quoted(&case["test"]), quoted(&case["text"]));
        write!(
            spec,
            "clean case{at} {{ pack {pack} {{ {} }} }}\ntest case{at} {name} {{\n  given {{ text: {text} }}\n  expect {expected}\n}}\n",
            options.join("; ")
        )
        .expect("a string takes every write");
    }
    spec
}

#[test]
fn packs_say_of_the_cases_of_public_implementations_what_these_say() {
    let file: Value = serde_json::from_str(CASES).expect("the cases are JSON");
    let cases = file["cases"].as_array().expect("there is a list of cases");
    let project = Project::new(&[("cases.annot", as_unit_tests(cases).as_bytes())]);
    let run = project.annotc(&["test", "cases.annot"]).expect(0);
    let said = format!("{} tests passed", cases.len());
    assert!(run.stdout.contains(&said) || run.stderr.contains(&said), "{}{}", run.stdout, run.stderr);
}
