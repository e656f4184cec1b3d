//! What is kept from one build to the next: the same bytes however much of it is there, and never a text.

use std::collections::BTreeSet;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arrow::array::AsArray;
use arrow::datatypes::DataType;
use arrow::ipc::reader::StreamReader;
use proptest::prelude::*;

use super::super::stage::{Reuse, Stages, root};
use super::super::{BuildInputs, DatasetExplained, InputFile, MemoryLimit, SourceFiles, Surveyed, explain_dataset};
use super::{Left, TINY, program, run_with};
use crate::hir::{DatasetId, SourceId};

const SPEC: &str = r#"annot 1
source s {
  path "a.jsonl"; license "MIT"
  fields { text: string @personal; kind: string?; n: int?; age: int? @personal; who: string @group }
}
source t { path "b.jsonl"; license "MIT"; fields { text: string @personal; kind: string?; n: int?; age: int? @personal; who: string @group } }
label mood: choice { good; bad }
clean tidy {
  set text = text |> nfc |> collapse_whitespace
  drop "short" when words(text) < 2
  dedup text exactly
  drop "large" when n > 5 or n + words(text) > 9
  drop "old" when age > 60
}
policy safe {
  redact @personal: email, phone
  allow personal age because "it is needed"
  forbid "secret" when text matches /secret/ else drop
  forbid "loud" when (upper_ratio(text) ?? 0.0) > 0.9 else drop
  require count() >= 0 per kind
}
dataset d {
  from s, t
  clean tidy
  label mood = kind match { "+" => good; "-" => bad; "0" => drop; else => kind } else drop
  policy safe
  split train 80%, test 20% by kind stratify mood seed 3
  write parquet
}
"#;

/// Two sources with a folder of their own, and a cache.
pub(super) struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    pub(super) fn new(records: &[(String, Option<&str>, Option<i64>)]) -> Self {
        let site = Self { folder: tempfile::tempdir().unwrap() };
        site.write("a.jsonl", records);
        site.write("b.jsonl", &records[records.len() / 2..]);
        site
    }

    /// The path of a file, which begins with the name of its source: `a` or `b`.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn write(&self, name: &str, records: &[(String, Option<&str>, Option<i64>)]) {
        let line = |(text, kind, n): &(String, Option<&str>, Option<i64>)| {
            let who = text.len() % 5;
            let age = n.map(|n| n * 13);
            serde_json::json!({ "text": text, "kind": kind, "n": n, "age": age, "who": format!("w{who}") }).to_string()
                + "\n"
        };
        let bad = "{\"text\": 7}\nnot json\n";
        fs::write(self.folder.path().join(name), records.iter().map(line).collect::<String>() + bad).unwrap();
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    pub(super) fn inputs(&self, keeps: bool, jobs: usize) -> BuildInputs {
        let names = fs::read_dir(self.folder.path()).unwrap().flatten().map(|entry| entry.file_name());
        let names: Vec<String> = names.map(|name| name.to_str().unwrap().to_owned()).collect();
        let file = |name: &String| InputFile { location: self.path(name), name: name.clone() };
        let files = |source: u32, begin: &str| SourceFiles {
            source: SourceId(source),
            files: names.iter().filter(|name| name.starts_with(begin) && name.contains('.')).map(file).collect(),
            looked_for: Vec::new(),
        };
        BuildInputs {
            site: Default::default(),
            sources: vec![files(0, "a"), files(1, "b")],
            evaluated: Vec::new(),
            jobs: NonZeroUsize::new(jobs).unwrap(),
            sizes: TINY,
            memory: MemoryLimit { bytes: MemoryLimit::DEFAULT, cache: self.cache() },
            cancel: Arc::new(AtomicBool::new(false)),
            stages: keeps.then(|| Stages::new(&self.cache(), "test.annot".to_owned())),
        }
    }

    fn build(&self, spec: &str, keeps: bool, jobs: usize) -> Left {
        let out = tempfile::tempdir().unwrap();
        run_with(&program(spec), &self.inputs(keeps, jobs), out.path(), Vec::new()).unwrap()
    }

    /// Builds with and without the cache, which must not be told apart, and gives what was reused.
    pub(super) fn reused(&self, spec: &str) -> Reuse {
        let (kept, cold) = (self.build(spec, true, 2), self.build(spec, false, 1));
        assert_eq!(kept.built.outcome, cold.built.outcome);
        assert_eq!(kept.files.keys().collect::<Vec<_>>(), cold.files.keys().collect::<Vec<_>>());
        for (name, bytes) in &cold.files {
            assert!(kept.files[name] == *bytes, "{name} differs");
        }
        kept.built.reuse.expect("a cache is used")
    }

    pub(super) fn explained(&self, spec: &str) -> DatasetExplained {
        let (program, inputs, id) = (program(spec), self.inputs(true, 1), DatasetId(0));
        let surveyed = Surveyed::of(&program, id, &inputs, &mut |_| {}).unwrap();
        explain_dataset(inputs.stages.as_ref().unwrap(), &program, id, &surveyed, &inputs, &mut |_| {}).unwrap()
    }

    fn reasons(&self, spec: &str) -> Vec<String> {
        self.explained(spec).first_pass.unwrap().reasons
    }

    pub(super) fn chunks(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for stage in fs::read_dir(root(&self.cache())).into_iter().flatten().flatten() {
            let files = fs::read_dir(stage.path()).unwrap().flatten().map(|file| file.path());
            found.extend(files.filter(|path| path.extension().is_some_and(|extension| extension == "arrow")));
        }
        found.sort();
        found
    }
}

