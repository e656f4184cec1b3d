//! Formats of texts: archives, lists, dialects, encodings, documents; and what cannot be read by its name and place.

use std::io::Write;

use super::{EngineError, Left, Sizes, TINY, build};

/// The spec of one source of one file.
pub(super) fn spec(path: &str, format: &str, fields: &str) -> String {
    format!(
        "annot 1\nsource s {{ path \"{path}\"; {format}; fields {{ {fields} }}; license \"MIT\" }}\n\
         dataset d {{ from s; write parquet }}\n"
    )
}

/// Builds in three ways that must leave the same bytes, and gives one.
pub(super) fn build_all(spec: &str, name: &str, data: &[u8]) -> Result<Left, EngineError> {
    let first = build(spec, &[(0, name, data)], Sizes::default(), 1)?;
    for (sizes, jobs) in [(TINY, 2), (Sizes { chunk: 1, batch_rows: 1, ..TINY }, 1)] {
        let again = build(spec, &[(0, name, data)], sizes, jobs)?;
        assert_eq!(rows(&again), rows(&first), "{name} in other chunks");
        assert_eq!(again.text("quarantine.jsonl"), first.text("quarantine.jsonl"), "{name} in other chunks");
    }
    Ok(first)
}

/// The emitted rows as JSON without their ids, and without nulls.
pub(super) fn rows(left: &Left) -> Vec<String> {
    let table = left.table("parquet/train.parquet");
    let columns: Vec<usize> = (1..table.num_columns()).collect();
    let mut writer = arrow::json::LineDelimitedWriter::new(Vec::new());
    writer.write(&table.project(&columns).unwrap()).unwrap();
    writer.finish().unwrap();
    String::from_utf8(writer.into_inner()).unwrap().lines().map(str::to_owned).collect()
}

/// The rows that are written, and the lines and errors of the quarantine.
#[track_caller]
pub(super) fn check(spec: &str, name: &str, data: &[u8], expected: &[&str], quarantine: &[(u64, &str)]) {
    let left = build_all(spec, name, data).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(rows(&left), expected, "{name}");
    let errors = left.quarantine();
    let errors: Vec<(u64, &str)> = errors.iter().map(|(line, error)| (*line, error.as_str())).collect();
    assert_eq!(errors, quarantine, "{name}");
}

