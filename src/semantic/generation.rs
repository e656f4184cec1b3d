//! How an evaluation generates the answers that it judges.

use super::Context;
use super::metrics::Task;
use super::quantities::{
    Bounds, known_settings, number, setting_quantity, setting_word, small, whole, word, wrong_value,
};
use crate::diagnostics::Code;
use crate::hir::{Generation, Sampling};
use crate::source::Span;
use crate::syntax::ast::{Ident, Setting, SettingValue};

/// The options of `generate greedy`.
pub(super) const GREEDY: [&str; 3] = ["tokens", "stop", "answers"];

/// The options of `generate sampled`.
pub(super) const SAMPLED: [&str; 7] = ["tokens", "stop", "answers", "temperature", "top_k", "top_p", "seed"];

/// The settings of a `generate`; `None` after a report that it cannot be.
pub(super) fn resolve_generate(
    context: &mut Context<'_>,
    method: &Ident,
    settings: &[Setting],
    span: Span,
    task: Task,
) -> Option<Generation> {
    if let Some((task, _)) = task
        && task != "generate"
    {
        context.error(
            Code::TaskDoesNotFit,
            format!("a `{task}` run generates no answers"),
            span,
            "nothing to generate",
            "take it out, or evaluate a run whose task is `generate`",
        );
        return None;
    }
    let drawn = Sampling { temperature: 1.0, top_k: None, top_p: 1.0, seed: 0 };
    let sampling = word(context, method, "way to generate", &[("greedy", false), ("sampled", true)])?.then_some(drawn);
    let known: &[&str] = if sampling.is_some() { &SAMPLED } else { &GREEDY };
    let mut generation = Generation { sampling, ..Generation::DEFAULT };
    // Several texts may stop an answer, so `stop` may stand several times.
    let (stops, others): (Vec<&Setting>, Vec<&Setting>) =
        settings.iter().partition(|setting| setting.name.name == "stop");
    for setting in stops {
        match &setting.value {
            Some(SettingValue::Text(text)) if !text.node.is_empty() => generation.stop.push(text.node.clone()),
            _ => wrong_value(context, setting, "a text that is not empty"),
        }
    }
    let others: Vec<Setting> = others.into_iter().cloned().collect();
    for setting in known_settings(context, &others, &format!("`generate {}`", method.name), known) {
        resolve_option(context, setting, &mut generation);
    }
    Some(generation)
}

fn resolve_option(context: &mut Context<'_>, setting: &Setting, generation: &mut Generation) {
    if setting.name.name == "answers" {
        let switch = [("on", true), ("off", false)];
        let chosen = setting_word(context, setting).and_then(|name| word(context, name, "switch", &switch));
        generation.answers = chosen.unwrap_or(generation.answers);
        return;
    }
    let Some(quantity) = setting_quantity(context, setting) else { return };
    let option = setting.name.name.as_str();
    if option == "tokens" {
        let bounds = Bounds::between("the number of tokens", 1.0, 1e6);
        generation.tokens = small(context, quantity, bounds).unwrap_or(generation.tokens);
        return;
    }
    let Some(sampling) = &mut generation.sampling else { return };
    match option {
        "temperature" => {
            let bounds = Bounds { high: 100.0, ..Bounds::positive("the temperature") };
            sampling.temperature = number(context, quantity, bounds).unwrap_or(sampling.temperature);
        }
        "top_k" => {
            sampling.top_k = small(context, quantity, Bounds::between("the number of tokens", 1.0, 1e6));
        }
        "top_p" => {
            let bounds = Bounds { high: 1.0, ..Bounds::positive("the share of the probability") };
            sampling.top_p = number(context, quantity, bounds).unwrap_or(sampling.top_p);
        }
        _ => {
            let seed = whole(context, quantity, Bounds::between("a seed", 0.0, f64::INFINITY));
            sampling.seed = seed.unwrap_or(sampling.seed);
        }
    }
}
