//! The files of a data set in the making: written beside the last good ones, published in one step.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use serde::Serialize;

use super::audit::{audit_batch, audit_schema};
use super::error::{AtPath, EmitError};
use super::file::{Digest, HashedFile, file_name, write_synced};
use super::manifest::{FileEntry, MANIFEST, Manifest, OutputEntry};
use super::render::{Rendered, identity_name, table_schema};
use super::statistics::{Gathered, STATISTICS, Sampled, duplicates};
use super::swap::Swap;
use super::table::TableFile;
use super::{Named, card, formats, report};
use crate::engine::{AuditRow, Gold, LabelOutcome, MissingRecord, Outcome, QuarantineRow, Verdict};
use crate::hir;
use crate::plan::normal::Parts;
use crate::statistics::Measured;

/// The audit's path in the data set's folder.
pub const AUDIT: &str = "audit/records.parquet";
/// The quarantine's path in the data set's folder.
pub const QUARANTINE: &str = "quarantine.jsonl";
/// The data card's path in the data set's folder.
pub const CARD: &str = "README.md";
/// The report's path in the folder of a data set or a run.
pub const REPORT: &str = "report.html";
/// The path of the list of records that fixed parts lost, in the data set's folder.
pub const MISSING: &str = "training/missing.jsonl";

/// The files of one data set while they are written. Dropped before it is committed, it leaves no trace.
pub struct Staging {
    swap: Swap,
    /// For each output, for each part.
    outputs: Vec<Vec<PartFile>>,
    audit: TableFile,
    quarantine: HashedFile,
    training: BTreeMap<String, TableFile>,
    /// Begun with the first table that training or evaluation reads.
    missing: Option<HashedFile>,
    seen: Seen,
    gathered: Gathered,
}

/// What identifies the spec that a data set was built from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// [`crate::plan::normal::declaration()`] of the data set.
    pub spec: String,
    /// Its parts.
    pub declared: Parts,
    /// [`super::fingerprint()`] of the data set.
    pub fingerprint: String,
}

/// The rows that the audit and the quarantine were given.
#[derive(Debug, Default)]
struct Seen {
    kept: u64,
    dropped: u64,
    quarantined: u64,
    quarantine: u64,
    repeats: u64,
}

/// A data file of one output and part.
struct PartFile {
    path: String,
    content: Content,
}

enum Content {
    Lines { file: Box<HashedFile>, records: u64 },
    Table(Box<TableFile>),
}

impl Staging {
    /// Begins the files of `dataset` under `out`; `batch` is the schema that is rendered: the id first, then the visible
    /// columns. A part or output that nothing is appended to gets an empty file, a Parquet one with its columns.
    ///
    /// # Errors
    /// [`EmitError::Busy`] while another process builds the same data set there, [`EmitError::Foreign`] where something
    /// that no build made would be replaced.
    pub fn create(
        out: &Path,
        program: &hir::Program,
        dataset: &hir::Dataset,
        batch: &Schema,
    ) -> Result<Self, EmitError> {
        let swap = Swap::begin(out, &file_name(&dataset.name))?;
        let folder = swap.staging();
        let part_file = |output: &hir::Output, part: &str| {
            let format = formats::row(output.format);
            let path = format!("{}/{}.{}", file_name(&output.name), file_name(part), format.extension);
            let content = if format.columnar {
                let schema = table_schema(batch, identity_name(dataset));
                Content::Table(Box::new(TableFile::create(&folder.join(&path), &schema)?))
            } else {
                Content::Lines { file: Box::new(HashedFile::create(&folder.join(&path))?), records: 0 }
            };
            Ok(PartFile { path, content })
        };
        let outputs = dataset
            .outputs
            .iter()
            .map(|output| dataset.split.parts.iter().map(|part| part_file(output, part)).collect())
            .collect::<Result<_, EmitError>>()?;
        Ok(Self {
            outputs,
            audit: TableFile::create(&folder.join(AUDIT), &audit_schema())?,
            quarantine: HashedFile::create(&folder.join(QUARANTINE))?,
            training: BTreeMap::new(),
            missing: None,
            seen: Seen::default(),
            gathered: Gathered::new(program, dataset),
            swap,
        })
    }

