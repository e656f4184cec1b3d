//! The one table of the formats that sources are read from, and the options that a source can give.

/// How the files of a source are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "cluster", derive(serde::Serialize, serde::Deserialize))]
pub enum SourceFormat {
    /// One JSON object on each line.
    Jsonl,
    /// One JSON list of objects.
    Json,
    /// Values between commas (RFC 4180).
    Csv,
    /// Values between tabs.
    Tsv,
    /// Plain text.
    Text,
    /// One token with its tags on each line, sentences between blank lines.
    Conll,
    /// Markdown with front matter.
    Markdown,
    /// A page of HTML.
    Html,
    /// Apache Parquet.
    Parquet,
    /// Apache Arrow IPC, as a file or as a stream.
    Arrow,
    /// Apache Avro.
    Avro,
    /// A table or view of an SQLite database.
    Sqlite,
}

/// An option of a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormatOption {
    /// What stands between the values of a row.
    Delimiter,
    /// What stands around a value.
    Quote,
    /// What takes the meaning off the character behind it.
    Escape,
    /// Whether the first row names the columns.
    Header,
    /// What a record is.
    By,
    /// Where the list stands.
    At,
    /// Which table is read.
    Table,
    /// How the bytes are characters.
    Encoding,
}

/// What is known of a format.
#[derive(Debug)]
pub struct FormatRow {
    /// The format.
    pub format: SourceFormat,
    /// The words after `format`, the canonical one first.
    pub words: &'static [&'static str],
    /// The endings of its files.
    pub endings: &'static [&'static str],
    /// The options that it takes.
    pub options: &'static [FormatOption],
    /// What becomes one record.
    pub record: &'static str,
    /// The columns that every file has, each with whether it is a list of texts, a text or a number; empty where the files
    /// say themselves.
    pub columns: &'static [(&'static str, ColumnKind)],
    /// Whether files may have columns beside these.
    pub others: bool,
}

/// What a column that a format makes by itself holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// A text.
    Text,
    /// A whole number.
    Number,
    /// A list of texts.
    Texts,
    /// A list of the spans of a text.
    Spans,
}

use ColumnKind::{Number, Spans, Text, Texts};
use FormatOption::{At, By, Delimiter, Encoding, Escape, Header, Quote, Table};

/// Every format.
pub const FORMATS: [FormatRow; 12] = [
    FormatRow {
        format: SourceFormat::Jsonl,
        words: &["jsonl", "ndjson"],
        endings: &["jsonl", "ndjson"],
        options: &[Encoding],
        record: "an object on a line",
        columns: &[],
        others: true,
    },
    FormatRow {
        format: SourceFormat::Json,
        words: &["json"],
        endings: &["json"],
        options: &[At, Encoding],
        record: "an object in a list",
        columns: &[],
        others: true,
    },
    FormatRow {
        format: SourceFormat::Csv,
        words: &["csv"],
        endings: &["csv"],
        options: &[Delimiter, Quote, Escape, Header, Encoding],
        record: "a row",
        columns: &[],
        others: true,
    },
    FormatRow {
        format: SourceFormat::Tsv,
        words: &["tsv"],
        endings: &["tsv", "tab"],
        options: &[Delimiter, Quote, Escape, Header, Encoding],
        record: "a row",
        columns: &[],
        others: true,
    },
    FormatRow {
        format: SourceFormat::Text,
        words: &["text"],
        endings: &["txt", "text"],
        options: &[By, Encoding],
        record: "a line, a paragraph or a file",
        columns: &[("text", Text), ("path", Text), ("line", Number)],
        others: false,
    },
    FormatRow {
        format: SourceFormat::Conll,
        words: &["conll"],
        endings: &["conll", "conllu", "iob", "iob2", "bio"],
        options: &[Delimiter, Encoding],
        record: "a sentence: lines up to a blank one",
        columns: &[
            ("tokens", Texts),
            ("tags", Texts),
            ("spans", Spans),
            ("text", Text),
            ("path", Text),
            ("line", Number),
        ],
        others: true,
    },
    FormatRow {
        format: SourceFormat::Markdown,
        words: &["markdown"],
        endings: &["md", "markdown"],
        options: &[Encoding],
        record: "a file",
        columns: &[("text", Text), ("title", Text), ("path", Text)],
        others: true,
    },
    FormatRow {
        format: SourceFormat::Html,
        words: &["html"],
        endings: &["html", "htm", "xhtml"],
        options: &[Encoding],
        record: "a file",
        columns: &[("text", Text), ("title", Text), ("html", Text), ("path", Text)],
        others: true,
    },
    FormatRow {
        format: SourceFormat::Parquet,
        words: &["parquet"],
        endings: &["parquet"],
        options: &[],
        record: "a row",
        columns: &[],
        others: true,
    },
    FormatRow {
        format: SourceFormat::Arrow,
        words: &["arrow"],
        endings: &["arrow", "arrows", "feather", "ipc"],
        options: &[],
        record: "a row",
        columns: &[],
        others: true,
    },
    FormatRow {
        format: SourceFormat::Avro,
        words: &["avro"],
        endings: &["avro"],
        options: &[],
        record: "a record",
        columns: &[],
        others: true,
    },
    FormatRow {
        format: SourceFormat::Sqlite,
        words: &["sqlite"],
        endings: &["sqlite", "sqlite3", "db"],
        options: &[Table],
        record: "a row of the table",
        columns: &[],
        others: true,
    },
];

