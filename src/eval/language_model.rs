//! Measuring a decoder on conversations: the loss of the learnt tokens, and the answers that it generates itself.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use super::decoder::{Decoder, GenerationSettings};
use super::evaluation::MissingRecord;
use super::generated::{Answer, Generated, GeneratedRecord};
use crate::autodiff::loss::{Alignment, cross_entropy, forward};
use crate::onnx::surgery::{fix_past, pick_learnt};
use crate::onnx::{encode, load};
use crate::runtime::{Runtime, Session};
use crate::train::batch::Feeds;
use crate::train::{
    Example, LOGITS, LengthLimit, Message, Overflow, Table, Target, Tokenizer, TrainError, encode_judged_conversations,
};

/// The table of a test part with conversations.
#[derive(Debug, Clone, Copy)]
pub struct ConversationTable<'a> {
    /// The Parquet file.
    pub path: &'a Path,
    /// The column with the JSON text `[{"role","content","train"}]`.
    pub messages: &'a str,
    /// For each `by`: its name, the column with the records' keys, and the keys in the order to show.
    pub by: &'a [(String, String, Vec<String>)],
    /// The longest record, as in training.
    pub limit: LengthLimit,
}

/// Measures every conversation of a table. The same tokens count for the loss as in training: the learnt turns and the
/// token that ends each. With `generation`, the last learnt turn of each is generated from the tokens before it, and
/// judged beside what stands there. Of a record that is too long for the run and left out by training, the start is judged.
/// `missing` are the records of the part that are not in the table; those whose start holds no token of an answer join them.
///
/// # Errors
/// A broken folder or table, a conversation that cannot be rendered, a failure of the runtime.
pub fn evaluate_language_model(
    runtime: &Runtime,
    folder: &Path,
    test: &ConversationTable<'_>,
    missing: Vec<MissingRecord>,
    generation: Option<&GenerationSettings>,
    threads: usize,
) -> Result<Generated, TrainError> {
    let tokenizer = Tokenizer::load(folder)?.on_threads(threads);
    let table = test.read()?;
    let encoded = encode_judged_conversations(&table, test.messages, folder, &tokenizer, test.limit)?;
    let losses = losses(runtime, folder, &encoded.examples, &tokenizer, threads)?;
    let answers = match generation {
        None => vec![None; encoded.examples.len()],
        Some(settings) => {
            let references = references(&table, test, &encoded.examples);
            let mut decoder = Decoder::open(runtime, folder, threads)?;
            answers(&mut decoder, &encoded.examples, &references, &tokenizer, settings)?
        }
    };
    let rows: HashMap<&str, usize> = table.ids.iter().enumerate().map(|(row, id)| (id.as_str(), row)).collect();
    let slices = |id: &str| -> Vec<Option<String>> {
        test.by.iter().map(|(_, column, _)| table.column(column)[rows[id]].clone()).collect()
    };
    let mut generated = Generated {
        by: test.by.iter().map(|(name, _, order)| (name.clone(), order.clone())).collect(),
        missing,
        records: Vec::with_capacity(encoded.examples.len()),
    };
    let kept: BTreeSet<&str> = encoded.examples.iter().map(|example| example.id.as_str()).collect();
    let too_long = table.ids.iter().filter(|id| !kept.contains(id.as_str()));
    let reason = || "no answer begins within `length`".to_owned();
    generated.missing.extend(too_long.map(|id| MissingRecord { id: id.clone(), gold: None, reason: reason() }));
    for ((example, loss), answer) in encoded.examples.iter().zip(losses).zip(answers) {
        generated.records.push(GeneratedRecord {
            id: example.id.clone(),
            loss,
            tokens: example.target.weight() as u64,
            answer,
            slices: slices(&example.id),
        });
    }
    Ok(generated)
}

/// The summed loss of each example. One at a time: nothing is padded, and each record has a loss of its own.
fn losses(
    runtime: &Runtime,
    folder: &Path,
    examples: &[Example],
    tokenizer: &Tokenizer,
    threads: usize,
) -> Result<Vec<f64>, TrainError> {
    let refuse = |message: String| TrainError::Unusable { folder: folder.to_path_buf(), message };
    let mut graph = load(folder).map_err(|error| refuse(error.to_string()))?;
    fix_past(&mut graph);
    pick_learnt(&mut graph, LOGITS);
    let loss = cross_entropy(&mut graph, LOGITS, Alignment::Next).map_err(|error| refuse(error.to_string()))?;
    let graph = forward(&graph, &[loss.loss.as_str()]);
    let feeds = Feeds::of(&graph, &[], tokenizer.pad_id(), folder)?;
    let mut session = Session::from_bytes(runtime, &encode(&graph), threads)?;
    let mut measure = |example: &Example| {
        let outputs = session.run(&feeds.batch(&[example], 1.0), &[loss.loss.as_str()])?;
        let summed = outputs.first().expect("one output was asked for").f32()?;
        Ok(f64::from(summed.first().copied().unwrap_or(f32::NAN)))
    };
    examples.iter().map(&mut measure).collect()
}

