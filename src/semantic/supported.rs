//! What is well-formed and cannot be built by this version: refused by name, with its place and a way out.

use super::names::{self, Names};
use super::uses::Parsed;
use super::{outputs, reach};
use crate::diagnostics::{Code, Diagnostic, Diagnostics, Help};
use crate::plan::packs;
use crate::remote::Scheme;
use crate::source::Span;
use crate::syntax::ast::dataset::{Dataset, ItemKind, LabelBody, LabelItemKind};
use crate::syntax::ast::label::{Label, Schema, Values};
use crate::syntax::ast::policy::{Policy, RuleKind};
use crate::syntax::ast::source::{Source, SourceItemKind};
use crate::syntax::ast::test::Test;
use crate::syntax::ast::train::{Model, ModelItem};
use crate::syntax::ast::{Decl, Ident, Text};

/// Reports what the given targets, and all that they refer to, ask for and this version cannot build. Without targets
/// the whole program is looked at. A target is the name of a data set or of a training run (with its evaluations).
pub fn check_supported(parsed: &Parsed, targets: Option<&[&str]>) -> Diagnostics {
    let (names, _) = names::collect(parsed);
    let mut decls = reach::needed(&names, parsed);
    if let Some(targets) = targets {
        decls = reach::of_targets(&names, &decls, targets);
    }
    let mut refused = Vec::new();
    for decl in &decls {
        check_decl(decl, &names, &decls, &mut refused);
    }
    super::in_order(refused)
}

fn check_decl(decl: &Decl, names: &Names<'_>, decls: &[&Decl], refused: &mut Diagnostics) {
    match decl {
        Decl::Source(source) => check_source(source, refused),
        Decl::Policy(policy) => check_policy(policy, refused),
        Decl::Dataset(dataset) => check_dataset(dataset, names, refused),
        Decl::Model(model) => check_model(model, refused),
        Decl::Test(test) => check_test(test, names, decls, refused),
        // A label, a template or a constant does nothing by itself: what uses it is refused. All of a run and of an
        // evaluation is built.
        Decl::Train(_)
        | Decl::Evaluate(_)
        | Decl::Label(_)
        | Decl::Clean(_)
        | Decl::Template(_)
        | Decl::Use(_)
        | Decl::Let(_)
        | Decl::Fn(_) => {}
    }
}

fn refuse(refused: &mut Diagnostics, span: Span, message: impl Into<String>, label: &str, help: impl Into<Help>) {
    refused.push(Diagnostic::new(Code::NotSupported, message, span, label).help(help));
}

fn check_source(source: &Source, refused: &mut Diagnostics) {
    for item in &source.items {
        match &item.kind {
            SourceItemKind::Path(paths) => paths.iter().for_each(|path| check_path(path, refused)),
            SourceItemKind::Annotations(_) => refuse(
                refused,
                item.span,
                "annotation files cannot be read yet",
                "`annotations`",
                "turn them into JSONL with one record on each line and name it with `path`",
            ),
            SourceItemKind::Fields(fields) => {
                for attribute in fields.iter().flat_map(|field| &field.attributes) {
                    if matches!(attribute.name.name.as_str(), "sensitive" | "consent" | "created") {
                        refuse(
                            refused,
                            attribute.span,
                            format!("`@{}` is checked and has no effect on a build yet", attribute.name.name),
                            "no effect",
                            "take it out until a rule can use it",
                        );
                    }
                }
            }
            SourceItemKind::Format(..)
            | SourceItemKind::License(_)
            | SourceItemKind::Origin(_)
            | SourceItemKind::Consent(_)
            | SourceItemKind::Row(_)
            | SourceItemKind::OnBadRow(_) => {}
        }
    }
}

