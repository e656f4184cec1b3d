//! `annotc test`: what a person sees of a failing run, and what programs read.

use std::collections::BTreeMap;

use serde_json::json;

use crate::support::{Project, repository};

/// A specification whose tests fail in every way.
const SPEC: &str = r#"annot 1
source notes {
  path   "notes.jsonl"
  fields {
    text:  string
    kind:  string?
    stars: int?
    turns: list<{ role: string, content: string }>
  }
}
label topic: choice { card "Cards"; loan }
clean tidy {
  set  text = text |> nfc
  drop "short" when words(text) < 3
  drop "bad"   when stars < 2
  dedup text exactly
}
policy house { forbid "secret" when text matches /secret/ }
template ask: chat {
  system    "Be kind."
  turns     turns
  user      "{{ text }}"
  assistant "{{ topic.title }}"
}
dataset all {
  from   notes
  clean  tidy
  label  topic = kind match { "c", "cards" => card; "spam" => drop; else => kind } else drop
  policy house
  split  train 90%, test 10%
  write  messages from ask
}
test tidy "keeps a note" {
  given  { text: "where is my\tcard ", stars: 3 }
  expect { text: "where is my card", stars: 4 }
}
test tidy "drops what is bad" {
  given  { text: "no", stars: 1 }
  expect drop "bad"
  given  { text: "one two three" }
  expect drop "bad"
  given  { text: "one two three" }
  expect { stars: null }
}
test house "lets <notes> & \"others\" pass" {
  given  { text: "a secret" }
  expect { text: "a secret" }
}
test topic "knows cards" {
  given  { kind: "crad" }
  expect { topic: card }
  given  { kind: "cards" }
  expect quarantine
}
test ask "asks" {
  given  { text: "Mine too?", topic: card, turns: [{ role: "user", content: "Where is my card?" }] }
  expect { system: "Be kind.", user: ["Where is my cart?", "Mine too?"], assistant: "cards" }
}
test ask "answers" {
  given  { text: "And now?", topic: loan, turns: [] }
  expect { assistant: "loan" }
}
"#;

fn project() -> Project {
    Project::new(&[("all.annot", SPEC.as_bytes())])
}

#[test]
fn a_failing_run_reads_well() {
    let run = project().annotc(&["test", "all.annot", "--uncovered"]).expect(1);
    insta::assert_snapshot!(run.stdout);
    let painted = project().annotc(&["test", "all.annot", "tidy · keeps", "--color", "always"]).expect(1);
    assert!(painted.stdout.contains("\x1b[1;7;33m"), "what differs is painted: {}", painted.stdout);
    assert!(!painted.stdout.contains('^'), "and then not marked below: {}", painted.stdout);
}

#[test]
fn programs_read_a_line_for_each_test() {
    let run = project().annotc(&["test", "all.annot", "--format", "json", "--uncovered"]).expect(1);
    let answers = run.answers();
    let tests: Vec<_> = answers.iter().filter(|answer| answer.get("test").is_some()).collect();
    assert_eq!(tests.len(), 6);
    assert_eq!(
        *tests[0],
        json!({
            "test": "tidy", "kind": "clean", "title": "keeps a note", "path": "all.annot", "line": 33, "passed": false,
            "failures": [{
                "record": 1, "line": 35, "message": "`text`, `stars` are not as expected",
                "differences": [
                    { "name": "text", "expected": "where is my card", "got": "where is my\tcard " },
                    { "name": "stars", "expected": 4, "got": 3 },
                ],
            }],
        })
    );
    let quarantined = &tests[3]["failures"][0];
    assert_eq!(
        (&quarantined["dataset"], &quarantined["expected"]),
        (&json!("all"), &json!({"verdict": "kept", "value": "card"}))
    );
    let got = json!({ "verdict": "quarantined", "rule": "label topic", "rule_line": 28, "value": "crad" });
    assert_eq!(quarantined["got"], got);
    assert_eq!(tests[5]["passed"], true);
    let uncovered: Vec<_> =
        answers.iter().filter(|answer| answer.get("uncovered").is_some() && answer.get("tests").is_none()).collect();
    assert_eq!(
        *uncovered[0],
        json!({ "uncovered": "set", "block": "tidy", "rule": "set text = text |> nfc", "path": "all.annot", "line": 13 })
    );
    let summary = json!({ "tests": 6, "passed": 1, "failed": 5, "rules": 10, "uncovered": uncovered.len() });
    assert_eq!(*answers.last().expect("a summary"), summary);
}

