//! A model is trained from nothing and says more than chance; with permuted labels it does not.

use crate::support::{Project, repository};

/// The share of the most frequent label among the records of the test part, and the accuracy over them.
fn figures(project: &Project) -> (f64, f64) {
    let manifest = project.json("build/helpdesk/manifest.json");
    let test = &manifest["splits"]["test"];
    let labels = test["labels"]["intent"].as_object().expect("counts of each value");
    let most = labels.values().filter_map(serde_json::Value::as_u64).max().expect("several values");
    let evaluation = project.json("build/sorter/evaluation/helpdesk.test.json");
    assert_eq!(evaluation["schema"], "annotc.evaluation/1");
    (
        most as f64 / test["records"].as_u64().expect("a count") as f64,
        evaluation["metrics"]["accuracy"].as_f64().expect("accuracy"),
    )
}

#[test]
fn the_quickstart_learns_and_permuted_labels_fall_to_chance() {
    let project = Project::of_spec("quickstart");
    project.annotc(&["build", "quickstart.annot"]).expect(0);
    let (majority, accuracy) = figures(&project);
    assert!(accuracy >= majority + 0.20, "accuracy {accuracy:.3}, majority class {majority:.3}");
    for file in ["model.onnx", "tokenizer.json", "config.json", "metrics.jsonl", "provenance.json"] {
        assert!(project.path("build/sorter").join(file).exists(), "{file} is left");
    }
    let question = "my chain keeps slipping, can you mend it?";
    let predicted = &project.annotc(&["predict", "build/sorter", "--text", question]).expect(0).answers()[0];
    assert_eq!(predicted["text"], question);
    assert_eq!(predicted["predicted"], "repair", "{predicted}");
    assert!(predicted["probability"].as_f64().expect("a probability") > 0.5, "{predicted}");
    let again = project.annotc(&["build", "quickstart.annot"]).expect(0);
    assert!(again.stderr.matches("Unchanged").count() >= 2, "nothing is trained twice: {}", again.stderr);

    labels_are_those_of_the_run(&project);
    predictions_are_those_of_the_evaluation(&project);

    // Labels dealt anew by a fixed permutation of the rows: what is learnt is no better than the majority class, within
    // three standard errors of a share over the test part.
    let permuted = Project::of_spec("quickstart");
    permute_labels(&permuted);
    permuted.annotc(&["build", "quickstart.annot"]);
    let (majority, accuracy) = figures(&permuted);
    assert!(accuracy <= majority + 0.10, "accuracy {accuracy:.3} with permuted labels, majority class {majority:.3}");
}

/// Two labels of a trained model's configuration exchanged: whatever would say the one for the other refuses the folder.
fn labels_are_those_of_the_run(project: &Project) {
    let path = "build/sorter/config.json";
    let before = project.read(path);
    let mut config = project.json(path);
    let names = config["id2label"].as_object_mut().expect("names by their numbers");
    let (first, second) = (names["0"].clone(), names["1"].clone());
    (names["0"], names["1"]) = (second.clone(), first.clone());
    project.write(path, config.to_string().as_bytes());
    let said = format!(
        "build/sorter/config.json` calls output 0 `{}` (`id2label`), and the model was trained with `{}`",
        second.as_str().expect("a name"),
        first.as_str().expect("a name")
    );
    for args in [
        ["build", "quickstart.annot"].as_slice(),
        &["eval", "--compare", "build/sorter", "build/sorter"],
        &["predict", "build/sorter", "--text", "my chain keeps slipping"],
        &["trace", "0000", "--model", "build/sorter"],
    ] {
        let run = project.annotc(args).expect(4);
        assert!(
            run.stderr.contains(&said) && run.stderr.contains("put back what was there"),
            "{args:?}: {}",
            run.stderr
        );
    }
    // Whatever else a configuration says may be changed.
    let other = before.replacen('{', "{\"_name_or_path\": \"sorter\",", 1);
    project.write(path, other.as_bytes());
    project.annotc(&["predict", "build/sorter", "--text", "my chain keeps slipping"]).expect(0);
    project.write(path, before.as_bytes());
}

