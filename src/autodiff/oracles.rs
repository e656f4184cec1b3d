//! Loss and gradients of real exports against PyTorch's, as `reference.json` beside each model lists them.

use std::{
    collections::BTreeMap,
    error::Error,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{
    Operators, TrainingGraph, differentiate_beside,
    loss::{self, Alignment},
};
use crate::onnx::{
    self, Op, encode,
    import::{Imported, import},
    surgery::{Family, HEAD, Head, Pooling, add_classifier, family, fix_past, past_inputs},
    test_session::{Values, available, test_session},
};

/// The folder with real models, if it is there.
pub fn shared_model(name: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/models").join(name);
    if folder.exists() {
        return Some(folder);
    }
    assert!(std::env::var_os("ANNOTC_REQUIRE_SHARED").is_none(), "{} is missing", folder.display());
    eprintln!("skipped: {} is missing", folder.display());
    None
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn matrix(value: &Value) -> (Vec<usize>, Vec<i64>) {
    let rows: Vec<Vec<i64>> = match value[0] {
        Value::Array(_) => serde_json::from_value(value.clone()).unwrap(),
        _ => return (vec![value.as_array().unwrap().len()], serde_json::from_value(value.clone()).unwrap()),
    };
    (vec![rows.len(), rows[0].len()], rows.concat())
}

pub(super) struct Case {
    pub(super) imported: Imported,
    pub(super) training: TrainingGraph,
    pub(super) feeds: BTreeMap<String, Values>,
    reference: Value,
}

pub(super) fn prepare(folder: &Path, operators: Operators) -> Result<Case, Box<dyn Error>> {
    let (config, reference) = (json(&folder.join("config.json")), json(&folder.join("reference.json")));
    let imported = import(onnx::load(folder)?, &config)?;
    let mut graph = imported.graph.clone();
    fix_past(&mut graph);
    let family = family(&graph, &config)?;
    let alignment = match family {
        Family::Decoder { .. } => Alignment::Next,
        Family::Features { .. } | Family::Sequence { .. } | Family::Tokens { .. } => Alignment::Same,
    };
    let added = loss::cross_entropy(&mut graph, "logits", alignment)?;
    let names: Vec<String> = imported.parameters.iter().map(|parameter| parameter.name.clone()).collect();
    let training = differentiate_beside(&graph, &added.loss, &[], &names, operators)?;
    let feeds = feeds(&imported, &training, &reference, alignment);
    Ok(Case { imported, training, feeds, reference })
}

fn feeds(
    imported: &Imported,
    training: &TrainingGraph,
    reference: &Value,
    alignment: Alignment,
) -> BTreeMap<String, Values> {
    let (shape, ids) = matrix(&reference["inputs"]["input_ids"]);
    let (_, mask) = matrix(&reference["inputs"]["attention_mask"]);
    let (label_shape, labels) = matrix(&reference["labels"]);
    let skipped = usize::from(alignment == Alignment::Next);
    let width = label_shape[label_shape.len() - 1];
    let trained = |at: usize| labels[at] >= 0 && (label_shape.len() == 1 || at % width >= skipped);
    let count = (0..labels.len()).filter(|&at| trained(at)).count();
    let weights = (0..labels.len()).map(|at| if trained(at) { 1.0 / count as f32 } else { 0.0 }).collect();
    let positions: Vec<i64> = (0..ids.len()).map(|at| (at % shape[1]) as i64).collect();
    let mut all = BTreeMap::from([
        ("token_type_ids".to_owned(), Values::Int(shape.clone(), vec![0; ids.len()])),
        ("position_ids".to_owned(), Values::Int(shape.clone(), positions)),
        ("input_ids".to_owned(), Values::Int(shape.clone(), ids)),
        ("attention_mask".to_owned(), Values::Int(shape.clone(), mask)),
        (loss::LABELS.to_owned(), Values::Int(label_shape.clone(), labels)),
        (loss::WEIGHTS.to_owned(), Values::Float(label_shape, weights)),
    ]);
    for past in past_inputs(&training.graph) {
        all.insert(past.name.clone(), Values::Float(past.empty_shape(shape[0]), Vec::new()));
    }
    for trainable in &training.trainables {
        let values = imported.values(&trainable.name).unwrap();
        all.insert(trainable.name.clone(), Values::Float(trainable.shape.clone(), values));
    }
    all.retain(|name, _| training.graph.input(name).is_some());
    all
}

/// Every model is held against PyTorch with either.
pub(super) const BOTH: [Operators; 2] = [Operators::Stock, Operators::Ours];

/// Relative error, absolute below the scale at which float32 noise around an exact zero lies.
const TOLERANCE: f64 = 1e-5;

/// A gradient this much smaller than the largest is an exact zero.
const ZERO: f64 = 1e-8;

/// The worst relative errors of a model: of the loss, of the l2 norms and of the samples.
#[derive(Debug, Default)]
struct Errors {
    loss: f64,
    l2: f64,
    sample: f64,
    /// The parameter with the greatest of these errors.
    worst: String,
    /// Parameters whose gradient is zero.
    zeros: Vec<String>,
    /// What is taken for a parameter and is none of PyTorch's.
    unlisted: Vec<String>,
    /// Parameters that do not show PyTorch's name.
    renamed: Vec<String>,
}

impl Errors {
    fn greatest(&self) -> f64 {
        self.loss.max(self.l2).max(self.sample)
    }
}

fn compare(folder: &Path, operators: Operators) -> Result<Errors, Box<dyn Error>> {
    let case = prepare(folder, operators)?;
    let has_ours = case.training.graph.nodes.iter().any(|node| node.op.domain() == Op::CrossEntropy.domain());
    assert_eq!(has_ours, operators == Operators::Ours);
    let outputs = test_session(&encode(&case.training.graph)).run(&case.feeds);
    let loss = f64::from(outputs[&case.training.loss].floats()[0]);
    let expected = case.reference["loss"].as_f64().unwrap();
    let listed = case.reference["gradients"].as_object().unwrap();
    let unlisted = case.imported.parameters.iter().map(|parameter| parameter.name.clone()).collect();
    let mut errors = Errors { loss: (loss - expected).abs() / expected, unlisted, ..Errors::default() };
    let largest = listed.values().map(|entry| entry["l2"].as_f64().unwrap()).fold(0.0, f64::max);
    for (initializer, entry) in listed {
        let torch_name = entry["torch_name"].as_str().unwrap();
        let mut parameters = case.imported.parameters.iter();
        // What the exporter merged is listed by PyTorch's name.
        let parameter = parameters.find(|parameter| parameter.name == *initializer || parameter.path == *initializer);
        let parameter = parameter.ok_or_else(|| format!("`{initializer}` was not found to be a parameter"))?;
        errors.unlisted.retain(|name| *name != parameter.name);
        if parameter.path != torch_name {
            errors.renamed.push(parameter.path.clone());
        }
        let trainable = case.training.trainables.iter().find(|t| t.name == parameter.name).unwrap();
        let gradient = &outputs[&trainable.gradient];
        if gradient.shape() != trainable.shape {
            return Err(format!("the gradient of `{initializer}` has shape {:?}", gradient.shape()).into());
        }
        let values: Vec<f64> = gradient.floats().iter().map(|&value| f64::from(value)).collect();
        let (l2, expected) = (values.iter().map(|v| v * v).sum::<f64>().sqrt(), entry["l2"].as_f64().unwrap());
        // A bias of the keys shifts all scores of a query alike, which softmax does not see: its gradient is zero, and
        // both sides hold nothing but rounding.
        if expected < ZERO * largest {
            if l2 >= 10.0 * ZERO * largest {
                return Err(format!("the gradient of `{initializer}` is {l2:e} where zero is due").into());
            }
            errors.zeros.push(initializer.clone());
            continue;
        }
        let before = errors.greatest();
        errors.l2 = errors.l2.max((l2 - expected).abs() / expected);
        let floor = expected / (values.len() as f64).sqrt();
        let at: Vec<usize> = serde_json::from_value(entry["sample_index"].clone()).unwrap();
        let samples: Vec<f64> = serde_json::from_value(entry["sample"].clone()).unwrap();
        for (at, sample) in at.into_iter().zip(samples) {
            let error = (values[at] - sample).abs() / sample.abs().max(floor);
            errors.sample = errors.sample.max(error);
        }
        if errors.greatest() > before {
            errors.worst = format!("{initializer}, {:e} of the largest", expected / largest);
        }
    }
    Ok(errors)
}

fn check(name: &str) {
    let Some(folder) = shared_model(name).filter(|_| available()) else { return };
    for operators in BOTH {
        let errors = compare(&folder, operators).unwrap_or_else(|error| panic!("{name}, {operators:?}: {error}"));
        eprintln!("{name}, {operators:?}: {errors:?}");
        assert!(errors.greatest() <= TOLERANCE, "{name}: {errors:?}");
        // Linear layers keep PyTorch's name even where the exporter folded the transposed weight.
        assert_eq!((errors.unlisted, errors.renamed), (Vec::new(), Vec::new()), "{name}");
    }
}

/// The exports of `benches/peers/make_exports.py`, in the folder that `ANNOTC_EXPORTS` names: one line for each model.
#[test]
fn every_export_agrees_with_torch() {
    let Some(folder) = std::env::var_os("ANNOTC_EXPORTS").filter(|_| available()) else { return };
    let models = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut models: Vec<PathBuf> = models.filter(|model| model.join("reference.json").exists()).collect();
    models.sort();
    let mut failures = Vec::new();
    for (model, operators) in models.iter().flat_map(|model| BOTH.map(|operators| (model, operators))) {
        let name = format!("{}, {operators:?}", model.file_name().unwrap_or_default().to_string_lossy());
        let errors = std::panic::catch_unwind(|| compare(model, operators).map_err(|error| error.to_string()));
        let errors = errors.unwrap_or_else(|_| Err("the runtime refused it".to_owned()));
        eprintln!("{name}: {errors:?}");
        if !errors.is_ok_and(|errors| errors.greatest() <= TOLERANCE && errors.unlisted.is_empty()) {
            failures.push(name);
        }
    }
    assert!(failures.is_empty(), "{failures:?}");
}

#[test]
fn bert_sequence_classification_agrees_with_torch() {
    check("bert-seqcls");
}

#[test]
fn roberta_token_classification_agrees_with_torch() {
    check("roberta-tokcls");
}

#[test]
fn gpt2_with_a_tied_head_agrees_with_torch() {
    check("gpt2");
}

#[test]
fn llama_with_past_agrees_with_torch() {
    check("llama-chat");
}

/// A classifier over features: gradients of everything, and of the head alone.
fn classifier(graph: onnx::Graph, features: &str, hidden: usize, pooling: Pooling) -> (Imported, loss::Loss) {
    let mut imported = import(graph, &Value::Null).unwrap();
    let weight = onnx::encoder::normal(7, "head", 3 * hidden);
    let head = Head { weight, bias: vec![0.1, 0.0, -0.1] };
    add_classifier(&mut imported.graph, features, pooling, &head).unwrap();
    imported.refresh();
    assert_eq!(family(&imported.graph, &Value::Null).unwrap(), Family::Sequence { labels: 3 });
    check_saved(&imported);
    let loss = loss::cross_entropy(&mut imported.graph, "logits", Alignment::Same).unwrap();
    (imported, loss)
}

/// Directional derivative: along the gradient itself the loss must rise by the square of the gradient's norm.
fn check_classifier(imported: &Imported, loss: &loss::Loss, vocabulary: i64) {
    let mut names: Vec<String> = imported.parameters.iter().map(|parameter| parameter.name.clone()).collect();
    names = super::reaching(&imported.graph, &loss.loss, &names);
    let ways = [names, HEAD.map(str::to_owned).to_vec()].into_iter();
    for (names, operators) in ways.flat_map(|names| BOTH.map(|operators| (names.clone(), operators))) {
        let training = differentiate_beside(&imported.graph, &loss.loss, &[], &names, operators).unwrap();
        let session = test_session(&encode(&training.graph));
        let ids: Vec<i64> = (0..24).map(|at| (at * 37 + 5) % vocabulary).collect();
        let mask: Vec<i64> = (0..24).map(|at| i64::from(at % 8 < 8 - at / 8)).collect();
        let mut feeds = BTreeMap::from([
            ("input_ids".to_owned(), Values::Int(vec![3, 8], ids)),
            ("attention_mask".to_owned(), Values::Int(vec![3, 8], mask)),
            ("token_type_ids".to_owned(), Values::Int(vec![3, 8], vec![0; 24])),
            (loss::LABELS.to_owned(), Values::Int(vec![3], vec![2, 0, 1])),
            (loss::WEIGHTS.to_owned(), Values::Float(vec![3], vec![0.5, 0.25, 0.25])),
        ]);
        for trainable in &training.trainables {
            let values = imported.values(&trainable.name).unwrap();
            feeds.insert(trainable.name.clone(), Values::Float(trainable.shape.clone(), values));
        }
        feeds.retain(|name, _| training.graph.input(name).is_some());
        let started = std::time::Instant::now();
        let outputs = session.run(&feeds);
        eprintln!("{} tensors: {:?}, {} nodes", names.len(), started.elapsed(), training.graph.nodes.len());
        let square = |values: &[f32]| values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>();
        let norm: f64 = training.trainables.iter().map(|t| square(outputs[&t.gradient].floats())).sum();
        let along = |by: f64| {
            let mut feeds = feeds.clone();
            for trainable in &training.trainables {
                let Some(Values::Float(_, values)) = feeds.get_mut(&trainable.name) else { unreachable!() };
                for (value, slope) in values.iter_mut().zip(outputs[&trainable.gradient].floats()) {
                    *value += (by / norm.sqrt()) as f32 * slope;
                }
            }
            f64::from(session.run(&feeds)[&training.loss].floats()[0])
        };
        let slope = |h: f64| (along(h) - along(-h)) / (2.0 * h);
        let h = 0.01;
        let expected = (4.0 * slope(h / 2.0) - slope(h)) / 3.0;
        assert!((expected - norm.sqrt()).abs() < 2e-3 * norm.sqrt(), "{expected} against {}", norm.sqrt());
    }
}

#[test]
fn minilm_trains_whole_and_by_its_head() {
    let Some(folder) = shared_model("minilm-l6").filter(|_| available()) else { return };
    let (imported, loss) = classifier(onnx::load(&folder).unwrap(), "last_hidden_state", 384, Pooling::Mean);
    assert_eq!(imported.parameters.iter().filter(|parameter| !parameter.path.contains("::")).count(), 103);
    check_classifier(&imported, &loss, 30522);
}

#[test]
fn an_encoder_built_from_nothing_trains() {
    if !available() {
        return;
    }
    let encoder = onnx::encoder::Encoder { layers: 2, hidden: 32, heads: 4, vocabulary: 100 };
    let graph = encoder.build(1).unwrap();
    assert_eq!(encode(&graph), encode(&encoder.build(1).unwrap()));
    assert_ne!(encode(&graph), encode(&encoder.build(2).unwrap()));
    for pooling in [Pooling::Mean, Pooling::Cls] {
        let (imported, loss) = classifier(graph.clone(), "last_hidden_state", 32, pooling);
        assert_eq!(imported.parameters.len(), 2 + 2 + 2 * 16 + 2);
        check_classifier(&imported, &loss, 100);
    }
}

/// A saved classifier runs by itself and answers with the head's trained bias where its weights are zero.
fn check_saved(imported: &Imported) {
    let zeros = vec![0.0; imported.values(HEAD[0]).unwrap().len()];
    let trained = BTreeMap::from([(HEAD[0].to_owned(), zeros), (HEAD[1].to_owned(), vec![3.0, 2.0, 1.0])]);
    let graph = imported.with_values(&trained).unwrap();
    let ints = |value: i64| Values::Int(vec![1, 2], vec![value; 2]);
    let feeds = graph.inputs.iter().map(|input| (input.name.clone(), ints(i64::from(input.name != "token_type_ids"))));
    let outputs = test_session(&encode(&graph)).run(&feeds.collect());
    assert_eq!(outputs["logits"], Values::Float(vec![1, 3], vec![3.0, 2.0, 1.0]));
}

#[test]
fn an_imported_graph_computes_what_the_file_does() {
    for name in ["gpt2", "bert-seqcls", "roberta-tokcls"] {
        let Some(folder) = shared_model(name).filter(|_| available()) else { return };
        let case = prepare(&folder, Operators::Stock).unwrap();
        let original = onnx::load(&folder).unwrap();
        let mut feeds = case.feeds.clone();
        feeds.retain(|name, _| original.input(name).is_some());
        let run = |graph: &onnx::Graph| test_session(&encode(graph)).run(&feeds)["logits"].clone();
        let saved = case.imported.with_values(&BTreeMap::new()).unwrap();
        assert_eq!(run(&saved), run(&original), "{name}");
        assert_eq!((&saved.inputs, &saved.outputs), (&original.inputs, &original.outputs), "{name}");
    }
}
