//! A data set as named statements in canonical form.

use super::entries::{Entries, near_in_words};
use super::print::{expr, name, names, quantity, settings, text, texts};
use crate::syntax::ast::dataset::{Dataset, ItemKind, LabelBody, LabelItemKind, PartKind, Split, SplitBy};
use crate::syntax::ast::{Ident, Quantity};

/// The statements of a data set, and its name.
pub(super) fn dataset_entries(dataset: &Dataset, entries: &mut Entries) -> String {
    entries.doc(dataset.doc.as_ref());
    for item in &dataset.items {
        match &item.kind {
            ItemKind::From(sources) => entries.add("from", format!("from {}", names(sources))),
            ItemKind::Purpose(purpose) => entries.add("purpose", format!("purpose {}", text(purpose))),
            ItemKind::Clean(blocks) => entries.add("clean", format!("clean {}", names(blocks))),
            ItemKind::Policy(blocks) => entries.add("policy", format!("policy {}", names(blocks))),
            ItemKind::Label { name: label, body } => {
                entries
                    .in_order(format!("label {}", name(label)), format!("label {}{}", name(label), label_body(body)));
            }
            ItemKind::Sample { .. }
            | ItemKind::Take { .. }
            | ItemKind::Balance { .. }
            | ItemKind::Mix { .. }
            | ItemKind::Weight { .. } => {
                if let Some((key, statement)) = sample_entry(&item.kind) {
                    entries.in_order(key, statement);
                }
            }
            ItemKind::Split(split) => entries.add("split", split_statement(split)),
            ItemKind::Write { format, template, name: folder, settings: options } => {
                let from = template.as_ref().map_or(String::new(), |template| format!(" from {}", name(template)));
                let called = folder.as_ref().map_or(String::new(), |folder| format!(" as {}", name(folder)));
                let key = format!("write {}", name(folder.as_ref().unwrap_or(format)));
                entries.add(key, format!("write {}{from}{called}{}", name(format), settings(options)));
            }
        }
    }
    dataset.name.name.clone()
}

/// What a statement that takes some of the records is known by, and the statement.
fn sample_entry(item: &ItemKind) -> Option<(String, String)> {
    let (key, statement, seed) = match item {
        ItemKind::Sample { share, seed } => ("sample".to_owned(), format!("sample {}", quantity(share)), seed),
        ItemKind::Take { count, per, seed } => {
            let per = per.as_ref().map_or(String::new(), |per| format!(" per {}", name(per)));
            (format!("take{per}"), format!("take {}{per}", quantity(count)), seed)
        }
        ItemKind::Balance { field, at_most, seed } => {
            let key = format!("balance {}", name(field));
            let most = at_most.as_ref().map_or(String::new(), |most| format!(" at most {}", quantity(most)));
            (key.clone(), key + &most, seed)
        }
        ItemKind::Mix { shares, seed } => {
            let of = |(source, share): &(Ident, Quantity)| format!("{} {}", name(source), quantity(share));
            let shares: Vec<String> = shares.iter().map(of).collect();
            ("mix".to_owned(), format!("mix {}", shares.join(", ")), seed)
        }
        ItemKind::Weight { source, weight, seed } => {
            let key = format!("weight {}", name(source));
            (key.clone(), format!("{key} {}", quantity(weight)), seed)
        }
        ItemKind::From(_)
        | ItemKind::Purpose(_)
        | ItemKind::Clean(_)
        | ItemKind::Policy(_)
        | ItemKind::Label { .. }
        | ItemKind::Split(_)
        | ItemKind::Write { .. } => return None,
    };
    Some((key, statement + &seeded(seed.as_ref())))
}

fn label_body(body: &LabelBody) -> String {
    let dropping = |else_drop: bool| if else_drop { " else drop" } else { "" };
    let items = match body {
        LabelBody::Value { value, else_drop } => {
            return format!(" = {}{}", expr(value), dropping(else_drop.is_some()));
        }
        LabelBody::Block(items) => items,
    };
    let item = |item: &LabelItemKind| match item {
        LabelItemKind::From { value, else_drop } => format!("from {}{}", expr(value), dropping(else_drop.is_some())),
        LabelItemKind::FromAnnotations(paths) => format!("from annotations {}", texts(paths)),
        LabelItemKind::FromRule { name, condition, value } => {
            format!("from rule {} when {} => {}", text(name), expr(condition), expr(value))
        }
        LabelItemKind::FromModel { model, condition, vote } => {
            let when = condition.as_ref().map_or(String::new(), |condition| format!(" when {}", expr(condition)));
            format!("from model {}{when}{}", name(model), if vote.is_some() { " vote" } else { "" })
        }
        LabelItemKind::Resolve { method, else_drop } => {
            format!("resolve {}{}", name(method), dropping(else_drop.is_some()))
        }
        LabelItemKind::Require(condition) => format!("require {}", expr(condition)),
    };
    let items: Vec<String> = items.iter().map(|one| item(&one.kind)).collect();
    format!(" {{ {} }}", items.join("; "))
}

fn split_statement(split: &Split) -> String {
    let mut statement = "split".to_owned();
    if let Some(field) = &split.by_field {
        statement.push_str(&format!(" as {}", name(field)));
    }
    let parts: Vec<String> = split
        .parts
        .iter()
        .map(|part| match &part.what {
            PartKind::From(sources) => format!("{} from {}", name(&part.name), names(sources)),
            PartKind::Share(share) => format!("{} {}", name(&part.name), quantity(share)),
            PartKind::Period { from, before } => {
                let from = from.as_ref().map_or(String::new(), |from| format!(" from {}", text(from)));
                let before = before.as_ref().map_or(String::new(), |before| format!(" before {}", text(before)));
                format!("{}{from}{before}", name(&part.name))
            }
        })
        .collect();
    if !parts.is_empty() {
        statement.push_str(&format!(" {}", parts.join(", ")));
    }
    match &split.by {
        None => {}
        Some(SplitBy::Field(field)) => statement.push_str(&format!(" by {}", name(field))),
        Some(SplitBy::Near(field, near)) => {
            statement.push_str(&format!(" by {} {}", name(field), near_in_words(near)));
        }
        Some(SplitBy::Time(field)) => statement.push_str(&format!(" by time {}", name(field))),
    }
    if let Some((field, near)) = split.check.as_deref() {
        statement.push_str(&format!(" check {} {}", name(field), near_in_words(near)));
    }
    if let Some(label) = &split.stratify {
        statement.push_str(&format!(" stratify {}", name(label)));
    }
    statement + &seeded(split.seed.as_ref())
}

fn seeded(seed: Option<&Quantity>) -> String {
    seed.map_or(String::new(), |seed| format!(" seed {}", quantity(seed)))
}
