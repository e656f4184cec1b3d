//! The measures of one column.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::{DatePart, date_part};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type};
use serde::{Deserialize, Serialize};

use super::{Histogram, Numbers, Values};
use crate::plan::functions::count_words;

/// How a column is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// The lengths of its texts, and its values where they are few.
    Text,
    /// The lengths of its texts alone: what they say may be personal.
    Lengths,
    /// Its numbers.
    Numbers,
    /// Its truth values.
    Flags,
    /// The years of its dates.
    Years,
    /// The lengths of its lists.
    Items,
    /// Whether it has a value.
    Presence,
}

/// What was measured of a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Measured {
    /// Texts.
    Text {
        /// Records without one.
        nulls: u64,
        /// Their lengths in code points.
        chars: Histogram,
        /// Their lengths in words, as the function `words` counts them.
        words: Histogram,
        /// The texts themselves, where they are few and short; left out where they may be personal.
        #[serde(default = "Values::untold", skip_serializing_if = "are_untold")]
        values: Values,
    },
    /// Numbers.
    Numbers {
        /// Records without one.
        nulls: u64,
        /// How they lie.
        numbers: Numbers,
    },
    /// Truth values, the years of dates.
    Values {
        /// Records without one.
        nulls: u64,
        /// How often each occurs.
        #[serde(default = "Values::untold", skip_serializing_if = "are_untold")]
        values: Values,
    },
    /// Lists.
    Items {
        /// Records without one.
        nulls: u64,
        /// How many items they have.
        items: Histogram,
    },
    /// Nothing but whether there is a value.
    Presence {
        /// Records without one.
        nulls: u64,
    },
}

fn are_untold(values: &Values) -> bool {
    values.counts().is_none()
}

impl Measure {
    /// Nothing measured yet.
    pub fn nothing(self) -> Measured {
        let text =
            |values| Measured::Text { nulls: 0, chars: Histogram::default(), words: Histogram::default(), values };
        match self {
            Self::Text => text(Values::default()),
            Self::Lengths => text(Values::untold()),
            Self::Numbers => Measured::Numbers { nulls: 0, numbers: Numbers::default() },
            Self::Flags | Self::Years => Measured::Values { nulls: 0, values: Values::default() },
            Self::Items => Measured::Items { nulls: 0, items: Histogram::default() },
            Self::Presence => Measured::Presence { nulls: 0 },
        }
    }

    /// The measures of a column's values; the column has the type that is measured so.
    pub fn of(self, column: &ArrayRef) -> Measured {
        let mut measured = self.nothing();
        match &mut measured {
            Measured::Text { nulls, chars, words, values } => {
                *nulls = column.null_count() as u64;
                for text in column.as_string::<i32>().iter().flatten() {
                    chars.add(text.chars().count() as u64);
                    words.add(count_words(text) as u64);
                    values.add(text);
                }
            }
            Measured::Numbers { nulls, numbers } => {
                *nulls = column.null_count() as u64;
                if column.data_type() == &DataType::Int64 {
                    column.as_primitive::<Int64Type>().iter().flatten().for_each(|number| numbers.add(number as f64));
                } else {
                    column.as_primitive::<Float64Type>().iter().flatten().for_each(|number| numbers.add(number));
                }
            }
            Measured::Values { nulls, values } => {
                *nulls = column.null_count() as u64;
                if self == Self::Flags {
                    let flags = column.as_boolean().iter().flatten();
                    flags.for_each(|flag| values.add(if flag { "true" } else { "false" }));
                } else {
                    let years = date_part(column, DatePart::Year).expect("a date or a timestamp has a year");
                    years.as_primitive::<Int32Type>().iter().flatten().for_each(|year| values.add(&year.to_string()));
                }
            }
            Measured::Items { nulls, items } => {
                *nulls = column.null_count() as u64;
                let lists = column.as_list::<i32>();
                let lengths = (0..lists.len()).filter(|&row| lists.is_valid(row)).map(|row| lists.value_length(row));
                lengths.for_each(|length| items.add(u64::try_from(length).expect("a list's length is not negative")));
            }
            Measured::Presence { nulls } => *nulls = column.null_count() as u64,
        }
        measured
    }
}

