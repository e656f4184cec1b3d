//! Policies: redaction, forbidden records, licences, requirements of the whole set.

use super::licence::{self, Licensed};
use super::quantities::{Bounds, number};
use super::scope::{Record, View};
use super::types::{resolve_condition, unknown_field};
use super::{Context, cleaning, gates, index, suggest, taint};
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::{self, ColumnId, PersonalStatement, RequireSubject, Requirement, Step, StepBlock, StepKind};
use crate::pii::{self, Detector};
use crate::source::Span;
use crate::syntax::ast::policy::{Policy, RuleKind, Target};
use crate::syntax::ast::{self, Ident, Text};

/// Kinds of personal data that `@personal( … )` may name though no detector finds them.
pub(super) const UNDETECTED: [&str; 6] = ["name", "address", "birth_date", "location", "health", "account"];

/// Reports a kind of personal data that is unknown.
pub(super) fn check_personal_kind(context: &mut Context<'_>, kind: &Ident) -> bool {
    let known = || pii::all().iter().map(|detector| detector.name).chain(UNDETECTED);
    if known().any(|name| name == kind.name) {
        return true;
    }
    let help = suggest(&kind.name, known(), "kinds");
    context.error(
        Code::UnknownDetector,
        format!("`{}` is no kind of personal data", kind.name),
        kind.span,
        "unknown kind",
        help,
    );
    false
}

/// What the policies of a record gather.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) steps: Vec<Step>,
    pub(super) requirements: Vec<Requirement>,
    pub(super) personal: Vec<PersonalStatement>,
    pub(super) allowed: Vec<Allowed>,
}

/// A field of `allow personal`.
pub(super) struct Allowed {
    pub(super) field: Span,
    pub(super) name: String,
    /// Whether it may hold personal data, or might before it was redacted.
    pub(super) needed: bool,
    /// Where the field was declared.
    pub(super) declared: Option<Span>,
}

/// That a field is allowed to hold personal data which it does not hold.
pub(super) fn nothing_to_allow(allowed: &Allowed) -> Diagnostic {
    let name = &allowed.name;
    let mut diagnostic = Diagnostic::new(
        Code::NothingToAllow,
        format!("`{name}` may not hold personal data: there is nothing to allow"),
        allowed.field,
        "not personal",
    );
    if let Some(declared) = allowed.declared {
        diagnostic = diagnostic.label(declared, "declared here, without `@personal`");
    }
    diagnostic.help(format!("take it out, or mark the field at its source: `{name}: string @personal`"))
}

