//! Measures that need a file beside the specification: tokens of a model's tokenizer, perplexities by a model.

use annotc::onnx::{Axis, ElementType, Graph, Node, Op, Tensor, ValueInfo, save};

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

const JUDGED: &str = r#"annot 1

source notes {
  path    "notes.jsonl"
  license "CC0-1.0"
  fields  { text: string; score: float? }
}

model lm { onnx "models/lm" }

clean fluent {
  set  score = perplexity(text, lm) ?? 0.0
  drop "gibberish" when perplexity(text, lm) > 50
}

dataset d {
  from  notes
  clean fluent
  split train 100%
  write jsonl
}

test fluent "drops what nobody writes" {
  given  { text: "three two one", score: null }
  expect drop "gibberish"
}
"#;

const WORDS: [&str; 4] = ["[UNK]", "one", "two", "three"];

/// Writes a language model in which each word has `likely` of the next place's probability for the word that it precedes, and
/// each other word an equal share of the rest.
fn write_model(project: &Project, likely: f32) {
    let vocabulary: Vec<String> = (0..).zip(WORDS).map(|(id, word)| format!("\"{word}\":{id}")).collect();
    let tokenizer = tokenizer("WhitespaceSplit").replace("\"[UNK]\":0,\"one\":1", &vocabulary.join(","));
    project.write("models/lm/tokenizer.json", tokenizer.as_bytes());
    project.write("models/lm/config.json", br#"{"architectures":["CounterForCausalLM"],"max_position_embeddings":4}"#);
    let follows = |word: usize, next: usize| next == word % 3 + 1;
    let share = |word, next| if follows(word, next) { likely } else { (1.0 - likely) / 3.0 };
    let logits: Vec<f32> = (0..4).flat_map(|word| (0..4).map(move |next| share(word, next).ln())).collect();
    let mut graph = Graph::new("counter", 18);
    let axes = [Axis::named("batch"), Axis::named("sequence")];
    graph.inputs.push(ValueInfo::new("input_ids", ElementType::Int64, &axes));
    graph.initializers.insert("shares".to_owned(), Tensor::from_f32(&[4, 4], &logits));
    graph.nodes.push(Node::new("next", Op::Gather, &["shares", "input_ids"], &["logits"]));
    let [batch, sequence] = axes;
    graph.outputs.push(ValueInfo::new("logits", ElementType::Float, &[batch, sequence, Axis::Fixed(4)]));
    save(&graph, &project.path("models/lm/model.onnx")).expect("the model is written");
}

/// The texts that were kept with their scores, in order of text.
fn scores(project: &Project, out: &str) -> Vec<(String, f64)> {
    let rows = project.lines(&format!("{out}/d/jsonl/train.jsonl"));
    let row = |row: &serde_json::Value| {
        (row["text"].as_str().unwrap_or_default().to_owned(), row["score"].as_f64().unwrap_or(-1.0))
    };
    let mut scores: Vec<(String, f64)> = rows.iter().map(row).collect();
    scores.sort_by(|one, other| one.0.cmp(&other.0));
    scores
}

#[test]
fn perplexities_are_those_of_a_model() {
    let project = Project::new(&[("d.annot", JUDGED.as_bytes())]);
    let notes = ["one two three one two three one", "three two one", "one one", "one", "", "two three two"];
    let notes: String = notes.map(|text| format!("{{\"text\":\"{text}\"}}\n")).concat();
    project.write("notes.jsonl", notes.as_bytes());
    let missing = project.annotc(&["build", "d.annot"]).expect(4).stderr;
    assert!(missing.contains("model `lm`: there is no `models/lm`"), "{missing}");
    project.annotc(&["check", "d.annot"]).expect(0);

    write_model(&project, 0.97);
    project.annotc(&["test", "d.annot"]).expect(0);
    project.annotc(&["build", "d.annot"]).expect(0);
    // 1 / 0.97 for each step that counts on, 1 / 0.01 for each that does not; two steps have the geometric mean.
    let expected = [("", 0.0), ("one", 0.0), ("one two three one two three one", 1.031), ("two three two", 10.15)];
    let expected = expected.map(|(text, score)| (text.to_owned(), score));
    assert_eq!(scores(&project, "build"), expected);
    assert!(project.read("d.annot.lock").contains("\nmodels:\n  lm:\n    config.json: "), "the lock has the model");
    project.annotc(&["build", "d.annot", "--no-cache", "--jobs", "3", "--out", "other"]).expect(0);
    assert!(project.tree("build/d") == project.tree("other/d"), "neither threads nor the cache change a byte");

    let again = project.annotc(&["build", "d.annot", "--locked"]).expect(0).stderr;
    assert!(again.contains("Unchanged"), "{again}");
    let plan = project.annotc(&["plan", "d.annot"]).expect(0).stdout;
    assert!(plan.contains("built by these rules"), "{plan}");
    let explained = project.annotc(&["cache", "explain", "d.annot"]).expect(0).stdout;
    assert!(explained.contains("1 of 1 chunk from the cache"), "{explained}");
    let preview = project.annotc(&["preview", "d.annot", "--dropped", "gibberish"]).expect(0).stdout;
    assert!(preview.contains("three two one") && preview.contains("one one"), "{preview}");

    // Another model measures otherwise, and the data set is built anew without a word of the specification changed.
    write_model(&project, 0.25);
    let drift = project.annotc(&["build", "d.annot", "--locked"]).expect(3).stderr;
    assert!(drift.contains("model `lm`, model.onnx"), "{drift}");
    project.annotc(&["build", "d.annot"]).expect(0);
    let guessed = scores(&project, "build");
    assert_eq!(guessed.len(), 6);
    assert!(guessed.iter().all(|(text, score)| *score == if text.contains(' ') { 4.0 } else { 0.0 }), "{guessed:?}");
}

#[test]
fn what_is_no_language_model_is_refused_before_data_is_read() {
    let project = Project::new(&[("d.annot", JUDGED.as_bytes())]);
    write_model(&project, 0.5);
    std::fs::remove_file(project.path("models/lm/config.json")).expect("it was there");
    let refused = project.annotc(&["build", "d.annot"]).expect(4).stderr;
    assert!(refused.contains("is no causal language model") && refused.contains("text-generation"), "{refused}");
    std::fs::remove_file(project.path("models/lm/tokenizer.json")).expect("it was there");
    let refused = project.annotc(&["build", "d.annot"]).expect(4).stderr;
    assert!(refused.contains("tokenizer.json") && refused.contains("help: a model that measures texts"), "{refused}");
}
