//! The tokenizers of the models that measures count with: found, read, and named in the program by their content.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use super::Failure;
use super::build::inputs::{NotFound, Roots};
use super::terminal::Terminal;
use crate::hir::{DatasetId, Expr, ExprKind, Keep, Literal, Model, ModelOrigin, Program, StepKind, Subject};
use crate::plan::functions::{ParameterKind, provide_tokenizer};
use crate::train::tokenizer::Tokenizer;

/// Tells why a model's tokenizer cannot be had.
pub fn fail(terminal: &Terminal, missing: &NotFound) -> Failure {
    terminal.error(&missing.message, Some(&missing.help));
    Failure::World
}

/// Reads the tokenizers that these data sets need, and puts the hash of each in the place of its model's name.
pub fn provide_tokenizers(program: &mut Program, datasets: &[DatasetId], roots: &Roots) -> Result<(), NotFound> {
    let mut expressions: Vec<&mut Expr> = Vec::new();
    for (at, dataset) in (0..).zip(&mut program.datasets) {
        if datasets.contains(&DatasetId(at)) {
            expressions.extend(dataset.steps.iter_mut().flat_map(|step| of_step(&mut step.kind)));
        }
    }
    let evaluates = program.evaluates.iter_mut().filter(|evaluate| datasets.contains(&evaluate.dataset));
    expressions.extend(evaluates.flat_map(|evaluate| &mut evaluate.slices).map(|slice| &mut slice.value));
    put(expressions, &program.models, roots)
}

/// The same for the unit tests.
pub fn provide_for_tests(program: &mut Program, roots: &Roots) -> Result<(), NotFound> {
    let uses = program.tests.iter_mut().flat_map(|test| &mut test.uses);
    let steps = uses.flat_map(|one| match &mut one.subject {
        Subject::Steps(steps) => steps.as_mut_slice(),
        Subject::Template(_) => &mut [],
    });
    let expressions = steps.flat_map(|step| of_step(&mut step.kind)).collect();
    put(expressions, &program.models, roots)
}

fn of_step(kind: &mut StepKind) -> Vec<&mut Expr> {
    match kind {
        StepKind::Set { value, .. } => vec![value],
        StepKind::Drop { condition } | StepKind::Forbid { condition, .. } => vec![condition],
        StepKind::Label { value, drop_when, .. } => std::iter::once(value).chain(drop_when).collect(),
        StepKind::DedupExact { keep, .. } | StepKind::DedupNear { keep, .. } => match keep {
            Keep::First => Vec::new(),
            Keep::Best(by) => vec![by],
        },
        StepKind::DedupPieces { .. }
        | StepKind::Decontaminate { .. }
        | StepKind::Sample { .. }
        | StepKind::Redact { .. }
        | StepKind::Pair { .. } => Vec::new(),
    }
}

fn put(expressions: Vec<&mut Expr>, models: &[Model], roots: &Roots) -> Result<(), NotFound> {
    let mut hashes: BTreeMap<String, String> = BTreeMap::new();
    for expression in &expressions {
        let mut named: Vec<String> = Vec::new();
        expression.visit(&mut |part| named.extend(model_of(part).map(str::to_owned)));
        for name in named {
            if let Entry::Vacant(unread) = hashes.entry(name) {
                let named = |model: &&Model| model.name == *unread.key();
                let model = models.iter().find(named).expect("a checked program has the model");
                unread.insert(read(model, roots)?);
            }
        }
    }
    if hashes.is_empty() {
        return Ok(());
    }
    for expression in expressions {
        *expression = expression.map(&mut |part| with_hash(part, &hashes));
    }
    Ok(())
}

/// The model that a call counts with.
fn model_of(expr: &Expr) -> Option<&str> {
    let ExprKind::Call(function, arguments) = &expr.kind else { return None };
    let at = function.parameters.iter().position(|parameter| parameter.kind == ParameterKind::Model)?;
    match &arguments.get(at)?.kind {
        ExprKind::Literal(Literal::String(name)) => Some(name),
        _ => None,
    }
}

fn with_hash(expr: Expr, hashes: &BTreeMap<String, String>) -> Expr {
    let Some(hash) = model_of(&expr).and_then(|name| hashes.get(name)) else { return expr };
    let ExprKind::Call(function, arguments) = expr.kind else { return expr };
    let arguments = arguments.into_iter().zip(function.parameters).map(|(argument, parameter)| match parameter.kind {
        ParameterKind::Model => Expr { kind: ExprKind::Literal(Literal::String(hash.clone())), ..argument },
        ParameterKind::Text
        | ParameterKind::Whole { .. }
        | ParameterKind::Literal
        | ParameterKind::Pattern
        | ParameterKind::Word(_) => argument,
    });
    Expr { kind: ExprKind::Call(function, arguments.collect()), ty: expr.ty, span: expr.span }
}

/// Reads a model's tokenizer and gives the hash of its content.
fn read(model: &Model, roots: &Roots) -> Result<String, NotFound> {
    let ModelOrigin::Folder { path, base, .. } = &model.origin else {
        unreachable!("the check refuses a model without a tokenizer")
    };
    let folder = roots.folder(base, path, &format!("model `{}`", model.name))?;
    let tokenizer = Tokenizer::load(&folder).map_err(|error| NotFound {
        message: error.to_string(),
        help: "`tokens` reads `tokenizer.json` in the model's folder".to_owned(),
    })?;
    let hash = tokenizer.hash().to_owned();
    provide_tokenizer(&hash, Arc::new(tokenizer));
    Ok(hash)
}
