//! The split of a data set: units from values, groups and near-duplicates; fixed parts first; the certificate.

mod certificate;
mod shares;
mod units;

use std::sync::Arc;

use super::EngineError;
use super::narrow::{Codes, Narrow, Row};
use super::near::Compared;
use super::outcome::{Certificate, RecordId, StepOutcomeKind};
use super::resolve::{Decide, Fates, Judge, Reached, Record, Reread, Ruling, Stage, no_records, sweep};
use super::spool::Spool;
use crate::dedup::Scheme;
use crate::hir::{ColumnId, Dataset, SourceId, SplitRule};
use shares::Shares;

/// The part of each row; `None` for a row that is not kept.
pub type Parts = Spool<Option<u16>>;

/// Where the split puts a record.
enum Placement {
    /// Into this part.
    Part(u16),
    /// Nowhere: it belongs to a record of a fixed part.
    Repeat { of: Row, id: RecordId },
    /// Nowhere: what is wrong with it.
    Quarantine(String),
}

/// A split that knows all that it needs to place a record.
trait Place {
    /// Where a record goes; records come in order of their rows.
    fn place(&mut self, record: &Record) -> Result<Placement, EngineError>;
}

/// Gives each kept row its part. Rows that the split takes out change their fate, and a step is counted then.
/// `source` gives each file's source.
///
/// # Errors
/// What the world did.
pub fn assign(
    narrow: &Arc<Narrow>,
    dataset: &Dataset,
    fates: &mut Fates,
    source: &dyn Fn(usize) -> SourceId,
    again: &mut dyn Reread,
) -> Result<(Parts, Certificate), EngineError> {
    let mut near = |near: Option<(ColumnId, Scheme)>, reached: &Reached| {
        let texts = crate::plan::split::NEAR.to_owned();
        near.map(|(_, scheme)| again.near(&Compared { texts, scores: None, scheme }, reached)).transpose()
    };
    let mut certificate = Certificate {
        by: "record".to_owned(),
        method: "all records are in one part".to_owned(),
        shared_keys: 0,
        near_pairs: None,
        times: Vec::new(),
    };
    let parts = match &dataset.split.rule {
        SplitRule::AllTrain => split(narrow, fates, Everybody)?,
        SplitRule::ByField(column) => {
            let name = &dataset.columns[column.0 as usize].name;
            let parts = split(narrow, fates, ByField::new(narrow, dataset, name)?)?;
            certificate.method = format!("the field `{name}` names each record's part; checked for equal records");
            certificate.shared_keys = certificate::shared_records(narrow, &parts)?;
            parts
        }
        SplitRule::Shares { near: together, .. } => {
            let reached = fates.reached(narrow);
            let clusters = near(*together, &reached)?;
            let shares = Shares { narrow, dataset, source, reached: &reached, clusters };
            let place = shares.place(fates)?;
            let parts = split(narrow, fates, place)?;
            certificate = shares.certificate(&parts)?;
            parts
        }
    };
    if let Some(clusters) = near(dataset.split.check, &fates.reached(narrow))? {
        certificate.near_pairs = Some(certificate::torn(&fates.reached(narrow), &clusters, &parts)?);
    }
    certificate.method.push_str(&certificate::near_method(dataset));
    Ok((parts, certificate))
}

/// The sweep that gives the kept rows their parts.
fn split(narrow: &Narrow, fates: &mut Fates, place: impl Place) -> Result<Parts, EngineError> {
    let mut parts = Spool::new(narrow.budget());
    let judge = Judge {
        stage: Stage::Split,
        outcome: no_records(StepOutcomeKind::Split, "split", 0),
        decide: Box::new(Splitting { place, parts: &mut parts }),
    };
    sweep(narrow, fates, vec![judge], None)?;
    pad(&mut parts, narrow.len())?;
    // A split that takes nothing out is no step.
    fates.steps.pop_if(|step| step.records_in == step.records_out);
    Ok(parts)
}

/// Gives the rows before `row` that were passed over no part.
fn pad(parts: &mut Parts, row: Row) -> Result<(), EngineError> {
    while parts.len() < row {
        parts.push(None)?;
    }
    Ok(())
}

/// A split at work.
struct Splitting<'p, P> {
    place: P,
    parts: &'p mut Parts,
}

impl<P: Place> Decide for Splitting<'_, P> {
    fn decide(&mut self, record: &Record) -> Result<Ruling, EngineError> {
        pad(self.parts, record.row)?;
        Ok(match self.place.place(record)? {
            Placement::Part(part) => {
                self.parts.push(Some(part))?;
                Ruling::Pass
            }
            Placement::Repeat { of, id } => Ruling::Repeat { of, id, similarity: None },
            Placement::Quarantine(text) => Ruling::Quarantine(text),
        })
    }
}

/// All records are in the only part.
struct Everybody;

impl Place for Everybody {
    fn place(&mut self, _: &Record) -> Result<Placement, EngineError> {
        Ok(Placement::Part(0))
    }
}

/// A field names each record's part.
struct ByField<'n> {
    codes: Codes<'n>,
    /// The part that each value names.
    known: Vec<Option<u16>>,
    name: &'n str,
}

impl<'n> ByField<'n> {
    fn new(narrow: &'n Narrow, dataset: &Dataset, name: &'n str) -> Result<Self, EngineError> {
        let field = narrow.part.as_ref().expect("the first pass keeps the field that names the parts");
        let part = |value: &String| dataset.split.parts.iter().position(|part| part == value).map(|part| part as u16);
        Ok(Self { codes: field.codes()?, known: field.values.iter().map(part).collect(), name })
    }
}

impl Place for ByField<'_> {
    fn place(&mut self, record: &Record) -> Result<Placement, EngineError> {
        let name = self.name;
        Ok(match self.codes.at(record.row)?.map(|code| self.known[code]) {
            Some(Some(part)) => Placement::Part(part),
            Some(None) => Placement::Quarantine(format!("the value of `{name}` is no part of the split")),
            None => Placement::Quarantine(format!("field `{name}` is null, expected a part of the split")),
        })
    }
}
