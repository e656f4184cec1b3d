//! Labels as data: the values that a label has once the data were seen.

pub mod align;
pub mod kept;
pub mod spans;

use std::collections::HashMap;

use crate::hir::{LabelId, LabelValue};

/// The values of one label, written out or found, with their positions.
#[derive(Debug, Clone)]
pub struct LabelTable {
    label: LabelId,
    values: Vec<LabelValue>,
    positions: HashMap<String, u32>,
    found: bool,
}

impl LabelTable {
    /// A table of values in the order given. `found` says that they come from the data.
    pub fn new(label: LabelId, values: Vec<LabelValue>, found: bool) -> Self {
        let positions = values.iter().zip(0..).map(|(value, at)| (value.name.clone(), at)).collect();
        Self { label, values, positions, found }
    }

    /// A table of the distinct names that the data have, in byte order.
    pub fn from_found(label: LabelId, mut names: Vec<String>) -> Self {
        names.sort_unstable();
        names.dedup();
        let values = names.into_iter().map(|name| LabelValue { title: name.clone(), name, guideline: None }).collect();
        Self::new(label, values, true)
    }

    /// Whose values these are.
    pub fn label(&self) -> LabelId {
        self.label
    }

    /// The values in order.
    pub fn values(&self) -> &[LabelValue] {
        &self.values
    }

    /// The position of the value with exactly this name.
    pub fn position(&self, name: &str) -> Option<u32> {
        self.positions.get(name).copied()
    }

    /// The value with exactly this name.
    pub fn value(&self, name: &str) -> Option<&LabelValue> {
        self.position(name).map(|at| &self.values[at as usize])
    }

    /// Whether the values were found in the data.
    pub fn is_found(&self) -> bool {
        self.found
    }
}

/// The tables of a data set's labels.
#[derive(Debug, Clone, Default)]
pub struct LabelTables(pub Vec<LabelTable>);

impl LabelTables {
    /// The table of a label, when the data set has it.
    pub fn get(&self, label: LabelId) -> Option<&LabelTable> {
        self.0.iter().find(|table| table.label == label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn found_values_are_distinct_and_in_byte_order() {
        let names = ["b", "a", "b", "Ä", "B"].map(str::to_owned).to_vec();
        let table = LabelTable::from_found(LabelId(0), names);
        let sorted: Vec<_> = table.values().iter().map(|value| value.name.as_str()).collect();
        assert_eq!(sorted, ["B", "a", "b", "Ä"]);
        assert_eq!(table.position("b"), Some(2));
        assert_eq!(table.position("c"), None);
    }
}
