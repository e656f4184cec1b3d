//! A label of several values, learnt and measured from end to end.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, StringArray, StringBuilder};

use super::table::tests::write_columns;
use super::tests::{run, runtime, train_quietly};
use super::*;
use crate::eval::{Average, Classifier, Metric, TestTable, evaluate_choices, evaluate_several};

/// Texts in which each value has a word of its own; a text has none, one or two of three values.
fn write_sets(path: &std::path::Path, records: usize) {
    let words = [("card", "plastic"), ("fees", "charge"), ("wire", "abroad")];
    let has = |record: usize, value: usize| (record >> value) & 1 == 1 && record % 8 != 7;
    let ids = (0..records).map(|record| format!("{record:032x}"));
    let texts = (0..records).map(|record| {
        let own = words.iter().enumerate().filter(|(value, _)| has(record, *value)).map(|(_, (_, word))| *word);
        format!("please {} {}", own.collect::<Vec<_>>().join(" "), ["now", "today", "soon"][record % 3])
    });
    let mut sets = ListBuilder::new(StringBuilder::new());
    for record in 0..records {
        for (value, (name, _)) in words.iter().enumerate() {
            if has(record, value) {
                sets.values().append_value(name);
            }
        }
        sets.append(true);
    }
    let columns: [(&str, ArrayRef); 3] = [
        (ID_COLUMN, Arc::new(StringArray::from_iter_values(ids))),
        ("text", Arc::new(StringArray::from_iter_values(texts))),
        ("topics", Arc::new(sets.finish())),
    ];
    write_columns(path, &columns);
}

#[test]
fn a_label_of_several_values_is_learnt_and_measured() {
    let Some(runtime) = runtime() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    write_sets(&folder.path().join("train.parquet"), 96);
    let mut settings = run(folder.path());
    let values = ["card", "fees", "wire"].map(str::to_owned).to_vec();
    settings.task = Task::Choose { text: "text".to_owned(), label: "topics".to_owned(), values };
    settings.extent = Extent::Epochs(12.0);
    settings.schedule.rate = 4e-3;
    settings.balanced = true;
    settings.validation = Some(settings.train.clone());
    (settings.selection.by, settings.selection.keep) = (Metric::F1(Average::Macro), 1);
    let (_, losses) = train_quietly(&settings, &runtime).expect("trained");
    assert!(losses[0] > 0.5 && losses[losses.len() - 1] < 0.2, "{losses:?}");
    let config = read_json(&settings.output.join("config.json")).expect("JSON");
    assert_eq!(config["problem_type"], "multi_label_classification");
    assert_eq!(config["id2label"]["2"], "wire");

    let mut classifier = Classifier::open(&runtime, &settings.output, None, 1).expect("opens");
    assert!(classifier.is_of_several());
    let table = TestTable { path: &settings.train, text: "text", label: "topics", by: &[] };
    let lost = [("f".repeat(32), Some(vec!["wire".to_owned()]), "too short".to_owned())];
    let evaluated = evaluate_choices(&mut classifier, &table, &lost).expect("evaluated");
    let evaluation = evaluate_several(&evaluated, settings.seed);
    let accuracy = evaluation.figures.get(&Metric::Accuracy, &evaluation.values).expect("a figure");
    assert!((accuracy - 96.0 / 97.0).abs() < 1e-9, "{accuracy}");
    let none = evaluated.predictions.iter().find(|row| row.gold.is_empty()).expect("a text without a value");
    assert!(none.predicted.is_empty());
    settings.smooth = 0.1;
    assert!(train_quietly(&settings, &runtime).expect_err("refused").to_string().contains("`smooth`"));
}
