//! Prompt templates: their slots, their Jinja, and what they read from a record. Where a record is given to them is checked
//! in [`applied`].

mod applied;

use std::collections::BTreeSet;
use std::ops::Range;

pub(super) use applied::check_use;

use super::names::Kind;
use super::{Context, answers, quantities, suggest};
use crate::diagnostics::Code;
use crate::hir::{self, TemplateId, TemplateKind, Turn};
use crate::prompt::{self, Variable};
use crate::source::Span;
use crate::syntax::ast::template::{Item, ItemBody, Template};
use crate::syntax::ast::{self, Ident};

/// The kinds of template with their slots.
pub(super) const KINDS: [(&str, &[&str]); 4] = [
    ("chat", &["system", "user", "assistant", "turns"]),
    ("completion", &["prompt", "completion"]),
    ("preference", &["prompt", "chosen", "rejected"]),
    ("text", &["text"]),
];

/// Whether a kind of template has this name.
pub(super) fn is_kind(name: &str) -> bool {
    KINDS.iter().any(|(kind, _)| *kind == name)
}

/// The roles of a chat's turns; those of a field may also be a tool's.
pub(super) fn roles() -> impl Iterator<Item = &'static str> {
    KINDS[0].1.iter().copied().filter(|slot| *slot != "turns").chain(["tool"])
}

/// What a template reads from the record.
pub(super) struct Facts<'a> {
    reads: Vec<Read<'a>>,
    pub(super) slots: Vec<Slot>,
}

impl<'a> Facts<'a> {
    /// The values that one of its slots reads, with their places in the file.
    pub(super) fn variables(&self, slot: &Slot) -> impl Iterator<Item = (&Variable, Span)> {
        self.reads[slot.reads.clone()].iter().filter_map(|read| match read {
            Read::Variable(variable, span, _) => Some((variable, *span)),
            Read::Braced(..) | Read::Turns(_) => None,
        })
    }
}

/// One slot of a template.
pub(super) struct Slot {
    /// Its text, or the field of `turns`.
    pub(super) place: Span,
    /// What it reads, among what the template reads.
    pub(super) reads: Range<usize>,
    /// Whether it is learnt; else it is given.
    pub(super) learnt: bool,
    /// Whether its text is a template, so that it is known what it reads.
    pub(super) readable: bool,
    /// Whether its text is empty but for white space.
    pub(super) blank: bool,
}

enum Read<'a> {
    /// A value in a Jinja text, with its place in the file, and all places where it is read if they are known.
    Variable(Variable, Span, Vec<Span>),
    /// A name in single braces, as other template languages have them.
    Braced(String, Span),
    /// The field of `turns`.
    Turns(&'a Ident),
}

/// Resolves all templates, in order; each gets an id, also one with mistakes.
pub(super) fn resolve_templates<'a>(context: &mut Context<'a>, decls: &[&'a ast::Decl]) {
    for decl in decls {
        if let ast::Decl::Template(template) = decl {
            let (mut reads, mut slots) = (Vec::new(), Vec::new());
            let kind = resolve_template(context, template, &mut reads, &mut slots);
            if !context.names.is_damaged(&template.name) {
                answers::check_learnt(context, &slots);
            }
            context.ids.insert(template.name.span, context.program.templates.len() as u32);
            context.program.templates.push(hir::Template {
                name: context.names.title(&template.name),
                kind,
                span: template.span,
            });
            context.template_facts.push(Facts { reads, slots });
        }
    }
}

/// The id of a declared template.
pub(super) fn template_id(context: &Context<'_>, name: &Ident) -> Option<TemplateId> {
    context.names.get(name).filter(|declared| declared.kind == Kind::Template)?;
    context.id_of(name).map(TemplateId)
}

fn resolve_template<'a>(
    context: &mut Context<'a>,
    template: &'a Template,
    reads: &mut Vec<Read<'a>>,
    parts: &mut Vec<Slot>,
) -> TemplateKind {
    let known = KINDS.iter().find(|(kind, _)| *kind == template.kind.name);
    if known.is_none() {
        let help = suggest(&template.kind.name, KINDS.iter().map(|(kind, _)| *kind), "kinds");
        context.error(
            Code::UnknownTemplateKind,
            format!("there is no kind of template `{}`", template.kind.name),
            template.kind.span,
            "unknown kind",
            help,
        );
    }
    for item in &template.items {
        if let Some((kind, slots)) = known
            && !slots.contains(&item.slot.name.as_str())
        {
            let help = suggest(&item.slot.name, slots.iter().copied(), "slots");
            context.error(
                Code::UnknownSlot,
                format!("a `{kind}` template has no slot `{}`", item.slot.name),
                item.slot.span,
                "unknown slot",
                help,
            );
        }
        check_mute(context, item);
        parts.push(parse_item(context, item, reads));
    }
    match template.kind.name.as_str() {
        "chat" => TemplateKind::Chat(chat_turns(context, template)),
        "completion" => {
            let [prompt, completion] = slots(context, template, ["prompt", "completion"]);
            TemplateKind::Completion { prompt, completion }
        }
        "preference" => {
            let [prompt, chosen, rejected] = slots(context, template, ["prompt", "chosen", "rejected"]);
            TemplateKind::Preference { prompt, chosen, rejected }
        }
        "text" => {
            let [text] = slots(context, template, ["text"]);
            TemplateKind::Text(text)
        }
        _ => TemplateKind::Text(String::new()),
    }
}

