//! Steps that compare the records that reach them.

use std::collections::HashMap;

use super::super::EngineError;
use super::super::narrow::{Key, Narrow, Row};
use super::super::outcome::RecordId;
use super::super::spool::{Cursor, Merge, OfRow, Sorter, Sparse, item};
use super::{Decide, Gather, Reached, Record, Repeat, Reread, Ruling};
use crate::dedup::near::Clusters;
use crate::plan::cleaning;

/// A record by what a `dedup … exactly` compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Compared {
    key: Key,
    row: Row,
    id: RecordId,
}

item!(fixed Compared { key: Key, row: Row, id: RecordId });

struct Exact<'r> {
    keys: Cursor<'r, Key>,
    compared: Sorter<Compared>,
    repeats: Sorter<Repeat>,
}

/// Keeps the first record of each key.
pub(super) fn exact<'r>(narrow: &'r Narrow, step: usize) -> Result<Box<dyn Gather<'r> + 'r>, EngineError> {
    let (compared, repeats) = (Sorter::new(narrow.budget()), Sorter::new(narrow.budget()));
    Ok(Box::new(Exact { keys: narrow.dedup[&step].cursor()?, compared, repeats }))
}

impl<'r> Gather<'r> for Exact<'r> {
    fn reach(&mut self, record: &Record) -> Result<(), EngineError> {
        let key = self.keys.at(record.row)?;
        Ok(self.compared.push(Compared { key, row: record.row, id: record.id })?)
    }

    fn finish(self: Box<Self>, _: &Reached, _: &mut dyn Reread) -> Result<Box<dyn Decide + 'r>, EngineError> {
        let Exact { compared, mut repeats, .. } = *self;
        let mut first: Option<Compared> = None;
        for one in compared.finish()?.iter()? {
            let Compared { key, row, id } = one?;
            match first.filter(|first| first.key == key) {
                Some(first) => repeats.push(Repeat { row, of: first.row, id: first.id })?,
                None => first = Some(Compared { key, row, id }),
            }
        }
        Ok(Box::new(Repeats(Sparse::new(repeats.finish()?.iter()?))))
    }
}

/// Drops the records that were found to repeat another one.
struct Repeats(Sparse<Merge<Repeat>, Repeat>);

impl Decide for Repeats {
    fn decide(&mut self, record: &Record) -> Result<Ruling, EngineError> {
        Ok(match self.0.at(record.row)? {
            Some(Repeat { of, id, .. }) => Ruling::Repeat { of, id },
            None => Ruling::Pass,
        })
    }
}

/// Keeps the first record of each cluster of near-duplicates. Beside the index itself (see [`crate::dedup::near`]) it
/// keeps 4 bytes for each record that reaches it, and the identity of the first of each cluster that has more.
pub(super) struct Near {
    pub(super) step: usize,
    pub(super) threshold: f64,
}

impl<'r> Gather<'r> for Near {
    fn reach(&mut self, _: &Record) -> Result<(), EngineError> {
        // The texts are read again.
        Ok(())
    }

    fn finish(self: Box<Self>, reached: &Reached, again: &mut dyn Reread) -> Result<Box<dyn Decide + 'r>, EngineError> {
        let clusters = again.near(&cleaning::near_text(self.step), reached, self.threshold)?;
        let firsts = clusters.duplicates().map(|(_, of)| (of, None)).collect();
        Ok(Box::new(Clustered { clusters, firsts, seen: 0 }))
    }
}

/// Clusters number the records as they reach the step.
struct Clustered {
    clusters: Clusters,
    /// The first record of each cluster of several, once it has come by.
    firsts: HashMap<usize, Option<(Row, RecordId)>>,
    seen: usize,
}

impl Decide for Clustered {
    fn decide(&mut self, record: &Record) -> Result<Ruling, EngineError> {
        let index = self.seen;
        self.seen += 1;
        let first = self.clusters.representative(index);
        if first != index {
            let (of, id) = self.firsts[&first].expect("the first of a cluster comes before the others");
            return Ok(Ruling::Repeat { of, id });
        }
        if let Some(known) = self.firsts.get_mut(&index) {
            *known = Some((record.row, record.id));
        }
        Ok(Ruling::Pass)
    }
}

/// Quarantines the records that an output cannot hold.
pub(super) struct Pair {
    pub(super) output: usize,
}

/// A record that an output cannot hold, by its place among those that reach the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Fault {
    place: u64,
    reason: u32,
}

item!(fixed Fault { place: u64, reason: u32 });

impl OfRow for Fault {
    fn row(&self) -> u64 {
        self.place
    }
}

impl<'r> Gather<'r> for Pair {
    fn reach(&mut self, _: &Record) -> Result<(), EngineError> {
        // The records are read again.
        Ok(())
    }

    fn finish(self: Box<Self>, reached: &Reached, again: &mut dyn Reread) -> Result<Box<dyn Decide + 'r>, EngineError> {
        let mut faults = Sorter::new(reached.narrow.budget());
        let mut reasons: Vec<&'static str> = Vec::new();
        again.faults(self.output, reached, &mut |place, reason| {
            let known = reasons.iter().position(|known| *known == reason);
            let reason = known.unwrap_or_else(|| {
                reasons.push(reason);
                reasons.len() - 1
            });
            Ok(faults.push(Fault { place, reason: reason as u32 })?)
        })?;
        Ok(Box::new(Faults { faults: Sparse::new(faults.finish()?.iter()?), reasons, seen: 0 }))
    }
}

struct Faults {
    faults: Sparse<Merge<Fault>, Fault>,
    reasons: Vec<&'static str>,
    seen: u64,
}

impl Decide for Faults {
    fn decide(&mut self, _: &Record) -> Result<Ruling, EngineError> {
        let place = self.seen;
        self.seen += 1;
        Ok(match self.faults.at(place)? {
            Some(fault) => Ruling::Quarantine(self.reasons[fault.reason as usize].to_owned()),
            None => Ruling::Pass,
        })
    }
}
