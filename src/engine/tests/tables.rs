//! Sources that are tables: the records that JSON Lines would have, types, and damage.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float32Array, Int64Array, LargeStringArray,
    ListArray, RecordBatch, StringArray, StructArray, TimestampMicrosecondArray, TimestampNanosecondArray, UInt64Array,
};
use arrow::datatypes::{DataType, Field, Int8Type, Schema};

use super::formats::{build_all, check, refused, rows, spec};
use super::{EngineError, Left, TINY, build};
use crate::engine::read::chunk::ChunkReader;
use crate::engine::read::shape::RowShape;
use crate::engine::read::{Scratch, Survey, Surveying};
use crate::hir::Column;

const FIELDS: &str = "id: int; text: string; day: date?; tags: list<string>?; score: float?";

/// A table of the shared fields: the same records as `JSON_RECORDS`, in types that differ.
fn batch() -> RecordBatch {
    let texts = StringArray::from(vec![Some("x"), Some("y"), None]);
    let offsets = arrow::buffer::OffsetBuffer::from_lengths([2, 0, 1]);
    let tags = ListArray::new(Arc::new(Field::new("item", DataType::Utf8, true)), offsets, Arc::new(texts), None);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(UInt64Array::from(vec![1, 2, u64::MAX]))),
        ("text", Arc::new(LargeStringArray::from(vec!["a", "b", "c"]))),
        ("day", Arc::new(Date32Array::from(vec![Some(19_844), None, None]))),
        ("tags", Arc::new(tags)),
        (
            "score",
            Arc::new(Decimal128Array::from(vec![Some(150), None, Some(1)]).with_precision_and_scale(9, 2).unwrap()),
        ),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true))).unwrap()
}

