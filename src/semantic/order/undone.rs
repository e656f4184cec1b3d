//! Rules that a later `set` undoes: duplicates that it brings back, lengths that it changes after they were checked.

use std::collections::HashMap;

use super::{Findings, Rules};
use crate::dedup::Scheme;
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::{BinaryOp, ColumnId, Expr, ExprKind, Literal, StepKind, Type};
use crate::plan::functions::Eval;
use crate::semantic::implies::{Demand, Formula};
use crate::semantic::ranges::{Ranges, Value};

/// Finds the rules of a data set that a later `set` undoes and no later rule makes good.
pub(super) fn find(rules: &Rules<'_>, findings: &mut Findings) {
    find_duplicates(rules, findings);
    find_measures(rules, findings);
}

/// A deduplication that is in force, with the `set` that may have brought duplicates back.
struct Dedup<'e> {
    at: usize,
    columns: &'e [ColumnId],
    /// The least similarity of a near one, and what it compares.
    near: Option<&'e Scheme>,
    undone_by: Option<usize>,
}

impl Dedup<'_> {
    /// Whether what this one leaves has no duplicates in the sense of the other.
    fn covers(&self, other: &Dedup<'_>) -> bool {
        let fewer = self.columns.iter().all(|column| other.columns.contains(column));
        fewer
            && match (self.near, other.near) {
                (Some(mine), Some(its)) => mine.shingle == its.shingle && mine.threshold <= its.threshold,
                (Some(_) | None, None) => true,
                (None, Some(_)) => false,
            }
    }
}

fn find_duplicates(rules: &Rules<'_>, findings: &mut Findings) {
    let mut open: Vec<Dedup<'_>> = Vec::new();
    for (at, step) in rules.steps.iter().enumerate() {
        let (columns, near) = match &step.kind {
            StepKind::DedupExact { columns, .. } => (columns.as_slice(), None),
            StepKind::DedupNear { column, scheme, .. } => (std::slice::from_ref(column), Some(scheme)),
            // What is cut out of two texts may be what they differ in.
            StepKind::DedupPieces { column, .. } => {
                for dedup in open.iter_mut().filter(|dedup| dedup.columns.contains(column)) {
                    dedup.undone_by.get_or_insert(at);
                }
                continue;
            }
            StepKind::Set { column, value } => {
                for dedup in open.iter_mut().filter(|dedup| dedup.columns.contains(column)) {
                    if dedup.near.is_some() || !keeps_apart(value, *column) {
                        dedup.undone_by.get_or_insert(at);
                    }
                }
                continue;
            }
            StepKind::Drop { .. }
            | StepKind::Label { .. }
            | StepKind::Decontaminate { .. }
            | StepKind::Redact { .. }
            | StepKind::Forbid { .. }
            | StepKind::Pair { .. }
            | StepKind::Sample { .. } => {
                continue;
            }
        };
        let dedup = Dedup { at, columns, near, undone_by: None };
        open.retain(|earlier| !dedup.covers(earlier));
        open.push(dedup);
    }
    for dedup in open {
        let Some(by) = dedup.undone_by else { continue };
        let step = &rules.steps[dedup.at];
        let (StepKind::Set { column, .. } | StepKind::DedupPieces { column, .. }) = rules.steps[by].kind else {
            continue;
        };
        let name = rules.column(column);
        let finding = Diagnostic::new(
            Code::OrderUndone,
            format!("duplicates can come back: `{name}` changes after this `dedup`"),
            step.span,
            format!("compares `{name}` as it is here"),
        )
        .label(rules.steps[by].span, format!("changes `{name}` after it"))
        .help("move the `dedup` behind the last `set` of what it compares");
        findings.add(step.span, finding);
    }
}

/// Whether two different values of a column stay different.
fn keeps_apart(value: &Expr, column: ColumnId) -> bool {
    let constant = |expr: &Expr| matches!(expr.kind, ExprKind::Literal(Literal::String(_)));
    match &value.kind {
        ExprKind::Column(of) => *of == column,
        ExprKind::Binary(BinaryOp::Add, left, right) => {
            constant(left) && keeps_apart(right, column) || constant(right) && keeps_apart(left, column)
        }
        _ => false,
    }
}

