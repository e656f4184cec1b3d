//! `manifest.json`: what a data set was made from, what every step did, and what was written.

mod duties;
mod found;
mod made_by;

pub use duties::{AttributionEntry, PersonalEntry};

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::{AtPath, EmitError};
use super::file::Digest;
use super::named::Named;
use super::staging::REPORT;
use super::statistics::STATISTICS;
use crate::dedup::Scheme;
use crate::plan::normal::Parts;

/// The manifest's name in the data set's folder.
pub const MANIFEST: &str = "manifest.json";
const SCHEMA: &str = "annotc.manifest/2";

/// A manifest. Two builds of the same data set have the same one: it holds no date, place or duration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// `annotc.manifest/2`
    pub schema: String,
    /// The data set's name.
    pub dataset: String,
    /// BLAKE3 of what the spec says of the data set, whatever its layout and comments.
    pub spec: String,
    /// The parts of what the spec says, and the versions of what computes it.
    #[serde(default)]
    pub declared: Parts,
    /// BLAKE3 of all that decides the outputs' bytes: [`super::fingerprint()`].
    pub fingerprint: String,
    /// The join of the sources' licences, as an SPDX expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// What it is for, where the spec states it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub purpose: Vec<String>,
    /// What the sources' licences ask of who passes the records on, where a purpose is stated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attribution: Vec<AttributionEntry>,
    /// What was read.
    pub sources: Vec<SourceEntry>,
    /// What every step did.
    pub steps: Vec<StepEntry>,
    /// What is in the parts, in the data set's order.
    pub splits: Named<SplitEntry>,
    /// How it is known that the parts share nothing.
    pub certificate: CertificateEntry,
    /// What was done about personal data.
    pub personal: Vec<PersonalEntry>,
    /// The data files.
    pub outputs: Vec<OutputEntry>,
    /// The other files beside this one.
    pub files: Vec<FileEntry>,
}

/// A source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceEntry {
    /// Its name.
    pub name: String,
    /// Its files.
    pub files: Vec<SourceFileEntry>,
    /// The SPDX expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// Where it was taken from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// `decontaminate` where no record of the data set comes from it, but records are held against it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<String>,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceFileEntry {
    /// As the spec reaches it.
    pub path: String,
    /// Its content.
    #[serde(flatten)]
    pub digest: Digest,
    /// Its rows, bad ones included.
    pub records: u64,
}

/// A step: `in = out + dropped + quarantined`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepEntry {
    /// `read`, `split`, or the block: `clean tidy`, `label intent`, `policy bank`.
    pub step: String,
    /// The rule as the audit names it.
    pub rule: String,
    /// Records that reached it.
    #[serde(rename = "in")]
    pub records_in: u64,
    /// Records that went on.
    #[serde(rename = "out")]
    pub records_out: u64,
    /// Records that it dropped.
    pub dropped: u64,
    /// Records that it changed.
    pub changed: u64,
    /// Records that it quarantined.
    pub quarantined: u64,
    /// How near-duplicates were looked for, for a `dedup … near`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub near: Option<NearEntry>,
    /// What was cut out of texts, for a `dedup` of lines, sentences or substrings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<CutEntry>,
}

/// How near-duplicates were looked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NearEntry {
    /// The least Jaccard similarity, which each pair was verified to have.
    pub similarity: f64,
    /// What the texts were cut into: `5 words in a row`.
    pub shingles: String,
    /// The length of a MinHash signature.
    pub permutations: usize,
    /// Its bands.
    pub bands: usize,
    /// The rows of each.
    pub rows: usize,
    /// The probability with which a pair of that similarity was found.
    pub recall: f64,
}

impl NearEntry {
    /// What a scheme says.
    pub fn of(scheme: &Scheme) -> Self {
        Self {
            similarity: scheme.threshold.get(),
            shingles: scheme.shingle.to_string(),
            permutations: scheme.bands.permutations(),
            bands: scheme.bands.bands,
            rows: scheme.bands.rows,
            // Rounded, so that no difference of powers between machines shows.
            recall: (scheme.recall() * 1e6).round() / 1e6,
        }
    }
}

impl NearEntry {
    /// The same in words.
    pub fn told(&self) -> String {
        let Self { shingles, permutations, bands, rows, recall, similarity } = self;
        // A share is rounded down, so that it is never said to be more than it is.
        let recall = (recall * 1000.0).floor() / 10.0;
        format!(
            "{shingles}, {permutations} permutations in {bands} × {rows}, finds {recall}% of the pairs at {similarity}; \
             each pair verified"
        )
    }
}

/// What was cut out of texts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CutEntry {
    /// How many places.
    pub places: u64,
    /// How many bytes.
    pub bytes: u64,
}

/// A part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SplitEntry {
    /// Its records.
    pub records: u64,
    /// How many copies of them are written beside, by a `weight` above 1.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub copies: u64,
    /// For each label the records of each value.
    pub labels: Named<Named<u64>>,
    /// The labels of which a record has a list of values: it counts for each of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub several: Vec<String>,
}

