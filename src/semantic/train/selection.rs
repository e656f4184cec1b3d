//! What selects on the part `validation`: `validate`, `stop` and `keep best`.

use super::{Draft, statement_word};
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::{Every, Patience};
use crate::semantic::Context;
use crate::semantic::quantities::{Bounds, small, whole};
use crate::source::Span;
use crate::syntax::ast::Quantity;
use crate::syntax::ast::train::{TrainItem, TrainItemKind};

/// Resolves such a statement. The metric of `validate` is one that the run's task has.
pub(super) fn resolve_selection(context: &mut Context<'_>, item: &TrainItem, draft: &mut Draft) {
    needs_validation(context, draft, statement_word(&item.kind), item.span);
    let selection = &mut draft.selection;
    match &item.kind {
        TrainItemKind::Validate { every: distance, by } => {
            if let Some(distance) = distance {
                selection.every = every(context, distance, "the distance of validations").unwrap_or(selection.every);
            }
            if let Some(by) = by {
                let task = draft.task.as_ref().map(|task| (task.word, task.label));
                selection.by = crate::semantic::metrics::resolve_selecting(context, by, task);
            }
        }
        TrainItemKind::Stop(after) => {
            let units = &["validations", "validation", "epochs", "epoch"];
            let count = whole(context, after, Bounds::between("the patience", 1.0, 1e9).unit(units));
            selection.patience = count.map(|count| match unit(after) {
                Some("epochs" | "epoch") => Patience::Epochs(count),
                Some(_) | None => Patience::Validations(count),
            });
        }
        TrainItemKind::KeepBest(count) => {
            let count = match count {
                Some(count) => small(context, count, Bounds::between("the number of kept weights", 1.0, 100.0)),
                None => Some(1),
            };
            selection.keep_best = count;
        }
        TrainItemKind::Model(_)
        | TrainItemKind::Data(_)
        | TrainItemKind::Task(_)
        | TrainItemKind::Tune(..)
        | TrainItemKind::Length { .. }
        | TrainItemKind::Epochs(_)
        | TrainItemKind::Steps(_)
        | TrainItemKind::Batch { .. }
        | TrainItemKind::Rate { .. }
        | TrainItemKind::Optimizer(..)
        | TrainItemKind::Checkpoint(_)
        | TrainItemKind::Device(..)
        | TrainItemKind::Setting(_) => {}
    }
}

/// A number of steps, where nothing else is said, or of epochs; `None` after a report.
pub(super) fn every(context: &mut Context<'_>, quantity: &Quantity, what: &'static str) -> Option<Every> {
    let bounds = Bounds::between(what, 1.0, 1e12).unit(&["steps", "epochs", "step", "epoch"]);
    let count = whole(context, quantity, bounds)?;
    Some(match unit(quantity) {
        Some("epochs" | "epoch") => Every::Epochs(count),
        Some(_) | None => Every::Steps(count),
    })
}

fn unit(quantity: &Quantity) -> Option<&str> {
    quantity.unit.as_ref().map(|unit| unit.name.as_str())
}

fn needs_validation(context: &mut Context<'_>, draft: &Draft, statement: &str, span: Span) {
    let Some(facts) = draft.data.and_then(|index| context.datasets.get(index)) else { return };
    if !facts.parts_known || facts.parts.iter().any(|(name, _)| name == "validation") {
        return;
    }
    let name = facts.name.clone();
    let place = facts.parts.first().map(|(_, span)| *span);
    let mut diagnostic = Diagnostic::new(
        Code::NoValidation,
        format!("`{statement}` needs a part `validation`, and `{name}` has none"),
        span,
        "nothing to select on",
    );
    if let Some(place) = place {
        diagnostic = diagnostic.label(place, "the parts");
    }
    context.report(diagnostic.help("add it to the split: `train 80%, validation 10%, test 10%`"));
}
