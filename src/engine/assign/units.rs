//! Units: records that may not be split apart, since they agree in a column or are near-duplicates.
//!
//! Where one column makes the units, nothing is held for each row. Where several columns or near-duplicates do, what is
//! connected is found in memory, with 4 bytes for each record that reaches the split.

use super::super::EngineError;
use super::super::narrow::{Key, Row, in_order};
use super::super::outcome::RecordId;
use super::super::partition::{Ties, Unit, by_stratum, by_threshold, rank, rank_in_time};
use super::super::resolve::Fates;
use super::super::spool::{Cursor, OfRow, Sorted, Sorter, Sparse, Spool, SpoolError, item};
use super::shares::{Placed, Shares};
use crate::hir::Period;

/// The part to whose period a moment belongs.
fn in_period(moment: u64, periods: &[Period]) -> u16 {
    let ends = |period: &&Period| period.before.is_none_or(|before| moment < in_order(before));
    periods.iter().find(ends).map_or(0, |period| period.part as u16)
}

/// A row of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Member {
    unit: Key,
    row: Row,
    /// The smallest of its values in the columns that make units.
    value: Option<Key>,
    id: RecordId,
    stratum: Key,
    /// The part of its source, where it is fixed.
    fixed: Option<u16>,
    /// The moment that it is from, where the parts follow each other in time.
    time: u64,
}

item!(fixed Member {
    unit: Key, row: Row, value: Option<Key>, id: RecordId, stratum: Key, fixed: Option<u16>, time: u64,
});

/// A unit, in order of the units' names.
#[derive(Debug, Clone, Copy)]
struct Whole {
    size: u64,
    /// The part; `None` where the strata say it.
    part: Option<u16>,
    /// The first record of the fixed part that it is drawn to.
    drawn: Option<Row>,
    id: RecordId,
}

item!(fixed Whole { size: u64, part: Option<u16>, drawn: Option<Row>, id: RecordId });

/// The part of a unit that is cut from its stratum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Cut {
    unit: u64,
    part: u16,
}

item!(fixed Cut { unit: u64, part: u16 });

impl OfRow for Cut {
    fn row(&self) -> u64 {
        self.unit
    }
}

/// A unit while its members come by.
struct Growing {
    name: Key,
    size: u64,
    first: Row,
    stratum: Key,
    value: Option<Key>,
    id: Key,
    /// The last fixed part of a member, with its first record there.
    fixed: Option<(u16, Row, RecordId)>,
    /// The moment of its latest member.
    latest: u64,
}

impl Growing {
    fn new(first: &Member) -> Self {
        let mut unit = Self {
            name: first.unit,
            size: 0,
            first: first.row,
            stratum: first.stratum,
            value: None,
            id: first.id.0,
            fixed: None,
            latest: 0,
        };
        unit.add(first);
        unit
    }

    fn add(&mut self, member: &Member) {
        self.size += 1;
        self.latest = self.latest.max(member.time);
        self.value = self.value.into_iter().chain(member.value).min();
        self.id = self.id.min(member.id.0);
        if let Some(part) = member.fixed
            && self.fixed.is_none_or(|(known, ..)| part > known)
        {
            self.fixed = Some((part, member.row, member.id));
        }
    }

    /// A unit is hashed by its smallest value, so that more records of a value move nobody; without one, by its
    /// smallest record.
    fn unit(&self) -> Unit {
        Unit { key: self.value.unwrap_or(self.id), size: self.size, first: self.first, stratum: self.stratum }
    }
}

