//! Reading the training table: one Parquet file for each part, a row for each record.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::TrainError;
use crate::emit::cell_value;

/// The column that holds record ids: no field can have its name.
pub const ID_COLUMN: &str = "record:id";

/// The column that holds conversations, as the JSON text `[{"role","content","train"}]`: no field or label can have its name.
pub const MESSAGES_COLUMN: &str = "record:messages";

/// Columns of a part, in the table's order.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The file it was read from.
    pub path: PathBuf,
    /// Record ids.
    pub ids: Vec<String>,
    columns: Vec<(String, Vec<Option<String>>)>,
}

impl Table {
    /// Reads the ids and the named columns, each as text; numbers become their decimal text, lists and records their JSON,
    /// null stays `None`.
    ///
    /// # Errors
    /// [`TrainError::Table`] where the file is no Parquet, lacks a column, or has a null or repeated id.
    pub fn read(path: &Path, columns: &[&str]) -> Result<Self, TrainError> {
        let refuse = |message: String| TrainError::Table { path: path.to_path_buf(), message };
        let file = File::open(path).map_err(TrainError::io(path))?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| refuse(error.to_string()))?;
        let wanted: Vec<&str> = std::iter::once(ID_COLUMN).chain(columns.iter().copied()).collect();
        let present: Vec<&str> = builder.schema().fields().iter().map(|field| field.name().as_str()).collect();
        if let Some(absent) = wanted.iter().find(|name| !present.contains(name)) {
            return Err(refuse(format!("there is no column `{absent}`; it has {}", present.join(", "))));
        }
        let mask = ProjectionMask::columns(builder.parquet_schema(), wanted.iter().copied());
        let reader = builder.with_projection(mask).build().map_err(|error| refuse(error.to_string()))?;
        let mut read: Vec<(String, Vec<Option<String>>)> =
            wanted.iter().map(|name| ((*name).to_owned(), Vec::new())).collect();
        for batch in reader {
            let batch = batch.map_err(|error| refuse(error.to_string()))?;
            for (name, values) in &mut read {
                let column =
                    batch.column_by_name(name).expect("the projection holds every wanted column, checked above");
                values.extend(texts(column).map_err(|message| refuse(format!("column `{name}`: {message}")))?);
            }
        }
        let (_, ids) = read.remove(0);
        let ids: Vec<String> =
            ids.into_iter().collect::<Option<_>>().ok_or_else(|| refuse("a record has no id".to_owned()))?;
        let mut sorted: Vec<&String> = ids.iter().collect();
        sorted.sort_unstable();
        if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(refuse(format!("the id {} stands there twice", twice[0])));
        }
        Ok(Self { path: path.to_path_buf(), ids, columns: read })
    }

    /// A column that was asked for when the table was read.
    ///
    /// # Panics
    /// Where it was not.
    #[must_use]
    pub fn column(&self, name: &str) -> &[Option<String>] {
        if name == ID_COLUMN {
            panic!("ids are read from the field `ids`");
        }
        let found = self.columns.iter().find(|(column, _)| column == name);
        &found.expect("a column is asked for when the table is read").1
    }
}

fn texts(column: &ArrayRef) -> Result<Vec<Option<String>>, String> {
    match column.data_type() {
        DataType::List(_) | DataType::Struct(_) => {
            let text = |row| {
                let value = cell_value(column, row)?;
                Ok((!value.is_null()).then(|| value.to_string()))
            };
            return (0..column.len()).map(text).collect();
        }
        DataType::Map(_, _) | DataType::Binary => {
            return Err(format!("{} cannot be read as text", column.data_type()));
        }
        _ => {}
    }
    let text = cast(column, &DataType::LargeUtf8).map_err(|error| error.to_string())?;
    let text = text.as_string::<i64>();
    Ok((0..text.len()).map(|row| text.is_valid(row).then(|| text.value(row).to_owned())).collect())
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, RecordBatch, StringArray};
    use arrow::datatypes::{Field, Schema};
    use parquet::arrow::ArrowWriter;

    use super::*;

    /// Writes a table of text columns.
    pub(crate) fn write_table(path: &Path, columns: &[(&str, Vec<&str>)]) {
        let fields: Vec<Field> = columns.iter().map(|(name, _)| Field::new(*name, DataType::Utf8, true)).collect();
        let arrays: Vec<ArrayRef> =
            columns.iter().map(|(_, values)| Arc::new(StringArray::from(values.clone())) as ArrayRef).collect();
        write_batch(path, Schema::new(fields), arrays);
    }

    /// Writes a table of columns of any type.
    pub(crate) fn write_columns(path: &Path, columns: &[(&str, ArrayRef)]) {
        let field = |(name, array): &(&str, ArrayRef)| Field::new(*name, array.data_type().clone(), true);
        let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
        write_batch(path, schema, columns.iter().map(|(_, array)| Arc::clone(array)).collect());
    }

    fn write_batch(path: &Path, schema: Schema, arrays: Vec<ArrayRef>) {
        let batch = RecordBatch::try_new(Arc::new(schema), arrays).expect("a batch");
        let file = File::create(path).expect("a file");
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("a writer");
        writer.write(&batch).expect("written");
        writer.close().expect("closed");
    }

    #[test]
    fn columns_are_read_as_text() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("train.parquet");
        let schema =
            Schema::new(vec![Field::new("stars", DataType::Int64, true), Field::new(ID_COLUMN, DataType::Utf8, false)]);
        let arrays: Vec<ArrayRef> =
            vec![Arc::new(Int64Array::from(vec![Some(4), None])), Arc::new(StringArray::from(vec!["a", "b"]))];
        write_batch(&path, schema, arrays);
        let table = Table::read(&path, &["stars"]).expect("read");
        assert_eq!(table.ids, ["a", "b"]);
        assert_eq!(table.column("stars"), [Some("4".to_owned()), None]);
        let message = Table::read(&path, &["text"]).expect_err("no such column").to_string();
        assert!(message.contains("no column `text`; it has stars, record:id"), "{message}");
        write_table(&path, &[(ID_COLUMN, vec!["a", "a"])]);
        assert!(Table::read(&path, &[]).is_err());
    }
}
