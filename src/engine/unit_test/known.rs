//! What the resolver made of the records of a test, which are few.

use crate::engine::EngineError;
use crate::engine::narrow::Narrow;
use crate::engine::resolve::{Fate, Fates};

/// What became of a record.
pub(super) struct Known {
    /// Its fate.
    pub(super) fate: Fate,
    /// The first step whose verdict fires; −1 when none does.
    pub(super) verdict: i32,
    /// The record that it repeats.
    pub(super) repeats: Option<usize>,
    /// What is wrong with it.
    pub(super) error: Option<String>,
    /// The `set`s that changed it.
    pub(super) changed: Vec<usize>,
}

/// What became of each record.
pub(super) fn known(narrow: &Narrow, fates: &Fates) -> Result<Vec<Known>, EngineError> {
    let (mut repeats, mut errors) = (fates.repeats()?, fates.errors()?);
    let rows = (0..).zip(fates.fates.iter()?).zip(narrow.verdict.iter()?);
    let known = rows.map(|((row, fate), verdict)| {
        let changed = narrow.changed.iter().map(|(at, flags)| Ok((*at, flags.get(row)? == Some(true))));
        let changed = changed.collect::<Result<Vec<_>, EngineError>>()?;
        Ok(Known {
            fate: fate?,
            verdict: verdict?,
            repeats: repeats.at(row)?.map(|repeat| repeat.of as usize),
            error: errors.at(row)?.map(|note| note.text),
            changed: changed.into_iter().filter(|(_, changed)| *changed).map(|(at, _)| at).collect(),
        })
    });
    known.collect()
}