    /// Adds rendered rows to the file of an output (an index into `hir::Dataset::outputs`) and a part (into
    /// `hir::Split::parts`). Rows stand in the order of the calls.
    pub fn append(&mut self, output: usize, part: usize, rendered: Rendered) -> Result<(), EmitError> {
        match (&mut self.outputs[output][part].content, rendered) {
            (Content::Lines { file, records }, Rendered::Lines { bytes, records: added }) => {
                *records += added as u64;
                let path = file.path().to_owned();
                file.write_all(&bytes).at("write", &path)
            }
            (Content::Table(file), Rendered::Table(batch)) => file.append(&batch),
            (Content::Lines { .. }, Rendered::Table(_)) | (Content::Table(_), Rendered::Lines { .. }) => {
                unreachable!("an output's rows are rendered by the renderer of that output")
            }
        }
    }

    /// Adds rows to the audit, in order of location.
    pub fn audit(&mut self, rows: &[AuditRow<'_>]) -> Result<(), EmitError> {
        for row in rows {
            match row.verdict {
                Verdict::Kept => self.seen.kept += 1,
                Verdict::Dropped => self.seen.dropped += 1,
                Verdict::Quarantined => self.seen.quarantined += 1,
            }
            self.seen.repeats += u64::from(row.duplicate_of.is_some());
        }
        self.gathered.audited(rows);
        self.audit.append(&audit_batch(rows))
    }

    /// Adds rows to the quarantine, in order of location.
    pub fn quarantine(&mut self, rows: &[QuarantineRow<'_>]) -> Result<(), EmitError> {
        #[derive(Serialize)]
        struct Line<'a> {
            id: String,
            source: &'a str,
            file: &'a str,
            line: u64,
            offset: u64,
            error: &'a str,
        }
        self.seen.quarantine += rows.len() as u64;
        self.gathered.quarantined(rows);
        let mut text = Vec::new();
        for &QuarantineRow { id, source, file, line, offset, error } in rows {
            push_line(&mut text, &Line { id: id.to_string(), source, file, line, offset, error });
        }
        self.quarantine.write_all(&text).at("write", self.quarantine.path())
    }

    /// Adds rows to `training/<table>/<part>.parquet`; the first call, maybe without rows, settles the columns.
    pub fn training(&mut self, table: &str, part: &str, rows: &RecordBatch) -> Result<(), EmitError> {
        let path = format!("training/{}/{}.parquet", file_name(table), file_name(part));
        if !self.training.contains_key(&path) {
            if self.missing.is_none() {
                self.missing = Some(HashedFile::create(&self.swap.staging().join(MISSING))?);
            }
            let file = TableFile::create(&self.swap.staging().join(&path), &rows.schema())?;
            self.training.insert(path.clone(), file);
        }
        self.training.get_mut(&path).expect("the file was just created").append(rows)
    }

    /// Adds records that fixed parts lost to `training/missing.jsonl`, in order of location; `labels` are those that they
    /// have values of. A data set that nothing is trained on or evaluated with has no such list. Its lines are
    /// `{"id","source","file","line","part","verdict","rule","gold":{label: value}}`; a label whose value is not known is
    /// left out of `gold`.
    pub fn missing(
        &mut self,
        dataset: &hir::Dataset,
        labels: &[LabelOutcome],
        rows: &[MissingRecord],
    ) -> Result<(), EmitError> {
        #[derive(Serialize)]
        struct Line<'a> {
            id: String,
            source: &'a str,
            file: &'a str,
            line: u64,
            part: &'a str,
            verdict: &'static str,
            rule: &'a str,
            gold: BTreeMap<&'a str, &'a Gold>,
        }
        let Some(list) = &mut self.missing else { return Ok(()) };
        let mut text = Vec::new();
        for MissingRecord { id, source, file, line, part, verdict, rule, gold } in rows {
            let gold = labels.iter().zip(gold);
            let gold = gold.filter_map(|(label, value)| Some((label.name.as_str(), value.as_ref()?))).collect();
            let (id, part, verdict) = (id.to_string(), &dataset.split.parts[*part], verdict.name());
            push_line(&mut text, &Line { id, source, file, line: *line, part, verdict, rule, gold });
        }
        let path = list.path().to_owned();
        list.write_all(&text).at("write", &path)
    }

    /// Adds what was measured of emitted records of a part, column by column as [`super::statistics::measures`] has them.
    pub fn measured(&mut self, part: usize, measured: &[Measured]) {
        self.gathered.measured(part, measured);
    }

    /// The records of the audit so far that stand for those that a rule took out.
    pub fn samples(&self) -> &[Sampled] {
        self.gathered.samples()
    }

    /// Adds what is shown of each of the samples, in their order: nothing that is or was personal.
    pub fn sample_texts(&mut self, texts: Vec<Named<String>>) {
        self.gathered.texts(texts);
    }

