//! Whole runs of decoders: what they learn of a conversation, and how they are measured.

use std::path::{Path, PathBuf};

use super::tests::{run, runtime, shared, train_quietly};
use super::*;
use crate::eval::{ConversationTable, evaluate_generation, evaluate_language_model};

/// The learnt tokens of a record.
fn learnt_ids(example: &Example) -> Vec<u32> {
    let Target::Tokens(learnt) = &example.target else { panic!("a conversation") };
    example.tokens.iter().zip(learnt).filter(|(_, learnt)| **learnt).map(|(id, _)| *id).collect()
}

#[test]
fn a_decoder_learns_the_answer_and_its_end_alone() {
    let Some(model) = shared("models/llama-chat") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("train.parquet");
    let chat = |question: &str, answer: &str, train: bool| {
        serde_json::json!([
            {"role": "user", "content": question},
            {"role": "assistant", "content": answer, "train": train},
        ])
        .to_string()
    };
    let (first, second) = (chat("say four", "four", true), chat("2+2?", "It is four.", true));
    write_table(&path, &[(ID_COLUMN, vec!["a", "b"]), ("messages", vec![&first, &second])]);
    let tokenizer = Tokenizer::load(&model).expect("loads");
    let table = Table::read(&path, &["messages"]).expect("read");
    let limit = |tokens, overflow| LengthLimit { tokens, overflow };
    let encode = |limit| encode_conversations(&table, "messages", &model, &tokenizer, limit);
    let encoded = encode(limit(64, Overflow::Refuse)).expect("encoded");
    let end = tokenizer.id_of("<|im_end|>").expect("the end of a turn");
    for (example, answer) in encoded.examples.iter().zip(["four", "It is four."]) {
        let learnt = learnt_ids(example);
        assert_eq!(learnt.last(), Some(&end));
        assert_eq!(tokenizer.decode(&learnt).as_deref(), Ok(answer));
    }
    let message = encode(limit(3, Overflow::KeepStart)).expect_err("no answer is left").to_string();
    assert!(message.contains("2 records") && message.contains("a, b") && message.contains("length"), "{message}");
    assert_eq!(encode(limit(3, Overflow::Drop)).expect("all dropped").dropped, 2);
    assert!(encode(limit(3, Overflow::Refuse)).expect_err("too long").to_string().contains("a, b"));
    // Measuring judges the start of what training leaves out, of an answer the tokens that are left.
    let whole = encoded.examples[1].tokens.len();
    let judge = |tokens| {
        let limit = limit(tokens, Overflow::Drop);
        encode_judged_conversations(&table, "messages", &model, &tokenizer, limit).expect("encoded").examples
    };
    let (all, cut) = (learnt_ids(&encoded.examples[1]), judge(whole - 2));
    assert_eq!(cut.iter().map(|example| example.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert!(cut[0] == encoded.examples[0] && cut[1].tokens[..] == encoded.examples[1].tokens[..whole - 2]);
    let left = learnt_ids(&cut[1]);
    assert!(!left.is_empty() && left.len() < all.len() && all.starts_with(&left), "{left:?} of {all:?}");
    assert!(judge(3).is_empty(), "no answer begins within three tokens");
    let plain = serde_json::json!([
        {"role": "prompt", "content": "Q: four? A:"},
        {"role": "completion", "content": " four", "train": true},
    ]);
    write_table(&path, &[(ID_COLUMN, vec!["p"]), ("messages", vec![&plain.to_string()])]);
    let table = Table::read(&path, &["messages"]).expect("read");
    let encoded = encode_conversations(&table, "messages", &model, &tokenizer, limit(64, Overflow::Refuse));
    let learnt = learnt_ids(&encoded.expect("encoded").examples[0]);
    assert_eq!((learnt.last(), tokenizer.decode(&learnt).as_deref()), (Some(&end), Ok(" four")));
    let muted = chat("say four", "four", false);
    write_table(&path, &[(ID_COLUMN, vec!["c"]), ("messages", vec![&muted])]);
    let table = Table::read(&path, &["messages"]).expect("read");
    let refused = encode_conversations(&table, "messages", &model, &tokenizer, limit(64, Overflow::Refuse));
    assert!(refused.expect_err("nothing to learn").to_string().contains("no token to learn: c"));
    let bare = shared("models/minilm-l6").expect("the other models lie there too");
    let missing = encode_conversations(&table, "messages", &bare, &tokenizer, limit(64, Overflow::Refuse));
    assert!(missing.expect_err("no template").to_string().contains("is missing"));
}

#[test]
fn a_decoder_is_trained_and_measured() {
    let (Some(runtime), Some(model)) = (runtime(), shared("models/llama-chat")) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let mut settings = run(folder.path());
    let chat = |number: usize| {
        let answer = format!("{number} and {number}");
        serde_json::json!([{"role": "user", "content": format!("twice {number}")},
            {"role": "assistant", "content": answer, "train": true}])
        .to_string()
    };
    let (ids, chats): (Vec<String>, Vec<String>) = (0..8).map(|n| (format!("{n:032x}"), chat(n))).unzip();
    let ids = ids.iter().map(String::as_str).collect();
    let chats = chats.iter().map(String::as_str).collect();
    write_table(&settings.train, &[(ID_COLUMN, ids), ("messages", chats)]);
    settings.model = ModelSource::Folder(model.clone());
    settings.task = Task::Generate { messages: "messages".to_owned() };
    (settings.batch, settings.extent, settings.schedule.rate) = (4, Extent::Steps(6), 1e-3);
    let limit = LengthLimit { tokens: 64, overflow: Overflow::Refuse };
    let perplexity = |folder: &Path| {
        let test = ConversationTable { path: &settings.train, messages: "messages", by: &[], limit };
        let generated = evaluate_language_model(&runtime, folder, &test, Vec::new(), None, 1).expect("measured");
        evaluate_generation(&generated, settings.seed).figures.perplexity.expect("a perplexity")
    };
    let before = perplexity(&model);
    let (_, losses) = train_quietly(&settings, &runtime).expect("trained");
    assert!((losses[0] - before.ln()).abs() < 1.0, "the first loss {} and ln of {before}", losses[0]);
    let after = perplexity(&settings.output);
    assert!(after < before / 2.0, "{before} to {after}");
}

/// A run of a decoder over so many answers of unequal lengths, by gradient descent; the more words `longer` is, the more unequal they are.
pub(super) fn answers(folder: &Path, model: PathBuf, count: usize, longer: usize) -> TrainRun {
    let mut settings = run(folder);
    let chat = |number: usize| {
        serde_json::json!([{"role": "user", "content": "count"},
            {"role": "assistant", "content": "one two three ".repeat(1 + longer * (number * number % 7)), "train": true}])
        .to_string()
    };
    let (ids, chats): (Vec<String>, Vec<String>) = (0..count).map(|n| (format!("{n:032x}"), chat(n))).unzip();
    let ids = ids.iter().map(String::as_str).collect();
    let chats = chats.iter().map(String::as_str).collect();
    write_table(&settings.train, &[(ID_COLUMN, ids), ("messages", chats)]);
    settings.model = ModelSource::Folder(model);
    settings.task = Task::Generate { messages: "messages".to_owned() };
    settings.length = Some(128);
    settings.optimizer = Optimizer::Sgd(Sgd { momentum: 0.9, nesterov: false, weight_decay: 0.0 });
    (settings.extent, settings.schedule.rate) = (Extent::Steps(3), 1e-2);
    settings
}