/// How it is known that the parts share nothing.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct CertificateEntry {
    /// The units that are never split apart.
    pub by: String,
    /// How records were given to parts, and how sharing was checked.
    pub method: String,
    /// Units that stand in more than one part.
    pub shared_keys: u64,
    /// Near-duplicate pairs across parts, where it was checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub near_pairs: Option<u64>,
    /// How they were looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub near: Option<NearEntry>,
    /// Where the parts follow each other in time: when the first and the last record of each is from, the oldest part first.
    #[serde(default, skip_serializing_if = "Named::is_empty")]
    pub times: Named<TimesEntry>,
}

/// When the first and the last record of a part are from, in UTC.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimesEntry {
    /// The first.
    pub first: String,
    /// The last.
    pub last: String,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A data file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutputEntry {
    /// Relative to the data set's folder, with `/`.
    pub path: String,
    /// The `write` statement's name.
    pub output: String,
    /// The format's word.
    pub format: String,
    /// The part.
    pub part: String,
    /// Its content.
    #[serde(flatten)]
    pub digest: Digest,
    /// Its rows.
    pub records: u64,
}

/// A file beside the data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Relative to the data set's folder, with `/`.
    pub path: String,
    /// Its content.
    #[serde(flatten)]
    pub digest: Digest,
}

impl Default for Manifest {
    fn default() -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            dataset: String::new(),
            spec: String::new(),
            declared: Parts::default(),
            fingerprint: String::new(),
            license: None,
            purpose: Vec::new(),
            attribution: Vec::new(),
            sources: Vec::new(),
            steps: Vec::new(),
            splits: Named::default(),
            certificate: CertificateEntry::default(),
            personal: Vec::new(),
            outputs: Vec::new(),
            files: Vec::new(),
        }
    }
}

impl Manifest {
    /// Reads the manifest in a data set's folder; `None` when there is none, or one of another schema.
    pub fn read(folder: &Path) -> Result<Option<Self>, EmitError> {
        let path = folder.join(MANIFEST);
        let text = match fs::read(&path) {
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            read => read.at("read", &path)?,
        };
        Self::parse(&text).map_err(|error| EmitError::Unreadable { path, reason: error.to_string() })
    }

    /// The manifest of a file's bytes; `None` of one of another schema.
    pub fn parse(text: &[u8]) -> Result<Option<Self>, serde_json::Error> {
        #[derive(Deserialize)]
        struct Head {
            schema: String,
        }
        let head: Head = serde_json::from_slice(text)?;
        if head.schema == SCHEMA { serde_json::from_slice(text).map(Some) } else { Ok(None) }
    }

    /// The file's text.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a manifest has only names, numbers and lists");
        text.push('\n');
        text
    }

    /// Checks that no record vanished or appeared between steps, parts and files.
    pub fn check_sums(&self) -> Result<(), EmitError> {
        let wrong = |what: String| Err(EmitError::Sums(what));
        let mut reaching = None;
        for step in &self.steps {
            let StepEntry { rule, records_in, records_out, dropped, quarantined, .. } = step;
            if *records_in != records_out + dropped + quarantined {
                return wrong(format!(
                    "`{rule}`: {records_in} in, {records_out} out, {dropped} dropped, {quarantined} quarantined"
                ));
            }
            if reaching.is_some_and(|reaching| reaching != *records_in) {
                return wrong(format!("{records_in} records reach `{rule}`, another number left the step before"));
            }
            reaching = Some(*records_out);
        }
        let emitted: u64 = self.splits.iter().map(|(_, part)| part.records).sum();
        if reaching.is_some_and(|left| left != emitted) {
            return wrong(format!("{emitted} records are in the parts, another number left the last step"));
        }
        let read: u64 = self.sources.iter().flat_map(|source| &source.files).map(|file| file.records).sum();
        if self.steps.first().is_some_and(|first| first.records_in != read) {
            return wrong(format!("{read} rows are in the files, another number was read"));
        }
        for (name, part) in self.splits.iter() {
            for (label, counts) in part.labels.iter() {
                let several = part.several.iter().any(|name| name == label);
                let mut each = counts.iter().map(|(_, count)| *count);
                let adds_up = match several {
                    true => each.all(|count| count <= part.records),
                    false => each.sum::<u64>() == part.records,
                };
                if !adds_up {
                    return wrong(format!(
                        "the values of `{label}` in `{name}` do not add up to its {} records",
                        part.records
                    ));
                }
            }
            let written = part.records + part.copies;
            let differs = |file: &&OutputEntry| file.part == name && file.records != written;
            if let Some(file) = self.outputs.iter().find(differs) {
                return wrong(format!("`{}` has {} of the {written} records of `{name}`", file.path, file.records));
            }
        }
        Ok(())
    }
}

/// Whether all files that a manifest names lie in `folder` as they were written, statistics and report among them, which
/// older versions did not write.
pub fn verify_outputs(folder: &Path, manifest: &Manifest) -> bool {
    if ![STATISTICS, REPORT].iter().all(|needed| manifest.files.iter().any(|file| file.path == *needed)) {
        return false;
    }
    let outputs = manifest.outputs.iter().map(|output| (&output.path, &output.digest));
    let files = manifest.files.iter().map(|file| (&file.path, &file.digest));
    outputs.chain(files).all(|(path, digest)| {
        let path = folder.join(path);
        // The length tells most changes apart without reading the file.
        fs::metadata(&path).is_ok_and(|metadata| metadata.is_file() && metadata.len() == digest.bytes)
            && Digest::of_file(&path).is_ok_and(|found| found == *digest)
    })
}
