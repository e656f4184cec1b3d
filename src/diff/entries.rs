//! A declaration as named statements in canonical form.

use super::dataset::dataset_entries;
use super::print::{expr, field, name, names, quantity, settings, text, texts, type_of};
use super::runs::{evaluate_entries, model_entries, test_entries, train_entries};
use crate::syntax::ast::Decl;
use crate::syntax::ast::clean::{self, Clean, DedupHow, Evaluation, KeptWhich, Near, NearScheme};
use crate::syntax::ast::label::{Label, Schema, Value, Values};
use crate::syntax::ast::policy::{Policy, RuleKind, Target};
use crate::syntax::ast::source::{Source, SourceItemKind};
use crate::syntax::ast::template::{ItemBody, Template};

/// A declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// `source`, `clean` …
    pub kind: &'static str,
    /// Its name; of an evaluation and of a test what tells it from others.
    pub name: String,
    /// What it says.
    pub entries: Vec<Entry>,
}

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// How it is called; unique in its declaration.
    pub key: String,
    /// What it says.
    pub text: String,
    /// Whether its place among its like counts.
    pub ordered: bool,
}

/// The statements of a declaration while they are gathered.
#[derive(Default)]
pub(super) struct Entries(Vec<Entry>);

impl Entries {
    pub(super) fn add(&mut self, key: impl Into<String>, text: impl Into<String>) {
        self.push(key.into(), text.into(), false);
    }

    pub(super) fn in_order(&mut self, key: impl Into<String>, text: impl Into<String>) {
        self.push(key.into(), text.into(), true);
    }

    pub(super) fn doc(&mut self, doc: Option<&String>) {
        if let Some(doc) = doc {
            self.add("description", doc.clone());
        }
    }

    /// A key that stands already gets a number.
    fn push(&mut self, key: String, text: String, ordered: bool) {
        let taken = |key: &str| self.0.iter().any(|entry| entry.key == key);
        let mut unique = key.clone();
        let mut number = 2;
        while taken(&unique) {
            unique = format!("{key} ({number})");
            number += 1;
        }
        self.0.push(Entry { key: unique, text, ordered });
    }
}

/// A declaration in canonical form.
pub fn declared(decl: &Decl) -> Declared {
    let mut entries = Entries::default();
    let (kind, named) = match decl {
        Decl::Source(source) => ("source", source_entries(source, &mut entries)),
        Decl::Label(label) => ("label", label_entries(label, &mut entries)),
        Decl::Clean(clean) => ("clean", clean_entries(clean, &mut entries)),
        Decl::Policy(policy) => ("policy", policy_entries(policy, &mut entries)),
        Decl::Template(template) => ("template", template_entries(template, &mut entries)),
        Decl::Dataset(dataset) => ("dataset", dataset_entries(dataset, &mut entries)),
        Decl::Model(model) => ("model", model_entries(model, &mut entries)),
        Decl::Train(train) => ("train", train_entries(train, &mut entries)),
        Decl::Evaluate(evaluate) => ("evaluate", evaluate_entries(evaluate, &mut entries)),
        Decl::Test(test) => ("test", test_entries(test, &mut entries)),
        Decl::Use(import) => {
            for (taken, renamed) in &import.names {
                let renamed = renamed.as_ref().map_or(String::new(), |renamed| format!(" as {}", name(renamed)));
                entries.add(taken.name.clone(), format!("{}{renamed}", name(taken)));
            }
            ("use", import.path.node.clone())
        }
        Decl::Let(constant) => {
            entries.doc(constant.doc.as_ref());
            entries.add("value", expr(&constant.value));
            ("let", constant.name.name.clone())
        }
        Decl::Fn(function) => {
            entries.doc(function.doc.as_ref());
            let params = function.params.iter().map(|(word, ty)| format!("{}: {}", name(word), type_of(ty)));
            entries.add("parameters", params.collect::<Vec<_>>().join(", "));
            entries.add("value", expr(&function.body));
            ("fn", function.name.name.clone())
        }
    };
    Declared { kind, name: named, entries: entries.0 }
}

