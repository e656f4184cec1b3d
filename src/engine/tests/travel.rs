//! A scan that travelled to another process reads what it would have read here.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::ipc::writer::StreamWriter;
use datafusion::catalog::TableProvider;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;
use futures::TryStreamExt;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

use super::super::EngineError;
use super::super::read::scan::ChunkScan;
use super::super::read::{Chunk, ChunkTable, Keep, Scratch, Survey, Surveying};
use super::super::spool::Folder;
use super::{InputFile, TINY, program};
use crate::hir::{Program, SourceId};

const SPEC: &str = r#"annot 1
source s { path "a.jsonl"; license "MIT"; fields { text: string @personal(email); n: int?; tags: list<string>? } }
source t { path "b.csv"; license "MIT"; on_bad_row fail; fields { text: string @column("message") } }
source u { path "c.parquet"; license "MIT"; fields { text: string } }
source v { path "d.jsonl.gz"; license "MIT"; fields { text: string } }
source w { path "e.arrows"; license "MIT"; fields { text: string } }
source x { path "https://example.org/f.parquet"; license "MIT"; fields { text: string } }
policy p { redact @personal: email }
dataset d { from s, t, u, v, w, x; policy p; write parquet }
"#;

/// Of each chunk the first record alone, and of a file's first chunk none.
#[derive(Debug)]
struct First;

impl Keep for First {
    fn offsets(&self, chunk: &Chunk) -> Result<Arc<[u64]>, EngineError> {
        Ok(if chunk.start == 0 { Arc::from([]) } else { Arc::from([chunk.start]) })
    }
}

fn batches(scan: &ChunkScan, partition: usize) -> Vec<RecordBatch> {
    read(scan, partition).unwrap()
}

fn read(scan: &ChunkScan, partition: usize) -> datafusion::common::Result<Vec<RecordBatch>> {
    let context = SessionContext::new().task_ctx();
    futures::executor::block_on(scan.execute(partition, context)?.try_collect())
}

/// The bytes of each source's file, of which some must be unpacked, converted or fetched.
fn files() -> [(&'static str, Vec<u8>); 6] {
    let jsonl: String = (0..60).map(|n| format!("{{\"text\":\"é {n}\",\"n\":{n},\"tags\":[\"x\",\"y\"]}}\n")).collect();
    let csv: String = (0..60).map(|n| format!("{n},\"line\n{n}\"\n")).collect();
    let column: ArrayRef = Arc::new(StringArray::from_iter_values((0..200).map(|n| format!("row {n}"))));
    let batch = RecordBatch::try_from_iter([("text", column)]).unwrap();
    let groups = WriterProperties::builder().set_max_row_group_row_count(Some(70)).build();
    let mut parquet = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(groups)).unwrap();
    parquet.write(&batch).unwrap();
    let parquet = parquet.into_inner().unwrap();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(jsonl.as_bytes()).unwrap();
    let mut stream = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    stream.write(&batch).unwrap();
    [
        ("a.jsonl", (jsonl + "{\"text\":7}\n").into_bytes()),
        ("b.csv", format!("id,message\n{csv}").into_bytes()),
        ("c.parquet", parquet.clone()),
        ("d.jsonl.gz", packed.finish().unwrap()),
        ("e.arrows", stream.into_inner().unwrap()),
        ("https://example.org/f.parquet", parquet),
    ]
}

/// The table of all files, which lie in this folder, with what was unpacked.
fn table(program: &Program, folder: &Path) -> (ChunkTable, Vec<Chunk>) {
    let named = (0..).map(SourceId).zip(files()).map(|(id, (name, bytes))| {
        let location = folder.join(name.rsplit('/').next().unwrap());
        std::fs::write(&location, bytes).unwrap();
        (id, &program[id], InputFile { location, name: name.to_owned() })
    });
    let (scratch, cancel) = (Scratch::Named(Arc::new(Folder::create(folder).unwrap())), Arc::default());
    let mut work = Surveying { sizes: TINY, scratch: &scratch, cancel: &cancel, progress: &mut |_| {} };
    let survey = Survey::of(named.collect(), &mut work).unwrap();
    let chunks = survey.chunks.clone();
    (ChunkTable::new(survey, &program.datasets[0].columns, |source| &program[source], Arc::clone(&cancel)), chunks)
}

/// A scan of some of its columns.
fn scan(table: &ChunkTable) -> Arc<dyn ExecutionPlan> {
    let state = SessionContext::new().state();
    futures::executor::block_on(table.scan(&state, Some(&vec![0, 2, 3, 5]), &[], None)).unwrap()
}

#[test]
fn a_scan_travels() {
    let (folder, program) = (tempfile::tempdir().unwrap(), program(SPEC));
    let (table, chunks) = table(&program, folder.path());
    assert!(chunks.len() > 12 && chunks.last().unwrap().file == 5, "{chunks:?}");
    for table in [table.clone(), table.keeping(Arc::new(First))] {
        let scan = scan(&table);
        let scan = scan.downcast_ref::<ChunkScan>().unwrap();
        // The last chunks first: each partition is known by its chunk, whatever its place.
        let chosen: Vec<usize> = (2..chunks.len()).rev().collect();
        let bytes = scan.of_partitions(&chosen).unwrap().encode().unwrap();
        let there = ChunkScan::decode(&bytes).unwrap();
        assert_eq!(there.schema(), scan.schema());
        for (partition, &chunk) in chosen.iter().enumerate() {
            assert_eq!(batches(&there, partition), batches(scan, chunk), "chunk {chunk}");
        }
        let rows: usize = (0..chosen.len()).flat_map(|at| batches(&there, at)).map(|batch| batch.num_rows()).sum();
        assert!(rows >= 4, "{rows} rows");
        assert!(scan.of_partitions(&[chunks.len()]).is_err(), "a partition that is not there");
        // Whatever is cut off or flipped: an error or another scan, never a panic.
        assert!((0..bytes.len()).all(|end| ChunkScan::decode(&bytes[..end]).is_err()));
        for at in (0..bytes.len()).step_by(7) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x55;
            let _ = ChunkScan::decode(&damaged);
        }
    }
}

#[test]
fn copies_go_with_their_build_and_are_missed_by_name() {
    let (folder, program) = (tempfile::tempdir().unwrap(), program(SPEC));
    let (table, chunks) = table(&program, folder.path());
    let here = scan(&table);
    let there = ChunkScan::decode(&here.downcast_ref::<ChunkScan>().unwrap().encode().unwrap()).unwrap();
    drop((here, table));
    std::fs::remove_file(folder.path().join("f.parquet")).unwrap();
    for (file, copy) in [(3, "spilled/build-"), (4, "spilled/build-"), (5, "f.parquet")] {
        let partition = chunks.iter().position(|chunk| chunk.file == file).unwrap();
        let error = read(&there, partition).unwrap_err().to_string();
        let (copy, name) = (folder.path().join(copy), files()[file].0);
        assert!(error.contains(&format!("cannot read {}", copy.display())), "{error}");
        assert!(error.contains("the build's copy of ") && error.contains(name), "{error}");
    }
    let left = std::fs::read_dir(folder.path().join("spilled")).unwrap();
    assert_eq!(left.flatten().filter(|entry| entry.path().is_dir()).count(), 0, "the folder of the build is gone");
}