const JSON_RECORDS: &[u8] = b"{\"id\":1,\"text\":\"a\",\"day\":\"2024-05-01\",\"tags\":[\"x\",\"y\"],\"score\":1.5}
{\"id\":2,\"text\":\"b\",\"tags\":[]}
";

fn parquet(batches: &[RecordBatch], group: usize) -> Vec<u8> {
    let properties = ::parquet::file::properties::WriterProperties::builder()
        .set_max_row_group_row_count(Some(group))
        .set_compression(::parquet::basic::Compression::ZSTD(Default::default()))
        .build();
    let mut writer = ::parquet::arrow::ArrowWriter::try_new(Vec::new(), batches[0].schema(), Some(properties)).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.into_inner().unwrap()
}

fn arrow_file(batches: &[RecordBatch]) -> Vec<u8> {
    let mut writer = arrow::ipc::writer::FileWriter::try_new(Vec::new(), &batches[0].schema()).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.finish().unwrap();
    writer.into_inner().unwrap()
}

fn arrow_stream(batches: &[RecordBatch]) -> Vec<u8> {
    let mut writer = arrow::ipc::writer::StreamWriter::try_new(Vec::new(), &batches[0].schema()).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.finish().unwrap();
    writer.into_inner().unwrap()
}

fn avro(rows: &[(i64, &str)]) -> Vec<u8> {
    let ids = Int64Array::from(rows.iter().map(|(id, _)| *id).collect::<Vec<_>>());
    let texts = StringArray::from(rows.iter().map(|(_, text)| *text).collect::<Vec<_>>());
    let schema = Schema::new(vec![Field::new("id", DataType::Int64, false), Field::new("text", DataType::Utf8, false)]);
    let batch = RecordBatch::try_new(Arc::new(schema.clone()), vec![Arc::new(ids), Arc::new(texts)]).unwrap();
    let mut writer = arrow_avro::writer::AvroWriter::new(Vec::new(), schema).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    writer.into_inner()
}

/// The ids of the emitted records.
fn ids(left: &Left) -> Vec<String> {
    let audit = left.table("audit/records.parquet");
    let ids = arrow::compute::cast(&audit["id"], &DataType::Utf8).unwrap();
    let ids: &StringArray = arrow::array::AsArray::as_string(&ids);
    ids.iter().flatten().map(str::to_owned).collect()
}

#[test]
fn tables_have_the_records_and_identities_of_json_lines() {
    let lines = build(&spec("a.jsonl", "on_bad_row quarantine", FIELDS), &[(0, "a.jsonl", JSON_RECORDS)], TINY, 1);
    let lines = lines.unwrap();
    let errors = [(3, "field `id` is a number beyond 64 bits, expected a whole number")];
    let read = rows(&lines);
    let rows: Vec<&str> = read.iter().map(String::as_str).collect();
    let one_by_one: Vec<RecordBatch> = (0..3).map(|row| batch().slice(row, 1)).collect();
    for (name, data) in [
        ("a.parquet", parquet(&[batch()], 2)),
        ("a.arrow", arrow_file(&one_by_one)),
        ("a.arrows", arrow_stream(&one_by_one)),
    ] {
        let spec = spec(name, "on_bad_row quarantine", FIELDS);
        check(&spec, name, &data, &rows, &errors);
        let left = build(&spec, &[(0, name, &data)], TINY, 2).unwrap();
        assert_eq!(ids(&left)[..2], ids(&lines)[..2], "{name}");
        let wrong = spec.replace("id: int", "id: date");
        refused(
            &wrong,
            name,
            &data,
            "has values of the type UInt64 in column `id`, of which source `s` cannot make a date",
        );
        refused(&spec.replace("text: string", "words: string"), name, &data, "has no column `words`");
        for cut in [4, data.len() / 3, data.len() - 5] {
            refused(&spec, name, &data[..cut], "is damaged");
        }
    }
}

#[test]
fn types_of_tables() {
    let dictionary: DictionaryArray<Int8Type> = vec![Some("x"), None, Some("x")].into_iter().collect();
    let deep: ArrayRef = Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]));
    let inner = StructArray::from(vec![(Arc::new(Field::new("flag", DataType::Boolean, true)), deep)]);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("kind", Arc::new(dictionary)),
        ("at", Arc::new(TimestampNanosecondArray::from(vec![1_500, -1, i64::MAX]))),
        ("ratio", Arc::new(Float32Array::from(vec![0.5, f32::NAN, 2.0]))),
        ("deep", Arc::new(inner)),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true))).unwrap();
    let spec = spec(
        "a.parquet",
        "on_bad_row quarantine",
        "kind: string?; at: timestamp; ratio: float; flag: bool? @column(\"deep.flag\"); deep: { flag: bool? }",
    );
    let rows = [
        "{\"kind\":\"x\",\"at\":\"1970-01-01T00:00:00.000001Z\",\"ratio\":0.5,\"flag\":true,\"deep\":{\"flag\":true}}",
        "{\"kind\":\"x\",\"at\":\"2262-04-11T23:47:16.854775Z\",\"ratio\":2.0,\"flag\":false,\"deep\":{\"flag\":false}}",
    ];
    let errors = [(2, "field `ratio` is infinite or not a number, expected a number")];
    check(&spec, "a.parquet", &parquet(std::slice::from_ref(&batch), 1), &rows, &errors);
    let arrow = spec.replace("a.parquet", "a.arrow");
    check(&arrow, "a.arrow", &arrow_file(std::slice::from_ref(&batch)), &rows, &errors);
    check(&arrow, "a.arrow", &arrow_stream(&[batch]), &rows, &errors);
}

