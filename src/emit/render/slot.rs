//! One text of a template with the columns that it names.

use std::collections::HashMap;
use std::sync::Arc;

use super::Columns;
use super::row::Rows;
use crate::hir::{LabelValue, Type};
use crate::prompt::{Template, Value};

/// A text of a template.
#[derive(Debug)]
pub(crate) struct Slot {
    template: Template,
    variables: Vec<Variable>,
}

/// A column that a text names.
#[derive(Debug)]
struct Variable {
    name: String,
    /// For a label: its values by name.
    values: Option<HashMap<String, Arc<LabelValue>>>,
}

impl Slot {
    /// Parses the text and finds its columns.
    pub(crate) fn new(text: &str, columns: &Columns<'_>) -> Result<Self, String> {
        let template = Template::parse(text).map_err(|error| error.to_string())?;
        let variables = template.variables().iter().map(|name| Variable::new(name, columns)).collect::<Result<_, _>>()?;
        Ok(Self { template, variables })
    }

    /// The text of one record.
    pub(crate) fn render(&self, rows: &Rows<'_>, row: usize) -> Result<String, String> {
        let mut values = Vec::with_capacity(self.variables.len());
        for variable in &self.variables {
            values.push((variable.name.as_str(), variable.value(rows, row)?));
        }
        self.template.render(values)
    }
}

impl Variable {
    fn new(name: &str, columns: &Columns<'_>) -> Result<Self, String> {
        let mut visible = columns.dataset.columns.iter().filter(|column| !column.hidden);
        let column = visible.find(|column| column.name == name).ok_or_else(|| format!("there is no field `{name}`"))?;
        let label = column.label.or(match column.ty.ty {
            Type::Label(label) => Some(label),
            Type::String | Type::Int | Type::Float | Type::Bool | Type::Date | Type::Timestamp => None,
            Type::List(_) | Type::Record(_) => None,
        });
        let values = label.map(|label| {
            let values = columns.labels.get(label).map_or(&[][..], |table| table.values());
            values.iter().map(|value| (value.name.clone(), Arc::new(value.clone()))).collect()
        });
        Ok(Self { name: name.to_owned(), values })
    }

    fn value(&self, rows: &Rows<'_>, row: usize) -> Result<Value, String> {
        let column = rows.field(&self.name)?;
        let named = self.values.as_ref().zip(column.text(row)).and_then(|(values, name)| values.get(name));
        match named {
            Some(value) => Ok(Value::Label(value.clone())),
            None => column.value(row).map(Value::Json).map_err(|refusal| refusal.message(&self.name)),
        }
    }
}
