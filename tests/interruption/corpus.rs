//! Two versions of some data, so that an output tells which of them it was built from, and what clean builds make of them.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray};

use crate::support::Project;

/// Sources of three kinds, exact and near duplicates, repeated lines, several outputs: every file that a build makes for a while is
/// made. One data set holds more records than [`MEMORY`] has room for.
const SPEC: &str = r#"annot 1
source notes   { path "notes/*.jsonl";    license "CC0-1.0"; fields { text: string; topic: string } }
source packed  { path "packed.jsonl.gz";  license "CC0-1.0"; fields { text: string; topic: string } }
source columns { path "columns.parquet";  license "CC0-1.0"; fields { text: string; topic: string } }
label topic: choice { bread; cheese; wine }
clean tidy  { set text = text |> collapse_whitespace; drop "short" when words(text) < 2; dedup text exactly }
clean alike { dedup lines of text at least 3 words; dedup text near 0.8 keep longest }
template ask: chat { user "{{ text }}"; assistant "{{ topic }}" }
dataset all {
  from  notes, packed, columns
  clean tidy
  label topic = topic
  split train 80%, test 20% stratify topic seed 7
  write messages from ask
  write parquet
  write jsonl
}
dataset few { from columns; clean alike; split train 100%; write jsonl }
"#;

/// The least memory that may be asked for.
pub const MEMORY: &str = "1MiB";
/// The data sets, in the order in which they are built.
pub const DATASETS: [&str; 2] = ["all", "few"];
/// Rows of the sources: of each of the files of notes, of the archive, of the table.
const ROWS: [u32; 3] = [1200, 4000, 300];
/// The files of notes.
const NOTES: u32 = 4;

/// What a clean build leaves.
#[derive(PartialEq, Eq)]
pub struct Expected {
    /// The files of each data set.
    pub trees: [Vec<(String, Vec<u8>)>; 2],
    /// The lockfile.
    pub lock: String,
}

/// A project whose data are of a version.
pub fn project(version: usize) -> Project {
    let project = Project::new(&[("all.annot", SPEC.as_bytes())]);
    write(&project, version);
    project
}

/// Replaces the data by those of a version.
pub fn write(project: &Project, version: usize) {
    for note in 0..NOTES {
        project.write(&format!("notes/{note}.jsonl"), &lines(version, note, ROWS[0]));
    }
    let mut archive = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    archive.write_all(&lines(version, NOTES, ROWS[1])).expect("it is written into memory");
    project.write("packed.jsonl.gz", &archive.finish().expect("it is written into memory"));
    project.write("columns.parquet", &table(version));
}

/// What a build leaves that nothing disturbs, in a folder and a cache that are new and with memory for everything.
pub fn expected(version: usize) -> Expected {
    let project = project(version);
    project.annotc(&["build", "all.annot"]).expect(0);
    found(&project)
}

/// What lies in a project's folder.
pub fn found(project: &Project) -> Expected {
    let lock = project.path("all.annot.lock");
    let lock = if lock.exists() { project.read("all.annot.lock") } else { String::new() };
    Expected { trees: DATASETS.map(|name| project.tree(&format!("build/{name}"))), lock }
}

/// A row of a file: every seventh repeats the one before it, and a few are no records.
fn text(version: usize, file: u32, row: u32) -> String {
    format!("note  {} of file {file} in version {version}", row - u32::from(row % 7 == 6))
}

fn topic(row: u32) -> &'static str {
    ["bread", "cheese", "wine"][(row / 7 % 3) as usize]
}

fn lines(version: usize, file: u32, rows: u32) -> Vec<u8> {
    let line = |row: u32| match row % 500 {
        499 => "{\"text\":\n".to_owned(),
        _ => format!("{{\"text\":\"{}\",\"topic\":\"{}\"}}\n", text(version, file, row), topic(row)),
    };
    (0..rows).map(line).collect::<String>().into_bytes()
}

/// A table whose texts are long enough to be alike, and share a line.
fn table(version: usize) -> Vec<u8> {
    let long = |row: u32| {
        let words: Vec<String> = (0..30).map(|word| format!("w{}", (row / 3 * 31 + word) % 997)).collect();
        format!("{}\nwritten in version {version}\n{} r{}", words[..15].join(" "), words[15..].join(" "), row % 3)
    };
    let texts = StringArray::from_iter_values((0..ROWS[2]).map(long));
    let topics = StringArray::from_iter_values((0..ROWS[2]).map(topic));
    let columns: [(&str, arrow::array::ArrayRef); 2] = [("text", Arc::new(texts)), ("topic", Arc::new(topics))];
    let batch = RecordBatch::try_from_iter(columns).expect("both columns have a value for each row");
    let mut writer = ::parquet::arrow::ArrowWriter::try_new(Vec::new(), batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("rows can be written");
    writer.into_inner().expect("a file")
}
