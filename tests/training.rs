//! A model is trained from nothing and says more than chance; with permuted labels it does not.

use crate::support::Project;

/// The share of the most frequent label among the records of the test part, and the accuracy over them.
fn figures(project: &Project) -> (f64, f64) {
    let manifest = project.json("build/helpdesk/manifest.json");
    let test = &manifest["splits"]["test"];
    let labels = test["labels"]["intent"].as_object().expect("counts of each value");
    let most = labels.values().filter_map(serde_json::Value::as_u64).max().expect("several values");
    let evaluation = project.json("build/router/evaluation/helpdesk.test.json");
    assert_eq!(evaluation["schema"], "annotc.evaluation/1");
    (most as f64 / test["records"].as_u64().expect("a count") as f64, evaluation["metrics"]["accuracy"].as_f64().expect("accuracy"))
}

#[test]
fn the_quickstart_learns_and_permuted_labels_fall_to_chance() {
    let project = Project::of_spec("quickstart");
    project.annotc(&["build", "quickstart.annot"]).expect(0);
    let (majority, accuracy) = figures(&project);
    assert!(accuracy >= majority + 0.20, "accuracy {accuracy:.3}, majority class {majority:.3}");
    for file in ["model.onnx", "tokenizer.json", "config.json", "metrics.jsonl", "provenance.json"] {
        assert!(project.path("build/router").join(file).exists(), "{file} is left");
    }
    let predicted = project.annotc(&["predict", "build/router", "--text", "my chain keeps slipping, can you mend it?"]).expect(0);
    assert!(predicted.stdout.contains("probability"), "{}", predicted.stdout);
    let again = project.annotc(&["build", "quickstart.annot"]).expect(0);
    assert!(again.stderr.matches("Unchanged").count() >= 2, "nothing is trained twice: {}", again.stderr);

    // Labels dealt anew by a fixed permutation of the rows: what is learnt is no better than the majority class, within
    // three standard errors of a share over the test part.
    let permuted = Project::of_spec("quickstart");
    permute_labels(&permuted);
    permuted.annotc(&["build", "quickstart.annot"]);
    let (majority, accuracy) = figures(&permuted);
    assert!(accuracy <= majority + 0.10, "accuracy {accuracy:.3} with permuted labels, majority class {majority:.3}");
}

/// Deals the topics of the contact form anew: the line `i` gets that of the line `i · 389 mod n`.
fn permute_labels(project: &Project) {
    for (file, is_csv) in [("data/contact_form.jsonl", false), ("data/counter.csv", true)] {
        let text = project.read(file);
        let lines: Vec<&str> = text.lines().collect();
        let topic = |line: &str| -> Option<String> {
            if is_csv {
                return None;
            }
            serde_json::from_str::<serde_json::Value>(line).ok()?["topic"].as_str().map(str::to_string)
        };
        let topics: Vec<String> = lines.iter().filter_map(|line| topic(line)).collect();
        let mut next = 0_usize;
        let dealt: Vec<String> = lines
            .iter()
            .map(|line| match topic(line) {
                None => (*line).to_string(),
                Some(_) => {
                    next += 1;
                    let mut row: serde_json::Value = serde_json::from_str(line).expect("it was read before");
                    row["topic"] = topics[next * 389 % topics.len()].clone().into();
                    row.to_string()
                }
            })
            .collect();
        project.write(file, (dealt.join("\n") + "\n").as_bytes());
    }
}
