//! What is kept of data sets with a step that cuts what occurred before out of texts: the same bytes after any edit, and no
//! record is read for what can be decided without it.

use std::fs;

use arrow::array::AsArray;
use arrow::datatypes::DataType;
use arrow::ipc::reader::StreamReader;
use proptest::prelude::*;

use super::super::stage::CutsFrom;
use super::super::stages::Build;
use super::super::{EngineError, Surveyed};
use super::program;
use super::stages::Site;
use crate::hir::DatasetId;

const SPEC: &str = r#"annot 1
source s {
  path "a.jsonl"; license "MIT"
  fields { text: string; kind: string?; n: int?; age: int?; who: string }
}
source t { path "b.jsonl"; license "MIT"; fields { text: string; kind: string?; n: int?; age: int?; who: string } }
clean tidy {
  set text = nfc(text)
  drop "large" when n > 5
  dedup lines of text at least 2 words
  drop "short" when words(text) < 2
  dedup text exactly
}
dataset d { from s, t; clean tidy; split train 100%; write parquet }
"#;

type Record = (String, Option<&'static str>, Option<i64>);

/// Texts of three lines, of which some stand in many texts. A number above 8 stands beside texts without such a line, and in
/// the first half, which is in one file alone.
fn records() -> Vec<Record> {
    let one = |i: usize| {
        let common = ["a common line", "another common line", "", "the last common line"][i % 4];
        let n = if i < 60 { i % 10 } else { i % 9 };
        let text = match n {
            9 => format!("note number {i}\nshort\nits own end {i}"),
            _ => format!("note number {i}\n{common}\nthe end of {}", i % 30),
        };
        (text, None, Some(n as i64))
    };
    (0..120).map(one).collect()
}

/// How many chunks there are, how many of them were measured before the step, where what it cuts came from, and how many
/// were measured behind it.
fn reused(site: &Site, spec: &str) -> (usize, usize, CutsFrom, usize) {
    let reuse = site.reused(spec);
    let [cuts] = reuse.cuts.as_slice() else { panic!("one step cuts: {reuse:?}") };
    assert_eq!((cuts.chunks, &reuse.failure, reuse.damaged), (reuse.chunks, &None, 0));
    (reuse.chunks, cuts.reused, cuts.from, reuse.reused)
}

fn edited(from: &str, to: &str) -> String {
    assert!(SPEC.contains(from), "{from}");
    SPEC.replace(from, to)
}

#[test]
fn what_is_cut_is_found_again_as_long_as_the_same_records_reach_the_step() {
    let site = Site::new(&records());
    let (all, ..) = reused(&site, SPEC);
    assert!(all > 10);
    for spec in [
        SPEC.to_owned(),
        edited("words(text) < 2", "words(text) < 4"),
        edited("drop \"short\"", "drop \"too short, if you ask me\""),
        edited("clean tidy {", "// A comment.\nclean tidy {"),
        edited("  dedup text exactly\n", ""),
        // Another threshold before the step, of which no record takes notice.
        edited("n > 5", "n >= 6"),
    ] {
        assert_eq!(reused(&site, &spec), (all, all, CutsFrom::Cache, all), "{spec}");
    }
    // Records without a line that others have go elsewhere, and nothing else is cut anywhere.
    let spec = edited("n > 5", "n > 8");
    let (_, before, from, behind) = reused(&site, &spec);
    assert_eq!((before, from), (all, CutsFrom::Measures));
    assert!(behind < all, "other lines repeat: {behind}");
    assert_eq!(reused(&site, &edited("n > 5", "n > 9")), (all, all, CutsFrom::Measures, all));
    assert_eq!(reused(&site, SPEC), (all, all, CutsFrom::Cache, all));
    // Another comparison takes lines anew; where it cuts the same of a chunk, what is behind is as it was.
    let spec = edited("at least 2 words", "at least 3 words");
    assert_eq!(reused(&site, &spec), (all, 0, CutsFrom::Measures, all));
    let (_, _, _, behind) = reused(&site, &edited("at least 2 words", "at least 4 words"));
    assert!(behind < all, "{behind}");
}

#[test]
fn other_files_change_what_they_touch() {
    let site = Site::new(&records());
    let (all, ..) = reused(&site, SPEC);
    // What comes last changes nothing that comes before it.
    site.write("b2.jsonl", &records()[..30]);
    let (more, before, from, behind) = reused(&site, SPEC);
    assert!(more > all && before == all && from == CutsFrom::Measures && behind == all, "{before} {behind} of {more}");
    site.write("a.jsonl", &records()[2..]);
    let (_, before, from, behind) = reused(&site, SPEC);
    assert!(before > 0 && before < more && from == CutsFrom::Measures && behind < before, "{before} {behind}");
    fs::remove_file(site.path("b2.jsonl")).unwrap();
    fs::rename(site.path("a.jsonl"), site.path("a9.jsonl")).unwrap();
    let (chunks, before, from, behind) = reused(&site, SPEC);
    assert_eq!((before, from, behind), (chunks, CutsFrom::Measures, chunks), "a name decides nothing");
}

#[test]
fn of_substrings_the_texts_are_read_where_other_records_reach_the_step() {
    let site = Site::new(&records());
    let spec = |least: &str, n: &str| {
        edited("lines of text at least 2 words", &format!("substrings of text at least {least} words"))
            .replace("n > 5", n)
    };
    let (all, ..) = reused(&site, &spec("3", "n > 5"));
    assert_eq!(reused(&site, &spec("3", "n >= 6")), (all, all, CutsFrom::Cache, all));
    let behind = spec("3", "n > 5").replace("words(text) < 2", "words(text) < 3");
    assert_eq!(reused(&site, &behind), (all, all, CutsFrom::Cache, all));
    let explained = site.explained(&spec("3", "n > 3"));
    let (cut, from) = explained.cuts[0].cut.clone().unwrap();
    assert!(from == CutsFrom::Texts && explained.first_pass.is_none());
    assert!(cut.reasons.iter().any(|why| why.contains("other records of it reach the step")), "{:?}", cut.reasons);
    let (_, before, from, _) = reused(&site, &spec("3", "n > 3"));
    assert_eq!((before, from), (all, CutsFrom::Texts));
}

/// Whether a build comes through its first pass, or through the search for what is cut, when no source can be read.
fn without_sources(site: &Site, spec: &str, whole: bool) -> Result<(), EngineError> {
    let (program, inputs, id) = (program(spec), site.inputs(true, 2), DatasetId(0));
    let surveyed = Surveyed::of(&program, id, &inputs, &mut |_| {})?;
    for name in ["a", "b"] {
        fs::rename(site.path(&format!("{name}.jsonl")), site.path(name)).unwrap();
    }
    let progress = &mut |_| {};
    let mut build = Build::open(&program, id, &surveyed, &inputs, progress)?;
    let end = if whole { build.resolve(&surveyed, &inputs).map(drop) } else { build.find_cuts() };
    for name in ["a", "b"] {
        fs::rename(site.path(name), site.path(&format!("{name}.jsonl"))).unwrap();
    }
    end
}

#[test]
fn no_source_is_read_for_what_can_be_decided_without() {
    let site = Site::new(&records());
    let read = |end: Result<(), EngineError>| assert!(matches!(end, Err(EngineError::Read { .. })), "{end:?}");
    read(without_sources(&site, SPEC, true));
    site.reused(SPEC);
    without_sources(&site, SPEC, true).unwrap();
    without_sources(&site, &edited("words(text) < 2", "words(text) < 4"), true).unwrap();
    without_sources(&site, &edited("n > 5", "n >= 6"), true).unwrap();
    // Other records reach the step: what it cuts is decided again, and what is behind it measured again.
    without_sources(&site, &edited("n > 5", "n > 3"), false).unwrap();
    read(without_sources(&site, &edited("n > 5", "n > 3"), true));
    let substrings = edited("lines of text at least 2", "substrings of text at least 3");
    site.reused(&substrings);
    without_sources(&site, &substrings, true).unwrap();
    read(without_sources(&site, &substrings.replace("n > 5", "n > 3"), false));
}

#[test]
fn what_would_be_found_is_explained() {
    let site = Site::new(&records());
    let explained = site.explained(SPEC);
    assert!(explained.first_pass.is_none() && explained.cuts[0].cut.is_none());
    let (all, ..) = reused(&site, SPEC);
    let found = |spec: &str| {
        let explained = site.explained(spec);
        let (cuts, first_pass) = (&explained.cuts[0], explained.first_pass.unwrap());
        let (cut, from) = cuts.cut.clone().unwrap();
        (cuts.before.reused, from, first_pass.reused, [cut.reasons, first_pass.reasons].concat())
    };
    assert_eq!(found(SPEC), (all, CutsFrom::Cache, all, Vec::new()));
    let kept = site.chunks();
    let spec = edited("n > 5", "n > 3");
    let (before, from, behind, reasons) = found(&spec);
    assert_eq!((before, from), (all, CutsFrom::Measures));
    assert_eq!(reasons[0], "a.jsonl: other records of it reach the step");
    assert!(reasons.contains(&"a.jsonl: something else is cut out of its texts".to_owned()), "{reasons:?}");
    assert_eq!(site.chunks(), kept, "a look keeps nothing");
    assert_eq!(reused(&site, &spec), (all, all, CutsFrom::Measures, behind), "what was told is what is done");
    // What near-duplicates are is known when texts were compared.
    let near = edited("  dedup lines", "  dedup text near 0.9\n  dedup lines");
    site.reused(&near);
    assert!(site.explained(&near).first_pass.is_none());
    assert_eq!(reused(&site, &near).2, CutsFrom::Cache);
}

#[test]
fn steps_that_cut_follow_each_other() {
    let site = Site::new(&records());
    let spec = |least: u32| {
        edited("  drop \"short\"", "  dedup sentences of text\n  drop \"short\"")
            .replace("at least 2", &format!("at least {least}"))
    };
    let all = site.reused(&spec(2)).chunks;
    let reuse = site.reused(&spec(2).replace("words(text) < 2", "words(text) < 5"));
    let from: Vec<_> = reuse.cuts.iter().map(|cuts| (cuts.reused, cuts.from)).collect();
    assert_eq!((from, reuse.reused), (vec![(all, CutsFrom::Cache); 2], all));
    // What the first one cuts decides what the second one sees.
    let reuse = site.reused(&spec(4));
    assert_eq!(reuse.cuts[1].from, CutsFrom::Measures);
    assert!(reuse.cuts[1].reused < all && reuse.reused < all, "{reuse:?}");
}

#[test]
fn places_that_are_damaged_are_found_again() {
    let site = Site::new(&records());
    let (all, ..) = reused(&site, SPEC);
    let is_cuts = |path: &&std::path::PathBuf| {
        let record = fs::read_to_string(path.parent().unwrap().join("stage.json")).unwrap();
        record.contains("\"holds\": \"cuts\"")
    };
    let files = site.chunks();
    let cuts: Vec<_> = files.iter().filter(is_cuts).collect();
    assert_eq!(cuts.len(), all);
    fs::remove_file(cuts[1]).unwrap();
    assert_eq!(reused(&site, SPEC), (all, all, CutsFrom::Measures, all));
    let bytes = fs::read(cuts[0]).unwrap();
    fs::write(cuts[0], &bytes[..bytes.len() - 3]).unwrap();
    let reuse = site.reused(SPEC);
    assert_eq!((reuse.damaged, reuse.cuts[0].from, reuse.reused), (1, CutsFrom::Measures, all));
    assert_eq!(reused(&site, SPEC), (all, all, CutsFrom::Cache, all), "it is mended");
}

#[test]
fn of_texts_digests_and_places_are_kept() {
    let site = Site::new(&records());
    site.reused(SPEC);
    let mut values = 0;
    for file in site.chunks() {
        let bytes = fs::read(file).unwrap();
        for batch in StreamReader::try_new(&bytes[56..], None).unwrap() {
            let batch = batch.unwrap();
            for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
                match field.data_type() {
                    DataType::LargeBinary => {
                        for value in column.as_binary::<i64>().iter().flatten() {
                            values += 1;
                            // A digest of 16 bytes and a place of 8 for each line, a place for each that is cut.
                            assert!(value.len() % 8 == 0 && value.len() <= 3 * 24);
                            for word in ["note", "line", "end "] {
                                assert!(value.windows(4).all(|four| four != word.as_bytes()), "{value:?}");
                            }
                        }
                    }
                    DataType::Utf8 => assert_eq!(field.name(), "_error"),
                    DataType::Boolean | DataType::FixedSizeBinary(16) | DataType::Int64 | DataType::UInt64 => {}
                    other => panic!("{other} is kept"),
                }
            }
        }
    }
    assert!(values > 150);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_build_from_the_cache_is_one_without(
        lines in prop::collection::vec((prop::collection::vec(0..9_usize, 0..4), -2..9_i64), 4..50),
        edits in prop::collection::vec((0..7_usize, 0..8_i64), 3..7),
    ) {
        let words = ["one two", "Three four five.", "", "six", "one two three", "é ü ö. A b", "seven eight nine ten. One two.", "  one two ", "x y"];
        let record = |(lines, n): &(Vec<usize>, i64)| {
            (lines.iter().map(|line| words[*line]).collect::<Vec<_>>().join("\n"), None, Some(*n))
        };
        let records: Vec<Record> = lines.iter().map(record).collect();
        let site = Site::new(&records);
        let [mut before, mut behind, mut least] = [5, 2, 2];
        let (mut kind, mut reason) = ("lines", "large");
        for (edit, number) in edits {
            match edit {
                0 => behind = number,
                1 => before = number,
                2 => reason = ["large", "too large"][number as usize % 2],
                3 => least = number.max(1),
                4 => kind = ["lines", "sentences", "substrings"][number as usize % 3],
                5 => site.write(&format!("a{number}.jsonl"), &records[..records.len() / 2]),
                _ => site.write("b.jsonl", &records[number as usize % records.len()..]),
            }
            let spec = SPEC
                .replace("lines of text at least 2", &format!("{kind} of text at least {least}"))
                .replace("n > 5", &format!("n > {before}"))
                .replace("words(text) < 2", &format!("words(text) < {behind}"))
                .replace("\"large\"", &format!("\"{reason}\""));
            site.reused(&spec);
            let (all, measured, from, behind) = reused(&site, &spec);
            prop_assert_eq!((measured, from, behind), (all, CutsFrom::Cache, all));
        }
    }
}
