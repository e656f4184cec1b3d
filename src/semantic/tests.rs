//! Unit tests in the language: records given to a block, and what is expected of them.

use super::compliance::{self, Gathered};
use super::names::Kind;
use super::scope::{Record, ScopeColumn, View};
use super::types::show;
use super::{Context, cleaning, index, suggest, values};
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::{self, ColumnId, FieldType, Literal, Step, TestCase, Type};
use crate::source::Span;
use crate::syntax::ast::test::{Expect, Test};
use crate::syntax::ast::{Decl, Expr, ExprKind, Ident, Text, clean, policy};

/// Resolves all unit tests, in order.
pub(super) fn resolve_tests<'a>(context: &mut Context<'a>, decls: &[&'a Decl]) {
    let mut titles: Vec<(&str, &str, Span)> = Vec::new();
    for decl in decls {
        let Decl::Test(test) = decl else { continue };
        let same = titles.iter().find(|(target, title, _)| *target == test.target.name && *title == test.title.node);
        if let Some((.., first)) = same {
            context.report(
                Diagnostic::new(
                    Code::DuplicateName,
                    format!("two tests of `{}` have this title", test.target.name),
                    test.title.span,
                    "the same title again",
                )
                .label(*first, "first used here")
                .help("say what is different about this one"),
            );
        }
        titles.push((&test.target.name, &test.title.node, test.title.span));
        if let Some(resolved) = resolve_test(context, test) {
            context.program.tests.push(resolved);
        }
    }
}

fn resolve_test(context: &mut Context<'_>, test: &Test) -> Option<hir::Test> {
    let decl = find_target(context, &test.target)?;
    check_counts(context, test);
    let records: Vec<&[(Ident, Expr)]> = test.given.iter().filter_map(|given| record_literal(context, given)).collect();
    let mut record = columns(context, test, &records, matches!(decl, Decl::Clean(_)));
    index::enter(context, test.span, &record);
    let given_columns = record.clone();
    let mut block = run_block(context, decl, &mut record, test)?;
    block.whole &= !context.names.is_damaged(&test.target);
    let (columns, steps) = (record, block.steps);
    let mut cases = Vec::new();
    for (given, expect) in records.iter().zip(&test.expect) {
        let values = given_values(context, &given_columns, given);
        let reasons = block.whole.then(|| reasons(context, decl));
        let expect = resolve_expect(context, expect, &columns, reasons);
        if let (Some(given), Some(expect)) = (values, expect) {
            cases.push(TestCase { given, expect });
        }
    }
    Some(hir::Test {
        target: test.target.name.clone(),
        title: test.title.node.clone(),
        columns: columns.columns.iter().map(ScopeColumn::to_hir).collect(),
        steps,
        cases,
        span: test.span,
    })
}

/// The block under test. Tests of labels and templates are checked by name and refused when tests run.
fn find_target<'a>(context: &mut Context<'a>, target: &Ident) -> Option<&'a Decl> {
    let kinds = [Kind::Clean, Kind::Policy, Kind::Template, Kind::Label];
    let Some(declared) = context.names.get(target) else {
        if context.names.is_damaged(target) {
            return None;
        }
        let candidates: Vec<&str> =
            kinds.iter().flat_map(|kind| context.names.of_kind(target.span.file, *kind)).collect();
        let help = suggest(&target.name, candidates, "blocks that can be tested");
        context.error(
            Code::UnknownName,
            format!("nothing that can be tested is named `{}`", target.name),
            target.span,
            "unknown name",
            help,
        );
        return None;
    };
    index::refer_to_declaration(context, target, declared);
    if declared.kind == Kind::Imported {
        context.names.mark_used(target);
        return None;
    }
    if !kinds.contains(&declared.kind) {
        context.report(
            Diagnostic::new(
                Code::WrongKind,
                format!("`{}` is {}, which has no unit tests", target.name, declared.kind.described()),
                target.span,
                "must name a `clean`, `policy`, `template` or `label`",
            )
            .label(declared.span, format!("declared here as {}", declared.kind.described()))
            .help("test the blocks that it uses"),
        );
        return None;
    }
    Some(declared.decl)
}

