//! Spans, learnt and found from end to end.

use std::path::Path;

use serde_json::json;

use super::tests::{run, runtime, shared, train_quietly};
use super::*;
use crate::eval::{Metric, Predictor, TagReading, Tagger, TestTable, evaluate_tagged, evaluate_tagger, spans_of};
use crate::label::spans::LabelSpan;

const NAMES: [&str; 4] = ["Zoë Hallam", "Ann", "Jonas van Pell", "Miriam"];
const SHOPS: [&str; 3] = ["Quill and Lantern", "Lanterns", "Three Bells"];

/// Sentences with a person and a shop, the person first in every other one; some have neither.
fn write_sentences(path: &Path, records: usize) {
    let (mut texts, mut marks) = (Vec::new(), Vec::new());
    for record in 0..records {
        let (name, shop) = (NAMES[record % 4], SHOPS[record / 2 % 3]);
        let (text, spans) = match record % 5 {
            0 => ("nobody was there today".to_owned(), Vec::new()),
            at if at % 2 == 0 => (format!("yesterday {name} went to {shop}."), vec![(name, "PER"), (shop, "ORG")]),
            _ => (format!("the people of {shop} asked {name} in"), vec![(shop, "ORG"), (name, "PER")]),
        };
        let span = |(surface, label): &(&str, &str)| {
            let start = text[..text.find(surface).expect("it stands there")].chars().count();
            json!({"start": start, "end": start + surface.chars().count(), "label": label})
        };
        marks.push(spans.iter().map(span).collect::<serde_json::Value>().to_string());
        texts.push(text);
    }
    let ids: Vec<String> = (0..records).map(|record| format!("{record:032x}")).collect();
    fn column(values: &[String]) -> Vec<&str> {
        values.iter().map(String::as_str).collect()
    }
    write_table(path, &[(ID_COLUMN, column(&ids)), ("text", column(&texts)), ("marks", column(&marks))]);
}

fn tagging(folder: &Path, kinds: &[&str]) -> TrainRun {
    let kinds = kinds.iter().map(|kind| (*kind).to_owned()).collect();
    let task = Task::Tag { text: "text".to_owned(), label: "marks".to_owned(), kinds };
    TrainRun { task, ..run(folder) }
}

#[test]
fn spans_are_learnt_and_found() {
    let Some(runtime) = runtime() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    write_sentences(&folder.path().join("train.parquet"), 80);
    let mut settings = tagging(folder.path(), &["PER", "ORG"]);
    settings.extent = Extent::Epochs(14.0);
    settings.schedule.rate = 6e-3;
    settings.validation = Some(settings.train.clone());
    (settings.selection.by, settings.selection.keep) = (Metric::parse("f1.micro").expect("a metric"), 1);
    let (trained, losses) = train_quietly(&settings, &runtime).expect("trained");
    assert!(losses[0] > 1.0 && losses[losses.len() - 1] < 0.2, "{losses:?}");
    assert!(trained.best_step.is_some());
    let config = read_json(&settings.output.join("config.json")).expect("JSON");
    assert_eq!(config["id2label"], json!({"0": "O", "1": "B-PER", "2": "I-PER", "3": "B-ORG", "4": "I-ORG"}));
    assert!(config["architectures"][0].as_str().is_some_and(|name| name.ends_with("ForTokenClassification")));

    let mut tagger = Tagger::open(&runtime, &settings.output, None, 1).expect("opens");
    let table = TestTable { path: &settings.train, text: "text", label: "marks", by: &[] };
    let lost = vec![("f".repeat(32), Some(vec!["ORG".to_owned()]), "too short".to_owned())];
    let evaluated = evaluate_tagger(&mut tagger, &table, lost).expect("evaluated");
    let evaluation = evaluate_tagged(&evaluated, settings.seed);
    let figure = |name: &str| {
        evaluation.figures.get(&Metric::parse(name).expect("a metric"), &evaluation.values).expect("a figure")
    };
    assert_eq!((figure("precision.micro"), figure("f1[PER]")), (1.0, 1.0), "all of what was learnt is found again");
    assert!((figure("recall[ORG]") - 64.0 / 65.0).abs() < 1e-9, "{}", figure("recall[ORG]"));

    let mut predictor = Predictor::open(&runtime, &settings.output, 1).expect("opens");
    let said = predictor.predict(&["1".to_owned()], &["yesterday Zoë Hallam went to Lanterns."]).expect("predicted");
    let expected = json!([
        {"start": 10, "end": 20, "label": "PER"}, {"start": 29, "end": 37, "label": "ORG"}
    ]);
    assert_eq!((&said[0]["predicted"], said[0]["probability"].as_array().map(Vec::len)), (&expected, Some(2)));
}

