//! The parts of what a specification says of a data set, each with its own digest: what tells which of them changed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Canon, short_digest};
use crate::hir::{Dataset, Expr, ExprKind, Keep, Program, StepBlock, StepKind};

/// The parts of a data set's declaration, with the versions of what computes it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Parts {
    /// The version of this program.
    pub annotc: String,
    /// The functions that are called, with their versions.
    pub functions: BTreeMap<String, u32>,
    /// The detectors that redact, with their versions.
    pub detectors: BTreeMap<String, u32>,
    /// The parts in their order of effect.
    pub parts: Vec<Part>,
}

/// One part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// What it is: `source tickets`, `clean tidy · too short`, `split`.
    pub part: String,
    /// 32 hexadecimal digits of its normal form.
    pub digest: String,
}

/// The parts of a data set's declaration.
pub fn parts(program: &Program, dataset: &Dataset) -> Parts {
    let canon = Canon { program, dataset, values: None };
    let mut parts = Parts { annotc: env!("CARGO_PKG_VERSION").to_owned(), ..Parts::default() };
    let mut add = |part: String, form: Value| parts.parts.push(Part { part, digest: short_digest(&form.to_string()) });
    for &id in &dataset.sources {
        add(format!("source {}", program[id].name), canon.source(&program[id]));
    }
    let columns: Vec<Value> = dataset.columns.iter().map(|column| canon.column(column)).collect();
    let personal: Vec<Value> = dataset.personal.iter().map(|said| json!([said.column.0, said.because])).collect();
    let terms = dataset.terms.as_ref().map(|terms| canon.terms(terms));
    let about = json!([dataset.name, dataset.doc, columns, personal, dataset.license, terms]);
    add(format!("dataset {}", dataset.name), about);
    for step in &dataset.steps {
        let block = match step.block {
            StepBlock::Clean => "clean",
            StepBlock::Label => "label",
            StepBlock::Policy => "policy",
            StepBlock::Write => "write",
            StepBlock::Dataset => "dataset",
        };
        add(format!("{block} {} · {}", step.block_name, step.rule), canon.step(step));
    }
    add("split".to_owned(), canon.split(&dataset.split));
    for requirement in &dataset.requirements {
        add(requirement.rule.clone(), canon.requirement(requirement));
    }
    for output in &dataset.outputs {
        add(format!("write {}", output.name), canon.output(output));
    }
    add("what is trained on and evaluated".to_owned(), canon.readers());
    collect_versions(program, dataset, &mut parts);
    parts
}

fn collect_versions(program: &Program, dataset: &Dataset, parts: &mut Parts) {
    let Parts { functions, detectors, .. } = parts;
    let mut called = |expr: &Expr| {
        expr.visit(&mut |part| {
            if let ExprKind::Call(function, _) = part.kind {
                functions.insert(function.name.to_owned(), function.version);
            }
        });
    };
    for step in &dataset.steps {
        match &step.kind {
            StepKind::Set { value, .. } => called(value),
            StepKind::Drop { condition } | StepKind::Forbid { condition, .. } => called(condition),
            StepKind::Label { value, constraints, drop_when, .. } => {
                called(value);
                constraints.iter().for_each(&mut called);
                drop_when.iter().for_each(&mut called);
            }
            StepKind::Redact { detectors: used, .. } => {
                detectors.extend(used.iter().map(|detector| (detector.name.to_owned(), detector.version)));
            }
            StepKind::DedupExact { keep, .. } | StepKind::DedupNear { keep, .. } => match keep {
                Keep::First => {}
                Keep::Best(by) => called(by),
            },
            StepKind::DedupPieces { .. }
            | StepKind::Decontaminate { .. }
            | StepKind::Sample { .. }
            | StepKind::Pair { .. } => {}
        }
    }
    let evaluates = program.evaluates.iter().filter(|one| program[one.dataset].name == dataset.name);
    evaluates.flat_map(|one| &one.slices).for_each(|slice| called(&slice.value));
}
