//! Requirements that no set of records can meet: bounds that contradict one another, shares that cannot add up.
//!
//! The values of a label that are written out all count, also those that no record has; of another field only those that
//! occur. What is reported holds of every set that has a record.

use super::scope::Record;
use super::{Context, labels};
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::{BinaryOp, ColumnId, RequireSubject, Requirement, Type};
use crate::source::Span;

/// Sums of shares are compared as the build compares them.
const CLOSE: f64 = 1e-9;

/// Reports the requirements of a data set that cannot be met.
pub(super) fn check_requirements(context: &mut Context<'_>, requirements: &[Requirement], record: &Record) {
    let mut groups: Vec<Limits> = Vec::new();
    for requirement in requirements {
        let same = |limits: &&mut Limits| limits.subject == requirement.subject && limits.per == requirement.per;
        match groups.iter_mut().find(same) {
            Some(limits) => limits.add(requirement),
            None => {
                let mut limits = Limits::new(requirement);
                limits.add(requirement);
                groups.push(limits);
            }
        }
    }
    let contradicted: Vec<bool> = groups.iter().map(|limits| check_contradiction(context, limits, record)).collect();
    let whole = groups.iter().position(|limits| limits.subject == RequireSubject::Count && limits.per.is_none());
    for (at, limits) in groups.iter().enumerate() {
        let Some(values) = limits.per.and_then(|per| values(context, record, per)).filter(|_| !contradicted[at]) else {
            continue;
        };
        match limits.subject {
            RequireSubject::Share => check_shares(context, limits, values, record),
            RequireSubject::Count => {
                if let Some(whole) = whole.filter(|whole| !contradicted[*whole]) {
                    check_counts(context, limits, &groups[whole], values, record);
                }
            }
        }
    }
}

/// How many values are counted.
#[derive(Clone, Copy)]
struct Values {
    /// At most so many.
    most: f64,
    /// Whether it is always so many.
    always: bool,
}

/// How many values a column has, where that is known.
fn values(context: &Context<'_>, record: &Record, per: ColumnId) -> Option<Values> {
    let ty = record.column(per).current()?;
    match ty.ty {
        Type::Label(label) => {
            let listed = labels::listed_values(context, label)?;
            (!listed.is_empty()).then_some(Values { most: listed.len() as f64, always: true })
        }
        Type::Bool => Some(Values { most: if ty.nullable { 3.0 } else { 2.0 }, always: false }),
        Type::String | Type::Int | Type::Float | Type::Date | Type::Timestamp | Type::List(_) | Type::Record(_) => None,
    }
}

/// A bound with the rule that sets it.
#[derive(Clone, Copy)]
struct Limit {
    bound: f64,
    /// Whether the bound itself is left out; a number of records is made whole instead.
    open: bool,
    rule: Span,
}

/// The tightest bounds that are set for one figure.
struct Limits {
    subject: RequireSubject,
    per: Option<ColumnId>,
    low: Option<Limit>,
    high: Option<Limit>,
}

impl Limits {
    fn new(requirement: &Requirement) -> Self {
        Self { subject: requirement.subject, per: requirement.per, low: None, high: None }
    }

    fn add(&mut self, requirement: &Requirement) {
        let counts = self.subject == RequireSubject::Count;
        let limit = |open: bool, step: f64| {
            let bound = if counts && open { requirement.bound + step } else { requirement.bound };
            Limit { bound, open: open && !counts, rule: requirement.span }
        };
        let (low, high) = match requirement.comparison {
            BinaryOp::Equal => (Some(limit(false, 0.0)), Some(limit(false, 0.0))),
            BinaryOp::GreaterEqual => (Some(limit(false, 0.0)), None),
            BinaryOp::Greater => (Some(limit(true, 1.0)), None),
            BinaryOp::LessEqual => (None, Some(limit(false, 0.0))),
            BinaryOp::Less => (None, Some(limit(true, -1.0))),
            BinaryOp::NotEqual
            | BinaryOp::Add
            | BinaryOp::Subtract
            | BinaryOp::Multiply
            | BinaryOp::Divide
            | BinaryOp::Coalesce
            | BinaryOp::And
            | BinaryOp::Or => (None, None),
        };
        let tighter = |old: Option<Limit>, new: Option<Limit>, sign: f64| match (old, new) {
            (Some(old), Some(new)) if (new.bound - old.bound) * sign > 0.0 || new.bound == old.bound && new.open => {
                Some(new)
            }
            (old, new) => old.or(new),
        };
        self.low = tighter(self.low, low, 1.0);
        self.high = tighter(self.high, high, -1.0);
    }

    /// The figure in words: `count()`, `share() per intent`.
    fn shown(&self, record: &Record) -> String {
        let figure = match self.subject {
            RequireSubject::Count => "count()",
            RequireSubject::Share => "share()",
        };
        match self.per {
            Some(per) => format!("{figure} per {}", record.column(per).name),
            None => figure.to_owned(),
        }
    }
}

