//! Damaged input is quarantined or reported by name, and the sums agree.

use serde_json::Value;

use crate::support::Project;

const SPEC: &str = r#"annot 1
source notes { path "notes.jsonl"; license "CC0-1.0"; fields { text: string; topic: string } }
source rows  { path "rows.csv";    license "CC0-1.0"; fields { text: string; topic: string } }
label topic: choice { a; b }
clean tidy { set text = text |> collapse_whitespace; drop "short" when chars(text) < 2 }
template ask: chat { user "{{ text }}"; assistant "{{ topic }}" }
dataset all {
  from  notes, rows
  clean tidy
  label topic = topic
  split train 100%
  write messages from ask
}
"#;

/// A damaged line of `notes.jsonl` or `rows.csv`, and a word of the reason that the quarantine must give.
struct Case {
    name: &'static str,
    jsonl: Vec<u8>,
    csv: Vec<u8>,
    /// Reasons expected, one for each quarantined record, in order.
    reasons: &'static [&'static str],
    /// Records that must come through.
    kept: usize,
}

const GOOD_JSON: &str = "{\"text\":\"a good one\",\"topic\":\"a\"}\n";
const GOOD_CSV: &str = "text,topic\na good row,b\n";

fn check(case: Case) {
    let project =
        Project::new(&[("all.annot", SPEC.as_bytes()), ("notes.jsonl", &case.jsonl), ("rows.csv", &case.csv)]);
    let run = project.annotc(&["build", "all.annot"]);
    assert_eq!(run.status, 0, "{}: {}", case.name, run.stderr);
    let quarantine = project.lines("build/all/quarantine.jsonl");
    let errors: Vec<&str> = quarantine.iter().map(|row| row["error"].as_str().expect("a reason")).collect();
    assert_eq!(errors.len(), case.reasons.len(), "{}: {errors:?}", case.name);
    for (error, reason) in errors.iter().zip(case.reasons) {
        assert!(error.contains(reason), "{}: `{error}` does not say `{reason}`", case.name);
    }
    for row in &quarantine {
        for key in ["id", "source", "file", "line", "offset"] {
            assert!(!row[key].is_null(), "{}: the quarantine names {key}", case.name);
        }
        assert!(!row.to_string().contains("SECRET"), "{}: the quarantine holds no text", case.name);
    }
    assert_eq!(project.lines("build/all/messages/train.jsonl").len(), case.kept, "{}", case.name);
    sums(case.name, &project.json("build/all/manifest.json"));
}

/// Every step lets out what came in less what it dropped or quarantined, and hands it to the next.
fn sums(name: &str, manifest: &Value) {
    let steps = manifest["steps"].as_array().expect("steps");
    let figure = |step: &Value, key: &str| step[key].as_u64().unwrap_or_else(|| panic!("{name}: {key} in {step}"));
    let mut before = None;
    for step in steps {
        let (reached, left) = (figure(step, "in"), figure(step, "out"));
        assert_eq!(reached, left + figure(step, "dropped") + figure(step, "quarantined"), "{name}: {step}");
        assert!(before.is_none_or(|before| before == reached), "{name}: {step} gets what the step before lets out");
        before = Some(left);
    }
    let split: u64 = manifest["splits"].as_object().expect("splits").values().map(|part| figure(part, "records")).sum();
    assert_eq!(before, Some(split), "{name}: what is left is what is split");
}

fn json(line: &[u8]) -> Vec<u8> {
    [GOOD_JSON.as_bytes(), line, b"\n", GOOD_JSON.replace("good", "third").as_bytes()].concat()
}