fn source_entries(source: &Source, entries: &mut Entries) -> String {
    entries.doc(source.doc.as_ref());
    for item in &source.items {
        match &item.kind {
            SourceItemKind::Path(paths) => entries.add("path", format!("path {}", texts(paths))),
            SourceItemKind::Annotations(paths) => entries.add("annotations", format!("annotations {}", texts(paths))),
            SourceItemKind::Format(word, options) => {
                entries.add("format", format!("format {}{}", name(word), settings(options)));
            }
            SourceItemKind::License(license) => entries.add("license", format!("license {}", text(license))),
            SourceItemKind::Origin(origin) => entries.add("origin", format!("origin {}", text(origin))),
            SourceItemKind::Consent(consent) => entries.add("consent", format!("consent {}", text(consent))),
            SourceItemKind::OnBadRow(word) => entries.add("on_bad_row", format!("on_bad_row {}", name(word))),
            SourceItemKind::Row(longest) => entries.add("row", format!("row at most {}", quantity(longest))),
            SourceItemKind::Fields(fields) => {
                for one in fields {
                    let doc = one.doc.as_ref().map_or(String::new(), |doc| format!("/// {doc} "));
                    entries.in_order(format!("field {}", name(&one.name)), format!("{doc}{}", field(one)));
                }
            }
        }
    }
    source.name.name.clone()
}

fn label_entries(label: &Label, entries: &mut Entries) -> String {
    entries.doc(label.doc.as_ref());
    let schema = match &label.schema {
        Schema::Choice(values) => format!("choice{}", value_entries(values, entries)),
        Schema::Choices { count, values } => {
            let count = count
                .as_ref()
                .map_or(String::new(), |(least, most)| format!("({}..{})", quantity(least), quantity(most)));
            format!("choices{count}{}", value_entries(values, entries))
        }
        Schema::Spans { field, values, overlap } => {
            let overlap = overlap.as_ref().map_or(String::new(), |word| format!(" overlap {}", name(word)));
            format!("spans over {}{}{overlap}", name(field), value_entries(values, entries))
        }
        Schema::Scale { low, high, constraints } => {
            for constraint in constraints {
                let (when, require) = (expr(&constraint.when), expr(&constraint.require));
                entries.add(format!("when {when}"), format!("when {when} require {require}"));
            }
            format!("scale {}..{}", quantity(low), quantity(high))
        }
        Schema::Json(fields) => {
            fields.iter().for_each(|one| entries.in_order(format!("field {}", name(&one.name)), field(one)));
            "json".to_owned()
        }
        Schema::Simple(word) => name(word),
    };
    entries.add("schema", schema);
    label.name.name.clone()
}

/// Adds written values, and gives where others come from.
fn value_entries(values: &Values, entries: &mut Entries) -> String {
    match values {
        Values::Listed(values) => {
            values.iter().for_each(|value| value_entry(value, "", entries));
            String::new()
        }
        Values::Field { source, field } => format!(" from {}.{}", name(source), name(field)),
        Values::File(path) => format!(" from {}", text(path)),
    }
}

fn value_entry(value: &Value, above: &str, entries: &mut Entries) {
    let path = format!("{above}{}", name(&value.name));
    let title = value.title.as_ref().map_or(String::new(), |title| format!(" {}", text(title)));
    let key = value.key.as_ref().map_or(String::new(), |key| format!(" key {}", text(key)));
    let doc = value.doc.as_ref().map_or(String::new(), |doc| format!("/// {} ", one_line(doc)));
    entries.in_order(format!("value {path}"), format!("{doc}{}{title}{key}", name(&value.name)));
    value.children.iter().for_each(|child| value_entry(child, &format!("{path}."), entries));
}

