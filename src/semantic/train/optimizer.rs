//! `optimizer NAME { … }`: each has options of its own.

use super::Draft;
use super::fits::needs_head;
use crate::diagnostics::Code;
use crate::hir::Optimizer;
use crate::semantic::Context;
use crate::semantic::quantities::{Bounds, known_settings, number, setting_quantity, setting_word, word, wrong_value};
use crate::syntax::ast::{Ident, Setting, SettingValue};

/// AdamW as its paper has it.
pub(super) const ADAMW: Optimizer = Optimizer::AdamW { weight_decay: 0.01, betas: (0.9, 0.999) };

/// The optimizers with what holds where their options do not say otherwise, as the papers and their authors' code have it.
const OPTIMIZERS: [(&str, Optimizer); 4] = [
    ("adamw", ADAMW),
    ("sgd", Optimizer::Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.0 }),
    ("lion", Optimizer::Lion { weight_decay: 0.0, betas: (0.9, 0.99) }),
    ("adafactor", Optimizer::Adafactor { weight_decay: 0.0 }),
];

/// The options of an optimizer; those of AdamW for a name that is none.
pub(in crate::semantic) fn options(name: &str) -> &'static [&'static str] {
    match name {
        "sgd" => &["momentum", "nesterov", "weight_decay", "head_rate"],
        "adafactor" => &["weight_decay", "head_rate"],
        _ => &["weight_decay", "betas", "head_rate"],
    }
}

pub(super) fn resolve_optimizer(context: &mut Context<'_>, draft: &mut Draft, name: &Ident, settings: &[Setting]) {
    let Some(mut optimizer) = word(context, name, "optimizer", &OPTIMIZERS) else { return };
    for setting in known_settings(context, settings, &format!("`optimizer {}`", name.name), options(&name.name)) {
        match setting.name.name.as_str() {
            "betas" => resolve_betas(context, setting, &mut optimizer),
            "nesterov" => resolve_nesterov(context, setting, settings, &mut optimizer),
            "momentum" => {
                let bounds = Bounds::between("the momentum", 0.0, 0.999_999_9);
                if let (Some(value), Optimizer::Sgd { momentum, .. }) =
                    (setting_number(context, setting, bounds), &mut optimizer)
                {
                    *momentum = value;
                }
            }
            "weight_decay" => {
                let bounds = Bounds::between("the weight decay", 0.0, 10.0);
                if let Some(value) = setting_number(context, setting, bounds) {
                    *weight_decay(&mut optimizer) = value;
                }
            }
            _ => {
                needs_head(context, draft, setting.span);
                let bounds = Bounds { high: 100.0, ..Bounds::positive("the head's rate") };
                draft.head_rate = setting_number(context, setting, bounds);
            }
        }
    }
    draft.optimizer = optimizer;
}

fn setting_number(context: &mut Context<'_>, setting: &Setting, bounds: Bounds) -> Option<f64> {
    let quantity = setting_quantity(context, setting)?;
    number(context, quantity, bounds)
}

fn weight_decay(optimizer: &mut Optimizer) -> &mut f64 {
    match optimizer {
        Optimizer::AdamW { weight_decay, .. }
        | Optimizer::Sgd { weight_decay, .. }
        | Optimizer::Lion { weight_decay, .. }
        | Optimizer::Adafactor { weight_decay } => weight_decay,
    }
}

fn resolve_betas(context: &mut Context<'_>, setting: &Setting, optimizer: &mut Optimizer) {
    let Some(SettingValue::List(list)) = &setting.value else {
        return wrong_value(context, setting, "two numbers: `[0.9, 0.999]`");
    };
    let [first, second] = list.as_slice() else {
        return wrong_value(context, setting, "two numbers: `[0.9, 0.999]`");
    };
    let bounds = Bounds::between("a beta", 0.0, 0.999_999_9);
    let both = (number(context, first, bounds), number(context, second, bounds));
    if let ((Some(first), Some(second)), Optimizer::AdamW { betas, .. } | Optimizer::Lion { betas, .. }) =
        (both, optimizer)
    {
        *betas = (first, second);
    }
}

/// Nesterov's step looks ahead along the momentum, so there must be one.
fn resolve_nesterov(context: &mut Context<'_>, setting: &Setting, all: &[Setting], optimizer: &mut Optimizer) {
    let chosen = setting_word(context, setting);
    let chosen = chosen.and_then(|name| word(context, name, "switch", &[("on", true), ("off", false)]));
    let has_momentum = all.iter().any(|setting| {
        setting.name.name == "momentum"
            && !matches!(&setting.value, Some(SettingValue::Quantity(quantity)) if quantity.value == 0.0)
    });
    if chosen == Some(true) && !has_momentum {
        context.error(
            Code::MissingStatement,
            "`nesterov on` needs a momentum, and there is none",
            setting.span,
            "looks ahead along the momentum",
            "add `momentum 0.9`",
        );
    }
    if let (Some(chosen), Optimizer::Sgd { nesterov, .. }) = (chosen, optimizer) {
        *nesterov = chosen;
    }
}
