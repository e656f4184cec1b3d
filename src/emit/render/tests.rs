//! Each format's rows, through one check.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, ListArray, RecordBatch, StringArray, StructArray,
    TimestampMicrosecondArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Schema};

use super::*;
use crate::emit::tests::{fixture, tables};
use crate::hir::{Output, Template, Turn};

fn text(role: &str, content: &str, trained: bool) -> Turn {
    Turn::Text { role: role.to_owned(), content: content.to_owned(), trained }
}

fn chat(turns: &[(&str, &str)]) -> TemplateKind {
    TemplateKind::Chat(turns.iter().map(|(role, content)| text(role, content, *role == "assistant")).collect())
}

fn completion() -> TemplateKind {
    TemplateKind::Completion { prompt: "Q: {{ text }}\nA:".to_owned(), completion: " {{ urgency.title }}".to_owned() }
}

/// A batch with the columns of the fixture's data set: ids, texts, a list of turns, labels.
fn batch(rows: &[(&str, &str)]) -> RecordBatch {
    let strings = |values: Vec<&str>| Arc::new(StringArray::from(values)) as ArrayRef;
    let turn = vec![
        Arc::new(Field::new("role", DataType::Utf8, false)),
        Arc::new(Field::new("content", DataType::Utf8, false)),
    ];
    let turns = StructArray::new(
        turn.clone().into(),
        vec![
            strings(rows.iter().flat_map(|_| ["user", "assistant"]).collect()),
            strings(rows.iter().flat_map(|_| ["Hi", "Hello"]).collect()),
        ],
        None,
    );
    let item = Arc::new(Field::new("item", DataType::Struct(turn.into()), false));
    let offsets = OffsetBuffer::from_lengths(rows.iter().map(|_| 2));
    let history = Arc::new(ListArray::new(item, offsets, Arc::new(turns), None)) as ArrayRef;
    let ids: Vec<String> = (0..rows.len()).map(|row| format!("{row:032x}")).collect();
    RecordBatch::try_from_iter([
        ("id", strings(ids.iter().map(String::as_str).collect())),
        ("text", strings(rows.iter().map(|row| row.0).collect())),
        ("history", history),
        ("urgency", strings(rows.iter().map(|row| row.1).collect())),
    ])
    .expect("columns of one length")
}

fn rendered(format: OutputFormat, kind: TemplateKind, batch: &RecordBatch) -> Result<Rendered, String> {
    let mut program = fixture();
    program.templates[0] = Template { kind, ..program.templates[0].clone() };
    let dataset = &program.datasets[0];
    let output = Output { format, template: Some(hir::TemplateId(0)), ..dataset.outputs[0].clone() };
    let renderer = Renderer::new(&program, dataset, &output, &tables()).map_err(|error| format!("unfit: {error}"))?;
    renderer.render(batch).map_err(|error| format!("row {}: {error}", error.row))
}

#[track_caller]
fn check(format: OutputFormat, kind: TemplateKind, rows: &[(&str, &str)], expected: &[&str]) {
    let Ok(Rendered::Lines { bytes, records }) = rendered(format, kind.clone(), &batch(rows)) else {
        panic!("{:?}", rendered(format, kind, &batch(rows)));
    };
    let lines = String::from_utf8(bytes).expect("JSON is UTF-8");
    assert!(lines.ends_with('\n'));
    assert_eq!((lines.lines().collect::<Vec<_>>(), records), (expected.to_vec(), expected.len()));
    for line in lines.lines() {
        let row: serde_json::Value = serde_json::from_str(line).expect("a line is JSON");
        assert!(!line.contains("null"), "{line}");
        let first: serde_json::Value = serde_json::from_str(expected[0]).expect("a line is JSON");
        assert!(row.as_object().expect("an object").keys().eq(first.as_object().expect("an object").keys()));
    }
}