fn check_mute(context: &mut Context<'_>, item: &Item) {
    if let Some(mute) = item.mute
        && !matches!(item.slot.name.as_str(), "assistant" | "turns")
    {
        context.error(
            Code::UnknownSlot,
            format!("`{}` is not learnt anyway", item.slot.name),
            mute,
            "only what is learnt can be muted",
            "write `mute` before `assistant` or `turns`, or take it out",
        );
    }
}

/// The slots whose text is learnt, unless `mute` stands before it.
const LEARNT: [&str; 6] = ["assistant", "turns", "completion", "chosen", "rejected", "text"];

fn parse_item<'a>(context: &mut Context<'a>, item: &'a Item, reads: &mut Vec<Read<'a>>) -> Slot {
    let learnt = item.mute.is_none() && LEARNT.contains(&item.slot.name.as_str());
    let first = reads.len();
    let (place, readable, blank) = match &item.body {
        ItemBody::Field(field) => {
            reads.push(Read::Turns(field));
            (field.span, true, false)
        }
        ItemBody::Text { text, raw } => {
            let mut readable = true;
            let place = |range: &std::ops::Range<usize>| match raw {
                Some(raw) => Span::new(raw.file, raw.start as usize + range.start, raw.start as usize + range.end),
                None => text.span,
            };
            match prompt::Template::parse(&text.node) {
                Ok(template) => {
                    for variable in template.variables() {
                        let places = variable.places.iter().filter(|_| raw.is_some()).map(place).collect();
                        reads.push(Read::Variable(variable.clone(), place(&variable.range), places));
                    }
                    let braced = prompt::single_braces(&text.node).into_iter();
                    reads.extend(braced.map(|(name, range)| Read::Braced(name.to_owned(), place(&range))));
                }
                Err(error) => {
                    readable = false;
                    let help = error
                        .help
                        .unwrap_or_else(|| "templates are Jinja: `{{ field }}` prints, `{% if … %}` decides".into());
                    context.error(
                        Code::TemplateSyntax,
                        format!("this template is wrong: {}", error.message),
                        place(&error.range),
                        "here",
                        help,
                    );
                }
            }
            (text.span, readable, text.node.trim().is_empty())
        }
    };
    Slot { place, reads: first..reads.len(), learnt, readable, blank }
}

fn chat_turns(context: &mut Context<'_>, template: &Template) -> Vec<Turn> {
    let mut turns = Vec::new();
    for item in &template.items {
        let trained = item.mute.is_none();
        match &item.body {
            ItemBody::Text { text, .. } => turns.push(Turn::Text {
                role: item.slot.name.clone(),
                content: text.node.clone(),
                trained: trained && item.slot.name == "assistant",
            }),
            ItemBody::Field(field) => turns.push(Turn::Field { field: field.name.clone(), trained }),
        }
    }
    let learnt = turns.iter().any(|turn| match turn {
        Turn::Text { trained, .. } | Turn::Field { trained, .. } => *trained,
    });
    // A misspelt slot was reported: it may be the missing one.
    let whole = template.items.iter().all(|item| KINDS[0].1.contains(&item.slot.name.as_str()));
    if !learnt && whole && !context.names.is_damaged(&template.name) {
        let muted = template.items.iter().find_map(|item| item.mute);
        context.error(
            Code::MissingSlot,
            format!("chat `{}` has no assistant turn to learn from", template.name.name),
            muted.unwrap_or(template.name.span),
            if muted.is_some() { "takes the only answer out" } else { "needs `assistant`" },
            "add the answer: `assistant \"{{ answer }}\"`",
        );
    }
    turns
}

/// The texts of slots that must stand once each.
fn slots<const N: usize>(context: &mut Context<'_>, template: &Template, names: [&str; N]) -> [String; N] {
    let whole = template.items.iter().all(|item| names.contains(&item.slot.name.as_str()));
    names.map(|name| {
        let mut found = template.items.iter().filter(|item| item.slot.name == name);
        let first = found.next();
        if let (Some(first), Some(again)) = (first, found.next()) {
            quantities::duplicate(context, name, again.span, first.span);
        }
        match first.map(|item| &item.body) {
            Some(ItemBody::Text { text, .. }) => text.node.clone(),
            Some(ItemBody::Field(_)) => String::new(),
            None => {
                if whole && !context.names.is_damaged(&template.name) {
                    context.error(
                        Code::MissingSlot,
                        format!("template `{}` has no `{name}`", template.name.name),
                        template.name.span,
                        format!("needs `{name}`"),
                        format!("add `{name} \"…\"`"),
                    );
                }
                String::new()
            }
        }
    })
}

/// The fields that a template reads, each once, with the place where it does first.
pub(super) fn reads(context: &Context<'_>, template: TemplateId) -> Vec<(String, Span)> {
    let mut fields: Vec<(String, Span)> = Vec::new();
    let mut known: BTreeSet<&str> = BTreeSet::new();
    let facts = context.template_facts.get(template.0 as usize).into_iter();
    for read in facts.flat_map(|facts| &facts.reads) {
        let (name, place) = match read {
            Read::Variable(variable, place, _) => (&variable.name, *place),
            Read::Braced(..) => continue,
            Read::Turns(field) => (&field.name, field.span),
        };
        if known.insert(name) {
            fields.push((name.clone(), place));
        }
    }
    fields
}