#[test]
fn filters_choose_by_block_and_title() {
    let project = project();
    let listed =
        |filters: &[&str]| project.annotc(&[&["test", "all.annot", "--list"], filters].concat()).expect(0).stdout;
    assert_eq!(listed(&["ask", "knows"]), "topic · knows cards\nask · asks\nask · answers\n");
    assert_eq!(listed(&["k · an"]), "ask · answers\n");
    assert_eq!(listed(&[]).lines().count(), 6);
    assert_eq!(
        project.annotc(&["test", "all.annot", "answers"]).expect(0).stdout,
        "✓ ask · answers\n1 test passed, 0 failed\n"
    );
    let listed = project.annotc(&["test", "all.annot", "answers", "--list", "--format", "json"]).expect(0).answers();
    assert_eq!(
        listed,
        [json!({"test": "ask", "kind": "template", "title": "answers", "path": "all.annot", "line": 59})]
    );
    for (filter, help) in
        [("tidi", "did you mean `tidy`?"), ("answrs", "did you mean `answers`?"), ("zebra", "`tidy`, `house`")]
    {
        let run = project.annotc(&["test", "all.annot", "ask", filter]).expect(2);
        assert!(run.stderr.contains(filter) && run.stderr.contains(help) && run.stdout.is_empty(), "{}", run.stderr);
    }
}

#[test]
fn rules_that_no_test_makes_fire_can_fail_the_run() {
    let spec = SPEC.split("test tidy").next().expect("the tests come last").to_owned();
    let all = "test tidy \"t\" {\n  given { text: \"cafe\\u{301} a b\", stars: 1 }\n  expect drop \"bad\"\n  given { text: \"a b c\" }\n  expect { text: \"a b c\" }\n  given { text: \"a b c\" }\n  expect drop\n  given { text: \"a\" }\n  expect drop \"short\"\n}\n\
        test house \"h\" {\n  given { text: \"secret\" }\n  expect drop \"secret\"\n}\n\
        test ask \"a\" {\n  given { text: \"a\", topic: loan, turns: [] }\n  expect { user: \"a\" }\n}\n\
        test topic \"t\" {\n  given { kind: \"c\" }\n  expect { topic: card }\n  given { kind: \"spam\" }\n  expect drop\n  given { kind: \"loan\" }\n  expect { topic: loan }\n  given { kind: null }\n  expect drop\n}\n";
    let project = Project::new(&[("all.annot", format!("{spec}{all}").as_bytes())]);
    let run = project.annotc(&["test", "all.annot", "--uncovered=fail"]).expect(0);
    assert!(run.stdout.contains("every rule fires in a test: 10 rules"), "{}", run.stdout);
    let run = project.annotc(&["test", "all.annot", "topic", "--uncovered=fail"]).expect(1);
    assert!(run.stdout.contains("all.annot:14  tidy   drop \"short\" when words(text) < 3\n"), "{}", run.stdout);
    assert!(run.stdout.contains("6 of 10 rules not covered"), "{}", run.stdout);
    project.annotc(&["test", "all.annot", "topic", "--uncovered"]).expect(0);
}

