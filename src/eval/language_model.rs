//! Loss and perplexity of a decoder on the learnt tokens of conversations.

use std::path::Path;

use super::evaluation::Evaluation;
use super::metric::Figures;
use super::metrics::perplexity;
use crate::autodiff::loss::{Alignment, cross_entropy, forward};
use crate::onnx::surgery::fix_past;
use crate::onnx::{encode, load};
use crate::runtime::{Runtime, Session};
use crate::train::batch::{Feeds, by_length};
use crate::train::{Example, LOGITS, LengthLimit, Table, Tokenizer, TrainError, encode_conversations};

/// Conversations measured at once.
const BATCH: usize = 8;

/// The mean loss and the perplexity of a decoder's folder on the `messages` column of a table. The same tokens count
/// as in training: the learnt turns and the token that ends each.
///
/// # Errors
/// A broken folder or table, a conversation that cannot be rendered, a failure of the runtime.
pub fn evaluate_language_model(
    runtime: &Runtime,
    folder: &Path,
    table: &Path,
    messages: &str,
    limit: LengthLimit,
    threads: usize,
) -> Result<Evaluation, TrainError> {
    let refuse = |message: String| TrainError::Graph { folder: folder.to_path_buf(), message };
    let tokenizer = Tokenizer::load(folder)?;
    let table = Table::read(table, &[messages])?;
    let encoded = encode_conversations(&table, messages, folder, &tokenizer, limit)?;
    let mut graph = load(folder).map_err(|error| refuse(error.to_string()))?;
    fix_past(&mut graph);
    let loss = cross_entropy(&mut graph, LOGITS, Alignment::Next).map_err(|error| refuse(error.to_string()))?;
    let graph = forward(&graph, &[loss.loss.as_str()]);
    let feeds = Feeds::of(&graph, &[], tokenizer.pad_id(), folder)?;
    let mut session = Session::from_bytes(runtime, &encode(&graph), threads)?;
    let lengths: Vec<usize> = encoded.examples.iter().map(|example| example.tokens.len()).collect();
    let (mut sum, mut tokens) = (0.0, 0);
    for batch in by_length(&lengths, BATCH) {
        let examples: Vec<&Example> = batch.iter().map(|index| &encoded.examples[*index]).collect();
        tokens += examples.iter().map(|example| example.target.weight() as u64).sum::<u64>();
        let outputs = session.run(&feeds.batch(&examples, 1.0), &[loss.loss.as_str()])?;
        let part = outputs.first().expect("one output was asked for").f32()?;
        sum += f64::from(part.first().copied().unwrap_or(f32::NAN));
    }
    let figures = Figures {
        records: encoded.examples.len() as u64,
        loss: (tokens > 0).then(|| sum / tokens as f64),
        perplexity: (tokens > 0).then(|| perplexity(sum, tokens)),
        classification: None,
    };
    Ok(Evaluation { figures, ..Evaluation::default() })
}
