//! The chain from a specification to weights, as a run's folder holds it: what was trained on, in which order, with which
//! tokenizer and as which labels; read back, and held against the files beside it.
//!
//! ```text
//! provenance.json: spec ─ dataset ─ records (records.parquet) ─ data.order ─ settings ─ weights (model.onnx)
//! ```
//!
//! The ids with their lengths, the seed and the sizes of the batches say which record stood in which row of which step:
//! nothing is written while a run goes on, so that an interrupted one leaves the same chain.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, UInt32Array};
use arrow::datatypes::{DataType, Field, Schema, UInt32Type};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use serde_json::{Map, Value, json};

use super::TrainError;
use super::folder::{hash_file, hash_model};
use super::model::label_names;
use super::order::Passes;
use super::pack;
use super::tokenizer::{TOKENIZER_FILES, read_json};
use crate::emit::PROVENANCE;

/// The file with the records that were trained on.
pub(super) const RECORDS: &str = "records.parquet";

/// What settings say of how texts are generated is no part of what a text is to a model.
const FREE: &str = "generation_config.json";

/// What `config.json` has for whether outputs are one value's, several ones' or a number.
const PROBLEM_TYPE: &str = "problem_type";

/// A record that was trained on, with its length in tokens.
pub(super) type TrainedRecord = (String, u32);

/// Writes the records of a run, in the order of its table.
pub(super) fn write_records(path: &Path, records: &[TrainedRecord]) -> Result<(), TrainError> {
    let refuse = |message: String| TrainError::Table { path: path.to_path_buf(), message };
    let schema = Arc::new(Schema::new(vec![
        Field::new("id", DataType::Utf8, false),
        Field::new("tokens", DataType::UInt32, false),
    ]));
    let ids: ArrayRef = Arc::new(StringArray::from_iter_values(records.iter().map(|(id, _)| id)));
    let tokens: ArrayRef = Arc::new(UInt32Array::from_iter_values(records.iter().map(|(_, tokens)| *tokens)));
    let batch =
        RecordBatch::try_new(Arc::clone(&schema), vec![ids, tokens]).map_err(|error| refuse(error.to_string()))?;
    let file = File::create(path).map_err(TrainError::io(path))?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_dictionary_enabled(false)
        .set_created_by(format!("annotc {}", env!("CARGO_PKG_VERSION")))
        .build();
    let mut writer = ArrowWriter::try_new(file, schema, Some(properties)).map_err(|error| refuse(error.to_string()))?;
    writer.write(&batch).and_then(|()| writer.close()).map_err(|error| refuse(error.to_string()))?;
    Ok(())
}

fn read_records(path: &Path) -> Result<Vec<TrainedRecord>, TrainError> {
    let refuse = |message: String| TrainError::Table { path: path.to_path_buf(), message };
    let file = File::open(path).map_err(TrainError::io(path))?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)
        .and_then(ParquetRecordBatchReaderBuilder::build)
        .map_err(|error| refuse(error.to_string()))?;
    let mut records = Vec::new();
    for batch in reader {
        let batch = batch.map_err(|error| refuse(error.to_string()))?;
        let ids = batch.column_by_name("id").and_then(|column| column.as_string_opt::<i32>());
        let tokens = batch.column_by_name("tokens").and_then(|column| column.as_primitive_opt::<UInt32Type>());
        let (Some(ids), Some(tokens)) = (ids, tokens) else {
            return Err(refuse("it has no columns `id` and `tokens`".to_owned()));
        };
        records.extend((0..ids.len()).map(|row| (ids.value(row).to_owned(), tokens.value(row))));
    }
    Ok(records)
}

/// The hashes of a model folder's tokenizer and chat template, by file.
pub(super) fn tokenizer_hashes(folder: &Path) -> Result<Map<String, Value>, TrainError> {
    let there = TOKENIZER_FILES.iter().filter(|name| folder.join(name).is_file());
    there.map(|name| Ok(((*name).to_owned(), hash_file(&folder.join(name))?.into()))).collect()
}

/// Refuses a tokenizer, a chat template or labels that are not those that the model in the folder was trained with: by them its
/// numbers become what is said of a text. A folder that no run left has nothing to be held against.
///
/// # Errors
/// [`TrainError::Custody`] that names the file.
pub fn check_readings(folder: &Path) -> Result<(), TrainError> {
    let provenance = read_json(&folder.join(PROVENANCE))?;
    check_tokenizer(folder, &provenance)?;
    check_outputs(folder, &provenance)
}