fn records() -> Vec<(String, Option<&'static str>, Option<i64>)> {
    let kinds = [Some("+"), Some("-"), Some("0"), Some("?"), None];
    let one = |i: usize| {
        let text = match i % 7 {
            0 => format!("write to p{i}@b.example please"),
            1 => "short".to_owned(),
            2 => format!("my secret {i}"),
            3 => format!("LOUD WORDS {i}"),
            _ => format!("some  note number {} of many", i % 40),
        };
        (text, kinds[i % 5], (!i.is_multiple_of(3)).then_some((i % 9) as i64))
    };
    (0..120).map(one).collect()
}

#[test]
fn another_threshold_is_decided_over_what_was_measured() {
    let site = Site::new(&records());
    let first = site.reused(SPEC);
    assert!(first.reused == 0 && first.chunks > 10, "{first:?}");
    let all = |spec: &str| {
        let reuse = site.reused(spec);
        assert_eq!((reuse.reused, reuse.chunks, reuse.damaged, reuse.failure), (first.chunks, first.chunks, 0, None));
    };
    all(SPEC);
    for (from, to) in [
        ("words(text) < 2", "words(text) < 4"),
        ("drop \"short\" when", "drop \"too short, if you ask me\" when"),
        ("n > 5 or", "n > 3 and"),
        ("?? 0.0) > 0.9", "?? 1.0) > 0.7"),
        ("split train 80%, test 20%", "split train 50%, test 50%"),
        // A rule less measures less than there is.
        ("  drop \"old\" when age > 60\n", ""),
        ("phone\n", "phone // a comment\n"),
        ("source s {", "/// What it is.\nsource s {"),
    ] {
        assert!(SPEC.contains(from), "{from}");
        all(&SPEC.replacen(from, to, 1));
    }
    // Truths of comparisons, what is computed before, how rows are read.
    for (from, to, reason) in [
        ("/secret/", "/secrets/", "`text matches /secrets/`: not measured before"),
        ("age > 60", "age > 61", "`age > 61`: not measured before"),
        ("|> nfc |>", "|> nfkc |>", "computed from"),
        ("email, phone", "email", "computed from"),
        ("{ good; bad }", "{ good; bad; mixed }", "among 3 values"),
    ] {
        let spec = SPEC.replace(from, to);
        let reasons = site.reasons(&spec);
        assert!(reasons.iter().any(|why| why.contains(reason)), "{to}: {reasons:#?}");
        assert_eq!(site.reused(&spec).reused, 0, "{to}");
        assert_eq!(site.reasons(&spec), [""; 0], "{to}");
    }
}

#[test]
fn a_file_that_changes_takes_no_other_with_it() {
    let site = Site::new(&records());
    let all = site.reused(SPEC).chunks;
    site.write("b.jsonl", &records()[..9]);
    let reasons = site.reasons(SPEC);
    assert_eq!(reasons, ["b.jsonl: its content changed"]);
    let left = site.reused(SPEC);
    assert!(left.reused > 5 && left.reused < left.chunks && left.chunks < all, "{left:?}");
    // A source that is read otherwise is measured again, the other one is not.
    let spec = SPEC.replacen("kind: string?; n: int?", "kind: string? @column(\"other\"); n: int?", 1);
    let reasons = site.reasons(&spec);
    assert!(reasons.len() == 1 && reasons[0].contains("a.jsonl: source `s` reads its rows otherwise"), "{reasons:?}");
    let left = site.reused(&spec);
    assert!(left.reused > 0 && left.reused < 5, "{left:?}");
}