impl Shares<'_> {
    /// Where each row goes, in order of the rows.
    pub(super) fn place_units(&self, fates: &Fates) -> Result<Sorted<Placed>, EngineError> {
        let members = self.members(fates)?;
        let (wholes, cuts) = self.part_units(&members)?;
        let mut placed = Sorter::new(self.narrow.budget());
        let (mut members, mut cuts) = (members.iter()?, Sparse::new(cuts.iter()?));
        for (unit, whole) in (0..).zip(wholes.iter()?) {
            let whole = whole?;
            let part = match whole.part {
                Some(part) => part,
                None => cuts.at(unit)?.expect("a unit without a fixed part is cut from its stratum").part,
            };
            for member in members.by_ref().take(whole.size as usize) {
                let Member { row, fixed, .. } = member?;
                placed.push(match whole.drawn.filter(|_| fixed != Some(part)) {
                    // A record of the test set stays, and what repeats it elsewhere goes.
                    Some(of) => Placed { row, part: None, of, id: whole.id },
                    None => Placed::into(row, usize::from(part)),
                })?;
            }
        }
        Ok(placed.finish()?)
    }

    /// The rows to be split, those of a unit together.
    fn members(&self, fates: &Fates) -> Result<Sorted<Member>, EngineError> {
        let mut connected = match (self.columns().len(), &self.clusters) {
            (0 | 1, None) => None,
            _ => Some(self.connected()?),
        };
        let columns = self.columns().into_iter().map(Spool::cursor);
        let mut columns = columns.collect::<Result<Vec<_>, _>>()?;
        let mut strata = self.narrow.stratum.as_ref().map(Spool::cursor).transpose()?;
        let mut times = self.narrow.time.as_ref().map(Spool::cursor).transpose()?;
        let (mut ids, mut location) = (fates.ids.cursor()?, self.narrow.location.cursor()?);
        let mut members = Sorter::new(self.narrow.budget());
        for (at, row) in self.reached.rows()?.enumerate() {
            let row = row?;
            let id = ids.at(row)?;
            let value = smallest(&mut columns, row)?;
            let unit = match &mut connected {
                None => value.unwrap_or(id.0),
                Some(sets) => u128::from(sets.root(at as u32)).to_be_bytes(),
            };
            let stratum = strata.as_mut().map_or(Ok([0; 16]), |strata| strata.at(row))?;
            let fixed = self.fixed_part(location.at(row)?).map(|part| part as u16);
            let time = times.as_mut().map_or(Ok(0), |times| times.at(row))?;
            members.push(Member { unit, row, value, id, stratum, fixed, time })?;
        }
        Ok(members.finish()?)
    }

    /// Each unit with its part, and the parts that strata give.
    fn part_units(&self, members: &Sorted<Member>) -> Result<(Spool<Whole>, Sorted<Cut>), EngineError> {
        let (_, shares, seed) = self.rule();
        let budget = self.narrow.budget();
        let (mut wholes, mut ranked) = (Spool::new(budget), Sorter::new(budget));
        let (stratified, time) = (self.narrow.stratum.is_some(), self.time());
        let mut end = |unit: Growing| {
            const NOBODY: RecordId = RecordId([0; 16]);
            let (part, drawn, id) = match (unit.fixed, time) {
                // The last fixed part wins.
                (Some((part, first, id)), _) => (Some(part), Some(first), id),
                (None, Some(time)) if time.periods.is_empty() => {
                    ranked.push(rank_in_time(unit.latest, &unit.unit(), wholes.len()))?;
                    (None, None, NOBODY)
                }
                (None, Some(time)) => (Some(in_period(unit.latest, &time.periods)), None, NOBODY),
                (None, None) if stratified => {
                    ranked.push(rank(seed, &unit.unit(), wholes.len()))?;
                    (None, None, NOBODY)
                }
                (None, None) => (Some(by_threshold(seed, &unit.unit().key, shares) as u16), None, NOBODY),
            };
            wholes.push(Whole { size: unit.size, part, drawn, id })
        };
        let mut growing: Option<Growing> = None;
        for member in members.iter()? {
            let member = member?;
            match growing.as_mut().filter(|unit| unit.name == member.unit) {
                Some(unit) => unit.add(&member),
                None => growing.replace(Growing::new(&member)).map_or(Ok(()), &mut end)?,
            }
        }
        growing.map_or(Ok(()), &mut end)?;
        let mut cuts = Sorter::new(budget);
        let mut cut = |unit, part| cuts.push(Cut { unit, part: part as u16 });
        match time {
            None => by_stratum(&ranked.finish()?, shares, Ties::Apart, &mut cut)?,
            Some(_) => by_stratum(&ranked.finish()?, shares, Ties::Together, &mut cut)?,
        }
        Ok((wholes, cuts.finish()?))
    }

    /// What is connected by equal values or as near-duplicates: the rows numbered as they reach the split.
    fn connected(&self) -> Result<Sets, EngineError> {
        let mut rows = 0;
        for row in self.reached.rows()? {
            row?;
            rows += 1;
        }
        let mut sets = Sets((0..u32::try_from(rows).map_err(|_| EngineError::TooManyRecords)?).collect());
        for column in self.columns() {
            let mut values = Sorter::new(self.narrow.budget());
            let mut column = column.cursor()?;
            for (at, row) in (0..).zip(self.reached.rows()?) {
                if let Some(value) = column.at(row?)? {
                    values.push(Value { value, at })?;
                }
            }
            let mut first: Option<Value> = None;
            for value in values.finish()?.iter()? {
                let value = value?;
                match first.filter(|first| first.value == value.value) {
                    Some(first) => sets.join(first.at, value.at),
                    None => first = Some(value),
                }
            }
        }
        if let Some(clusters) = &self.clusters {
            clusters.duplicates().for_each(|one| sets.join(one.of as u32, one.index as u32));
        }
        Ok(sets)
    }
}

/// A value of a row, which is numbered as it reaches the split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Value {
    value: Key,
    at: u32,
}

item!(fixed Value { value: Key, at: u32 });

fn smallest(columns: &mut [Cursor<'_, Option<Key>>], row: Row) -> Result<Option<Key>, SpoolError> {
    let mut smallest: Option<Key> = None;
    for column in columns {
        smallest = smallest.into_iter().chain(column.at(row)?).min();
    }
    Ok(smallest)
}

/// Sets of numbers; a set is named by its smallest member.
struct Sets(Vec<u32>);

impl Sets {
    fn root(&mut self, mut at: u32) -> u32 {
        while self.0[at as usize] != at {
            let above = self.0[self.0[at as usize] as usize];
            self.0[at as usize] = above;
            at = above;
        }
        at
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b) as usize] = a.min(b);
    }
}
