//! The tables that the checker decides by, as the reference prints them: names and what holds of each.

use super::{compliance, licence, metrics, outputs};
use crate::emit;
use crate::eval::{METRICS, MetricRow};
use crate::hir::{FORMATS, FormatRow, OutputFormat};

/// Every format of sources.
pub fn source_formats() -> impl Iterator<Item = &'static FormatRow> {
    FORMATS.iter()
}

/// A format that a data set is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteFormat {
    /// The word after `write`.
    pub name: &'static str,
    /// The kinds of template that it takes; none where it writes the columns.
    pub templates: &'static [&'static str],
    /// What its files hold; `None` where this version does not write it.
    pub written: Option<&'static emit::formats::Format>,
}

/// Every format of outputs.
pub fn write_formats() -> impl Iterator<Item = WriteFormat> {
    outputs::FORMATS.iter().map(|row| WriteFormat {
        name: row.name,
        templates: match row.needs {
            outputs::Needs::Columns => &[],
            outputs::Needs::Template(kinds) => kinds,
        },
        written: row.written.map(|format: OutputFormat| emit::formats::row(format)),
    })
}

/// A metric with the tasks that have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Its name, its forms and what it is.
    pub row: &'static MetricRow,
    /// The words of the tasks.
    pub tasks: &'static [&'static str],
}

/// Every metric, in the order in which figures are shown. One that no task has cannot be named in a spec.
pub fn all_metrics() -> impl Iterator<Item = Metric> {
    METRICS.iter().map(|row| Metric {
        row,
        tasks: metrics::METRICS.iter().find(|metric| metric.name == row.name).map_or(&[], |metric| metric.tasks),
    })
}

/// A licence with its terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Licence {
    /// Its SPDX identifier.
    pub id: &'static str,
    /// Whether it may be used to earn money.
    pub commercial: bool,
    /// Whether what it covers may be changed, in words.
    pub changes: &'static str,
    /// What it asks of who passes it on; empty where it asks for nothing.
    pub asks: &'static str,
}

/// The licences that are known; another one is taken with a warning.
pub fn licences() -> impl Iterator<Item = Licence> {
    licence::terms::all().map(|row| Licence {
        id: row.id,
        commercial: row.commercial,
        changes: match row.changes {
            licence::terms::Changes::Free => "yes",
            licence::terms::Changes::Unshared => "not to pass on",
            licence::terms::Changes::Never => "no",
        },
        asks: row.asks().unwrap_or_default(),
    })
}

/// The kinds of personal data that a field may be said to hold though no detector finds them in a text.
pub fn undetected_kinds() -> &'static [&'static str] {
    &compliance::UNDETECTED
}
