//! Unit tests in the language: records given to a block, and what is expected of them.
//!
//! One file for each kind of block that can be tested; `literal` gives the values written in a test their types.

mod block;
mod label;
mod literal;
mod template;

use super::dataset::Facts;
use super::names::Kind;
use super::scope::{Record, ScopeColumn};
use super::{Context, index, suggest};
use crate::diagnostics::{Code, Diagnostic, closest};
use crate::hir::{self, TestCase, TestKind, Value};
use crate::source::Span;
use crate::syntax::ast::test::{Expect, Test};
use crate::syntax::ast::{self, Decl, Expr, ExprKind, Ident, Text};

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
    let target = find_target(context, &test.target)?;
    check_counts(context, test);
    let given: Vec<Given<'_>> = test.given.iter().filter_map(|given| record_literal(context, given)).collect();
    let (kind, uses) = match target {
        Target::Block(kind, decl) => (kind, block::resolve_use(context, test, decl, &given).into_iter().collect()),
        Target::Template(template) => {
            (TestKind::Template, template::resolve_use(context, test, template, &given).into_iter().collect())
        }
        Target::Label(label) => (TestKind::Label, label::resolve_uses(context, test, label, &given)),
    };
    Some(hir::Test { target: test.target.name.clone(), kind, title: test.title.node.clone(), uses, span: test.span })
}

/// A record as a test writes it.
#[derive(Debug, Clone, Copy)]
struct Given<'e> {
    members: &'e [(Ident, Expr)],
    span: Span,
}

/// The block under test.
enum Target<'a> {
    /// A `clean` or a `policy`.
    Block(TestKind, &'a Decl),
    Template(&'a ast::template::Template),
    Label(&'a ast::label::Label),
}

fn find_target<'a>(context: &mut Context<'a>, target: &Ident) -> Option<Target<'a>> {
    let Some(declared) = context.names.get(target) else {
        if context.names.is_damaged(target) {
            return None;
        }
        let kinds = [Kind::Clean, Kind::Policy, Kind::Template, Kind::Label];
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
    match declared.decl {
        Decl::Clean(_) => Some(Target::Block(TestKind::Clean, declared.decl)),
        Decl::Policy(_) => Some(Target::Block(TestKind::Policy, declared.decl)),
        Decl::Template(template) => Some(Target::Template(template)),
        Decl::Label(label) => Some(Target::Label(label)),
        Decl::Source(_)
        | Decl::Dataset(_)
        | Decl::Model(_)
        | Decl::Train(_)
        | Decl::Evaluate(_)
        | Decl::Test(_)
        | Decl::Use(_)
        | Decl::Let(_)
        | Decl::Fn(_) => {
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
            None
        }
    }
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

/// The members of a record; one that stands twice is reported.
fn record_literal<'e>(context: &mut Context<'_>, expr: &'e Expr) -> Option<Given<'e>> {
    let ExprKind::Record(members) = &expr.kind else {
        context.error(Code::WrongType, "a record is needed here", expr.span, "is no record", "write `{ text: \"…\" }`");
        return None;
    };
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
    Some(Given { members, span: expr.span })
}

/// The data sets that use a block or a template.
fn users(context: &Context<'_>, name: &Ident) -> Vec<usize> {
    let Some(declared) = context.names.get(name) else { return Vec::new() };
    (0..context.datasets.len()).filter(|index| context.datasets[*index].uses.contains(&declared.place)).collect()
}

/// The record under test: the fields of the data sets that use the block, as `known` finds them with their types,
/// `@personal` and the rest; where no data set uses it, the fields given with the types of their values. The order is that
/// of the data sets, whatever is given, so that all tests of a block have the same columns.
fn columns(
    context: &mut Context<'_>,
    users: &[usize],
    given: &[Given<'_>],
    known: impl Fn(&Facts, &str) -> Option<ScopeColumn>,
) -> Record {
    let mut record = Record { columns: Vec::new(), complete: true };
    for index in users {
        let facts = &context.datasets[*index];
        record.complete &= facts.read.complete;
        for column in &facts.record.columns {
            if record.find(&column.name).is_none() {
                record.columns.extend(known(facts, &column.name));
            }
        }
    }
    for (name, _) in given.iter().flat_map(|given| given.members) {
        if record.find(&name.name).is_some() {
            continue;
        }
        if users.is_empty() {
            let values: Vec<&Expr> = values_of(given, &name.name).collect();
            let ty = literal::common_type(context, &name.name, &values);
            record.columns.push(ScopeColumn::new(&name.name, ty, name.span, name.span));
        } else {
            unknown_given(context, users, name);
            record.complete = false;
        }
    }
    record
}

/// All values that a test gives a field.
fn values_of<'e>(given: &[Given<'e>], name: &str) -> impl Iterator<Item = &'e Expr> {
    let members = given.iter().flat_map(|given| given.members);
    members.filter(move |(member, _)| member.name == name).map(|(_, value)| value)
}