/// Resolves one policy against a record and its sources.
pub(super) fn resolve_policy(
    context: &mut Context<'_>,
    policy: &Policy,
    record: &mut Record,
    sources: &[Licensed<'_>],
    gathered: &mut Gathered,
) {
    for rule in &policy.rules {
        index::enter(context, rule.span, record);
        let kind = match &rule.kind {
            RuleKind::Redact { targets, kinds } => resolve_redact(context, targets, kinds, record, gathered),
            RuleKind::Forbid { condition, else_drop, .. } => resolve_forbid(context, condition, *else_drop, record),
            RuleKind::AllowLicense(allowed) => {
                resolve_allow_license(context, allowed, sources, rule.span);
                None
            }
            RuleKind::AllowPersonal { fields, because } => {
                resolve_allow_personal(context, fields, because, record, gathered);
                None
            }
            RuleKind::Require { condition, per } => {
                let requirement = resolve_require(context, condition, per.as_ref(), record, rule.span);
                gathered.requirements.extend(requirement);
                None
            }
            RuleKind::KeepFor { age, field } => {
                number(context, age, Bounds::positive("the age").unit(&["days", "weeks", "months", "years"]));
                find_field(context, record, field);
                None
            }
            RuleKind::KAnonymous { k, fields } => {
                super::quantities::whole(
                    context,
                    k,
                    Bounds::between("the number of records that look alike", 2.0, f64::INFINITY),
                );
                fields.iter().for_each(|field| {
                    find_field(context, record, field);
                });
                None
            }
            RuleKind::Pack(_) => None,
        };
        if let Some(kind) = kind {
            let rule_name = match &rule.kind {
                RuleKind::Forbid { reason, .. } => reason.node.clone(),
                _ => cleaning::in_short(context, rule.span),
            };
            let step = cleaning::step(
                context,
                StepBlock::Policy,
                &context.names.title(&policy.name),
                kind,
                rule_name,
                rule.span,
            );
            gathered.steps.push(step);
        }
    }
    let statements: Vec<Span> = policy.rules.iter().map(|rule| rule.span).collect();
    cleaning::check_repeated(context, &statements);
}

/// The column of a field; reported when there is none.
pub(super) fn find_field(context: &mut Context<'_>, record: &Record, field: &Ident) -> Option<ColumnId> {
    let found = record.find(&field.name);
    match found {
        Some(id) => index::refer_to_column(context, field.span, record.column(id)),
        None => unknown_field(context, &View::of(record), field),
    }
    found
}

fn resolve_detectors(context: &mut Context<'_>, kinds: &[Ident]) -> Vec<&'static Detector> {
    let mut named: Vec<&str> = Vec::new();
    for kind in kinds {
        if pii::lookup(&kind.name).is_some() {
            named.push(&kind.name);
            continue;
        }
        let help = if UNDETECTED.contains(&kind.name.as_str()) {
            "nothing finds this kind in a text; say why it may stay: `allow personal FIELD because \"…\"`".into()
        } else {
            suggest(&kind.name, pii::all().iter().map(|detector| detector.name), "detectors")
        };
        context.error(
            Code::UnknownDetector,
            format!("there is no detector `{}`", kind.name),
            kind.span,
            "unknown detector",
            help,
        );
    }
    pii::all().iter().filter(|detector| named.contains(&detector.name)).collect()
}

fn resolve_redact(
    context: &mut Context<'_>,
    targets: &[Target],
    kinds: &[Ident],
    record: &mut Record,
    gathered: &mut Gathered,
) -> Option<StepKind> {
    let detectors = resolve_detectors(context, kinds);
    let whole = detectors.len() == kinds.len();
    let mut columns: Vec<ColumnId> = Vec::new();
    for target in targets {
        match target {
            Target::Personal(span) => {
                let tainted: Vec<ColumnId> = (0..record.columns.len() as u32)
                    .map(ColumnId)
                    .filter(|id| record.column(*id).held_personal && taint::is_redactable(record.column(*id)))
                    .collect();
                // A field of an unknown type, or with a misspelt attribute, may be the one that is meant.
                let is_known = record.columns.iter().all(|column| column.ty.is_some())
                    && !context.diagnostics.iter().any(|found| found.code == Code::UnknownAttribute);
                if tainted.is_empty() && record.complete && is_known {
                    context.error(
                        Code::NothingToRedact,
                        "no text field of this record may hold personal data",
                        *span,
                        "`@personal` names nothing here",
                        "mark the fields at their source: `text: string @personal`, or name them: `redact text: email`",
                    );
                }
                columns.extend(tainted);
            }
            Target::Field(field)
                if field.name == "personal" && record.complete && record.find("personal").is_none() =>
            {
                context.error(
                    Code::UnknownField,
                    "the record has no field `personal`",
                    field.span,
                    "did you mean `@personal`?",
                    "`@personal` names all fields that may hold personal data",
                );
            }
            Target::Field(field) => columns.extend(text_field(context, record, field, "`redact` works on texts")),
        }
    }
    columns.sort();
    columns.dedup();
    let names: Vec<&str> = kinds.iter().map(|kind| kind.name.as_str()).collect();
    for column in &columns {
        if record.column(*column).personal.is_some() || record.column(*column).held_personal {
            state_personal(gathered, *column, None);
        }
        let column = record.column_mut(*column);
        // A misspelt kind was reported: the leak that it would cause is no mistake of its own.
        column.taint = if whole { column.taint.take().and_then(|taint| taint.without(&names)) } else { None };
    }
    if columns.is_empty() || detectors.is_empty() {
        return None;
    }
    Some(StepKind::Redact { columns, detectors })
}

fn state_personal(gathered: &mut Gathered, column: ColumnId, because: Option<String>) {
    if !gathered.personal.iter().any(|statement| statement.column == column && statement.because == because) {
        gathered.personal.push(PersonalStatement { column, because });
    }
}

/// The column of a text field; reported when it is none.
pub(super) fn text_field(context: &mut Context<'_>, record: &Record, field: &Ident, needs: &str) -> Option<ColumnId> {
    let id = find_field(context, record, field)?;
    let ty = record.column(id).ty.clone()?;
    if ty.ty == hir::Type::String {
        return Some(id);
    }
    let shown = super::types::show(context, &ty);
    let mut diagnostic = Diagnostic::new(
        Code::WrongType,
        format!("{needs}, and `{}` is `{shown}`", field.name),
        field.span,
        format!("is `{shown}`"),
    );
    if let Some(declared) = record.column(id).declared.first() {
        diagnostic = diagnostic.label(*declared, "declared here");
    }
    context.report(diagnostic.help("name a field of type `string`"));
    None
}

fn resolve_forbid(
    context: &mut Context<'_>,
    condition: &ast::Expr,
    else_drop: Option<Span>,
    record: &mut Record,
) -> Option<StepKind> {
    let condition = resolve_condition(context, &View::of(record), condition)?;
    cleaning::check_constant(context, &condition);
    cleaning::narrow(record, &condition);
    Some(StepKind::Forbid { condition, else_drop: else_drop.is_some() })
}

fn resolve_allow_license(context: &mut Context<'_>, allowed: &[Text], sources: &[Licensed<'_>], rule: Span) {
    let mut whole = true;
    for license in allowed {
        whole &= licence::check_expression(context, license);
    }
    if whole {
        licence::check_allowed(context, sources, allowed, rule);
    }
}

fn resolve_allow_personal(
    context: &mut Context<'_>,
    fields: &[Ident],
    because: &Text,
    record: &mut Record,
    gathered: &mut Gathered,
) {
    if because.node.trim().is_empty() {
        context.error(
            Code::MissingStatement,
            "`because` gives no reason",
            because.span,
            "is empty",
            "say why the personal data may stay: the manifest records it",
        );
    }
    let complete = record.complete;
    for field in fields {
        if let Some(id) = find_field(context, record, field) {
            let column = record.column_mut(id);
            let stated = gathered.personal.iter().any(|statement| statement.column == id);
            gathered.allowed.push(Allowed {
                field: field.span,
                name: field.name.clone(),
                needed: stated || column.personal.is_some() || column.taint.is_some() || !complete,
                declared: column.declared.first().copied(),
            });
            column.taint = None;
            state_personal(gathered, id, Some(because.node.clone()));
        }
    }
}

fn resolve_require(
    context: &mut Context<'_>,
    condition: &ast::Expr,
    per: Option<&Ident>,
    record: &Record,
    span: Span,
) -> Option<Requirement> {
    let subject = gates::aggregate(context, condition);
    let mut column = None;
    if let Some(per) = per {
        let id = find_field(context, record, per)?;
        taint::check_column(context, record.column(id), per.span, "the report of a requirement");
        column = Some(id);
    }
    let (subject, comparison, bound) = subject?;
    if subject == RequireSubject::Share && column.is_none() {
        context.error(
            Code::MissingStatement,
            "the share of the whole set is always 100%",
            condition.span,
            "a share of what?",
            "say `per`: `require share() <= 40% per intent`",
        );
        return None;
    }
    let rule = cleaning::in_short(context, span);
    let line = context.line(span);
    Some(Requirement { subject, comparison, bound, per: column, rule, span, line })
}
