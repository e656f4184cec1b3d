//! What a target needs: the declarations that it refers to, in one or several steps.

use std::collections::BTreeSet;

use crate::syntax::ast::dataset::ItemKind;
use crate::syntax::ast::train::TrainItemKind;
use crate::syntax::ast::{Decl, Ident};

/// The name by which a declaration is referred to; an evaluation goes with its run.
pub(super) fn name(decl: &Decl) -> Option<&str> {
    match decl {
        Decl::Source(source) => Some(&source.name.name),
        Decl::Label(label) => Some(&label.name.name),
        Decl::Clean(clean) => Some(&clean.name.name),
        Decl::Policy(policy) => Some(&policy.name.name),
        Decl::Template(template) => Some(&template.name.name),
        Decl::Dataset(dataset) => Some(&dataset.name.name),
        Decl::Model(model) => Some(&model.name.name),
        Decl::Train(train) => Some(&train.name.name),
        Decl::Evaluate(evaluate) => Some(&evaluate.run.name),
        Decl::Let(constant) => Some(&constant.name.name),
        Decl::Fn(function) => Some(&function.name.name),
        Decl::Test(_) | Decl::Use(_) => None,
    }
}

/// The names that the targets refer to, in one or several steps. A data set that is given is built, so what it names is
/// needed; of an evaluation its data set is.
pub(super) fn reachable<'d>(decls: &[&'d Decl], targets: &[&'d str]) -> BTreeSet<&'d str> {
    let mut needed: BTreeSet<&str> = BTreeSet::new();
    let mut open: Vec<&str> = targets.to_vec();
    while let Some(target) = open.pop() {
        if needed.insert(target) {
            for decl in decls.iter().filter(|decl| name(decl) == Some(target)) {
                open.extend(refers(decl));
            }
        }
    }
    needed
}

fn refers(decl: &Decl) -> Vec<&str> {
    let mut names: Vec<&Ident> = Vec::new();
    match decl {
        Decl::Dataset(dataset) => {
            for item in &dataset.items {
                match &item.kind {
                    ItemKind::From(list) | ItemKind::Clean(list) | ItemKind::Policy(list) => names.extend(list),
                    ItemKind::Label { name, .. } => names.push(name),
                    ItemKind::Write { template, .. } => names.extend(template),
                    ItemKind::Split(_) | ItemKind::Purpose(_) => {}
                }
            }
        }
        Decl::Train(train) => {
            for item in &train.items {
                match &item.kind {
                    TrainItemKind::Model(name) | TrainItemKind::Data(name) => names.push(name),
                    TrainItemKind::Task(task) => names.extend(task.label.iter().chain(&task.from)),
                    _ => {}
                }
            }
        }
        Decl::Evaluate(evaluate) => names.push(&evaluate.dataset),
        Decl::Source(_)
        | Decl::Label(_)
        | Decl::Clean(_)
        | Decl::Policy(_)
        | Decl::Template(_)
        | Decl::Model(_)
        | Decl::Test(_)
        | Decl::Use(_)
        | Decl::Let(_)
        | Decl::Fn(_) => {}
    }
    names.into_iter().map(|name| name.name.as_str()).collect()
}
