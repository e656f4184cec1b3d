//! The file of an evaluation's figures, as JSON. The same figures give the same bytes: no time, no path, keys in a fixed
//! order.

use serde_json::{Map, Value, json};

use super::decoder::GenerationSettings;
use super::evaluation::Evaluation;
use super::figures::{Families, Figures};
use super::gate::GateResult;
use super::generated::Generated;
use super::generation::TextMetric;
use super::metric::{METRICS, Metric, MetricRow};
use super::metrics::{Classification, Scores};
use super::multi_label::MultiLabel;
use super::predictions::endings;
use super::resampling::REPLICATES;

/// The schema of [`evaluation_json`].
pub const EVALUATION_SCHEMA: &str = "annotc.evaluation/1";

/// What the figures were made with, beside what the evaluation itself knows: pairs of a name and a hash or a version.
pub type Signature = Vec<(String, String)>;

/// What stands in the figures' file.
#[derive(Debug, Clone, Copy)]
pub struct EvaluationFile<'a> {
    /// The figures.
    pub evaluation: &'a Evaluation,
    /// The bounds with what was measured.
    pub gates: &'a [GateResult],
    /// The names of the metrics to write (see [`METRICS`]); none means all there are.
    pub report: &'a [String],
    /// What the figures were made with.
    pub signature: &'a Signature,
    /// BLAKE3 of the file of predictions, by which a reader of both knows that they belong together.
    pub predictions: &'a str,
    /// How answers were generated, where they were.
    pub generation: Option<(&'a GenerationSettings, &'a Generated)>,
}

/// The figures' file.
#[must_use]
pub fn evaluation_json(content: &EvaluationFile<'_>) -> Value {
    let EvaluationFile { evaluation, gates, report, signature, predictions, generation } = *content;
    let wanted = |name: &str| report.is_empty() || report.iter().any(|metric| metric == name);
    let figures = &evaluation.figures;
    let mut file = Map::new();
    file.insert("schema".to_owned(), json!(EVALUATION_SCHEMA));
    file.insert("records".to_owned(), json!(figures.records));
    file.insert("predicted".to_owned(), json!(figures.records - evaluation.missing.len() as u64));
    file.insert("predictions".to_owned(), json!(predictions));
    let metrics = figures_json(figures, &evaluation.values, &wanted);
    let signatures = signatures(&metrics, evaluation, signature, generation.map(|(settings, _)| settings));
    file.insert("metrics".to_owned(), Value::Object(metrics));
    file.insert("intervals".to_owned(), intervals_json(evaluation, &wanted));
    if let Some(families) = Families::of(figures)
        && ["precision", "recall", "f1"].into_iter().any(wanted)
    {
        file.insert("values".to_owned(), values_json(&families, &evaluation.values));
    }
    if let Some(classification) = &figures.classification
        && wanted("confusion")
        && figures.records > 0
    {
        file.insert("confusion".to_owned(), confusion_json(classification, &evaluation.values));
    }
    if let Some((settings, generated)) = generation {
        file.insert("generation".to_owned(), generation_json(settings, generated));
    }
    file.insert("slices".to_owned(), slices_json(evaluation, &wanted));
    file.insert("missing".to_owned(), missing_json(evaluation));
    let gates: Vec<Value> = gates
        .iter()
        .map(|result| {
            let measured = result.measured.filter(|figure| figure.is_finite());
            let mut gate = json!({"require": result.gate.to_string(), "measured": measured, "met": result.met});
            if let Some(reason) = result.reason() {
                gate["reason"] = reason.into();
            }
            gate
        })
        .collect();
    file.insert("gates".to_owned(), Value::Array(gates));
    file.insert("signature".to_owned(), signature_json(figures, signature));
    file.insert("signatures".to_owned(), signatures);
    Value::Object(file)
}

fn slices_json(evaluation: &Evaluation, wanted: &dyn Fn(&str) -> bool) -> Value {
    let slice = |slice: &super::evaluation::Slice| {
        json!({
            "by": slice.by,
            "key": slice.key,
            "records": slice.figures.records,
            "metrics": figures_json(&slice.figures, &evaluation.values, wanted),
        })
    };
    Value::Array(evaluation.slices.iter().map(slice).collect())
}

