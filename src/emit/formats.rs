//! The table of formats that can be written.

use crate::hir::OutputFormat;

/// What is said about a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// The word after `write`.
    pub name: &'static str,
    /// The files' extension.
    pub extension: &'static str,
    /// Whether files hold typed columns, not lines of JSON.
    pub columnar: bool,
    /// Whether rows are rendered from a template; else they are the data set's columns.
    pub templated: bool,
    /// One row of it, for people.
    pub row: &'static str,
}

/// The row of a format.
pub fn row(format: OutputFormat) -> &'static Format {
    match format {
        OutputFormat::Messages => &MESSAGES,
        OutputFormat::Alpaca => &ALPACA,
        OutputFormat::PromptCompletion => &PROMPT_COMPLETION,
        OutputFormat::Preference => &PREFERENCE,
        OutputFormat::Jsonl => &JSONL,
        OutputFormat::Parquet => &PARQUET,
    }
}

/// The format that a manifest calls `name`.
pub fn named(name: &str) -> Option<&'static Format> {
    [&MESSAGES, &ALPACA, &PROMPT_COMPLETION, &PREFERENCE, &JSONL, &PARQUET]
        .into_iter()
        .find(|format| format.name == name)
}

static MESSAGES: Format = Format {
    name: "messages",
    extension: "jsonl",
    columnar: false,
    templated: true,
    row: r#"{"messages":[{"role":"user","content":"…"},{"role":"assistant","content":"…"}]}"#,
};
static ALPACA: Format = Format {
    name: "alpaca",
    extension: "jsonl",
    columnar: false,
    templated: true,
    row: r#"{"instruction":"…","input":"…","output":"…"}"#,
};
static PROMPT_COMPLETION: Format = Format {
    name: "prompt_completion",
    extension: "jsonl",
    columnar: false,
    templated: true,
    row: r#"{"prompt":"…","completion":"…"}"#,
};
static PREFERENCE: Format = Format {
    name: "preference",
    extension: "jsonl",
    columnar: false,
    templated: true,
    row: r#"{"prompt":"…","chosen":"…","rejected":"…"}"#,
};
static JSONL: Format = Format {
    name: "jsonl",
    extension: "jsonl",
    columnar: false,
    templated: false,
    row: "the columns, one JSON object on each line",
};
static PARQUET: Format = Format {
    name: "parquet",
    extension: "parquet",
    columnar: true,
    templated: false,
    row: "the columns, with their types",
};
