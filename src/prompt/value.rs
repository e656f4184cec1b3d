//! The values of one record, as templates see them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, Value};

/// The values of one record by name.
#[derive(Debug, Clone, Default)]
pub struct Values {
    by_name: BTreeMap<String, One>,
}

#[derive(Debug, Clone)]
enum One {
    Plain(Value),
    Label(LabelValue),
}

/// A label's value: printed as its name, with `.name`, `.title` and `.guideline`. Cheap to clone.
#[derive(Debug, Clone)]
pub struct LabelValue {
    parts: Arc<LabelParts>,
}

#[derive(Debug)]
struct LabelParts {
    name: Value,
    title: Value,
    guideline: Value,
}

impl LabelValue {
    /// A value with its title and its guideline.
    pub fn new(name: &str, title: &str, guideline: Option<&str>) -> Self {
        let guideline = guideline.map_or_else(|| Value::from(()), Value::from);
        Self { parts: Arc::new(LabelParts { name: Value::from(name), title: Value::from(title), guideline }) }
    }
}

impl Values {
    /// Gives a field its value.
    pub fn insert(&mut self, name: &str, value: &serde_json::Value) {
        self.set(name, One::Plain(from_json(value)));
    }

    /// Gives a text field its value.
    pub fn insert_text(&mut self, name: &str, value: &str) {
        self.set(name, One::Plain(Value::from(value)));
    }

    /// Gives a label its value.
    pub fn insert_label(&mut self, name: &str, value: &LabelValue) {
        self.set(name, One::Label(value.clone()));
    }

    fn set(&mut self, name: &str, value: One) {
        // One set of values serves record after record: the names stay.
        match self.by_name.get_mut(name) {
            Some(place) => *place = value,
            None => {
                self.by_name.insert(name.to_owned(), value);
            }
        }
    }

    /// The value of a name; a label is its name alone for a template that reads none of its members, so that it can be
    /// compared and filtered like any text.
    pub(super) fn get(&self, name: &str, members: bool) -> Option<Value> {
        Some(match self.by_name.get(name)? {
            One::Plain(value) => value.clone(),
            One::Label(label) if members => Value::from_dyn_object(label.parts.clone()),
            One::Label(label) => label.parts.name.clone(),
        })
    }
}

/// The value as templates see it: integers stay integers.
fn from_json(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Null => Value::from(()),
        serde_json::Value::Bool(value) => Value::from(*value),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Value::from(whole),
            (None, Some(float)) => Value::from(float),
            (None, None) => Value::from(number.to_string()),
        },
        serde_json::Value::String(text) => Value::from(text.as_str()),
        serde_json::Value::Array(items) => items.iter().map(from_json).collect(),
        serde_json::Value::Object(members) => {
            Value::from_pairs(members.iter().map(|(name, value)| (name.as_str(), from_json(value))))
        }
    }
}

impl Object for LabelParts {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "name" => Some(self.name.clone()),
            "title" => Some(self.title.clone()),
            "guideline" => Some(self.guideline.clone()),
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn render(self: &Arc<Self>, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.name, formatter)
    }
}