#[test]
fn days_beyond_the_calendar_are_bad_rows() {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("day", Arc::new(Date32Array::from(vec![-719_528, i32::MAX, 0, 0]))),
        ("at", Arc::new(TimestampMicrosecondArray::from(vec![0, 0, i64::MAX, 253_402_300_799_999_999]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let spec = spec("a.parquet", "on_bad_row quarantine", "day: date; at: timestamp");
    let rows = [
        "{\"day\":\"0000-01-01\",\"at\":\"1970-01-01T00:00:00Z\"}",
        "{\"day\":\"1970-01-01\",\"at\":\"9999-12-31T23:59:59.999999Z\"}",
    ];
    let errors = [
        (2, "field `day` is a date out of range, expected a date such as 2024-05-01"),
        (3, "field `at` is a moment out of range, expected a timestamp such as 2024-05-01T12:00:00Z"),
    ];
    check(&spec, "a.parquet", &parquet(&[batch], 4), &rows, &errors);
}

#[test]
fn records_of_avro() {
    let spec = spec("a.avro", "on_bad_row quarantine", "id: int @key; text: string");
    let data = avro(&[(1, "a"), (2, "b"), (1, "again")]);
    let rows = ["{\"id\":1,\"text\":\"a\"}", "{\"id\":2,\"text\":\"b\"}"];
    let left = build_all(&spec, "a.avro", &data).unwrap();
    assert_eq!(super::formats::rows(&left), rows);
    assert_eq!(left.quarantine().len(), 1, "a key that stands twice");
    for cut in [3, data.len() / 2, data.len() - 1] {
        refused(&spec, "a.avro", &data[..cut], "is damaged");
    }
}

#[test]
fn rows_of_a_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sqlite");
    let make = |statements: &str| {
        let _ = std::fs::remove_file(&path);
        rusqlite::Connection::open(&path).unwrap().execute_batch(statements).unwrap();
        std::fs::read(&path).unwrap()
    };
    let one = "CREATE TABLE \"odd \"\" name\" (id INTEGER PRIMARY KEY, body TEXT, ok INT, score REAL);
        CREATE INDEX i ON \"odd \"\" name\" (body);
        INSERT INTO \"odd \"\" name\" VALUES (1, 'b', 1, 2), (2, 'a', 7, 0.5), (3, x'00', 0, NULL), (4, 'a', 0, NULL);";
    let data = make(one);
    let spec = spec("a.sqlite", "on_bad_row quarantine", "text: string @column(\"body\"); ok: bool; score: float?");
    let rows = ["{\"text\":\"b\",\"ok\":true,\"score\":2.0}", "{\"text\":\"a\",\"ok\":false}"];
    let errors =
        [(2, "field `ok` is a number, expected true or false"), (3, "field `text` is binary data, expected a string")];
    check(&spec, "a.sqlite", &data, &rows, &errors);
    let two = make(&format!("{one} CREATE VIEW v AS SELECT 'v' AS body, 1 AS ok, NULL AS score;"));
    refused(&spec, "a.sqlite", &two, "has several tables: `odd \" name`, `v`");
    let view = spec.replace("on_bad_row quarantine", "format sqlite { table \"v\" }");
    check(&view, "a.sqlite", &two, &["{\"text\":\"v\",\"ok\":true}"], &[]);
    refused(&view.replace("\"v\"", "\"w\""), "a.sqlite", &two, "has no table `w`");
    refused(&spec, "a.sqlite", b"no database at all", "is no SQLite database");
    refused(&spec, "a.sqlite", &data[..data.len() / 2], "a.sqlite");
}

/// Reads all rows of a file, without a plan over them: how many there are, or why it cannot be read.
fn read_all(program: &crate::hir::Program, path: &Path) -> Result<usize, EngineError> {
    let (source, id) = (&program.sources[0], crate::hir::SourceId(0));
    let file = super::InputFile { location: path.to_owned(), name: "file".to_owned() };
    let (scratch, cancel) = (&Scratch::Unnamed(std::env::temp_dir()), AtomicBool::new(false));
    let mut work = Surveying { sizes: TINY, scratch, cancel: &cancel, progress: &mut |_| {} };
    let survey = Survey::of(vec![(id, source, file)], &mut work)?;
    let columns: Arc<[Column]> = program.datasets[0].columns.clone().into();
    let shape = Arc::new(RowShape::new(source, &columns));
    let all: Arc<[usize]> = (0..columns.len() + 4).collect();
    let mut rows = 0;
    for &chunk in &survey.chunks {
        let (shape, file) = (Arc::clone(&shape), Arc::new(survey.files[0].clone()));
        let mut reader = ChunkReader::new(shape, file, chunk, TINY, Arc::clone(&columns), Arc::clone(&all), None);
        while let Some(batch) = reader.next_batch()? {
            rows += batch.num_rows();
        }
    }
    Ok(rows)
}

#[test]
fn damaged_tables_end_a_build_and_no_process() {
    let batches = [batch().slice(0, 2)];
    let files = [
        ("a.parquet", parquet(&batches, 1)),
        ("a.arrow", arrow_file(&batches)),
        ("a.arrows", arrow_stream(&batches)),
        ("a.avro", avro(&[(1, "a"), (2, "b")])),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (name, data) in files {
        let fields = if name == "a.avro" { "id: int; text: string" } else { FIELDS };
        let program = super::program(&spec(name, "on_bad_row quarantine", fields));
        let path = folder.path().join(name);
        std::fs::write(&path, &data).unwrap();
        assert_eq!(read_all(&program, &path).unwrap(), 2, "{name}");
        let mut refused = 0;
        for at in (0..data.len()).step_by(3) {
            let mut damaged = data.clone();
            damaged[at] ^= 1 << (at % 8);
            std::fs::write(&path, &damaged).unwrap();
            refused += usize::from(read_all(&program, &path).is_err());
        }
        assert!(refused > data.len() / 60, "{name}: {refused} of {} damages were noticed", data.len());
    }
}
