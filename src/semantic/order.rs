//! The order of the rules: what can never fire, what a later rule undoes, what is computed in vain.
//!
//! One block serves many data sets, and a rule that is in vain in one of them may be needed in another. So each data set
//! is looked at as a whole, its `clean` blocks, labels and policies in their order, and a rule is reported when the same
//! holds of it in every data set that uses it. A rule of another file may be needed by who else takes it from there.

mod shadow;
mod undone;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Context;
use super::implies::{Formula, Subjects, may_be_null};
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::{BinaryOp, ColumnId, Dataset, Expr, ExprKind, Keep, Label, Step, StepKind};
use crate::source::Span;

/// Reports the rules of all data sets whose order makes them useless or undone, and defaults for what is never null.
pub(super) fn check_order(context: &mut Context<'_>) {
    let mut findings = Findings::default();
    for dataset in &context.program.datasets {
        for step in &dataset.steps {
            // A rule of a pack is as its authors have published it.
            findings.packs.extend(step.pack.as_ref().map(|_| step.span));
            *findings.uses.entry(step.span).or_default() += 1;
        }
        let rules = Rules::new(&context.program.labels, dataset);
        shadow::find(&rules, &mut findings);
        undone::find(&rules, &mut findings);
        find_overwritten(dataset, &mut findings);
        find_needless_defaults(dataset, &mut findings);
    }
    for allowed in context.datasets.iter().flat_map(|facts| &facts.allows) {
        *findings.uses.entry(allowed.field).or_default() += 1;
        if !allowed.needed {
            findings.add(allowed.field, super::compliance::nothing_to_allow(allowed));
        }
    }
    for (finding, count, rule) in findings.found.into_values() {
        let own = context.program.datasets.iter().any(|dataset| dataset.span.file == rule.file);
        if own && !findings.packs.contains(&rule) && findings.uses.get(&rule) == Some(&count) {
            context.report(finding);
        }
    }
}

/// What was found in each data set, by its primary place.
#[derive(Default)]
struct Findings {
    /// How many data sets a rule stands in, by its place.
    uses: HashMap<Span, usize>,
    /// The statements that name a pack.
    packs: BTreeSet<Span>,
    /// A finding, in how many data sets it was made, and the rule that it is about.
    found: BTreeMap<(Span, Code), (Diagnostic, usize, Span)>,
}

impl Findings {
    /// Adds what was found of a rule in one data set.
    fn add(&mut self, rule: Span, finding: Diagnostic) {
        let place = finding.labels.first().map_or(rule, |label| label.span);
        self.found.entry((place, finding.code)).or_insert((finding, 0, rule)).1 += 1;
    }
}

/// The steps of a data set with the formulas of those that have a condition.
struct Rules<'e> {
    steps: &'e [Step],
    columns: &'e [crate::hir::Column],
    subjects: Subjects<'e>,
    /// Beside `steps`.
    formulas: Vec<Option<Formula<'e>>>,
}

impl<'e> Rules<'e> {
    fn new(labels: &'e [Label], dataset: &'e Dataset) -> Self {
        let mut subjects = Subjects::new(labels);
        let formulas = dataset.steps.iter().map(|step| {
            let formula = condition(step).map(|condition| subjects.formula(condition));
            written(step).iter().for_each(|column| subjects.renew(*column));
            formula
        });
        let formulas = formulas.collect();
        Self { steps: &dataset.steps, columns: &dataset.columns, subjects, formulas }
    }

    fn column(&self, id: ColumnId) -> &'e str {
        &self.columns[id.0 as usize].name
    }
}

/// The condition of a `drop` or `forbid`.
fn condition(step: &Step) -> Option<&Expr> {
    match &step.kind {
        StepKind::Drop { condition } | StepKind::Forbid { condition, .. } => Some(condition),
        StepKind::Set { .. }
        | StepKind::DedupExact { .. }
        | StepKind::DedupNear { .. }
        | StepKind::DedupPieces { .. }
        | StepKind::Decontaminate { .. }
        | StepKind::Label { .. }
        | StepKind::Redact { .. }
        | StepKind::Pair { .. }
        | StepKind::Sample { .. } => None,
    }
}