impl SourceFormat {
    /// What is known of it.
    pub fn row(self) -> &'static FormatRow {
        FORMATS.iter().find(|row| row.format == self).expect("every format has its row in the table")
    }

    /// The word after `format`.
    pub fn word(self) -> &'static str {
        self.row().words[0]
    }

    /// The format whose files have this ending.
    pub fn of_ending(ending: &str) -> Option<Self> {
        FORMATS.iter().find(|row| row.endings.contains(&ending)).map(|row| row.format)
    }

    /// Whether its files are texts, which may be compressed and have an encoding.
    pub fn is_text(self) -> bool {
        self.row().options.contains(&Encoding)
    }
}

impl FormatOption {
    /// Its word, an example, and what it says.
    pub fn about(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Delimiter => ("delimiter", "delimiter \";\"", "the character between the values of a row"),
            Quote => ("quote", "quote \"'\"", "the character around a value, or `off` where quotes mean nothing"),
            Escape => ("escape", "escape \"\\\\\"", "the character that takes the meaning off the one behind it"),
            Header => {
                ("header", "header off", "whether the first row names the columns; else they are known by their place")
            }
            By => ("by", "by paragraph", "what a record is: `line`, `paragraph` or `file`"),
            At => ("at", "at \"data\"", "the keys, with dots between, at which the list stands"),
            Table => {
                ("table", "table \"messages\"", "the table or view that is read; needless where there is one alone")
            }
            Encoding => ("encoding", "encoding \"windows-1252\"", "how bytes are characters, where it is not UTF-8"),
        }
    }
}

/// What a `text` file's record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "cluster", derive(serde::Serialize, serde::Deserialize))]
pub enum TextUnit {
    /// A line that is not blank.
    Line,
    /// Lines up to a blank one.
    Paragraph,
    /// The whole file.
    File,
}

/// How the values of a row are written. All characters are ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "cluster", derive(serde::Serialize, serde::Deserialize))]
pub struct Dialect {
    /// Stands between values.
    pub delimiter: u8,
    /// Stands around a value; doubled it stands for itself.
    pub quote: Option<u8>,
    /// Takes the meaning off the character behind it.
    pub escape: Option<u8>,
    /// Whether the first row names the columns.
    pub header: bool,
}

impl Dialect {
    /// RFC 4180 with a header.
    pub const RFC_4180: Self = Self { delimiter: b',', quote: Some(b'"'), escape: None, header: true };
}

/// What a source says beside its format.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "cluster", derive(serde::Serialize, serde::Deserialize))]
pub struct ReadOptions {
    /// How rows of values are written.
    pub dialect: Dialect,
    /// What the values of a CoNLL line stand between: runs of spaces where nothing is said.
    pub separator: Option<u8>,
    /// What a record of a text is.
    pub unit: TextUnit,
    /// The keys at which a JSON list stands.
    pub at: Vec<String>,
    /// The table of a database.
    pub table: Option<String>,
    /// The name of an encoding that is not UTF-8. It does not travel: such a file is decoded before records are read.
    #[cfg_attr(feature = "cluster", serde(skip))]
    pub encoding: Option<&'static str>,
}

impl ReadOptions {
    /// What holds of a format where nothing is said.
    pub fn of(format: SourceFormat) -> Self {
        let delimiter = if format == SourceFormat::Tsv { b'\t' } else { b',' };
        Self {
            dialect: Dialect { delimiter, ..Dialect::RFC_4180 },
            separator: None,
            unit: TextUnit::Line,
            at: Vec::new(),
            table: None,
            encoding: None,
        }
    }
}

/// How the bytes of a file are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// They are not.
    None,
    /// Gzip, with one member or several.
    Gzip,
    /// Zstandard, with one frame or several.
    Zstd,
}

impl Compression {
    /// The endings of compressed files.
    pub const ENDINGS: [(&'static str, Compression); 2] = [("gz", Compression::Gzip), ("zst", Compression::Zstd)];

    /// How the file of this name is packed.
    pub fn of_name(name: &str) -> Self {
        let ending = without_query(name).rsplit_once('.').map(|(_, ending)| ending.to_lowercase());
        let known = Self::ENDINGS.iter().find(|(known, _)| ending.as_deref() == Some(known));
        known.map_or(Self::None, |(_, compression)| *compression)
    }
}

/// What of an address of a web server names the file: neither the query nor the fragment does.
fn without_query(path: &str) -> &str {
    let scheme = path.get(..8).unwrap_or_default().to_ascii_lowercase();
    let is_web = scheme.starts_with("http://") || scheme.starts_with("https://");
    if is_web { path.split(['?', '#']).next().unwrap_or(path) } else { path }
}

/// A file name's ending without a compression's.
pub fn extension(path: &str) -> Option<String> {
    let path = without_query(path);
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path).to_lowercase();
    let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
    name.rsplit_once('.').map(|(_, ending)| ending.to_owned())
}