/// Why a file is refused as a whole.
#[track_caller]
pub(super) fn refused(spec: &str, name: &str, data: &[u8], message: &str) {
    let error = build(spec, &[(0, name, data)], TINY, 2).err().expect("it is refused").to_string();
    assert!(error.contains(message), "{error}");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn archives_are_read_as_what_is_in_them() {
    let first = b"{\"text\":\"a\"}\n{\"text\":7}\n".as_slice();
    let second = b"{\"text\":\"b\"}".as_slice();
    let rows = ["{\"text\":\"a\"}", "{\"text\":\"b\"}"];
    let errors = [(2, "field `text` is a number, expected a string")];
    for (name, pack) in [("a.jsonl.gz", gzip as fn(&[u8]) -> Vec<u8>), ("a.jsonl.zst", zstd)] {
        let spec = spec(name, "on_bad_row quarantine", "text: string");
        let packed = [pack(first), pack(second)].concat();
        check(&spec, name, &packed, &rows, &errors);
        // The file as it lies is what is hashed and measured.
        let left = build(&spec, &[(0, name, packed.as_slice())], TINY, 1).unwrap();
        let file = &left.built.outcome.sources[0].files[0];
        assert_eq!(
            (file.bytes, file.blake3.clone()),
            (packed.len() as u64, blake3::hash(&packed).to_hex().to_string())
        );
        for cut in [1, 9, packed.len() - 3] {
            refused(&spec, name, &packed[..cut], "is damaged: its");
        }
        let mut damaged = packed.clone();
        let middle = pack(first).len() / 2;
        damaged[middle] ^= 0x55;
        refused(&spec, name, &damaged, "is damaged: its");
        refused(&spec, name, first, "is damaged: its");
        // A row that nobody has room for takes none.
        let bomb = [first, &vec![b' '; 40 << 20], b"x\n", second].concat();
        let long = format!("row of {} bytes, longer than the cap of 8388608 bytes", (40 << 20) + 1);
        check(&spec, name, &pack(&bomb), &rows, &[errors[0], (3, &long)]);
    }
}

#[test]
fn a_source_says_how_long_a_row_may_be() {
    let spec = spec("a.jsonl", "row at most 1 KiB", "text: string");
    let data = format!("{{\"text\":\"a\"}}\n{{\"text\":\"{}\"}}\n", "x".repeat(1100));
    check(
        &spec,
        "a.jsonl",
        data.as_bytes(),
        &["{\"text\":\"a\"}"],
        &[(2, "row of 1111 bytes, longer than the cap of 1024 bytes")],
    );
}

#[test]
fn a_list_of_objects() {
    let at_top = spec("a.json", "on_bad_row quarantine", "text: string");
    let squad = spec("a.json", "format json { at \"data.rows\" }", "text: string");
    let data = b"[ {\"text\": \"a\\n]\"},\n {\"text\":\n\"b\"}, 7, {\"text\":\"c\" \"d\"}, , {\"text\":\"e\xff\"} ]";
    let rows = ["{\"text\":\"a\\n]\"}", "{\"text\":\"b\"}"];
    let errors = [
        (3, "the element is a number, expected an object"),
        (4, "malformed JSON at byte 13 of the element"),
        (5, "malformed JSON at byte 1 of the element"),
        (6, "invalid UTF-8 at byte 11 of the row"),
    ];
    check(&at_top, "a.json", data, &rows, &errors);
    let wrapped = [b"{\"version\":[1],\"data\":{\"x\":{},\"rows\":".as_slice(), data, b"}}"].concat();
    check(&squad, "a.json", &wrapped, &rows, &errors);
    check(&at_top, "a.json", b"[]", &[], &[]);
    refused(&at_top, "a.json", b"[{\"text\":\"a\"}", "is damaged: it ends before its list does");
    refused(&at_top, "a.json", b"{\"text\":\"a\"}", "is no list of JSON");
    refused(&squad, "a.json", b"{\"data\":[]}", "has no list at the keys that `at` names");
    refused(&at_top, "a.json", b" \n", "is empty, and no list of JSON");
    refused(&at_top, "a.json", b"\xff\xfe[\0]\0", "begins with the byte order mark of UTF-16");
}

#[test]
fn rows_of_values_in_their_dialects() {
    let of = |format: &str| spec("a.csv", format, "text: string; n: int?");
    let semicolons = of("format csv { delimiter \";\"; quote \"'\"; escape \"\\\\\" }");
    let data = b"text;n\n'it''s; \\'so\\'\nhere';1\na\\;b;\nx;1;2\n";
    let rows = ["{\"text\":\"it's; 'so'\\nhere\",\"n\":1}", "{\"text\":\"a;b\"}"];
    check(&semicolons, "a.csv", data, &rows, &[(5, "3 fields, the header has 2")]);
    let headless = of("format csv { header off }");
    check(&headless, "a.csv", b"a,1\nb\n", &["{\"text\":\"a\",\"n\":1}"], &[(2, "1 values, the source has 2 fields")]);
    let numbered = spec("a.csv", "format csv { header off }", "n: int @column(\"3\"); text: string @column(\"1\")");
    let rows = ["{\"n\":1,\"text\":\"a\"}", "{\"n\":2,\"text\":\"b\"}"];
    check(&numbered, "a.csv", b"a,x,1\nb,x,2,y\nc,x\n", &rows, &[(3, "2 values, column 3 is read")]);
    let tabs = spec("a.tsv", "format tsv { quote off }", "text: string; n: int?");
    check(&tabs, "a.tsv", b"text\tn\n\"a\t1\n", &["{\"text\":\"\\\"a\",\"n\":1}"], &[]);
}

#[test]
fn texts_in_other_encodings() {
    let western = spec("a.csv", "format csv { encoding \"windows-1252\" }", "text: string");
    check(&western, "a.csv", b"text\ncaf\xe9\n", &["{\"text\":\"café\"}"], &[]);
    let japanese = spec("a.jsonl", "format jsonl { encoding \"shift_jis\" }", "text: string");
    let data = b"{\"text\":\"\x93\xfa\"}\n{\"text\":\"\x93\xfa\xff\"}\n";
    let errors = [(2, "bytes that are no Shift_JIS behind 10 characters of the row")];
    check(&japanese, "a.jsonl", data, &["{\"text\":\"日\"}"], &errors);
    let wide: Vec<u8> = "\u{feff}a\nb\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let lines = spec("a.txt.gz", "format text { encoding \"utf-16le\" }", "text: string");
    check(&lines, "a.txt.gz", &gzip(&wide), &["{\"text\":\"a\"}", "{\"text\":\"b\"}"], &[]);
    let unsaid = spec("a.txt.gz", "format text", "text: string");
    refused(&unsaid, "a.txt.gz", &gzip(&wide), "begins with the byte order mark of UTF-16");
}

#[test]
fn plain_texts_and_documents() {
    let by =
        |unit: &str| spec("a.txt", &format!("format text {{ by {unit} }}"), "text: string; line: int; path: string");
    let data = b"one\r\ntwo\n\n \nthree\n";
    let row = |text: &str, line| format!("{{\"text\":\"{text}\",\"line\":{line},\"path\":\"a.txt\"}}");
    let rows = [row("one", 1), row("two", 2), row("three", 5)];
    check(&by("line"), "a.txt", data, &rows.each_ref().map(String::as_str), &[]);
    let rows = [row("one\\r\\ntwo", 1), row("three", 5)];
    check(&by("paragraph"), "a.txt", data, &rows.each_ref().map(String::as_str), &[]);
    let spaced = [row("one ", 1), row("two", 3)];
    check(&by("paragraph"), "a.txt", b"one \n \t\ntwo\n  \n", &spaced.each_ref().map(String::as_str), &[]);
    let whole = row("one\\r\\ntwo\\n\\n \\nthree", 1);
    check(&by("file"), "a.txt", data, &[&whole], &[]);

    let markdown = spec("a.md", "on_bad_row quarantine", "title: string; tags: list<string>?; text: string");
    let data = b"---\ntitle: \"T\"\ntags: [x]\n---\n# H\nbody\n";
    check(&markdown, "a.md", data, &["{\"title\":\"T\",\"tags\":[\"x\"],\"text\":\"# H\\nbody\"}"], &[]);
    check(&markdown, "a.md", b"---\ntags: 1\n---\n# H\n", &[], &[(1, "field `tags` is a number, expected a list")]);
    check(&markdown, "a.md", b"no title\n", &[], &[(1, "missing field `title`")]);
    check(&markdown, "a.md", b"---\na: [\n---\nx", &[], &[(1, "the front matter is no YAML at line 3 of the file")]);
    let html = spec("a.html", "on_bad_row quarantine", "title: string?; text: string");
    let page = b"<head><title>A &amp; B</title></head><body><script>x</script><p>one<p>two";
    check(&html, "a.html", page, &["{\"title\":\"A & B\",\"text\":\"one\\ntwo\"}"], &[]);
}

#[test]
fn what_stands_behind_the_last_member_of_an_archive_is_zeros_or_told() {
    let lines = spec("a.jsonl.gz", "on_bad_row quarantine", "text: string");
    let packed = gzip(b"{\"text\": \"one\"}\n");
    let padded = [&packed[..], &[0; 512]].concat();
    check(&lines, "a.jsonl.gz", &padded, &["{\"text\":\"one\"}"], &[]);
    let garbage = [&packed[..], b"{}"].concat();
    refused(&lines, "a.jsonl.gz", &garbage, &format!("from byte {} on", packed.len()));
}

#[test]
fn pages_are_read_in_the_encoding_that_they_declare() {
    let html = |options: &str| spec("a.html", &format!("format html {options}; on_bad_row quarantine"), "text: string");
    let cyrillic = b"<head><meta charset=windows-1251></head><p>\xcf\xf0\xe8\xe2\xe5\xf2";
    check(&html(""), "a.html", cyrillic, &["{\"text\":\"Привет\"}"], &[]);
    // What the source says goes before what the page says.
    check(&html("{ encoding \"windows-1252\" }"), "a.html", cyrillic, &["{\"text\":\"Ïðèâåò\"}"], &[]);
    let marked: Vec<u8> = "\u{feff}<p>été".encode_utf16().flat_map(u16::to_le_bytes).collect();
    check(&html(""), "a.html", &marked, &["{\"text\":\"été\"}"], &[]);
    check(&html(""), "a.html", b"<p>caf\xe9", &[], &[(1, "invalid UTF-8 at byte 7 of the row")]);
    let packed = spec("a.html.gz", "format html; on_bad_row quarantine", "text: string");
    check(&packed, "a.html.gz", &gzip(cyrillic), &["{\"text\":\"Привет\"}"], &[]);
}

#[test]
fn sentences_with_tags() {
    let spec = spec("a.conll", "on_bad_row quarantine", "tokens: list<string>; tags: list<string>; text: string");
    let data = b"-DOCSTART- -X- O\n\nEU NNP B-ORG\n# NNP O\n\n\n# a comment of five words\nx\tB\ny\tO\n\nz O\nbroken\n";
    let rows = [
        "{\"tokens\":[\"EU\",\"#\"],\"tags\":[\"B-ORG\",\"O\"],\"text\":\"EU #\"}",
        "{\"tokens\":[\"x\",\"y\"],\"tags\":[\"B\",\"O\"],\"text\":\"x y\"}",
    ];
    check(&spec, "a.conll", data, &rows, &[(11, "token 2 has 1 columns, the first one has 2")]);
}
