//! Numbers of statements and options: their units, their ranges, and the options that a block has.

use super::{Context, suggest};
use crate::diagnostics::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::{Ident, Quantity, Setting, SettingValue};

/// What a number must be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// What the number is, in the message: `the batch`.
    pub(super) what: &'static str,
    /// The units that may follow.
    pub(super) units: &'static [&'static str],
    /// The lowest value.
    pub(super) low: f64,
    /// Whether the lowest value itself is allowed.
    pub(super) open_low: bool,
    /// The highest value.
    pub(super) high: f64,
}

impl Bounds {
    /// A number above zero without a unit.
    pub(super) const fn positive(what: &'static str) -> Self {
        Self { what, units: &[], low: 0.0, open_low: true, high: f64::INFINITY }
    }

    /// A number between both, ends included, without a unit.
    pub(super) const fn between(what: &'static str, low: f64, high: f64) -> Self {
        Self { what, units: &[], low, open_low: false, high }
    }

    /// The same with a unit.
    pub(super) const fn unit(self, units: &'static [&'static str]) -> Self {
        Self { units, ..self }
    }

    fn holds(self, value: f64) -> bool {
        (value > self.low || !self.open_low && value == self.low) && value <= self.high
    }

    fn range(self) -> String {
        let from = if self.open_low { format!("above {}", self.low) } else { format!("at least {}", self.low) };
        if self.high.is_finite() { format!("{from} and at most {}", self.high) } else { from }
    }
}

/// The greatest whole number below which each is a number of its own when it is read.
const GREATEST_WHOLE: f64 = 9_007_199_254_740_991.0;

/// A number that may be a fraction; `None` after a report.
pub(super) fn number(context: &mut Context<'_>, quantity: &Quantity, bounds: Bounds) -> Option<f64> {
    if quantity.percent {
        return not_a_share(context, quantity, bounds, |_| true);
    }
    check_unit(context, quantity, bounds)?;
    check_range(context, quantity.value, quantity.span, bounds, "")?;
    Some(quantity.value)
}

/// A whole number; `None` after a report.
pub(super) fn whole(context: &mut Context<'_>, quantity: &Quantity, bounds: Bounds) -> Option<u64> {
    if quantity.percent {
        return not_a_share(context, quantity, bounds, |value| value.fract() == 0.0);
    }
    let value = number(context, quantity, bounds)?;
    if value > GREATEST_WHOLE {
        context.error(
            Code::NumberOutOfRange,
            format!("{} is a whole number of at most {GREATEST_WHOLE}", bounds.what),
            quantity.span,
            "is too large",
            format!("give a whole number of at most `{GREATEST_WHOLE}`"),
        );
        return None;
    }
    if value.fract() != 0.0 {
        let near = [value.round(), value.ceil(), value.floor()].into_iter().find(|near| bounds.holds(*near));
        context.error(
            Code::NumberOutOfRange,
            format!("{} is a whole number", bounds.what),
            quantity.span,
            "has a fraction",
            match near {
                Some(near) => format!("round it: `{near}`"),
                None => format!("give a whole number that is {}", bounds.range()),
            },
        );
        return None;
    }
    Some(value as u64)
}

/// Reports a `%` where a number is meant. The same as a number is advised where it would be taken.
fn not_a_share<T>(context: &mut Context<'_>, quantity: &Quantity, bounds: Bounds, fits: fn(f64) -> bool) -> Option<T> {
    let value = as_written(quantity.value / 100.0);
    let help = if bounds.holds(value) && fits(value) {
        format!("write `{value}`")
    } else {
        format!("give a number that is {}, without `%`", bounds.range())
    };
    context.error(
        Code::UnknownUnit,
        format!("{} is a number, not a share", bounds.what),
        quantity.span,
        "`%` does not fit here",
        help,
    );
    None
}

/// A whole number that fits 32 bits; `None` after a report.
pub(super) fn small(context: &mut Context<'_>, quantity: &Quantity, bounds: Bounds) -> Option<u32> {
    let bounds = Bounds { high: bounds.high.min(f64::from(u32::MAX)), ..bounds };
    u32::try_from(whole(context, quantity, bounds)?).ok()
}

/// A share from 0 to 1, written as a percentage; `None` after a report.
pub(super) fn share(context: &mut Context<'_>, quantity: &Quantity, what: &'static str) -> Option<f64> {
    share_within(context, quantity, Bounds::between(what, 0.0, 100.0))
}

/// A share within bounds, which are percentages as it is; `None` after a report.
pub(super) fn share_within(context: &mut Context<'_>, quantity: &Quantity, bounds: Bounds) -> Option<f64> {
    let what = bounds.what;
    if !quantity.percent {
        // Nobody means less than one per cent by `0.8`.
        let value = as_written(quantity.value * if quantity.value <= 1.0 { 100.0 } else { 1.0 });
        let help = if bounds.holds(value) {
            format!("write `{value}%`")
        } else {
            format!("give a percentage that is {}%", bounds.range())
        };
        context.error(Code::UnknownUnit, format!("{what} is a percentage"), quantity.span, "needs `%`", help);
        return None;
    }
    check_range(context, quantity.value, quantity.span, bounds, "%")?;
    Some(quantity.value / 100.0)
}