/// A prediction that somebody has put right: no comparison believes it, and the next build makes it anew.
fn predictions_are_those_of_the_evaluation(project: &Project) {
    let path = "build/sorter/evaluation/helpdesk.test.predictions.jsonl";
    let before = project.read(path);
    let changed = before.replacen("\"probability\":0.", "\"probability\":1.", 1);
    assert_ne!(before, changed);
    project.write(path, changed.as_bytes());
    let compare = ["eval", "--compare", "build/sorter", "build/sorter"];
    let run = project.annotc(&compare).expect(4);
    let is_told = run.stderr.contains("helpdesk.test.predictions.jsonl` is not what its evaluation left");
    assert!(is_told && run.stderr.contains("build again"), "{}", run.stderr);
    let built = project.annotc(&["build", "quickstart.annot"]).expect(0);
    assert!(built.stderr.contains("Evaluating") && !built.stderr.contains("Trained"), "{}", built.stderr);
    assert_eq!(project.read(path), before);
    project.annotc(&compare).expect(0);
}

/// The greatest resident set of a build, as the system saw it.
#[cfg(target_os = "linux")]
fn peak_of(project: &Project, spec: &str) -> u64 {
    peak_and_words(project, spec).0
}

/// The same, and what the build said.
#[cfg(target_os = "linux")]
fn peak_and_words(project: &Project, spec: &str) -> (u64, String) {
    let words = project.path("words");
    let file = std::fs::File::create(&words).expect("made");
    let mut build = project.command(&["build", spec]);
    let build = build.stdout(std::process::Stdio::null()).stderr(file);
    let mut child = build.spawn().expect("annotc starts");
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        if let Some(ended) = child.try_wait().expect("asked") {
            let words = std::fs::read_to_string(&words).expect("read");
            assert!(ended.success(), "{ended}: {words}");
            return (peak, words);
        }
        let told = std::fs::read_to_string(&status).unwrap_or_default();
        let line = told.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
        peak = peak.max(kibibytes.unwrap_or(0) << 10);
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// A base whose weights are most of what the run takes, read forwards and backwards, and so little else that without the process and
/// what the runtime packs the plan would be half of the peak.
#[cfg(target_os = "linux")]
#[test]
fn the_plan_of_the_memory_is_near_what_a_frozen_base_takes() {
    let spec = r#"annot 1
source notes { path "notes.jsonl"; license "CC0-1.0"; fields { text: string; topic: string } }
label topic: choice { a; b }
dataset all { from notes; label topic = topic; split train 100%; write jsonl }
model wide { new encoder { layers 3; hidden 512; heads 4; vocab 200 } }
train adapted { model wide; data all; task classify topic from text; length 16 tokens else keep start; steps 2; batch 4; rate 1e-3; tune lora { rank 2; alpha 4 } }
"#;
    let note = |n: usize| {
        let words = (0..20).map(|word| ["river", "stone", "lamp", "cloud"][(n + word * word) % 4]).collect::<Vec<_>>();
        format!("{{\"text\":\"{} {n}\",\"topic\":\"{}\"}}\n", words.join(" "), ["a", "b"][n % 2])
    };
    let notes: String = (0..16).map(note).collect();
    let project = Project::new(&[("plan.annot", spec.as_bytes()), ("notes.jsonl", notes.as_bytes())]);
    let (peak, words) = peak_and_words(&project, "plan.annot");
    let number = |after: &str| {
        let rest = words.split_once(after).map(|(_, rest)| rest).and_then(|rest| rest.split(' ').next());
        rest.and_then(|number| number.parse::<f64>().ok())
            .unwrap_or_else(|| panic!("no number after {after:?}: {words}"))
    };
    let (plan, peak) = (number("about "), peak as f64 / f64::from(1 << 20));
    assert!((0.85..1.35).contains(&(plan / peak)), "a plan of {plan} MiB, a peak of {peak} MiB: {words}");
    let (frozen, packed) = (number(", weights "), number("for products "));
    assert!(frozen > 30.0 && packed > 1.8 * frozen && packed <= 2.0 * frozen, "{words}");
}

/// Eight layers of a batch of 64 texts of 64 tokens: what they leave for their gradients is most of what the process takes.
#[cfg(target_os = "linux")]
#[test]
fn a_deep_model_takes_less_memory_where_layers_are_computed_again() {
    let spec = |recompute: &str| {
        format!(
            r#"annot 1
source notes {{ path "notes.jsonl"; license "CC0-1.0"; fields {{ text: string; topic: string }} }}
label topic: choice {{ a; b }}
dataset all {{ from notes; label topic = topic; split train 100%; write jsonl }}
model deep {{ new encoder {{ layers 8; hidden 64; heads 4; vocab 200 }} }}
train run_{recompute} {{
  model     deep
  data      all
  task      classify topic from text
  length    64 tokens else keep start
  steps     1
  batch     64
  rate      1e-3
  recompute {recompute}
}}
"#
        )
    };
    let note = |n: usize| {
        let words = (0..70).map(|word| ["river", "stone", "lamp", "cloud"][(n + word * word) % 4]);
        let text = words.collect::<Vec<_>>().join(" ");
        format!("{{\"text\":\"{text} {n}\",\"topic\":\"{}\"}}\n", ["a", "b"][n % 2])
    };
    let notes: String = (0..64).map(note).collect();
    let (off, on) = (spec("off"), spec("on"));
    let files = [("off.annot", off.as_bytes()), ("on.annot", on.as_bytes()), ("notes.jsonl", notes.as_bytes())];
    let project = Project::new(&files);
    let (kept, again) = (peak_of(&project, "off.annot"), peak_of(&project, "on.annot"));
    assert!(again + (100 << 20) < kept, "{} MiB with all kept, {} MiB computed again", kept >> 20, again >> 20);
    let losses = ["build/run_off/metrics.jsonl", "build/run_on/metrics.jsonl"].map(|file| project.lines(file));
    let [kept, again] = losses.map(|lines| lines[0]["loss"].as_f64().expect("a loss"));
    assert!((kept - again).abs() < 2e-6, "{kept} and {again}");
}

/// Deals the topics of both sources anew: the row `i` of `n` gets that of the row `i · 389 mod n`. Rows that are damaged
/// on purpose keep what they have.
fn permute_labels(project: &Project) {
    for (file, topic_of) in [
        ("data/contact_form.jsonl", json_topic as fn(&str) -> Option<(usize, usize)>),
        ("data/counter.csv", csv_topic as fn(&str) -> Option<(usize, usize)>),
    ] {
        let text = project.read(file);
        let found: Vec<Option<(usize, usize)>> = text.lines().map(topic_of).collect();
        let topics: Vec<&str> =
            text.lines().zip(&found).filter_map(|(line, range)| range.map(|(start, end)| &line[start..end])).collect();
        assert!(topics.len() > 300, "{file} has {} topics", topics.len());
        let mut dealt = 0;
        let mut permuted = String::new();
        for (line, range) in text.lines().zip(&found) {
            match range {
                Some((start, end)) => {
                    dealt += 1;
                    permuted += &format!("{}{}{}", &line[..*start], topics[dealt * 389 % topics.len()], &line[*end..]);
                }
                None => permuted += line,
            }
            permuted.push('\n');
        }
        project.write(file, permuted.as_bytes());
    }
}

/// Where the topic stands in a line of JSON.
fn json_topic(line: &str) -> Option<(usize, usize)> {
    let topic = serde_json::from_str::<serde_json::Value>(line).ok()?["topic"].as_str()?.to_string();
    let start = line.rfind(&format!("\"{topic}\""))? + 1;
    Some((start, start + topic.len()))
}

/// Where the topic stands in a row of two fields: before the first comma.
fn csv_topic(line: &str) -> Option<(usize, usize)> {
    let end = line.find(',')?;
    let plain = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c == ' ');
    (plain(&line[..end]) && !line.starts_with("topic,")).then_some((0, end))
}

