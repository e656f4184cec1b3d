//! A JSON object of which no more is kept than fields can be declared for: what is nested deeper is read over, as a build reads
//! over what is not declared.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// The lists and objects within each other that a field's type can name: a specification nests no deeper than 64 levels, and
/// a field stands in two of them.
pub(super) const DEEPEST: usize = 60;

/// The members of an object.
pub(super) struct Members {
    /// Those that are no deeper than a type.
    pub(super) values: Map<String, Value>,
    /// The keys of the others.
    pub(super) too_deep: Vec<String>,
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_map(Outermost)
    }
}

struct Outermost;

impl<'de> Visitor<'de> for Outermost {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Members { values: Map::new(), too_deep: Vec::new() };
        while let Some(key) = map.next_key::<String>()? {
            let mut too_deep = false;
            let value = map.next_value_seed(Bounded { depth: DEEPEST, too_deep: &mut too_deep })?;
            if too_deep {
                members.too_deep.push(key);
            } else {
                members.values.insert(key, value);
            }
        }
        Ok(members)
    }
}

/// Reads a value down to a depth.
struct Bounded<'b> {
    depth: usize,
    /// Set where something was read over.
    too_deep: &'b mut bool,
}

impl<'de> DeserializeSeed<'de> for Bounded<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Value, D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Bounded<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let Some(depth) = self.depth.checked_sub(1) else {
            *self.too_deep = true;
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(Value::Null);
        };
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(Bounded { depth, too_deep: &mut *self.too_deep })? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let Some(depth) = self.depth.checked_sub(1) else {
            *self.too_deep = true;
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(Value::Null);
        };
        let mut object = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value_seed(Bounded { depth, too_deep: &mut *self.too_deep })?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}
