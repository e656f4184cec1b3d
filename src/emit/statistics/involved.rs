//! Which columns a step looks at, and whether their values may be shown.

use crate::hir::{ColumnId, Dataset, Program, StepKind};
use crate::plan::personal::personal_before;

/// The columns that a step looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Involved {
    /// The columns, in the data set's order.
    pub columns: Vec<ColumnId>,
    /// Those that are personal there or were so before.
    pub withheld: Vec<ColumnId>,
}

/// What the step with this index looks at to take records out.
pub fn involved(program: &Program, dataset: &Dataset, step: usize) -> Involved {
    let mut columns: Vec<ColumnId> = Vec::new();
    match &dataset.steps[step].kind {
        StepKind::Drop { condition } | StepKind::Forbid { condition, .. } => {
            condition.visit_columns(&mut |id| columns.push(id));
        }
        StepKind::DedupExact { columns: compared, .. } => columns.extend(compared),
        StepKind::DedupNear { column, .. }
        | StepKind::DedupPieces { column, .. }
        | StepKind::Decontaminate { column, .. } => columns.push(*column),
        StepKind::Sample { taken, .. } => columns.extend(taken.by()),
        StepKind::Label { value, form, constraints, drop_when, .. } => {
            columns.extend(form.over());
            value.visit_columns(&mut |id| columns.push(id));
            // What labels say is not known before their steps.
            for condition in constraints.iter().chain(drop_when) {
                let of_field = |id: &ColumnId| dataset.columns[id.0 as usize].label.is_none();
                condition.visit_columns(&mut |id| columns.extend(Some(id).filter(of_field)));
            }
        }
        // What an output's template prints may be anything.
        StepKind::Set { .. } | StepKind::Redact { .. } | StepKind::Pair { .. } => {}
    }
    columns.sort_unstable();
    columns.dedup();
    let ever = ever_personal(program, dataset, step);
    let withheld = columns.iter().copied().filter(|id| ever[id.0 as usize]).collect();
    Involved { columns, withheld }
}

/// For each column whether it may hold personal data before the step with this index, or did so before any earlier one.
pub(super) fn ever_personal(program: &Program, dataset: &Dataset, step: usize) -> Vec<bool> {
    let mut ever = vec![false; dataset.columns.len()];
    for at in 0..=step {
        for (ever, now) in ever.iter_mut().zip(personal_before(program, dataset, at)) {
            *ever |= now.is_some();
        }
    }
    ever
}
