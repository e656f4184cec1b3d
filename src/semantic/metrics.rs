//! Metrics: their table, and the expressions that name them in full.

use super::labels::{has_value, value_literal, values_are_open};
use super::{Context, cleaning, suggest};
use crate::diagnostics::Code;
use crate::hir::{DeclaredSchema, LabelId, LabelSchema, MetricRef};
use crate::source::Span;
use crate::syntax::ast::{Expr, ExprKind, Ident};

/// A row of the table of metrics.
pub(super) struct Metric {
    pub(super) name: &'static str,
    /// The tasks that have it.
    pub(super) tasks: &'static [&'static str],
    /// Whether it is one number for each value, so that it takes an average or a value.
    pub(super) by_value: bool,
    /// Whether it is one number at all.
    pub(super) gated: bool,
    /// The least value.
    pub(super) low: f64,
    /// The greatest value.
    pub(super) high: f64,
    /// Whether it is of answers that the run generates.
    pub(super) of_answers: bool,
}

/// The mean of each record's own figure stands last: only a label of several values has it.
pub(super) const AVERAGES: [&str; 4] = ["macro", "micro", "weighted", SAMPLES];
const SAMPLES: &str = "samples";

/// What a `classify` run is called here that learns a label of several values.
const OF_CHOICES: &str = "classify choices";

