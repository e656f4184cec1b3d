//! `rate 3e-4 wsd warmup 5% decay 20% floor 1e-6`: the learning rate's course.

use super::Draft;
use crate::diagnostics::Code;
use crate::hir::{Schedule, Stretch};
use crate::semantic::Context;
use crate::semantic::quantities::{Bounds, number, share, whole, word};
use crate::source::Span;
use crate::syntax::ast::train::{TrainItem, TrainItemKind};
use crate::syntax::ast::{Ident, Quantity};

/// The fall of `wsd` where the run does not say it.
const DECAY: Stretch = Stretch::Share(0.1);

pub(super) fn resolve_rate(context: &mut Context<'_>, item: &TrainItem, draft: &mut Draft) {
    let TrainItemKind::Rate { peak, schedule, warmup, decay, floor } = &item.kind else { return };
    if let Some(rate) = number(context, peak, Bounds { high: 100.0, ..Bounds::positive("the rate") }) {
        draft.rate = rate;
    }
    if let Some(warmup) = warmup {
        draft.warmup = stretch(context, warmup, "the warmup").unwrap_or(draft.warmup);
    }
    let decay = decay.as_ref().map(|decay| (stretch(context, decay, "the decay"), decay.span));
    let decay = decay.map(|(stretch, span)| (stretch.unwrap_or(DECAY), span));
    draft.stretches = decay.map(|(_, span)| span).or(warmup.as_ref().map(|warmup| warmup.span));
    draft.schedule = resolve_schedule(context, schedule.as_ref(), draft.warmup, decay);
    if let Some(floor) = floor
        && let Some(value) = number(context, floor, Bounds::between("the floor", 0.0, draft.rate))
    {
        draft.floor = value;
    }
}

/// Where a run is said in steps, a warmup and a decay that are longer together. Two shares are looked at where they stand.
pub(super) fn check_stretches(context: &mut Context<'_>, draft: &Draft) {
    let (Some(steps), Some(span)) = (draft.steps, draft.stretches) else { return };
    let of = |stretch: Stretch| match stretch {
        Stretch::Share(share) => share * steps as f64,
        Stretch::Steps(count) => count as f64,
    };
    let fall = match draft.schedule {
        Schedule::WarmupStableDecay(fall) => fall,
        Schedule::Constant | Schedule::Linear | Schedule::Cosine => Stretch::Steps(0),
    };
    if matches!((draft.warmup, fall), (Stretch::Share(_), Stretch::Share(_)))
        || of(draft.warmup) + of(fall) <= steps as f64
    {
        return;
    }
    let what = match draft.schedule {
        Schedule::WarmupStableDecay(_) => "the warmup and the decay are longer than the run together",
        Schedule::Constant | Schedule::Linear | Schedule::Cosine => "the warmup is longer than the run",
    };
    let help = format!("the run has `steps {steps}`; say fewer, or a share of it such as `warmup 10%`");
    context.error(Code::NumberOutOfRange, what, span, "more than what there is", help);
}

/// A share of the run, or so many steps; `None` after a report.
fn stretch(context: &mut Context<'_>, quantity: &Quantity, what: &'static str) -> Option<Stretch> {
    if quantity.percent {
        share(context, quantity, what).map(Stretch::Share)
    } else {
        whole(context, quantity, Bounds::between(what, 0.0, 1e12).unit(&["steps", "step"])).map(Stretch::Steps)
    }
}

fn resolve_schedule(
    context: &mut Context<'_>,
    name: Option<&Ident>,
    warmup: Stretch,
    decay: Option<(Stretch, Span)>,
) -> Schedule {
    let fall = decay.map_or(DECAY, |(stretch, _)| stretch);
    let words = [
        ("constant", Schedule::Constant),
        ("linear", Schedule::Linear),
        ("cosine", Schedule::Cosine),
        ("wsd", Schedule::WarmupStableDecay(fall)),
    ];
    let schedule = match name {
        Some(name) => word(context, name, "schedule", &words),
        None => Some(Schedule::Constant),
    };
    match (schedule, decay) {
        (Some(Schedule::WarmupStableDecay(Stretch::Share(fall))), Some((_, span))) => {
            if let Stretch::Share(rise) = warmup
                && rise + fall > 1.0
            {
                context.error(
                    Code::NumberOutOfRange,
                    "the warmup and the decay are longer than the run together",
                    span,
                    "more than what is left",
                    "let both add up to at most 100%",
                );
            }
        }
        (Some(Schedule::WarmupStableDecay(Stretch::Steps(_))) | None, _) | (Some(_), None) => {}
        (Some(_), Some((_, span))) => {
            let schedule = name.map_or("constant", |name| name.name.as_str());
            context.error(
                Code::UnknownOption,
                format!("the schedule `{schedule}` has no `decay` of its own"),
                span,
                "only `wsd` falls at the end alone",
                "write `wsd` before it, or take it out",
            );
        }
    }
    schedule.unwrap_or(Schedule::Constant)
}
