//! Evaluations: the run, the part, the figures, the slices and the gates.

use super::gates;
use super::labels::{has_value, values_are_open};
use super::names::{self, Found, Kind};
use super::quantities::{Bounds, Once, number};
use super::scope::View;
use super::types::{resolve_expr, show};
use super::{Context, cleaning, suggest, taint};
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::{self, DatasetId, Gate, LabelId, MetricRef, Slice, Type};
use crate::source::Span;
use crate::syntax::ast::train::{Evaluate, EvaluateItem};
use crate::syntax::ast::{self, Decl, Expr, ExprKind, Ident, Quantity};

/// A row of the table of metrics.
struct Metric {
    name: &'static str,
    /// The tasks that have it.
    tasks: &'static [&'static str],
    /// Whether it is one number for each value, so that it takes an average or a value.
    by_value: bool,
    /// Whether it is one number at all.
    gated: bool,
    /// The greatest value.
    high: f64,
}

const AVERAGES: [&str; 3] = ["macro", "micro", "weighted"];

const fn metric(name: &'static str, tasks: &'static [&'static str], by_value: bool, gated: bool, high: f64) -> Metric {
    Metric { name, tasks, by_value, gated, high }
}

const METRICS: [Metric; 6] = [
    metric("accuracy", &["classify"], false, true, 1.0),
    metric("precision", &["classify", "tag"], true, true, 1.0),
    metric("recall", &["classify", "tag"], true, true, 1.0),
    metric("f1", &["classify", "tag"], true, true, 1.0),
    metric("confusion", &["classify"], false, false, 1.0),
    metric("perplexity", &["generate"], false, true, f64::INFINITY),
];

/// The run's task with its label: what decides which figures there are.
type Task = Option<(&'static str, Option<LabelId>)>;

/// Resolves all evaluations, in order.
pub(super) fn resolve_evaluates<'a>(context: &mut Context<'a>, parsed: &'a [ast::File]) {
    for decl in parsed.iter().flat_map(|file| &file.decls) {
        if let Decl::Evaluate(evaluate) = decl {
            resolve_evaluate(context, evaluate);
        }
    }
}

fn resolve_evaluate<'a>(context: &mut Context<'a>, evaluate: &'a Evaluate) {
    let run = match names::look_up(context, &evaluate.run, Kind::Train) {
        Found::Declared(_) => context.runs.iter().position(|run| run.name == evaluate.run.name),
        Found::Silent => None,
    };
    let data = match names::look_up(context, &evaluate.dataset, Kind::Dataset) {
        Found::Declared(_) => context.datasets.iter().position(|facts| facts.name == evaluate.dataset.name),
        Found::Silent => None,
    };
    check_twice(context, evaluate);
    if let Some(data) = data {
        check_part(context, &evaluate.part, data);
    }
    if let (Some(run), Some(data)) = (run, data) {
        check_record(context, evaluate, run, data);
    }
    let task: Task = run.and_then(|run| Some((context.runs[run].task?, context.runs[run].label)));
    let figures = resolve_items(context, evaluate, data, task);
    let train = run.and_then(|run| context.runs[run].id);
    let dataset = context.program.datasets.iter().position(|dataset| dataset.name == evaluate.dataset.name);
    if let (Some(train), Some(dataset)) = (train, dataset) {
        context.program.evaluates.push(hir::Evaluate {
            train,
            dataset: DatasetId(dataset as u32),
            part: evaluate.part.name.clone(),
            report: figures.report,
            slices: figures.slices,
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

fn check_part(context: &mut Context<'_>, part: &Ident, data: usize) {
    let facts = &context.datasets[data];
    let (name, known) = (facts.name, facts.parts_known);
    let declared = facts.parts.iter().find(|(name, _)| *name == part.name).map(|(_, span)| *span);
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
            format!("split the data set: add `split train 90%, {} 10%`", part.name)
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
    let own = context.datasets[data].name.to_owned();
    let of_run = matches!(context.names.get(&evaluate.run.name).map(|declared| declared.decl), Some(Decl::Train(train))
        if train.items.iter().any(|item| matches!(&item.kind, ast::train::TrainItemKind::Data(name) if name.name == own)));
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

#[derive(Default)]
struct Figures {
    report: Vec<MetricRef>,
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
            EvaluateItem::Require(..) => {}
        }
    }
    for item in &evaluate.items {
        if let EvaluateItem::Require(condition, span) = item {
            figures.gates.extend(resolve_gate(context, condition, *span, task, &slices));
        }
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

fn find_metric(context: &mut Context<'_>, name: &Ident, task: Task) -> Option<&'static Metric> {
    let Some(metric) = METRICS.iter().find(|metric| metric.name == name.name) else {
        let help = suggest(&name.name, METRICS.iter().map(|metric| metric.name), "metrics");
        context.error(
            Code::UnknownMetric,
            format!("there is no metric `{}`", name.name),
            name.span,
            "unknown metric",
            help,
        );
        return None;
    };
    if let Some((task, _)) = task
        && METRICS.iter().any(|metric| metric.tasks.contains(&task))
        && !metric.tasks.contains(&task)
    {
        let there: Vec<&str> =
            METRICS.iter().filter(|metric| metric.tasks.contains(&task)).map(|metric| metric.name).collect();
        context.error(
            Code::UnknownMetric,
            format!("a `{task}` run has no `{}`", name.name),
            name.span,
            format!("not a figure of `{task}`"),
            format!("its metrics: `{}`", there.join("`, `")),
        );
        return None;
    }
    Some(metric)
}

/// The metric that an expression names in full; `None` after a report.
fn resolve_metric(
    context: &mut Context<'_>,
    expr: &Expr,
    task: Task,
    slices: &[(String, Span)],
) -> Option<(MetricRef, &'static Metric)> {
    match &expr.kind {
        ExprKind::Name(name) => {
            let metric = find_metric(context, name, task)?;
            if metric.by_value {
                context.error(
                    Code::UnknownMetric,
                    format!("`{}` is one number for each value", name.name),
                    name.span,
                    "not one number",
                    format!("name it in full: `{0}.macro`, `{0}.micro`, `{0}.weighted`, or `{0}[VALUE]`", name.name),
                );
                return None;
            }
            Some((MetricRef::Plain { name: name.name.clone(), average: None, value: None }, metric))
        }
        ExprKind::Member(of, average) => resolve_average(context, of, average, task),
        ExprKind::Index(of, value) => resolve_of_value(context, of, value, task),
        ExprKind::Call { function, args, .. } if function.name == "gap" => {
            resolve_gap(context, expr, args, task, slices)
        }
        _ => {
            no_metric(context, expr.span);
            None
        }
    }
}

fn no_metric(context: &mut Context<'_>, span: Span) {
    let help = format!("metrics: `{}`", METRICS.map(|metric| metric.name).join("`, `"));
    context.error(Code::UnknownMetric, "this is no metric", span, "no metric", help);
}

fn resolve_average(
    context: &mut Context<'_>,
    of: &Expr,
    average: &Ident,
    task: Task,
) -> Option<(MetricRef, &'static Metric)> {
    let ExprKind::Name(name) = &of.kind else {
        no_metric(context, of.span);
        return None;
    };
    let metric = find_metric(context, name, task)?;
    if !metric.by_value || !AVERAGES.contains(&average.name.as_str()) {
        let help = if metric.by_value {
            suggest(&average.name, AVERAGES, "averages")
        } else {
            format!("write `{}` alone", name.name)
        };
        context.error(
            Code::UnknownMetric,
            format!("`{}` has no `{}`", name.name, average.name),
            average.span,
            "unknown average",
            help,
        );
        return None;
    }
    let plain = MetricRef::Plain { name: name.name.clone(), average: Some(average.name.clone()), value: None };
    Some((plain, metric))
}

fn resolve_of_value(
    context: &mut Context<'_>,
    of: &Expr,
    value: &Expr,
    task: Task,
) -> Option<(MetricRef, &'static Metric)> {
    let (ExprKind::Name(name), ExprKind::Name(Ident { name: value_name, .. }) | ExprKind::Text(value_name)) =
        (&of.kind, &value.kind)
    else {
        no_metric(context, of.span.to(value.span));
        return None;
    };
    let metric = find_metric(context, name, task)?;
    if !metric.by_value {
        context.error(
            Code::UnknownMetric,
            format!("`{}` is not counted for each value", name.name),
            value.span,
            "takes no value",
            format!("write `{}` alone, or `recall[{value_name}]`", name.name),
        );
        return None;
    }
    if let Some((_, Some(label))) = task
        && !values_are_open(context, label)
        && !has_value(context, label, value_name)
    {
        super::labels::value_literal(context, label, value_name, value.span);
        return None;
    }
    let plain = MetricRef::Plain { name: name.name.clone(), average: None, value: Some(value_name.clone()) };
    Some((plain, metric))
}

fn resolve_gap(
    context: &mut Context<'_>,
    expr: &Expr,
    args: &[Expr],
    task: Task,
    slices: &[(String, Span)],
) -> Option<(MetricRef, &'static Metric)> {
    let [of, Expr { kind: ExprKind::By(by), .. }] = args else {
        context.error(
            Code::WrongArgumentCount,
            "`gap` takes a metric and a slice",
            expr.span,
            "takes a metric and a slice",
            "write `gap(accuracy, by gender)`",
        );
        return None;
    };
    let metric = resolve_metric(context, of, task, &[]);
    let name = cleaning::in_short(context, by.span);
    if !slices.iter().any(|(slice, _)| *slice == name) {
        let help = if slices.is_empty() {
            format!("add `by {name}` to this block")
        } else {
            suggest(&name, slices.iter().map(|(slice, _)| slice.as_str()), "slices")
        };
        context.error(
            Code::UnknownMetric,
            format!("this evaluation has no slice `{name}`"),
            by.span,
            "unknown slice",
            help,
        );
        return None;
    }
    let (metric, row) = metric?;
    Some((MetricRef::Gap { metric: Box::new(metric), by: name }, row))
}

/// Checks a metric that a run selects by.
pub(super) fn check_metric(context: &mut Context<'_>, expr: &Expr, task: Task) {
    resolve_metric(context, expr, task, &[]);
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
    if !(0.0..=row.high).contains(&bound.value) {
        let range = if row.high.is_finite() { format!("between 0 and {}", row.high) } else { "at least 0".to_owned() };
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
