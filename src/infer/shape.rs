//! The type that reads all values of a place, and types as they are written.

use super::observed::Observed;
use crate::hir::{FieldType, SourceFormat, Type};
use crate::syntax::written_name;

/// The type that reads every value seen.
///
/// # Errors
/// Why there is none, in words.
pub fn settle_type(observed: &Observed, format: SourceFormat) -> Result<Type, String> {
    let forms = [
        ("texts", observed.texts.count),
        ("numbers", observed.ints + observed.floats),
        ("truth values", observed.bools),
        ("lists", observed.lists),
        ("objects", observed.records),
    ];
    let seen: Vec<&str> = forms.iter().filter(|(_, count)| *count > 0).map(|(form, _)| *form).collect();
    match seen.as_slice() {
        [] => Ok(Type::String),
        ["texts"] => Ok(settle_text(observed, format)),
        ["numbers"] if observed.floats == 0 => Ok(Type::Int),
        ["numbers"] => Ok(Type::Float),
        ["truth values"] => Ok(Type::Bool),
        ["lists"] => settle_list(observed, format),
        ["objects"] => settle_record(observed, format),
        several => Err(format!("holds {}, which no one type reads", several.join(" and "))),
    }
}

fn settle_text(observed: &Observed, format: SourceFormat) -> Type {
    let texts = &observed.texts;
    let all = |count: u64| count == texts.count;
    // A number that looks personal is declared as a text, because nothing else can be redacted. A detector that fires on
    // some long numbers by chance alone does not count.
    let is_personal_number = observed.personal.iter().any(|&found| found * 2 >= texts.count);
    // Of a row of values each is a text; elsewhere a text in digits is meant as one.
    let are_values = matches!(format, SourceFormat::Csv | SourceFormat::Tsv);
    if are_values && all(texts.ints) && !is_personal_number {
        Type::Int
    } else if are_values && all(texts.floats) && !is_personal_number {
        Type::Float
    } else if are_values && all(texts.bools) {
        Type::Bool
    } else if all(texts.dates) {
        Type::Date
    } else if all(texts.timestamps) {
        Type::Timestamp
    } else {
        Type::String
    }
}

fn settle_list(observed: &Observed, format: SourceFormat) -> Result<Type, String> {
    let Some(items) = &observed.items else { return Ok(Type::List(Box::new(FieldType::plain(Type::String)))) };
    let ty = settle_type(items, format).map_err(|why| why.replacen("holds", "holds lists of", 1))?;
    Ok(Type::List(Box::new(FieldType { ty, nullable: items.nulls > 0 })))
}

fn settle_record(observed: &Observed, format: SourceFormat) -> Result<Type, String> {
    if observed.is_map {
        let most = super::observed::MOST_MEMBERS;
        return Err(format!("holds objects with more than {most} different keys"));
    }
    let members: Vec<(String, FieldType)> = observed
        .members
        .iter()
        .filter(|(key, _)| written_name(key).is_some())
        .filter_map(|(key, member)| {
            let ty = settle_type(member, format).ok()?;
            Some((key.clone(), FieldType { ty, nullable: is_nullable(member, observed.records) }))
        })
        .collect();
    if members.is_empty() {
        Err("holds objects without a member that can be declared".to_owned())
    } else {
        Ok(Type::Record(members))
    }
}

/// Whether a value is null or not there in one of `among` records.
pub fn is_nullable(observed: &Observed, among: u64) -> bool {
    observed.values() < among
}

/// The members of a record type that could not be declared, as paths below `key`.
pub fn undeclared_members(observed: &Observed, ty: &Type) -> Vec<String> {
    match ty {
        Type::Record(declared) => {
            let mut missing = Vec::new();
            for (key, member) in &observed.members {
                match declared.iter().find(|(name, _)| name == key) {
                    None => missing.push(key.clone()),
                    Some((_, below)) => {
                        let deeper = undeclared_members(member, &below.ty);
                        missing.extend(deeper.into_iter().map(|path| format!("{key}.{path}")));
                    }
                }
            }
            missing
        }
        Type::List(item) => observed.items.as_ref().map_or(Vec::new(), |items| undeclared_members(items, &item.ty)),
        Type::String | Type::Int | Type::Float | Type::Bool | Type::Date | Type::Timestamp | Type::Label(_) => {
            Vec::new()
        }
    }
}

/// A type as a specification writes it.
pub fn write_type(ty: &FieldType) -> String {
    let written = match &ty.ty {
        // A label is no type of a file's column, so nothing infers it.
        Type::String | Type::Label(_) => "string".to_owned(),
        Type::Int => "int".to_owned(),
        Type::Float => "float".to_owned(),
        Type::Bool => "bool".to_owned(),
        Type::Date => "date".to_owned(),
        Type::Timestamp => "timestamp".to_owned(),
        Type::List(item) => format!("list<{}>", write_type(item)),
        Type::Record(members) => {
            let member = |(name, ty): &(String, FieldType)| {
                let name = written_name(name).expect("a member that no name fits was left out");
                format!("{name}: {}", write_type(ty))
            };
            format!("{{ {} }}", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
    };
    if ty.nullable { format!("{written}?") } else { written }
}
