//! What a stage depends on beside the fields of its records: which other records there are.

use serde_json::json;

use crate::engine::EngineError;
use crate::engine::read::{Chunk, Keep, Survey, file_and_offset, location};
use crate::plan::Cuts;
use crate::plan::normal::short_digest;

/// For each chunk the digest of what its rows depend on beside their own fields.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    /// What is cut out of the chunk's records; without an entry where no step cuts.
    cut: Vec<String>,
    /// Which of the chunk's records reach a step; without an entry where that decides nothing. Such a stage depends on the
    /// records of all chunks.
    reached: Vec<String>,
}

impl Beside {
    /// What steps cut out of the records of each chunk.
    pub fn cut(survey: &Survey, cuts: &[&Cuts]) -> Self {
        if cuts.is_empty() {
            return Self::default();
        }
        let of = |chunk: &Chunk| {
            let mut hasher = blake3::Hasher::new();
            for cuts in cuts {
                let within = cuts.within(location(chunk.file, chunk.start)..location(chunk.file, chunk.end));
                for (record, places) in within {
                    hasher.update(&file_and_offset(record).1.to_le_bytes());
                    hasher.update(&(places.len() as u64).to_le_bytes());
                    for place in places {
                        hasher.update(&place.start.to_le_bytes());
                        hasher.update(&place.end.to_le_bytes());
                    }
                }
                // No record begins here, so that the steps' records are told apart.
                hasher.update(&u64::MAX.to_le_bytes());
            }
            shortened(&hasher)
        };
        Self { cut: survey.chunks.iter().map(of).collect(), reached: Vec::new() }
    }

    /// The same, and which records reach a step.
    ///
    /// # Errors
    /// What says so could not be read.
    pub fn reached(self, survey: &Survey, keep: &dyn Keep) -> Result<Self, EngineError> {
        let of = |chunk| {
            let mut hasher = blake3::Hasher::new();
            keep.offsets(chunk)?.iter().for_each(|offset| _ = hasher.update(&offset.to_le_bytes()));
            Ok(shortened(&hasher))
        };
        Ok(Self { reached: survey.chunks.iter().map(of).collect::<Result<_, EngineError>>()?, ..self })
    }

    /// Whether a stage depends on which records reach a step.
    pub(super) fn is_of_reached(&self) -> bool {
        !self.reached.is_empty()
    }

    /// What all chunks depend on; `None` where that is nothing but their records.
    pub(super) fn all(&self) -> Option<String> {
        let depends = !self.cut.is_empty() || self.is_of_reached();
        depends.then(|| short_digest(&json!([self.cut, self.reached]).to_string()))
    }

    /// What some chunks depend on.
    pub(super) fn of(&self, chunks: std::ops::Range<usize>) -> Option<String> {
        let part = |all: &[String]| all.get(chunks.clone()).map(<[String]>::to_vec).unwrap_or_default();
        Self { cut: part(&self.cut), reached: part(&self.reached) }.all()
    }

    /// The names of chunks that are called so where they depend on nothing else.
    pub(super) fn names(&self, plain: Vec<String>) -> Vec<String> {
        let mut names = plain;
        for (name, cut) in names.iter_mut().zip(&self.cut) {
            *name = short_digest(&json!([name, cut]).to_string());
        }
        if self.is_of_reached() {
            let all = short_digest(&json!([names, self.reached]).to_string());
            // Of two files with the same rows the second one repeats the first.
            names = (0..names.len()).map(|at| short_digest(&json!([at, all]).to_string())).collect();
        }
        names
    }
}

fn shortened(hasher: &blake3::Hasher) -> String {
    hasher.finalize().to_hex()[..32].to_owned()
}
