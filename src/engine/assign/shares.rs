//! A split by shares: whole sources first, the rest by keyed hashes.

use super::super::EngineError;
use super::super::narrow::{Key, Narrow, Row};
use super::super::outcome::RecordId;
use super::super::partition::{Ties, Unit, by_stratum, by_threshold, rank};
use super::super::read::file_and_offset;
use super::super::resolve::{Fates, Reached, Record};
use super::super::spool::{Cursor, Merge, OfRow, Sorter, Sparse, Spool, item};
use super::{Place, Placement};
use crate::dedup::near::Clusters;
use crate::hir::{Dataset, FixedPart, SourceId, SplitRule, TimeOrder};

/// A split by shares.
pub(super) struct Shares<'s> {
    pub(super) narrow: &'s Narrow,
    pub(super) dataset: &'s Dataset,
    pub(super) source: &'s dyn Fn(usize) -> SourceId,
    /// The rows to be split.
    pub(super) reached: &'s Reached,
    /// Near-duplicates, numbered as the rows reach the split.
    pub(super) clusters: Option<Clusters>,
}

/// Where a row goes: into a part, or out since it belongs to a record of a fixed part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Placed {
    pub(super) row: Row,
    pub(super) part: Option<u16>,
    pub(super) of: Row,
    pub(super) id: RecordId,
}

item!(fixed Placed { row: Row, part: Option<u16>, of: Row, id: RecordId });

impl OfRow for Placed {
    fn row(&self) -> Row {
        self.row
    }
}

impl Placed {
    /// A row in a part.
    pub(super) fn into(row: Row, part: usize) -> Self {
        Self { row, part: Some(part as u16), of: row, id: RecordId([0; 16]) }
    }
}

/// How records are placed.
pub(super) enum ByShares<'s> {
    /// Each by itself.
    Each { shares: &'s Shares<'s>, location: Cursor<'s, u64> },
    /// As was found out of each row before.
    Found(Sparse<Merge<Placed>, Placed>),
}

impl<'s> Shares<'s> {
    /// The fixed parts, the shares of the rest, the seed.
    pub(super) fn rule(&self) -> (&'s [FixedPart], &'s [(usize, f64)], u64) {
        match &self.dataset.split.rule {
            SplitRule::Shares { fixed, shares, seed, .. } => (fixed, shares, *seed),
            SplitRule::AllTrain | SplitRule::ByField(_) => (&[], &[], 0),
        }
    }

    /// The order in time in which the parts follow each other.
    pub(super) fn time(&self) -> Option<&'s TimeOrder> {
        match &self.dataset.split.rule {
            SplitRule::Shares { time, .. } => time.as_ref(),
            SplitRule::AllTrain | SplitRule::ByField(_) => None,
        }
    }

    /// The columns whose equal values make units.
    pub(super) fn columns(&self) -> Vec<&'s Spool<Option<Key>>> {
        self.narrow.by.iter().chain(&self.narrow.groups).collect()
    }

    /// The part of the source that a row lies in, where it is fixed.
    pub(super) fn fixed_part(&self, location: u64) -> Option<usize> {
        let (file, _) = file_and_offset(location);
        let source = (self.source)(file);
        let (fixed, ..) = self.rule();
        fixed.iter().find(|part| part.sources.contains(&source)).map(|part| part.part)
    }

    /// How each row is placed, after a look at all of them where that is needed.
    pub(super) fn place(&'s self, fates: &Fates) -> Result<ByShares<'s>, EngineError> {
        if !self.columns().is_empty() || self.clusters.is_some() || self.narrow.time.is_some() {
            return Ok(ByShares::Found(Sparse::new(self.place_units(fates)?.iter()?)));
        }
        match &self.narrow.stratum {
            None => Ok(ByShares::Each { shares: self, location: self.narrow.location.cursor()? }),
            Some(strata) => self.place_in_strata(fates, strata),
        }
    }

    /// Records that are units of their own, spread over the parts in each stratum.
    fn place_in_strata(&self, fates: &Fates, strata: &Spool<Key>) -> Result<ByShares<'s>, EngineError> {
        let (_, shares, seed) = self.rule();
        let budget = self.narrow.budget();
        let (mut ranked, mut placed) = (Sorter::new(budget), Sorter::new(budget));
        let (mut location, mut ids, mut strata) =
            (self.narrow.location.cursor()?, fates.ids.cursor()?, strata.cursor()?);
        for row in self.reached.rows()? {
            let row = row?;
            match self.fixed_part(location.at(row)?) {
                Some(part) => placed.push(Placed::into(row, part))?,
                None => {
                    let unit = Unit { key: ids.at(row)?.0, size: 1, first: row, stratum: strata.at(row)? };
                    ranked.push(rank(seed, &unit, row))?;
                }
            }
        }
        by_stratum(&ranked.finish()?, shares, Ties::Apart, &mut |row, part| placed.push(Placed::into(row, part)))?;
        Ok(ByShares::Found(Sparse::new(placed.finish()?.iter()?)))
    }
}

impl Place for ByShares<'_> {
    fn place(&mut self, record: &Record) -> Result<Placement, EngineError> {
        match self {
            ByShares::Each { shares, location } => {
                let (_, of_rest, seed) = shares.rule();
                let fixed = shares.fixed_part(location.at(record.row)?);
                let part = fixed.unwrap_or_else(|| by_threshold(seed, &record.id.0, of_rest));
                Ok(Placement::Part(part as u16))
            }
            ByShares::Found(placed) => {
                let Placed { part, of, id, .. } = placed.at(record.row)?.expect("every row was placed");
                Ok(part.map_or(Placement::Repeat { of, id }, Placement::Part))
            }
        }
    }
}