#[test]
fn rows_of_every_format() {
    use OutputFormat::{Alpaca, Messages, PromptCompletion};
    let route = chat(&[("system", "Route."), ("user", "{{ text }}"), ("assistant", "{{ urgency }}")]);
    let plain = chat(&[("user", "{{ text }}"), ("assistant", "{{ urgency.title }}")]);
    let rows = &[("Wo ist \"meine\" Karte?\n\u{1f4b3}", "now"), ("</s>\\ \u{0}", "later")];
    check(
        Messages,
        route.clone(),
        rows,
        &[
            r#"{"messages":[{"role":"system","content":"Route."},{"role":"user","content":"Wo ist \"meine\" Karte?\n💳"},{"role":"assistant","content":"now"}]}"#,
            r#"{"messages":[{"role":"system","content":"Route."},{"role":"user","content":"</s>\\ \u0000"},{"role":"assistant","content":"later"}]}"#,
        ],
    );
    let one = &[("Where?", "now")];
    let with_history = TemplateKind::Chat(vec![
        Turn::Field { field: "history".to_owned(), trained: false },
        text("user", "{{ text }}", false),
        text("assistant", "{{ urgency }}", true),
    ]);
    check(
        Messages,
        with_history.clone(),
        one,
        &[
            r#"{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello","weight":0},{"role":"user","content":"Where?"},{"role":"assistant","content":"now","weight":1}]}"#,
        ],
    );
    check(
        Messages,
        completion(),
        one,
        &[r#"{"messages":[{"role":"user","content":"Q: Where?\nA:"},{"role":"assistant","content":"Right now"}]}"#],
    );
    check(Alpaca, route.clone(), one, &[r#"{"instruction":"Route.","input":"Where?","output":"now"}"#]);
    check(Alpaca, plain, one, &[r#"{"instruction":"Where?","input":"","output":"Right now"}"#]);
    check(Alpaca, completion(), one, &[r#"{"instruction":"Q: Where?\nA:","input":"","output":"Right now"}"#]);
    check(PromptCompletion, completion(), one, &[r#"{"prompt":"Q: Where?\nA:","completion":" Right now"}"#]);
    check(
        PromptCompletion,
        with_history,
        one,
        &[
            r#"{"prompt":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"},{"role":"user","content":"Where?"}],"completion":[{"role":"assistant","content":"now"}]}"#,
        ],
    );
}

fn pair(prompt: &str, chosen: &str, rejected: &str) -> TemplateKind {
    let [prompt, chosen, rejected] = [prompt, chosen, rejected].map(str::to_owned);
    TemplateKind::Preference { prompt, chosen, rejected }
}

#[test]
fn a_preference_is_two_different_answers() {
    let better = pair("Q: {{ text }}", "{{ urgency }}", "{% if text == 'same' %} {{ urgency }}{% endif %}no");
    check(
        OutputFormat::Preference,
        better,
        &[("\"Where?\"\n", "now"), ("same", "later")],
        &[
            r#"{"prompt":"Q: \"Where?\"\n","chosen":"now","rejected":"no"}"#,
            r#"{"prompt":"Q: same","chosen":"later","rejected":" laterno"}"#,
        ],
    );
    let rows = batch(&[("now", "now"), (" now\n", "now"), ("", "later"), ("ask", "now"), ("x", "unheard of")]);
    for (kind, expected) in [
        (pair("?", "{{ text }}", "{{ urgency }}"), [Some("same"), Some("same"), Some("`chosen`"), None, None]),
        (pair("?", "{{ urgency }}", "{{ text }}"), [Some("same"), Some("same"), Some("`rejected`"), None, None]),
        (pair("{{ text }}", "a", "b"), [None, None, Some("`prompt`"), None, None]),
    ] {
        let mut program = fixture();
        program.templates[0].kind = kind.clone();
        let dataset = &program.datasets[0];
        let output = Output { format: OutputFormat::Preference, ..dataset.outputs[0].clone() };
        let renderer = Renderer::new(&program, dataset, &output, &tables()).expect("fits");
        let faults = renderer.faults(&rows);
        for (fault, expected) in faults.iter().zip(expected) {
            assert_eq!(fault.is_some(), expected.is_some(), "{kind:?}: {faults:?}");
            assert!(fault.unwrap_or_default().contains(expected.unwrap_or_default()), "{kind:?}: {faults:?}");
        }
        // Nor is such a row written where nobody has asked before.
        let first = faults.iter().position(Option::is_some).expect("a fault");
        let error = renderer.render(&rows).expect_err("not written");
        assert_eq!((error.row, Some(error.message.as_str())), (first, faults[first]), "{kind:?}");
    }
}

#[test]
fn what_does_not_fit_is_told() {
    let rows = batch(&[("a", "now"), ("b", "unheard of")]);
    for (format, kind, expected) in [
        (OutputFormat::Alpaca, chat(&[("user", "a"), ("assistant", "b"), ("user", "c")]), "unfit: `write chat`"),
        (OutputFormat::PromptCompletion, chat(&[("assistant", "b")]), "unfit: `write chat`"),
        (OutputFormat::PromptCompletion, chat(&[("user", "a"), ("system", "b")]), "unfit: `write chat`"),
        (OutputFormat::Messages, TemplateKind::Text("{{ text }}".to_owned()), "unfit: `write chat`"),
        (OutputFormat::Messages, pair("a", "b", "c"), "unfit: `write chat`"),
        (OutputFormat::Preference, completion(), "unfit: `write chat`"),
        (OutputFormat::Messages, chat(&[("user", "{{ txet }}")]), "unfit: `write chat`"),
        (OutputFormat::Messages, chat(&[("user", "{{ urgency }}")]), "row 1: `urgency` is no value of its label"),
    ] {
        let error = rendered(format, kind, &rows).expect_err(expected);
        assert!(error.starts_with(expected) && !error.contains("unheard"), "{error}");
    }
}

/// A batch of one column beside the ids.
fn typed(name: &str, values: ArrayRef) -> RecordBatch {
    let ids: ArrayRef = Arc::new(StringArray::from(vec!["0"; values.len()]));
    let fields = vec![Field::new("id", DataType::Utf8, false), Field::new(name, values.data_type().clone(), true)];
    RecordBatch::try_new(Arc::new(Schema::new(fields)), vec![ids, values]).expect("columns of one length")
}

#[test]
fn typed_columns_are_lines_without_nulls() {
    let micros =
        |zone: &str| Arc::new(TimestampMicrosecondArray::from(vec![1_700_000_000_250_000]).with_timezone(zone));
    let cases: [(ArrayRef, Result<&str, &str>); 11] = [
        (Arc::new(StringArray::from(vec!["naïve \"q\""])), Ok(r#""naïve \"q\"""#)),
        (Arc::new(Int64Array::from(vec![i64::MIN])), Ok("-9223372036854775808")),
        (Arc::new(Float64Array::from(vec![0.1])), Ok("0.1")),
        (Arc::new(Float64Array::from(vec![3.0])), Ok("3.0")),
        (Arc::new(BooleanArray::from(vec![true])), Ok("true")),
        (Arc::new(Date32Array::from(vec![19_675])), Ok(r#""2023-11-14""#)),
        (micros("+00:00"), Ok(r#""2023-11-14T22:13:20.250Z""#)),
        (micros("UTC"), Ok(r#""2023-11-14T22:13:20.250Z""#)),
        (Arc::new(Float64Array::from(vec![f64::NAN])), Err("`x` is not a finite number")),
        (Arc::new(Float64Array::from(vec![f64::NEG_INFINITY])), Err("`x` is not a finite number")),
        (Arc::new(Int64Array::from(vec![None])), Err("`x` is null")),
    ];
    for (values, expected) in cases {
        let shown = format!("{values:?}");
        let rendered = rendered(OutputFormat::Jsonl, completion(), &typed("x", values));
        match (rendered, expected) {
            (Ok(Rendered::Lines { bytes, .. }), Ok(expected)) => {
                let line = String::from_utf8(bytes).expect("JSON is UTF-8");
                assert_eq!(line, format!("{{\"id\":\"0\",\"x\":{expected}}}\n"));
            }
            (Err(error), Err(expected)) => assert!(error.starts_with(&format!("row 0: {expected}")), "{error}"),
            (got, _) => panic!("{shown}: {got:?}"),
        }
    }
    let Ok(Rendered::Lines { bytes, .. }) = rendered(OutputFormat::Jsonl, completion(), &batch(&[("a", "now")])) else {
        panic!("a list of records is written");
    };
    assert_eq!(
        String::from_utf8(bytes).expect("JSON is UTF-8"),
        "{\"id\":\"00000000000000000000000000000000\",\"text\":\"a\",\"history\":[{\"role\":\"user\",\"content\":\"Hi\"},\
         {\"role\":\"assistant\",\"content\":\"Hello\"}],\"urgency\":\"now\"}\n"
    );
}

#[test]
fn the_ids_column_gives_way_to_a_field_of_its_name() {
    let mut program = fixture();
    program.datasets[0].columns[0].name = "id".to_owned();
    let dataset = &program.datasets[0];
    let ids: ArrayRef = Arc::new(StringArray::from(vec!["7"]));
    let rows = typed("id", ids);
    let output = |format| Output { format, template: None, ..dataset.outputs[0].clone() };
    let render = |format| {
        Renderer::new(&program, dataset, &output(format), &tables()).expect("fits").render(&rows).expect("rendered")
    };
    let line = b"{\"record_id\":\"0\",\"id\":\"7\"}\n".to_vec();
    assert_eq!(render(OutputFormat::Jsonl), Rendered::Lines { bytes: line, records: 1 });
    let Rendered::Table(table) = render(OutputFormat::Parquet) else { panic!("a table") };
    assert_eq!(table.schema().field(0).name(), "record_id");
}

#[test]
fn training_sees_where_the_loss_lies() {
    let mut program = fixture();
    let mut render = |kind| {
        program.templates[0].kind = kind;
        let renderer = TrainingRenderer::new(&program, &program.datasets[0], hir::TemplateId(0), &tables());
        renderer.expect("fits").render(&batch(&[("a", "now")])).expect("rendered").remove(0)
    };
    assert_eq!(
        render(completion()),
        r#"[{"role":"prompt","content":"Q: a\nA:","train":false},{"role":"completion","content":" Right now","train":true}]"#
    );
    assert_eq!(
        render(TemplateKind::Chat(vec![
            Turn::Field { field: "history".to_owned(), trained: true },
            text("user", "{{ text }}", false),
            text("assistant", "b", false),
        ])),
        "[{\"role\":\"user\",\"content\":\"Hi\",\"train\":false},{\"role\":\"assistant\",\"content\":\"Hello\",\"train\":true},\
         {\"role\":\"user\",\"content\":\"a\",\"train\":false},{\"role\":\"assistant\",\"content\":\"b\",\"train\":false}]"
    );
}
