//! Evaluations: the run, the part, the figures, the slices and the gates.

use super::metrics::{Task, find_metric, needs_answers, resolve_metric};
use super::names::{self, Found, Kind};
use super::quantities::{Bounds, Once, number};
use super::scope::View;
use super::types::{resolve_expr, show};
use super::{Context, cleaning, index, suggest, taint, templates};
use super::{gates, generation};
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::{self, DatasetId, Gate, Generation, MetricRef, Slice, Type};
use crate::source::Span;
use crate::syntax::ast::train::{Evaluate, EvaluateItem};
use crate::syntax::ast::{self, Decl, Expr, Quantity};

/// Resolves all evaluations, in order.
pub(super) fn resolve_evaluates<'a>(context: &mut Context<'a>, decls: &[&'a Decl]) {
    for decl in decls {
        if let Decl::Evaluate(evaluate) = decl {
            resolve_evaluate(context, evaluate);
        }
    }
}

fn resolve_evaluate<'a>(context: &mut Context<'a>, evaluate: &'a Evaluate) {
    let run = match names::look_up(context, &evaluate.run, Kind::Train) {
        Found::Declared(_) => context.id_of(&evaluate.run).map(|index| index as usize),
        Found::Silent => None,
    };
    let data = match names::look_up(context, &evaluate.dataset, Kind::Dataset) {
        Found::Declared(_) => context.id_of(&evaluate.dataset).map(|index| index as usize),
        Found::Silent => None,
    };
    check_twice(context, evaluate);
    if let Some(data) = data {
        check_part(context, evaluate, data);
    }
    if let (Some(run), Some(data)) = (run, data) {
        check_record(context, evaluate, run, data);
        check_given(context, evaluate, run, data);
    }
    if let Some(data) = data
        && context.recorder.is_some()
    {
        let record = context.datasets[data].record.clone();
        index::enter(context, evaluate.span, &record);
    }
    let task: Task = run.and_then(|run| Some((context.runs[run].task?, context.runs[run].label)));
    let figures = resolve_items(context, evaluate, data, task);
    let train = run.and_then(|run| context.runs[run].id);
    if let (Some(train), Some(dataset)) = (train, data) {
        context.program.evaluates.push(hir::Evaluate {
            train,
            dataset: DatasetId(dataset as u32),
            part: evaluate.part.name.clone(),
            report: figures.report,
            slices: figures.slices,
            generation: figures.generation,
            gates: figures.gates,
            span: evaluate.span,
        });
    }
}

fn check_twice<'a>(context: &mut Context<'a>, evaluate: &'a Evaluate) {
    let (run, dataset, part) = (&evaluate.run.name, &evaluate.dataset.name, &evaluate.part.name);
    let first =
        context.evaluations.iter().find(|(r, d, p, _)| r == run && d == dataset && p == part).map(|(.., span)| *span);
    let span = evaluate.run.span.to(evaluate.part.span);
    if let Some(first) = first {
        context.report(
            Diagnostic::new(
                Code::DuplicateDeclaration,
                format!("`{run}` is evaluated on `{dataset}.{part}` twice"),
                span,
                "evaluated again here",
            )
            .label(first, "first evaluated here")
            .help("one `evaluate` for each run and part: put the figures into one block"),
        );
    }
    context.evaluations.push((run, dataset, part, span));
}

fn check_part(context: &mut Context<'_>, evaluate: &Evaluate, data: usize) {
    let part = &evaluate.part;
    let facts = &context.datasets[data];
    let known = facts.parts_known && !context.names.is_damaged(&evaluate.dataset);
    let name = facts.name.clone();
    let declared = facts.parts.iter().find(|(name, _)| *name == part.name).map(|(_, span)| *span);
    if let Some(declared) = declared.filter(|_| known) {
        index::refer(context, part.span, vec![declared], None);
    }
    let facts = &context.datasets[data];
    if part.name == "train" {
        context.error(
            Code::EvaluateOnTrain,
            "the run learnt these records: their figures say nothing",
            part.span,
            "is the part that was learnt",
            "evaluate on `test` or `validation`",
        );
    } else if declared.is_none() && known {
        let parts: Vec<String> =
            facts.parts.iter().map(|(name, _)| name.clone()).filter(|name| name != "train").collect();
        let help = if parts.is_empty() {
            format!("split the data set: add `split train 90%, {} 10%`", part.name).into()
        } else {
            suggest(&part.name, parts.iter().map(String::as_str), "parts")
        };
        context.error(
            Code::UnknownPart,
            format!("data set `{name}` has no part `{}`", part.name),
            part.span,
            "unknown part",
            help,
        );
    }
}

