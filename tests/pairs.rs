//! Runs over pairs, as processes: preferences from a decoder, vectors from an encoder.

use crate::support::{Project, repository};

const PREFERENCES: &str = r#"annot 1
source notes { path "notes.jsonl"; license "CC0-1.0"; fields { question: string; good: string; bad: string } }
template better: preference { prompt "{{ question }}"; chosen "{{ good }}"; rejected "{{ bad }}" }
dataset all { from notes; split train 60%, validation 20%, test 20% seed 3; write preference from better }
model base { onnx "MODEL" }
train picker {
  model base; data all; task prefer from better; tune lora { rank 4; alpha 8 }; length 64 tokens; epochs 3; batch 8
  rate 2e-3; beta 0.2; seed 1; validate every 1 epochs by accuracy; keep best
}
evaluate picker on all.test { report accuracy, margin, loss; by words(good) at [4]; require accuracy >= 0.9; require margin > 0 }
"#;

fn notes(line: impl Fn(usize) -> String) -> String {
    (0..80).map(|at| line(at) + "\n").collect()
}

#[test]
fn a_decoder_learns_which_answer_is_better() {
    let model = repository().join("../shared/models/gpt2");
    if !model.is_dir() {
        assert!(std::env::var_os("ANNOTC_REQUIRE_SHARED").is_none(), "{} is missing", model.display());
        return;
    }
    let notes = notes(|at| {
        let number = ["one", "two", "three", "four", "five"][at % 5];
        format!(
            "{{\"question\": \"What is {number} of {at}?\", \"good\": \"It is {number} in all.\", \"bad\": \"I cannot say.\"}}"
        )
    });
    let spec = PREFERENCES.replacen("MODEL", &model.to_string_lossy(), 1);
    let project = Project::new(&[("all.annot", spec.as_bytes()), ("notes.jsonl", notes.as_bytes())]);
    project.annotc(&["build", "all.annot"]).expect(0);
    let steps = project.lines("build/picker/metrics.jsonl");
    let first = &steps[0];
    assert!((first["loss"].as_f64().expect("a loss") - 2.0_f64.ln()).abs() < 1e-4, "{first}");
    let last = steps.iter().rfind(|line| line.get("reward_margin").is_some()).expect("a step");
    assert!(last["reward_margin"].as_f64() > Some(0.05) && last["reward_accuracy"] == 1.0, "{last}");
    let figures = project.json("build/picker/evaluation/all.test.json");
    let lines = project.lines("build/picker/evaluation/all.test.predictions.jsonl");
    let margins: Vec<f64> = lines
        .iter()
        .map(|line| line["chosen"].as_f64().expect("a gain") - line["rejected"].as_f64().expect("a gain"))
        .collect();
    let mean = margins.iter().sum::<f64>() / margins.len() as f64;
    assert!((figures["metrics"]["margin"].as_f64().expect("a margin") - mean).abs() < 1e-9, "{figures}");
    project.annotc(&["eval", "--compare", "build/picker", "build/picker"]).expect(0);
    let again = project.annotc(&["build", "all.annot"]).expect(0);
    assert_eq!(again.stderr.matches("Unchanged").count(), 3, "nothing is done twice: {}", again.stderr);
}

const VECTORS: &str = r#"annot 1
source faq { path "faq.jsonl"; license "CC0-1.0"; fields { question: string; answer: string } }
template pair: completion { prompt "{{ question }}"; completion "{{ answer }}" }
dataset desk { from faq; split train 60%, validation 20%, test 20% seed 3; write jsonl }
model small { new encoder { layers 1; hidden 32; heads 2; vocab 200 }; pooling POOLING }
train finder {
  model small; data desk; task embed from pair; length 32 tokens; epochs 30; batch 16; rate 3e-3; seed 1
  validate every 10 epochs by mrr; keep best
}
evaluate finder on desk.test { report recall_at_1, recall_at_10, mrr; require mrr >= 0.5 }
"#;

#[test]
fn an_encoder_learns_which_texts_belong_together() {
    let faq = notes(|at| {
        let (thing, colour) =
            (["cat", "dog", "cow", "hen"][at % 4], ["red", "blue", "green", "black", "white"][at / 4 % 5]);
        format!("{{\"question\": \"Who has a {colour} {thing}?\", \"answer\": \"The {colour} one of {thing} owners\"}}")
    });
    for (pooling, word) in [("mean", "pooling_mode_mean_tokens"), ("cls", "pooling_mode_cls_token")] {
        let spec = VECTORS.replacen("POOLING", pooling, 1);
        let project = Project::new(&[("desk.annot", spec.as_bytes()), ("faq.jsonl", faq.as_bytes())]);
        project.annotc(&["build", "desk.annot"]).expect(0);
        assert_eq!(project.json("build/finder/1_Pooling/config.json")[word], true);
        assert_eq!(project.json("build/finder/modules.json")[1]["path"], "1_Pooling");
        let lines = project.lines("build/finder/evaluation/desk.test.predictions.jsonl");
        let mean =
            lines.iter().map(|line| 1.0 / line["rank"].as_f64().expect("a rank")).sum::<f64>() / lines.len() as f64;
        let figures = project.json("build/finder/evaluation/desk.test.json");
        assert!((figures["metrics"]["mrr"].as_f64().expect("a figure") - mean).abs() < 1e-9, "{figures}");
        let texts = ["Who has a red cat?", "The red one of cat owners", "The green one of hen owners"];
        let args: Vec<&str> =
            ["predict", "build/finder"].into_iter().chain(texts.iter().flat_map(|text| ["--text", *text])).collect();
        let vectors: Vec<Vec<f64>> = project
            .annotc(&args)
            .expect(0)
            .answers()
            .iter()
            .map(|answer| serde_json::from_value(answer["vector"].clone()).expect("a vector"))
            .collect();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        assert!((dot(&vectors[0], &vectors[0]) - 1.0).abs() < 1e-5 && vectors[0].len() == 32);
        assert!(dot(&vectors[0], &vectors[1]) > dot(&vectors[0], &vectors[2]), "{pooling}");
    }
}
