//! Which columns may hold personal data at a step of a data set: for those who look at records between the steps. It follows
//! the rules by which the program was checked: what is computed from such a column may hold it too, though no label whose
//! values are written out; a `redact` of all the kinds that are left clears it (any `redact` a bare `@personal`), and so
//! does `allow personal … because`.

use crate::hir::{Dataset, Expr, LabelSchema, LabelValues, Personal, Program, StepKind};

/// For each column what it may hold before the step with this index; behind all steps for their number.
pub fn personal_before(program: &Program, dataset: &Dataset, step: usize) -> Vec<Option<Personal>> {
    let mut columns: Vec<Option<Personal>> = dataset.columns.iter().map(|column| column.personal.clone()).collect();
    dataset.steps[..step].iter().for_each(|step| pass(program, &step.kind, &mut columns));
    columns
}

/// Carries what each column may hold over one step.
pub fn pass(program: &Program, step: &StepKind, columns: &mut [Option<Personal>]) {
    match step {
        StepKind::Set { column, value } => columns[column.0 as usize] = read(value, columns),
        StepKind::Label { column, label, value, .. } => match program[*label].schema {
            LabelSchema::Choice(LabelValues::Found { .. }) | LabelSchema::Scalar(_) => {
                columns[column.0 as usize] = read(value, columns)
            }
            // Whatever the record says, the value is one that the program names.
            LabelSchema::Choice(LabelValues::Listed(_))
            | LabelSchema::Choices(_)
            | LabelSchema::Spans(_)
            | LabelSchema::Declared(_) => {}
        },
        StepKind::Redact { columns: redacted, detectors } => {
            for id in redacted {
                let left = columns[id.0 as usize].take().and_then(|personal| match personal {
                    Personal::Any => None,
                    Personal::Kinds(kinds) => {
                        let gone = |kind: &String| detectors.iter().any(|detector| detector.name == *kind);
                        let left: Vec<String> = kinds.into_iter().filter(|kind| !gone(kind)).collect();
                        (!left.is_empty()).then_some(Personal::Kinds(left))
                    }
                });
                columns[id.0 as usize] = left;
            }
        }
        StepKind::Drop { .. }
        | StepKind::DedupExact { .. }
        | StepKind::DedupNear { .. }
        | StepKind::DedupPieces { .. }
        | StepKind::Decontaminate { .. }
        | StepKind::Sample { .. }
        | StepKind::Forbid { .. }
        | StepKind::Pair { .. } => {}
    }
}

/// For each column whether it may hold personal data when the record is emitted, and nobody said why it may.
pub fn personal_when_emitted(program: &Program, dataset: &Dataset) -> Vec<bool> {
    let mut personal: Vec<bool> =
        personal_before(program, dataset, dataset.steps.len()).iter().map(Option::is_some).collect();
    for allowed in dataset.personal.iter().filter(|statement| statement.because.is_some()) {
        personal[allowed.column.0 as usize] = false;
    }
    personal
}

/// What the columns that an expression reads may hold.
fn read(expr: &Expr, columns: &[Option<Personal>]) -> Option<Personal> {
    let mut found: Option<Personal> = None;
    expr.visit_columns(&mut |id| {
        if let Some(more) = &columns[id.0 as usize] {
            found = Some(joined(found.take(), more));
        }
    });
    found
}

fn joined(known: Option<Personal>, more: &Personal) -> Personal {
    match (known, more) {
        (None, more) => more.clone(),
        (Some(Personal::Any), _) | (Some(_), Personal::Any) => Personal::Any,
        (Some(Personal::Kinds(mut kinds)), Personal::Kinds(more)) => {
            kinds.extend(more.iter().cloned());
            kinds.sort();
            kinds.dedup();
            Personal::Kinds(kinds)
        }
    }
}
