//! One text of a template with the columns that it names.

use std::borrow::Cow;
use std::collections::HashMap;

use super::Columns;
use super::column::Column;
use super::row::Rows;
use crate::hir::Type;
use crate::prompt::{LabelValue, Part, Template, Values};

/// A text of a template.
#[derive(Debug)]
pub(crate) struct Slot {
    template: Box<Template>,
    variables: Vec<Variable>,
}

/// A column that a text names.
#[derive(Debug)]
struct Variable {
    name: String,
    /// For a label: its values by name.
    label: Option<HashMap<String, LabelValue>>,
    /// Whether a text prints it as it is, so that a null would stand there as a word.
    printed: bool,
}

impl Slot {
    /// Parses the text and finds its columns.
    pub(crate) fn new(text: &str, columns: &Columns<'_>) -> Result<Self, String> {
        let template = Box::new(Template::parse(text).map_err(|error| error.message)?);
        let mut variables: Vec<Variable> = Vec::new();
        for read in template.variables() {
            match variables.iter_mut().find(|variable| variable.name == read.name) {
                Some(variable) => variable.printed |= read.printed,
                None => variables.push(Variable::new(&read.name, read.printed, columns)?),
            }
        }
        Ok(Self { template, variables })
    }

    /// The text of one record.
    pub(crate) fn render<'a>(&self, rows: &'a Rows<'_>, row: usize) -> Result<Cow<'a, str>, String> {
        if let Some(parts) = self.template.parts()
            && let Some(text) = self.put_together(parts, rows, row)?
        {
            return Ok(text);
        }
        let mut values = Values::default();
        for variable in &self.variables {
            variable.set(rows, row, &mut values)?;
        }
        self.template.render(&values).map(Cow::Owned).map_err(|error| error.to_string())
    }

    /// The text of one record without the engine; `None` where it prints something else than texts.
    fn put_together<'a>(&self, parts: &[Part], rows: &'a Rows<'_>, row: usize) -> Result<Option<Cow<'a, str>>, String> {
        if let [Part::Value(name)] = parts {
            return Ok(self.variable(name).text(rows, row)?.map(Cow::Borrowed));
        }
        let mut text = String::new();
        for part in parts {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Value(name) => match self.variable(name).text(rows, row)? {
                    Some(value) => text.push_str(value),
                    None => return Ok(None),
                },
            }
        }
        Ok(Some(Cow::Owned(text)))
    }

    fn variable(&self, name: &str) -> &Variable {
        let found = self.variables.iter().find(|variable| variable.name == name);
        found.expect("a template's parts print what it was found to read")
    }
}

impl Variable {
    fn new(name: &str, printed: bool, columns: &Columns<'_>) -> Result<Self, String> {
        let mut visible = columns.columns.iter().filter(|column| !column.hidden);
        let column = visible.find(|column| column.name == name).ok_or_else(|| format!("there is no field `{name}`"))?;
        let label = column.label.or(match column.ty.ty {
            Type::Label(label) => Some(label),
            Type::String | Type::Int | Type::Float | Type::Bool | Type::Date | Type::Timestamp => None,
            Type::List(_) | Type::Record(_) => None,
        });
        let label = label.map(|label| {
            let values = columns.labels.get(label).map_or(&[][..], |table| table.values());
            let value =
                |value: &crate::hir::LabelValue| LabelValue::new(&value.name, &value.title, value.guideline.as_deref());
            values.iter().map(|known| (known.name.clone(), value(known))).collect()
        });
        Ok(Self { name: name.to_owned(), label, printed })
    }

    /// The field's column, where a text that prints it can be rendered of this record.
    fn column<'a, 'r>(&self, rows: &'r Rows<'a>, row: usize) -> Result<&'r Column<'a>, String> {
        let column = rows.field(&self.name)?;
        if self.printed && column.is_null(row) {
            return Err(format!(
                "`{}` is null and would stand in the prompt as a word: give it a default with `??`, or drop the record",
                self.name
            ));
        }
        Ok(column)
    }

    /// The field's value of this record as it is printed; `None` where it is no text.
    fn text<'a>(&self, rows: &'a Rows<'_>, row: usize) -> Result<Option<&'a str>, String> {
        let text = self.column(rows, row)?.text(row);
        if let (Some(known), Some(name)) = (&self.label, text) {
            self.known(known, name)?;
        }
        Ok(text)
    }

    /// Gives the field its value of this record.
    fn set(&self, rows: &Rows<'_>, row: usize, values: &mut Values) -> Result<(), String> {
        let column = self.column(rows, row)?;
        match (&self.label, column.text(row)) {
            (Some(known), Some(name)) => values.insert_label(&self.name, self.known(known, name)?),
            (None, Some(text)) => values.insert_text(&self.name, text),
            (_, None) => {
                values.insert(&self.name, &column.value(row).map_err(|refusal| refusal.message(&self.name))?);
            }
        }
        Ok(())
    }

    fn known<'v>(&self, values: &'v HashMap<String, LabelValue>, name: &str) -> Result<&'v LabelValue, String> {
        values.get(name).ok_or_else(|| format!("`{}` is no value of its label", self.name))
    }
}
