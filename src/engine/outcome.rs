//! What building a data set found: the shapes that the manifest, the card, the audit and the terminal are made from.
//! Nothing here holds a record's text; a value of a label or of a field named by `per` stands here only where it is not
//! personal.

use std::fmt;
use std::path::PathBuf;

use crate::hir::LabelId;
use crate::source::Span;

/// A record's identity: 16 bytes of BLAKE3, shown as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordId(pub [u8; 16]);

impl RecordId {
    /// Its 32 hexadecimal digits.
    pub fn hex(self) -> Hex {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut hex = [0; 32];
        for (two, byte) in hex.chunks_exact_mut(2).zip(self.0) {
            two.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        }
        Hex(hex)
    }
}

/// The hexadecimal digits of a [`RecordId`].
#[derive(Debug, Clone, Copy)]
pub struct Hex([u8; 32]);

impl std::ops::Deref for Hex {
    type Target = str;

    fn deref(&self) -> &str {
        std::str::from_utf8(&self.0).expect("hexadecimal digits are ASCII")
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordId({self})")
    }
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// It is in the output.
    Kept,
    /// A rule took it out.
    Dropped,
    /// It could not be read or given a value.
    Quarantined,
}

impl Verdict {
    /// The word in the audit: `kept`, `dropped`, `quarantined`.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Kept => "kept",
            Verdict::Dropped => "dropped",
            Verdict::Quarantined => "quarantined",
        }
    }
}

/// One record's life, in order of location: a row of the audit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AuditRow<'a> {
    /// Its identity.
    pub id: RecordId,
    /// Its source's name.
    pub source: &'a str,
    /// Its file as the source's `path` statement reaches it: relative, with `/`.
    pub file: &'a str,
    /// The 1-based line that it begins on.
    pub line: u64,
    /// Where this build reads it: the number of its file and the byte that it begins at. It stands in no output.
    pub location: u64,
    /// What became of it.
    pub verdict: Verdict,
    /// The rule that decided, when it was not kept; `read` for a row that could not be read, `split` for the split.
    pub rule: Option<&'a str>,
    /// The 1-based line of the rule in the spec; it stands in no output, which a comment would change then.
    pub rule_line: Option<u32>,
    /// The rule's place among the steps of [`Outcome::steps`], from 0.
    pub step: Option<u32>,
    /// The record that it repeats, when a `dedup` or the split dropped it: the one that is kept of its cluster.
    pub duplicate_of: Option<RecordId>,
    /// How alike the two are, where near-duplicates were looked for: the Jaccard similarity of their shingles.
    pub similarity: Option<f32>,
    /// The part that it is in, when it was kept.
    pub split: Option<&'a str>,
    /// How often it is written there, when it was kept.
    pub copies: Option<u32>,
    /// How many bytes were cut out of its texts since they occurred before, where any were.
    pub cut_bytes: Option<u64>,
}

/// A record in the quarantine, in order of location. The error never holds data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuarantineRow<'a> {
    /// Its identity; of a row that could not be read: BLAKE3-128 of the source's name and its bytes.
    pub id: RecordId,
    /// Its source's name.
    pub source: &'a str,
    /// Its file as the source's `path` statement reaches it.
    pub file: &'a str,
    /// The 1-based line that it begins on.
    pub line: u64,
    /// The byte of the file that it begins at.
    pub offset: u64,
    /// What is wrong with it.
    pub error: &'a str,
}

/// The result of building one data set.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The data set's name.
    pub dataset: String,
    /// Its sources in order of declaration in `from`.
    pub sources: Vec<SourceOutcome>,
    /// Reading first, then the steps in order, then the split where it took a record out.
    pub steps: Vec<StepOutcome>,
    /// The parts in the order of the data set, those without records too.
    pub parts: Vec<PartOutcome>,
    /// The values of each label of the data set, in order of the label's column.
    pub labels: Vec<LabelOutcome>,
    /// Personal data that `redact` replaced, by column and kind, over the emitted records.
    pub personal: Vec<PersonalFound>,
    /// How it is known that the parts share nothing.
    pub certificate: Certificate,
    /// The `require` and `forbid` rules that were not met. When there is one, nothing was written.
    pub violations: Vec<Violation>,
}

impl Outcome {
    /// The number of records that were emitted, over all parts.
    pub fn records(&self) -> u64 {
        self.parts.iter().map(|part| part.records).sum()
    }

    /// The number of rows seen.
    pub fn rows(&self) -> u64 {
        self.steps.first().map_or(0, |step| step.records_in)
    }
}

/// A source and its files.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceOutcome {
    /// Its name.
    pub name: String,
    /// Its files in order of path.
    pub files: Vec<FileOutcome>,
    /// The SPDX expression.
    pub license: Option<String>,
    /// What was read from it.
    pub used: SourceUse,
}

/// What a source is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceUse {
    /// Its records are those of the data set.
    Records,
    /// Records are held against it by `decontaminate`.
    Evaluated,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct FileOutcome {
    /// As the source's `path` statement reaches it: relative, with `/`.
    pub path: String,
    /// Where it lies on this machine: never written to an output.
    pub location: PathBuf,
    /// BLAKE3 of its bytes, 64 hexadecimal digits.
    pub blake3: String,
    /// Its size.
    pub bytes: u64,
    /// The rows in it, bad ones included; 0 for an empty file.
    pub records: u64,
}

