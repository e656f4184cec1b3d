//! `preference`: `{"prompt","chosen","rejected"}`, three texts, as trainers on preference pairs read them.
//!
//! A pair teaches something only where its two answers differ: with a text that is blank, or with one answer given twice,
//! the loss is a constant. Such a record has a fault, by which the build takes it out before anything is written.

use std::borrow::Cow;

use super::Columns;
use super::column::write_text;
use super::row::Rows;
use super::slot::Slot;
use crate::hir::TemplateKind;

const NAMES: [&str; 3] = ["prompt", "chosen", "rejected"];

/// The three texts of a preference template.
#[derive(Debug)]
pub(crate) struct Preference([Slot; 3]);

impl Preference {
    /// The texts of a template.
    pub(crate) fn new(template: &TemplateKind, columns: &Columns<'_>) -> Result<Self, String> {
        match template {
            TemplateKind::Preference { prompt, chosen, rejected } => {
                Ok(Self([Slot::new(prompt, columns)?, Slot::new(chosen, columns)?, Slot::new(rejected, columns)?]))
            }
            TemplateKind::Chat(_) | TemplateKind::Completion { .. } | TemplateKind::Text(_) => {
                Err("only a `preference` template has a `chosen` and a `rejected` answer".to_owned())
            }
        }
    }

    /// Writes one row.
    pub(crate) fn write(&self, rows: &Rows<'_>, row: usize, out: &mut Vec<u8>) -> Result<(), String> {
        let texts = self.texts(rows, row)?;
        if let Some(fault) = fault(&texts) {
            return Err(fault.to_owned());
        }
        for (name, text) in NAMES.iter().zip(&texts) {
            out.extend_from_slice(if *name == NAMES[0] { b"{" } else { b"," });
            write_text(out, name);
            out.push(b':');
            write_text(out, text);
        }
        out.push(b'}');
        Ok(())
    }

    /// Why a record is no pair; `None` where it is one, and where it cannot be rendered at all, which writing it tells.
    pub(crate) fn fault(&self, rows: &Rows<'_>, row: usize) -> Option<&'static str> {
        self.texts(rows, row).ok().and_then(|texts| fault(&texts))
    }

    fn texts<'a>(&self, rows: &'a Rows<'_>, row: usize) -> Result<[Cow<'a, str>; 3], String> {
        let [prompt, chosen, rejected] = &self.0;
        Ok([prompt.render(rows, row)?, chosen.render(rows, row)?, rejected.render(rows, row)?])
    }
}

/// Space around an answer is no difference between two.
fn fault([prompt, chosen, rejected]: &[Cow<'_, str>; 3]) -> Option<&'static str> {
    match (prompt.trim(), chosen.trim(), rejected.trim()) {
        ("", ..) => Some("`prompt` is blank"),
        (_, "", _) => Some("`chosen` is blank"),
        (.., "") => Some("`rejected` is blank"),
        (_, chosen, rejected) if chosen == rejected => Some("`chosen` and `rejected` are the same text"),
        _ => None,
    }
}
