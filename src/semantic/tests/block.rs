//! Tests of a `clean` or a `policy`: its steps over the record given.

use super::super::compliance::{self, Gathered};
use super::super::dataset::Facts;
use super::super::scope::{Record, ScopeColumn};
use super::super::{Context, cleaning, packs};
use super::{Given, literal};
use crate::hir::{self, ColumnId, FieldType, Literal, Step, Subject, TestUse, Type, Value};
use crate::syntax::ast::test::{Expect, Test};
use crate::syntax::ast::{Decl, ExprKind, clean, policy};

/// Resolves the block's steps against the records of a test.
pub(super) fn resolve_use(context: &mut Context<'_>, test: &Test, decl: &Decl, given: &[Given<'_>]) -> Option<TestUse> {
    let fields_alone = matches!(decl, Decl::Clean(_));
    let users = super::users(context, &test.target);
    let mut record = super::columns(context, &users, given, |facts, name| known_column(facts, name, fields_alone));
    if users.is_empty() {
        loosen(&mut record);
    }
    let before = record.clone();
    let mut block = run_block(context, decl, &mut record, test)?;
    block.whole &= !context.names.is_damaged(&test.target);
    let cases = super::cases(context, test, given, &before, &[], |context, expect| {
        let reasons = block.whole.then(|| reasons(context, decl));
        resolve_expect(context, expect, &record, reasons)
    });
    Some(TestUse {
        dataset: None,
        columns: record.columns.iter().map(ScopeColumn::to_hir).collect(),
        subject: Subject::Steps(block.steps),
        cases,
    })
}

/// A column as a data set has it before its first step; a label, which a `clean` block does not see, as it is after them.
fn known_column(facts: &Facts, name: &str, fields_alone: bool) -> Option<ScopeColumn> {
    let column = facts.record.column(facts.record.find(name)?);
    if column.label.is_some() && !fields_alone {
        return Some(ScopeColumn { not_null: false, ..column.clone() });
    }
    facts.read.find(name).map(|id| facts.read.column(id).clone())
}

/// Where no data set says so, a number or a flag may be missing too, so that a rule that asks for null is no mistake.
fn loosen(record: &mut Record) {
    for column in &mut record.columns {
        if let Some(ty) = &mut column.ty
            && matches!(ty.ty, Type::Int | Type::Float | Type::Bool)
        {
            *ty = FieldType::or_null(ty.ty.clone());
        }
    }
}

/// The block under test against its record.
struct Block {
    steps: Vec<Step>,
    /// Whether every rule of it is among the steps.
    whole: bool,
}

/// The steps of the block. Where a data set uses it, its mistakes were reported there.
fn run_block(context: &mut Context<'_>, decl: &Decl, record: &mut Record, test: &Test) -> Option<Block> {
    let used = !super::users(context, &test.target).is_empty();
    let before = context.diagnostics.len();
    // A data set that meant to use the block and misspelt its name would have given its fields.
    let misled = !used && crate::diagnostics::has_errors(&context.diagnostics);
    let steps = match decl {
        Decl::Clean(clean) => Some(cleaning::resolve_clean(context, clean, record)),
        Decl::Policy(policy) => {
            let mut gathered = Gathered::default();
            compliance::resolve_policy(context, policy, record, &[], &mut gathered);
            Some(gathered.steps)
        }
        Decl::Source(_)
        | Decl::Label(_)
        | Decl::Template(_)
        | Decl::Dataset(_)
        | Decl::Model(_)
        | Decl::Train(_)
        | Decl::Evaluate(_)
        | Decl::Test(_)
        | Decl::Use(_)
        | Decl::Let(_)
        | Decl::Fn(_) => None,
    };
    let whole = !crate::diagnostics::has_errors(&context.diagnostics[before..]);
    if used || misled {
        context.diagnostics.truncate(before);
    }
    steps.map(|steps| Block { steps, whole })
}

fn resolve_expect(
    context: &mut Context<'_>,
    expect: &Expect,
    record: &Record,
    reasons: Option<Vec<String>>,
) -> Option<hir::Expect> {
    match expect {
        Expect::Drop(reason, _) => {
            if let (Some(reason), Some(reasons)) = (reason, reasons) {
                super::check_reason(context, reason, &reasons)?;
            }
            Some(hir::Expect::Drop(reason.as_ref().map(|reason| reason.node.clone())))
        }
        Expect::Quarantine(place) => {
            super::never_met(
                context,
                *place,
                "a rule of a `clean` or a `policy` quarantines no record",
                "only a label quarantines",
                "expect `drop`, or test the label",
            );
            None
        }
        Expect::Record(expr) => {
            let members = super::record_literal(context, expr)?.members;
            let mut expected: Vec<(ColumnId, Value)> = Vec::new();
            let mut whole = true;
            for (name, value) in members {
                let Some(id) = compliance::find_field(context, record, name) else {
                    whole = false;
                    continue;
                };
                let ty = record.column(id).ty.clone();
                let value = match value.kind {
                    // A field that was not given is null, whatever its type.
                    ExprKind::Null => Some(Value::Constant(Literal::Null)),
                    _ => ty.and_then(|ty| literal::typed(context, &name.name, &ty, value)),
                };
                match value {
                    Some(value) => expected.push((id, value)),
                    None => whole = false,
                }
            }
            whole.then_some(hir::Expect::Record(expected))
        }
    }
}

/// The reasons that the rules of a block drop for, as they are written: also of rules in which a mistake was found.
fn reasons(context: &Context<'_>, decl: &Decl) -> Vec<String> {
    match decl {
        Decl::Clean(clean) => {
            let reasons = |rule: &clean::Rule| match &rule.kind {
                clean::RuleKind::Drop { reason, .. } => vec![reason.node.clone()],
                clean::RuleKind::Dedup { .. }
                | clean::RuleKind::DedupPieces { .. }
                | clean::RuleKind::Decontaminate { .. } => vec![cleaning::in_short(context, rule.span)],
                clean::RuleKind::Pack { name, .. } => packs::reasons(&name.name),
                clean::RuleKind::Set { .. } => Vec::new(),
            };
            clean.rules.iter().flat_map(reasons).collect()
        }
        Decl::Policy(policy) => {
            let reason = |rule: &policy::Rule| match &rule.kind {
                policy::RuleKind::Forbid { reason, .. } => Some(reason.node.clone()),
                _ => None,
            };
            policy.rules.iter().filter_map(reason).collect()
        }
        _ => Vec::new(),
    }
}