fn check_counts(context: &mut Context<'_>, test: &Test) {
    if context.names.is_damaged(&test.target) {
        // What could not be read was reported.
    } else if test.given.is_empty() || test.expect.is_empty() {
        let statement = if test.given.is_empty() { "given" } else { "expect" };
        context.error(
            Code::MissingStatement,
            format!("this test says no `{statement}`"),
            test.title.span,
            format!("needs `{statement}`"),
            format!("add `{statement} {{ text: \"…\" }}`"),
        );
    } else if test.given.len() != test.expect.len() {
        context.error(
            Code::TestCountMismatch,
            format!("{} given and {} expected", records(test.given.len()), records(test.expect.len())),
            test.title.span,
            "not one `expect` for each `given`",
            "say what is expected of each record, in order",
        );
    }
}

fn records(count: usize) -> String {
    if count == 1 { "1 record".to_owned() } else { format!("{count} records") }
}

fn record_literal<'e>(context: &mut Context<'_>, expr: &'e Expr) -> Option<&'e [(Ident, Expr)]> {
    if let ExprKind::Record(members) = &expr.kind {
        for (index, (name, _)) in members.iter().enumerate() {
            if let Some((first, _)) = members[..index].iter().find(|(first, _)| first.name == name.name) {
                context.report(
                    Diagnostic::new(
                        Code::DuplicateName,
                        format!("`{}` stands twice", name.name),
                        name.span,
                        "named again here",
                    )
                    .label(first.span, "first named here")
                    .help("keep one of them"),
                );
            }
        }
        return Some(members);
    }
    context.error(Code::WrongType, "a record is needed here", expr.span, "is no record", "write `{ text: \"…\" }`");
    None
}

/// The record under test: the given fields first, then the other fields of the data sets that use the block, which are
/// null. Types, `@personal` and the rest come from there; where no data set uses the block, from the values given.
fn columns(context: &mut Context<'_>, test: &Test, given: &[&[(Ident, Expr)]], fields_alone: bool) -> Record {
    let users: Vec<usize> = (0..context.datasets.len()).filter(|index| is_used_by(context, test, *index)).collect();
    let mut record = Record { columns: Vec::new(), complete: true };
    for (name, value) in given.iter().copied().flatten() {
        if record.find(&name.name).is_some() {
            continue;
        }
        let known = users.iter().find_map(|index| known_column(&context.datasets[*index], &name.name, fields_alone));
        if let Some(column) = known {
            record.columns.push(column);
        } else if users.is_empty() {
            let ty = literal_type(context, value);
            record.columns.push(ScopeColumn::new(&name.name, ty, name.span, name.span));
        } else {
            unknown_given(context, &users, name);
            record.complete = false;
        }
    }
    for index in users {
        let facts = &context.datasets[index];
        record.complete &= facts.read.complete;
        for column in &facts.record.columns {
            if record.find(&column.name).is_none() {
                record.columns.extend(known_column(facts, &column.name, fields_alone));
            }
        }
    }
    record
}

fn is_used_by(context: &Context<'_>, test: &Test, dataset: usize) -> bool {
    let target = context.names.get(&test.target);
    target.is_some_and(|target| context.datasets[dataset].uses.contains(&target.place))
}

/// A column as a data set has it before its first step; a label, which a `clean` block does not see, as it is after them.
fn known_column(facts: &super::dataset::Facts, name: &str, fields_alone: bool) -> Option<ScopeColumn> {
    let column = facts.record.column(facts.record.find(name)?);
    if column.label.is_some() && !fields_alone {
        return Some(ScopeColumn { not_null: false, ..column.clone() });
    }
    facts.read.find(name).map(|id| facts.read.column(id).clone())
}

fn unknown_given(context: &mut Context<'_>, users: &[usize], name: &Ident) {
    let facts: Vec<&super::dataset::Facts> = users.iter().map(|index| &context.datasets[*index]).collect();
    if facts.iter().any(|facts| !facts.read.complete || !facts.record.complete) {
        return;
    }
    let fields: Vec<String> = facts.iter().flat_map(|facts| facts.record.names()).map(str::to_owned).collect();
    let help = suggest(&name.name, fields.iter().map(String::as_str), "fields");
    context.error(
        Code::UnknownField,
        format!("the record has no field `{}`", name.name),
        name.span,
        "unknown field",
        help,
    );
}