fn missing_json(evaluation: &Evaluation) -> Value {
    let missing =
        evaluation.missing.iter().map(|record| json!({"id": record.id, "gold": record.gold, "reason": record.reason}));
    Value::Array(missing.collect())
}

fn signature_json(figures: &Figures, signature: &Signature) -> Value {
    let missing = match figures.regression {
        Some(_) => "left out of the errors and correlations",
        None if figures.preference.is_some() => "wrong; left out of the margin and the loss",
        None if figures.retrieval.is_some() => "not found",
        None if figures.perplexity.is_some() => {
            "an answer that is worth nothing; left out of the loss and the perplexity"
        }
        None => "wrong, a false negative where the true value is known; left out of the loss and the calibration error",
    };
    let mut rows = Map::new();
    rows.insert("missing".to_owned(), json!(missing));
    for (name, value) in signature {
        rows.insert(name.clone(), json!(value));
    }
    Value::Object(rows)
}

/// One line for each metric that tells what its figure is of, to be quoted with it; hashes by their first 12 digits.
fn signatures(
    metrics: &Map<String, Value>,
    evaluation: &Evaluation,
    signature: &Signature,
    generation: Option<&GenerationSettings>,
) -> Value {
    let is_hash = |value: &str| value.len() >= 32 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    let made_with: String = signature
        .iter()
        .map(|(name, value)| format!("|{name}:{}", if is_hash(value) { &value[..12] } else { value }))
        .collect();
    let families = Families::of(&evaluation.figures);
    let line = |row: &MetricRow| {
        let how = generation.filter(|_| TextMetric::parse(row.name).is_some()).map(described).unwrap_or_default();
        let metric = row.forms.first().and_then(|form| Metric::parse(form));
        let records = metric.as_ref().map_or(evaluation.figures.records, |metric| evaluation.judged(metric));
        let over = families.as_ref().filter(|_| metric.as_ref().is_some_and(Metric::averages_values));
        let over = over.map(|families| format!(", {}", families.over().name())).unwrap_or_default();
        format!("{}|records:{records}|of:{}{over}{how}{made_with}", row.name, row.definition)
    };
    let rows = METRICS.iter().filter(|row| metrics.contains_key(row.name));
    Value::Object(rows.map(|row| (row.name.to_owned(), json!(line(row)))).collect())
}

fn described(settings: &GenerationSettings) -> String {
    let how = match &settings.sampling {
        None => "greedy".to_owned(),
        Some(sampling) => {
            let top_k = sampling.top_k.map(|top_k| format!(",top_k={top_k}")).unwrap_or_default();
            format!(
                "sampled,temperature={}{top_k},top_p={},seed={}",
                sampling.temperature, sampling.top_p, sampling.seed
            )
        }
    };
    let stops = if settings.stop.is_empty() { String::new() } else { format!(",stop={}", settings.stop.len()) };
    format!("|generated:{how},tokens={}{stops}", settings.tokens)
}

fn generation_json(settings: &GenerationSettings, generated: &Generated) -> Value {
    let sampling = settings.sampling.as_ref().map(|sampling| {
        json!({
            "temperature": sampling.temperature,
            "top_k": sampling.top_k,
            "top_p": sampling.top_p,
            "seed": sampling.seed,
        })
    });
    json!({
        "sampled": sampling,
        "tokens": settings.tokens,
        "stop": settings.stop,
        "ended": endings(generated),
    })
}

/// How sure the figures over all records are.
fn intervals_json(evaluation: &Evaluation, wanted: &dyn Fn(&str) -> bool) -> Value {
    let family = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    let intervals = evaluation.intervals.iter().map(|(metric, interval)| (metric.to_string(), interval));
    let figures: Map<String, Value> = intervals
        .filter(|(name, _)| wanted(&family(name)))
        .map(|(name, interval)| (name, json!([interval.low, interval.high])))
        .collect();
    json!({
        "level": 0.95,
        "method": "percentiles of a Poisson bootstrap",
        "replicates": REPLICATES,
        "seed": evaluation.seed,
        "figures": figures,
    })
}

