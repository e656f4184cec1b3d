//! A small data set through staging, manifest, card and trace.

mod fixture;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::*;
use crate::engine::{Outcome, SourceOutcome};
use crate::hir::{Credit, Program, Purpose, SourceId, TemplateKind, Terms};
use fixture::{HOSTILE, batch, id, outcome, span, staged};
pub(super) use fixture::{fixture, tables};

/// All files under a folder with their bytes.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("a path below").to_string_lossy().into_owned();
                found.insert(name, fs::read(&path).expect("a file"));
            }
        }
    }
    found
}

#[test]
fn a_build_leaves_the_same_bytes_wherever_and_in_whatever_chunks() {
    let (one, two) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let manifest = staged(one.path(), 1).and_then(Finished::commit).expect("built");
    staged(two.path(), 5).and_then(Finished::commit).expect("built");
    let (found, other) = (files(&one.path().join("desk")), files(&two.path().join("desk")));
    assert_eq!(found, other);
    let names: Vec<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "README.md",
            "audit/records.parquet",
            "chat/empty.jsonl",
            "chat/test.jsonl",
            "chat/train.jsonl",
            "lines/empty.jsonl",
            "lines/test.jsonl",
            "lines/train.jsonl",
            "manifest.json",
            "parquet/empty.parquet",
            "parquet/test.parquet",
            "parquet/train.parquet",
            "quarantine.jsonl",
            "report.html",
            "statistics.json",
            "training/missing.jsonl",
            "training/router/train.parquet",
        ]
    );
    assert_eq!(found["chat/empty.jsonl"], b"");
    let missing = format!(
        "{{\"id\":\"{}\",\"source\":\"questions\",\"file\":\"q.csv\",\"line\":4,\"part\":\"test\",\"verdict\":\"dropped\",\
         \"rule\":\"too short\",\"gold\":{{\"urgency\":\"now\"}}}}\n",
        id(0xab)
    );
    assert_eq!(String::from_utf8_lossy(&found["training/missing.jsonl"]), missing);

    let folder = one.path().join("desk");
    assert_eq!(Manifest::read(&folder).expect("readable").as_ref(), Some(&manifest));
    assert!(verify_outputs(&folder, &manifest));
    for changed in ["parquet/test.parquet", "quarantine.jsonl"] {
        let mut bytes = found[changed].clone();
        bytes[3] ^= 1;
        fs::write(folder.join(changed), bytes).expect("written");
        assert!(!verify_outputs(&folder, &manifest), "{changed}");
        fs::write(folder.join(changed), &found[changed]).expect("written");
    }
    fs::remove_file(folder.join("lines/empty.jsonl")).expect("removed");
    assert!(!verify_outputs(&folder, &manifest));
}

#[test]
fn the_manifest_has_the_designed_shape() {
    let out = tempfile::tempdir().expect("a folder");
    let finished = staged(out.path(), 2).expect("built");
    let json: serde_json::Value = serde_json::from_str(&finished.manifest().to_json()).expect("JSON");
    let keys: Vec<&str> = json.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "schema",
            "dataset",
            "spec",
            "declared",
            "fingerprint",
            "license",
            "sources",
            "steps",
            "splits",
            "certificate",
            "personal",
            "outputs",
            "files"
        ]
    );
    assert_eq!(
        json["steps"][2],
        serde_json::json!({
            "step": "policy bank", "rule": "redact text", "in": 3, "out": 3, "dropped": 0, "changed": 2, "quarantined": 0
        })
    );
    assert_eq!(json["splits"]["train"]["labels"]["urgency"][HOSTILE], 1);
    assert_eq!(
        json["personal"],
        serde_json::json!([
            { "field": "text", "kinds": ["email", "phone"], "found": { "email": 3, "phone": 0 } }
        ])
    );
    let output = &json["outputs"][0];
    assert_eq!((output["path"].as_str(), output["records"].as_u64()), (Some("chat/train.jsonl"), Some(2)));
    assert!(!finished.manifest().to_json().contains("/elsewhere"));
}

/// A data set that states what it is for says what its licences ask; the shape of any other is what it was.
#[test]
fn a_purpose_is_recorded_with_what_it_asks() {
    let mut program = fixture();
    program.datasets[0].terms = Some(Terms {
        purposes: vec![Purpose::Research, Purpose::Publication],
        credits: vec![Credit { source: SourceId(0), license: "CC-BY-4.0".to_owned(), duty: "name the author" }],
    });
    let manifest = Manifest::new(&program, &program.datasets[0], &outcome());
    let json: serde_json::Value = serde_json::from_str(&manifest.to_json()).expect("JSON");
    assert_eq!(json["purpose"], serde_json::json!(["research", "publication"]));
    let owed = serde_json::json!([{ "source": "questions", "license": "CC-BY-4.0", "duty": "name the author" }]);
    assert_eq!(json["attribution"], owed);
    let text = card(&program, &program.datasets[0], &manifest, &Statistics::default());
    assert!(text.contains("Its purpose: research, publication.\n"), "{text}");
    assert!(text.contains("\n- questions, under CC-BY-4.0: name the author\n"), "{text}");
}