impl Measured {
    /// Adds what was measured of another piece of the same column.
    pub fn merge(&mut self, other: &Self) {
        match (self, other) {
            (
                Self::Text { nulls, chars, words, values },
                Self::Text { nulls: more, chars: more_chars, words: more_words, values: more_values },
            ) => {
                *nulls += more;
                chars.merge(more_chars);
                words.merge(more_words);
                values.merge(more_values);
            }
            (Self::Numbers { nulls, numbers }, Self::Numbers { nulls: more, numbers: more_numbers }) => {
                *nulls += more;
                numbers.merge(more_numbers);
            }
            (Self::Values { nulls, values }, Self::Values { nulls: more, values: more_values }) => {
                *nulls += more;
                values.merge(more_values);
            }
            (Self::Items { nulls, items }, Self::Items { nulls: more, items: more_items }) => {
                *nulls += more;
                items.merge(more_items);
            }
            (Self::Presence { nulls }, Self::Presence { nulls: more }) => *nulls += more,
            (
                Self::Text { .. }
                | Self::Numbers { .. }
                | Self::Values { .. }
                | Self::Items { .. }
                | Self::Presence { .. },
                _,
            ) => {
                unreachable!("the pieces of a column are measured alike")
            }
        }
    }

    /// Records without a value.
    pub fn nulls(&self) -> u64 {
        match self {
            Self::Text { nulls, .. }
            | Self::Numbers { nulls, .. }
            | Self::Values { nulls, .. }
            | Self::Items { nulls, .. }
            | Self::Presence { nulls } => *nulls,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{BooleanArray, Date32Array, Int64Array, StringArray};

    use super::*;

    #[test]
    fn columns_are_measured_alike_in_pieces() {
        let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("two words"), None, Some(""), Some("caf\u{e9}")]));
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(3), None, Some(-4), Some(3)]));
        let flags: ArrayRef = Arc::new(BooleanArray::from(vec![Some(true), None, Some(false), Some(true)]));
        let dates: ArrayRef = Arc::new(Date32Array::from(vec![Some(0), None, Some(400), Some(-1)]));
        for (measure, column) in [
            (Measure::Text, &texts),
            (Measure::Lengths, &texts),
            (Measure::Numbers, &numbers),
            (Measure::Flags, &flags),
            (Measure::Years, &dates),
            (Measure::Presence, &dates),
        ] {
            let whole = measure.of(column);
            assert_eq!(whole.nulls(), 1);
            let mut merged = measure.nothing();
            (0..4).rev().for_each(|row| merged.merge(&measure.of(&column.slice(row, 1))));
            assert_eq!(merged, whole);
            let text = serde_json::to_string(&whole).expect("numbers and texts");
            assert_eq!(serde_json::from_str::<Measured>(&text).expect("it reads back"), whole);
        }
        let Measured::Text { chars, words, values, .. } = Measure::Text.of(&texts) else { unreachable!() };
        assert_eq!((chars.range(), words.range()), (Some((0, 9)), Some((0, 2))));
        assert_eq!(values.counts().map(|counts| counts.len()), Some(3));
        let withheld = serde_json::to_string(&Measure::Lengths.of(&texts)).expect("numbers");
        assert!(!withheld.contains("words\":[") && !withheld.contains("two"), "{withheld}");
        let Measured::Values { values, .. } = Measure::Years.of(&dates) else { unreachable!() };
        let years: Vec<(&str, u64)> = values.counts().expect("few").collect();
        assert_eq!(years, [("1969", 1), ("1970", 1), ("1971", 1)]);
    }
}