fn figures_json(figures: &Figures, values: &[String], wanted: &dyn Fn(&str) -> bool) -> Map<String, Value> {
    let mut rows = Map::new();
    if figures.records == 0 {
        return rows;
    }
    let (families, strict) = (Families::of(figures), Families::strict(figures));
    for row in METRICS.iter().filter(|row| !row.report_only && wanted(row.name)) {
        let value = match row.name {
            "accuracy" => figures.get(&Metric::Accuracy, values).map(|accuracy| json!(accuracy)),
            "precision" => families.as_ref().map(|families| families.json(values, |scores| scores.precision)),
            "recall" => families.as_ref().map(|families| families.json(values, |scores| scores.recall)),
            "f1" => families.as_ref().map(|families| families.json(values, |scores| scores.f1)),
            "strict_precision" => strict.as_ref().map(|families| families.json(values, |scores| scores.precision)),
            "strict_recall" => strict.as_ref().map(|families| families.json(values, |scores| scores.recall)),
            "strict_f1" => strict.as_ref().map(|families| families.json(values, |scores| scores.f1)),
            "hamming_loss" => figures.get(&Metric::HammingLoss, values).map(|loss| json!(loss)),
            "jaccard" => figures.several.as_ref().map(|several| jaccard_json(several, values)),
            "ece" => figures.ece.map(|ece| json!(ece)),
            "loss" => figures.loss.map(|loss| json!(loss)),
            "perplexity" => figures.perplexity.map(|perplexity| json!(perplexity)),
            name => {
                let metric = Metric::parse(name).expect("the other metrics of the table are one number");
                figures.get(&metric, values).map(|figure| json!(figure))
            }
        };
        if let Some(value) = value {
            rows.insert(row.name.to_owned(), value);
        }
    }
    rows
}

impl Families<'_> {
    fn json(&self, values: &[String], part: fn(&Scores) -> f64) -> Value {
        let each: Map<String, Value> =
            self.rows().filter_map(|row| Some((values.get(row.value)?.clone(), json!(part(&row.scores))))).collect();
        let mut family = Map::new();
        for (name, scores) in &self.averages {
            family.insert((*name).to_owned(), json!(part(scores)));
        }
        family.insert("values".to_owned(), Value::Object(each));
        Value::Object(family)
    }
}

fn jaccard_json(several: &MultiLabel, values: &[String]) -> Value {
    let each: Map<String, Value> = several
        .values
        .iter()
        .filter_map(|row| Some((values.get(row.value)?.clone(), json!(several.jaccard_of(row.value)))))
        .collect();
    let jaccard = several.jaccard;
    json!({
        "micro": jaccard.micro,
        "macro": jaccard.macro_,
        "weighted": jaccard.weighted,
        "samples": jaccard.samples,
        "values": each,
    })
}

/// The rows of scikit-learn's `classification_report`: each value that the averages are taken over.
fn values_json(families: &Families<'_>, values: &[String]) -> Value {
    let row = |row: &super::metrics::ValueScores| {
        json!({
            "value": values.get(row.value),
            "precision": row.scores.precision,
            "recall": row.scores.recall,
            "f1": row.scores.f1,
            "support": row.support,
            "predicted": row.predicted,
        })
    };
    Value::Array(families.rows().map(row).collect())
}

fn confusion_json(figures: &Classification, values: &[String]) -> Value {
    json!({
        "values": values,
        "counts": figures.confusion.counts,
        "no_prediction": figures.confusion.unpredicted,
    })
}

#[cfg(test)]
mod tests {
    use super::super::evaluation::tests::two_slices;
    use super::super::generated::evaluate_generation;
    use super::super::several::{SeveralEvaluated, SeveralPrediction, evaluate_several};
    use super::super::terminal::evaluation_table;
    use super::*;

    fn file(evaluation: &Evaluation, report: &[&str], signature: &Signature) -> Value {
        let report: Vec<String> = report.iter().map(|name| (*name).to_owned()).collect();
        let predictions = "";
        evaluation_json(&EvaluationFile {
            evaluation,
            gates: &[],
            report: &report,
            signature,
            predictions,
            generation: None,
        })
    }

