//! A scan that travelled to another process reads what it would have read here.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::catalog::TableProvider;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;
use futures::TryStreamExt;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

use super::super::EngineError;
use super::super::read::scan::ChunkScan;
use super::super::read::{Chunk, ChunkTable, Keep, Survey, Surveying};
use super::{InputFile, TINY, program};
use crate::hir::SourceId;

const SPEC: &str = r#"annot 1
source s { path "a.jsonl"; license "MIT"; fields { text: string @personal(email); n: int?; tags: list<string>? } }
source t { path "b.csv"; license "MIT"; on_bad_row fail; fields { text: string @column("message") } }
source u { path "c.parquet"; license "MIT"; fields { text: string } }
policy p { redact @personal: email }
dataset d { from s, t, u; policy p; write parquet }
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
    let context = SessionContext::new().task_ctx();
    futures::executor::block_on(scan.execute(partition, context).unwrap().try_collect()).unwrap()
}

#[test]
fn a_scan_travels() {
    let folder = tempfile::tempdir().unwrap();
    let jsonl: String = (0..60).map(|n| format!("{{\"text\":\"é {n}\",\"n\":{n},\"tags\":[\"x\",\"y\"]}}\n")).collect();
    let write = |name: &str, bytes: &[u8]| {
        let location = folder.path().join(name);
        std::fs::write(&location, bytes).unwrap();
        InputFile { location, name: name.to_owned() }
    };
    let csv: String = (0..60).map(|n| format!("{n},\"line\n{n}\"\n")).collect();
    let mut parquet = Vec::new();
    let column: ArrayRef = Arc::new(StringArray::from_iter_values((0..200).map(|n| format!("row {n}"))));
    let batch = RecordBatch::try_from_iter([("text", column)]).unwrap();
    let groups = WriterProperties::builder().set_max_row_group_row_count(Some(70)).build();
    let mut writer = ArrowWriter::try_new(&mut parquet, batch.schema(), Some(groups)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();

    let (program, cancel) = (program(SPEC), Arc::new(AtomicBool::new(false)));
    let texts = [jsonl + "{\"text\":7}\n", format!("id,message\n{csv}")];
    let named = ["a.jsonl", "b.csv", "c.parquet"].into_iter().zip([texts[0].as_bytes(), texts[1].as_bytes(), &parquet]);
    let files = (0..).map(SourceId).zip(named).map(|(id, (name, bytes))| (id, &program[id], write(name, bytes)));
    let scratch = folder.path().to_owned();
    let mut work = Surveying { sizes: TINY, scratch, cancel: &cancel, progress: &mut |_| {} };
    let survey = Survey::of(files.collect(), &mut work).unwrap();
    let chunks = survey.chunks.clone();
    assert!(chunks.len() > 6 && chunks.last().unwrap().file == 2, "{chunks:?}");
    let table = ChunkTable::new(survey, &program.datasets[0].columns, |source| &program[source], cancel);
    for table in [table.clone(), table.keeping(Arc::new(First))] {
        let state = SessionContext::new().state();
        let scan = futures::executor::block_on(table.scan(&state, Some(&vec![0, 2, 3, 5]), &[], None)).unwrap();
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
