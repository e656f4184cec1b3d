//! Damaged files: each bad row is quarantined by name, and the good ones are read.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;

use super::{
    BuildInputs, DatasetId, Destination, EngineError, InputFile, MemoryLimit, Site, Sizes, SourceFiles, SourceId,
    Surveyed, TINY, build, build_dataset, program,
};

const JSONL: &str = r#"annot 1
source s { path "a.jsonl"; fields { text: string; n: int?; day: date? }; license "MIT" }
dataset d { from s; write parquet }
"#;

const CSV: &str = r#"annot 1
source s { path "a.csv"; fields { text: string; n: int? }; license "MIT" }
dataset d { from s; write parquet }
"#;

/// The texts that are written, and the lines and errors of the quarantine.
fn check(spec: &str, name: &str, data: &[u8], texts: &[&str], quarantine: &[(u64, &str)]) {
    let name = if spec == CSV { "a.csv" } else { name };
    for (sizes, jobs) in [(Sizes::default(), 1), (TINY, 2), (Sizes { chunk: 1, batch_rows: 1, ..TINY }, 2)] {
        let left = build(spec, &[(0, name, data)], sizes, jobs).unwrap();
        assert_eq!(left.texts(), texts);
        let errors = left.quarantine();
        let errors: Vec<(u64, &str)> = errors.iter().map(|(line, error)| (*line, error.as_str())).collect();
        assert_eq!(errors, quarantine);
        let rows = (texts.len() + quarantine.len()) as u64;
        assert_eq!(left.step(0), [rows, texts.len() as u64, 0, quarantine.len() as u64]);
        assert_eq!(left.built.outcome.sources[0].files[0].records, rows);
    }
}

#[test]
fn json_lines() {
    let long = format!("{{\"text\":\"{}\"}}", "x".repeat(10 << 20));
    let error = format!("row of {} bytes, longer than the cap of 8388608 bytes", long.len());
    let mut overlong = b"{\"text\":\"a\"}\n".to_vec();
    overlong.extend_from_slice(long.as_bytes());
    overlong.extend_from_slice(b"\r\n{\"text\":\"b\"}\n");
    check(JSONL, "a.jsonl", &overlong, &["a", "b"], &[(2, error.as_str())]);

    check(JSONL, "a.jsonl", b"", &[], &[]);
    check(JSONL, "a.jsonl", b"\xef\xbb\xbf{\"text\":\"a\"}\r\n\r\n{\"text\":\"b\",\"n\":null}", &["a", "b"], &[]);
    let bad: [(&[u8], &str); 15] = [
        (b"{\"text\":\"a\"", "malformed JSON: it ends too early"),
        (b"{\"text\":\"a\"}}", "malformed JSON at byte 13 of the line"),
        (b"{\"text\":\"a\"}{\"text\":\"b\"}", "malformed JSON at byte 13 of the line"),
        (b"[1]", "the line is a list, expected an object"),
        (b"null", "the line is null, expected an object"),
        (b"7", "the line is a number, expected an object"),
        (b"{}", "missing field `text`"),
        (b"{\"text\":null}", "field `text` is null"),
        (b"{\"text\":7}", "field `text` is a number, expected a string"),
        (b"{\"text\":\"a\",\"n\":1.5}", "field `n` is a number with a fraction, expected a whole number"),
        (
            b"{\"text\":\"a\",\"n\":99999999999999999999}",
            "field `n` is a number beyond 64 bits, expected a whole number",
        ),
        (b"{\"text\":\"a\",\"n\":true}", "field `n` is a truth value, expected a whole number"),
        (b"{\"text\":\"a\",\"day\":\"2023-02-30\"}", "field `day` is a string, expected a date such as 2024-05-01"),
        (b"{\"text\":\"a\xff\"}", "invalid UTF-8 at byte 11 of the row"),
        (b"{\"text\":\"\\ud800\"}", "malformed JSON at byte 16 of the line"),
    ];
    for (row, error) in bad {
        let data = [b"{\"text\":\"before\"}\n".as_slice(), row, b"\n{\"text\":\"after\"}\n"].concat();
        check(JSONL, "a.jsonl", &data, &["before", "after"], &[(2, error)]);
    }
}

