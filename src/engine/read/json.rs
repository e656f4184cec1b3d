//! The declared fields of a JSON object, read in one pass over its text; what is not declared is skipped.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::cell::{Cell, RowError, expected};
use crate::hir::{FieldType, SourceField, Type};

/// Where the declared fields of a source stand in its objects: a tree of keys.
#[derive(Debug, Clone, Default)]
pub struct JsonShape {
    root: Node,
    fields: Vec<(String, FieldType)>,
    /// What a record is called: the line, the element.
    record: &'static str,
}

#[derive(Debug, Clone, Default)]
struct Node {
    children: Vec<(String, Node)>,
    /// The fields that have the value that stands here.
    leaves: Vec<usize>,
}

impl JsonShape {
    /// The shape of a source's objects. `record` is what a message calls one: the line, the element.
    pub fn new(fields: &[SourceField], record: &'static str) -> Self {
        let mut root = Node::default();
        for (index, field) in fields.iter().enumerate() {
            root.descend(&field.column).leaves.push(index);
        }
        Self { root, fields: fields.iter().map(|field| (field.name.clone(), field.ty.clone())).collect(), record }
    }

    /// A cell for each field of one record, which is one JSON object without its line end. `cells` is overwritten, so that
    /// its room serves the next record.
    ///
    /// # Errors
    /// What is wrong with the record, without its data.
    pub fn read<'a>(&self, record: &'a str, cells: &mut Vec<Cell<'a>>) -> Result<(), RowError> {
        cells.clear();
        cells.resize(self.fields.len(), Cell::Absent);
        let mut row = Row { fields: &self.fields, cells, error: None, record: self.record };
        let mut input = serde_json::Deserializer::from_str(record);
        let visitor = Object { node: &self.root, row: &mut row, path: "" };
        let parsed = input.deserialize_any(visitor).and_then(|()| input.end());
        parsed.map_err(|error| syntax(&error, self.record))?;
        row.finish()
    }
}

impl Node {
    fn descend(&mut self, path: &[String]) -> &mut Node {
        let Some((key, rest)) = path.split_first() else { return self };
        let at = match self.children.iter().position(|(name, _)| name == key) {
            Some(at) => at,
            None => {
                self.children.push((key.clone(), Node::default()));
                self.children.len() - 1
            }
        };
        self.children[at].1.descend(rest)
    }
}

/// What the parser stumbled over: its own message may quote the text, so only the kind and the place are taken.
pub fn syntax(error: &serde_json::Error, record: &str) -> RowError {
    match error.classify() {
        serde_json::error::Category::Eof => "malformed JSON: it ends too early".to_owned(),
        serde_json::error::Category::Io | serde_json::error::Category::Syntax | serde_json::error::Category::Data => {
            format!("malformed JSON at byte {} of the {record}", error.column())
        }
    }
}

struct Row<'s, 'a> {
    fields: &'s [(String, FieldType)],
    cells: &'s mut Vec<Cell<'a>>,
    record: &'static str,
    /// The first thing that is wrong; the rest of the text is still parsed, since bad syntax weighs more.
    error: Option<RowError>,
}

impl<'a> Row<'_, 'a> {
    fn complain(&mut self, error: impl FnOnce() -> RowError) {
        if self.error.is_none() {
            self.error = Some(error());
        }
    }

    fn finish(self) -> Result<(), RowError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        for (cell, (name, ty)) in self.cells.iter_mut().zip(self.fields) {
            require(cell, name, ty.nullable)?;
        }
        Ok(())
    }
}

/// Complains about a cell that is not there or null and may not be; one that is not there becomes null.
pub fn require(cell: &mut Cell<'_>, name: &str, nullable: bool) -> Result<(), RowError> {
    match cell {
        Cell::Absent if !nullable => return Err(format!("missing field `{name}`")),
        Cell::Null if !nullable => return Err(format!("field `{name}` is null")),
        Cell::Absent => *cell = Cell::Null,
        _ => {}
    }
    Ok(())
}

/// Visits an object of the tree.
struct Object<'r, 's, 'a> {
    node: &'s Node,
    row: &'r mut Row<'s, 'a>,
    path: &'r str,
}

impl Object<'_, '_, '_> {
    /// Something else than an object stands here.
    fn other<E>(self, what: &str) -> Result<(), E> {
        let (path, record) = (self.path, self.row.record);
        self.row.complain(|| match path {
            "" => format!("the {record} is {what}, expected an object"),
            path => format!("key `{path}` is {what}, expected an object"),
        });
        Ok(())
    }
}

