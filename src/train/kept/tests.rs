//! Kept tokens are what was kept, or nothing; runs are the same with them and without.

use std::cell::{Cell, RefCell};
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use super::super::decoder_tests::answers;
use super::super::example::Example;
use super::super::tags::TagTarget;
use super::super::tests::{run, runtime, shared, weights, write_texts};
use super::super::*;
use super::codec;
use super::*;
use crate::label::spans::LabelSpan;
use crate::statistics::Histogram;

/// A record of each kind.
fn encoded() -> Encoded {
    let tokens = vec![0, 127, 128, 70_000, u32::MAX];
    let learnt = vec![false, true, true, false, true];
    let (words, gold) = (Words::default(), vec![LabelSpan { start: 1, end: 4, label: "kind".to_owned() }]);
    let targets = [
        Target::Class(300),
        Target::Choices(vec![true, true, false]),
        Target::Choices(Vec::new()),
        Target::Tags(TagTarget { tags: vec![-100, 0, 2, 2, -100], words, gold }),
        Target::Number(-0.1),
        Target::Tokens(learnt.clone()),
        Target::Tokens(vec![true; 5]),
        Target::Answer { learnt, reference: 0.0 },
        Target::Text(u64::MAX),
    ];
    let example = |(at, target): (usize, Target)| Example { id: format!("{at:032x}"), tokens: tokens.clone(), target };
    let examples: Vec<Example> = targets.into_iter().enumerate().map(example).collect();
    let mut lengths = Histogram::default();
    [5, 5, 900].into_iter().for_each(|length| lengths.add(length));
    let seconds = examples[7..].to_vec();
    Encoded { examples, seconds, truncated: 1, muted: 2, dropped: 300, lost_spans: 4, inexact_spans: 5, lengths }
}

#[test]
fn records_come_back_as_they_were() {
    let encoded = encoded();
    let bytes = codec::write(&encoded);
    assert_eq!(codec::read(&bytes).as_ref(), Some(&encoded));
    for end in 0..bytes.len() {
        assert_eq!(codec::read(&bytes[..end]), None, "{end} bytes");
    }
    assert_eq!(codec::read(&[bytes.as_slice(), &[0]].concat()), None);
    let nothing = Encoded::default();
    assert_eq!(codec::read(&codec::write(&nothing)), Some(nothing));
}

#[test]
fn a_file_that_is_damaged_or_of_something_else_is_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = folder.path().join("tokens");
    let path = kept.join("key.tokens");
    write(&kept, &path, "key", &encoded()).expect("written");
    assert_eq!(read(&path, "key"), Ok(Some(encoded())));
    assert_eq!(read(&path, "other"), Err(Damaged));
    assert_eq!(read(&kept.join("other.tokens"), "other"), Ok(None));
    let bytes = fs::read(&path).expect("read");
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        fs::write(&path, &damaged).expect("written");
        assert_eq!(read(&path, "key"), Err(Damaged), "byte {at}");
    }
    fs::write(&path, &bytes[..bytes.len() / 2]).expect("written");
    assert_eq!(read(&path, "key"), Err(Damaged));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;

        write(&kept, &path, "key", &encoded()).expect("written");
        let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
        assert_eq!((mode(&kept), mode(&path)), (0o700, 0o600));
    }
}

/// A model's folder as far as tokens depend on it.
fn model(folder: &Path) {
    for (name, text) in [("tokenizer.json", "{}"), ("config.json", "{}"), ("chat_template.jinja", "{{ a }}")] {
        fs::write(folder.join(name), text).expect("written");
    }
}

