//! Models whose files do not belong together or are damaged: refused before the first step, by what is wrong.

use std::path::Path;

use serde_json::{Value, json};

use super::tests::{run, runtime, train_quietly, write_texts};
use super::*;
use crate::onnx::{self, Tensor};

/// Trains a small classifier, changes its folder, and gives what a run that begins with it says.
fn refusal(change: impl FnOnce(&Path)) -> Option<String> {
    let runtime = runtime()?;
    let folder = tempfile::tempdir().expect("a folder");
    write_texts(&folder.path().join("train.parquet"), 16);
    let mut settings = run(folder.path());
    settings.extent = Extent::Steps(1);
    train_quietly(&settings, &runtime).expect("trained");
    let model = folder.path().join("changed");
    std::fs::rename(&settings.output, &model).expect("renamed");
    change(&model);
    settings.model = ModelSource::Folder(model);
    let message = train_quietly(&settings, &runtime).expect_err("refused").to_string();
    assert!(!settings.output.exists());
    Some(message)
}

#[test]
fn a_token_beyond_the_embedding_is_refused_however_few_tokens_there_are() {
    let message = refusal(|model| {
        let path = model.join("tokenizer.json");
        let mut tokenizer: Value = serde_json::from_slice(&std::fs::read(&path).expect("there")).expect("JSON");
        let vocabulary = tokenizer["model"]["vocab"].as_object_mut().expect("a vocabulary");
        let last = vocabulary.values().filter_map(Value::as_u64).max().expect("it has tokens");
        let token = vocabulary.iter().find(|(_, id)| **id == json!(last)).map(|(token, _)| token.clone());
        vocabulary.insert(token.expect("it is there"), json!(last + 200));
        std::fs::write(&path, tokenizer.to_string()).expect("written");
    });
    let Some(message) = message else { return };
    assert!(message.contains("tokenizer.json") && message.contains("do not belong together"), "{message}");
}

#[test]
fn a_weight_that_is_no_number_is_refused_by_its_name() {
    let message = refusal(|model| {
        let mut graph = onnx::load(model).expect("loads");
        let bias = graph.initializers.get_mut("classifier.bias").expect("the head's");
        *bias = Tensor::from_f32(&[3], &[0.0, f32::NAN, 0.0]);
        onnx::save(&graph, &model.join("model.onnx")).expect("saved");
    });
    let Some(message) = message else { return };
    assert!(message.contains("`classifier.bias` holds values that are no finite numbers: 1,"), "{message}");
}