/// The columns that a step gives a new value.
fn written(step: &Step) -> &[ColumnId] {
    match &step.kind {
        StepKind::Set { column, .. } | StepKind::Label { column, .. } | StepKind::DedupPieces { column, .. } => {
            std::slice::from_ref(column)
        }
        StepKind::Redact { columns, .. } => columns,
        StepKind::Drop { .. }
        | StepKind::DedupExact { .. }
        | StepKind::DedupNear { .. }
        | StepKind::Decontaminate { .. }
        | StepKind::Forbid { .. }
        | StepKind::Pair { .. }
        | StepKind::Sample { .. } => &[],
    }
}

/// The expressions of a step.
fn exprs(step: &Step) -> Vec<&Expr> {
    match &step.kind {
        StepKind::Set { value, .. } => vec![value],
        StepKind::Drop { condition } | StepKind::Forbid { condition, .. } => vec![condition],
        StepKind::Label { value, constraints, drop_when, .. } => {
            std::iter::once(value).chain(constraints).chain(drop_when).collect()
        }
        StepKind::DedupExact { keep, .. } | StepKind::DedupNear { keep, .. } => match keep {
            Keep::First => Vec::new(),
            Keep::Best(by) => vec![by],
        },
        StepKind::DedupPieces { .. }
        | StepKind::Decontaminate { .. }
        | StepKind::Redact { .. }
        | StepKind::Pair { .. }
        | StepKind::Sample { .. } => Vec::new(),
    }
}

/// Calls `visit` with each column whose value a step depends on.
fn visit_read(step: &Step, visit: &mut impl FnMut(ColumnId)) {
    match &step.kind {
        StepKind::Redact { columns, .. } => columns.iter().for_each(|one| visit(*one)),
        StepKind::DedupExact { columns, .. } => {
            columns.iter().for_each(|one| visit(*one));
            exprs(step).into_iter().for_each(|expr| expr.visit_columns(visit));
        }
        StepKind::DedupNear { column, .. } => {
            visit(*column);
            exprs(step).into_iter().for_each(|expr| expr.visit_columns(visit));
        }
        StepKind::DedupPieces { column, .. } | StepKind::Decontaminate { column, .. } => visit(*column),
        StepKind::Set { .. } | StepKind::Drop { .. } | StepKind::Label { .. } | StepKind::Forbid { .. } => {
            exprs(step).into_iter().for_each(|expr| expr.visit_columns(visit));
        }
        // What a writer reads, it reads after all rules: nothing overwrites it.
        StepKind::Pair { .. } | StepKind::Sample { .. } => {}
    }
}

/// What becomes of a column's value next.
#[derive(Clone, Copy)]
enum Next {
    Read,
    Overwritten(Span),
}

/// A `set` whose value is overwritten before anything reads it, from the last step to the first.
fn find_overwritten(dataset: &Dataset, findings: &mut Findings) {
    let mut next: HashMap<ColumnId, Next> = HashMap::new();
    for step in dataset.steps.iter().rev() {
        if let StepKind::Set { column, .. } = step.kind {
            if let Some(Next::Overwritten(by)) = next.get(&column) {
                let name = &dataset.columns[column.0 as usize].name;
                let finding = Diagnostic::new(
                    Code::OverwrittenSet,
                    format!("`{name}` gets another value before anything reads this one"),
                    step.span,
                    "computed in vain",
                )
                .label(*by, format!("gives `{name}` a value that does not depend on the one before"))
                .help(format!("take this `set` out, or let the later one work on it: `set {name} = {name} |> …`"));
                findings.add(step.span, finding);
            }
            next.insert(column, Next::Overwritten(step.span));
        }
        visit_read(step, &mut |column| {
            next.insert(column, Next::Read);
        });
    }
}

/// `a ?? b` where `a` is never null. In the body of a `fn` it may be null for another caller: these are left alone.
fn find_needless_defaults(dataset: &Dataset, findings: &mut Findings) {
    for step in &dataset.steps {
        let within =
            |span: Span| span.file == step.span.file && step.span.start <= span.start && span.end <= step.span.end;
        for expr in exprs(step) {
            expr.visit(&mut |part| {
                if let ExprKind::Binary(BinaryOp::Coalesce, left, right) = &part.kind
                    && !may_be_null(left)
                    && within(right.span)
                {
                    let finding = Diagnostic::new(
                        Code::NeedlessDefault,
                        "this value is never null, so its default is never taken",
                        right.span,
                        "never taken",
                    )
                    .label(left.span, "is never null here")
                    .help("take `??` and the default out");
                    findings.add(step.span, finding);
                }
            });
        }
    }
}
