//! Labels that are numbers, steps of a scale or truth values: judged, written with their types, measured, learnt.

use crate::support::Project;

const SPEC: &str = r#"annot 1
source reports { path "reports.jsonl"; license "CC0-1.0"; fields { text: string; urgent: bool; level: int; cost: int?; fake: bool } }
/// How bad it is.
label severity: scale 1..5 { when urgent == true require severity >= 3 }
label price: number
label spam: flag
dataset all {
  from  reports
  label severity = level
  label price = cost else drop
  label spam = fake
  split train 100%
  write jsonl
  write parquet
}
test severity "a step of the scale" { given { urgent: true, level: 4 }; expect { severity: 4 } }
test severity "no step of the scale" { given { urgent: true, level: 9 }; expect quarantine }
test severity "what is urgent is severe" { given { urgent: true, level: 2 }; expect quarantine }
"#;

const REPORTS: &str = r#"{"text": "a", "urgent": true, "level": 5, "cost": 12, "fake": false}
{"text": "b", "urgent": false, "level": 1, "cost": 3, "fake": true}
{"text": "c", "urgent": true, "level": 2, "cost": 3, "fake": true}
{"text": "d", "urgent": false, "level": 6, "cost": 3, "fake": true}
{"text": "e", "urgent": false, "level": 0, "cost": 3, "fake": true}
{"text": "f", "urgent": false, "level": 3, "cost": null, "fake": true}
"#;

#[test]
fn numbers_are_judged_by_their_schema_and_written_with_their_type() {
    let project = Project::new(&[("all.annot", SPEC.as_bytes()), ("reports.jsonl", REPORTS.as_bytes())]);
    project.annotc(&["build", "all.annot"]).expect(0);
    let rows = project.lines("build/all/jsonl/train.jsonl");
    let labels: Vec<String> =
        rows.iter().map(|row| format!("{} {} {}", row["severity"], row["price"], row["spam"])).collect();
    assert_eq!(labels, ["5 12.0 false", "1 3.0 true"]);
    let faults: Vec<String> =
        project.lines("build/all/quarantine.jsonl").iter().map(|row| row["error"].to_string()).collect();
    assert_eq!(
        faults,
        [
            "\"a constraint of label `severity` does not hold\"",
            "\"a value outside those of label `severity`\"",
            "\"a value outside those of label `severity`\"",
        ]
    );
    let statistics = project.json("build/all/statistics.json");
    let columns = &statistics["parts"]["train"]["columns"];
    assert_eq!(
        (&columns["severity"]["kind"], &columns["severity"]["numbers"]["most"]),
        (&"numbers".into(), &5.0.into())
    );
    assert_eq!(columns["spam"]["values"].to_string(), r#"{"false":1,"true":1}"#);
    let card = project.read("build/all/README.md");
    assert!(card.contains("How bad it is.") && card.contains("| train | 2 | 1 | 1 | 5 |"), "{card}");
    project.annotc(&["test", "all.annot"]).expect(0);
    // What the first pass measured is enough to judge them again.
    let again = SPEC.replacen("scale 1..5", "scale 1..6", 1);
    project.write("all.annot", again.as_bytes());
    project.annotc(&["build", "all.annot"]).expect(0);
    let steps: Vec<String> =
        project.lines("build/all/jsonl/train.jsonl").iter().map(|row| row["severity"].to_string()).collect();
    assert_eq!(steps, ["5", "1", "6"]);
    let warm = project.read("build/all/manifest.json");
    project.annotc(&["build", "all.annot", "--out", "cold", "--no-cache"]).expect(0);
    assert_eq!(warm, project.read("cold/all/manifest.json"));
}

const NUMBERS: &str = r#"annot 1
source notes { path "notes.jsonl"; license "CC0-1.0"; fields { text: string; count: int } }
label apples: number
dataset all { from notes; label apples = count; split train 60%, validation 20%, test 20% seed 3; write jsonl }
model small { new encoder { layers 1; hidden 32; heads 2; vocab 64 }; pooling POOLING }
train counter {
  model small; data all; task regress apples from text; tune all; length 16 tokens; epochs 40; batch 16
  rate 3e-3 cosine; seed 1; validate every 10 epochs by spearman; keep best
}
evaluate counter on all.test { report mae, rmse, r2, pearson, spearman; by apples at [3]; require spearman >= 0.9; require r2 >= -1 }
"#;

/// The number of apples decides the number that is learnt.
#[test]
fn a_number_is_learnt_and_predicted() {
    let words = ["none", "one", "two", "three", "four", "five"];
    let notes: String = (0..120)
        .map(|at| format!("{{\"text\": \"I have {} apples {}\", \"count\": {}}}\n", words[at % 6], at / 6, at % 6))
        .collect();
    for pooling in ["mean", "cls"] {
        let spec = NUMBERS.replacen("POOLING", pooling, 1);
        let project = Project::new(&[("all.annot", spec.as_bytes()), ("notes.jsonl", notes.as_bytes())]);
        project.annotc(&["build", "all.annot"]).expect(0);
        let config = project.json("build/counter/config.json");
        assert_eq!(
            (&config["problem_type"], &config["num_labels"], &config["id2label"]["0"], &config["classifier_pooling"]),
            (&"regression".into(), &1.into(), &"apples".into(), &pooling.into())
        );
        let figures = project.json("build/counter/evaluation/all.test.json");
        let metrics = figures["metrics"].as_object().expect("figures");
        assert_eq!(metrics.keys().collect::<Vec<_>>(), ["mae", "rmse", "r2", "pearson", "spearman"]);
        let (mae, rmse) = (metrics["mae"].as_f64().expect("a number"), metrics["rmse"].as_f64().expect("a number"));
        assert!(mae <= rmse && mae < 1.0, "{figures}");
        let lines = project.lines("build/counter/evaluation/all.test.predictions.jsonl");
        let mean = lines
            .iter()
            .map(|line| (line["gold"].as_f64().expect("true") - line["predicted"].as_f64().expect("predicted")).abs())
            .sum::<f64>()
            / lines.len() as f64;
        assert!((mean - mae).abs() < 1e-6, "the lines are those that the figures are made of: {mean} and {mae}");
        let four =
            &project.annotc(&["predict", "build/counter", "--text", "I have four apples 3"]).expect(0).answers()[0];
        assert!(four["predicted"].as_f64().is_some_and(|four| (four - 4.0).abs() < 1.5), "{four}");
        assert!(four.get("probability").is_none());
        let traced = project.annotc(&["trace", lines[0]["id"].as_str().expect("an id")]).expect(0);
        assert!(traced.stdout.contains("counter predicted"), "{}", traced.stdout);
        project.annotc(&["eval", "--compare", "build/counter", "build/counter"]).expect(0);
    }
}