/// The label and the text of the run must be in the data set that it is evaluated on.
fn check_record(context: &mut Context<'_>, evaluate: &Evaluate, run: usize, data: usize) {
    let (label, text) = (context.runs[run].label, context.runs[run].text.clone());
    let facts = &context.datasets[data];
    if !facts.record.complete {
        return;
    }
    let lacks_label = label.is_some_and(|label| !facts.record.columns.iter().any(|column| column.label == Some(label)));
    let lacks_text = text.as_ref().is_some_and(|text| facts.record.find(text).is_none());
    let what = match (label, text) {
        (Some(label), _) if lacks_label => format!("label `{}`", context.program[label].name),
        (_, Some(text)) if lacks_text => format!("field `{text}`"),
        _ => return,
    };
    // Where the run's own data set lacks it, its task was reported.
    let (own, place) = (context.datasets[data].name.clone(), context.datasets[data].place);
    let of_run = matches!(context.names.get(&evaluate.run).map(|declared| declared.decl), Some(Decl::Train(train))
        if train.items.iter().any(|item| matches!(&item.kind, ast::train::TrainItemKind::Data(name)
            if context.names.get(name).is_some_and(|declared| declared.place == place))));
    if !of_run {
        context.error(
            Code::TaskDoesNotFit,
            format!("data set `{own}` does not have the {what} that the run needs"),
            evaluate.dataset.span,
            "does not fit the run",
            "evaluate on a data set with the same label and field",
        );
    }
}

/// What the run is given of another data set than its own: its table is written for the evaluation as well.
fn check_given(context: &mut Context<'_>, evaluate: &Evaluate, run: usize, data: usize) {
    let Some(train) = context.runs[run].id.map(|id| &context.program[id]) else { return };
    if train.data == DatasetId(data as u32) {
        return;
    }
    let record = context.datasets[data].record.clone();
    match train.task {
        hir::Task::Classify { .. } | hir::Task::Regress { .. } | hir::Task::Tag { .. } => {
            let text = context.runs[run].text.clone();
            if let Some(id) = text.and_then(|text| record.find(&text)) {
                taint::check_column(context, record.column(id), evaluate.dataset.span, "the evaluation");
            }
        }
        hir::Task::Prefer { template, .. } | hir::Task::Embed { template } | hir::Task::Generate { template } => {
            templates::check_use(context, template, &record, evaluate.dataset.span, "the evaluation");
        }
    }
}

#[derive(Default)]
struct Figures {
    report: Vec<MetricRef>,
    generation: Option<Generation>,
    slices: Vec<Slice>,
    gates: Vec<Gate>,
}

fn resolve_items(context: &mut Context<'_>, evaluate: &Evaluate, data: Option<usize>, task: Task) -> Figures {
    let mut figures = Figures::default();
    let mut once = Once::default();
    let mut slices: Vec<(String, Span)> = Vec::new();
    for item in &evaluate.items {
        match item {
            EvaluateItem::Report(names, span) => {
                if once.first(context, "report", *span) {
                    for name in names {
                        let found = find_metric(context, name, task).is_some();
                        let plain = MetricRef::Plain { name: name.name.clone(), average: None, value: None };
                        figures.report.extend(found.then_some(plain));
                    }
                }
            }
            EvaluateItem::By { value, at, span } => {
                let name = cleaning::in_short(context, value.span);
                if let Some((_, first)) = slices.iter().find(|(first, _)| *first == name) {
                    super::quantities::duplicate(context, &format!("by {name}"), *span, *first);
                    continue;
                }
                slices.push((name.clone(), *span));
                if let Some(data) = data {
                    figures.slices.extend(resolve_slice(context, value, at.as_deref(), name, data));
                }
            }
            EvaluateItem::Generate { method, settings, span } => {
                if once.first(context, "generate", *span) {
                    figures.generation = generation::resolve_generate(context, method, settings, *span, task);
                }
            }
            EvaluateItem::Require(..) => {}
        }
    }
    for item in &evaluate.items {
        if let EvaluateItem::Require(condition, span) = item {
            figures.gates.extend(resolve_gate(context, condition, *span, task, &slices));
        }
    }
    let mut named = figures.report.iter().chain(figures.gates.iter().map(|gate| &gate.metric));
    if figures.generation.is_none() && named.any(needs_answers) {
        figures.generation = Some(Generation::DEFAULT);
    }
    figures
}

