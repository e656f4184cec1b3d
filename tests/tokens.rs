//! `annotc preview --tokens`: what a run reads and learns, token by token.

use serde_json::Value;

use crate::support::{Project, repository};

fn texts(record: &Value, of: impl Fn(&Value) -> bool) -> String {
    let tokens = record["tokens"].as_array().expect("tokens").iter();
    tokens.filter(|token| of(token)).map(|token| token["text"].as_str().expect("whole characters")).collect()
}

#[test]
fn a_text_is_shown_as_the_classifier_reads_it_with_its_label() {
    let project = Project::of_spec("quickstart");
    let args = ["preview", "quickstart.annot", "--tokens", "-n", "20", "--format", "json"];
    let records = project.annotc(&args).expect(0).answers();
    assert_eq!(records.len(), 20);
    for record in &records {
        let text = record["text"].as_str().expect("a text");
        let tokens = record["tokens"].as_array().expect("tokens");
        assert_eq!((&tokens[0]["token"], &tokens[tokens.len() - 1]["token"]), (&"[CLS]".into(), &"[SEP]".into()));
        assert!(record["learnt_label"]["intent"].is_string() && record["run"] == "sorter", "{record}");
        assert!(tokens.iter().all(|token| token["learnt"] == false));
        for token in &tokens[1..tokens.len() - 1] {
            let place = |end: &str| token[end].as_u64().expect("a place") as usize;
            let read: String = text.chars().skip(place("start")).take(place("end") - place("start")).collect();
            // The tokenizer takes accents off besides.
            assert!(!read.is_ascii() || read.to_lowercase() == token["text"], "{token} of {read}");
        }
    }
    let short = project.read("quickstart.annot").replace("length 64 tokens", "length 6 tokens");
    project.write("short.annot", short.as_bytes());
    let args = ["preview", "short.annot", "--tokens", "sorter", "-n", "3"];
    let shown = project.annotc(&args).expect(0).stdout;
    assert!(shown.contains("cut off by `length 6 tokens else keep start`"), "{shown}");
    let marked: Vec<&str> = shown.lines().filter(|line| line.starts_with("         cut  ")).collect();
    assert!(!marked.is_empty() && marked.iter().all(|line| line.contains('×')), "{shown}");
    let run = project.annotc(&["preview", "quickstart.annot", "--tokens", "sortre"]).expect(2);
    assert!(run.stderr.contains("did you mean `sorter`?"), "{}", run.stderr);
}

/// The specification `chat`, with the model where it is shared and another limit.
fn chat(length: &str) -> Option<Project> {
    let models = repository().join("../shared/models");
    if !models.exists() {
        assert!(std::env::var_os("ANNOTC_REQUIRE_SHARED").is_none(), "{} is missing", models.display());
        return None;
    }
    let project = Project::of_spec("chat");
    let spec = project.read("chat.annot");
    let model = models.join("llama-chat");
    let spec = spec.replace("../models/llama-chat", model.to_str().expect("a path in UTF-8"));
    let spec = spec.replace("length 256 tokens ", length);
    project.write("chat.annot", spec.as_bytes());
    Some(project)
}

#[test]
fn an_answer_is_shown_as_the_decoder_learns_it() {
    let Some(project) = chat("length 256 tokens ") else { return };
    let show = |args: &[&str]| project.annotc(&[&["preview", "chat.annot", "--tokens"], args].concat()).expect(0);
    for record in show(&["-n", "30", "--format", "json"]).answers() {
        assert_eq!(texts(&record, |_| true), record["text"].as_str().expect("a text"), "{record}");
        let learnt = texts(&record, |token| token["learnt"] == true);
        let answer = learnt.strip_suffix("<|im_end|>").expect("its end is learnt");
        assert!(record["text"].as_str().expect("a text").contains(&format!("assistant\n{answer}<|im_end|>")));
        assert!(!answer.is_empty() && record["fate"] == "whole", "{record}");
    }
    let plain = show(&["-n", "1"]).stdout;
    assert!(plain.contains("<|im_start|>") && plain.contains("↵") && plain.contains("━━"), "{plain}");
    let coloured = show(&["-n", "1", "--color", "always"]).stdout;
    assert!(coloured.contains("\u{1b}[1;32m<|im_end|>\u{1b}[0m"), "the end is learnt: {coloured:?}");
    let Some(cut) = chat("length 48 tokens else keep start ") else { return };
    let shown = cut.annotc(&["preview", "chat.annot", "--tokens", "-n", "5"]).expect(0).stdout;
    assert!(shown.contains("no answer is left whole, and the run does not start with it"), "{shown}");
    // Of a record that the run leaves out everything is marked as lost.
    let Some(project) = chat("length 30 tokens else drop ") else { return };
    let args = ["preview", "chat.annot", "--tokens", "-n", "5", "--format", "json"];
    for record in project.annotc(&args).expect(0).answers() {
        let lost = record["tokens"].as_array().expect("tokens").iter().all(|token| token["cut"] == true);
        assert_eq!((record["fate"] == "left out", lost), (true, true), "{record}");
    }
}

#[test]
fn tokens_of_what_no_policy_has_cleaned_are_kept_back() {
    let spec = "annot 1\nsource people {\n  path \"people.jsonl\"\n  license \"MIT\"\n  fields { name: string @personal; \
                kind: string }\n}\nlabel sort: choice { a; b }\ndataset d {\n  from people\n  label sort = kind\n  policy \
                open\n  split train 50%, test 50%\n}\npolicy open { allow personal name because \"a test\" }\nmodel m { new \
                encoder { layers 1; hidden 16; heads 2; vocab 60 } }\ntrain t {\n  model m; data d\n  task classify sort from \
                name\n  length 16 tokens\n  epochs 1\n}\n";
    let rows = "{\"name\": \"Ann Onymous\", \"kind\": \"a\"}\n{\"name\": \"Ann Other\", \"kind\": \"b\"}\n";
    let project = Project::new(&[("people.annot", spec.as_bytes()), ("people.jsonl", rows.as_bytes())]);
    let allowed = project.annotc(&["preview", "people.annot", "--tokens"]).expect(0).stdout;
    assert!(allowed.contains("ann"), "what a policy allows is shown: {allowed}");
    let cleaned = spec.replace("allow personal name because \"a test\"", "forbid \"no\" when kind == \"c\"");
    project.write("people.annot", cleaned.as_bytes());
    // The check refuses a run that would read it, and the preview shows nothing of it.
    let run = project.annotc(&["preview", "people.annot", "--tokens"]).expect(1);
    assert!(!run.stdout.contains("ann") && run.stderr.contains("E0401"), "{}", run.stderr);
}
