//! `annotc plan`: what a build would do, told before any data is read.

use crate::support::Project;

const SPEC: &str = r#"annot 1
source notes {
  path    "notes.jsonl"
  license "CC0-1.0"
  fields  { text: string @personal; topic: string }
}
label topic: choice { card; loan }
clean tidy {
  set  text = text |> collapse_whitespace
  drop "short" when words(text) < 2
}
policy house { redact @personal: email }
template ask: chat { user "{{ text }}"; assistant "{{ topic }}" }
dataset all {
  from   notes
  clean  tidy
  label  topic = topic
  policy house
  split  train 50%, test 50% seed 7
  write  messages from ask
}
"#;

const NOTES: &str =
    "{\"text\": \"where is my card\", \"topic\": \"card\"}\n{\"text\": \"a loan please\", \"topic\": \"loan\"}\n";

#[test]
fn a_plan_needs_no_data_and_shows_the_way_of_personal_data() {
    let project = Project::new(&[("all.annot", SPEC.as_bytes())]);
    let run = project.annotc(&["plan", "all.annot"]).expect(0);
    insta::assert_snapshot!(run.stdout);
    let json = &project.annotc(&["plan", "all.annot", "--format", "json"]).expect(0).answers()[0];
    assert_eq!(json["datasets"][0]["state"], "not built");
    let steps = json["steps"].as_array().expect("steps are a list");
    let cleared = steps.iter().position(|step| step["kind"] == "redact").expect("a redact");
    assert_eq!(
        (&steps[cleared - 1]["personal"][0], steps[cleared]["personal"].as_array()),
        (&"text".into(), Some(&vec![]))
    );
    for (language, start) in [("mermaid", "flowchart TD\n"), ("dot", "digraph plan {\n")] {
        let graph = project.annotc(&["plan", "all.annot", "all", "--graph", language]).expect(0).stdout;
        assert!(graph.starts_with(start), "{graph}");
    }
    let run = project.annotc(&["plan", "all.annot", "al"]).expect(2);
    assert!(run.stderr.contains("did you mean `all`?"), "{}", run.stderr);
}

#[test]
fn what_a_build_would_keep_is_told() {
    let project = Project::new(&[("all.annot", SPEC.as_bytes()), ("notes.jsonl", NOTES.as_bytes())]);
    let state = || {
        let answer = project.annotc(&["plan", "all.annot", "--format", "json"]).expect(0).answers();
        answer[0]["datasets"][0]["state"].as_str().map(str::to_owned)
    };
    project.annotc(&["build", "all.annot"]).expect(0);
    assert_eq!(state().as_deref(), Some("same"));
    project.write("all.annot", SPEC.replacen("words(text) < 2", "words(text) < 3", 1).as_bytes());
    assert_eq!(state().as_deref(), Some("changed"));
    project.write("all.annot", SPEC.replacen("label topic:", "// a comment\nlabel topic:", 1).as_bytes());
    assert_eq!(state().as_deref(), Some("same"), "a comment changes nothing");
}
