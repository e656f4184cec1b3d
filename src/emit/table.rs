//! Parquet files whose bytes depend on their rows alone: not on how the rows came in batches, on a thread or a date.

use std::collections::VecDeque;
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::{Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::{WriterProperties, WriterVersion};

use super::error::{AtPath, EmitError};
use super::file::{Digest, HashedFile};

/// Rows of each write: page borders depend on how a writer is fed, so it is always fed alike.
const ROWS: usize = 4_096;

/// Encoded bytes from which on a row group is ended. What a file says of its row groups is in memory up to its end: were they
/// ended by rows alone, that would be the most of a large build's memory.
const GROUP: usize = 8 << 20;

/// A Parquet file in the making.
pub(crate) struct TableFile {
    schema: SchemaRef,
    writer: ArrowWriter<HashedFile>,
    /// Rows that wait until there are enough for a write.
    pending: VecDeque<RecordBatch>,
    pending_rows: usize,
    records: u64,
}

impl TableFile {
    /// Creates the file; metadata of the schema is left out.
    pub(crate) fn create(path: &Path, schema: &Schema) -> Result<Self, EmitError> {
        let schema = SchemaRef::new(plain_schema(schema));
        let properties = WriterProperties::builder()
            .set_writer_version(WriterVersion::PARQUET_1_0)
            .set_compression(Compression::SNAPPY)
            .set_max_row_group_row_count(None)
            .set_created_by("annotc version 1".to_owned())
            .build();
        let writer =
            ArrowWriter::try_new(HashedFile::create(path)?, schema.clone(), Some(properties)).at("write", path)?;
        Ok(Self { schema, writer, pending: VecDeque::new(), pending_rows: 0, records: 0 })
    }

    /// Adds the rows of a batch that has the file's columns.
    pub(crate) fn append(&mut self, batch: &RecordBatch) -> Result<(), EmitError> {
        let batch = RecordBatch::try_new(self.schema.clone(), batch.columns().to_vec())
            .map_err(parquet::errors::ParquetError::from)
            .at("write", self.writer.inner().path())?;
        self.records += batch.num_rows() as u64;
        self.pending_rows += batch.num_rows();
        self.pending.push_back(batch);
        while self.pending_rows >= ROWS {
            self.write(ROWS)?;
        }
        Ok(())
    }

    /// Writes what is left and gives the digest and the number of rows.
    pub(crate) fn finish(mut self) -> Result<(Digest, u64), EmitError> {
        if self.pending_rows > 0 {
            self.write(self.pending_rows)?;
        }
        let path = self.writer.inner().path().to_owned();
        let file = self.writer.into_inner().at("write", &path)?;
        Ok((file.finish()?, self.records))
    }

    /// Writes so many of the rows that wait. A batch is let go with its last row, so that few are held.
    fn write(&mut self, rows: usize) -> Result<(), EmitError> {
        let (mut some, mut wanted) = (Vec::new(), rows);
        while wanted > 0 {
            let batch = self.pending.pop_front().expect("as many rows wait as are counted");
            let (now, later) = (batch.num_rows().min(wanted), batch.num_rows().saturating_sub(wanted));
            some.push(batch.slice(0, now));
            if later > 0 {
                self.pending.push_front(batch.slice(now, later));
            }
            wanted -= now;
        }
        self.pending_rows -= rows;
        let path = self.writer.inner().path().to_owned();
        let whole =
            concat_batches(&self.schema, &some).map_err(parquet::errors::ParquetError::from).at("write", &path)?;
        drop(some);
        self.writer.write(&whole).at("write", &path)?;
        if self.writer.in_progress_size() >= GROUP { self.writer.flush().at("write", &path) } else { Ok(()) }
    }
}

/// The schema without metadata, whose order in the file would be that of a hash table.
fn plain_schema(schema: &Schema) -> Schema {
    let fields = schema.fields().iter();
    Schema::new(
        fields
            .map(|field| Field::new(field.name(), field.data_type().clone(), field.is_nullable()))
            .collect::<Vec<_>>(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Int64Array, StringArray};
    use arrow::datatypes::DataType;
    use std::sync::Arc;

    fn rows(from: i64, to: i64) -> RecordBatch {
        let schema = Schema::new(vec![Field::new("id", DataType::Utf8, false), Field::new("n", DataType::Int64, true)])
            .with_metadata([("b".to_owned(), "1".to_owned()), ("a".to_owned(), "2".to_owned())].into());
        let ids: StringArray = (from..to).map(|n| Some(format!("r{n}"))).collect();
        let numbers: Int64Array = (from..to).map(|n| (n % 3 != 0).then_some(n)).collect();
        RecordBatch::try_new(Arc::new(schema), vec![Arc::new(ids), Arc::new(numbers)]).expect("a batch")
    }

    fn written(batches: &[RecordBatch]) -> (Digest, u64) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut file = TableFile::create(&folder.path().join("t.parquet"), &rows(0, 0).schema()).expect("created");
        for batch in batches {
            file.append(batch).expect("appended");
        }
        file.finish().expect("finished")
    }

    #[test]
    fn bytes_do_not_depend_on_batches() {
        let whole = written(&[rows(0, 40_000)]);
        assert_eq!(whole.1, 40_000);
        assert_eq!(whole, written(&[rows(0, 1), rows(1, 20_000), rows(20_000, 20_000), rows(20_000, 40_000)]));
        assert_ne!(whole.0, written(&[rows(0, 39_999)]).0);
        assert_eq!(written(&[]).1, 0);
    }
}
