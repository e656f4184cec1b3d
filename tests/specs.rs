//! The worked examples: each checks without a word, passes its own tests, and builds the bytes that its lock says.

use crate::support::Project;

/// Checks an example, runs its tests and builds a target of it as its committed lock has it.
fn worked(name: &str, target: &str) -> Project {
    let project = Project::of_spec(name);
    let spec = format!("{name}.annot");
    let run = project.annotc(&["check", &spec]).expect(0);
    assert!(!run.stderr.contains("warning"), "{name}: {}", run.stderr);
    project.annotc(&["test", &spec]).expect(0);
    project.annotc(&["build", &spec, target, "--locked"]).expect(0);
    for file in project.tree("data") {
        assert!(file.1.len() < 100_000, "{name}: {} is small", file.0);
    }
    project
}

/// How often each step took a record out, by step and rule.
fn taken_out(project: &Project, dataset: &str) -> Vec<(String, u64)> {
    let manifest = project.json(&format!("build/{dataset}/manifest.json"));
    let steps = manifest["steps"].as_array().expect("steps").iter();
    let figure = |step: &serde_json::Value, key: &str| step[key].as_u64().expect("a figure");
    steps
        .map(|step| {
            let name =
                format!("{} · {}", step["step"].as_str().expect("a step"), step["rule"].as_str().expect("a rule"));
            (name, figure(step, "dropped") + figure(step, "quarantined"))
        })
        .filter(|(_, count)| *count > 0)
        .collect()
}

#[track_caller]
fn check_taken_out(project: &Project, dataset: &str, expected: &[(&str, u64)]) {
    let found = taken_out(project, dataset);
    let found: Vec<(&str, u64)> = found.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    assert_eq!(found, expected);
}

#[test]
fn entities_stand_where_they_were_marked() {
    let project = worked("entities", "notices");
    let taken = [("read · read", 2), ("clean tidy · no notice", 2), ("clean tidy · dedup text exactly", 2)];
    check_taken_out(&project, "notices", &taken);
    for line in project.lines("build/notices/jsonl/train.jsonl") {
        let keys: Vec<&String> = line.as_object().expect("a record").keys().collect();
        assert!(!keys.iter().any(|key| *key == "marks"), "what is dropped is not written: {keys:?}");
    }
    // The marks point at what they are said to be in the text as it is read.
    for line in project.read("data/notices.jsonl").lines() {
        let Ok(notice) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        let text: Vec<char> = notice["text"].as_str().unwrap_or_default().chars().collect();
        for mark in notice["marks"].as_array().expect("marks") {
            let place = |key: &str| mark[key].as_u64().expect("an offset") as usize;
            let marked: String = text[place("start")..place("end")].iter().collect();
            assert!(marked.trim() == marked && !marked.is_empty(), "{marked:?} in {}", notice["id"]);
        }
    }
    // And in the text as it is written.
    project.annotc(&["build", "entities.annot", "tagged"]).expect(0);
    let mut surfaces = Vec::new();
    for part in ["train", "test"] {
        for notice in project.lines(&format!("build/tagged/jsonl/{part}.jsonl")) {
            let text: Vec<char> = notice["text"].as_str().expect("a text").chars().collect();
            for span in notice["entities"].as_array().expect("spans") {
                let place = |key: &str| span[key].as_u64().expect("an offset") as usize;
                let surface: String = text[place("start")..place("end")].iter().collect();
                surfaces.push(format!("{surface}|{}", span["label"].as_str().expect("a kind")));
            }
        }
    }
    for expected in ["Café Meridian|ORG", "Wednesday Walkers|ORG", "St Brannoc's|PLACE"] {
        assert!(surfaces.iter().any(|surface| surface == expected), "{expected} among {surfaces:?}");
    }
    assert!(surfaces.iter().all(|surface| !surface.contains(['<', '>', '\u{c3}'])), "{surfaces:?}");
}

#[test]
fn instructions_are_learnt_from_the_last_answer() {
    let project = worked("instructions", "advice");
    let taken = [
        ("read · read", 2),
        ("clean tidy · no question", 2),
        ("clean tidy · no answer", 2),
        ("clean tidy · a bare figure", 1),
        ("clean tidy · not English", 1),
        ("clean tidy · dedup question, history exactly", 2),
        ("policy house · internal host name", 1),
    ];
    check_taken_out(&project, "advice", &taken);
    let rows = |output: &str| {
        let part = |part: &str| project.lines(&format!("build/advice/{output}/{part}.jsonl"));
        [part("train"), part("test")].concat()
    };
    let (messages, pairs, alpaca) = (rows("messages"), rows("prompt_completion"), rows("alpaca"));
    assert_eq!((messages.len(), pairs.len(), alpaca.len()), (37, 37, 37));
    for ((chat, pair), exchange) in messages.iter().zip(&pairs).zip(&alpaca) {
        let turns = chat["messages"].as_array().expect("turns");
        let (last, before) = turns.split_last().expect("an answer");
        assert_eq!((&last["role"], &last["weight"]), (&"assistant".into(), &1.into()));
        assert!(before.iter().all(|turn| turn["role"] != "assistant" || turn["weight"] == 0), "{chat}");
        assert_eq!(pair["prompt"].as_array().map(Vec::len), Some(before.len()));
        assert_eq!((&pair["completion"][0]["content"], &exchange["output"]), (&last["content"], &last["content"]));
    }
    assert!(messages.iter().any(|chat| chat["messages"].as_array().is_some_and(|turns| turns.len() == 7)));
}

#[test]
fn preferences_are_choices() {
    let project = worked("preferences", "desk");
    let taken = [
        ("read · read", 2),
        ("clean tidy · no question", 1),
        ("clean tidy · not English", 1),
        ("clean tidy · dedup question exactly", 1),
        ("label verdict · label verdict", 2),
        ("write preference · two different answers", 3),
    ];
    check_taken_out(&project, "desk", &taken);
    for part in ["train", "test"] {
        for row in project.lines(&format!("build/desk/preference/{part}.jsonl")) {
            let row = row.as_object().expect("a record");
            assert!(row.keys().eq(["prompt", "chosen", "rejected"]), "{row:?}");
            assert!(row.values().all(|text| text.as_str().is_some_and(|text| !text.trim().is_empty())), "{row:?}");
            assert_ne!(row["chosen"], row["rejected"]);
        }
    }
    let errors: Vec<_> =
        project.lines("build/desk/quarantine.jsonl").into_iter().map(|row| row["error"].clone()).collect();
    assert!(errors.iter().filter(|error| **error == "`chosen` and `rejected` are the same text").count() == 2);
    let card = project.read("build/desk/README.md");
    assert!(card.contains(r#"preference: `{"prompt":"…","chosen":"…","rejected":"…"}`"#), "{card}");
}
