//! `annotc infer`: what it prints reads every row that can be read, and gives no value away.

use std::path::Path;

use serde_json::Value;

use crate::support::{Project, repository};

/// Rows that try the inference, and what is declared of them: each field with its type and attributes.
const JSONL: &str = r#"{"id": 1, "who": {"mail": "ann@example.org", "age": 7, "tags": ["a"]}, "when": "2024-05-01", "at": "2024-05-01T12:00:00Z", "n": 1, "Odd name": "x", "a.b": 1, "match": true, "mix": "x", "split": "train", "turns": [{"role": "user", "content": "call +44 20 7946 0958"}], "big": 18446744073709551615, "kind": "red", "gone": null, "nest": {"in": {"n": 1}}}

{"id": 2, "who": {"mail": null, "age": 8, "tags": [null, "b"]}, "when": "2024-05-02", "at": "2024-05-01T12:00:00+02:00", "n": 1.5, "Odd name": "y", "a.b": 2, "match": false, "mix": 2, "split": "dev", "turns": [], "big": 3, "kind": "blue", "gone": null, "nest": {"in": {"n": null, "more": "x"}}}
{"id": 3, "who": null, "when": "2024-05-03", "at": "2024-05-01 12:00:00.25Z", "n": 2, "Odd name": "z", "a.b": 3, "match": true, "mix": [], "split": "test", "turns": [], "big": 4, "kind": "red", "nest": {"in": {"n": 2}}}
{"id": 4, "who": {"age": 1, "tags": []}, "when": "2024-05-04", "at": "2024-05-01T12:00:00Z", "n": -3, "Odd name": "x", "a.b": 3, "match": true, "mix": {}, "split": "train", "turns": [], "big": 4, "kind": "red", "late": 0.5, "nest": {"in": {"n": 2}}}
{"id": 5, "broken": 
[1, 2]
{"id": 6, "who": {"age": 1, "tags": []}, "when": "2024-05-04", "at": "2024-05-01T12:00:00Z", "n": -3, "Odd name": "x", "a.b": 3, "match": true, "split": "train", "turns": [], "big": 4, "kind": "blue", "nest": {"in": {"n": 2}}}
{"id": 7, "who": {"age": 1, "tags": []}, "when": "2024-05-04", "at": "2024-05-01T12:00:00Z", "n": -3, "Odd name": "x", "a.b": 3, "match": true, "split": "train", "turns": [], "big": 4, "kind": "blue", "nest": {"in": {"n": 2}}}
"#;
const JSONL_FIELDS: &[&str] = &[
    "id: int @key",
    "who_mail: string? @personal(email) @column(\"who.mail\")",
    "who_age: int? @column(\"who.age\")",
    "who_tags: list<string?>? @column(\"who.tags\")",
    "`when`: date",
    "at: timestamp",
    "n: float",
    "odd_name: string @column(\"Odd name\")",
    "`a.b`: int",
    "`match`: bool",
    "split: string",
    "turns: list<{ role: string, content: string }> @personal(phone)",
    "big: float",
    "kind: string",
    "gone: string?",
    "nest: { `in`: { n: int?, more: string? } }",
    "late: float?",
];
const CSV: &[u8] = b"\xef\xbb\xbfcode,zip,ok,price,day,note,note,\"two words\",card,empty\r\n\
    1,01234,true,1.5,2024-05-01,a,b,\"x\ny\",4111111111111111,\r\n\
    2,99999,FALSE,2,2024-05-02,a,b,\"say \"\"hi\"\"\",5500005555555559,\r\n\
    \r\n\
    3,00001,True,-3e2,2024-05-03,a,b,\"\",4012888888881881,\r\n\
    4,1\r\n";
const CSV_FIELDS: &[&str] = &[
    "code: int",
    "zip: string",
    "ok: bool",
    "price: float",
    "day: date",
    "two_words: string @column(\"two words\")",
    "card: string @personal(card_number)",
    "empty: string?",
];

/// The declared fields, spaces and remarks aside.
fn declared(block: &str) -> Vec<String> {
    let (_, fields) = block.split_once("  fields {\n").expect("the block has fields");
    let (fields, _) = fields.split_once("\n  }").expect("the fields end");
    let lines = fields.lines().map(|line| line.split("    //").next().unwrap_or("").trim());
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with("//"));
    lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// The block for a file, and the facts.
fn inferred(project: &Project, files: &[&str]) -> Value {
    let args: Vec<&str> = ["infer"].iter().chain(files).chain(&["--format", "json"]).copied().collect();
    project.annotc(&args).expect(0).answers().remove(0)
}

/// Builds a data set of the block's source and gives the rows that it quarantined.
fn quarantined(project: &Project, facts: &Value) -> u64 {
    let fields = facts["fields"].as_array().expect("fields");
    let personal = |field: &&Value| !field["personal"].as_object().expect("kinds").is_empty();
    let is_text = |field: &Value| matches!(field["type"].as_str(), Some("string" | "string?"));
    let mut policy = String::new();
    if fields.iter().any(|field| personal(&field) && is_text(field)) {
        policy.push_str("  redact @personal: email, phone, iban, card_number, ip_address\n");
    }
    for field in fields.iter().filter(personal).filter(|field| !is_text(field)) {
        let name = field["name"].as_str().expect("a name");
        policy.push_str(&format!("  allow personal `{name}` because \"it is a test\"\n"));
    }
    let block = facts["block"].as_str().expect("a block");
    let source = facts["source"].as_str().expect("a name");
    let spec = format!(
        "annot 1\n{block}\npolicy open {{\n{policy}}}\ndataset all {{\n  from `{source}`\n  policy open\n  \
         split train 100%\n  write parquet\n}}\n"
    );
    project.write("all.annot", spec.as_bytes());
    project.annotc(&["build", "all.annot"]).expect(0);
    let manifest = project.json("build/all/manifest.json");
    let steps = manifest["steps"].as_array().expect("steps");
    steps.iter().map(|step| step["quarantined"].as_u64().expect("a count")).sum()
}

#[test]
fn types_nulls_and_names_are_those_of_the_data() {
    for (file, bytes, fields) in [("rows.jsonl", JSONL.as_bytes(), JSONL_FIELDS), ("rows.csv", CSV, CSV_FIELDS)] {
        let project = Project::new(&[(file, bytes)]);
        let run = project.annotc(&["infer", file, "--name", "source"]).expect(0);
        assert_eq!(declared(&run.stdout), fields, "{}", run.stdout);
        for secret in ["ann@example.org", "7946", "4111111111111111", "hi\"", "broken", "01234"] {
            assert!(
                !run.stdout.contains(secret) && !run.stderr.contains(secret),
                "a value of the data is printed: {secret}"
            );
        }
        assert!(run.stderr.contains("could not be read"), "{}", run.stderr);
        assert!(run.stdout.contains("not declared"), "what no type reads is named: {}", run.stdout);
    }
}

#[test]
fn labels_and_parts_are_suggested() {
    let project = Project::new(&[("rows.jsonl", JSONL.as_bytes())]);
    let block = project.annotc(&["infer", "rows.jsonl"]).expect(0).stdout;
    assert!(block.contains("// label kind: choice from rows.kind"), "{block}");
    assert!(block.contains("// split as split"), "{block}");
    assert!(block.contains("\"dev\" => \"validation\""), "{block}");
}

#[test]
fn a_build_with_the_block_quarantines_no_row_that_can_be_read() {
    let mut files: Vec<(String, Vec<u8>)> =
        vec![("rows.jsonl".into(), JSONL.as_bytes().to_vec()), ("rows.csv".into(), CSV.to_vec())];
    let there = [
        "specs/quickstart/data/contact_form.jsonl",
        "specs/quickstart/data/counter.csv",
        "specs/chat/data/exercises.jsonl",
        "../shared/data/banking77/train.csv",
        "../shared/data/gsm8k/test.jsonl",
        "../shared/data/pii/presidio_recognizer_cases.jsonl",
        "../shared/data/oracles/dawid_skene_anesthesia.csv",
    ];
    for path in there {
        // The shared data is not part of the project.
        if let Ok(bytes) = std::fs::read(repository().join(path)) {
            let name = Path::new(path).file_name().expect("a file").to_string_lossy().into_owned();
            files.push((name, bytes));
        }
    }
    assert!(files.len() >= 5, "the specs have data");
    for (file, bytes) in &files {
        let project = Project::new(&[(file, bytes)]);
        let facts = inferred(&project, &[file]);
        let unreadable = facts["files"][0]["unreadable"].as_u64().expect("a count");
        assert_eq!(quarantined(&project, &facts), unreadable, "{file}: {}", facts["block"].as_str().unwrap_or(""));
    }
}

/// What is nested deeper than a type can name is left out of the block, as a build reads over it.
#[test]
fn rows_that_are_nested_deep_are_read_as_by_a_build() {
    let nested = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    let row =
        |deep, typed| format!("{{\"text\": \"one\", \"deep\": {}, \"typed\": {}}}\n", nested(deep), nested(typed));
    let rows = [row(2, 60), row(61, 60), row(150, 60), row(3000, 60)].concat();
    let project = Project::new(&[("rows.jsonl", rows.as_bytes())]);
    let facts = inferred(&project, &["rows.jsonl"]);
    assert_eq!(facts["files"][0]["unreadable"], 0);
    let fields: Vec<&str> =
        facts["fields"].as_array().expect("fields").iter().map(|one| one["name"].as_str().expect("a name")).collect();
    assert_eq!(fields, ["text", "typed"]);
    let block = facts["block"].as_str().expect("a block");
    assert!(block.contains("nested deeper than the 60 levels"), "{block}");
    assert_eq!(quarantined(&project, &facts), 0, "{block}");
}

#[test]
fn several_files_are_one_source() {
    let files: &[(&str, &[u8])] =
        &[("a [1].csv", b"id,name\n1,x\n2,y\n"), ("b.csv", b"id,extra\n3,0.5\n4,1\n"), ("c.jsonl", b"{\"id\": 1}\n")];
    let project = Project::new(files);
    let facts = inferred(&project, &["a [1].csv", "b.csv"]);
    let block = facts["block"].as_str().expect("a block");
    assert_eq!(declared(block), ["id: int @key", "name: string?", "extra: float?"], "{block}");
    assert_eq!(quarantined(&project, &facts), 0, "and the bracket in the name is no pattern");
    project.annotc(&["infer", "a [1].csv", "c.jsonl"]).expect(2);
}

#[test]
fn the_first_rows_are_enough_where_one_says_so() {
    let project = Project::new(&[("rows.txt", b"{\"a\": 1}\n{\"a\": \"x\"}\n"), ("nothing.jsonl", b"\n")]);
    let run = project.annotc(&["infer", "rows.txt", "--rows", "1"]).expect(0);
    assert_eq!(declared(&run.stdout), ["a: int"]);
    assert!(run.stdout.contains("  format  jsonl"), "an ending that says no format: {}", run.stdout);
    assert!(run.stderr.contains("may not fit"), "{}", run.stderr);
    project.annotc(&["infer", "rows.txt"]).expect(4);
    project.annotc(&["infer", "nothing.jsonl"]).expect(4);
    project.annotc(&["infer", "absent.jsonl"]).expect(4);
}

#[test]
fn archives_and_tables_are_inferred_as_lines_are() {
    let lines = b"{\"id\":1,\"text\":\"write to ann@example.org\",\"day\":\"2024-05-01\",\"score\":0.5}
{\"id\":2,\"text\":\"or to bob@example.org\",\"day\":\"2024-05-02\",\"score\":null}
";
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, lines).expect("bytes can be packed");
    let packed = packed.finish().expect("bytes can be packed");
    let project = Project::new(&[("a.jsonl", lines), ("a.jsonl.gz", &packed), ("a.parquet", &parquet())]);
    let database = rusqlite::Connection::open(project.path("a.sqlite")).expect("a database can be made");
    let statements = "CREATE TABLE other (x); CREATE TABLE mails (id INTEGER, text TEXT, day TEXT, score REAL);
        INSERT INTO mails VALUES (1, 'write to ann@example.org', '2024-05-01', 0.5), (2, 'or to bob@example.org', '2024-05-02', NULL);";
    database.execute_batch(statements).expect("rows can be written");
    drop(database);
    let expected = ["id: int @key", "text: string @personal(email)", "day: date", "score: float?"];
    for files in [["a.jsonl"].as_slice(), &["a.jsonl.gz"], &["a.parquet"], &["a.sqlite", "--table", "mails"]] {
        let facts = inferred(&project, files);
        let block = facts["block"].as_str().expect("a block");
        assert_eq!(declared(block), expected, "{block}");
        assert_eq!(quarantined(&project, &facts), 0, "{block}");
    }
    let run = project.annotc(&["infer", "a.sqlite"]).expect(4);
    assert!(run.stderr.contains("several tables"), "{}", run.stderr);
}

/// The same records as a Parquet file.
fn parquet() -> Vec<u8> {
    use arrow::array::{ArrayRef, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray};
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", std::sync::Arc::new(Int64Array::from(vec![1, 2]))),
        ("text", std::sync::Arc::new(StringArray::from(vec!["write to ann@example.org", "or to bob@example.org"]))),
        ("day", std::sync::Arc::new(Date32Array::from(vec![19_844, 19_845]))),
        ("score", std::sync::Arc::new(Float64Array::from(vec![Some(0.5), None]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).expect("all columns have two rows");
    let mut writer = ::parquet::arrow::ArrowWriter::try_new(Vec::new(), batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("rows can be written");
    writer.into_inner().expect("a file")
}
