//! Steps that decide over each record by itself.

use super::super::EngineError;
use super::super::narrow::{Codes, Interned};
use super::super::spool::{Cursor, Spool};
use super::{Decide, Record, Ruling};
use crate::hir::LabelForm;
use crate::label::LabelTable;
use crate::label::kept::read_kept;
use crate::plan::labels::{CONSTRAINED, FITS};

/// Nothing happens to a record.
pub(super) struct Pass;

impl Decide for Pass {
    fn decide(&mut self, _: &Record) -> Result<Ruling, EngineError> {
        Ok(Ruling::Pass)
    }
}

/// Drops the records whose first firing verdict is this step's.
pub(super) struct Fired {
    pub(super) step: i32,
}

impl Decide for Fired {
    fn decide(&mut self, record: &Record) -> Result<Ruling, EngineError> {
        Ok(if record.verdict == self.step { Ruling::Drop } else { Ruling::Pass })
    }
}

struct Set<'r>(Cursor<'r, bool>);

/// A `set`, by whether it changed each row.
pub(super) fn set<'r>(changed: &'r Spool<bool>) -> Result<Box<dyn Decide + 'r>, EngineError> {
    Ok(Box::new(Set(changed.cursor()?)))
}

impl Decide for Set<'_> {
    fn decide(&mut self, record: &Record) -> Result<Ruling, EngineError> {
        Ok(if self.0.at(record.row)? { Ruling::Change } else { Ruling::Pass })
    }
}

struct Pieces<'r> {
    step: i32,
    changed: Cursor<'r, bool>,
}

/// A `dedup` of lines, sentences or substrings, by whether something was cut out of each row's text, and by its verdict,
/// which fires where nothing was left.
pub(super) fn pieces<'r>(changed: &'r Spool<bool>, step: usize) -> Result<Box<dyn Decide + 'r>, EngineError> {
    Ok(Box::new(Pieces { step: step as i32, changed: changed.cursor()? }))
}

impl Decide for Pieces<'_> {
    fn decide(&mut self, record: &Record) -> Result<Ruling, EngineError> {
        Ok(match self.changed.at(record.row)? {
            _ if record.verdict == self.step => Ruling::Drop,
            true => Ruling::Change,
            false => Ruling::Pass,
        })
    }
}

struct Label<'r> {
    step: i32,
    codes: Codes<'r>,
    /// For each of the raw values why the label does not have it; `None` where it does.
    faults: Vec<Option<String>>,
    name: &'r str,
    null_drops: bool,
}

/// A label, by the raw value of each row, or by what the first pass said of it where the label has no `table` of names.
pub(super) fn label<'r>(
    raw: &'r Interned,
    step: usize,
    name: &'r str,
    (table, form): (Option<&LabelTable>, &LabelForm),
    null_drops: bool,
) -> Result<Box<dyn Decide + 'r>, EngineError> {
    let is_value = |value: &String| table.is_some_and(|table| table.position(value).is_some());
    let fault = |value: &String| match form {
        LabelForm::One if is_value(value) => None,
        LabelForm::One => Some(format!("unknown value of label `{name}`")),
        LabelForm::Several(_) | LabelForm::Spans { .. } => {
            read_kept(value).err().map(|fault| format!("label `{name}`: {fault}"))
        }
        LabelForm::Scalar(_) if value == FITS => None,
        LabelForm::Scalar(_) if value == CONSTRAINED => Some(format!("a constraint of label `{name}` does not hold")),
        LabelForm::Scalar(_) => Some(format!("a value outside those of label `{name}`")),
    };
    let faults = raw.values.iter().map(fault).collect();
    Ok(Box::new(Label { step: step as i32, codes: raw.codes()?, faults, name, null_drops }))
}

impl Decide for Label<'_> {
    fn decide(&mut self, record: &Record) -> Result<Ruling, EngineError> {
        if record.verdict == self.step {
            return Ok(Ruling::Drop);
        }
        Ok(match self.codes.at(record.row)? {
            Some(code) => self.faults[code].clone().map_or(Ruling::Pass, Ruling::Quarantine),
            None if self.null_drops => Ruling::Drop,
            None => Ruling::Quarantine(format!("label `{}` is null", self.name)),
        })
    }
}
