//! The files of an evaluation: the figures as JSON, the predictions as JSON lines. The same figures give the same
//! bytes: no time, no path, keys in a fixed order.

use serde_json::{Map, Value, json};

use super::evaluation::{Evaluated, Evaluation};
use super::gate::GateResult;
use super::metric::{Figures, METRICS};
use super::metrics::{Classification, Scores};

/// The schema of [`evaluation_json`].
pub const EVALUATION_SCHEMA: &str = "annotc.evaluation/1";

/// What the figures were made with, beside what the evaluation itself knows: pairs of a name and a hash or a version.
pub type Signature = Vec<(String, String)>;

/// The figures' file. `report` names the metrics to write (see [`METRICS`]); an empty list means all there are.
#[must_use]
pub fn evaluation_json(
    evaluation: &Evaluation,
    gates: &[GateResult],
    report: &[String],
    signature: &Signature,
) -> Value {
    let wanted = |name: &str| report.is_empty() || report.iter().any(|metric| metric == name);
    let mut file = Map::new();
    file.insert("schema".to_owned(), json!(EVALUATION_SCHEMA));
    file.insert("records".to_owned(), json!(evaluation.figures.records));
    file.insert("predicted".to_owned(), json!(evaluation.figures.records - evaluation.missing.len() as u64));
    file.insert("metrics".to_owned(), figures_json(&evaluation.figures, &evaluation.values, &wanted));
    if let Some(classification) = evaluation.figures.classification.as_ref().filter(|_| wanted("confusion")) {
        file.insert("confusion".to_owned(), confusion_json(classification, &evaluation.values));
    }
    let slices: Vec<Value> = evaluation
        .slices
        .iter()
        .map(|slice| {
            json!({
                "by": slice.by,
                "key": slice.key,
                "records": slice.figures.records,
                "metrics": figures_json(&slice.figures, &evaluation.values, &wanted),
            })
        })
        .collect();
    file.insert("slices".to_owned(), Value::Array(slices));
    let missing: Vec<Value> = evaluation
        .missing
        .iter()
        .map(|record| {
            let gold = record.gold.and_then(|gold| evaluation.values.get(gold));
            json!({"id": record.id, "gold": gold, "reason": record.reason})
        })
        .collect();
    file.insert("missing".to_owned(), Value::Array(missing));
    let gates: Vec<Value> = gates
        .iter()
        .map(|result| {
            json!({"require": result.gate.to_string(), "measured": result.measured.filter(|f| f.is_finite()), "met": result.met})
        })
        .collect();
    file.insert("gates".to_owned(), Value::Array(gates));
    file.insert("signature".to_owned(), signature_json(signature));
    Value::Object(file)
}

fn signature_json(signature: &Signature) -> Value {
    let mut rows = Map::new();
    rows.insert("definitions".to_owned(), json!("scikit-learn"));
    rows.insert("zero_division".to_owned(), json!(0));
    rows.insert("averaged_over".to_owned(), json!("values that occur as true or as predicted"));
    rows.insert("missing".to_owned(), json!("wrong; a false negative where the true value is known"));
    for (name, value) in signature {
        rows.insert(name.clone(), json!(value));
    }
    Value::Object(rows)
}

fn figures_json(figures: &Figures, values: &[String], wanted: &dyn Fn(&str) -> bool) -> Value {
    let mut rows = Map::new();
    for row in METRICS.iter().filter(|row| !row.report_only && wanted(row.name)) {
        let classification = figures.classification.as_ref();
        let value = match row.name {
            "accuracy" => classification.map(|figures| json!(figures.accuracy)),
            "precision" => classification.map(|figures| family_json(figures, values, |scores| scores.precision)),
            "recall" => classification.map(|figures| family_json(figures, values, |scores| scores.recall)),
            "f1" => classification.map(|figures| family_json(figures, values, |scores| scores.f1)),
            "loss" => figures.loss.map(|loss| json!(loss)),
            "perplexity" => figures.perplexity.map(|perplexity| json!(perplexity)),
            other => unreachable!("the metric `{other}` of the table has no figure"),
        };
        if let Some(value) = value {
            rows.insert(row.name.to_owned(), value);
        }
    }
    Value::Object(rows)
}

