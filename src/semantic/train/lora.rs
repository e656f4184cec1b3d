//! What is trained: all, the head, or adapters.

use crate::diagnostics::Code;
use crate::hir::{Base, Lora, Tune};
use crate::semantic::Context;
use crate::semantic::quantities::{
    Bounds, known_settings, number, setting_quantity, setting_word, share_within, small, word, wrong_value,
};
use crate::syntax::ast::{Ident, Setting, SettingValue};

/// The options of `tune lora`.
pub(in crate::semantic) const OPTIONS: [&str; 7] = ["rank", "alpha", "targets", "dropout", "base", "rslora", "dora"];

/// What `base` may be.
const BASES: [(&str, Base); 3] = [("float32", Base::Float32), ("int8", Base::Int8), ("int4", Base::Int4)];

/// The rank where none is said.
const RANK: u32 = 8;

pub(super) fn resolve_tune(context: &mut Context<'_>, kind: &Ident, settings: &[Setting]) -> Option<Tune> {
    let words = [("all", Kind::All), ("head", Kind::Head), ("lora", Kind::Lora)];
    let tune = word(context, kind, "way to tune", &words)?;
    Some(match tune {
        Kind::All | Kind::Head => {
            check_no_adapters(context, kind, settings);
            if matches!(tune, Kind::All) { Tune::All } else { Tune::Head }
        }
        Kind::Lora => {
            let settings = known_settings(context, settings, "`tune lora`", &OPTIONS);
            Tune::Lora(resolve_lora(context, &settings))
        }
    })
}

/// Reports options where there is no adapter to have them; those of adapters by saying so.
fn check_no_adapters(context: &mut Context<'_>, kind: &Ident, settings: &[Setting]) {
    let (of_adapters, others): (Vec<&Setting>, Vec<&Setting>) =
        settings.iter().partition(|setting| OPTIONS.contains(&setting.name.name.as_str()));
    for setting in of_adapters {
        let name = &setting.name.name;
        context.error(
            Code::UnknownOption,
            format!("`tune {}` has no option `{name}`", kind.name),
            setting.name.span,
            "an option of adapters",
            format!("train adapters, `tune lora {{ {name} … }}`, or take it out"),
        );
    }
    known_settings(context, others, &format!("`tune {}`", kind.name), &[]);
}

#[derive(Clone, Copy)]
enum Kind {
    All,
    Head,
    Lora,
}

/// The settings of adapters. Without an `alpha` the product is added as it is.
fn resolve_lora(context: &mut Context<'_>, settings: &[&Setting]) -> Lora {
    let mut lora = Lora {
        rank: RANK,
        alpha: 0.0,
        targets: Vec::new(),
        rank_stabilized: false,
        has_magnitude: false,
        dropout: 0.0,
        base: Base::Float32,
    };
    let mut alpha = None;
    for setting in settings {
        match setting.name.name.as_str() {
            "rank" => {
                let rank = setting_quantity(context, setting);
                let rank = rank.and_then(|rank| small(context, rank, Bounds::between("the rank", 1.0, 4096.0)));
                lora.rank = rank.unwrap_or(lora.rank);
            }
            "alpha" => {
                let given = setting_quantity(context, setting);
                alpha = given.and_then(|given| number(context, given, Bounds::positive("`alpha`")));
            }
            "targets" => lora.targets = resolve_targets(context, setting),
            "rslora" => lora.rank_stabilized = resolve_switch(context, setting),
            "dora" => lora.has_magnitude = resolve_switch(context, setting),
            "base" => {
                let name = setting_word(context, setting);
                lora.base = name.and_then(|name| word(context, name, "base", &BASES)).unwrap_or(lora.base);
            }
            _ => {
                let given = setting_quantity(context, setting);
                let bounds = Bounds::between("the dropout", 0.0, 99.0);
                lora.dropout = given.and_then(|given| share_within(context, given, bounds)).unwrap_or(lora.dropout);
            }
        }
    }
    lora.alpha = alpha.unwrap_or(if lora.rank_stabilized { f64::from(lora.rank).sqrt() } else { lora.rank.into() });
    lora
}

fn resolve_targets(context: &mut Context<'_>, setting: &Setting) -> Vec<String> {
    let texts = match &setting.value {
        Some(SettingValue::Text(text)) => std::slice::from_ref(text),
        Some(SettingValue::Texts(texts)) => texts.as_slice(),
        Some(SettingValue::Quantity(_) | SettingValue::Word(_) | SettingValue::List(_)) | None => &[],
    };
    let is_path = |path: &str| path.split('.').all(|part| !part.trim().is_empty());
    if texts.is_empty() || !texts.iter().all(|text| is_path(&text.node)) {
        wrong_value(context, setting, "names of layers: `[\"query\", \"value\"]`");
        return Vec::new();
    }
    texts.iter().map(|text| text.node.clone()).collect()
}

fn resolve_switch(context: &mut Context<'_>, setting: &Setting) -> bool {
    let switch = [("on", true), ("off", false)];
    setting_word(context, setting).and_then(|name| word(context, name, "switch", &switch)).unwrap_or(false)
}