impl<'de> Visitor<'de> for Object<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key_seed(Key)? {
            let Some((name, child)) = self.node.children.iter().find(|(name, _)| *name == key) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            match (child.leaves.as_slice(), child.children.as_slice()) {
                ([leaf], []) => {
                    let (name, ty) = &self.row.fields[*leaf];
                    let cell = map.next_value_seed(Typed { name, ty: &ty.ty, error: &mut self.row.error })?;
                    self.row.cells[*leaf] = cell;
                }
                ([], _) => {
                    let path = join(self.path, name);
                    map.next_value_seed(Object { node: child, row: self.row, path: &path })?;
                }
                _ => {
                    // Several fields look at this value, so it is kept and read once for each.
                    let value: Value = map.next_value()?;
                    let path = join(self.path, name);
                    spread(child, self.row, &path, &value);
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        self.other("a list")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        // Null in the middle of a path: what lies below is not there.
        if self.path.is_empty() { self.other("null") } else { Ok(()) }
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.other("a truth value")
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.other("a number")
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        self.other("a number")
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.other("a number")
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        self.other("a string")
    }
}

impl<'de> DeserializeSeed<'de> for Object<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_any(self)
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Gives a kept value to all fields at or below a node.
fn spread(node: &Node, row: &mut Row<'_, '_>, path: &str, value: &Value) {
    for &leaf in &node.leaves {
        let (name, ty) = &row.fields[leaf];
        let typed = Typed { name, ty: &ty.ty, error: &mut row.error };
        let cell = typed.deserialize(value).expect("a parsed value has no syntax errors");
        row.cells[leaf] = cell.into_owned();
    }
    if node.children.is_empty() || value.is_null() {
        return;
    }
    let Value::Object(object) = value else {
        return row.complain(|| format!("key `{path}` is no object"));
    };
    for (key, child) in &node.children {
        if let Some(value) = object.get(key) {
            spread(child, row, &join(path, key), value);
        }
    }
}

/// A key, borrowed where it has no escapes.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Self::Value, D::Error> {
        input.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}

/// Reads a value of a type; one of another type is complained about and read over.
struct Typed<'s> {
    name: &'s str,
    ty: &'s Type,
    error: &'s mut Option<RowError>,
}

impl Typed<'_> {
    fn mismatch<E>(self, what: &str) -> Result<Cell<'static>, E> {
        if self.error.is_none() {
            *self.error = Some(format!("field `{}` is {what}, expected {}", self.name, expected(self.ty)));
        }
        Ok(Cell::Null)
    }

    fn text<'a, E>(self, text: Cow<'a, str>) -> Result<Cell<'a>, E> {
        match Cell::from_text(text, self.ty) {
            Some(cell) => Ok(cell),
            None => self.mismatch("a string"),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Typed<'_> {
    type Value = Cell<'de>;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Cell<'de>, D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Typed<'_> {
    type Value = Cell<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(expected(self.ty))
    }

    fn visit_unit<E>(self) -> Result<Cell<'de>, E> {
        Ok(Cell::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Cell<'de>, E> {
        if *self.ty == Type::Bool { Ok(Cell::Bool(value)) } else { self.mismatch("a truth value") }
    }

    fn visit_i64<E>(self, value: i64) -> Result<Cell<'de>, E> {
        match self.ty {
            Type::Int => Ok(Cell::Int(value)),
            Type::Float => Ok(Cell::Float(value as f64)),
            _ => self.mismatch("a number"),
        }
    }

    fn visit_u64<E>(self, value: u64) -> Result<Cell<'de>, E> {
        match (self.ty, i64::try_from(value)) {
            (Type::Int, Ok(value)) => Ok(Cell::Int(value)),
            (Type::Int, Err(_)) => self.mismatch("a number beyond 64 bits"),
            (Type::Float, _) => Ok(Cell::Float(value as f64)),
            _ => self.mismatch("a number"),
        }
    }

    fn visit_f64<E>(self, value: f64) -> Result<Cell<'de>, E> {
        match self.ty {
            Type::Float => Ok(Cell::Float(value)),
            // From here on every number of 64 bits is beyond those of the type.
            Type::Int if value.abs() >= i64::MAX as f64 => self.mismatch("a number beyond 64 bits"),
            Type::Int => self.mismatch("a number with a fraction"),
            _ => self.mismatch("a number"),
        }
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Cell<'de>, E> {
        self.text(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Cell<'de>, E> {
        self.text(Cow::Owned(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Cell<'de>, A::Error> {
        let Type::List(item) = self.ty else {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            return self.mismatch("a list");
        };
        let mut values = Vec::new();
        let name = format!("{}[]", self.name);
        while let Some(value) = seq.next_element_seed(Typed { name: &name, ty: &item.ty, error: self.error })? {
            keep_first(self.error, value, &name, item.nullable, &mut values);
        }
        Ok(Cell::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Cell<'de>, A::Error> {
        let Type::Record(fields) = self.ty else {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return self.mismatch("an object");
        };
        let mut cells = vec![Cell::Absent; fields.len()];
        while let Some(key) = map.next_key_seed(Key)? {
            let Some(at) = fields.iter().position(|(name, _)| *name == key) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let name = join(self.name, &key);
            cells[at] = map.next_value_seed(Typed { name: &name, ty: &fields[at].1.ty, error: self.error })?;
        }
        let mut values = Vec::new();
        for (cell, (name, ty)) in cells.into_iter().zip(fields) {
            keep_first(self.error, cell, &join(self.name, name), ty.nullable, &mut values);
        }
        Ok(Cell::Record(values))
    }
}

/// Keeps a good value, and the first error.
fn keep_first<'a>(
    error: &mut Option<RowError>,
    mut cell: Cell<'a>,
    name: &str,
    nullable: bool,
    values: &mut Vec<Cell<'a>>,
) {
    match require(&mut cell, name, nullable) {
        Ok(()) => values.push(cell),
        Err(found) => {
            error.get_or_insert(found);
        }
    }
}