/// Reports a given field that none of the data sets has.
fn unknown_given(context: &mut Context<'_>, users: &[usize], name: &Ident) {
    let facts: Vec<&Facts> = users.iter().map(|index| &context.datasets[*index]).collect();
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

/// A field that what is tested reads, with the place where it does.
struct Needed {
    field: String,
    place: Span,
    /// What reads it: "the template".
    reader: String,
}

/// The cases of a test: each record given beside what is expected of it.
fn cases(
    context: &mut Context<'_>,
    test: &Test,
    given: &[Given<'_>],
    record: &Record,
    needed: &[Needed],
    mut expect: impl FnMut(&mut Context<'_>, &Expect) -> Option<hir::Expect>,
) -> Vec<TestCase> {
    index::enter(context, test.span, record);
    let mut cases = Vec::new();
    for (given, written) in given.iter().zip(&test.expect) {
        let values = given_values(context, record, given);
        check_needed(context, record, given, needed);
        let expected = expect(context, written);
        let span = match written {
            Expect::Record(expr) => expr.span,
            Expect::Drop(_, span) | Expect::Quarantine(span) => *span,
        };
        if let (Some(given), Some(expect)) = (values, expected) {
            cases.push(TestCase { given, expect, span });
        }
    }
    cases
}

/// A value for each column. A field that the record does not have was reported, or another data set has it.
fn given_values(context: &mut Context<'_>, record: &Record, given: &Given<'_>) -> Option<Vec<Value>> {
    let mut row = vec![Value::NULL; record.columns.len()];
    let mut whole = true;
    for (name, value) in given.members {
        let Some(id) = record.find(&name.name) else { continue };
        index::refer_to_column(context, name.span, record.column(id));
        let ty = record.column(id).ty.clone();
        match ty.and_then(|ty| literal::typed(context, &name.name, &ty, value)) {
            Some(value) => row[id.0 as usize] = value,
            None => whole = false,
        }
    }
    whole.then_some(row)
}

/// Reports what is read, is never null in a build, and is left out here.
fn check_needed(context: &mut Context<'_>, record: &Record, given: &Given<'_>, needed: &[Needed]) {
    for needed in needed {
        let ty = record.find(&needed.field).and_then(|id| record.column(id).ty.as_ref());
        let left_out = given.members.iter().all(|(name, _)| name.name != needed.field);
        // A misspelt field was reported: it was meant for this one.
        let misspelt = given.members.iter().any(|(name, _)| {
            record.find(&name.name).is_none() && closest(&name.name, [needed.field.as_str()]).is_some()
        });
        if left_out && !misspelt && ty.is_some_and(|ty| !ty.nullable) {
            context.report(
                Diagnostic::new(
                    Code::NullableValue,
                    format!("`{}` is never null, and this record leaves it out", needed.field),
                    given.span,
                    format!("has no `{}`", needed.field),
                )
                .label(needed.place, format!("{} reads it here", needed.reader))
                .help(format!("add `{}: …`", needed.field)),
            );
        }
    }
}

/// Reports an expectation that what is tested can never meet.
fn never_met(context: &mut Context<'_>, place: Span, message: &str, label: &str, help: &str) {
    context.error(Code::ExpectationDoesNotFit, message, place, label, help);
}

/// Whether rules drop for this reason; reported when none does.
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