#[test]
fn whatever_decides_tokens_is_looked_at() {
    let folder = tempfile::tempdir().expect("a folder");
    let (kept, table, folder) = (folder.path().join("kept"), folder.path().join("t.parquet"), folder.path());
    model(folder);
    fs::write(&table, "records").expect("written");
    let (calls, notes) = (Cell::new(0), RefCell::new(Vec::new()));
    let look = |task: &str, values: &[&str], tokens: usize| {
        let task = Task::Generate { messages: task.to_owned() };
        let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        let limit = LengthLimit { tokens, overflow: Overflow::Drop };
        let origin = Origin { table: &table, task: &task, values: &values, model: folder, limit };
        let (found, was_kept) = kept_or_encoded(Some(&kept), &origin, &mut notes.borrow_mut(), || {
            calls.set(calls.get() + 1);
            Ok(encoded())
        })
        .expect("encoded");
        assert_eq!(found, encoded());
        was_kept
    };
    assert!(!look("m", &["a"], 9) && look("m", &["a"], 9));
    assert!(!look("n", &["a"], 9) && !look("m", &["b"], 9) && !look("m", &["a"], 8) && look("m", &["a"], 9));
    for name in ["tokenizer.json", "config.json", "chat_template.jinja", "generation_config.json", "t.parquet"] {
        fs::write(folder.join(name), "changed").expect("written");
        assert!(!look("m", &["a"], 9) && look("m", &["a"], 9), "{name}");
    }
    assert_eq!((calls.get(), stored_tokens(&kept).len()), (9, 9));
    assert!(stored_tokens(&kept).iter().all(|tokens| tokens.records == Some(9)));
    // A half of the bytes goes, the ones that were used last stay.
    let all: u64 = stored_tokens(&kept).iter().map(|tokens| tokens.bytes).sum();
    let first = stored_tokens(&kept)[0].key.clone();
    let (removed, bytes, left) = prune_tokens(&kept, |_, left| left > all / 2);
    assert!(removed > 0 && bytes + left == all && left <= all / 2);
    assert_eq!(stored_tokens(&kept)[0].key, first);
    assert!(notes.borrow().is_empty(), "nothing was wrong: {notes:?}");
    fs::write(kept.join(format!("{first}.tokens")), "no tokens").expect("written");
    assert!(!look("m", &["a"], 9) && look("m", &["a"], 9), "what is damaged is made again");
    let told = notes.take();
    let is_told = told[0].contains(&format!("{first}.tokens` were damaged and made again"));
    assert!(told.len() == 1 && is_told, "{told:?}");
    fs::remove_dir_all(&kept).expect("removed");
    fs::write(&kept, "no folder").expect("written");
    assert!(!look("m", &["a"], 9) && !look("m", &["a"], 9), "what cannot be kept is made again");
    let told = notes.take();
    assert!(told.len() == 1 && told[0].starts_with("tokens could not be kept in"), "it is told once: {told:?}");
}

#[test]
fn a_run_is_the_same_with_kept_tokens() {
    let Some(runtime) = runtime() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    write_texts(&folder.path().join("train.parquet"), 12);
    let mut cases = vec![run(folder.path())];
    let other = tempfile::tempdir().expect("a folder");
    cases.extend(shared("models/llama-chat").map(|model| answers(other.path(), model, 6, 2)));
    for mut settings in cases {
        settings.extent = Extent::Steps(1);
        settings.kept_tokens = Some(settings.output.with_extension("kept"));
        let trained = |settings: &TrainRun| {
            let mut was_kept = None;
            train(settings, &runtime, &mut |event| {
                if let Event::Prepared(prepared) = event {
                    was_kept = Some(prepared.has_kept_tokens);
                }
                ControlFlow::Continue(())
            })
            .expect("trained");
            (was_kept, weights(&settings.output))
        };
        let (cold, first) = trained(&settings);
        let (warm, again) = trained(&settings);
        assert_eq!((cold, warm), (Some(false), Some(true)));
        assert_eq!(first, again);
        settings.length = Some(5);
        settings.overflow = Overflow::Refuse;
        let refused =
            || train(&settings, &runtime, &mut |_| ControlFlow::Continue(())).expect_err("too long").to_string();
        assert_eq!(refused(), refused(), "an error is told again");
    }
}
