//! Tests of a template: its slots, rendered from the record given.

use super::super::dataset::Facts;
use super::super::scope::ScopeColumn;
use super::super::{Context, suggest, templates};
use super::{Given, Needed, literal};
use crate::diagnostics::Code;
use crate::hir::{self, FieldType, Literal, Subject, TemplateKind, TestUse, Turn, Type, Value};
use crate::source::Span;
use crate::syntax::ast::template::Template;
use crate::syntax::ast::test::{Expect, Test};
use crate::syntax::ast::{Expr, ExprKind};

/// Resolves the template against the records of a test.
pub(super) fn resolve_use(
    context: &mut Context<'_>,
    test: &Test,
    template: &Template,
    given: &[Given<'_>],
) -> Option<TestUse> {
    let id = templates::template_id(context, &template.name)?;
    let users = super::users(context, &template.name);
    let record = super::columns(context, &users, given, known_column);
    let misled = crate::diagnostics::has_errors(&context.diagnostics);
    if users.is_empty() && !misled {
        // No data set has checked what the template reads.
        templates::check_use(context, id, &record, test.target.span, "this test");
    }
    let reads = templates::reads(context, id);
    let needed = reads.into_iter().map(|(field, place)| Needed { field, place, reader: "the template".to_owned() });
    let needed: Vec<Needed> = needed.collect();
    let slots = slots(&context.program[id].kind);
    let whole = !context.names.is_damaged(&template.name);
    let cases = super::cases(context, test, given, &record, &needed, |context, expect| {
        resolve_expect(context, template, expect, whole.then_some(&slots))
    });
    Some(TestUse {
        dataset: None,
        columns: record.columns.iter().map(ScopeColumn::to_hir).collect(),
        subject: Subject::Template(id),
        cases,
    })
}

/// A column as the template of a data set sees it: at the end of all steps.
fn known_column(facts: &Facts, name: &str) -> Option<ScopeColumn> {
    let column = facts.record.column(facts.record.find(name)?);
    (!column.hidden).then(|| ScopeColumn { ty: column.current(), ..column.clone() })
}

/// A slot that a test may name, with the number of its texts where that is known.
struct Slot {
    name: String,
    texts: Option<usize>,
}

/// The slots of a template: of a chat its roles. What the turns of a field are, each record says.
fn slots(kind: &TemplateKind) -> Vec<Slot> {
    let single = |names: &[&str]| names.iter().map(|name| Slot { name: (*name).to_owned(), texts: Some(1) }).collect();
    match kind {
        TemplateKind::Completion { .. } => single(&["prompt", "completion"]),
        TemplateKind::Preference { .. } => single(&["prompt", "chosen", "rejected"]),
        TemplateKind::Text(_) => single(&["text"]),
        TemplateKind::Chat(turns) => {
            if turns.iter().any(|turn| matches!(turn, Turn::Field { .. })) {
                return templates::roles().map(|role| Slot { name: role.to_owned(), texts: None }).collect();
            }
            let mut slots: Vec<Slot> = Vec::new();
            for turn in turns {
                let Turn::Text { role, .. } = turn else { continue };
                match slots.iter_mut().find(|slot| slot.name == *role) {
                    Some(slot) => slot.texts = slot.texts.map(|texts| texts + 1),
                    None => slots.push(Slot { name: role.clone(), texts: Some(1) }),
                }
            }
            slots
        }
    }
}

/// `slots` is `None` for a template that could not be read as a whole.
fn resolve_expect(
    context: &mut Context<'_>,
    template: &Template,
    expect: &Expect,
    slots: Option<&Vec<Slot>>,
) -> Option<hir::Expect> {
    let written = match expect {
        Expect::Record(written) => written,
        Expect::Drop(_, place) | Expect::Quarantine(place) => {
            super::never_met(
                context,
                *place,
                "a template takes no record out",
                "it renders every record",
                "expect its slots: `expect { user: \"…\" }`; or test the block that drops",
            );
            return None;
        }
    };
    let members = super::record_literal(context, written)?.members;
    let slots = slots?;
    let mut expected = Vec::new();
    let mut whole = true;
    for (name, value) in members {
        let Some(slot) = slots.iter().find(|slot| slot.name == name.name) else {
            let help = suggest(&name.name, slots.iter().map(|slot| slot.name.as_str()), "slots");
            context.error(
                Code::UnknownSlot,
                format!("template `{}` has no slot `{}`", template.name.name, name.name),
                name.span,
                "unknown slot",
                help,
            );
            whole = false;
            continue;
        };
        match texts(context, template, slot, value) {
            Some(texts) => expected.push((slot.name.clone(), texts)),
            None => whole = false,
        }
    }
    whole.then_some(hir::Expect::Slots(expected))
}

/// The texts expected of a slot: one as it is, several as a list.
fn texts(context: &mut Context<'_>, template: &Template, slot: &Slot, value: &Expr) -> Option<Vec<String>> {
    let listed = matches!(value.kind, ExprKind::List(_)) && template.kind.name == "chat";
    let text = FieldType::plain(Type::String);
    let ty = if listed { FieldType::plain(Type::List(Box::new(text))) } else { text };
    let texts = match literal::typed(context, &slot.name, &ty, value)? {
        Value::List(items) => items,
        single @ (Value::Constant(_) | Value::Record(_)) => vec![single],
    };
    let texts: Vec<String> = texts
        .into_iter()
        .filter_map(|text| match text {
            Value::Constant(Literal::String(text)) => Some(text),
            Value::Constant(_) | Value::List(_) | Value::Record(_) => None,
        })
        .collect();
    match slot.texts {
        Some(count) if count != texts.len() => {
            other_count(context, template, slot, count, texts.len(), value.span);
            None
        }
        Some(_) | None => Some(texts),
    }
}

fn other_count(context: &mut Context<'_>, template: &Template, slot: &Slot, has: usize, expected: usize, place: Span) {
    let name = &slot.name;
    let turns = if has == 1 { format!("one `{name}` turn") } else { format!("{has} `{name}` turns") };
    let texts = if expected == 1 { "one text is".to_owned() } else { format!("{expected} texts are") };
    let list = vec!["\"…\""; has].join(", ");
    let help = if has == 1 {
        format!("write `{name}: \"…\"`")
    } else {
        format!("write one text for each: `{name}: [{list}]`")
    };
    context.error(
        Code::ExpectationDoesNotFit,
        format!("template `{}` has {turns}, and {texts} expected", template.name.name),
        place,
        format!("{expected} of {has}"),
        help,
    );
}
