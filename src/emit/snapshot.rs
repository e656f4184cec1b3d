//! A built data set as it is compared with another: every record of the audit with its verdict, its labels and hashes of
//! its values. No text of a record is kept.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Map, Value};

use super::error::{AtPath, EmitError};
use super::manifest::Manifest;
use super::render::objects;
use super::staging::AUDIT;

/// A record's id as it is written: 32 hexadecimal digits.
pub type Id = Arc<str>;

/// What a build left of a data set.
#[derive(Debug)]
pub struct Snapshot {
    /// Its manifest.
    pub manifest: Manifest,
    /// All records in order of location.
    pub records: Vec<(Id, Fate)>,
    /// The values of the kept records, where a file has them by columns.
    pub values: Option<Values>,
    /// For each output the hash of each kept record's row.
    pub outputs: Vec<(String, HashMap<Id, u64>)>,
}

/// What became of a record.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fate {
    /// `kept`, `dropped` or `quarantined`.
    pub verdict: Arc<str>,
    /// The rule that decided.
    pub rule: Option<Arc<str>>,
    /// Its part.
    pub split: Option<Arc<str>>,
}

/// Values by record: hashes of all, and the labels' own.
#[derive(Debug, Default)]
pub struct Values {
    /// The columns that are no labels, in order.
    pub columns: Vec<String>,
    /// The labels' columns, in order.
    pub labels: Vec<String>,
    /// For each record a hash of each column, and the value of each label.
    pub rows: HashMap<Id, (Vec<u64>, Vec<Arc<str>>)>,
}

/// Equal texts once.
#[derive(Default)]
struct Interner(HashMap<String, Arc<str>>);

impl Interner {
    fn get(&mut self, text: &str) -> Arc<str> {
        match self.0.get(text) {
            Some(known) => Arc::clone(known),
            None => {
                let fresh: Arc<str> = Arc::from(text);
                self.0.insert(text.to_owned(), Arc::clone(&fresh));
                fresh
            }
        }
    }
}

impl Snapshot {
    /// Reads what a build left in a data set's folder; `None` where it left nothing.
    ///
    /// # Errors
    /// Files that cannot be read, or are not what the manifest says.
    pub fn read(folder: &Path) -> Result<Option<Self>, EmitError> {
        let Some(manifest) = Manifest::read(folder)? else { return Ok(None) };
        let mut interner = Interner::default();
        let mut records = Vec::new();
        let path = folder.join(AUDIT);
        each_batch(&path, &mut |batch| {
            let wrong =
                || EmitError::Unreadable { path: path.clone(), reason: "its columns are not an audit's".to_owned() };
            records.extend(audit_rows(batch, &mut interner).ok_or_else(wrong)?);
            Ok(())
        })?;
        let mut snapshot = Self { manifest, records, values: None, outputs: Vec::new() };
        snapshot.read_outputs(folder, &mut interner)?;
        if snapshot.values.is_none() {
            snapshot.read_table(folder, &mut interner)?;
        }
        Ok(Some(snapshot))
    }

    /// The ids of a part's records: the rows of its files stand in this order.
    fn ids_of(&self, part: &str) -> Vec<Id> {
        let of_part = self.records.iter().filter(|(_, fate)| fate.split.as_deref() == Some(part));
        of_part.map(|(id, _)| Arc::clone(id)).collect()
    }

    /// Hashes the rows of all outputs; the first one that has columns gives the values.
    fn read_outputs(&mut self, folder: &Path, interner: &mut Interner) -> Result<(), EmitError> {
        let files = self.manifest.outputs.clone();
        let typed = ["parquet", "jsonl"];
        let of_values = typed.iter().find_map(|format| files.iter().find(|file| file.format == *format));
        let of_values = of_values.map(|file| file.output.clone());
        let mut values = None;
        for file in &files {
            let ids = self.ids_of(&file.part);
            let path = folder.join(&file.path);
            let mut hashes = Vec::with_capacity(ids.len());
            let mut taken = |row: &Map<String, Value>| {
                if of_values.as_ref() == Some(&file.output)
                    && let Some(id) = ids.get(hashes.len())
                {
                    values.get_or_insert_with(|| self.no_values(row)).take(id, row, interner);
                }
                hashes.push(hash(&Value::Object(row.clone()).to_string()));
            };
            match file.format.as_str() {
                "parquet" => each_batch(&path, &mut |batch| {
                    objects(batch).map_err(|error| unreadable(&path, error.message))?.iter().for_each(&mut taken);
                    Ok(())
                })?,
                "jsonl" => each_line(&path, &mut |line| {
                    taken(&serde_json::from_str(line).map_err(|error| unreadable(&path, error.to_string()))?);
                    Ok(())
                })?,
                _ => each_line(&path, &mut |line| {
                    hashes.push(hash(line));
                    Ok(())
                })?,
            }
            if hashes.len() != ids.len() {
                return Err(unreadable(&path, format!("{} rows, the audit has {}", hashes.len(), ids.len())));
            }
            let rows = ids.into_iter().zip(hashes);
            match self.outputs.iter_mut().find(|(name, _)| *name == file.output) {
                Some((_, known)) => known.extend(rows),
                None => self.outputs.push((file.output.clone(), rows.collect())),
            }
        }
        self.values = values;
        Ok(())
    }