fn one_line(doc: &str) -> String {
    doc.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn clean_entries(clean: &Clean, entries: &mut Entries) -> String {
    entries.doc(clean.doc.as_ref());
    for rule in &clean.rules {
        match &rule.kind {
            clean::RuleKind::Set { field, value } => {
                entries.in_order(format!("set {}", field.name), format!("set {} = {}", name(field), expr(value)));
            }
            clean::RuleKind::Drop { reason, condition } => {
                entries.in_order(reason.node.clone(), format!("drop {} when {}", text(reason), expr(condition)));
            }
            clean::RuleKind::Dedup { fields, how, keep } => {
                let how = match how {
                    DedupHow::Exactly(_) => "exactly".to_owned(),
                    DedupHow::Near(near) => near_in_words(near),
                };
                let keep = keep.as_ref().map(|keep| match &keep.which {
                    KeptWhich::First => " keep first".to_owned(),
                    KeptWhich::Longest => " keep longest".to_owned(),
                    KeptWhich::Best(by) => format!(" keep best by {}", expr(by)),
                });
                let rule = format!("dedup {} {how}", names(fields));
                entries.in_order(rule.clone(), rule + &keep.unwrap_or_default());
            }
            clean::RuleKind::DedupPieces { pieces, field, at_least } => {
                let rule = format!("dedup {} of {}", pieces.word(), name(field));
                let least = at_least.as_ref().map(|least| format!(" at least {}", quantity(least)));
                entries.in_order(rule.clone(), rule + &least.unwrap_or_default());
            }
            clean::RuleKind::Decontaminate { field, against, by } => {
                let one = |evaluation: &Evaluation| match evaluation {
                    Evaluation::Files(path) => text(path),
                    Evaluation::Field(source, field) => format!("{}.{}", name(source), name(field)),
                };
                let against = against.iter().map(one).collect::<Vec<_>>().join(", ");
                let rule = format!("decontaminate {}", name(field));
                entries.in_order(rule.clone(), format!("{rule} against {against} by {}", quantity(by)));
            }
            clean::RuleKind::Pack { name: pack, field, settings: options } => {
                let of = field.as_ref().map_or(String::new(), |field| format!(" of {}", name(field)));
                let statement = format!("pack {}{of}{}", name(pack), settings(options));
                entries.in_order(format!("pack {}{of}", name(pack)), statement);
            }
        }
    }
    clean.name.name.clone()
}

pub(super) fn near_in_words(near: &Near) -> String {
    let scheme = near.scheme.as_ref().map(|scheme| match scheme {
        NearScheme::Over(length) => format!(" over {}", quantity(length)),
        NearScheme::Like(preset) => format!(" like {}", name(preset)),
    });
    format!("near {}{}", quantity(&near.threshold), scheme.unwrap_or_default())
}

fn policy_entries(policy: &Policy, entries: &mut Entries) -> String {
    entries.doc(policy.doc.as_ref());
    for rule in &policy.rules {
        let statement = match &rule.kind {
            RuleKind::Redact { targets, kinds } => {
                let target = |target: &Target| match target {
                    Target::Personal(_) => "@personal".to_owned(),
                    Target::Field(field) => name(field),
                };
                let targets: Vec<String> = targets.iter().map(target).collect();
                format!("redact {}: {}", targets.join(", "), names(kinds))
            }
            RuleKind::Forbid { reason, condition, else_drop } => {
                let otherwise = if else_drop.is_some() { " else drop" } else { "" };
                let statement = format!("forbid {} when {}{otherwise}", text(reason), expr(condition));
                entries.in_order(reason.node.clone(), statement);
                continue;
            }
            RuleKind::AllowLicense(licenses) => format!("allow license in [{}]", texts(licenses)),
            RuleKind::AllowPersonal { fields, because } => {
                format!("allow personal {} because {}", names(fields), text(because))
            }
            RuleKind::Require { condition, per } => {
                let per = per.as_ref().map_or(String::new(), |per| format!(" per {}", name(per)));
                format!("require {}{per}", expr(condition))
            }
            RuleKind::KeepFor { age, field } => format!("keep for {} from {}", quantity(age), name(field)),
            RuleKind::KAnonymous { k, fields } => format!("k_anonymous {} over ({})", quantity(k), names(fields)),
            RuleKind::Pack(path) => format!("pack {}", path.iter().map(name).collect::<Vec<_>>().join(".")),
        };
        entries.in_order(statement.clone(), statement);
    }
    policy.name.name.clone()
}

fn template_entries(template: &Template, entries: &mut Entries) -> String {
    entries.doc(template.doc.as_ref());
    entries.add("kind", name(&template.kind));
    for item in &template.items {
        let mute = if item.mute.is_some() { "mute " } else { "" };
        let body = match &item.body {
            ItemBody::Text { text: value, .. } => text(value),
            ItemBody::Field(field) => name(field),
        };
        entries.in_order(item.slot.name.clone(), format!("{mute}{} {body}", item.slot.name));
    }
    template.name.name.clone()
}
