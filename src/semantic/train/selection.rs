//! What selects on the part `validation`: `validate`, `stop` and `keep best`.

use super::{Draft, statement_word};
use crate::diagnostics::{Code, Diagnostic};
use crate::semantic::Context;
use crate::semantic::quantities::{Bounds, whole};
use crate::source::Span;
use crate::syntax::ast::train::{TrainItem, TrainItemKind};

/// Checks such a statement; a build refuses it.
pub(super) fn resolve_selection(context: &mut Context<'_>, item: &TrainItem, draft: &Draft) {
    needs_validation(context, draft, statement_word(&item.kind), item.span);
    match &item.kind {
        TrainItemKind::Validate { every, by } => {
            if let Some(every) = every {
                whole(
                    context,
                    every,
                    Bounds::between("the distance of validations", 1.0, 1e12)
                        .unit(&["steps", "epochs", "step", "epoch"]),
                );
            }
            if let Some(by) = by {
                let task = draft.task.as_ref().map(|task| (task.word, task.label));
                crate::semantic::metrics::check_metric(context, by, task);
            }
        }
        TrainItemKind::Stop(after) => {
            let units = &["validations", "validation", "epochs", "epoch"];
            whole(context, after, Bounds::between("the patience", 1.0, 1e9).unit(units));
        }
        TrainItemKind::KeepBest(count) => {
            if let Some(count) = count {
                whole(context, count, Bounds::between("the number of checkpoints", 1.0, 1e6));
            }
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
        | TrainItemKind::Device(..)
        | TrainItemKind::Setting(_) => {}
    }
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
