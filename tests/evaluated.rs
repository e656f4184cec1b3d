//! Decontamination: the files that a set is held against are inputs like those of its sources.

use crate::support::Project;

const SPEC: &str = r#"annot 1
source notes { path "notes.jsonl"; license "CC0-1.0"; fields { text: string } }
source held { path "held.jsonl"; license "CC0-1.0"; fields { question: string } }
clean tidy {
  dedup text near 0.8 keep longest
  decontaminate text against "eval/*.jsonl", held.question by 5 words
}
dataset all { from notes; clean tidy; split train 100%; write jsonl }
"#;

const NOTES: &str = r#"{"text": "the cat sat on the mat today"}
{"text": "a dog ran over the hill far away from here"}
{"text": "Which river is the longest one in Europe by length?"}
{"text": "how do I open an account"}
{"text": "Short one"}
"#;

const HELD: &str = "{\"question\": \"RIVER is the longest one of all\"}\n";

/// A field within fields, and a text of fewer than five words, which is looked for as a whole.
const EVALUATION: &str = "{\"q\": {\"deep\": [\"A dog ran over the hill.\"]}, \"n\": 3}\n{\"q\": \"short one!\"}\n";

fn project() -> Project {
    Project::new(&[
        ("all.annot", SPEC.as_bytes()),
        ("notes.jsonl", NOTES.as_bytes()),
        ("held.jsonl", HELD.as_bytes()),
        ("eval/a.jsonl", EVALUATION.as_bytes()),
    ])
}

fn texts(project: &Project) -> Vec<String> {
    let rows = project.lines("build/all/jsonl/train.jsonl");
    rows.iter().map(|row| row["text"].as_str().expect("a text").to_owned()).collect()
}

#[test]
fn what_was_held_against_files_is_kept_until_they_change() {
    let project = project();
    let build = |least: u32| {
        let rule = format!("clean tidy {{\n  drop \"empty\" when words(text) < {least}");
        project.write("all.annot", SPEC.replace("clean tidy {", &rule).as_bytes());
        project.annotc(&["build", "all.annot"]).expect(0).stderr
    };
    assert!(!build(1).contains("Reused"));
    let left = ["the cat sat on the mat today", "how do I open an account"];
    let again = build(2);
    assert!(again.contains("Reused first pass: 1 of 1 chunk"), "{again}");
    assert_eq!(texts(&project), left);
    project.write("held.jsonl", b"{\"question\": \"how do I open an account\"}\n");
    let explained = project.annotc(&["cache", "explain", "all.annot"]).expect(0).stdout;
    assert!(explained.contains("whether text shares 5 words with what is evaluated on`: computed from"), "{explained}");
    let changed = build(2);
    assert!(!changed.contains("Reused"), "{changed}");
    assert_eq!(texts(&project), [left[0], "Which river is the longest one in Europe by length?"]);
    let explained = project.annotc(&["cache", "explain", "all.annot"]).expect(0).stdout;
    assert!(explained.contains("1 of 1 chunk from the cache"), "{explained}");
}

#[test]
fn evaluation_files_are_inputs() {
    let project = project();
    project.annotc(&["build", "all.annot"]).expect(0);
    assert_eq!(texts(&project), ["the cat sat on the mat today", "how do I open an account"]);
    let manifest = project.json("build/all/manifest.json");
    let sources = manifest["sources"].as_array().expect("sources");
    let used: Vec<_> = sources.iter().map(|source| (&source["name"], &source["used"])).collect();
    let evaluated = serde_json::json!("decontaminate");
    assert_eq!(used[1..], [(&"held".into(), &evaluated), (&"eval/*.jsonl".into(), &evaluated)]);
    assert_eq!(sources[2]["files"][0]["path"], "eval/a.jsonl");
    assert_eq!(manifest["steps"][2]["dropped"], 3);
    assert!(project.read("all.annot.lock").contains("eval/a.jsonl: "));
    // Another evaluation file, and a changed one, change what is left; a locked build refuses them.
    project.write("eval/b.jsonl", b"{\"q\": \"the cat sat on the mat\"}\n");
    let run = project.annotc(&["build", "all.annot", "--locked"]).expect(3);
    assert!(run.stderr.contains("eval/b.jsonl"), "{}", run.stderr);
    project.annotc(&["build", "all.annot"]).expect(0);
    assert_eq!(texts(&project), ["how do I open an account"]);
    project.write("held.jsonl", b"{\"question\": \"how do I open an account\"}\n");
    project.annotc(&["build", "all.annot"]).expect(0);
    assert_eq!(texts(&project), ["Which river is the longest one in Europe by length?"]);
    // Without its files a rule would be kept in name only.
    std::fs::remove_dir_all(project.path("eval")).expect("the folder is there");
    let run = project.annotc(&["build", "all.annot"]).expect(4);
    assert!(run.stderr.contains("eval/*.jsonl"), "{}", run.stderr);
}

#[test]
fn evaluation_files_may_be_compressed() {
    let project = project();
    let spec = SPEC.replace("\"eval/*.jsonl\"", "\"eval/a.jsonl.gz\", \"eval/b.txt.zst\"");
    project.write("all.annot", spec.as_bytes());
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, EVALUATION.as_bytes()).expect("it is written into memory");
    let packed = packed.finish().expect("it is written into memory");
    project.write("eval/a.jsonl.gz", &packed);
    project.write("eval/b.txt.zst", &zstd::encode_all(&b"how do I open an account\n"[..], 1).expect("packed"));
    project.annotc(&["build", "all.annot"]).expect(0);
    assert_eq!(texts(&project), ["the cat sat on the mat today"]);
    project.write("eval/a.jsonl.gz", &packed[..packed.len() / 2]);
    let run = project.annotc(&["build", "all.annot"]).expect(4);
    assert!(run.stderr.contains("a.jsonl.gz") && run.stderr.contains("cannot be unpacked"), "{}", run.stderr);
}

#[test]
fn a_plan_says_how_near_texts_are_found() {
    let run = project().annotc(&["plan", "all.annot"]).expect(0);
    assert!(run.stdout.contains("5 words in a row, 105 permutations in 15 × 7 bands and rows"), "{}", run.stdout);
}

#[test]
fn what_was_dropped_can_be_traced() {
    let project = project();
    let notes = format!("{NOTES}{}\n", r#"{"text": "the cat sat on the mat today again and again and"}"#);
    project.write("notes.jsonl", notes.as_bytes());
    project.annotc(&["build", "all.annot"]).expect(0);
    let traced = |place: &str| project.annotc(&["trace", place, "--format", "json"]).expect(0).answers().remove(0);
    assert_eq!(texts(&project).len(), 3, "three words more make another text");
    project.write("all.annot", SPEC.replacen("near 0.8", "near 0.4", 1).as_bytes());
    project.annotc(&["build", "all.annot"]).expect(0);
    assert_eq!(texts(&project), ["how do I open an account", "the cat sat on the mat today again and again and"]);
    let dropped = traced("notes.jsonl:1");
    let kept = traced("notes.jsonl:6");
    assert_eq!(dropped["duplicate_of"]["id"], kept["id"], "{dropped}");
    // Three of seven runs of five words; the audit holds it in single precision, seven digits.
    let similarity = dropped["similarity"].as_f64().expect("a near-duplicate is like the record that is kept");
    assert!((similarity - 3.0 / 7.0).abs() < 1e-6, "{dropped}");
    let short = traced("notes.jsonl:5");
    assert!(short["rule"].as_str().is_some_and(|rule| rule.starts_with("decontaminate")), "{short}");
}