/// How a function of texts moves a measure of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moves {
    Down,
    AnyWay,
}

/// What the functions of texts do to what is measured of them, as far as a check of it is worth repeating. `""` stands
/// for the text itself, which may become empty. `dedup` cuts out of a text what occurred before, and drops it where nothing
/// is left.
const MOVES: [(&str, &[(&str, Moves)]); 9] = [
    ("dedup", &[("chars", Moves::Down), ("words", Moves::Down), ("sentences", Moves::Down), ("lines", Moves::Down)]),
    (
        "main_text",
        &[
            ("", Moves::AnyWay),
            ("chars", Moves::Down),
            ("words", Moves::Down),
            ("sentences", Moves::AnyWay),
            ("lines", Moves::AnyWay),
            ("language", Moves::AnyWay),
            ("alpha_ratio", Moves::AnyWay),
        ],
    ),
    (
        "strip_boilerplate",
        &[("", Moves::AnyWay), ("chars", Moves::Down), ("words", Moves::Down), ("lines", Moves::Down)],
    ),
    ("strip_urls", &[("", Moves::AnyWay), ("chars", Moves::Down), ("words", Moves::Down), ("url_ratio", Moves::Down)]),
    (
        "strip_html",
        &[
            ("", Moves::AnyWay),
            ("chars", Moves::Down),
            ("words", Moves::Down),
            ("sentences", Moves::AnyWay),
            ("lines", Moves::AnyWay),
            ("language", Moves::AnyWay),
            ("alpha_ratio", Moves::AnyWay),
            ("digit_ratio", Moves::AnyWay),
            ("upper_ratio", Moves::AnyWay),
        ],
    ),
    (
        "collapse_whitespace",
        &[("", Moves::AnyWay), ("chars", Moves::Down), ("lines", Moves::Down), ("sentences", Moves::Down)],
    ),
    ("strip_control", &[("", Moves::AnyWay), ("chars", Moves::Down)]),
    ("fix_encoding", &[("chars", Moves::Down), ("alpha_ratio", Moves::AnyWay), ("language", Moves::AnyWay)]),
    ("lowercase", &[("upper_ratio", Moves::Down)]),
];

/// What a `drop` has checked of a column: the records with these values of a measure are gone.
struct Checked<'e> {
    at: usize,
    column: ColumnId,
    measure: &'static str,
    gone: Ranges<'e>,
    all: Ranges<'e>,
}

impl Checked<'_> {
    /// Whether a text that the check has left may have one of the values that are gone after it went through these.
    fn is_undone_by(&self, functions: &[&'static str]) -> bool {
        let moves = |function: &&str| {
            let (_, measures) = MOVES.iter().find(|(name, _)| name == function)?;
            measures.iter().find(|(measure, _)| *measure == self.measure).map(|(_, moves)| *moves)
        };
        functions.iter().filter_map(moves).any(|moves| match moves {
            Moves::AnyWay => true,
            Moves::Down => !self.gone.is_upward(&self.all),
        })
    }
}