fn resolve_slice(
    context: &mut Context<'_>,
    value: &Expr,
    at: Option<&[Quantity]>,
    name: String,
    data: usize,
) -> Option<Slice> {
    let record = context.datasets[data].record.clone();
    let resolved = resolve_expr(context, &View::of(&record), value, None);
    let bounds = Bounds { low: f64::NEG_INFINITY, ..Bounds::positive("a bound between groups") };
    let mut values: Vec<f64> = Vec::new();
    for quantity in at.unwrap_or_default() {
        if let Some(bound) = number(context, quantity, bounds) {
            if values.last().is_some_and(|last| *last >= bound) {
                context.error(
                    Code::NumberOutOfRange,
                    "the bounds between groups rise",
                    quantity.span,
                    "not above the one before",
                    "put them in order",
                );
            }
            values.push(bound);
        }
    }
    let resolved = resolved?;
    let numeric = matches!(resolved.ty.ty, Type::Int | Type::Float);
    let grouped = matches!(resolved.ty.ty, Type::String | Type::Int | Type::Bool | Type::Label(_));
    if at.is_some() != numeric && (at.is_some() || !grouped) {
        let shown = show(context, &resolved.ty);
        let (message, help) = if at.is_some() {
            ("`at` cuts numbers into groups", "take `at` out, or group by a number such as `words(text)`")
        } else {
            (
                "such values do not make groups",
                "group by a label or a short text, or cut a number: `by words(text) at [10, 20]`",
            )
        };
        context.error(
            Code::WrongType,
            format!("{message}, and this is `{shown}`"),
            resolved.span,
            format!("is `{shown}`"),
            help,
        );
        return None;
    }
    if let Some(taint) = taint::of_expr(&record, &resolved) {
        taint::report_leak(context, &name, &taint, value.span, "the report of an evaluation");
    }
    Some(Slice { name, value: resolved, at: values })
}

fn resolve_gate(
    context: &mut Context<'_>,
    condition: &Expr,
    span: Span,
    task: Task,
    slices: &[(String, Span)],
) -> Option<Gate> {
    let (figure, comparison, bound) = gates::comparison(context, condition, "f1.macro >= 0.85")?;
    let (metric, row) = resolve_metric(context, figure, task, slices)?;
    if !row.gated {
        context.error(
            Code::UnknownMetric,
            format!("`{}` is a table, not a number", row.name),
            figure.span,
            "cannot be compared",
            "demand a number: `accuracy`, `f1.macro`, `recall[VALUE]`",
        );
        return None;
    }
    if !(row.low..=row.high).contains(&bound.value) {
        let range = match (row.low.is_finite(), row.high.is_finite()) {
            (true, true) => format!("between {} and {}", row.low, row.high),
            (false, true) => format!("at most {}", row.high),
            (false, false) => "a number".to_owned(),
            (true, false) => format!("at least {}", row.low),
        };
        context.error(
            Code::NumberOutOfRange,
            format!("`{}` is {range}", row.name),
            bound.span,
            "never reached or always",
            format!("give a bound {range}"),
        );
        return None;
    }
    Some(Gate { metric, comparison, bound: bound.value, rule: cleaning::in_short(context, span), span })
}
