//! `annotc diff`: by meaning between specs, by ids between builds.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::Project;

const SPEC: &str = "annot 1

/// What people said.
source said {
  path    \"said.jsonl\"
  license \"MIT\"
  fields { id: string @key; text: string; mood: string; part: string }
}
label mood: choice { good; bad }
clean tidy {
  set  text = text |> collapse_whitespace   // one space is enough
  drop \"too short\" when words(text) < 2
}
dataset voices {
  from  said
  clean tidy
  label mood = mood
  split as part
  write jsonl
}
";
const ROWS: &[(&str, &str, &str, &str)] = &[
    ("a", "all is well", "good", "train"),
    ("b", "so so", "bad", "train"),
    ("c", "not so good", "bad", "train"),
    ("d", "fine", "good", "train"),
    ("e", "it will do", "good", "test"),
    ("f", "never again", "bad", "test"),
];

fn rows(rows: &[(&str, &str, &str, &str)]) -> String {
    let row = |(id, text, mood, part): &(&str, &str, &str, &str)| {
        json!({ "id": id, "text": text, "mood": mood, "part": part }).to_string() + "\n"
    };
    rows.iter().map(row).collect()
}

fn project() -> Project {
    let project = Project::new(&[("v.annot", SPEC.as_bytes()), ("said.jsonl", rows(ROWS).as_bytes())]);
    project.annotc(&["build", "v.annot"]).expect(0);
    project
}

/// The one data set that two builds are compared in.
fn compared(project: &Project, a: &str, b: &str) -> Value {
    project.annotc(&["diff", a, b, "--format", "json"]).expect(0).answers().remove(0)["datasets"][0].clone()
}

fn counted(list: &Value) -> Vec<(String, usize)> {
    let one = |entry: &Value| {
        let name = |key: &str| entry[key].as_str().unwrap_or("").to_string();
        let names = [name("label"), name("fate"), name("from"), name("to")];
        (
            names.iter().filter(|name| !name.is_empty()).cloned().collect::<Vec<_>>().join(" → "),
            entry["ids"].as_array().expect("ids").len(),
        )
    };
    list.as_array().expect("a list").iter().map(one).collect()
}

#[test]
fn every_kind_of_difference_between_records_is_found() {
    let project = project();
    let mut changed = ROWS.to_vec();
    changed[0].1 = "all is very well";
    changed[1].1 = "so";
    changed[2].2 = "good";
    changed[3].1 = "it is fine";
    changed[4].3 = "train";
    changed[5] = ("g", "once more", "bad", "test");
    project.write("said.jsonl", rows(&changed).as_bytes());
    project.annotc(&["build", "v.annot", "--out", "new"]).expect(0);
    let diff = compared(&project, "build", "new");
    let list = |key: &str| counted(&diff[key]);
    let one = |name: &str| vec![(name.to_string(), 1)];
    assert_eq!(list("removed"), one("kept"));
    assert_eq!(list("added"), one("kept"));
    assert_eq!(
        list("verdicts"),
        [("dropped by too short → kept".to_string(), 1), ("kept → dropped by too short".to_string(), 1)]
    );
    assert_eq!(list("moved"), one("test → train"));
    assert_eq!(list("relabelled"), one("mood → bad → good"));
    // The part is a column of its own, so the record that moved has another value in it.
    assert_eq!(diff["changed"].as_array().expect("ids").len(), 2, "{diff}");
    let text = project.annotc(&["diff", "build", "new"]).expect(0).stdout;
    for word in ["well", "fine", "again", "once"] {
        assert!(!text.contains(word), "a text of a record is printed: {text}");
    }
    assert_eq!(diff["records"], json!([5, 5]));
    let labels: Vec<&Value> = diff["labels"].as_array().expect("counts").iter().collect();
    assert_eq!(labels[0], &json!({ "of": "mood", "what": "good", "before": 2, "after": 4 }));
    project.annotc(&["diff", "build/voices", "new/voices", "--exit-code"]).expect(1);
    let same = project.annotc(&["diff", "new", "new", "--exit-code"]).expect(0).stdout;
    assert!(same.contains("the same records"), "{same}");
}

#[test]
fn specs_are_compared_by_meaning_and_with_their_builds() {
    let project = project();
    let restyled = SPEC
        .replace("  // one space is enough", "")
        .replace("  drop", "\n\n      drop")
        .replace("{ id: string @key; ", "{\n    id: string @key\n    ");
    project.write("restyled.annot", restyled.as_bytes());
    let run = project.annotc(&["diff", "v.annot", "restyled.annot", "--exit-code"]).expect(0);
    assert!(run.stdout.contains("The specs say the same."), "{}", run.stdout);
    assert!(run.stdout.contains("the same records"), "both would build what lies there: {}", run.stdout);
    project.write("v2.annot", SPEC.replace("words(text) < 2", "words(text) < 3").as_bytes());
    let answer = &project.annotc(&["diff", "v.annot", "v2.annot", "--format", "json"]).expect(0).answers()[0];
    let declaration = &answer["declarations"][0];
    assert_eq!((&declaration["kind"], &declaration["name"]), (&json!("clean"), &json!("tidy")));
    assert_eq!(declaration["statements"][0]["name"], "too short");
    assert_eq!(answer["datasets"], json!([]), "what lies there was not built from the second");
    assert!(answer["notes"][0].as_str().is_some_and(|note| note.contains("v2.annot")), "{answer}");
    project.annotc(&["diff", "v.annot", "v2.annot", "--exit-code"]).expect(1);
    project.annotc(&["diff", "v.annot", "absent.annot"]).expect(4);
    project.annotc(&["diff", "v.annot", "."]).expect(4);
}

#[test]
fn a_git_revision_is_read_through_git() {
    let project = project();
    let git = |args: &[&str]| {
        let mut command = Command::new("git");
        command.current_dir(project.path("")).args(["-c", "user.name=n", "-c", "user.email=n@example.org"]).args(args);
        command.output().is_ok_and(|output| output.status.success())
    };
    let run = project.annotc(&["diff", "HEAD:v.annot", "v.annot"]).expect(4);
    assert!(run.stderr.contains("git"), "outside a repository, or without git, it says so: {}", run.stderr);
    if !git(&["init", "--quiet"]) {
        // Without git there is no revision to compare with.
        return;
    }
    assert!(git(&["add", "v.annot"]) && git(&["commit", "--quiet", "-m", "one"]), "git commits");
    project.annotc(&["diff", "HEAD:v.annot", "v.annot", "--exit-code"]).expect(0);
    project.write("v.annot", SPEC.replace("drop \"too short\" when words(text) < 2\n", "").as_bytes());
    let run = project.annotc(&["diff", "HEAD:v.annot", "v.annot", "--exit-code"]).expect(1);
    assert!(run.stdout.contains("- drop \"too short\" when words(text) < 2"), "{}", run.stdout);
    project.annotc(&["diff", "HEAD:absent.annot", "v.annot"]).expect(4);
    project.annotc(&["diff", "--", "-x:v.annot", "v.annot"]).expect(2);
}
