//! From what was seen to fields: names, types, and what each looks like.

use super::Inference;
use super::observed::Observed;
use super::shape::{is_nullable, settle_type, undeclared_members};
use crate::hir::{FieldType, SourceFormat, Type};
use crate::pii;
use crate::syntax::{is_plain_name, written_name};

/// Values beyond which a field is no label.
const MOST_VALUES: usize = 200;
/// How often a label's value must stand on average.
const TIMES: u64 = 3;
/// The names of fields that may say a record's part.
const PART_FIELDS: [&str; 6] = ["split", "part", "fold", "set", "subset", "partition"];
/// What such a field may hold, with the part that it means.
const PART_WORDS: [(&str, &str); 10] = [
    ("train", "train"),
    ("training", "train"),
    ("validation", "validation"),
    ("valid", "validation"),
    ("val", "validation"),
    ("dev", "validation"),
    ("test", "test"),
    ("testing", "test"),
    ("eval", "test"),
    ("heldout", "test"),
];

/// A source that reads what was seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Inferred {
    /// Its name.
    pub name: String,
    /// How its files are read.
    pub format: SourceFormat,
    /// The records that could be read.
    pub rows: u64,
    /// Its fields in order of appearance.
    pub fields: Vec<Field>,
    /// What cannot be declared.
    pub left_out: Vec<LeftOut>,
    /// The table of a database, where it has to be said.
    pub table: Option<String>,
}

/// A field that can be declared.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// The name in the program.
    pub name: String,
    /// The argument of `@column`, where the name alone would not find it.
    pub column: Option<String>,
    /// Its type.
    pub ty: FieldType,
    /// Records in which it is null or not there.
    pub nulls: u64,
    /// The kinds of personal data found in its texts, each with the number of texts.
    pub personal: Vec<(&'static str, u64)>,
    /// How many different values it has, where they are few or all differ.
    pub distinct: Option<usize>,
    /// What it looks like.
    pub role: Role,
    /// Members of its objects that could not be declared.
    pub without: Vec<String>,
}

/// What a field looks like beside its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// Nothing of note.
    Plain,
    /// It identifies its record and is named like it.
    Key,
    /// It differs in every record.
    Unique,
    /// It has few values, which come again and again.
    Label,
    /// It says the part of a record; values that are no part's name stand with the part that they mean.
    Part(Vec<(String, &'static str)>),
}

/// What cannot be declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Its key.
    pub key: String,
    /// Why.
    pub why: String,
}

/// A place in the records that becomes a field of its own.
struct Leaf<'o> {
    path: Vec<String>,
    observed: &'o Observed,
    nullable: bool,
}

/// Settles all fields.
pub(super) fn settle_fields(seen: Inference, name: &str) -> Inferred {
    let mut inferred = Inferred {
        name: name.to_owned(),
        format: seen.format,
        rows: seen.rows,
        fields: Vec::new(),
        left_out: Vec::new(),
        table: seen.table,
    };
    for (column, why) in &seen.untyped {
        inferred.leave_out(column, why);
    }
    for (key, observed) in &seen.fields {
        if seen.untyped.iter().any(|(column, _)| column == key) {
            continue;
        }
        if seen.twice.contains(key) {
            inferred.leave_out(key, "stands twice in the header");
            continue;
        }
        let leaf = Leaf { path: vec![key.clone()], observed, nullable: is_nullable(observed, seen.rows) };
        let leaves = if has_personal_member(observed, seen.format) { below(leaf) } else { vec![leaf] };
        for leaf in leaves {
            settle_field(&mut inferred, &leaf);
        }
    }
    if seen.beyond {
        inferred.leave_out("…", "the records have more keys than a source should declare");
    }
    choose_key(&mut inferred.fields);
    inferred
}

impl Inferred {
    fn leave_out(&mut self, key: &str, why: &str) {
        self.left_out.push(LeftOut { key: key.to_owned(), why: why.to_owned() });
    }
}

fn settle_field(inferred: &mut Inferred, leaf: &Leaf<'_>) {
    let key = leaf.path.join(".");
    let ty = match settle_type(leaf.observed, inferred.format) {
        Ok(ty) => ty,
        Err(why) => return inferred.leave_out(&key, &why),
    };
    let taken: Vec<&str> = inferred.fields.iter().map(|field| field.name.as_str()).collect();
    let Some((name, column)) = name_field(&leaf.path, &taken) else {
        return inferred.leave_out(&key, "has a name that a specification cannot write");
    };
    let without = undeclared_members(leaf.observed, &ty);
    let personal = personal_kinds(leaf.observed);
    let ty = FieldType { ty, nullable: leaf.nullable };
    let role = if personal.is_empty() { role(&key, leaf.observed, &ty) } else { Role::Plain };
    let is_scalar = !matches!(ty.ty, Type::List(_) | Type::Record(_));
    inferred.fields.push(Field {
        nulls: inferred.rows.saturating_sub(leaf.observed.values()),
        distinct: leaf.observed.distinct.count().filter(|_| is_scalar),
        name,
        column,
        ty,
        personal,
        role,
        without,
    });
}

/// Whether an object has a text of its own that looks personal: it can be redacted as a field and not as a member.
fn has_personal_member(observed: &Observed, format: SourceFormat) -> bool {
    matches!(settle_type(observed, format), Ok(Type::Record(_)))
        && observed.members.iter().any(|(_, member)| {
            let is_text = matches!(settle_type(member, format), Ok(Type::String));
            (is_text && !personal_kinds(member).is_empty()) || has_personal_member(member, format)
        })
}

