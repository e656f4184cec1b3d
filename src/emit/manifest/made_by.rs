//! Whether a specification would make what lies there again.

use std::path::PathBuf;

use super::{Manifest, SourceEntry};
use crate::engine::{FileOutcome, SourceOutcome, SourceUse};
use crate::hir::{Dataset, Program};
use crate::plan::normal::fingerprint;

impl Manifest {
    /// Whether a data set of a program would be built so from the files that were read then: no data is read, and data that
    /// changed since is no matter of the program's.
    pub fn is_made_by(&self, program: &Program, dataset: &Dataset) -> bool {
        let files: Vec<SourceOutcome> = self.sources.iter().map(as_read).collect();
        fingerprint(program, dataset, &files) == self.fingerprint
    }
}

fn as_read(source: &SourceEntry) -> SourceOutcome {
    let files = source.files.iter().map(|file| FileOutcome {
        path: file.path.clone(),
        location: PathBuf::new(),
        blake3: file.digest.blake3.clone(),
        bytes: file.digest.bytes,
        records: file.records,
    });
    SourceOutcome {
        name: source.name.clone(),
        used: SourceUse::Records,
        files: files.collect(),
        license: source.license.clone(),
    }
}
