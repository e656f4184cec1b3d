//! Labels of several values: what is quarantined, what is written and what is counted.

use serde_json::json;

use super::*;

const SPEC: &str = r#"annot 1
source s {
  path "a.jsonl"
  license "CC0-1.0"
  fields { text: string; named: list<string>? @drop; part: string }
}
label topics: choices(1..2) { card "A card"; fees; `wire-transfer` }
template t: chat {
  system "{{ topics | join(', ') }}"
  user "{{ text }}"
  assistant "{% if 'card' in topics %}yes{% else %}no{% endif %}"
}
dataset d {
  from s
  label topics = named else drop
  split as part
  write jsonl
  write parquet
  write messages from t
}
"#;

/// The lines of a file; a record's number is its text.
fn lines(named: &[(serde_json::Value, &str)]) -> Vec<u8> {
    let line = |(at, (named, part)): (usize, &(serde_json::Value, &str))| {
        json!({"text": format!("text {at}"), "named": named, "part": part}).to_string() + "\n"
    };
    named.iter().enumerate().map(line).collect::<String>().into_bytes()
}

#[test]
fn a_list_that_does_not_fit_is_quarantined_and_others_are_written_as_they_are() {
    let data = lines(&[
        (json!(["fees", "card"]), "train"),
        (json!(["wire-transfer"]), "test"),
        (json!(["card", "stamps"]), "train"),
        (json!(["card", "card"]), "train"),
        (json!([]), "test"),
        (json!(["card", "fees", "wire-transfer"]), "train"),
        (json!(["card"]), "train"),
        (json!(null), "train"),
        (json!(["card", "Fees"]), "test"),
    ]);
    for jobs in [1, 3] {
        let left = build(SPEC, &[(0, "a.jsonl", &data)], TINY, jobs).unwrap();
        let wrong = |line, what: &str| (line, format!("label `topics`: {what}"));
        let expected = [
            wrong(3, "a value is unknown"),
            wrong(4, "a value stands twice"),
            wrong(5, "0 values, and it takes 1 to 2"),
            wrong(6, "3 values, and it takes 1 to 2"),
            wrong(9, "a value is unknown"),
        ];
        assert_eq!(left.quarantine(), expected);
        assert_eq!(left.step(1), [9, 3, 1, 5]);
        let written: Vec<_> = left.lines("jsonl/train.jsonl").iter().map(|row| row["topics"].clone()).collect();
        assert_eq!(written, [json!(["fees", "card"]), json!(["card"])]);
        let column = left.table("parquet/train.parquet")["topics"].clone();
        let names = column.as_list::<i32>().value(0);
        assert_eq!(names.as_string::<i32>().iter().flatten().collect::<Vec<_>>(), ["fees", "card"]);
        let turns = &left.lines("messages/train.jsonl")[0]["messages"];
        assert_eq!((&turns[0]["content"], &turns[2]["content"]), (&json!("fees, card"), &json!("yes")));
        let counts: Vec<&[u64]> = left.built.outcome.parts.iter().map(|part| part.labels[0].as_slice()).collect();
        assert_eq!(counts, [[2, 1, 0], [0, 0, 0], [0, 0, 1]], "card, fees, wire-transfer, by part");
        let manifest: serde_json::Value = serde_json::from_str(left.text("manifest.json")).unwrap();
        assert_eq!(manifest["splits"]["train"]["labels"]["topics"], json!({"card": 2, "fees": 1, "wire-transfer": 0}));
        assert!(
            left.text("README.md").contains("| wire-transfer | – | 0 (0.0 %) | – | 1 (100.0 %) |"),
            "{}",
            left.text("README.md")
        );
        let lost: Vec<_> = left.missing().iter().map(|row| row["gold"].clone()).collect();
        assert_eq!(lost, [json!({}), json!({})], "what was quarantined has no value that is known");
    }
}
