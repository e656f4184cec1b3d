//! The normal form of what a specification says: the same for two texts that differ in comments, layout or the order of
//! declarations alone. What a build keeps is found again by it.

mod declared;
mod parts;
mod shown;

pub(super) use declared::Canon;
pub use parts::{Part, Parts, parts};
pub(super) use shown::{named, shown};

use serde_json::{Value, json};

use crate::engine::SourceOutcome;
use crate::hir::{Dataset, OnBadRow, Program, Source, SourceField};

/// What decides a data set's bytes, as one hash of 64 hexadecimal digits: what the specification says of it, the content
/// of the files read, the versions of the functions and detectors used, and this program's own version. Of `files` only
/// names, paths and hashes count.
pub fn fingerprint(program: &Program, dataset: &Dataset, files: &[SourceOutcome]) -> String {
    let files: Vec<Value> = files
        .iter()
        .map(|source| {
            let files: Vec<Value> = source.files.iter().map(|file| json!([file.path, file.blake3])).collect();
            json!([source.name, files])
        })
        .collect();
    let canon = Canon { program, dataset, values: None };
    let all = json!([env!("CARGO_PKG_VERSION"), canon.dataset(), canon.readers(), files]);
    blake3::hash(all.to_string().as_bytes()).to_hex().to_string()
}

/// BLAKE3 of what the specification says of a data set and of those that read it, 64 hexadecimal digits.
pub fn declaration(program: &Program, dataset: &Dataset) -> String {
    let canon = Canon { program, dataset, values: None };
    let all = json!([canon.dataset(), canon.readers()]);
    blake3::hash(all.to_string().as_bytes()).to_hex().to_string()
}

/// How the rows of a source are read and identified: what two declarations of it must share for the rows of a file to be
/// the same. Neither where its files lie is part of it, nor what is said about them.
pub fn reading(program: &Program, dataset: &Dataset, source: &Source) -> String {
    let canon = Canon { program, dataset, values: None };
    let Source {
        // The rows' identities begin with it.
        name,
        doc: _,
        paths: _,
        folder: _,
        format,
        options,
        longest_row,
        fields,
        license: _,
        origin: _,
        consent: _,
        on_bad_row,
        span: _,
        path_span: _,
    } = source;
    let format = declared::read_as(*format, options, *longest_row);
    let on_bad_row = match on_bad_row {
        OnBadRow::Quarantine => "quarantine",
        OnBadRow::Fail => "fail",
    };
    let fields: Vec<Value> = fields
        .iter()
        .map(|SourceField { name, doc: _, column, ty, personal: _, key, group: _, span: _ }| {
            json!([name, column, canon.ty(ty), key])
        })
        .collect();
    json!([name, format, fields, on_bad_row]).to_string()
}

/// The first 16 bytes of BLAKE3 as 32 hexadecimal digits.
pub fn short_digest(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex()[..32].to_owned()
}
