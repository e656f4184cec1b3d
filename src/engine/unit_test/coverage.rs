//! Which rules tests make fire: the table of all that can, and what counts as firing.
//!
//! A rule fires when in some case it changed, dropped or failed a record that reached it: a `set` gave a field another
//! value, a `redact` replaced something, a `drop`, `dedup` or `forbid` took the record. An arm of a label's mapping fires
//! when it was chosen, `else drop` when it dropped a null, a mapping without arms when it ran, a template when it rendered.

use std::collections::BTreeSet;

use crate::hir::{Expr, ExprKind, FieldType, FromPack, Literal, Program, Step, StepKind, Subject, Type};
use crate::source::Span;

/// A rule that tests can make fire.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// By which it is known.
    pub id: RuleId,
    /// The word of the language that begins it; `label` for a part of a mapping.
    pub kind: &'static str,
    /// The block that it stands in, or the label that it maps to.
    pub block: String,
    /// The data set whose statement it is, for a label.
    pub dataset: Option<String>,
    /// The arm, when it is one.
    pub arm: Option<Arm>,
    /// The rule of a pack, when it is one.
    pub pack: Option<FromPack>,
    /// Where it is shown.
    pub place: Span,
}

/// A statement, or a part of it. A block that several data sets use has each of its rules once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleId {
    /// The statement.
    pub statement: Span,
    /// Which part of it.
    pub part: Part,
}

/// A part of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// All of it.
    Whole,
    /// The arm of a mapping with this index.
    Arm(usize),
    /// The `else drop` of a mapping.
    ElseDrop,
    /// The rule with this place in the pack that the statement names.
    OfPack(usize),
}

/// An arm of a mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct Arm {
    /// The constants that choose it; none for `else`.
    pub patterns: Vec<Literal>,
    /// Whether it drops the record; else its place is that of the value that it gives.
    pub drops: bool,
}

impl RuleId {
    /// A statement as a whole.
    pub fn whole(statement: Span) -> Self {
        Self { statement, part: Part::Whole }
    }

    /// The statement of a step, or the rule of a pack that it is.
    pub fn of_step(step: &Step) -> Self {
        Self { statement: step.span, part: step.pack.as_ref().map_or(Part::Whole, |from| Part::OfPack(from.at)) }
    }
}

/// All rules of a program that tests can make fire, in order of their places.
pub fn rules(program: &Program) -> Vec<Rule> {
    let mut rules = Rules::default();
    for dataset in &program.datasets {
        dataset.steps.iter().for_each(|step| rules.add_step(step, Some(&dataset.name)));
    }
    for test_use in program.tests.iter().flat_map(|test| &test.uses) {
        if let Subject::Steps(steps) = &test_use.subject {
            steps.iter().for_each(|step| rules.add_step(step, test_use.dataset.as_deref()));
        }
    }
    for template in &program.templates {
        rules.add(Rule {
            id: RuleId::whole(template.span),
            kind: "template",
            block: template.name.clone(),
            dataset: None,
            arm: None,
            pack: None,
            place: template.span,
        });
    }
    rules.list.sort_by_key(|rule| rule.id);
    rules.list
}

#[derive(Default)]
struct Rules {
    list: Vec<Rule>,
    known: BTreeSet<RuleId>,
}

impl Rules {
    fn add(&mut self, rule: Rule) {
        if self.known.insert(rule.id) {
            self.list.push(rule);
        }
    }

    fn add_step(&mut self, step: &Step, dataset: Option<&str>) {
        let rule = |kind, dataset: Option<&str>, part, arm, place| Rule {
            id: RuleId { statement: step.span, part },
            kind,
            block: step.block_name.clone(),
            dataset: dataset.map(str::to_owned),
            arm,
            pack: step.pack.clone(),
            place,
        };
        let kind = match &step.kind {
            StepKind::Set { .. } => "set",
            StepKind::Drop { .. } => "drop",
            StepKind::DedupExact { .. } | StepKind::DedupNear { .. } | StepKind::DedupPieces { .. } => "dedup",
            StepKind::Decontaminate { .. } => "decontaminate",
            StepKind::Redact { .. } => "redact",
            StepKind::Forbid { .. } => "forbid",
            // What a writer asks and what a data set takes is no rule of a block.
            StepKind::Pair { .. } | StepKind::Sample { .. } => return,
            StepKind::Label { value, drop_when, null_drops, .. } => {
                let arms = arms(value, drop_when.as_ref());
                if arms.is_empty() {
                    self.add(rule("label", dataset, Part::Whole, None, step.span));
                }
                for (at, (arm, place)) in arms.into_iter().enumerate() {
                    self.add(rule("label", dataset, Part::Arm(at), Some(arm), place));
                }
                if *null_drops {
                    self.add(rule("label", dataset, Part::ElseDrop, None, step.span));
                }
                return;
            }
        };
        self.add(rule(kind, None, RuleId::of_step(step).part, None, step.span));
    }
}

/// The arms of a mapping with the places of what they give; `else` is the last one.
fn arms(value: &Expr, drop_when: Option<&Expr>) -> Vec<(Arm, Span)> {
    let ExprKind::Match { arms, otherwise, .. } = &value.kind else { return Vec::new() };
    let (dropping, drops_otherwise) = match drop_when.map(|condition| &condition.kind) {
        Some(ExprKind::Match { arms, otherwise, .. }) => {
            (arms.iter().map(|(_, body)| is_true(body)).collect(), otherwise.as_deref().is_some_and(is_true))
        }
        _ => (vec![false; arms.len()], false),
    };
    let listed = arms.iter().zip(dropping);
    let listed = listed.map(|((patterns, body), drops)| (Arm { patterns: patterns.clone(), drops }, body.span));
    let last = otherwise.as_deref();
    listed.chain(last.map(|body| (Arm { patterns: Vec::new(), drops: drops_otherwise }, body.span))).collect()
}

fn is_true(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Literal(Literal::Bool(true)))
}

/// The index of the arm that a record chooses, as an expression; `None` for a mapping without arms.
pub(super) fn chosen_arm(value: &Expr) -> Option<Expr> {
    let ExprKind::Match { subject, arms, otherwise } = &value.kind else { return None };
    let index = |at: usize| Expr {
        kind: ExprKind::Literal(Literal::Int(at as i64)),
        ty: FieldType::plain(Type::Int),
        span: value.span,
    };
    let numbered = arms.iter().enumerate().map(|(at, (patterns, _))| (patterns.clone(), index(at))).collect();
    Some(Expr {
        kind: ExprKind::Match {
            subject: subject.clone(),
            arms: numbered,
            otherwise: otherwise.as_ref().map(|_| Box::new(index(arms.len()))),
        },
        ty: FieldType::or_null(Type::Int),
        span: value.span,
    })
}