    /// The values of a table that training read, where no output has columns.
    fn read_table(&mut self, folder: &Path, interner: &mut Interner) -> Result<(), EmitError> {
        let name =
            |path: &str| path.strip_prefix("training/").and_then(|rest| Some(rest.split_once('/')?.0.to_owned()));
        let Some(first) = self.manifest.files.iter().find_map(|file| name(&file.path)) else { return Ok(()) };
        let mut values: Option<Values> = None;
        for file in self.manifest.files.iter().filter(|file| name(&file.path).as_ref() == Some(&first)) {
            let path = folder.join(&file.path);
            each_batch(&path, &mut |batch| {
                for row in objects(batch).map_err(|error| unreadable(&path, error.message))? {
                    let id = row.values().next().and_then(Value::as_str).unwrap_or_default().to_owned();
                    values.get_or_insert_with(|| self.no_values(&row)).take(&Arc::from(id), &row, interner);
                }
                Ok(())
            })?;
        }
        self.values = values;
        Ok(())
    }

    /// No values yet, of rows with the columns of this one, whose first is the id.
    fn no_values(&self, row: &Map<String, Value>) -> Values {
        let labels: Vec<&str> =
            self.manifest.splits.iter().flat_map(|(_, part)| part.labels.iter().map(|(label, _)| label)).collect();
        let (labels, columns) = row.keys().skip(1).cloned().partition(|name| labels.contains(&name.as_str()));
        Values { columns, labels, rows: HashMap::new() }
    }
}

impl Values {
    fn take(&mut self, id: &Id, row: &Map<String, Value>, interner: &mut Interner) {
        let cell = |name: &String| row.get(name).map_or(0, |value| hash(&value.to_string()));
        // A list of values is compared as it is written.
        let label = |name: &String| match row.get(name) {
            Some(Value::String(name)) => name.clone(),
            value => value.map(Value::to_string).unwrap_or_default(),
        };
        let labels: Vec<String> = self.labels.iter().map(label).collect();
        let hashes = self.columns.iter().map(cell).collect();
        self.rows.insert(Arc::clone(id), (hashes, labels.iter().map(|label| interner.get(label)).collect()));
    }
}

fn audit_rows(batch: &RecordBatch, interner: &mut Interner) -> Option<Vec<(Id, Fate)>> {
    let column = |name: &str| batch.column_by_name(name)?.as_string_opt::<i32>();
    let (id, verdict, rule, split) = (column("id")?, column("verdict")?, column("rule")?, column("split")?);
    let mut text = |column: &StringArray, row: usize| column.is_valid(row).then(|| interner.get(column.value(row)));
    let row = |row: usize| {
        let fate = Fate { verdict: text(verdict, row)?, rule: text(rule, row), split: text(split, row) };
        Some((Arc::from(id.value(row)), fate))
    };
    (0..batch.num_rows()).map(row).collect()
}

fn each_batch(path: &Path, each: &mut dyn FnMut(&RecordBatch) -> Result<(), EmitError>) -> Result<(), EmitError> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).at("open", path)?)
        .and_then(|builder| builder.build())
        .at("read", path)?;
    for batch in reader {
        each(&batch.map_err(parquet::errors::ParquetError::from).at("read", path)?)?;
    }
    Ok(())
}

fn each_line(path: &Path, each: &mut dyn FnMut(&str) -> Result<(), EmitError>) -> Result<(), EmitError> {
    for line in BufReader::new(File::open(path).at("open", path)?).lines() {
        each(&line.at("read", path)?)?;
    }
    Ok(())
}

fn unreadable(path: &Path, reason: String) -> EmitError {
    EmitError::Unreadable { path: path.to_owned(), reason }
}

/// The first eight bytes of BLAKE3.
fn hash(text: &str) -> u64 {
    let digest = blake3::hash(text.as_bytes());
    u64::from_le_bytes(digest.as_bytes()[..8].try_into().expect("a digest has 32 bytes"))
}