fn check_tokenizer(folder: &Path, provenance: &Value) -> Result<(), TrainError> {
    let Some(recorded) = provenance["files"].as_object() else { return Ok(()) };
    let found = tokenizer_hashes(folder)?;
    let of = |files: &Map<String, Value>, name: &str| files.get(name).cloned();
    for name in TOKENIZER_FILES.iter().filter(|name| **name != FREE) {
        let what = match (of(recorded, name), of(&found, name)) {
            (recorded, found) if recorded == found => continue,
            (Some(_), Some(_)) => "is not the one that the model was trained with",
            (Some(_), None) => "is missing, and the model was trained with it",
            (None, _) => "was not there when the model was trained",
        };
        return Err(broken(&folder.join(name), what));
    }
    Ok(())
}

/// What of a trained model's configuration says how its outputs are read; nothing where they have no names.
pub(super) fn outputs(config: &Value, labels: &[String]) -> Option<Value> {
    (!labels.is_empty()).then(|| json!({"labels": labels, "problem_type": config.get(PROBLEM_TYPE)}))
}

/// Other members of `config.json` may be changed: what they say of a model decides no figure in silence.
fn check_outputs(folder: &Path, provenance: &Value) -> Result<(), TrainError> {
    let Some(recorded) = provenance["outputs"]["labels"].as_array() else { return Ok(()) };
    let path = folder.join("config.json");
    let config = read_json(&path)?;
    let found = label_names(&config);
    if found.len() != recorded.len() {
        let (found, recorded) = (found.len(), recorded.len());
        return Err(broken(
            &path,
            &format!("names {found} labels (`id2label`), and the model was trained with {recorded}"),
        ));
    }
    let mut outputs = found.iter().zip(recorded).enumerate();
    if let Some((at, (found, recorded))) = outputs.find(|(_, (found, recorded))| *found != *recorded) {
        let recorded = recorded.as_str().unwrap_or_default();
        return Err(broken(
            &path,
            &format!("calls output {at} `{found}` (`id2label`), and the model was trained with `{recorded}`"),
        ));
    }
    if config.get(PROBLEM_TYPE).unwrap_or(&Value::Null) != &provenance["outputs"][PROBLEM_TYPE] {
        return Err(broken(&path, "has another `problem_type` than the model was trained with"));
    }
    Ok(())
}

fn broken(path: &Path, what: &str) -> TrainError {
    TrainError::Custody { path: path.to_path_buf(), what: what.to_owned() }
}

/// A finished run's records, held against its provenance.
pub struct Custody {
    folder: PathBuf,
    /// What decided the weights.
    pub provenance: Value,
    records: Vec<TrainedRecord>,
    plan: Plan,
}

/// What of a run's settings says where its records went.
#[derive(Debug, Clone, Copy)]
struct Plan {
    seed: Option<u64>,
    batch: usize,
    accumulate: usize,
    steps: u64,
    pack: bool,
    /// The step whose weights are the model's.
    kept: u64,
}

/// A record that a run was trained on, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordUses {
    /// Its id.
    pub id: String,
    /// Its length.
    pub tokens: u32,
    /// In order.
    pub uses: Vec<RecordUse>,
}

/// One time that a run was trained on a record. All is counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordUse {
    /// The pass over the training table.
    pub epoch: u64,
    /// The optimizer step.
    pub step: u64,
    /// The micro-batch of the step.
    pub micro_batch: usize,
    /// The row of the micro-batch.
    pub row: usize,
    /// The records that stood in the same row, in their order; where records are not packed none.
    pub beside: Vec<String>,
    /// Whether the step is among those that led to the model's weights.
    pub in_weights: bool,
}

