//! From the metrics that a spec names to those of `eval`.

use crate::eval::{Average, Comparison, Gate, GenerationSettings, Measure, Metric, Sampling};
use crate::hir::{self, BinaryOp, MetricRef};

/// A gate of the spec as `eval` measures it. `semantic` has checked that the metric exists in this form.
pub fn lower_gate(gate: &hir::Gate) -> Gate {
    let measure = match &gate.metric {
        MetricRef::Plain { .. } => Measure::Metric(lower_metric(&gate.metric)),
        MetricRef::Gap { metric, by } => Measure::Gap { metric: lower_metric(metric), by: by.clone() },
    };
    let comparison = match gate.comparison {
        BinaryOp::GreaterEqual => Comparison::AtLeast,
        BinaryOp::Greater => Comparison::Above,
        BinaryOp::LessEqual => Comparison::AtMost,
        BinaryOp::Less => Comparison::Below,
        BinaryOp::Equal => Comparison::Exactly,
        BinaryOp::NotEqual => Comparison::OtherThan,
        BinaryOp::Add
        | BinaryOp::Subtract
        | BinaryOp::Multiply
        | BinaryOp::Divide
        | BinaryOp::Coalesce
        | BinaryOp::And
        | BinaryOp::Or => unreachable!("`semantic` lets only comparisons be gates"),
    };
    Gate { measure, comparison, bound: gate.bound }
}

/// The families of metrics that `report` names, as the figures' file lists them.
pub fn report_names(evaluate: &hir::Evaluate) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for metric in &evaluate.report {
        let name = match metric {
            MetricRef::Plain { name, .. } => name,
            MetricRef::Gap { .. } => continue,
        };
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

/// A metric of the spec as `eval` measures it.
pub fn lower_metric(metric: &MetricRef) -> Metric {
    let MetricRef::Plain { name, average, value } = metric else {
        unreachable!("a gap is not nested in a gap");
    };
    let average = match (average.as_deref(), value) {
        (_, Some(value)) => Average::Value(value.clone()),
        (Some("micro"), None) => Average::Micro,
        (Some("weighted"), None) => Average::Weighted,
        (Some("samples"), None) => Average::Samples,
        (_, None) => Average::Macro,
    };
    let metric = Metric::of_family(name, average).or_else(|| Metric::parse(name));
    metric.expect("`semantic` lets only metrics of the table be gates")
}

/// The spec's `generate` as `eval` does it.
pub fn lower_generation(generation: &hir::Generation) -> GenerationSettings {
    let sampling = generation.sampling.as_ref().map(|sampling| Sampling {
        temperature: sampling.temperature,
        top_k: sampling.top_k.map(|top_k| top_k as usize),
        top_p: sampling.top_p,
        seed: sampling.seed,
    });
    GenerationSettings { sampling, tokens: generation.tokens as usize, stop: generation.stop.clone() }
}
