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

const PAGES: &str = r#"annot 1

source pages {
  path    "pages.jsonl"
  license "CC0-1.0"
  fields  { body: string; site: string }
}

clean filtered {
  drop "no site" when site == ""
  pack gopher_quality of body { min_doc_words 5; min_stop_words off; max_symbol_word_ratio off }
  pack c4 of body { min_num_sentences 1 }
}

dataset web {
  from  pages
  clean filtered
  split train 100%
  write jsonl
}

test filtered "drops what is short" {
  given  { body: "Too short.", site: "a" }
  expect drop "gopher_short_doc"
}
test filtered "takes out a menu" {
  given  { body: "Home | News\nThis is the news of the day.", site: "a" }
  expect { body: "This is the news of the day." }
}
"#;

/// Pages of which each says what becomes of it.
const RECORDS: &str = r#"{"body":"Too short.","site":"a"}
{"body":"Home, News and more\nThe card has arrived on Monday.","site":"a"}
{"body":"It says lorem ipsum in the middle.","site":"b"}
{"body":"A line that ends without a mark","site":"b"}
{"body":"internationalization internationalization internationalization internationalization internationalization","site":"b"}
{"body":"One whole sentence stands here.","site":""}
"#;

#[test]
fn a_build_counts_and_names_each_rule_of_a_pack() {
    let project = Project::new(&[("web.annot", PAGES.as_bytes()), ("pages.jsonl", RECORDS.as_bytes())]);
    project.annotc(&["build", "web.annot"]).expect(0);
    let manifest = project.json("build/web/manifest.json");
    let steps = manifest["steps"].as_array().expect("steps");
    let dropped: Vec<String> = steps
        .iter()
        .filter(|step| step["dropped"].as_u64() > Some(0) || step["changed"].as_u64() > Some(0))
        .map(|step| format!("{} {}", step["rule"].as_str().unwrap_or("read"), step["dropped"]))
        .collect();
    assert_eq!(
        dropped,
        [
            "no site 1",
            "gopher_short_doc 1",
            "gopher_above_avg_threshold 1",
            "line-filter-no_terminal_punc 0",
            "lorem_ipsum 1",
            "too_few_sentences 1"
        ]
    );
    let rows = project.lines("build/web/jsonl/train.jsonl");
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["body"], "The card has arrived on Monday.");
}

#[test]
fn a_pack_shows_its_rules_wherever_rules_are_shown() {
    let project = Project::new(&[("web.annot", PAGES.as_bytes()), ("pages.jsonl", RECORDS.as_bytes())]);
    let plan = project.annotc(&["plan", "web.annot"]).expect(0).stdout;
    assert!(plan.contains("when prose_words(body) < 5") && plan.contains("drop_lines(body, /javascript/i)"), "{plan}");
    assert!(!plan.contains("gopher_enough_stop_words"), "an option that is off takes its rule out: {plan}");
    let shown = project.annotc(&["preview", "web.annot", "--dropped"]).expect(0).stdout;
    assert!(shown.contains("gopher_above_avg_threshold") && shown.contains("lorem_ipsum"), "{shown}");
    let missing = project.annotc(&["test", "web.annot", "--uncovered"]).expect(0).stdout;
    assert!(missing.contains("pack c4: drop \"lorem_ipsum\"") && !missing.contains("gopher_short_doc"), "{missing}");
    let page = project.annotc(&["explain", "gopher_quality"]).expect(0).stdout;
    assert!(page.contains("drop \"gopher_short_doc\" when prose_words(text) < 50"), "{page}");
    let page = project.annotc(&["explain", "top_ngram"]).expect(0).stdout;
    assert!(page.contains("top_ngram(text: string, n: int) -> float?"), "{page}");
    project.annotc(&["fmt", "--check", "web.annot"]).expect(0);
}

/// What `annotc explain` shows of a pack can be pasted into a block, and then decides as the pack does.
#[test]
fn a_pack_that_is_written_out_decides_as_the_pack_does() {
    let file: Value = serde_json::from_str(CASES).expect("the cases are JSON");
    let cases = file["cases"].as_array().expect("there is a list of cases");
    let plain: Vec<&Value> =
        cases.iter().filter(|case| case["options"].as_object().is_some_and(|options| options.is_empty())).collect();
    let project = Project::new(&[]);
    let mut spec = String::from("annot 1\n");
    for (at, case) in plain.iter().enumerate() {
        let pack = case["pack"].as_str().expect("a pack is named");
        let run = project.annotc(&["explain", pack, "--format", "json"]).expect(0);
        let answer: Value = serde_json::from_str(&run.stdout).expect("one line of JSON");
        let rules = answer["rules"].as_str().expect("the rules are a text");
        let expected = case["drop"]
            .as_str()
            .map_or_else(|| format!("{{ text: {} }}", quoted(&case["text"])), |reason| format!("drop {reason:?}"));
        let (name, text) = (quoted(&case["test"]), quoted(&case["text"]));
        write!(
            spec,
            "clean case{at} {{\n{rules}}}\ntest case{at} {name} {{ given {{ text: {text} }}; expect {expected} }}\n"
        )
        .expect("a string takes every write");
    }
    project.write("written.annot", spec.as_bytes());
    project.annotc(&["test", "written.annot"]).expect(0);
}