fn report(context: &mut Context<'_>, message: String, at: (Span, &str), other: Option<(Span, &str)>, help: String) {
    let mut diagnostic = Diagnostic::new(Code::UnmeetableRequirement, message, at.0, at.1);
    if let Some((place, says)) = other.filter(|(place, _)| *place != at.0) {
        diagnostic = diagnostic.label(place, says);
    }
    context.report(diagnostic.help(help));
}

/// Whether the bounds of one figure leave it no value; reported.
fn check_contradiction(context: &mut Context<'_>, limits: &Limits, record: &Record) -> bool {
    let figure = limits.shown(record);
    let crosses = |low: Limit, high: Limit| {
        low.bound > high.bound + CLOSE || (low.bound - high.bound).abs() <= CLOSE && (low.open || high.open)
    };
    if let (Some(low), Some(high)) = (limits.low, limits.high)
        && crosses(low, high)
    {
        let (later, earlier) = if low.rule > high.rule { (low, high) } else { (high, low) };
        report(
            context,
            format!("no `{figure}` meets both of these"),
            (later.rule, "contradicts the other one"),
            Some((earlier.rule, "leaves no number for it")),
            "lower the least number, raise the most, or take one of them out".to_owned(),
        );
        return true;
    }
    let least = limits.high.filter(|high| high.bound < 0.0 || high.open && high.bound <= 0.0);
    let most = limits.low.filter(|low| limits.subject == RequireSubject::Share && low.open && low.bound >= 1.0);
    let (limit, never) = match (least, most) {
        (Some(limit), _) => (limit, "less than nothing"),
        (_, Some(limit)) => (limit, "more than the whole"),
        (None, None) => return false,
    };
    report(
        context,
        format!("`{figure}` is never {never}"),
        (limit.rule, "cannot be met"),
        None,
        "take the equals sign in, or choose another bound".to_owned(),
    );
    true
}

/// A bound times a number of values, as a percentage without noise in its last digits.
fn percent(share: f64) -> f64 {
    (share * 1e6).round() / 1e4
}

/// The shares of all values add up to the whole.
fn check_shares(context: &mut Context<'_>, limits: &Limits, values: Values, record: &Record) {
    let count = values.most;
    let name = limits.per.map(|per| record.column(per).name.clone()).unwrap_or_default();
    let some = if values.always { format!("{count}") } else { format!("at most {count}") };
    if let Some(high) = limits.high {
        let sum = count * high.bound;
        if sum < 1.0 - CLOSE || high.open && sum <= 1.0 + CLOSE {
            report(
                context,
                format!(
                    "`{name}` has {some} values, and {count} × {}% is {}%: the shares add up to 100%",
                    percent(high.bound),
                    percent(sum)
                ),
                (high.rule, "too little for all of them together"),
                None,
                format!("allow each value at least {}%", percent((1.0 / count * 1e4).ceil() / 1e4)),
            );
            return;
        }
    }
    if let Some(low) = limits.low.filter(|_| values.always) {
        let sum = count * low.bound;
        if sum > 1.0 + CLOSE || low.open && sum >= 1.0 - CLOSE {
            report(
                context,
                format!(
                    "`{name}` has {some} values, and {count} × {}% is {}%: the shares add up to 100%",
                    percent(low.bound),
                    percent(sum)
                ),
                (low.rule, "too much for all of them together"),
                None,
                format!("ask for at most {}% of each value", percent((1.0 / count * 1e4).floor() / 1e4)),
            );
        }
    }
}

/// The records of all values add up to the whole set.
fn check_counts(context: &mut Context<'_>, limits: &Limits, whole: &Limits, values: Values, record: &Record) {
    let name = limits.per.map(|per| record.column(per).name.clone()).unwrap_or_default();
    if let (Some(low), Some(high)) = (limits.low.filter(|_| values.always), whole.high) {
        let sum = values.most * low.bound;
        if sum > high.bound {
            report(
                context,
                format!("`{name}` has {} values with at least {} records each: {sum} in all", values.most, low.bound),
                (low.rule, "demands more than the whole may have"),
                Some((high.rule, "allows fewer")),
                format!("allow `count() <= {sum}`, or demand fewer of each value"),
            );
        }
    }
    if let (Some(high), Some(low)) = (limits.high, whole.low) {
        let sum = values.most * high.bound;
        if sum < low.bound {
            report(
                context,
                format!("`{name}` has {} values with at most {} records each: {sum} in all", values.most, high.bound),
                (high.rule, "allows fewer than the whole must have"),
                Some((low.rule, "demands more")),
                format!("demand `count() >= {sum}` at most, or allow more of each value"),
            );
        }
    }
}
