//! Steps that compare the records that reach them.

use std::collections::HashMap;

use super::super::EngineError;
use super::super::narrow::{Key, Narrow, Row, Score};
use super::super::near;
use super::super::outcome::RecordId;
use super::super::spool::{Cursor, Merge, OfRow, Sorter, Sparse, Spool, item};
use super::{Decide, Gather, Reached, Record, Repeat, Reread, Ruling};
use crate::dedup::Scheme;
use crate::dedup::near::Clusters;
use crate::hir::Keep;
use crate::plan::cleaning;

/// A record by what a `dedup … exactly` compares, the one that is kept first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Compared {
    key: Key,
    /// The smaller, the better.
    place: u64,
    row: Row,
    id: RecordId,
}

item!(fixed Compared { key: Key, place: u64, row: Row, id: RecordId });

struct Exact<'r> {
    keys: Cursor<'r, Key>,
    scores: Option<Cursor<'r, Option<Score>>>,
    compared: Sorter<Compared>,
    repeats: Sorter<Repeat>,
}

/// Keeps the first record of each key, or the best.
pub(super) fn exact<'r>(narrow: &'r Narrow, step: usize) -> Result<Box<dyn Gather<'r> + 'r>, EngineError> {
    let (compared, repeats) = (Sorter::new(narrow.budget()), Sorter::new(narrow.budget()));
    let scores = narrow.scores.get(&step).map(Spool::cursor).transpose()?;
    Ok(Box::new(Exact { keys: narrow.dedup[&step].cursor()?, scores, compared, repeats }))
}

impl<'r> Gather<'r> for Exact<'r> {
    fn reach(&mut self, record: &Record) -> Result<(), EngineError> {
        let key = self.keys.at(record.row)?;
        let score = self.scores.as_mut().map_or(Ok(None), |scores| scores.at(record.row))?;
        let place = score.map_or(u64::MAX, Score::place);
        Ok(self.compared.push(Compared { key, place, row: record.row, id: record.id })?)
    }

    fn finish(self: Box<Self>, _: &Reached, _: &mut dyn Reread) -> Result<Box<dyn Decide + 'r>, EngineError> {
        let Exact { compared, mut repeats, .. } = *self;
        let mut kept: Option<Compared> = None;
        for one in compared.finish()?.iter()? {
            let one = one?;
            match kept.filter(|kept| kept.key == one.key) {
                Some(kept) => repeats.push(Repeat::new(one.row, kept.row, kept.id, None))?,
                None => kept = Some(one),
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
            Some(Repeat { of, id, .. }) => Ruling::Repeat { of, id, similarity: None },
            None => Ruling::Pass,
        })
    }
}

/// Keeps one record of each cluster of near-duplicates. Beside the index itself (see [`crate::dedup::near`]) it keeps 4
/// bytes for each record that reaches it, and the identities of those that are kept of clusters of several.
pub(super) struct Near {
    compared: near::Compared,
    /// The records that reach it, where the kept one need not be the first.
    passed: Option<Spool<Passed>>,
}

/// A record that reaches the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Passed {
    row: Row,
    id: RecordId,
}

item!(fixed Passed { row: Row, id: RecordId });

/// Keeps the first record of each cluster, or the best.
pub(super) fn near(narrow: &Narrow, step: usize, scheme: Scheme, keep: &Keep) -> Near {
    let scored = matches!(keep, Keep::Best(_));
    let scores = scored.then(|| cleaning::score(step));
    let compared = near::Compared { texts: cleaning::near_text(step), scores, scheme };
    Near { compared, passed: scored.then(|| Spool::new(narrow.budget())) }
}

impl<'r> Gather<'r> for Near {
    fn reach(&mut self, record: &Record) -> Result<(), EngineError> {
        // The texts are read again.
        match &mut self.passed {
            Some(passed) => Ok(passed.push(Passed { row: record.row, id: record.id })?),
            None => Ok(()),
        }
    }

    fn finish(self: Box<Self>, reached: &Reached, again: &mut dyn Reread) -> Result<Box<dyn Decide + 'r>, EngineError> {
        let clusters = again.near(&self.compared, reached)?;
        let mut kept: HashMap<usize, Option<(Row, RecordId)>> = HashMap::new();
        clusters.duplicates().for_each(|duplicate| _ = kept.insert(duplicate.of, None));
        if let Some(passed) = &self.passed {
            for (at, one) in passed.iter()?.enumerate() {
                let Passed { row, id } = one?;
                if let Some(known) = kept.get_mut(&at) {
                    *known = Some((row, id));
                }
            }
        }
        Ok(Box::new(Clustered { clusters, kept, seen: 0, dropped: 0 }))
    }
}

/// Clusters number the records as they reach the step.
struct Clustered {
    clusters: Clusters,
    /// The kept record of each cluster of several, once it is known.
    kept: HashMap<usize, Option<(Row, RecordId)>>,
    seen: usize,
    dropped: usize,
}

impl Decide for Clustered {
    fn decide(&mut self, record: &Record) -> Result<Ruling, EngineError> {
        let index = self.seen;
        self.seen += 1;
        let of = self.clusters.representative(index);
        if of != index {
            let similarity = self.clusters.similarity(self.dropped);
            self.dropped += 1;
            let (of, id) = self.kept[&of].expect("the kept record comes first, or all were looked through before");
            return Ok(Ruling::Repeat { of, id, similarity: Some(similarity) });
        }
        if let Some(known) = self.kept.get_mut(&index) {
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