fn check_path(path: &Text, refused: &mut Diagnostics) {
    if let Some((scheme, _)) = path.node.split_once("://") {
        match Scheme::of(scheme) {
            Some(Scheme::Http | Scheme::Hub) => {}
            Some(Scheme::Cloud) if cfg!(feature = "cloud") => {}
            Some(Scheme::Cloud) => refuse(
                refused,
                path.span,
                format!("this annotc was built without the feature that reads addresses of `{scheme}`"),
                "an object store's",
                "build it with `--features cloud`, or fetch the file and name its path",
            ),
            None => refuse(
                refused,
                path.span,
                format!("addresses of `{scheme}` cannot be read"),
                "not a local file",
                "there are `https://`, `hf://datasets/` and object stores; else fetch the file and name its path",
            ),
        }
    }
    let lower = path.node.to_lowercase();
    for (ending, tool) in [(".bz2", "bunzip2"), (".xz", "unxz"), (".zip", "unzip")] {
        if lower.ends_with(ending) {
            refuse(
                refused,
                path.span,
                format!("`{ending}` files cannot be read yet"),
                "is compressed",
                format!("unpack it first: `{tool}`; `.gz` and `.zst` are read as they are"),
            );
        }
    }
}

fn check_policy(policy: &Policy, refused: &mut Diagnostics) {
    for rule in &policy.rules {
        let (what, help) = match &rule.kind {
            RuleKind::KeepFor { .. } => ("`keep for`", "drop old records with a rule: `drop \"old\" when year < 2024`"),
            RuleKind::KAnonymous { .. } => {
                ("`k_anonymous`", "require groups by hand: `require count() >= 5 per region`")
            }
            RuleKind::Pack(path) => match path.as_slice() {
                [name] if packs::lookup(&name.name).is_some() => {
                    ("a pack of cleaning rules in a policy", "move it into a `clean` block")
                }
                _ => ("`pack` of a policy", "write its rules into the policy"),
            },
            RuleKind::Redact { .. }
            | RuleKind::Forbid { .. }
            | RuleKind::AllowLicense(_)
            | RuleKind::AllowPersonal { .. }
            | RuleKind::Require { .. } => continue,
        };
        refuse(
            refused,
            rule.span,
            format!("{what} is checked and cannot be kept by a build yet"),
            "not built yet",
            help,
        );
    }
}

fn check_dataset(dataset: &Dataset, names: &Names<'_>, refused: &mut Diagnostics) {
    for item in &dataset.items {
        match &item.kind {
            ItemKind::Label { name, body } => check_label(name, body, names, refused),
            ItemKind::Write { format, .. } => check_write(format, refused),
            ItemKind::From(_)
            | ItemKind::Purpose(_)
            | ItemKind::Clean(_)
            | ItemKind::Policy(_)
            | ItemKind::Sample { .. }
            | ItemKind::Take { .. }
            | ItemKind::Balance { .. }
            | ItemKind::Mix { .. }
            | ItemKind::Weight { .. }
            | ItemKind::Split(_) => {}
        }
    }
}

fn find_label<'a>(names: &Names<'a>, name: &Ident) -> Option<&'a Label> {
    match names.get(name)?.decl {
        Decl::Label(label) => Some(label),
        _ => None,
    }
}

/// The name of a schema that no data set can use; `None` for a plain choice.
fn refused_schema(schema: &Schema) -> Option<(String, &'static str)> {
    let one = "a `choice` can be used: one value for each record";
    match schema {
        Schema::Choice(Values::Listed(values)) if values.iter().any(|value| !value.children.is_empty()) => {
            Some(("trees".to_owned(), "list the leaves in one level: `choice { physical; virtual; transfers }`"))
        }
        Schema::Choice(_) => None,
        Schema::Choices { values: Values::Listed(values), .. }
            if values.iter().any(|value| !value.children.is_empty()) =>
        {
            Some(("trees".to_owned(), "list the leaves in one level: `choices { physical; virtual; transfers }`"))
        }
        Schema::Choices { values: Values::Field { .. }, .. } => Some((
            "choices from a field".to_owned(),
            "write the values out, or name a file of them: `choices from \"topics.yaml\"`",
        )),
        Schema::Choices { .. } => None,
        Schema::Spans { values: Values::Listed(values), .. }
            if values.iter().any(|value| !value.children.is_empty()) =>
        {
            Some(("trees".to_owned(), "list the leaves in one level: `spans over text { PERSON; ORG }`"))
        }
        Schema::Spans { values: Values::Field { .. }, .. } => Some((
            "spans from a field".to_owned(),
            "write the kinds out, or name a file of them: `spans over text from \"kinds.yaml\"`",
        )),
        Schema::Spans { .. } => None,
        Schema::Scale { .. } => None,
        Schema::Json(_) => Some(("json".to_owned(), "keep the members as fields of the source")),
        Schema::Simple(word) if matches!(word.name.as_str(), "number" | "flag") => None,
        Schema::Simple(word) => Some((word.name.clone(), one)),
    }
}

