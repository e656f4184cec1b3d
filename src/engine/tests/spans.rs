//! Labels of spans: what is quarantined, how they are carried through what changes their text, and the tags of CoNLL.

use serde_json::json;

use super::*;

const SPEC: &str = r#"annot 1
source s {
  path "a.jsonl"
  license "CC0-1.0"
  fields {
    text: string @personal
    marks: list<{ start: int, end: int, label: string, by: string? }>? @drop
  }
}
label entities: spans over text { PERSON; ORG; `creative-work` } overlap no
clean tidy { set text = text |> fix_encoding |> strip_html |> collapse_whitespace }
policy house { redact text: email, phone }
template t: completion { prompt "{{ text }}"; completion "{% for e in entities %}{{ e.start }}-{{ e.end }} {{ e.label }}; {% endfor %}" }
dataset d {
  from s
  clean tidy
  label entities = marks else drop
  policy house
  split train 100%
  write jsonl
  write prompt_completion from t
}
"#;

/// A text with marks in brackets, `[Ann|PERSON]`, as a record with offsets in characters.
fn record(marked: &str) -> serde_json::Value {
    let (mut text, mut marks) = (String::new(), Vec::new());
    let mut rest = marked;
    while let Some((before, after)) = rest.split_once('[') {
        let (mark, behind) = after.split_once(']').unwrap();
        let (surface, label) = mark.split_once('|').unwrap();
        text.push_str(before);
        let start = text.chars().count();
        text.push_str(surface);
        marks.push(json!({"start": start, "end": text.chars().count(), "label": label, "by": "ann"}));
        rest = behind;
    }
    text.push_str(rest);
    json!({"text": text, "marks": marks})
}

fn with(text: &str, marks: serde_json::Value) -> serde_json::Value {
    json!({"text": text, "marks": marks})
}

fn span(start: i64, end: i64, label: &str) -> serde_json::Value {
    json!({"start": start, "end": end, "label": label})
}

#[test]
fn spans_are_checked_and_carried_through_what_changes_their_text() {
    let records = [
        record("[Zoë|PERSON] of [CafÃ© Meridian|ORG]   reads  [Nine   Ferries|creative-work]"),
        record("<p>Write to ann@shop.example or ask <b>[Jonas Pell|PERSON]</b>, he knows</p>"),
        record("nobody is named here"),
        with("Ann is here", json!([span(0, 3, "PERSON"), span(8, 12, "ORG")])),
        with("Ann is here", json!([span(3, 3, "PERSON")])),
        with("Ann is here", json!([span(0, 3, "Person")])),
        with("Ann is here", json!([span(0, 6, "PERSON"), span(4, 11, "ORG")])),
        with("Ann is here", json!(null)),
        with("ask ann@shop.example now", json!([span(4, 7, "PERSON")])),
        with("ask ann@shop.example now", json!([span(4, 20, "PERSON")])),
        with("a <i>slanted</i> word", json!([span(2, 4, "PERSON")])),
    ];
    let data: String = records.iter().map(|record| record.to_string() + "\n").collect();
    for jobs in [1, 3] {
        let left = build(SPEC, &[(0, "a.jsonl", data.as_bytes())], TINY, jobs).unwrap();
        let wrong = |line, what: &str| (line, format!("label `entities`: {what}"));
        let lost = "an end of a span was changed or cut out with its text";
        let expected = [
            wrong(4, "a span is not inside of its text"),
            wrong(5, "a span is empty"),
            wrong(6, "the value of a span is unknown"),
            wrong(7, "two spans overlap"),
            wrong(9, lost),
            wrong(11, lost),
        ];
        assert_eq!(left.quarantine(), expected);
        let rows = left.lines("jsonl/train.jsonl");
        let marked = |row: &serde_json::Value| -> Vec<(String, String)> {
            let text: Vec<char> = row["text"].as_str().unwrap().chars().collect();
            let place = |span: &serde_json::Value, key: &str| span[key].as_u64().unwrap() as usize;
            let spans = row["entities"].as_array().unwrap().iter();
            let surface = |span: &serde_json::Value| text[place(span, "start")..place(span, "end")].iter().collect();
            spans.map(|span| (surface(span), span["label"].as_str().unwrap().to_owned())).collect()
        };
        let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(text, label)| ((*text).to_owned(), (*label).to_owned())).collect()
        };
        assert_eq!(
            rows.iter().map(marked).collect::<Vec<_>>(),
            [
                pairs(&[("Zoë", "PERSON"), ("Café Meridian", "ORG"), ("Nine Ferries", "creative-work")]),
                pairs(&[("Jonas Pell", "PERSON")]),
                pairs(&[]),
                pairs(&[("[EMAIL]", "PERSON")]),
            ]
        );
        assert_eq!(rows[1]["text"], "Write to [EMAIL] or ask Jonas Pell, he knows");
        assert_eq!(rows[1]["entities"][0].as_object().unwrap().len(), 3, "what else a mark says is no part of a span");
        let completions = left.lines("prompt_completion/train.jsonl");
        assert_eq!(completions[1]["completion"], "24-34 PERSON; ");
        assert_eq!(left.built.outcome.parts[0].labels, [[3, 1, 1]], "records that have a span of each kind");
    }
}

#[test]
fn tags_become_the_spans_of_their_sentence() {
    let spec = r#"annot 1
source s {
  path "a.conll"
  license "CC0-1.0"
  fields { text: string; spans: list<{ start: int, end: int, label: string }> @drop }
}
label entities: spans over text { person; `creative-work` } overlap no
dataset d { from s; label entities = spans; split train 100%; write jsonl }
"#;
    // IOB2, IOB1, BILOU, then a tag that is none.
    let data = "Zoë\tB-person\nreads\tO\nNine\tB-creative-work\nFerries\tI-creative-work\n\n\
                Ann\tI-person\nBob\tB-person\n\nAnn\tB-person\nvan\tI-person\nOs\tL-person\nBob\tU-person\n\n\
                Ann\tX-person\n";
    let left = build(spec, &[(0, "a.conll", data.as_bytes())], TINY, 1).unwrap();
    let rows: Vec<_> = left.lines("jsonl/train.jsonl").iter().map(|row| row["entities"].clone()).collect();
    let expected = [
        json!([span(0, 3, "person"), span(10, 22, "creative-work")]),
        json!([span(0, 3, "person"), span(4, 7, "person")]),
        json!([span(0, 10, "person"), span(11, 14, "person")]),
    ];
    assert_eq!(rows, expected);
    assert_eq!(left.quarantine(), [(14, "the tag of token 1 is none of a span".to_owned())]);
}