#[test]
fn damaged_json_lines() {
    let of = |name, line: &[u8], reasons, kept| Case { name, jsonl: json(line), csv: GOOD_CSV.into(), reasons, kept };
    check(of("malformed", br#"{"text":"SECRET"#, &["JSON"], 3));
    check(of("not an object", br#"["SECRET"]"#, &["object"], 3));
    check(of("missing field", br#"{"topic":"a"}"#, &["text"], 3));
    check(of("null field", br#"{"text":null,"topic":"a"}"#, &["text"], 3));
    check(of("wrong type", br#"{"text":17,"topic":"a"}"#, &["text"], 3));
    check(of("unknown value", br#"{"text":"SECRET one","topic":"c"}"#, &["topic"], 3));
    check(of("invalid UTF-8", b"{\"text\":\"SECRET \xff\xfe\",\"topic\":\"a\"}", &["UTF-8"], 3));
    check(of("NUL byte", b"{\"text\":\"SECRET\0\",\"topic\":\"a\"}", &["JSON"], 3));
    check(of("blank line", b"   ", &[], 3));
    let long = format!(r#"{{"text":"SECRET {}","topic":"a"}}"#, "x".repeat(10 << 20));
    check(of("10 MB line", long.as_bytes(), &["longer"], 3));
    let unfinished = [GOOD_JSON.as_bytes(), br#"{"text":"no newline at the end","topic":"b"}"#].concat();
    check(Case { name: "no last newline", jsonl: unfinished, csv: GOOD_CSV.into(), reasons: &[], kept: 3 });
    let bom = ["\u{feff}", GOOD_JSON].concat().into_bytes();
    check(Case { name: "BOM", jsonl: bom, csv: GOOD_CSV.into(), reasons: &[], kept: 2 });
    let crlf = GOOD_JSON.replace('\n', "\r\n").into_bytes();
    check(Case { name: "CRLF", jsonl: crlf, csv: GOOD_CSV.replace('\n', "\r\n").into(), reasons: &[], kept: 2 });
}

#[test]
fn damaged_csv_rows() {
    let of = |name, csv: &[u8], reasons, kept| Case { name, jsonl: GOOD_JSON.into(), csv: csv.into(), reasons, kept };
    check(of("too many fields", b"text,topic\nSECRET,b,c\nfine row,b\n", &["3 fields"], 2));
    check(of("too few fields", b"text,topic\nSECRET\nfine row,b\n", &["1 field"], 2));
    check(of("invalid UTF-8", b"text,topic\nSECRET \xff,b\nfine row,b\n", &["UTF-8"], 2));
    check(of("quoted newline", b"text,topic\n\"two\nlines, \"\"one\"\" row\",b\n", &[], 2));
    check(of("BOM", "\u{feff}text,topic\nfine row,b\n".as_bytes(), &[], 2));
    check(of("columns in another order", b"topic,more,text\nb,x,fine row\n", &[], 2));
    let long = format!("text,topic\n\"SECRET {}\",b\nfine row,b\n", "x".repeat(10 << 20));
    check(of("10 MB row", long.as_bytes(), &["longer"], 2));
}

#[test]
fn an_empty_file_is_reported_by_name() {
    let project =
        Project::new(&[("all.annot", SPEC.as_bytes()), ("notes.jsonl", b""), ("rows.csv", GOOD_CSV.as_bytes())]);
    let run = project.annotc(&["build", "all.annot"]).expect(0);
    assert!(run.stderr.contains("notes.jsonl") && run.stderr.contains("empty"), "{}", run.stderr);
    assert_eq!(project.lines("build/all/messages/train.jsonl").len(), 1);
}

#[test]
fn a_bad_row_fails_the_build_where_the_spec_says_so() {
    let strict = SPEC.replace("\"notes.jsonl\";", "\"notes.jsonl\"; on_bad_row fail;");
    let project = Project::new(&[
        ("all.annot", strict.as_bytes()),
        ("notes.jsonl", &json(b"{\"text\":\"SECRET")),
        ("rows.csv", GOOD_CSV.as_bytes()),
    ]);
    let run = project.annotc(&["build", "all.annot"]).expect(4);
    assert!(run.stderr.contains("notes.jsonl") && run.stderr.contains('2'), "it names file and line: {}", run.stderr);
    assert!(!run.stderr.contains("SECRET"), "and no text: {}", run.stderr);
    assert!(!project.path("build/all").exists(), "nothing is left behind");
}

#[test]
fn a_missing_file_or_column_is_named() {
    let project = Project::new(&[("all.annot", SPEC.as_bytes()), ("rows.csv", GOOD_CSV.as_bytes())]);
    let run = project.annotc(&["build", "all.annot"]).expect(4);
    assert!(run.stderr.contains("notes.jsonl") && run.stderr.contains("data-root"), "{}", run.stderr);
    project.write("notes.jsonl", GOOD_JSON.as_bytes());
    project.write("rows.csv", b"text,subject\nfine,b\n");
    let run = project.annotc(&["build", "all.annot"]).expect(4);
    assert!(run.stderr.contains("topic") && run.stderr.contains("rows.csv"), "it names both: {}", run.stderr);
    assert!(!run.stderr.contains("subject"), "a first row may be data, which no message holds: {}", run.stderr);
}