fn check_label(name: &Ident, body: &LabelBody, names: &Names<'_>, refused: &mut Diagnostics) {
    if let Some((schema, help)) = find_label(names, name).and_then(|label| refused_schema(&label.schema)) {
        refuse(
            refused,
            name.span,
            format!("`{schema}` labels are declared and checked, and cannot be used in a data set yet"),
            "this label cannot be built",
            help,
        );
    }
    let LabelBody::Block(items) = body else { return };
    for item in items {
        let what = match &item.kind {
            LabelItemKind::From { .. } => continue,
            LabelItemKind::FromAnnotations(_) => "`from annotations`",
            LabelItemKind::FromRule { .. } => "`from rule`",
            LabelItemKind::FromModel { .. } => "`from model`",
            LabelItemKind::Resolve { .. } => "`resolve`",
            LabelItemKind::Require(_) => "`require` of a label",
        };
        refuse(
            refused,
            item.span,
            format!("{what} is checked and cannot be built yet"),
            "not built yet",
            "give the label from a field: `label intent = category`",
        );
    }
}

fn check_write(format: &Ident, refused: &mut Diagnostics) {
    if outputs::FORMATS.iter().any(|row| row.name == format.name && row.written.is_none()) {
        let written: Vec<&str> =
            outputs::FORMATS.iter().filter(|row| row.written.is_some()).map(|row| row.name).collect();
        refuse(
            refused,
            format.span,
            format!("`{}` cannot be written yet", format.name),
            "no writer for this format",
            format!("there are `{}`", written.join("`, `")),
        );
    }
}

fn check_model(model: &Model, refused: &mut Diagnostics) {
    for item in &model.items {
        if let ModelItem::New { architecture, .. } = item
            && architecture.name != "encoder"
        {
            refuse(
                refused,
                architecture.span,
                format!("a new `{}` cannot be made yet", architecture.name),
                "not built yet",
                "make a `new encoder`, or start from a folder with `onnx`",
            );
        }
    }
}

/// A label whose values cannot be built cannot be tested either.
fn check_test(test: &Test, names: &Names<'_>, decls: &[&Decl], refused: &mut Diagnostics) {
    let Some(target) = names.get(&test.target).filter(|declared| declared.kind == names::Kind::Label) else { return };
    let items = decls.iter().flat_map(|decl| match decl {
        Decl::Dataset(dataset) => dataset.items.as_slice(),
        _ => &[],
    });
    let mut unbuilt = Vec::new();
    for item in items {
        if let ItemKind::Label { name, body } = &item.kind
            && names.get(name).is_some_and(|declared| declared.place == target.place)
        {
            check_label(name, body, names, &mut unbuilt);
        }
    }
    if let Some(first) = unbuilt.first() {
        let place = first.labels.first().map_or(test.target.span, |label| label.span);
        refused.push(
            Diagnostic::new(
                Code::NotSupported,
                format!("`{}` cannot be built yet, so it cannot be tested", test.target.name),
                test.target.span,
                "not run yet",
            )
            .label(place, "cannot be built")
            .help("take the test out until a data set can be built with this label"),
        );
    }
}
