//! Runs that generate are evaluated by their answers, and two runs are compared by what their evaluations left.

use serde_json::{Value, json};

use crate::support::{Project, repository};

/// Two runs of one decoder, of which the second learns, and their evaluations of the same records.
const SPEC: &str = r#"annot 1
source sums { path "sums.jsonl"; license "CC0-1.0"; fields { question: string; answer: string } }
template ask: chat { user "{{ question }}"; assistant "{{ answer }}" }
dataset lessons { from sums; split train 70%, test 30% seed 7; write messages from ask }
model llama { onnx "models/llama-chat" }
train short { model llama; data lessons; task generate from ask; length 64 tokens; steps 1; batch 2; rate 1e-9 constant }
train long  { model llama; data lessons; task generate from ask; length 64 tokens; steps 20; batch 8; rate 3e-3 constant }
evaluate short on lessons.test { report perplexity, chrf, exact_match; generate greedy { tokens 12; answers on } }
evaluate long on lessons.test {
  report   perplexity, chrf, exact_match
  generate greedy { tokens 12 }
  by       chars(question) at [18]
  require  gap(chrf, by chars(question)) <= 100
}
"#;

#[test]
fn a_run_that_learnt_answers_better_and_the_comparison_says_so() {
    let data = repository().join("../shared");
    if !data.join("models/llama-chat").exists() {
        assert!(std::env::var_os("ANNOTC_REQUIRE_SHARED").is_none(), "the model is missing");
        return;
    }
    let project = Project::new(&[("lessons.annot", SPEC.as_bytes())]);
    let sum = |number: usize| json!({"question": format!("What is {number} and 1?"), "answer": "That is a sum."});
    let rows: String = (70..130).map(|number| format!("{}\n", sum(number))).collect();
    project.write("sums.jsonl", rows.as_bytes());
    project.annotc(&["build", "lessons.annot", "--data-root", &data.to_string_lossy()]).expect(0);

    let figures = |run: &str| project.json(&format!("build/{run}/evaluation/lessons.test.json"));
    let (short, long) = (figures("short"), figures("long"));
    let chrf = |figures: &Value| figures["metrics"]["chrf"].as_f64().expect("a figure");
    assert!(chrf(&long) > chrf(&short), "{} and {}", chrf(&short), chrf(&long));
    let records = long["records"].as_u64().expect("a count");
    let ended: u64 = long["generation"]["ended"].as_object().expect("counts").values().filter_map(Value::as_u64).sum();
    assert_eq!(ended, records);
    assert_eq!(long["slices"].as_array().map(Vec::len), Some(2), "{}", long["slices"]);
    let signature = long["signatures"]["chrf"].as_str().expect("a line");
    for part in [
        "chrf|",
        "sacrebleu",
        "generated:greedy,tokens=12",
        "|spec:",
        "|tokenizer:",
        "|model:",
        "|code:",
        "|split:test",
    ] {
        assert!(signature.contains(part), "{signature} has {part}");
    }

    // Answers are written where they are asked for alone.
    let lines = |run: &str| project.lines(&format!("build/{run}/evaluation/lessons.test.predictions.jsonl"));
    assert!(lines("short").iter().all(|line| line["answer"].is_string()));
    assert!(lines("long").iter().all(|line| line["answer"].is_null() && line["scores"]["bleu"].is_object()));
    assert_eq!(lines("long").len() as u64, records);

    let run = project.annotc(&["eval", "--compare", "build/short", "build/long", "--format", "json"]).expect(0);
    let compared = run.answers();
    let of = |name: &str| {
        let figures = compared[0]["figures"].as_array().expect("figures");
        figures.iter().find(|figure| figure["metric"] == name).cloned().expect("the figure is there")
    };
    assert_eq!(of("chrf")["second"], long["metrics"]["chrf"]);
    assert!(of("perplexity")["p"].as_f64().is_some_and(|p| p < 0.01), "{}", of("perplexity"));
    assert_eq!(of("exact_match")["test"], "McNemar, exact");

    let data = data.to_string_lossy();
    // One byte of a piece of the vocabulary, and one of the words that the template writes.
    refused(&project, &data, "tokenizer.json", |bytes| {
        let at = bytes.len() / 2;
        bytes[at] = if bytes[at] == b'a' { b'b' } else { b'a' };
    });
    refused(&project, &data, "chat_template.jinja", |bytes| bytes.extend(b"\n"));
    project.annotc(&["build", "lessons.annot", "--data-root", &data]).expect(0);
}