fn find_measures(rules: &Rules<'_>, findings: &mut Findings) {
    let mut in_force: HashMap<ColumnId, Vec<Checked<'_>>> = HashMap::new();
    let mut undone: Vec<(Checked<'_>, usize)> = Vec::new();
    for (at, step) in rules.steps.iter().enumerate() {
        if let StepKind::DedupPieces { column, .. } = &step.kind {
            undo(&mut in_force, &mut undone, *column, &["dedup"], at);
        } else if let StepKind::Set { column, value } = &step.kind {
            // Where it gets another text altogether, what was checked of the one before says nothing about it.
            match rewrites(value, *column) {
                Some(functions) => undo(&mut in_force, &mut undone, *column, &functions, at),
                None => {
                    in_force.remove(column);
                }
            }
        } else if matches!(step.kind, StepKind::Drop { .. })
            && let Some(formula) = &rules.formulas[at]
        {
            for checked in checked_by(rules, at, formula) {
                undone.retain(|(earlier, _)| {
                    let same = earlier.column == checked.column && earlier.measure == checked.measure;
                    !same || !earlier.gone.is_within(&checked.gone)
                });
                in_force.entry(checked.column).or_default().push(checked);
            }
        }
    }
    for (checked, by) in undone {
        report_measure(rules, &checked, by, findings);
    }
}

/// Takes the checks of a column that a step may undo out of those in force.
fn undo<'e>(
    in_force: &mut HashMap<ColumnId, Vec<Checked<'e>>>,
    undone: &mut Vec<(Checked<'e>, usize)>,
    column: ColumnId,
    functions: &[&'static str],
    at: usize,
) {
    let checks = in_force.remove(&column).unwrap_or_default();
    let (lost, kept): (Vec<_>, Vec<_>) = checks.into_iter().partition(|one| one.is_undone_by(functions));
    in_force.insert(column, kept);
    undone.extend(lost.into_iter().map(|checked| (checked, at)));
}

/// The functions of texts that a column goes through, when that is all that its new value is.
fn rewrites(value: &Expr, column: ColumnId) -> Option<Vec<&'static str>> {
    let mut functions = Vec::new();
    let mut value = value;
    while let ExprKind::Call(function, arguments) = &value.kind
        && matches!(function.eval, Eval::Text(_))
        && let [argument, ..] = arguments.as_slice()
    {
        functions.push(function.name);
        value = argument;
    }
    matches!(value.kind, ExprKind::Column(of) if of == column).then_some(functions)
}

/// What a `drop` checks of single columns.
fn checked_by<'e>(rules: &Rules<'e>, at: usize, formula: &Formula<'e>) -> Vec<Checked<'e>> {
    let mut found = Vec::new();
    let mut open = vec![(formula, Demand::True)];
    while let Some((formula, demand)) = open.pop() {
        match formula {
            Formula::Constant(_) => {}
            Formula::Not(of) => open.push((of, demand.negated())),
            Formula::And(parts) | Formula::Or(parts) => open.extend(parts.iter().map(|part| (part, demand))),
            Formula::Atom(atom) => {
                let Some((column, measure)) = rules.subjects.expr(atom.subject).and_then(measured) else { continue };
                let all = rules.subjects.domain(atom.subject).values.clone();
                let holds = atom.holds.clone();
                let gone = all.intersect(&if demand.is_positive() { holds } else { holds.complement() });
                let told = if measure.is_empty() {
                    !gone.intersect(&Ranges::points([Value::Text("")])).is_empty() && gone != all
                } else {
                    !gone.is_empty() && gone != all
                };
                if told {
                    found.push(Checked { at, column, measure, gone, all });
                }
            }
        }
    }
    found
}

/// The column that an expression measures, and by which function; `""` for a text itself.
fn measured(expr: &Expr) -> Option<(ColumnId, &'static str)> {
    match &expr.kind {
        ExprKind::Column(column) if expr.ty.ty == Type::String => Some((*column, "")),
        ExprKind::Call(function, arguments) if !matches!(function.eval, Eval::Text(_)) => match arguments.as_slice() {
            [Expr { kind: ExprKind::Column(column), .. }] => Some((*column, function.name)),
            _ => None,
        },
        _ => None,
    }
}

fn report_measure(rules: &Rules<'_>, checked: &Checked<'_>, by: usize, findings: &mut Findings) {
    let step = &rules.steps[checked.at];
    let Some(condition) = super::condition(step) else { return };
    let name = rules.column(checked.column);
    let (what, measure) = match checked.measure {
        "" => (format!("`{name}`"), format!("`{name}`")),
        measure => (format!("`{measure}({name})`"), format!("`{measure}` of it")),
    };
    let finding = Diagnostic::new(
        Code::OrderUndone,
        format!("{what} is checked here and changes afterwards: such records can come back"),
        condition.span,
        format!("checks `{name}` as it is here"),
    )
    .label(rules.steps[by].span, format!("changes `{name}`, and {measure} with it"))
    .help(match rules.steps[by].kind {
        StepKind::DedupPieces { .. } => "move the rule behind the `dedup`",
        _ => "move the rule behind the `set`",
    });
    findings.add(step.span, finding);
}