fn family_json(figures: &Classification, values: &[String], part: fn(&Scores) -> f64) -> Value {
    let each: Map<String, Value> = figures
        .values
        .iter()
        .filter(|row| row.support + row.predicted > 0)
        .filter_map(|row| Some((values.get(row.value)?.clone(), json!(part(&row.scores)))))
        .collect();
    json!({
        "micro": part(&figures.micro),
        "macro": part(&figures.macro_),
        "weighted": part(&figures.weighted),
        "values": each,
    })
}

fn confusion_json(figures: &Classification, values: &[String]) -> Value {
    json!({
        "values": values,
        "counts": figures.confusion.counts,
        "no_prediction": figures.confusion.unpredicted,
    })
}

/// Six decimals: a 32-bit float has no more to say.
pub(super) fn rounded(probability: f32) -> f64 {
    (f64::from(probability) * 1e6).round() / 1e6
}

/// The predictions' file: one line for each record of the part, in order of id, those without a prediction included.
#[must_use]
pub fn predictions_jsonl(evaluated: &Evaluated) -> String {
    let name = |index: usize| evaluated.values.get(index);
    let mut rows: Vec<(&str, Value)> = evaluated
        .predictions
        .iter()
        .map(|row| {
            let line = json!({
                "id": row.id,
                "gold": name(row.gold),
                "predicted": name(row.predicted),
                "probability": rounded(row.probability),
            });
            (row.id.as_str(), line)
        })
        .chain(evaluated.missing.iter().map(|record| {
            let line = json!({
                "id": record.id,
                "gold": record.gold.and_then(name),
                "predicted": null,
                "probability": null,
            });
            (record.id.as_str(), line)
        }))
        .collect();
    rows.sort_by(|a, b| a.0.cmp(b.0));
    rows.into_iter().map(|(_, line)| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::super::evaluation::tests::two_slices;
    use super::super::evaluation::{MissingRecord, Prediction};
    use super::*;

    #[test]
    fn the_file_has_the_agreed_keys_in_order() {
        let file = evaluation_json(&two_slices(), &[], &["accuracy".to_owned()], &Vec::new());
        let keys: Vec<&String> = file.as_object().expect("an object").keys().collect();
        assert_eq!(keys, ["schema", "records", "predicted", "metrics", "slices", "missing", "gates", "signature"]);
        assert_eq!(file["metrics"].to_string(), r#"{"accuracy":0.75}"#);
        assert_eq!(file["slices"][1]["metrics"]["accuracy"], 0.5);
        let full = evaluation_json(&two_slices(), &[], &[], &Vec::new());
        assert_eq!(full["metrics"]["recall"]["values"]["b"], 0.5);
        assert_eq!(full["confusion"]["counts"].to_string(), "[[2,0],[1,1]]");
    }

    #[test]
    fn a_missing_record_has_a_line_of_its_own() {
        let lines = predictions_jsonl(&Evaluated {
            values: vec!["a".to_owned()],
            predictions: vec![Prediction {
                id: "2".to_owned(),
                gold: 0,
                predicted: 0,
                probability: 0.5,
                loss: 0.0,
                slices: Vec::new(),
            }],
            missing: vec![MissingRecord { id: "1".to_owned(), gold: Some(0), reason: "too short".to_owned() }],
            by: Vec::new(),
        });
        assert_eq!(
            lines,
            "{\"id\":\"1\",\"gold\":\"a\",\"predicted\":null,\"probability\":null}\n\
             {\"id\":\"2\",\"gold\":\"a\",\"predicted\":\"a\",\"probability\":0.5}\n"
        );
    }
}
