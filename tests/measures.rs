//! Measures that need a file beside the specification: tokens of a model's tokenizer.

use crate::support::Project;

const SPEC: &str = r#"annot 1

source notes {
  path    "notes.jsonl"
  license "CC0-1.0"
  fields  { text: string }
}

model base { onnx "models/base" }

fn size(s: string) = tokens(s, base)

clean brief {
  drop "too long" when size(text) > 3
  drop "too short" when tokens(text, base) < 2
}

dataset d {
  from  notes
  clean brief
  split train 100%
  write jsonl
}

test brief "counts tokens" {
  given  { text: "one two three four" }
  expect drop "too long"
  given  { text: "one two three" }
  expect { text: "one two three" }
}
"#;

/// A tokenizer of words, or of words and signs.
fn tokenizer(pre_tokenizer: &str) -> String {
    format!(
        r#"{{"version":"1.0","truncation":null,"padding":null,"added_tokens":[],"normalizer":null,"pre_tokenizer":{{"type":"{pre_tokenizer}"}},"post_processor":null,"decoder":null,"model":{{"type":"WordLevel","vocab":{{"[UNK]":0,"one":1}},"unk_token":"[UNK]"}}}}"#
    )
}

const NOTES: &str = "{\"text\":\"one, two, three\"}\n{\"text\":\"one\"}\n{\"text\":\"one two\"}\n";

fn kept(project: &Project) -> Vec<String> {
    let rows = project.lines("build/d/jsonl/train.jsonl");
    let mut texts: Vec<String> = rows.iter().map(|row| row["text"].as_str().unwrap_or_default().to_owned()).collect();
    texts.sort();
    texts
}

#[test]
fn tokens_are_those_of_a_models_tokenizer() {
    let project = Project::new(&[("d.annot", SPEC.as_bytes()), ("notes.jsonl", NOTES.as_bytes())]);
    let missing = project.annotc(&["build", "d.annot"]).expect(4).stderr;
    assert!(missing.contains("model `base`: there is no `models/base`"), "{missing}");
    project.annotc(&["check", "d.annot"]).expect(0);
    project.write("models/base/tokenizer.json", tokenizer("WhitespaceSplit").as_bytes());
    project.annotc(&["test", "d.annot"]).expect(0);
    project.annotc(&["build", "d.annot"]).expect(0);
    assert_eq!(kept(&project), ["one two", "one, two, three"]);
    let again = project.annotc(&["build", "d.annot"]).expect(0).stderr;
    assert!(again.contains("Unchanged"), "{again}");
    let plan = project.annotc(&["plan", "d.annot"]).expect(0).stdout;
    assert!(plan.contains("built by these rules"), "{plan}");
    // Another tokenizer counts otherwise, and the data set is built anew without a word of the specification changed.
    project.write("models/base/tokenizer.json", tokenizer("Whitespace").as_bytes());
    let anew = project.annotc(&["build", "d.annot"]).expect(0).stderr;
    assert!(!anew.contains("Unchanged"), "{anew}");
    assert_eq!(kept(&project), ["one two"]);
}