#[test]
fn build_servers_read_the_report() {
    let project = project();
    let run = project.annotc(&["test", "all.annot", "--junit", "report.xml"]).expect(1);
    assert!(run.stdout.contains("1 test passed, 5 failed"), "{}", run.stdout);
    let report = project.read("report.xml");
    assert_eq!(project.annotc(&["test", "all.annot", "--junit", "-"]).expect(1).stdout, report);
    let elements = check_schema(&report);
    let named = |name: &str| {
        elements.iter().filter(|(element, _)| element == name).map(|(_, attributes)| attributes).collect::<Vec<_>>()
    };
    let suites = named("testsuite")
        .into_iter()
        .map(|suite| (suite["name"].as_str(), suite["tests"].as_str(), suite["failures"].as_str()));
    assert_eq!(
        suites.collect::<Vec<_>>(),
        [("tidy", "2", "2"), ("house", "1", "1"), ("topic", "1", "1"), ("ask", "2", "1")]
    );
    assert_eq!(named("testsuites")[0]["tests"], "6");
    assert_eq!(named("testcase").len(), 6);
    assert!(report.contains("name=\"lets &lt;notes&gt; &amp; &quot;others&quot; pass\""), "{report}");
    assert!(report.contains("got       \"where is my\\tcard\\u{20}\""), "{report}");
    for other in [["--format", "json"], ["--uncovered", "--color=never"]] {
        project.annotc(&[&["test", "all.annot", "--junit", "-"], &other[..]].concat()).expect(2);
    }
    project.annotc(&["test", "all.annot", "--junit", "no/folder/report.xml"]).expect(4);
}

/// The page about tests shows tests that pass and leave no rule out.
#[test]
fn the_page_about_tests_is_right() {
    let page = std::fs::read_to_string(repository().join("docs/language/tests.md")).expect("the page is there");
    let examples: Vec<&str> =
        page.split("```annot\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default()).collect();
    assert_eq!(examples.len(), 3);
    for example in examples {
        Project::new(&[("all.annot", example.as_bytes())]).annotc(&["test", "all.annot", "--uncovered=fail"]).expect(0);
    }
}

/// What the JUnit schema of build servers (`junit-10.xsd`) allows: an element, its parent, its attributes, `!` before those
/// that must stand.
const SCHEMA: &[(&str, &str, &[&str])] = &[
    ("testsuites", "", &["name", "time", "tests", "failures", "errors"]),
    (
        "testsuite",
        "testsuites",
        &[
            "!name",
            "!tests",
            "!failures",
            "!errors",
            "group",
            "time",
            "skipped",
            "timestamp",
            "hostname",
            "id",
            "package",
            "file",
            "log",
            "url",
        ],
    ),
    ("testcase", "testsuite", &["!name", "time", "classname", "group"]),
    ("failure", "testcase", &["type", "message"]),
];

/// Reads a report and holds it against the schema; gives its elements in order.
fn check_schema(report: &str) -> Vec<(String, BTreeMap<String, String>)> {
    let mut rest = report.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").expect("a declaration");
    let (mut open, mut elements) = (Vec::<String>::new(), Vec::new());
    while let Some((text, after)) = rest.split_once('<') {
        let holds_text = open.last().is_some_and(|name| name == "failure");
        assert!(holds_text || text.trim().is_empty(), "text stands in {open:?}: {text:?}");
        assert!(!text.contains('>') && text.split('&').skip(1).all(|entity| entity.contains(';')), "{text:?}");
        let (tag, after) = after.split_once('>').expect("a tag ends");
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name));
            continue;
        }
        let closed = tag.ends_with('/');
        let (name, attributes) = tag.trim_end_matches('/').split_once(' ').expect("each element has attributes");
        let (_, parent, allowed) = SCHEMA.iter().find(|(known, ..)| *known == name).expect("an element of the schema");
        assert_eq!(open.last().map_or("", String::as_str), *parent);
        let pieces: Vec<&str> = attributes.split('"').collect();
        let attributes: BTreeMap<String, String> = pieces
            .chunks_exact(2)
            .map(|pair| (pair[0].trim().trim_end_matches('=').to_owned(), pair[1].to_owned()))
            .collect();
        assert!(
            attributes.keys().all(|name| allowed.iter().any(|known| known.trim_start_matches('!') == name)),
            "{tag}"
        );
        let required = allowed.iter().filter_map(|known| known.strip_prefix('!'));
        assert!(required.into_iter().all(|known| attributes.contains_key(known)), "{tag}");
        elements.push((name.to_owned(), attributes));
        if !closed {
            open.push(name.to_owned());
        }
    }
    assert!(open.is_empty() && rest.trim().is_empty());
    assert!(!report.chars().any(|character| character.is_control() && character != '\n'));
    elements
}