fn answers(
    decoder: &mut Decoder,
    examples: &[Example],
    references: &HashMap<&str, String>,
    tokenizer: &Tokenizer,
    settings: &GenerationSettings,
) -> Result<Vec<Option<Answer>>, TrainError> {
    // What ends the learnt turns of the part ends a generated one, as training taught it.
    let ends: BTreeSet<u32> = examples.iter().filter_map(|example| turn(example)?.1).collect();
    let ends: Vec<u32> = ends.into_iter().filter(|token| tokenizer.is_special(*token)).collect();
    let mut answer = |example: &Example| {
        let Some((prompt, _)) = turn(example).filter(|(prompt, _)| !prompt.is_empty()) else {
            let message = "nothing stands before its answer that it could be generated from".to_owned();
            return Err(TrainError::Render { id: example.id.clone(), message });
        };
        let generated = decoder.generate(&example.id, prompt, &ends, settings)?;
        let reference = references.get(example.id.as_str()).map_or("", String::as_str);
        Ok(Some(Answer::of(generated, reference)))
    };
    examples.iter().map(&mut answer).collect()
}

/// The tokens before the last learnt turn, and the turn's last token.
fn turn(example: &Example) -> Option<(&[u32], Option<u32>)> {
    let Target::Tokens(learnt) = &example.target else { return None };
    let last = learnt.iter().rposition(|learnt| *learnt)?;
    let first = learnt[..last].iter().rposition(|learnt| !*learnt).map_or(0, |before| before + 1);
    Some((&example.tokens[..first], example.tokens.get(last).copied()))
}

/// The text of each record's last learnt turn, among those that a cut left whole.
fn references<'t>(table: &'t Table, test: &ConversationTable<'_>, examples: &[Example]) -> HashMap<&'t str, String> {
    let kept: HashMap<&str, usize> = examples.iter().map(|example| (example.id.as_str(), turns(example))).collect();
    let last = |id: &str, text: &Option<String>| -> Option<String> {
        let messages: Vec<Message> = serde_json::from_str(text.as_deref()?).ok()?;
        let mut learnt = messages.into_iter().filter(|message| message.train && !message.content.is_empty());
        let last = match test.limit.overflow {
            // What is cut is the end, and the turns at it are not learnt any more.
            Overflow::KeepStart | Overflow::Drop => learnt.nth(kept.get(id)?.checked_sub(1)?),
            Overflow::KeepEnd | Overflow::Refuse => learnt.next_back(),
        };
        last.map(|message| message.content)
    };
    let rows = table.ids.iter().zip(table.column(test.messages));
    rows.filter_map(|(id, text)| Some((id.as_str(), last(id, text)?))).collect()
}

/// How many turns of an example are learnt: between two of them stands something that is not.
fn turns(example: &Example) -> usize {
    match &example.target {
        Target::Tokens(learnt) => learnt.chunk_by(|a, b| a == b).filter(|run| run[0]).count(),
        Target::Class(_)
        | Target::Choices(_)
        | Target::Number(_)
        | Target::Tags(_)
        | Target::Answer { .. }
        | Target::Text(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_learnt_turn_is_generated_from_what_stands_before_it() {
        let example = |learnt: &[bool]| Example {
            id: String::new(),
            tokens: (10..10 + learnt.len() as u32).collect(),
            target: Target::Tokens(learnt.to_vec()),
        };
        let check = |learnt: &[bool], expected: Option<(&[u32], Option<u32>)>| {
            assert_eq!(turn(&example(learnt)), expected, "{learnt:?}");
        };
        check(&[false, false, true, true], Some((&[10, 11], Some(13))));
        check(&[false, true, true, false, true, false], Some((&[10, 11, 12, 13], Some(14))));
        check(&[false, true], Some((&[10], Some(11))));
        check(&[false, false], None);
    }
}