const FIELD_ID: &str = r#"annot 1
source notes { path "notes.jsonl"; license "CC0-1.0"; fields { id: string; topic: string } }
label topic: choice { bike; boat }
dataset all { from notes; label topic = topic; split train 50%, test 50%; write jsonl }
model small { new encoder { layers 1; hidden 16; heads 2; vocab 64 } }
train sorter {
  model small; data all; task classify topic from id; tune all; length 16 tokens; steps 1; batch 4; rate 1e-3; seed 1
}
evaluate sorter on all.test { report accuracy }
"#;

#[test]
fn a_field_that_is_learnt_from_may_have_the_name_of_the_ids() {
    let notes: String = (0..40)
        .map(|at| format!("{{\"id\": \"note {at} of a {0}\", \"topic\": \"{0}\"}}\n", ["bike", "boat"][at % 2]))
        .collect();
    let project = Project::new(&[("all.annot", FIELD_ID.as_bytes()), ("notes.jsonl", notes.as_bytes())]);
    project.annotc(&["build", "all.annot"]).expect(0);
    let records = project.json("build/sorter/evaluation/all.test.json")["predicted"].as_u64();
    assert!(records.is_some_and(|records| records > 0), "the test part was measured");
}

const LABEL_MESSAGES: &str = r#"annot 1
source notes { path "notes.jsonl"; license "CC0-1.0"; fields { text: string; messages: string } }
label messages: choice { yes; yes_sir }
template ask: chat { user "{{ text }}"; assistant "{{ messages }}" }
dataset all { from notes; label messages = messages; split train 50%, test 50%; write messages from ask }
model llama { onnx "models/llama-chat" }
train writer { model llama; data all; task generate from ask; length 64 tokens; steps 1; batch 2; rate 1e-9 constant }
evaluate writer on all.test { report loss }
"#;