fn literal_type(context: &mut Context<'_>, value: &Expr) -> Option<FieldType> {
    if matches!(value.kind, ExprKind::Null) {
        return Some(FieldType::or_null(Type::String));
    }
    let empty = Record { columns: Vec::new(), complete: true };
    match values::constant(context, &View::of(&empty), value, None)? {
        Literal::Null => Some(FieldType::or_null(Type::String)),
        Literal::Bool(_) => Some(FieldType::or_null(Type::Bool)),
        Literal::Int(_) => Some(FieldType::or_null(Type::Int)),
        Literal::Float(_) => Some(FieldType::or_null(Type::Float)),
        Literal::String(_) => Some(FieldType::plain(Type::String)),
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
    let used = (0..context.datasets.len()).any(|index| is_used_by(context, test, index));
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

fn given_values(context: &mut Context<'_>, record: &Record, given: &[(Ident, Expr)]) -> Option<Vec<Literal>> {
    let mut row = vec![Literal::Null; record.columns.len()];
    let mut whole = true;
    for (name, value) in given {
        let Some(id) = record.find(&name.name) else {
            whole = false;
            continue;
        };
        let column = record.column(id).clone();
        index::refer_to_column(context, name.span, &column);
        match field_value(context, &column, value, true) {
            Some(value) => row[id.0 as usize] = value,
            None => whole = false,
        }
    }
    whole.then_some(row)
}

/// The constant of a field; `None` after a report.
fn field_value(context: &mut Context<'_>, column: &ScopeColumn, value: &Expr, given: bool) -> Option<Literal> {
    let ty = column.ty.clone()?;
    if matches!(value.kind, ExprKind::Null) {
        if given && !ty.nullable {
            let shown = show(context, &ty);
            context.error(
                Code::NullableValue,
                format!("`{}` is `{shown}`, which is never null", column.name),
                value.span,
                "is null",
                "give it a value",
            );
            return None;
        }
        return Some(Literal::Null);
    }
    if matches!(ty.ty, Type::List(_) | Type::Record(_)) {
        let shown = show(context, &ty);
        context.error(
            Code::NotSupported,
            format!("a test cannot give a value of type `{shown}` yet"),
            value.span,
            format!("`{}` is `{shown}`", column.name),
            "leave the field out: it is null",
        );
        return None;
    }
    let empty = Record { columns: Vec::new(), complete: true };
    values::constant(context, &View::of(&empty), value, Some(&ty.ty))
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
                check_reason(context, reason, &reasons)?;
            }
            Some(hir::Expect::Drop(reason.as_ref().map(|reason| reason.node.clone())))
        }
        Expect::Record(expr) => {
            let members = record_literal(context, expr)?;
            let mut expected: Vec<(ColumnId, Literal)> = Vec::new();
            let mut whole = true;
            for (name, value) in members {
                let Some(id) = compliance::find_field(context, record, name) else {
                    whole = false;
                    continue;
                };
                let column = record.column(id).clone();
                match field_value(context, &column, value, false) {
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
            let reason = |rule: &clean::Rule| match &rule.kind {
                clean::RuleKind::Drop { reason, .. } => Some(reason.node.clone()),
                clean::RuleKind::Dedup { .. } => Some(cleaning::in_short(context, rule.span)),
                clean::RuleKind::Set { .. } => None,
            };
            clean.rules.iter().filter_map(reason).collect()
        }
        Decl::Policy(policy) => {
            let reason = |rule: &policy::Rule| match &rule.kind {
                policy::RuleKind::Forbid { reason, else_drop: Some(_), .. } => Some(reason.node.clone()),
                _ => None,
            };
            policy.rules.iter().filter_map(reason).collect()
        }
        _ => Vec::new(),
    }
}

fn check_reason(context: &mut Context<'_>, reason: &Text, reasons: &[String]) -> Option<()> {
    if reasons.contains(&reason.node) {
        return Some(());
    }
    let help = suggest(&reason.node, reasons.iter().map(String::as_str), "reasons");
    context.error(
        Code::UnknownDropReason,
        format!("no rule of the block drops for `{}`", reason.node),
        reason.span,
        "unknown reason",
        help,
    );
    None
}