#[test]
fn sums_that_disagree_publish_nothing() {
    let manifest = |change: &dyn Fn(&mut Outcome)| {
        let (program, mut outcome) = (fixture(), outcome());
        change(&mut outcome);
        Manifest::new(&program, &program.datasets[0], &outcome).check_sums()
    };
    assert!(manifest(&|_| ()).is_ok());
    let changes: [&dyn Fn(&mut Outcome); 5] = [
        &|outcome| outcome.steps[1].dropped = 0,
        &|outcome| (outcome.steps[2].records_in, outcome.steps[2].records_out) = (2, 2),
        &|outcome| outcome.parts[1].records = 2,
        &|outcome| outcome.parts[0].labels[0][0] = 0,
        &|outcome| outcome.sources[0].files[0].records = 6,
    ];
    for (at, change) in changes.into_iter().enumerate() {
        assert!(matches!(manifest(change), Err(EmitError::Sums(_))), "change {at}");
    }
    // An audit with a row too few: the files vanish and the last good ones stay.
    let out = tempfile::tempdir().expect("a folder");
    staged(out.path(), 2).and_then(Finished::commit).expect("built");
    let before = files(&out.path().join("desk"));
    let program = fixture();
    let dataset = &program.datasets[0];
    let staging = Staging::create(out.path(), &program, dataset, &batch(&[]).schema()).expect("begun");
    let stamp = Stamp { spec: String::new(), declared: Default::default(), fingerprint: String::new() };
    assert!(matches!(staging.finish(&program, dataset, &outcome(), &stamp), Err(EmitError::Sums(_))));
    assert_eq!(files(&out.path().join("desk")), before);
    assert!(!out.path().join(".annotc-staging-desk").exists());
}

#[test]
fn no_name_changes_the_cards_shape() {
    let out = tempfile::tempdir().expect("a folder");
    let finished = staged(out.path(), 2).expect("built");
    let program = fixture();
    let mut manifest = finished.manifest().clone();
    manifest.dataset = HOSTILE.to_owned();
    manifest.license = Some(HOSTILE.to_owned());
    manifest.steps[1].rule = HOSTILE.to_owned();
    let hostile = card(&program, &program.datasets[0], &manifest, &Statistics::default());
    let (front, body) =
        hostile.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n")).expect("a front matter");
    let front: serde_yaml::Value = serde_yaml::from_str(front).expect("YAML");
    assert_eq!(front["pretty_name"].as_str(), Some(HOSTILE));
    assert_eq!((front["license"].as_str(), front["license_name"].as_str()), (Some("other"), Some(HOSTILE)));
    let split = &front["configs"][1]["data_files"][1];
    assert_eq!((split["split"].as_str(), split["path"].as_str()), (Some("test"), Some("lines/test.jsonl")));
    // One folder is read by one reader: the typed columns are no config beside lines of JSON.
    assert_eq!(front["configs"].as_sequence().map(Vec::len), Some(2));
    assert_eq!(front["configs"][0]["data_files"].as_sequence().map(Vec::len), Some(2));

    let plain = card(&program, &program.datasets[0], finished.manifest(), &Statistics::default());
    assert!(plain.contains("\nlicense: cc-by-4.0\n"));
    let shape = |card: &str| {
        let heads = card.lines().filter(|line| line.starts_with('#')).count();
        let rows: Vec<usize> = card
            .lines()
            .filter(|line| line.starts_with('|'))
            .map(|line| line.matches('|').count() - line.matches("\\|").count())
            .collect();
        (heads, rows, card.matches("```").count())
    };
    assert_eq!(shape(body), shape(plain.split_once("\n---\n").expect("a front matter").1));
    assert_eq!(body.matches('<').count(), body.matches("\\<").count());
}