    #[test]
    fn the_file_has_the_agreed_keys_in_order() {
        let reported = file(&two_slices(), &["accuracy"], &Vec::new());
        let keys: Vec<&String> = reported.as_object().expect("an object").keys().collect();
        let expected = ["schema", "records", "predicted", "predictions", "metrics", "intervals", "slices", "missing"];
        assert_eq!(keys, [&expected[..], &["gates", "signature", "signatures"]].concat());
        assert_eq!(reported["metrics"].to_string(), r#"{"accuracy":0.75}"#);
        assert_eq!(reported["slices"][1]["metrics"]["accuracy"], 0.5);
        let intervals = reported["intervals"]["figures"].as_object().expect("an object");
        assert_eq!(intervals.keys().collect::<Vec<_>>(), ["accuracy"]);
        let full = file(&two_slices(), &[], &Vec::new());
        assert_eq!(full["metrics"]["recall"]["values"]["b"], 0.5);
        assert_eq!(full["metrics"]["ece"], 0.25);
        assert_eq!(full["confusion"]["counts"].to_string(), "[[2,0],[1,1]]");
        assert_eq!(full["values"][1]["support"], 2);
        assert_eq!(full["values"][1]["predicted"], 1);
    }

    #[test]
    fn each_metric_carries_a_signature() {
        let signature =
            vec![("split".to_owned(), "test".to_owned()), ("model".to_owned(), "0123456789abcdef".repeat(4))];
        let reported = file(&two_slices(), &["accuracy", "ece"], &signature);
        assert_eq!(
            reported["signatures"]["accuracy"],
            "accuracy|records:4|of:scikit-learn|split:test|model:0123456789ab"
        );
        assert!(reported["signatures"]["ece"].as_str().is_some_and(|line| line.contains("15 bins")));
        assert!(reported["signatures"]["f1"].is_null());
    }

    #[test]
    fn of_several_values_the_macro_average_is_that_of_the_values_in_the_file() {
        let prediction = |gold: &[usize], predicted: &[usize]| SeveralPrediction {
            id: format!("{gold:?}"),
            gold: gold.to_vec(),
            predicted: predicted.to_vec(),
            probability: vec![0.9; predicted.len()],
            loss: 0.5,
            slices: Vec::new(),
        };
        let evaluated = SeveralEvaluated {
            values: ["card", "fees", "never"].map(str::to_owned).to_vec(),
            predictions: vec![prediction(&[0, 1], &[0, 1]), prediction(&[0], &[0])],
            ..SeveralEvaluated::default()
        };
        let evaluation = evaluate_several(&evaluated, 7);
        let reported = file(&evaluation, &["f1", "jaccard"], &Vec::new());
        let rows = reported["values"].as_array().expect("a list");
        assert_eq!((rows.len(), &rows[2]["value"], &rows[2]["f1"]), (3, &json!("never"), &json!(0.0)));
        // `classification_report` of the indicator matrix, `zero_division=0`: card 1, fees 1, never 0.
        for family in ["f1", "jaccard"] {
            assert_eq!(reported["metrics"][family]["macro"], 2.0 / 3.0);
            assert_eq!(reported["metrics"][family]["values"]["never"], 0.0);
            let signature = reported["signatures"][family].as_str().expect("a line");
            assert!(signature.contains("|of:scikit-learn, zero_division=0, averages over all values of the label"));
        }
        assert!(evaluation_table(&evaluation, &[]).contains("never  0.0000     0.0000  0.0000  0\n"));
        let single = file(&two_slices(), &["f1"], &Vec::new());
        let signature = single["signatures"]["f1"].as_str().expect("a line");
        assert!(signature.ends_with("|of:scikit-learn, zero_division=0, averages over the values that occur"));
    }

    #[test]
    fn an_evaluation_without_records_has_no_figure_that_is_no_number() {
        let empty = file(&evaluate_generation(&Generated::default(), 7), &[], &Vec::new());
        assert_eq!(empty["metrics"].to_string(), "{}");
        assert_eq!(empty["intervals"]["figures"].to_string(), "{}");
    }
}