const fn metric(name: &'static str, tasks: &'static [&'static str], by_value: bool, gated: bool, high: f64) -> Metric {
    Metric { name, tasks, by_value, gated, low: 0.0, high, of_answers: false }
}

/// A metric of texts that look for their partners.
const fn of_partners(name: &'static str) -> Metric {
    metric(name, &["embed"], false, true, 1.0)
}

/// A metric of predicted numbers, between both.
const fn of_numbers(name: &'static str, low: f64, high: f64) -> Metric {
    Metric { low, ..metric(name, &["regress"], false, true, high) }
}

/// A metric of the answers that a run generates.
const fn of_answers(name: &'static str, high: f64) -> Metric {
    Metric { of_answers: true, ..metric(name, &["generate"], false, true, high) }
}

pub(super) const METRICS: [Metric; 32] = [
    metric("accuracy", &["classify", OF_CHOICES, "prefer"], false, true, 1.0),
    metric("precision", &["classify", OF_CHOICES, "tag"], true, true, 1.0),
    metric("recall", &["classify", OF_CHOICES, "tag"], true, true, 1.0),
    metric("f1", &["classify", OF_CHOICES, "tag"], true, true, 1.0),
    metric("strict_precision", &["tag"], true, true, 1.0),
    metric("strict_recall", &["tag"], true, true, 1.0),
    metric("strict_f1", &["tag"], true, true, 1.0),
    metric("jaccard", &[OF_CHOICES], true, true, 1.0),
    metric("hamming_loss", &[OF_CHOICES], false, true, 1.0),
    metric("confusion", &["classify"], false, false, 1.0),
    metric("ece", &["classify"], false, true, 1.0),
    metric("loss", &["classify", OF_CHOICES, "tag", "regress", "generate", "prefer"], false, true, f64::INFINITY),
    metric("perplexity", &["generate"], false, true, f64::INFINITY),
    Metric { low: f64::NEG_INFINITY, ..metric("margin", &["prefer"], false, true, f64::INFINITY) },
    of_partners("recall_at_1"),
    of_partners("recall_at_10"),
    of_partners("mrr"),
    of_numbers("mae", 0.0, f64::INFINITY),
    of_numbers("mse", 0.0, f64::INFINITY),
    of_numbers("rmse", 0.0, f64::INFINITY),
    of_numbers("r2", f64::NEG_INFINITY, 1.0),
    of_numbers("pearson", -1.0, 1.0),
    of_numbers("spearman", -1.0, 1.0),
    of_answers("exact_match", 1.0),
    of_answers("squad_match", 1.0),
    of_answers("bleu", 100.0),
    of_answers("chrf", 100.0),
    of_answers("chrf_plus_plus", 100.0),
    of_answers("rouge1", 1.0),
    of_answers("rouge2", 1.0),
    of_answers("rouge_l", 1.0),
    of_answers("rouge_lsum", 1.0),
];

/// The run's task with its label: what decides which figures there are.
pub(super) type Task = Option<(&'static str, Option<LabelId>)>;

/// What decides which figures a run has: the word of its task, and whether its label has several values.
fn figures_of(context: &Context<'_>, task: Task) -> Option<&'static str> {
    let (word, label) = task?;
    let several = label.is_some_and(|label| {
        matches!(
            context.program[label].schema,
            LabelSchema::Choices(_) | LabelSchema::Declared(DeclaredSchema::Choices(_))
        )
    });
    Some(if word == "classify" && several { OF_CHOICES } else { word })
}

/// The names of a task's metrics; of a task that is not known, or has none, all there are.
fn names_of(context: &Context<'_>, task: Task) -> Vec<&'static str> {
    let task = figures_of(context, task);
    let of_task = |metric: &&Metric| task.is_some_and(|task| metric.tasks.contains(&task));
    let there: Vec<&str> = METRICS.iter().filter(of_task).map(|metric| metric.name).collect();
    if there.is_empty() { METRICS.iter().map(|metric| metric.name).collect() } else { there }
}

pub(super) fn find_metric(context: &mut Context<'_>, name: &Ident, task: Task) -> Option<&'static Metric> {
    let Some(metric) = METRICS.iter().find(|metric| metric.name == name.name) else {
        let help = suggest(&name.name, names_of(context, task), "metrics");
        context.error(
            Code::UnknownMetric,
            format!("there is no metric `{}`", name.name),
            name.span,
            "unknown metric",
            help,
        );
        return None;
    };
    let there = names_of(context, task);
    if let Some(task) = figures_of(context, task)
        && !there.contains(&metric.name)
    {
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
pub(super) fn resolve_metric(
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
            no_metric(context, expr.span, task);
            None
        }
    }
}

fn no_metric(context: &mut Context<'_>, span: Span, task: Task) {
    let help = format!("metrics: `{}`", names_of(context, task).join("`, `"));
    context.error(Code::UnknownMetric, "this is no metric", span, "no metric", help);
}

fn resolve_average(
    context: &mut Context<'_>,
    of: &Expr,
    average: &Ident,
    task: Task,
) -> Option<(MetricRef, &'static Metric)> {
    let ExprKind::Name(name) = &of.kind else {
        no_metric(context, of.span, task);
        return None;
    };
    let metric = find_metric(context, name, task)?;
    let has_samples = figures_of(context, task).is_none_or(|task| task == OF_CHOICES);
    let there: Vec<&str> = AVERAGES.into_iter().filter(|average| has_samples || *average != SAMPLES).collect();
    if !metric.by_value || !there.contains(&average.name.as_str()) {
        let help = if metric.by_value {
            suggest(&average.name, there, "averages")
        } else {
            format!("write `{}` alone", name.name).into()
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
        no_metric(context, of.span.to(value.span), task);
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
        value_literal(context, label, value_name, value.span);
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
            format!("add `by {name}` to this block").into()
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

/// The metric that a run selects by; `None` after a report.
pub(super) fn resolve_selecting(context: &mut Context<'_>, expr: &Expr, task: Task) -> Option<MetricRef> {
    let (metric, row) = resolve_metric(context, expr, task, &[])?;
    let (message, label) = if !row.gated {
        (format!("`{}` is a table, not a number", row.name), "cannot be compared")
    } else if row.of_answers || row.name == "ece" {
        (format!("`{}` is not measured while a run trains", row.name), "a figure of `evaluate` alone")
    } else {
        return Some(metric);
    };
    let others = names_of(context, task).into_iter().filter_map(|name| METRICS.iter().find(|row| row.name == name));
    let others = others.filter(|row| row.gated && !row.of_answers && row.name != "ece");
    let forms: Vec<String> =
        others.map(|row| format!("`{}{}`", row.name, if row.by_value { ".macro" } else { "" })).collect();
    context.error(
        Code::UnknownMetric,
        message,
        expr.span,
        label,
        format!("select by one of the others: {}", forms.join(", ")),
    );
    None
}

/// Whether a metric that was resolved is of answers that the run generates.
pub(super) fn needs_answers(metric: &MetricRef) -> bool {
    match metric {
        MetricRef::Plain { name, .. } => METRICS.iter().any(|row| row.name == *name && row.of_answers),
        MetricRef::Gap { metric, .. } => needs_answers(metric),
    }
}
