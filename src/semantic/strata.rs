//! `stratify`: fields whose values cannot be spread over the parts, and strata too small for a part.

use super::Context;
use super::scope::Record;
use crate::diagnostics::{Code, Diagnostic};
use crate::engine::largest_remainder;
use crate::hir::{BinaryOp, ColumnId, RequireSubject, Requirement, Split, SplitRule};
use crate::source::Span;
use crate::syntax::ast::Ident;
use crate::syntax::ast::dataset::{self as ast, SplitBy};

/// Checks what a split is stratified by, against its parts, its units and what the policies demand of each value.
pub(super) fn check_strata(
    context: &mut Context<'_>,
    written: &ast::Split,
    split: &Split,
    record: &Record,
    requirements: &[Requirement],
) {
    let Some(stratify) = &written.stratify else { return };
    if let Some(field) = &written.by_field {
        cannot(
            context,
            stratify,
            "each record's part is said by a field: nothing is left to spread",
            Some((field.span, "says the part")),
            "take `stratify` out, or name the parts with their shares",
        );
        return;
    }
    let SplitRule::Shares { shares, stratify: Some(column), .. } = &split.rule else { return };
    if check_shares(context, written, stratify) && check_units(context, written, stratify, record, *column) {
        check_sizes(context, stratify, split, shares, *column, requirements);
    }
}

fn cannot(context: &mut Context<'_>, stratify: &Ident, message: &str, other: Option<(Span, &str)>, help: &str) {
    let mut diagnostic =
        Diagnostic::new(Code::CannotStratify, message, stratify.span, "cannot be spread over the parts");
    if let Some((place, says)) = other {
        diagnostic = diagnostic.label(place, says);
    }
    context.report(diagnostic.help(help));
}

/// Where every part takes whole sources, no record is left to share out.
fn check_shares(context: &mut Context<'_>, written: &ast::Split, stratify: &Ident) -> bool {
    let fixed = |part: &ast::Part| matches!(part.what, ast::PartKind::From(_));
    let all_fixed = !written.parts.is_empty() && written.parts.iter().all(fixed);
    if all_fixed {
        let place = written.parts.first().map(|part| (part.span, "takes whole sources, as all parts do"));
        let message = "every part takes whole sources: nothing is left to spread";
        cannot(context, stratify, message, place, "take `stratify` out, or give parts a share: `train 90%`");
    }
    !all_fixed
}

/// A stratum must have several units.
fn check_units(
    context: &mut Context<'_>,
    written: &ast::Split,
    stratify: &Ident,
    record: &Record,
    id: ColumnId,
) -> bool {
    let column = record.column(id);
    let declared = column.declared.first().copied();
    let by = written.by.as_ref().filter(|by| record.find(&by.field().name) == Some(id));
    let help = "stratify by a label, or by a field with few values that many records share";
    let (message, place) = if column.key {
        (
            format!("`{}` is the records' key: each of its values has one record, which one part gets", column.name),
            declared.map(|span| (span, "is the `@key`")),
        )
    } else if let Some(by) = by {
        let message = match by {
            SplitBy::Near(..) => {
                format!("`{}` is a text that is compared with `near`: hardly two records have the same", column.name)
            }
            SplitBy::Field(_) => {
                format!("records with one `{}` are never split apart: each stratum would go into one part", column.name)
            }
            // That the time leaves nothing to spread was reported.
            SplitBy::Time(_) => return false,
        };
        (message, Some((by.field().span, "makes the units that are never split apart")))
    } else if column.group {
        (
            format!("records with one `{}` are never split apart: each stratum would go into one part", column.name),
            declared.map(|span| (span, "is a `@group`")),
        )
    } else {
        return true;
    };
    cannot(context, stratify, &message, place, help);
    false
}

/// Whether a value that has no more records than the policies demand can be in each part.
fn check_sizes(
    context: &mut Context<'_>,
    stratify: &Ident,
    split: &Split,
    shares: &[(usize, f64)],
    column: ColumnId,
    requirements: &[Requirement],
) {
    let weights: Vec<f64> = shares.iter().map(|(_, share)| *share).collect();
    if (weights.iter().sum::<f64>() - 1.0).abs() > 1e-9 {
        return;
    }
    let least = requirements.iter().filter(|requirement| requirement.per == Some(column)).filter_map(least_count);
    let Some((least, rule)) = least.max_by_key(|(least, _)| *least) else { return };
    // Where there are fewer records than parts, no shares would help: such a demand says that a value exists, no more.
    if (least as usize) < weights.len() {
        return;
    }
    let seats = largest_remainder(least, &weights);
    let Some(at) = (0..seats.len()).find(|at| seats[*at] == 0 && weights[*at] > 0.0) else { return };
    let (part, percent) = (&split.parts[shares[at].0], (weights[at] * 1e8).round() / 1e6);
    let fraction = (weights[at] * least as f64 * 1e6).round() / 1e6;
    let enough = (1.0 / weights[at]).ceil();
    let help = format!("require more of each value, `count() >= {enough}`, or give `{part}` a larger share");
    context.report(
        Diagnostic::new(
            Code::StratumTooSmall,
            format!(
                "a value of `{}` with {least} records has none in `{part}`: {percent}% of {least} is {fraction}",
                stratify.name
            ),
            stratify.span,
            format!("{percent}% of each value go to `{part}`"),
        )
        .label(rule, format!("allows values with {least} records"))
        .help(help),
    );
}

/// The least number of records that a requirement leaves to each value, where there must be any.
fn least_count(requirement: &Requirement) -> Option<(u64, Span)> {
    if requirement.subject != RequireSubject::Count {
        return None;
    }
    let least = match requirement.comparison {
        BinaryOp::GreaterEqual | BinaryOp::Equal => requirement.bound,
        BinaryOp::Greater => requirement.bound + 1.0,
        BinaryOp::NotEqual
        | BinaryOp::Less
        | BinaryOp::LessEqual
        | BinaryOp::Add
        | BinaryOp::Subtract
        | BinaryOp::Multiply
        | BinaryOp::Divide
        | BinaryOp::Coalesce
        | BinaryOp::And
        | BinaryOp::Or => return None,
    };
    (least >= 1.0).then_some((least as u64, requirement.span))
}