    /// Ends all files and writes the statistics, the data card, the report and the manifest, after checking that no record vanished.
    ///
    /// # Errors
    /// [`EmitError::Sums`] where steps, audit, quarantine, parts and files disagree.
    pub fn finish(
        self,
        program: &hir::Program,
        dataset: &hir::Dataset,
        outcome: &Outcome,
        stamp: &Stamp,
    ) -> Result<Finished, EmitError> {
        self.seen.check(outcome)?;
        let folder = self.swap.staging();
        let mut manifest = Manifest::new(program, dataset, outcome);
        manifest.spec.clone_from(&stamp.spec);
        manifest.declared.clone_from(&stamp.declared);
        manifest.fingerprint.clone_from(&stamp.fingerprint);
        for (output, parts) in dataset.outputs.iter().zip(self.outputs) {
            for (part, file) in dataset.split.parts.iter().zip(parts) {
                manifest.outputs.push(file.finish(output, part)?);
            }
        }
        manifest.check_sums()?;

        let mut files =
            vec![(AUDIT.to_owned(), self.audit.finish()?.0), (QUARANTINE.to_owned(), self.quarantine.finish()?)];
        if let Some(missing) = self.missing {
            files.push((MISSING.to_owned(), missing.finish()?));
        }
        for (path, table) in self.training {
            files.push((path, table.finish()?.0));
        }
        let mut statistics = self.gathered.finish(program, dataset, &manifest);
        statistics.duplicates = duplicates(&folder.join(AUDIT), self.seen.repeats)?;
        for (name, text) in
            [(CARD, card::card(program, dataset, &manifest, &statistics)), (STATISTICS, statistics.to_json())]
        {
            files.push((name.to_owned(), write_synced(&folder.join(name), text.as_bytes())?));
        }
        manifest.files = files.into_iter().map(|(path, digest)| FileEntry { path, digest }).collect();
        manifest.files.sort_by(|left, right| left.path.cmp(&right.path));
        // The report names all other files with their hashes.
        let page = report::page(&manifest, Some(&statistics), &[]);
        let digest = write_synced(&folder.join(REPORT), page.as_bytes())?;
        manifest.files.push(FileEntry { path: REPORT.to_owned(), digest });
        manifest.files.sort_by(|left, right| left.path.cmp(&right.path));
        write_synced(&folder.join(MANIFEST), manifest.to_json().as_bytes())?;
        Ok(Finished { swap: self.swap, manifest })
    }
}

impl fmt::Debug for Staging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Staging").field("swap", &self.swap).field("seen", &self.seen).finish_non_exhaustive()
    }
}

/// A data set whose files are complete and not yet published. Dropped, it leaves no trace.
#[derive(Debug)]
pub struct Finished {
    swap: Swap,
    manifest: Manifest,
}

impl Finished {
    /// What the build found and wrote.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Publishes the files in one step and gives the manifest.
    pub fn commit(self) -> Result<Manifest, EmitError> {
        self.swap.commit()?;
        Ok(self.manifest)
    }
}

impl Seen {
    fn check(&self, outcome: &Outcome) -> Result<(), EmitError> {
        let quarantined = outcome.steps.iter().map(|step| step.quarantined).sum();
        let dropped = outcome.steps.iter().map(|step| step.dropped).sum();
        for (what, seen, counted) in [
            ("kept in the audit", self.kept, outcome.records()),
            ("dropped in the audit", self.dropped, dropped),
            ("quarantined in the audit", self.quarantined, quarantined),
            ("in the quarantine", self.quarantine, quarantined),
        ] {
            if seen != counted {
                return Err(EmitError::Sums(format!("{seen} records {what}, {counted} by the steps")));
            }
        }
        Ok(())
    }
}

impl PartFile {
    fn finish(self, output: &hir::Output, part: &str) -> Result<OutputEntry, EmitError> {
        let (digest, records): (Digest, u64) = match self.content {
            Content::Lines { file, records } => (file.finish()?, records),
            Content::Table(file) => file.finish()?,
        };
        Ok(OutputEntry {
            path: self.path,
            output: output.name.clone(),
            format: formats::row(output.format).name.to_owned(),
            part: part.to_owned(),
            digest,
            records,
        })
    }
}

/// Adds a value as a line of JSON.
fn push_line(text: &mut Vec<u8>, value: &impl Serialize) {
    serde_json::to_writer(&mut *text, value).expect("names and numbers are written to memory");
    text.push(b'\n');
}
