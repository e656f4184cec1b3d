//! What a declaration refers to, and what is needed because of it, in one or several steps and through the files.

use std::collections::BTreeSet;

use super::names::{Names, declares};
use super::uses::Parsed;
use crate::source::Span;
use crate::syntax::ast::dataset::{ItemKind, LabelBody, LabelItemKind, PartKind};
use crate::syntax::ast::label::{Label, Schema, Values};
use crate::syntax::ast::source::{SourceItemKind, TypeExpr, TypeExprKind};
use crate::syntax::ast::test::Expect;
use crate::syntax::ast::train::{EvaluateItem, TrainItemKind};
use crate::syntax::ast::{ArmBody, Decl, Expr, ExprKind, Ident, clean, dataset, policy};

/// The declarations of a program: all of the first file, and of the others what it takes and what that needs. They stand in
/// the order of the files.
pub(super) fn needed<'a>(names: &Names<'a>, parsed: &'a Parsed) -> Vec<&'a Decl> {
    let mut open: Vec<&Decl> = parsed.entry_tree().decls.iter().collect();
    let mut reached: BTreeSet<Span> = BTreeSet::new();
    while let Some(decl) = open.pop() {
        for name in refers(decl) {
            if let Some(declared) = names.get(name)
                && declared.place.file != parsed.entry()
                && reached.insert(declared.place)
            {
                open.push(declared.decl);
            }
        }
    }
    let is_needed = |decl: &&Decl| declares(decl).is_some_and(|(_, name)| reached.contains(&name.span));
    let (first, others): (Vec<_>, Vec<_>) = parsed.files().partition(|(file, _)| *file == parsed.entry());
    let own = first.into_iter().flat_map(|(_, tree)| &tree.decls);
    own.chain(others.into_iter().flat_map(|(_, tree)| &tree.decls).filter(is_needed)).collect()
}

/// Those of the declarations that the targets, by what the program calls them, need. A data set that is given is built, so
/// what it names is needed; an evaluation goes with its run.
pub(super) fn of_targets<'a>(names: &Names<'a>, decls: &[&'a Decl], targets: &[&str]) -> Vec<&'a Decl> {
    let is_target =
        |decl: &&&Decl| declares(decl).is_some_and(|(_, name)| targets.contains(&names.title(name).as_str()));
    let mut open: Vec<&Decl> = decls.iter().filter(is_target).copied().collect();
    let mut reached: BTreeSet<Span> = open.iter().map(|decl| decl.span()).collect();
    while let Some(decl) = open.pop() {
        let evaluations = decls.iter().copied().filter(|other| is_evaluation_of(names, other, decl));
        let referred = refers(decl).into_iter().filter_map(|name| names.get(name)).map(|declared| declared.decl);
        for next in evaluations.chain(referred) {
            if reached.insert(next.span()) {
                open.push(next);
            }
        }
    }
    decls.iter().copied().filter(|decl| reached.contains(&decl.span())).collect()
}

fn is_evaluation_of(names: &Names<'_>, evaluation: &Decl, run: &Decl) -> bool {
    match (evaluation, run) {
        (Decl::Evaluate(evaluation), Decl::Train(run)) => {
            names.get(&evaluation.run).is_some_and(|declared| declared.place == run.name.span)
        }
        _ => false,
    }
}

/// The names in a declaration that may mean other declarations; fields are among them where an expression names them.
pub(super) fn refers(decl: &Decl) -> Vec<&Ident> {
    let mut names: Vec<&Ident> = Vec::new();
    match decl {
        Decl::Source(source) => {
            for item in &source.items {
                if let SourceItemKind::Fields(fields) = &item.kind {
                    fields.iter().for_each(|field| of_type(&field.ty, &mut names));
                }
            }
        }
        Decl::Label(label) => of_label(label, &mut names),
        Decl::Clean(clean) => {
            for rule in &clean.rules {
                match &rule.kind {
                    clean::RuleKind::Set { value, .. } => of_expr(value, &mut names),
                    clean::RuleKind::Drop { condition, .. } => of_expr(condition, &mut names),
                    clean::RuleKind::Dedup { keep, .. } => {
                        if let Some(clean::Kept { which: clean::KeptWhich::Best(by), .. }) = keep {
                            of_expr(by, &mut names);
                        }
                    }
                    clean::RuleKind::DedupPieces { .. } | clean::RuleKind::Pack { .. } => {}
                    clean::RuleKind::Decontaminate { against, .. } => {
                        names.extend(against.iter().filter_map(|evaluation| match evaluation {
                            clean::Evaluation::Field(source, _) => Some(source),
                            clean::Evaluation::Files(_) => None,
                        }));
                    }
                }
            }
        }
        Decl::Policy(policy) => {
            for rule in &policy.rules {
                match &rule.kind {
                    policy::RuleKind::Forbid { condition, .. } | policy::RuleKind::Require { condition, .. } => {
                        of_expr(condition, &mut names);
                    }
                    policy::RuleKind::Redact { .. }
                    | policy::RuleKind::AllowLicense(_)
                    | policy::RuleKind::AllowPersonal { .. }
                    | policy::RuleKind::KeepFor { .. }
                    | policy::RuleKind::KAnonymous { .. }
                    | policy::RuleKind::Pack(_) => {}
                }
            }
        }
        Decl::Dataset(dataset) => of_dataset(dataset, &mut names),
        Decl::Train(train) => {
            for item in &train.items {
                match &item.kind {
                    TrainItemKind::Model(name) | TrainItemKind::Data(name) => names.push(name),
                    TrainItemKind::Task(task) => names.extend(task.label.iter().chain(&task.from)),
                    _ => {}
                }
            }
        }
        Decl::Evaluate(evaluate) => {
            names.extend([&evaluate.run, &evaluate.dataset]);
            for item in &evaluate.items {
                if let EvaluateItem::By { value, .. } = item {
                    of_expr(value, &mut names);
                }
            }
        }
        Decl::Test(test) => {
            names.push(&test.target);
            test.given.iter().for_each(|given| of_expr(given, &mut names));
            for expect in &test.expect {
                if let Expect::Record(record) = expect {
                    of_expr(record, &mut names);
                }
            }
        }
        Decl::Use(import) => names.extend(import.names.iter().map(|(name, renamed)| renamed.as_ref().unwrap_or(name))),
        Decl::Let(constant) => of_expr(&constant.value, &mut names),
        Decl::Fn(function) => {
            function.params.iter().for_each(|(_, ty)| of_type(ty, &mut names));
            of_expr(&function.body, &mut names);
        }
        Decl::Template(_) | Decl::Model(_) => {}
    }
    names
}

fn of_label<'d>(label: &'d Label, names: &mut Vec<&'d Ident>) {
    match &label.schema {
        Schema::Choice(values) | Schema::Choices { values, .. } | Schema::Spans { values, .. } => {
            if let Values::Field { source, .. } = values {
                names.push(source);
            }
        }
        Schema::Scale { constraints, .. } => {
            for constraint in constraints {
                of_expr(&constraint.when, names);
                of_expr(&constraint.require, names);
            }
        }
        Schema::Json(fields) => fields.iter().for_each(|field| of_type(&field.ty, names)),
        Schema::Simple(_) => {}
    }
}

