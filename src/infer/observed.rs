//! What was seen of the values at one place of the records: counts by form, and what lies below.

use std::borrow::Cow;

use serde_json::Value;

use super::distinct::Distinct;
use crate::engine::read::cell::Cell;
use crate::hir::{FieldType, Type};
use crate::pii;

/// Members of an object beyond which it is taken for a map whose keys are data.
pub const MOST_MEMBERS: usize = 64;

/// The values at one place.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// Nulls that stand there. What is not there at all is counted by whoever holds this.
    pub nulls: u64,
    /// Texts, and the scalar types that could read them.
    pub texts: Texts,
    /// Whole numbers of 64 bits.
    pub ints: u64,
    /// Other numbers.
    pub floats: u64,
    /// Truth values.
    pub bools: u64,
    /// Lists.
    pub lists: u64,
    /// Objects.
    pub records: u64,
    /// The items of all lists.
    pub items: Option<Box<Observed>>,
    /// The members of all objects, in order of appearance.
    pub members: Vec<(String, Observed)>,
    /// Whether there are more members than are kept.
    pub is_map: bool,
    /// For each detector, in how many texts it finds something.
    pub personal: Vec<u64>,
    /// The different scalar values.
    pub distinct: Distinct,
}

/// Texts by what could be read from them.
#[derive(Debug, Clone, Default)]
pub struct Texts {
    /// How many.
    pub count: u64,
    /// Those that are whole numbers and lose nothing by it.
    pub ints: u64,
    /// Those that are numbers and lose nothing by it.
    pub floats: u64,
    /// Those that are truth values.
    pub bools: u64,
    /// Those that are days.
    pub dates: u64,
    /// Those that are moments.
    pub timestamps: u64,
}

impl Observed {
    /// The values that are there.
    pub fn values(&self) -> u64 {
        self.texts.count + self.ints + self.floats + self.bools + self.lists + self.records
    }

    /// Takes a value of a JSON text.
    pub fn take_json(&mut self, value: &Value) {
        match value {
            Value::Null => self.nulls += 1,
            Value::Bool(value) => {
                self.bools += 1;
                self.distinct.take(&value.to_string());
            }
            Value::Number(number) => {
                match number.as_i64() {
                    Some(_) => self.ints += 1,
                    None => self.floats += 1,
                }
                self.distinct.take(&number.to_string());
            }
            Value::String(text) => {
                self.take_text(text);
                self.texts.dates += u64::from(Cell::from_text(Cow::Borrowed(text), &Type::Date).is_some());
                self.texts.timestamps += u64::from(Cell::from_text(Cow::Borrowed(text), &Type::Timestamp).is_some());
            }
            Value::Array(items) => {
                self.lists += 1;
                let below = self.items.get_or_insert_default();
                items.iter().for_each(|item| below.take_json(item));
            }
            Value::Object(members) => {
                self.records += 1;
                members.iter().for_each(|(key, value)| {
                    if let Some(member) = self.member(key) {
                        member.take_json(value);
                    }
                });
            }
        }
    }

    /// Takes a field of a CSV record. Nothing at all is a null: a type that takes none would refuse the row.
    pub fn take_csv(&mut self, text: &str, quoted: bool) {
        if text.is_empty() && !quoted {
            self.nulls += 1;
            return;
        }
        self.take_text(text);
        let reads = |ty: Type| u64::from(Cell::from_csv(Cow::Borrowed(text), quoted, &FieldType::plain(ty)).is_some());
        if !loses_digits(text) {
            self.texts.ints += reads(Type::Int);
            self.texts.floats += reads(Type::Float);
        }
        self.texts.bools += reads(Type::Bool);
        self.texts.dates += reads(Type::Date);
        self.texts.timestamps += reads(Type::Timestamp);
    }

    fn take_text(&mut self, text: &str) {
        self.texts.count += 1;
        self.personal.resize(pii::all().len(), 0);
        for (detector, found) in pii::all().iter().zip(&mut self.personal) {
            *found += u64::from(!(detector.find)(text).is_empty());
        }
        self.distinct.take(text);
    }

    /// A member of an object; `None` of an object that has too many.
    fn member(&mut self, key: &str) -> Option<&mut Observed> {
        let at = match self.members.iter().position(|(name, _)| name == key) {
            Some(at) => at,
            None if self.members.len() == MOST_MEMBERS => {
                self.is_map = true;
                return None;
            }
            None => {
                self.members.push((key.to_owned(), Observed::default()));
                self.members.len() - 1
            }
        };
        Some(&mut self.members[at].1)
    }
}

/// Whether a number's text says more than the number: a leading zero or plus, or more digits than it can hold.
fn loses_digits(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let leading = digits.len() > 1 && digits.starts_with('0') && digits.as_bytes()[1].is_ascii_digit();
    let whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    leading || text.starts_with('+') || (whole && text.parse::<i64>().is_err())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_with_digits_of_its_own_is_no_number() {
        let cases = [
            ("0", false),
            ("-17", false),
            ("0.5", false),
            ("1e3", false),
            ("01234", true),
            ("+49", true),
            ("-007", true),
            ("9223372036854775807", false),
            ("9223372036854775808", true),
        ];
        for (text, expected) in cases {
            assert_eq!(loses_digits(text), expected, "{text}");
        }
    }
}
