//! Samples: which of the records that reach a step are taken, by ranks that follow from the seed and the record's id.

use super::super::EngineError;
use super::super::narrow::{Key, Narrow, Row};
use super::super::read::file_and_offset;
use super::super::spool::{Cursor, Merge, OfRow, Sorted, Sorter, Sparse, item};
use super::{Decide, Gather, Reached, Record, Reread, Ruling, Way};
use crate::hir::{Dataset, SourceId, SplitRule, Taken};
use crate::sample::{copies, is_in_share, most_of_each, rank};

/// How a step takes records. `source` gives each file's source.
pub(super) fn sample<'r>(
    narrow: &'r Narrow,
    dataset: &'r Dataset,
    step: usize,
    (taken, seed): (&'r Taken, u64),
    source: &'r dyn Fn(usize) -> SourceId,
) -> Result<Way<'r>, EngineError> {
    let sources = Sources { dataset, source, location: narrow.location.cursor()? };
    Ok(match taken {
        Taken::Share(share) => Way::Alone(Box::new(Share { share: *share, seed, sources })),
        Taken::Weighted { source: of, weight } => {
            Way::Alone(Box::new(Weighted { of: *of, weight: *weight, seed, sources }))
        }
        Taken::Count { .. } | Taken::Balanced { .. } | Taken::Mixed(_) => {
            let groups = narrow.sampled.get(&step).map(|groups| groups.cursor()).transpose()?;
            let ranked = Sorter::new(narrow.budget());
            Way::Together(Box::new(Ranking { taken, seed, sources, groups, ranked, narrow }))
        }
    })
}

/// Where records come from.
struct Sources<'r> {
    dataset: &'r Dataset,
    source: &'r dyn Fn(usize) -> SourceId,
    location: Cursor<'r, u64>,
}

impl Sources<'_> {
    /// A record's source.
    fn of(&mut self, row: Row) -> Result<SourceId, EngineError> {
        let (file, _) = file_and_offset(self.location.at(row)?);
        Ok((self.source)(file))
    }

    /// Whether a part takes a source as a whole: its records all stay.
    fn is_fixed(&self, source: SourceId) -> bool {
        match &self.dataset.split.rule {
            SplitRule::Shares { fixed, .. } => fixed.iter().any(|part| part.sources.contains(&source)),
            SplitRule::AllTrain | SplitRule::ByField(_) => false,
        }
    }
}

fn ruling(is_taken: bool) -> Ruling {
    if is_taken { Ruling::Pass } else { Ruling::Drop }
}

/// `sample 10%`
struct Share<'r> {
    share: f64,
    seed: u64,
    sources: Sources<'r>,
}

impl Decide for Share<'_> {
    fn decide(&mut self, record: &Record) -> Result<Ruling, EngineError> {
        let source = self.sources.of(record.row)?;
        let is_fixed = self.sources.is_fixed(source);
        Ok(ruling(is_fixed || is_in_share(rank("sample", self.seed, &record.id.0), self.share)))
    }
}

/// `weight SOURCE 0.5`: what occurs no time goes; copies are made where the record is written.
struct Weighted<'r> {
    of: SourceId,
    weight: f64,
    seed: u64,
    sources: Sources<'r>,
}

impl Decide for Weighted<'_> {
    fn decide(&mut self, record: &Record) -> Result<Ruling, EngineError> {
        let is_other = self.sources.of(record.row)? != self.of;
        Ok(ruling(is_other || copies(rank("weight", self.seed, &record.id.0), self.weight) > 0))
    }
}

/// A record in its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Ranked {
    group: Key,
    rank: Key,
    row: Row,
}

item!(fixed Ranked { group: Key, rank: Key, row: Row });

/// A row that is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Left {
    row: Row,
}

item!(fixed Left { row: Row });

impl OfRow for Left {
    fn row(&self) -> Row {
        self.row
    }
}

/// Ranks the records of each group.
struct Ranking<'r> {
    taken: &'r Taken,
    seed: u64,
    sources: Sources<'r>,
    groups: Option<Cursor<'r, Key>>,
    ranked: Sorter<Ranked>,
    narrow: &'r Narrow,
}

impl<'r> Gather<'r> for Ranking<'r> {
    fn reach(&mut self, record: &Record) -> Result<(), EngineError> {
        let source = self.sources.of(record.row)?;
        if self.sources.is_fixed(source) {
            return Ok(());
        }
        let (word, group) = match self.taken {
            Taken::Mixed(_) => ("mix", group_of(source)),
            Taken::Count { .. } => ("take", self.value(record.row)?),
            Taken::Balanced { .. } => ("balance", self.value(record.row)?),
            Taken::Share(_) | Taken::Weighted { .. } => unreachable!("decided over each record by itself"),
        };
        let rank = rank(word, self.seed, &record.id.0).to_be_bytes();
        Ok(self.ranked.push(Ranked { group, rank, row: record.row })?)
    }

    fn finish(self: Box<Self>, _: &Reached, _: &mut dyn Reread) -> Result<Box<dyn Decide + 'r>, EngineError> {
        let ranked = self.ranked.finish()?;
        let sizes = sizes(&ranked)?;
        let most = match self.taken {
            Taken::Count { count, .. } => crate::sample::Most::Each(*count),
            Taken::Balanced { times, .. } => crate::sample::Most::Balanced(*times),
            Taken::Mixed(shares) => {
                crate::sample::Most::Mixed(shares.iter().map(|(source, share)| (group_of(*source), *share)).collect())
            }
            Taken::Share(_) | Taken::Weighted { .. } => unreachable!("decided over each record by itself"),
        };
        let most = most_of_each(&sizes, &most);
        let mut left = Sorter::new(self.narrow.budget());
        let mut all = ranked.iter()?;
        for ((_, size), most) in sizes.iter().zip(most) {
            for (at, one) in (0..).zip(all.by_ref().take(*size as usize)) {
                let one = one?;
                if at >= most {
                    left.push(Left { row: one.row })?;
                }
            }
        }
        Ok(Box::new(LeftOut(Sparse::new(left.finish()?.iter()?))))
    }
}

impl Ranking<'_> {
    /// The digest of the value by which records are counted; one for all where none is.
    fn value(&mut self, row: Row) -> Result<Key, EngineError> {
        Ok(self.groups.as_mut().map_or(Ok([0; 16]), |groups| groups.at(row))?)
    }
}

fn group_of(source: SourceId) -> Key {
    u128::from(source.0).to_be_bytes()
}

/// The groups with their numbers of records, in order.
fn sizes(ranked: &Sorted<Ranked>) -> Result<Vec<(Key, u64)>, EngineError> {
    let mut sizes: Vec<(Key, u64)> = Vec::new();
    for one in ranked.iter()? {
        let one = one?;
        match sizes.last_mut().filter(|(group, _)| *group == one.group) {
            Some((_, size)) => *size += 1,
            None => sizes.push((one.group, 1)),
        }
    }
    Ok(sizes)
}

/// Drops the rows that are not taken.
struct LeftOut(Sparse<Merge<Left>, Left>);

impl Decide for LeftOut {
    fn decide(&mut self, record: &Record) -> Result<Ruling, EngineError> {
        Ok(ruling(self.0.at(record.row)?.is_none()))
    }
}