/// The members of an object, and of the objects in it, each as a place of its own.
fn below(leaf: Leaf<'_>) -> Vec<Leaf<'_>> {
    if leaf.observed.members.is_empty() || leaf.observed.records < leaf.observed.values() {
        return vec![leaf];
    }
    let member = |(key, observed): &'_ (String, Observed)| {
        let path = leaf.path.iter().chain([key]).cloned().collect();
        (path, is_nullable(observed, leaf.observed.records))
    };
    let mut leaves = Vec::new();
    for entry in &leaf.observed.members {
        let (path, nullable) = member(entry);
        leaves.extend(below(Leaf { path, observed: &entry.1, nullable: nullable || leaf.nullable }));
    }
    leaves
}

/// A name for a place, and what `@column` has to say where the name alone would not find it.
fn name_field(path: &[String], taken: &[&str]) -> Option<(String, Option<String>)> {
    let key = path.first()?;
    let free = |name: &str| !taken.contains(&name);
    if path.len() == 1 && is_plain_name(key) && free(key) {
        return Some((key.clone(), None));
    }
    // A path is split at its dots, so a key that has one is reached by its own name alone.
    let is_reachable = !path.iter().any(|key| key.contains('.') || key.is_empty());
    if is_reachable && (path.len() > 1 || !is_word(key) || !free(key)) {
        let plain = plain_name(&path.join("_"));
        let mut name = plain.clone();
        let mut number = 2;
        while !free(&name) {
            name = format!("{plain}_{number}");
            number += 1;
        }
        return Some((name, Some(path.join("."))));
    }
    (path.len() == 1 && written_name(key).is_some() && free(key)).then(|| (key.clone(), None))
}

/// Whether a key has only the characters of a name: such a one is better kept, in backticks.
fn is_word(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// A key as a name without backticks: `Question text (en)` is `question_text_en`.
fn plain_name(key: &str) -> String {
    let mut name = String::new();
    for c in key.chars().flat_map(char::to_lowercase) {
        if c.is_alphabetic() || c.is_ascii_digit() || c == '_' {
            name.push(c);
        } else if !name.ends_with('_') {
            name.push('_');
        }
    }
    let name = name.trim_matches('_');
    if is_plain_name(name) { name.to_owned() } else { format!("field_{name}").trim_end_matches('_').to_owned() }
}

/// The kinds of personal data found at a place and below it.
fn personal_kinds(observed: &Observed) -> Vec<(&'static str, u64)> {
    let mut found = vec![0; pii::all().len()];
    add_personal(observed, &mut found);
    pii::all().iter().zip(found).filter(|(_, count)| *count > 0).map(|(row, count)| (row.name, count)).collect()
}

fn add_personal(observed: &Observed, found: &mut [u64]) {
    observed.personal.iter().zip(found.iter_mut()).for_each(|(count, sum)| *sum += count);
    observed.items.iter().for_each(|items| add_personal(items, found));
    observed.members.iter().for_each(|(_, member)| add_personal(member, found));
}

fn role(key: &str, observed: &Observed, ty: &FieldType) -> Role {
    let distinct = &observed.distinct;
    if let Some(part) = part_role(key, observed, ty) {
        return part;
    }
    let identifies = matches!(ty.ty, Type::String | Type::Int) && !ty.nullable && observed.values() > 1;
    if identifies && distinct.is_unique() && !distinct.has_long() {
        return Role::Unique;
    }
    let values = distinct.count().unwrap_or(0);
    let is_choice = ty.ty == Type::String && (2..=MOST_VALUES).contains(&values) && !distinct.has_long();
    if is_choice && values as u64 * TIMES <= observed.values() { Role::Label } else { Role::Plain }
}

fn part_role(key: &str, observed: &Observed, ty: &FieldType) -> Option<Role> {
    let named = PART_FIELDS.iter().any(|name| key.eq_ignore_ascii_case(name));
    let words = observed.distinct.words().filter(|words| named && ty.ty == Type::String && !words.is_empty())?;
    let mut renamed = Vec::new();
    for word in words {
        let (_, part) = PART_WORDS.iter().find(|(name, _)| word.eq_ignore_ascii_case(name))?;
        if word != part {
            renamed.push((word.clone(), *part));
        }
    }
    renamed.sort();
    Some(Role::Part(renamed))
}

/// Of the fields that differ in every record the one that is named like an identity is the key.
fn choose_key(fields: &mut [Field]) {
    let rank = |field: &Field| {
        let name = field.column.as_deref().unwrap_or(&field.name);
        match name.to_lowercase().trim_start_matches('_') {
            "id" | "key" | "uuid" | "guid" => Some(0),
            lower if ["_id", "_key", "_uuid", "-id"].iter().any(|ending| lower.ends_with(ending)) => Some(1),
            _ if name.ends_with("Id") || name.ends_with("ID") => Some(1),
            _ => None,
        }
    };
    let unique = fields.iter_mut().filter(|field| field.role == Role::Unique);
    let named = unique.filter_map(|field| rank(field).map(|rank| (rank, field)));
    if let Some((_, key)) = named.min_by_key(|(rank, _)| *rank) {
        key.role = Role::Key;
    }
}