impl Custody {
    /// Reads the chain of a run's folder and holds every link of it against the files: the records, their order, the
    /// weights, what is read by them and what they say.
    ///
    /// # Errors
    /// [`TrainError::Custody`] that names what is not what the run left; a file that cannot be read.
    pub fn open(folder: &Path) -> Result<Self, TrainError> {
        let path = folder.join(PROVENANCE);
        if !path.is_file() {
            let message =
                "no such file; it says which records a run was trained on, and lies in the folder of each finished run";
            return Err(TrainError::ModelFile { path, message: message.to_owned() });
        }
        let provenance = read_json(&path)?;
        let records_path = folder.join(RECORDS);
        let Some(plan) = Plan::read(&provenance["settings"]).filter(|_| provenance["records"].is_object()) else {
            return Err(broken(&path, "is no provenance that says which records were trained on"));
        };
        if hash_file(&records_path)? != provenance["records"]["blake3"] {
            return Err(broken(&records_path, "is not the list of records that the run left"));
        }
        if hash_model(folder)? != provenance["weights"] {
            return Err(broken(&folder.join("model.onnx"), "does not have the weights that the run left"));
        }
        check_tokenizer(folder, &provenance)?;
        check_outputs(folder, &provenance)?;
        let custody = Self { folder: folder.to_path_buf(), records: read_records(&records_path)?, provenance, plan };
        if custody.order() != custody.provenance["data"]["order"] {
            return Err(broken(&path, "tells of another order of the records than its settings lead to"));
        }
        Ok(custody)
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// How many records were trained on.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether none was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The step whose weights are the model's.
    #[must_use]
    pub fn weights_step(&self) -> u64 {
        self.plan.kept
    }

    fn passes(&self) -> Passes {
        let ids = self.records.iter().map(|(id, _)| id.clone()).collect();
        Passes::over(ids, self.plan.seed, self.plan.batch, self.plan.accumulate)
    }

    /// BLAKE3 over the record ids in the order in which they were trained on.
    fn order(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        if !self.is_empty() {
            let mut passes = self.passes();
            for step in 1..=self.plan.steps {
                passes.rows(step).iter().for_each(|at| {
                    hasher.update(self.records[*at].0.as_bytes());
                });
            }
        }
        hasher.finalize().to_hex().to_string()
    }

    /// When the records whose ids begin so were trained on, in the order of their ids.
    #[must_use]
    pub fn uses(&self, prefix: &str) -> Vec<RecordUses> {
        let wanted = |at: usize| self.records[at].0.starts_with(prefix);
        let found = (0..self.records.len()).filter(|at| wanted(*at));
        let mut traced: Vec<(usize, RecordUses)> = found
            .map(|at| {
                let (id, tokens) = self.records[at].clone();
                (at, RecordUses { id, tokens, uses: Vec::new() })
            })
            .collect();
        if traced.is_empty() {
            return Vec::new();
        }
        let mut passes = self.passes();
        for step in 1..=self.plan.steps {
            let epoch = (step - 1) / passes.per_epoch + 1;
            for (batch, micro_batch) in passes.rows(step).chunks(self.plan.batch).zip(1..) {
                if !batch.iter().any(|at| wanted(*at)) {
                    continue;
                }
                for (row, number) in self.rows(batch).into_iter().zip(1..) {
                    for (at, record) in &mut traced {
                        if row.contains(at) {
                            let others = row.iter().filter(|other| *other != at);
                            let beside = others.map(|other| self.records[*other].0.clone()).collect();
                            let in_weights = step <= self.plan.kept;
                            record.uses.push(RecordUse { epoch, step, micro_batch, row: number, beside, in_weights });
                        }
                    }
                }
            }
        }
        traced.sort_by(|(_, a), (_, b)| a.id.cmp(&b.id));
        traced.into_iter().map(|(_, record)| record).collect()
    }

    /// The rows of a micro-batch, as places among the records.
    fn rows(&self, batch: &[usize]) -> Vec<Vec<usize>> {
        if !self.plan.pack {
            return batch.iter().map(|at| vec![*at]).collect();
        }
        let lengths: Vec<usize> = batch.iter().map(|at| self.records[*at].1 as usize).collect();
        pack::rows(&lengths).into_iter().map(|row| row.into_iter().map(|at| batch[at]).collect()).collect()
    }
}

impl Plan {
    fn read(settings: &Value) -> Option<Self> {
        let whole = |name: &str| usize::try_from(settings[name].as_u64()?).ok().filter(|number| *number > 0);
        let steps = settings["steps"].as_u64()?;
        let seed = settings["seed"].as_u64()?;
        Some(Self {
            seed: settings["shuffle"].as_bool()?.then_some(seed),
            batch: whole("batch")?,
            accumulate: whole("accumulate")?,
            steps,
            pack: settings["pack"].as_bool()?,
            kept: settings["best_step"].as_u64().unwrap_or(steps),
        })
    }
}