/// A file of a trained model with one byte changed, and what is refused with it as it is then.
fn refused(project: &Project, data: &str, file: &str, change: impl Fn(&mut Vec<u8>)) {
    let path = format!("build/long/{file}");
    let before = project.read(&path).into_bytes();
    let mut changed = before.clone();
    change(&mut changed);
    assert_ne!(before, changed);
    project.write(&path, &changed);
    for args in [
        ["build", "lessons.annot", "--data-root", data].as_slice(),
        &["eval", "--compare", "build/short", "build/long"],
        &["predict", "build/long", "--text", "What is 5 and 1?"],
    ] {
        let run = project.annotc(args).expect(4);
        let is_told = run.stderr.contains(file) && run.stderr.contains("not the one that the model was trained with");
        assert!(is_told, "{args:?}: {}", run.stderr);
    }
    project.write(&path, &before);
}

/// A run's folder with nothing but predictions: `right` says which of ten are.
fn write_run(project: &Project, run: &str, gold: &str, right: &dyn Fn(usize) -> bool) {
    let line = |record: usize| {
        let predicted = if right(record) { gold } else { "neither" };
        json!({"id": format!("{record:032x}"), "gold": gold, "predicted": predicted, "probability": 0.5, "loss": 0.5})
    };
    let lines: String = (0..10).map(|record| format!("{}\n", line(record))).collect();
    let figures = json!({"predictions": blake3::hash(lines.as_bytes()).to_hex().as_str()});
    project.write(&format!("{run}/evaluation/shop.test.json"), figures.to_string().as_bytes());
    project.write(&format!("{run}/evaluation/shop.test.predictions.jsonl"), lines.as_bytes());
}

#[test]
fn classifiers_are_compared_record_by_record() {
    let project = Project::new(&[]);
    write_run(&project, "small", "yes", &|record| record < 2);
    write_run(&project, "large", "yes", &|record| record < 8);
    write_run(&project, "other", "no", &|_| true);
    let run = project.annotc(&["eval", "--compare", "small", "large", "--format", "json"]).expect(0);
    let accuracy = &run.answers()[0]["figures"][0];
    assert_eq!(
        (&accuracy["metric"], &accuracy["first"], &accuracy["second"]),
        (&json!("accuracy"), &json!(0.2), &json!(0.8))
    );
    // Six of six records that differ are right by the second run alone: 2 of 2^6.
    assert!(accuracy["p"].as_f64().is_some_and(|p| (p - 2.0 / 64.0).abs() < 1e-12), "{accuracy}");
    let shown = project.annotc(&["eval", "--compare", "small", "large"]).expect(0).stdout;
    assert!(shown.contains("accuracy") && shown.contains("McNemar, exact"), "{shown}");

    let run = project.annotc(&["eval", "--compare", "small", "other"]).expect(4);
    assert!(run.stderr.contains("other true values"), "{}", run.stderr);
    let run = project.annotc(&["eval", "--compare", "small", "large", "--on", "shop.validation"]).expect(4);
    assert!(run.stderr.contains("`shop.validation` is no evaluation of both runs"), "{}", run.stderr);
    project.annotc(&["eval"]).expect(2);

    project.write("other/evaluation/shop.test.json", b"{}");
    let run = project.annotc(&["eval", "--compare", "small", "other"]).expect(4);
    assert!(run.stderr.contains("does not say which predictions its figures are of"), "{}", run.stderr);
    let path = "small/evaluation/shop.test.predictions.jsonl";
    project.write(path, project.read(path).replacen("neither", "yes", 1).as_bytes());
    let run = project.annotc(&["eval", "--compare", "small", "large"]).expect(4);
    assert!(run.stderr.contains("is not what its evaluation left"), "{}", run.stderr);
}