#[test]
fn a_label_may_have_the_name_that_conversations_are_written_under() {
    let data = repository().join("../shared");
    if !data.join("models/llama-chat").exists() {
        assert!(std::env::var_os("ANNOTC_REQUIRE_SHARED").is_none(), "the model is missing");
        return;
    }
    let note = |at: usize| format!("{{\"text\": \"note {at}\", \"messages\": \"{}\"}}\n", ["yes", "yes_sir"][at % 2]);
    let notes: String = (0..20).map(note).collect();
    let project = Project::new(&[("all.annot", LABEL_MESSAGES.as_bytes()), ("notes.jsonl", notes.as_bytes())]);
    let built = project.annotc(&["build", "all.annot", "--data-root", &data.to_string_lossy()]).expect(0);
    let told = "of the values of `messages`, one is the beginning of another (`yes` of `yes_sir`)";
    assert!(built.stderr.contains(told), "{}", built.stderr);
    assert!(project.json("build/writer/evaluation/all.test.json")["metrics"]["loss"].is_number());
    let written = project.lines("build/all/messages/train.jsonl");
    assert!(!written.is_empty() && written.iter().all(|line| line["messages"].is_array()));
}

#[test]
fn a_folder_that_says_nothing_of_texts_is_called_what_it_is() {
    let models = repository().join("../shared/models");
    if !models.join("gpt2").exists() {
        assert!(std::env::var_os("ANNOTC_REQUIRE_SHARED").is_none(), "the models are missing");
        return;
    }
    let project = Project::new(&[("set/manifest.json", b"{}"), ("empty/config.json", b"{}")]);
    for file in ["config.json", "tokenizer.json"] {
        let bytes = std::fs::read(models.join("bert-seqcls").join(file)).expect("a file of the model");
        project.write(&format!("damaged/{file}"), &bytes);
    }
    project.write("damaged/model.onnx", b"no model");
    let decoder = models.join("gpt2");
    for (folder, said, help) in [
        (&*decoder.to_string_lossy(), "continues texts, and says nothing of one", "generate greedy { answers on }"),
        ("damaged", "cannot be run: not a whole ONNX model", "build the run again"),
        ("set", "`set` is the folder of a data set, and holds no model", "build/router"),
        ("empty", "`empty` holds no `model.onnx`", "build/router"),
    ] {
        let run = project.annotc(&["predict", folder, "--text", "hello"]).expect(4);
        assert!(run.stderr.contains(said) && run.stderr.contains(help), "{folder}: {}", run.stderr);
        assert!(!run.stderr.contains("trained"), "{folder}: {}", run.stderr);
    }
}