/// What a step did: `records_in = records_out + dropped + quarantined`, which the build checks.
#[derive(Debug, Clone, PartialEq)]
pub struct StepOutcome {
    /// Which step.
    pub kind: StepOutcomeKind,
    /// The rule as the audit names it.
    pub rule: String,
    /// The 1-based line of the spec; 0 for reading and for a split that was not written.
    pub line: u32,
    /// Records that reached it.
    pub records_in: u64,
    /// Records that went on.
    pub records_out: u64,
    /// Records that it dropped.
    pub dropped: u64,
    /// Records that it changed: for `set` of those that reached it, for `redact` of those that were emitted; for the
    /// other steps 0.
    pub changed: u64,
    /// Records that it quarantined.
    pub quarantined: u64,
    /// What was cut out of texts, for a `dedup` of lines, sentences or substrings.
    pub cut: Option<CutOutcome>,
}

/// What was cut out of texts that reached a step, of dropped records too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CutOutcome {
    /// How many places.
    pub places: u64,
    /// How many bytes.
    pub bytes: u64,
}

/// The steps that are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepOutcomeKind {
    /// Reading and identifying the rows.
    Read,
    /// The step of the data set with this index in `hir::Dataset::steps`.
    Step(usize),
    /// The split.
    Split,
}

/// A part of the split.
#[derive(Debug, Clone, PartialEq)]
pub struct PartOutcome {
    /// Its name.
    pub name: String,
    /// Its records.
    pub records: u64,
    /// How many copies are written beside them, by a `weight` above 1.
    pub copies: u64,
    /// For each label of [`Outcome::labels`], the number of records of each of its values, in the label's order.
    pub labels: Vec<Vec<u64>>,
}

/// The values of a label, written out or found.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelOutcome {
    /// The label.
    pub label: LabelId,
    /// The label's name.
    pub name: String,
    /// Its column's name, in the data set.
    pub column: String,
    /// Its values in order.
    pub values: Vec<String>,
    /// Whether they were found in the data: then the lock records them.
    pub found: bool,
    /// Whether a record has a list of them.
    pub several: bool,
}

/// Personal data found by one `redact`.
#[derive(Debug, Clone, PartialEq)]
pub struct PersonalFound {
    /// The index of the step in `hir::Dataset::steps`.
    pub step: usize,
    /// The column's name.
    pub column: String,
    /// The detector's name: `email`, `phone`.
    pub kind: String,
    /// How many places were replaced in the emitted records.
    pub found: u64,
}

/// How it is known that the parts share nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Certificate {
    /// What the units of the split are: `record`, a column's name, `text near 0.85`, joined with ` and `.
    pub by: String,
    /// How records were given to parts, and how sharing was checked, in words.
    pub method: String,
    /// Values of the unit's columns that stand in more than one part; checked over all emitted records.
    pub shared_keys: u64,
    /// Near-duplicate pairs across parts, where the split is by near-duplicates; `None` where it was not checked.
    pub near_pairs: Option<u64>,
    /// Where the parts follow each other in time: when each one's first and last record is from, in order.
    pub times: Vec<PartTimes>,
}

/// The time that a part's records are from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartTimes {
    /// The part's name.
    pub part: String,
    /// The earliest, in microseconds since 1970-01-01T00:00:00Z.
    pub first: i64,
    /// The latest.
    pub last: i64,
}

/// A rule that was not met.
#[derive(Debug, Clone, PartialEq)]
pub struct Violation {
    /// The rule as the spec has it.
    pub rule: String,
    /// Where it was written.
    pub span: Span,
    /// What was measured.
    pub measured: Measured,
}

/// What was measured against a rule.
#[derive(Debug, Clone, PartialEq)]
pub enum Measured {
    /// A `require` over the whole set: the figure.
    Whole(f64),
    /// A `require … per`: the values that fail with their figures, at most 20 of them, the worst first; and how many
    /// fail. A value that may be personal is `None`.
    Values {
        /// Value and figure.
        worst: Vec<(Option<String>, f64)>,
        /// How many values fail.
        failing: u64,
    },
    /// A `forbid`: how many emitted records fulfil it, and where the first five lie.
    Records {
        /// How many.
        count: u64,
        /// Where.
        first: Vec<Place>,
    },
}

/// Where a record was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Its identity.
    pub id: RecordId,
    /// Its file.
    pub file: String,
    /// Its 1-based line.
    pub line: u64,
}

/// A record that a fixed part lost.
#[derive(Debug, Clone, PartialEq)]
pub struct MissingRecord {
    /// Its identity.
    pub id: RecordId,
    /// Its source's name.
    pub source: String,
    /// Its file.
    pub file: String,
    /// Its 1-based line.
    pub line: u64,
    /// The index of the part in `hir::Split::parts`.
    pub part: usize,
    /// Dropped or quarantined.
    pub verdict: Verdict,
    /// The rule that decided.
    pub rule: String,
    /// For each label of [`Outcome::labels`], its value where it is known: a value of the label.
    pub gold: Vec<Option<Gold>>,
}

/// The true value of a label.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(untagged)]
pub enum Gold {
    /// A value of it.
    One(String),
    /// Some of its values, in its order.
    Several(Vec<String>),
}

impl Gold {
    /// The true value of a label that has several, or one of these names.
    pub(super) fn of(several: bool, mut names: Vec<String>) -> Self {
        match (several, names.pop()) {
            (false, Some(name)) => Self::One(name),
            (_, last) => {
                names.extend(last);
                Self::Several(names)
            }
        }
    }
}