#[test]
fn a_records_life_is_told() {
    let out = tempfile::tempdir().expect("a folder");
    staged(out.path(), 2).and_then(Finished::commit).expect("built");
    let traced = |wanted| trace::trace(out.path(), &wanted).expect("traced");
    let by_id = |prefix: &str| traced(trace::Wanted::Id(prefix.to_owned()));
    let kept = by_id("0303");
    let [life] = &kept.lives[..] else { panic!("{kept:?}") };
    assert_eq!((life.verdict.as_str(), life.split.as_deref()), ("kept", Some("train")));
    assert!(life.steps.iter().all(|step| step.result == "passed") && life.steps.len() == 3);
    assert_eq!(life.outputs.get("chat/train.jsonl"), Some(&2));
    assert_eq!(life.outputs.get("parquet/train.parquet"), Some(&2));

    let mut dropped = by_id("ab");
    let decided = dropped.lives[0].steps.last().expect("a step");
    assert_eq!((decided.rule.as_str(), decided.line, decided.result.as_str()), ("too short", None, "dropped"));
    dropped.lives[0].place(&|step| (step == 1).then_some(12));
    assert_eq!((dropped.lives[0].steps[0].line, dropped.lives[0].rule_line), (None, Some(12)));
    assert!(dropped.lives[0].outputs.is_empty() && dropped.lives[0].steps.len() == 2);
    let bad = &by_id("ac").lives[0];
    assert_eq!(bad.error.as_deref(), Some("3 fields where the header has 2"));
    assert_eq!(bad.steps.len(), 1);
    assert_eq!((by_id("a").lives.len(), by_id("").lives.len(), by_id("ff").lives.len()), (2, 5, 0));
    assert!(
        trace::trace(&out.path().join("nowhere"), &trace::Wanted::Id("a".to_owned()))
            .expect("nothing")
            .lives
            .is_empty()
    );

    // An id that no record has is answered with those that are like it; a place with the record that begins there.
    let mut wrong = id(3).to_string();
    wrong.replace_range(9..10, "f");
    assert_eq!(by_id(&wrong).near, [id(3).to_string()]);
    assert!(by_id("ffff").near.is_empty());
    let at = |file: &str, line| traced(trace::Wanted::Place { file: file.to_owned(), line });
    assert_eq!(at("somewhere/q.csv", 2).lives[0].id, id(2).to_string());
    assert_eq!(at("q.csv", 100).lives[0].line, 3, "line 100 begins no record: it may be in the one before it");
    assert_eq!((at("q.csv", 0).lives.len(), at("other.csv", 2).files), (0, vec!["q.csv".to_owned()]));
}

/// A change of a program or of the files that it reads.
type Change = dyn Fn(&mut Program, &mut Vec<SourceOutcome>);

#[test]
fn the_fingerprint_sees_what_counts_and_no_more() {
    let print = |change: &dyn Fn(&mut Program, &mut Vec<SourceOutcome>)| {
        let (mut program, mut sources) = (fixture(), outcome().sources);
        change(&mut program, &mut sources);
        fingerprint(&program, &program.datasets[0], &sources)
    };
    let plain = print(&|_, _| ());
    let same: [&Change; 3] = [
        &|program, _| program.datasets[0].steps[0].span = span(99),
        &|program, _| program.datasets[0].steps[0].line = 99,
        &|_, sources| sources[0].files[0].location = "/moved/q.csv".into(),
    ];
    let other: [&Change; 7] = [
        &|program, _| program.datasets[0].terms = Some(Terms { purposes: Vec::new(), credits: Vec::new() }),
        &|_, sources| sources[0].files[0].blake3 = "1".repeat(64),
        &|program, _| program.datasets[0].steps[0].rule = "shorter".to_owned(),
        &|program, _| program.datasets[0].steps.reverse(),
        &|program, _| program.templates[0].kind = TemplateKind::Chat(Vec::new()),
        &|program, _| program.labels[0].doc = None,
        &|program, _| program.datasets[0].columns[0].hidden = true,
    ];
    for (at, change) in same.into_iter().enumerate() {
        assert_eq!(print(change), plain, "same {at}");
    }
    for (at, change) in other.into_iter().enumerate() {
        assert_ne!(print(change), plain, "other {at}");
    }
}

#[test]
fn the_summary_is_a_funnel() {
    let (program, outcome) = (fixture(), outcome());
    let manifest = Manifest::new(&program, &program.datasets[0], &outcome);
    let text = summary(&manifest, Style::Plain);
    let expected = "  step                       in  dropped  quarantined  changed  out
  read                        5        ·            1        ·    4
  clean tidy · too short      4        1            ·        ·    3
  policy bank · redact text   3        ·            ·        2    3
";
    assert!(text.starts_with(expected), "{text}");
    assert!(text.contains("\n  test         1  urgency: later 1\n  empty        0\n"), "{text}");
    assert!(text.ends_with("  text: 3 × email replaced\n"), "{text}");
    assert!(summary(&manifest, Style::Ansi).starts_with("\u{1b}[2m"));
}
