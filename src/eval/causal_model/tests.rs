use std::path::PathBuf;

use serde_json::{Value, json};

use super::*;
use crate::onnx::{Attribute, Axis, ElementType, Node, Op, Tensor, ValueInfo, save};
use crate::runtime::testing::library;
use crate::train::train_wordpiece;

/// Writes a model of pairs of tokens with its tokenizer, learnt from these sentences: of the tokens that may follow a token, each
/// has a share of 100 for each time that it did, and of 1 beside.
pub(crate) fn write_pairs(folder: &Path, sentences: &[&str]) {
    train_wordpiece(sentences.iter().copied(), 120, 64, folder).expect("the tokenizer is learnt");
    let tokenizer = Tokenizer::load(folder).expect("the tokenizer can be read");
    let size = tokenizer.vocabulary_size();
    let mut shares = vec![1.0_f32; size * size];
    for sentence in sentences {
        let ids = tokenizer.encode(sentence, true).expect("it can be read").ids;
        ids.windows(2).for_each(|pair| shares[pair[0] as usize * size + pair[1] as usize] += 100.0);
    }
    let logits: Vec<f32> = shares.iter().map(|share| share.ln()).collect();
    write(folder, &graph(size, &logits), 8);
}

/// A language model that looks the logits behind a token up in a table.
fn graph(size: usize, logits: &[f32]) -> Graph {
    let mut graph = Graph::new("pairs", 18);
    let axes = [Axis::named("batch"), Axis::named("sequence")];
    graph.inputs.push(ValueInfo::new("input_ids", ElementType::Int64, &axes));
    let axes = [Axis::named("batch"), Axis::named("sequence"), Axis::Fixed(size)];
    graph.outputs.push(ValueInfo::new("logits", ElementType::Float, &axes));
    graph.initializers.insert("shares".to_owned(), Tensor::from_f32(&[size, size], logits));
    graph.nodes.push(Node::new("next", Op::Gather, &["shares", "input_ids"], &["logits"]));
    graph
}

fn write(folder: &Path, graph: &Graph, positions: usize) {
    save(graph, &folder.join("model.onnx")).expect("the model is written");
    let config = json!({ "architectures": ["PairsForCausalLM"], "max_position_embeddings": positions });
    std::fs::write(folder.join("config.json"), config.to_string()).expect("the configuration is written");
}

const SENTENCES: [&str; 2] = ["My card has not arrived, where is my card?", "Where is the nearest machine?"];

/// A folder with a model of pairs, opened; `None` where there is no runtime.
fn pairs(change: impl FnOnce(&Path)) -> Option<(tempfile::TempDir, Result<CausalModel, CausalModelError>)> {
    let runtime = library()?;
    let folder = tempfile::tempdir().expect("a folder");
    write_pairs(folder.path(), &SENTENCES);
    change(folder.path());
    let opened = CausalModel::open(runtime, folder.path());
    Some((folder, opened))
}

#[test]
fn windows_are_those_of_a_stride_of_half_a_window() {
    let of = |length, window| -> Vec<(usize, usize, usize)> {
        let parts = windows(length, window).into_iter();
        parts.map(|Window { shown, measured }| (shown.start, measured.start, measured.end)).collect()
    };
    assert_eq!(of(1, 8), []);
    assert_eq!(of(2, 8), [(0, 1, 2)]);
    assert_eq!(of(8, 8), [(0, 1, 8)]);
    assert_eq!(of(9, 8), [(0, 1, 8), (4, 8, 9)]);
    assert_eq!(of(17, 8), [(0, 1, 8), (4, 8, 12), (8, 12, 16), (12, 16, 17)]);
    assert_eq!(of(4, 2), [(0, 1, 2), (1, 2, 3), (2, 3, 4)]);
    assert_eq!(of(6, 3), [(0, 1, 3), (1, 3, 4), (2, 4, 5), (3, 5, 6)]);
    for window in 2..12 {
        for length in 2..60 {
            let parts = windows(length, window);
            let measured: Vec<usize> = parts.iter().flat_map(|part| part.measured.clone()).collect();
            assert!(measured.into_iter().eq(1..length), "{length} in {window}");
            let fits = |part: &Window| part.shown.len() <= window && part.shown.start < part.measured.start;
            assert!(parts.iter().all(fits), "{length} in {window}");
        }
    }
}

#[test]
fn surprisals_are_logarithms_of_shares() {
    let close = |found: Option<f64>, expected: f64| assert!((found.expect("a number") - expected).abs() < 1e-12);
    close(surprisal(&[0.0, 0.0, 0.0], 1), 3.0_f64.ln());
    close(surprisal(&[1000.0, 1000.0], 0), 2.0_f64.ln());
    close(surprisal(&[f32::NEG_INFINITY, 5.0], 1), 0.0);
    for (logits, token) in
        [([f32::NAN, 0.0], 1), ([f32::INFINITY, 0.0], 1), ([f32::NEG_INFINITY, 0.0], 0), ([0.0; 2], 2)]
    {
        assert_eq!(surprisal(&logits, token), None, "{logits:?}");
    }
}

