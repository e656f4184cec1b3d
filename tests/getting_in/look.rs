//! `annotc preview`: what it shows is what a build writes, and no more.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Value, json};

use crate::support::Project;

const SPEC: &str = "quickstart.annot";

/// The answers of a preview of the quickstart.
fn preview(project: &Project, args: &[&str]) -> Vec<Value> {
    let args: Vec<&str> = ["preview", SPEC].iter().chain(args).chain(&["--format", "json"]).copied().collect();
    project.annotc(&args).expect(0).answers()
}

#[test]
fn records_are_those_of_a_build() {
    let project = Project::of_spec("quickstart");
    let shown = preview(&project, &["-n", "1000"]);
    assert!(!project.path("build").exists(), "nothing is written");
    assert_eq!(shown.len(), 1000);
    let ids: Vec<&str> = shown.iter().map(|record| record["id"].as_str().expect("an id")).collect();
    assert!(ids.is_sorted(), "the order is that of the ids");
    project.annotc(&["build", SPEC, "helpdesk"]).expect(0);
    let mut written: BTreeMap<&str, HashSet<String>> = BTreeMap::new();
    for part in ["train", "test"] {
        let rows = project.lines(&format!("build/helpdesk/messages/{part}.jsonl"));
        written.insert(part, rows.iter().map(|row| row["messages"].to_string()).collect());
    }
    for record in &shown {
        let turn = |turn: &Value| json!({ "role": turn["role"], "content": turn["content"] });
        let turns: Vec<Value> = record["turns"].as_array().expect("turns").iter().map(turn).collect();
        let part = record["part"].as_str().expect("a part");
        assert!(written[part].contains(&Value::Array(turns).to_string()), "{record}");
        let trained: Vec<bool> =
            record["turns"].as_array().expect("turns").iter().map(|turn| turn["train"] == true).collect();
        assert_eq!(trained, [false, false, true]);
        assert_eq!(record["labels"]["intent"], record["turns"][2]["content"]);
    }
    let of_test = preview(&project, &["-n", "1000", "--part", "test"]);
    assert_eq!(of_test.len() as u64, project.json("build/helpdesk/manifest.json")["splits"]["test"]["records"]);
    let one = preview(&project, &["--id", ids[7]]);
    assert_eq!(one, [shown[7].clone()]);
}

#[test]
fn dropped_records_are_counted_as_in_a_build_and_their_texts_are_kept_back() {
    let project = Project::of_spec("quickstart");
    project.annotc(&["build", SPEC, "helpdesk"]).expect(0);
    let manifest = project.json("build/helpdesk/manifest.json");
    let mut rules = 0;
    for step in manifest["steps"].as_array().expect("steps") {
        let rule = step["rule"].as_str().expect("a rule");
        let taken = step["dropped"].as_u64().expect("a count") + step["quarantined"].as_u64().expect("a count");
        if taken == 0 {
            continue;
        }
        rules += 1;
        let dropped = preview(&project, &["--dropped", rule, "-n", "1000"]);
        assert_eq!(dropped.len() as u64, taken, "{rule}");
        for record in &dropped {
            assert_eq!(record["rule"], rule);
            assert!(record["fields"].get("text").is_none(), "a text that no policy has cleaned: {record}");
        }
    }
    assert_eq!(preview(&project, &["--dropped"]).len(), rules, "one of each rule");
    let short = &preview(&project, &["--dropped", "too short", "-n", "1", "--show-personal"])[0];
    let words = short["fields"]["text"].as_str().expect("a text").split_whitespace().count();
    assert!(words < 3, "{short}");
    let run = project.annotc(&["preview", SPEC, "--dropped", "too shrot"]).expect(2);
    assert!(run.stderr.contains("`too short`"), "{}", run.stderr);
}

#[test]
fn changes_are_shown_word_by_word_to_those_who_may_see_them() {
    let project = Project::of_spec("quickstart");
    let hidden = project.annotc(&["preview", SPEC, "--changed", "redact", "-n", "1000"]).expect(0).stdout;
    let shown = preview(&project, &["--changed", "redact", "-n", "1000", "--show-personal"]);
    assert!(!shown.is_empty());
    for record in &shown {
        let change = &record["changes"][0];
        let (before, after) = (change["before"].as_str().expect("a text"), change["after"].as_str().expect("a text"));
        assert_ne!(before, after);
        assert!(change["found"].as_object().is_some_and(|found| !found.is_empty()), "{change}");
        let gone = before.split_whitespace().find(|word| word.contains('@') && !after.contains(word));
        assert!(gone.is_none_or(|word| !hidden.contains(word)), "an address is shown to everybody");
    }
    let sets = preview(&project, &["--changed", "set text", "-n", "1000"]);
    assert!(sets.iter().all(|record| record["changes"][0]["before"].is_null()), "what may be personal is kept back");
    let plain =
        project.annotc(&["preview", SPEC, "--changed", "set text", "-n", "2", "--show-personal"]).expect(0).stdout;
    assert!(plain.contains("[-") && plain.contains("{+"), "marks stand where there are no colours: {plain}");
    let coloured = project.annotc(&["preview", SPEC, "-n", "1", "--color", "always"]).expect(0).stdout;
    assert!(coloured.contains("\u{1b}[1;32m") && !coloured.contains('‹'), "{coloured:?}");
}

/// A field that is personal, that no policy cleans and no template prints: the program is right, and a look into its
/// records shows no more than its outputs.
#[test]
fn a_column_that_no_output_may_see_is_not_shown() {
    let spec = "annot 1\nsource people {\n  path \"people.jsonl\"\n  license \"MIT\"\n  fields { name: string @personal; \
                text: string }\n}\ntemplate plain: completion { prompt \"Say:\"; completion \" {{ text }}\" }\n\
                template leaky: completion { prompt \"{{ name }}\"; completion \" {{ text }}\" }\n\
                dataset d {\n  from people\n  split train 50%, test 50%\n  write prompt_completion from plain\n}\n";
    let rows =
        "{\"name\": \"Ann Onymous\", \"text\": \"a\\u001b[2Jb\"}\n{\"name\": \"Ann Onymous\", \"text\": \"c\"}\n";
    let project = Project::new(&[("people.annot", spec.as_bytes()), ("people.jsonl", rows.as_bytes())]);
    let run = project.annotc(&["preview", "people.annot"]).expect(0);
    assert!(!run.stdout.contains("Onymous") && !run.stdout.contains("\u{1b}[2J"), "{:?}", run.stdout);
    let run = project.annotc(&["preview", "people.annot", "--template", "leaky"]).expect(2);
    assert!(run.stderr.contains("`name`"), "{}", run.stderr);
    let shown = project.annotc(&["preview", "people.annot", "--template", "leaky", "--show-personal"]).expect(0);
    assert!(shown.stdout.contains("Ann Onymous"), "{}", shown.stdout);
}
