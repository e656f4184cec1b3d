//! Whether what a run says fits its task.

use super::Draft;
use crate::diagnostics::{Code, Diagnostic};
use crate::hir;
use crate::semantic::Context;
use crate::source::Span;
use crate::syntax::ast::train::{Train, TrainItemKind};

/// A new encoder has a head for classes and none for words, and of words no vector is made.
pub(super) fn check_model(context: &mut Context<'_>, train: &Train, draft: &Draft) {
    let Some(model) = draft.model.map(|model| &context.program[model]) else { return };
    let is_pooled = model.pooling.is_some();
    let is_new = matches!(&model.origin, hir::ModelOrigin::New(architecture) if !architecture.decodes);
    let declared = model.span;
    let task = train.items.iter().find_map(|item| match &item.kind {
        TrainItemKind::Task(task) => Some(task),
        _ => None,
    });
    let named = train.items.iter().find_map(|item| match &item.kind {
        TrainItemKind::Model(name) => Some(name),
        _ => None,
    });
    let (Some(task), Some(model)) = (task, named) else { return };
    let decodes = matches!(task.kind.name.as_str(), "generate" | "prefer");
    // A tagger's head reads each token.
    let makes_no_vector = task.kind.name == "tag" || (decodes && !is_new);
    if is_pooled && makes_no_vector {
        context.report(
            Diagnostic::new(
                Code::TaskDoesNotFit,
                format!("`{}` makes no vector of a text, and the model says how: `pooling`", task.kind.name),
                model.span,
                "says `pooling`",
            )
            .label(declared, "declared here")
            .help("take `pooling` out of the model"),
        );
    }
    if is_new && decodes {
        context.report(
            Diagnostic::new(
                Code::TaskDoesNotFit,
                format!("a new encoder cannot learn to `{}`", task.kind.name),
                task.kind.span,
                "needs a decoder",
            )
            .label(model.span, "is a new encoder")
            .help("start from a decoder's folder: `model base { onnx \"models/base\" }`"),
        );
    }
}

/// What a text is told apart from is the rest of its micro-batch, and needs one.
pub(super) fn check_negatives(context: &mut Context<'_>, train: &Train, task: Option<&str>, draft: &Draft) {
    if task != Some("embed") {
        return;
    }
    let batch = train.items.iter().find_map(|item| match &item.kind {
        TrainItemKind::Batch { size, accumulate } => Some((size.span, accumulate.as_ref().map(|count| count.span))),
        _ => None,
    });
    let Some((size, accumulate)) = batch else { return };
    if draft.batch < 2 {
        context.error(
            Code::TaskDoesNotFit,
            "a text is told apart from the other texts of its batch, and here there is none",
            size,
            "one pair alone",
            "write a larger one: `batch 32`",
        );
    } else if let Some(accumulate) = accumulate.filter(|_| draft.accumulate > 1) {
        context.report(
            Diagnostic::new(
                Code::FewerNegatives,
                format!("each text is told apart from {} others, not from those of all micro-batches", draft.batch - 1),
                accumulate,
                "micro-batches do not see each other",
            )
            .label(size, "so many pairs compete")
            .help(format!(
                "write `batch {}` where the memory allows it; `accumulate` is no substitute",
                u64::from(draft.batch) * u64::from(draft.accumulate)
            )),
        );
    }
}

/// The gradient of a head alone does not come to the layers before it.
pub(super) fn check_recompute(context: &mut Context<'_>, train: &Train, draft: &Draft) {
    if !draft.recompute || draft.tune != Some(hir::Tune::Head) {
        return;
    }
    let said = train.items.iter().find(|item| match &item.kind {
        TrainItemKind::Setting(setting) => setting.name.name == "recompute",
        _ => false,
    });
    let Some(said) = said else { return };
    context.error(
        Code::TaskDoesNotFit,
        "`recompute on` computes layers again for their gradients, and `tune head` asks for none of theirs",
        said.span,
        "nothing to compute again",
        "take it out: a head alone keeps next to nothing in memory",
    );
}

/// Of preferences alone there is a reference.
pub(super) fn prefers(context: &mut Context<'_>, draft: &Draft, span: Span) {
    let Some(task) = draft.task.as_ref().filter(|task| task.word != "prefer") else { return };
    context.error(
        Code::TaskDoesNotFit,
        format!("`beta` weighs what the model was before, and `{}` does not look at it", task.word),
        span,
        "nothing to weigh",
        "take it out, or learn preferences: `task prefer from TEMPLATE`",
    );
}

/// Smoothing spreads a target over all values or tokens, which a number, a pair or a set of values does not have.
pub(super) fn not_smoothed(context: &mut Context<'_>, draft: &Draft, span: Span) {
    let Some(task) = &draft.task else { return };
    let is_of_several =
        task.label.is_some_and(|label| matches!(context.program[label].schema, hir::LabelSchema::Choices(_)));
    let message = match task.word {
        _ if is_of_several => {
            "`smooth` spreads one right value over the others, and a record of `choices` has any number of them"
                .to_owned()
        }
        word @ ("regress" | "prefer" | "embed") => {
            format!("`smooth` spreads a target over all values, and `{word}` has no such target")
        }
        _ => return,
    };
    context.error(Code::TaskDoesNotFit, message, span, "nothing to smooth", "take it out");
}

/// Class weights weigh the values of a label against each other.
pub(super) fn needs_values(context: &mut Context<'_>, draft: &Draft, span: Span) {
    let Some(task) = draft.task.as_ref().filter(|task| task.word != "classify") else { return };
    context.error(
        Code::TaskDoesNotFit,
        format!("`weights balanced` weighs a label's values, and `{}` learns none", task.word),
        span,
        "nothing to weigh",
        "take it out: everything that is learnt weighs the same",
    );
}

/// Words are written and vectors are made by what the model was made with: no head is learnt that could have a rate of its own.
pub(super) fn needs_head(context: &mut Context<'_>, draft: &Draft, span: Span) {
    let Some(task) = draft.task.as_ref().filter(|task| matches!(task.word, "generate" | "prefer" | "embed")) else {
        return;
    };
    context.error(
        Code::TaskDoesNotFit,
        format!("`head_rate` is the rate of a head over a text or its tokens, and `{}` has none", task.word),
        span,
        "no head to learn",
        "take it out: all weights learn at the `rate` of the run",
    );
}

/// A record that is one class has its row alone: the class is that of a whole row.
pub(super) fn needs_answers(context: &mut Context<'_>, draft: &Draft, span: Span) {
    let Some(task) = draft.task.as_ref().filter(|task| task.word != "generate") else { return };
    context.error(
        Code::TaskDoesNotFit,
        format!("`pack on` lets answers share a row, and `{}` learns one thing of each row", task.word),
        span,
        "nothing to pack",
        "take it out: only `generate` learns token by token",
    );
}