/// A number without the dust that a product of binary fractions leaves.
fn as_written(value: f64) -> f64 {
    format!("{value:.9}").parse().unwrap_or(value)
}

fn check_unit(context: &mut Context<'_>, quantity: &Quantity, bounds: Bounds) -> Option<()> {
    match &quantity.unit {
        None => Some(()),
        Some(unit) if bounds.units.contains(&unit.name.as_str()) => Some(()),
        Some(unit) => {
            let help = if bounds.units.is_empty() {
                "write the number alone".into()
            } else {
                suggest(&unit.name, bounds.units.iter().copied(), "units")
            };
            context.error(
                Code::UnknownUnit,
                format!("{} has no unit `{}`", bounds.what, unit.name),
                unit.span,
                "unknown unit",
                help,
            );
            None
        }
    }
}

fn check_range(context: &mut Context<'_>, value: f64, span: Span, bounds: Bounds, sign: &str) -> Option<()> {
    if bounds.holds(value) {
        return Some(());
    }
    context.error(
        Code::NumberOutOfRange,
        format!("{} is {}{sign}", bounds.what, bounds.range()),
        span,
        "out of range",
        format!("give a number that is {}{sign}", bounds.range()),
    );
    None
}

/// One word out of a closed list; `None` after a report.
pub(super) fn word<T: Copy>(context: &mut Context<'_>, word: &Ident, what: &str, words: &[(&str, T)]) -> Option<T> {
    if let Some((_, value)) = words.iter().find(|(name, _)| *name == word.name) {
        return Some(*value);
    }
    let help = suggest(&word.name, words.iter().map(|(name, _)| *name), "possible words");
    context.error(
        Code::UnknownWord,
        format!("`{}` is no {what}", word.name),
        word.span,
        format!("unknown {what}"),
        help,
    );
    None
}

/// Reports options that the block does not have and those that stand twice, and gives the known ones in order.
pub(super) fn known_settings<'s>(
    context: &mut Context<'_>,
    settings: impl IntoIterator<Item = &'s Setting>,
    block: &str,
    known: &[&str],
) -> Vec<&'s Setting> {
    let mut found: Vec<&Setting> = Vec::new();
    for setting in settings {
        if !known.contains(&setting.name.name.as_str()) {
            let help = suggest(&setting.name.name, known.iter().copied(), "options");
            context.error(
                Code::UnknownOption,
                format!("{block} has no option `{}`", setting.name.name),
                setting.name.span,
                "unknown option",
                help,
            );
        } else if let Some(first) = found.iter().find(|first| first.name.name == setting.name.name) {
            duplicate(context, &setting.name.name, setting.span, first.span);
        } else {
            found.push(setting);
        }
    }
    found
}

/// Reports a statement that stands twice in a block.
pub(super) fn duplicate(context: &mut Context<'_>, what: &str, again: Span, first: Span) {
    context.report(
        Diagnostic::new(
            Code::DuplicateStatement,
            format!("`{what}` stands twice in this block"),
            again,
            "said again here",
        )
        .label(first, "first said here")
        .help("keep one of them"),
    );
}

/// The number of an option; `None` after a report that it has none.
pub(super) fn setting_quantity<'s>(context: &mut Context<'_>, setting: &'s Setting) -> Option<&'s Quantity> {
    if let Some(SettingValue::Quantity(quantity)) = &setting.value {
        return Some(quantity);
    }
    wrong_value(context, setting, "a number");
    None
}

/// The word of an option; `None` after a report that it has none.
pub(super) fn setting_word<'s>(context: &mut Context<'_>, setting: &'s Setting) -> Option<&'s Ident> {
    if let Some(SettingValue::Word(word)) = &setting.value {
        return Some(word);
    }
    wrong_value(context, setting, "a word");
    None
}

/// Reports an option whose value has the wrong form.
pub(super) fn wrong_value(context: &mut Context<'_>, setting: &Setting, needs: &str) {
    context.error(
        Code::WrongType,
        format!("`{}` takes {needs}", setting.name.name),
        setting.span,
        format!("needs {needs}"),
        format!("write `{}` and {needs} after it", setting.name.name),
    );
}

/// Reports a block that lacks a statement.
pub(super) fn missing(context: &mut Context<'_>, block: &str, name: &Ident, statement: &str, example: &str) {
    if context.names.is_damaged(name) {
        return;
    }
    context.error(
        Code::MissingStatement,
        format!("{block} `{}` says no `{statement}`", name.name),
        name.span,
        format!("needs `{statement}`"),
        format!("add `{example}`"),
    );
}

/// Statements that may stand once: remembers the first of each kind and reports a second.
#[derive(Debug, Default)]
pub(super) struct Once {
    seen: Vec<(&'static str, Span)>,
}

impl Once {
    /// Whether this is the first of its kind; a further one is reported.
    pub(super) fn first(&mut self, context: &mut Context<'_>, what: &'static str, span: Span) -> bool {
        if let Some((_, first)) = self.seen.iter().find(|(seen, _)| *seen == what) {
            duplicate(context, what, span, *first);
            return false;
        }
        self.seen.push((what, span));
        true
    }

    /// Where the statement stands.
    pub(super) fn place(&self, what: &str) -> Option<Span> {
        self.seen.iter().find(|(seen, _)| *seen == what).map(|(_, span)| *span)
    }
}