#[test]
fn what_is_damaged_is_measured_again() {
    let site = Site::new(&records());
    let chunks = site.reused(SPEC).chunks;
    let files = site.chunks();
    assert_eq!(files.len(), chunks);
    type Damage<'d> = &'d dyn Fn(&Path, Vec<u8>);
    let damages: [Damage<'_>; 5] = [
        &|path, bytes| fs::write(path, &bytes[..bytes.len() / 2]).unwrap(),
        &|path, mut bytes| {
            let at = bytes.len() - 9;
            bytes[at] ^= 1;
            fs::write(path, bytes).unwrap();
        },
        &|path, _| fs::write(path, b"").unwrap(),
        &|path, bytes| fs::write(path, [&bytes[..], b"more"].concat()).unwrap(),
        &|path, _| fs::remove_file(path).unwrap(),
    ];
    for (file, damage) in files.iter().zip(damages) {
        damage(file, fs::read(file).unwrap());
    }
    let stage = files[0].parent().unwrap();
    fs::write(stage.join("stage.json"), b"{").unwrap();
    let reuse = site.reused(SPEC);
    assert_eq!((reuse.reused, reuse.damaged), (chunks - 5, 4));
    assert_eq!(site.reused(SPEC).reused, chunks, "it is mended");
    // Where nothing can be written everything is measured.
    fs::remove_dir_all(site.cache()).unwrap();
    fs::write(site.cache(), b"no folder").unwrap();
    let reuse = site.reused(SPEC);
    assert!(reuse.reused == 0 && reuse.failure.is_some(), "{reuse:?}");
}

#[test]
fn another_version_of_a_function_is_named() {
    let site = Site::new(&records());
    let chunks = site.reused(SPEC).chunks;
    // The record as an earlier version of `words` would have left it, and no chunk of the stage.
    let files = site.chunks();
    let record = files[0].parent().unwrap().join("stage.json");
    let mut left: serde_json::Value = serde_json::from_slice(&fs::read(&record).unwrap()).unwrap();
    let measures = left["measures"].as_array_mut().unwrap();
    let words = measures.iter_mut().find(|one| one["what"] == "words(text)").unwrap();
    assert_eq!(words["uses"]["words"], 1, "the version of the function is recorded");
    words["uses"]["words"] = 0.into();
    words["digest"] = "0".repeat(32).into();
    fs::write(&record, left.to_string()).unwrap();
    files.iter().for_each(|file| fs::remove_file(file).unwrap());
    let reasons = site.reasons(SPEC);
    assert_eq!(reasons, ["`words(text)`: `words` has version 1 now and had version 0"]);
    assert_eq!((site.reused(SPEC).reused, site.reused(SPEC).reused), (0, chunks));
}

#[test]
fn no_text_of_a_record_is_kept() {
    let site = Site::new(&records());
    site.reused(SPEC);
    let (mut texts, mut columns) = (BTreeSet::new(), BTreeSet::new());
    for file in site.chunks() {
        let bytes = fs::read(file).unwrap();
        for batch in StreamReader::try_new(&bytes[56..], None).unwrap() {
            let batch = batch.unwrap();
            for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
                columns.insert(field.data_type().to_string());
                if field.data_type() == &DataType::Utf8 && field.name() != "_error" {
                    texts.extend(column.as_string::<i32>().iter().flatten().map(str::to_owned));
                }
            }
        }
    }
    // The label's names with the mark of all others, and the values that a requirement counts.
    assert_eq!(texts, ["+", "-", "0", "?", "bad", "good"].map(str::to_owned).into());
    let kinds = ["Boolean", "FixedSizeBinary(16)", "Int64", "UInt64", "Utf8", "Float64"].map(str::to_owned);
    assert!(columns.is_subset(&kinds.into()), "{columns:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, ..ProptestConfig::default() })]

    #[test]
    fn verdicts_over_measures_are_those_of_a_cold_build(
        texts in prop::collection::vec(("[a-cA-C @.0-9]{0,24}|secret [a-z]{1,3}|[A-Z ]{4,9}", 0..5_usize, prop::option::of(-9..9_i64)), 0..40),
        edits in prop::collection::vec((0..8_i64, -5..12_i64, 0..60_i64, 0..10_u32, prop::bool::ANY), 2..4),
    ) {
        let kinds = [Some("+"), Some("-"), Some("0"), Some("?"), None];
        let records: Vec<_> = texts.into_iter().map(|(text, kind, n)| (text, kinds[kind], n)).collect();
        let site = Site::new(&records);
        for (at, (words, n, sum, ratio, swap)) in edits.into_iter().enumerate() {
            let (first, second) = (format!("drop \"short\" when words(text) < {words}"), format!("drop \"large\" when not (n <= {n}) or n + words(text) >= {sum}"));
            let spec = SPEC
                .replace("drop \"short\" when words(text) < 2", if swap { &second } else { &first })
                .replace("drop \"large\" when n > 5 or n + words(text) > 9", if swap { &first } else { &second })
                .replace("> 0.9", &format!("> 0.{ratio}"));
            let reuse = site.reused(&spec);
            prop_assert_eq!(reuse.reused, if at == 0 { 0 } else { reuse.chunks });
        }
    }
}