fn of_dataset<'d>(dataset: &'d dataset::Dataset, names: &mut Vec<&'d Ident>) {
    for item in &dataset.items {
        match &item.kind {
            ItemKind::From(list) | ItemKind::Clean(list) | ItemKind::Policy(list) => names.extend(list),
            ItemKind::Label { name, body } => {
                names.push(name);
                match body {
                    LabelBody::Value { value, .. } => of_expr(value, names),
                    LabelBody::Block(items) => items.iter().for_each(|item| of_label_item(&item.kind, names)),
                }
            }
            ItemKind::Write { template, .. } => names.extend(template),
            ItemKind::Split(split) => {
                for part in &split.parts {
                    if let PartKind::From(sources) = &part.what {
                        names.extend(sources);
                    }
                }
                names.extend(&split.stratify);
            }
            ItemKind::Take { per, .. } => names.extend(per),
            ItemKind::Balance { field, .. } => names.push(field),
            ItemKind::Mix { shares, .. } => names.extend(shares.iter().map(|(source, _)| source)),
            ItemKind::Weight { source, .. } => names.push(source),
            ItemKind::Sample { .. } => {}
            ItemKind::Purpose(_) => {}
        }
    }
}

fn of_label_item<'d>(item: &'d LabelItemKind, names: &mut Vec<&'d Ident>) {
    match item {
        LabelItemKind::From { value, .. } => of_expr(value, names),
        LabelItemKind::FromRule { condition, value, .. } => {
            of_expr(condition, names);
            of_expr(value, names);
        }
        LabelItemKind::FromModel { model, .. } => names.push(model),
        LabelItemKind::FromAnnotations(_) | LabelItemKind::Resolve { .. } | LabelItemKind::Require(_) => {}
    }
}

fn of_type<'d>(ty: &'d TypeExpr, names: &mut Vec<&'d Ident>) {
    match &ty.kind {
        TypeExprKind::Name(name) => names.push(name),
        TypeExprKind::List(of) => of_type(of, names),
        TypeExprKind::Record(members) => members.iter().for_each(|(_, ty)| of_type(ty, names)),
    }
}

fn of_expr<'d>(expr: &'d Expr, names: &mut Vec<&'d Ident>) {
    // A work list: a text decides how deep expressions are nested.
    let mut open = vec![expr];
    while let Some(expr) = open.pop() {
        match &expr.kind {
            ExprKind::Name(name) => names.push(name),
            ExprKind::Call { function, args, .. } => {
                names.push(function);
                open.extend(args);
            }
            ExprKind::List(items) => open.extend(items),
            ExprKind::Record(members) => open.extend(members.iter().map(|(_, value)| value)),
            ExprKind::Member(of, _) | ExprKind::By(of) | ExprKind::Unary(_, of) => open.push(of),
            ExprKind::Index(left, right) | ExprKind::Binary(_, left, right) => open.extend([&**left, &**right]),
            ExprKind::IsNull { value, .. } => open.push(value),
            ExprKind::In { value, list, .. } => open.extend([&**value, &**list]),
            ExprKind::Matches { value, pattern } => open.extend([&**value, &**pattern]),
            ExprKind::Match { subject, arms } => {
                open.push(subject);
                for arm in arms {
                    open.extend(&arm.patterns);
                    if let ArmBody::Value(body) = &arm.body {
                        open.push(body);
                    }
                }
            }
            ExprKind::Null
            | ExprKind::Bool(_)
            | ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Percent(_)
            | ExprKind::Text(_)
            | ExprKind::Regex { .. } => {}
        }
    }
}