/// What a token is judged by is one token before it: the windows of 8 tokens change nothing, and the figure can be counted by hand.
#[test]
fn a_text_in_windows_is_measured_whole() {
    let Some((_folder, model)) = pairs(|_| ()) else { return };
    let model = model.expect("it is causal");
    let size = model.tokenizer.vocabulary_size() as f64;
    // `is` stands before `my` once and before `the` once, and `my` before `card` twice.
    let ids = |text: &str| model.tokenizer.encode(text, false).expect("it can be read").ids;
    let surprisals = model.surprisals(&ids("is my card is my card is my card is my card")).expect("it is measured");
    assert_eq!(surprisals.len(), 11);
    let share = |times: f64, of: f64| -((100.0 * times + 1.0) / (100.0 * of + size)).ln();
    let expected = [share(1.0, 2.0), share(2.0, 2.0), share(0.0, 2.0)];
    for (at, found) in surprisals.iter().enumerate() {
        assert!((found - expected[at % 3]).abs() < 1e-6, "{at}: {found}, {expected:?}");
    }
    let text = "Where is my card?";
    let framed = model.tokenizer.encode(text, true).expect("it can be read").ids;
    let sum: f64 = model.surprisals(&framed).expect("it is measured").iter().sum();
    let perplexity = model.perplexity(text).expect("it is measured").expect("it has one");
    assert!((perplexity.ln() * (framed.len() - 1) as f64 - sum).abs() < 1e-9);
    for nothing in ["", " \n"] {
        assert_eq!(model.perplexity(nothing).expect("nothing fails"), None);
    }
}

#[test]
fn workers_get_the_same_figures_from_sessions_of_their_own() {
    let Some((_folder, model)) = pairs(|_| ()) else { return };
    let model = model.expect("it is causal");
    let texts = ["Where is my card?", "the nearest machine, the nearest card", "my my my"];
    let measure = || texts.map(|text| model.perplexity(text).expect("it is measured"));
    let alone = measure();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(|| (0..20).map(|_| measure()).collect::<Vec<_>>())).collect();
        for worker in workers {
            assert!(worker.join().expect("no worker fails").iter().all(|found| *found == alone));
        }
    });
    assert!((1..=4).contains(&model.idle.lock().expect("nobody fails").len()));
}

#[test]
fn what_is_no_causal_model_is_refused() {
    let refused = |change: fn(&Path), expected: &str| {
        let Some((_folder, opened)) = pairs(change) else { return };
        let error = opened.err().expect("it is refused");
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!error.help().is_empty());
    };
    refused(|folder| std::fs::remove_file(folder.join("tokenizer.json")).expect("it was there"), "tokenizer.json`");
    refused(|folder| std::fs::remove_file(folder.join("model.onnx")).expect("it was there"), "no `model.onnx`");
    refused(|folder| std::fs::remove_file(folder.join("config.json")).expect("it was there"), "it reads no past");
    refused(|folder| write(folder, &graph(3, &[0.0; 9]), 8), "and its `logits` are of 3");
    refused(|folder| changed(folder, |_| (), 1), "it takes 1 token at a time");
    refused(|folder| changed(folder, rename, 8), "it gives `scores`");
    refused(|folder| changed(folder, branch, 8), "it reads `use_cache_branch`");
    refused(|folder| changed(folder, look_ahead, 8), "depends on the tokens behind it");
}

fn changed(folder: &Path, change: fn(&mut Graph), positions: usize) {
    let mut graph = onnx::load(folder).expect("it was written");
    change(&mut graph);
    write(folder, &graph, positions);
}

fn rename(graph: &mut Graph) {
    graph.nodes[0].outputs[0] = "scores".to_owned();
    graph.outputs[0].name = "scores".to_owned();
}

fn branch(graph: &mut Graph) {
    graph.inputs.push(ValueInfo::new("use_cache_branch", ElementType::Int64, &[]));
}

/// Lets every token see the largest logit of all tokens, also of those behind it.
fn look_ahead(graph: &mut Graph) {
    graph.nodes[0].outputs[0] = "own".to_owned();
    graph.initializers.insert("time".to_owned(), Tensor::from_i64(&[1], &[1]));
    let peak = Node::new("peak", Op::ReduceMax, &["own", "time"], &["peak"]).with("keepdims", Attribute::Int(1));
    graph.nodes.push(peak);
    graph.nodes.push(Node::new("sum", Op::Add, &["own", "peak"], &["logits"]));
}

fn shared(model: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/models").join(model);
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var_os("ANNOTC_REQUIRE_SHARED").is_none(), "{} is missing", path.display());
    None
}

/// Losses that torch computed. Both compute in 32 bits and add in another order: that is worth 1e-6 of a loss, and 1e-4 of a
/// perplexity leaves room for other instruction sets without letting a token that is shifted by one pass.
#[test]
fn perplexities_are_those_of_torch() {
    for name in ["gpt2", "llama-chat"] {
        let (Some(runtime), Some(folder)) = (library(), shared(name)) else { return };
        let model = CausalModel::open(runtime, &folder).expect("it is causal");
        let text = std::fs::read_to_string(folder.join("reference.json")).expect("it lies there");
        let reference: Value = serde_json::from_str(&text).expect("it is JSON");
        let rows =
            |of: &str| -> Vec<Vec<i64>> { serde_json::from_value(reference.pointer(of).expect(of).clone()).expect(of) };
        let (ids, mask, labels) = (rows("/inputs/input_ids"), rows("/inputs/attention_mask"), rows("/labels"));
        let (mut sum, mut count) = (0.0, 0);
        for ((ids, mask), labels) in ids.iter().zip(&mask).zip(&labels) {
            let length = mask.iter().filter(|kept| **kept == 1).count();
            let tokens: Vec<u32> = ids[..length].iter().map(|id| u32::try_from(*id).expect("a token")).collect();
            let surprisals = model.surprisals(&tokens).expect("it is measured");
            for (surprisal, label) in surprisals.iter().zip(&labels[1..]).filter(|(_, label)| **label >= 0) {
                assert!(*label < 100_000);
                (sum, count) = (sum + surprisal, count + 1);
            }
        }
        let (found, expected) = (perplexity(sum, count), reference["loss"].as_f64().expect("a loss").exp());
        println!("{name}: {found}, torch {expected}, {count} tokens");
        assert!((found / expected - 1.0).abs() < 1e-4, "{name}: {found}, torch {expected}");
    }
}