#[test]
fn comma_separated_values() {
    check(CSV, "a.csv", b"", &[], &[]);
    check(CSV, "a.csv", b"text,n\n", &[], &[]);
    check(CSV, "a.csv", b"\xef\xbb\xbftext,n\r\na,1\r\n\r\n\"b, c\",", &["a", "b, c"], &[]);
    check(CSV, "a.csv", b"n,text\n1,\"x\ny\"\n2,\"q\"\"q\"\n", &["x\ny", "q\"q"], &[]);
    check(CSV, "a.csv", b"text\na\n", &["a"], &[]);
    let ragged = b"text,n\na,1,2\nb\nc,3\nd,x\n\xff,1\n\"e\nf\",nan\n";
    let errors = [
        (2, "3 fields, the header has 2"),
        (3, "1 fields, the header has 2"),
        (5, "field `n` is not a whole number"),
        (6, "invalid UTF-8 at byte 1 of the row"),
        (7, "field `n` is not a whole number"),
    ];
    check(CSV, "a.csv", ragged, &["c"], &errors);
    let error = build(CSV, &[(0, "a.csv", b"n\n1\n2\n")], TINY, 2).err().expect("the file is of no use");
    assert!(error.to_string().ends_with("names no column `text`, which source `s` reads"), "{error}");
    let error = build(CSV, &[(0, "a.csv", b"text,text\na,b\n")], TINY, 2).err().expect("the file is of no use");
    assert!(error.to_string().ends_with("names column `text` twice, which source `s` reads"), "{error}");
    check(CSV, "a.csv", b"text,n\na,1\n\"b,2\nc,3\n", &["a"], &[(3, "the row opens a quote that is never closed")]);
}

#[test]
fn a_source_may_say_that_a_bad_row_fails() {
    let spec = JSONL.replace("license", "on_bad_row fail; license");
    let error = build(&spec, &[(0, "a.jsonl", b"{\"text\":\"a\"}\n{\"text\":7}\n")], TINY, 2).err().unwrap();
    assert!(error.to_string().ends_with("a.jsonl:2: field `text` is a number, expected a string"), "{error}");
    let error = build(JSONL, &[], TINY, 1).err().unwrap();
    assert_eq!(error.to_string(), "source `s` has no file: nothing matches data/*");
}

#[test]
fn nested_columns_lists_and_records() {
    let spec = r#"annot 1
source s {
  path "a.jsonl"; license "MIT"
  fields { q: string @column("data.q"); tags: list<string>; who: { name: string, age: int? }? }
}
dataset d { from s; write parquet }
"#;
    let data = br#"{"data":{"q":"a","z":[1]},"tags":["x","y"],"who":{"age":3,"name":"n"}}
{"data":{"q":"b"},"tags":[],"who":null}
{"data":null,"tags":[]}
{"data":7,"tags":[]}
{"data":{"q":"c"},"tags":["x",null]}
{"data":{"q":"d"},"tags":["x"],"who":{"age":1}}
"#;
    let left = build(spec, &[(0, "a.jsonl", data)], TINY, 1).unwrap();
    let errors: Vec<String> = left.quarantine().into_iter().map(|(_, error)| error).collect();
    let expected = [
        "missing field `q`",
        "key `data` is a number, expected an object",
        "field `tags[]` is null",
        "missing field `who.name`",
    ];
    assert_eq!(errors, expected);
    let rows = left.table("parquet/train.parquet");
    assert_eq!(rows.num_rows(), 2);
    let who = rows["who"].as_struct();
    assert_eq!((who["name"].as_string::<i32>().value(0), who["age"].as_primitive::<Int64Type>().value(0)), ("n", 3));
    assert!(who.is_null(1));
    let tags = rows["tags"].as_list::<i32>();
    assert_eq!((tags.value(0).len(), tags.value(1).len()), (2, 0));
}

#[test]
fn a_file_that_changes_and_a_stop_are_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let program = program(JSONL);
    let location = folder.path().join("a.jsonl");
    std::fs::write(&location, "{\"text\":\"a\"}\n").unwrap();
    let files = vec![InputFile { location: location.clone(), name: "a.jsonl".to_owned() }];
    let inputs = BuildInputs {
        evaluated: Vec::new(),
        sources: vec![SourceFiles { source: SourceId(0), files, looked_for: Vec::new() }],
        jobs: NonZeroUsize::MIN,
        site: Site::Here,
        sizes: TINY,
        memory: MemoryLimit { bytes: MemoryLimit::DEFAULT, cache: folder.path().join("cache") },
        cancel: Arc::new(AtomicBool::new(false)),
        stages: None,
    };
    let out = folder.path().join("build");
    let destination = Destination { out, training: Vec::new() };
    let surveyed = Surveyed::of(&program, DatasetId(0), &inputs, &mut |_| {}).unwrap();
    let build = || build_dataset(&program, DatasetId(0), &surveyed, &inputs, &destination, &mut |_| {});
    inputs.cancel.store(true, Ordering::Relaxed);
    assert!(matches!(build(), Err(EngineError::Interrupted)));
    inputs.cancel.store(false, Ordering::Relaxed);
    std::fs::write(&location, "{\"text\":\"longer\"}\n").unwrap();
    assert!(matches!(build(), Err(EngineError::Changed { .. })));
}