#[test]
fn what_length_cuts_off_is_counted_and_missed() {
    let Some(runtime) = runtime() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    write_sentences(&folder.path().join("train.parquet"), 20);
    let mut settings = tagging(folder.path(), &["PER", "ORG"]);
    (settings.length, settings.overflow) = (Some(8), Overflow::KeepStart);
    settings.extent = Extent::Steps(1);
    let mut told = None;
    let trained = train(&settings, &runtime, &mut |event| {
        if let Event::Prepared(prepared) = event {
            told = Some((prepared.truncated, prepared.lost_spans, prepared.inexact_spans));
        }
        std::ops::ControlFlow::Continue(())
    });
    trained.expect("trained");
    let (truncated, lost, inexact) = told.expect("the run was prepared");
    assert!(truncated > 0 && lost > 0 && inexact == 0, "{truncated} {lost} {inexact}");
    let provenance = read_json(&settings.output.join("provenance.json")).expect("JSON");
    assert_eq!(provenance["data"]["spans"], json!({"lost": lost, "inexact": 0}));
    let limit = LengthLimit { tokens: 8, overflow: Overflow::KeepStart };
    let mut tagger = Tagger::open(&runtime, &settings.output, Some(limit), 1).expect("opens");
    let table = TestTable { path: &settings.train, text: "text", label: "marks", by: &[] };
    let evaluated = evaluate_tagger(&mut tagger, &table, Vec::new()).expect("evaluated");
    let gold: usize = evaluated.predictions.iter().map(|row| row.gold.len()).sum();
    assert_eq!(gold, 32, "every true span is asked for, cut off or not");
}

#[test]
fn a_head_for_tokens_is_added_or_must_fit() {
    let (Some(runtime), Some(features), Some(tagger)) =
        (runtime(), shared("models/minilm-l6"), shared("models/roberta-tokcls"))
    else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    write_sentences(&folder.path().join("train.parquet"), 8);
    let mut settings = tagging(folder.path(), &["PER", "ORG"]);
    (settings.extent, settings.schedule.rate) = (Extent::Steps(2), 1e-3);
    settings.model = ModelSource::Folder(features);
    settings.tune = Tune::Head;
    train_quietly(&settings, &runtime).expect("a head was added");
    let config = read_json(&settings.output.join("config.json")).expect("JSON");
    assert_eq!(config["architectures"], json!(["BertForTokenClassification"]));
    settings.model = ModelSource::Folder(tagger.clone());
    settings.tune = Tune::All;
    settings.head_rate = None;
    train_quietly(&settings, &runtime).expect("its own head has as many outputs");
    let opened = Tagger::open(&runtime, &settings.output, None, 1).expect("opens");
    assert_eq!(opened.kinds(), ["PER", "ORG"]);
    let error = Tagger::open(&runtime, &tagger, None, 1).err().expect("`LABEL_0` is no tag").to_string();
    assert!(error.contains("names no tags"), "{error}");
    settings.task = tagging(folder.path(), &["PER"]).task;
    let error = train_quietly(&settings, &runtime).expect_err("another number of tags").to_string();
    assert!(error.contains("5 outputs, and 1 kinds of spans have 3 tags"), "{error}");
}

/// Spans that are words of tags are the spans of seqeval's default reading of these tags.
#[test]
fn words_with_tags_give_seqevals_spans() {
    let tags = ["B-PER", "I-PER", "O", "I-ORG", "B-ORG", "I-PER"];
    let spans = spans_of(&tags, TagReading::Default).expect("tags");
    let spans: Vec<LabelSpan> =
        spans.into_iter().map(|span| LabelSpan { start: span.start, end: span.end, label: span.kind }).collect();
    let text = "a b c d e f";
    let offsets = (0..6).map(|at| (2 * at, 2 * at + 1)).collect();
    let words = tags::Words::of(text, &Tokens { ids: vec![0; 6], offsets });
    let names = tags::tag_names(&["PER".to_owned(), "ORG".to_owned()]);
    let mut logits = vec![0.0; 30];
    for (token, tag) in tags.iter().enumerate() {
        logits[token * 5 + names.iter().position(|name| name == tag).expect("a tag")] = 5.0;
    }
    let found: Vec<LabelSpan> = words.found(&logits, &names).into_iter().map(|found| found.span).collect();
    let places = |span: &LabelSpan| (span.start / 2, span.end.div_ceil(2), span.label.clone());
    let expected: Vec<_> = spans.iter().map(|span| (span.start, span.end, span.label.clone())).collect();
    assert_eq!(found.iter().map(places).collect::<Vec<_>>(), expected);
}
