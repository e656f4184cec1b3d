//! Licences: SPDX expressions, their join, and what a policy allows.

pub(super) mod terms;

use super::{Context, suggest};
use crate::diagnostics::{Code, Diagnostic, Help};
use crate::source::Span;
use crate::syntax::ast::Text;

/// An SPDX expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Spdx {
    /// An identifier, with its exception.
    Id(String),
    /// Both hold.
    And(Box<Spdx>, Box<Spdx>),
    /// The user chooses.
    Or(Box<Spdx>, Box<Spdx>),
}

impl Spdx {
    /// Whether the terms can be met with these licences alone.
    fn allowed(&self, ids: &[&str]) -> bool {
        match self {
            Self::Id(id) => ids.iter().any(|allowed| allowed.eq_ignore_ascii_case(id)),
            Self::And(left, right) => left.allowed(ids) && right.allowed(ids),
            Self::Or(left, right) => left.allowed(ids) || right.allowed(ids),
        }
    }

    fn ids<'s>(&'s self, into: &mut Vec<&'s str>) {
        match self {
            Self::Id(id) => into.push(id),
            Self::And(left, right) | Self::Or(left, right) => {
                left.ids(into);
                right.ids(into);
            }
        }
    }
}

/// Reads an SPDX expression: `AND` binds tighter than `OR`; `WITH` names an exception.
pub(super) fn parse(text: &str) -> Option<Spdx> {
    let spaced = text.replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    if words.len() > LONGEST {
        return None;
    }
    let mut rest = words.as_slice();
    let parsed = parse_or(&mut rest, 0)?;
    rest.is_empty().then_some(parsed)
}

/// More words than these are no licence that anybody wrote.
const LONGEST: usize = 512;

/// Nor are parentheses deeper than this.
const DEEPEST: u32 = 32;

fn parse_or(rest: &mut &[&str], depth: u32) -> Option<Spdx> {
    let mut left = parse_and(rest, depth)?;
    while let ["OR", tail @ ..] = *rest {
        *rest = tail;
        left = Spdx::Or(Box::new(left), Box::new(parse_and(rest, depth)?));
    }
    Some(left)
}

fn parse_and(rest: &mut &[&str], depth: u32) -> Option<Spdx> {
    let mut left = parse_one(rest, depth)?;
    while let ["AND", tail @ ..] = *rest {
        *rest = tail;
        left = Spdx::And(Box::new(left), Box::new(parse_one(rest, depth)?));
    }
    Some(left)
}

fn parse_one(rest: &mut &[&str], depth: u32) -> Option<Spdx> {
    let [first, tail @ ..] = *rest else { return None };
    *rest = tail;
    if *first == "(" {
        let inner = if depth < DEEPEST { parse_or(rest, depth + 1)? } else { return None };
        let [")", tail @ ..] = *rest else { return None };
        *rest = tail;
        return Some(inner);
    }
    if !is_identifier(first) {
        return None;
    }
    if let ["WITH", exception, tail @ ..] = *rest {
        let with = is_identifier(exception).then(|| format!("{first} WITH {exception}"))?;
        *rest = tail;
        return Some(Spdx::Id(with));
    }
    Some(Spdx::Id((*first).to_owned()))
}

fn is_identifier(word: &str) -> bool {
    !matches!(word, "AND" | "OR" | "WITH")
        && word.chars().all(|character| character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '+' | ':'))
}

/// Checks a licence as it was written; whether it is well-formed.
pub(super) fn check_expression(context: &mut Context<'_>, license: &Text) -> bool {
    let Some(parsed) = parse(&license.node) else {
        let help = match crate::diagnostics::closest(&license.node.replace(' ', "-"), terms::ids()) {
            Some(closest) => Help::did_you_mean(closest),
            None => "write SPDX identifiers, joined by `AND`, `OR`, `WITH`: `\"CC-BY-4.0 AND MIT\"`".into(),
        };
        context.error(
            Code::BadLicence,
            // A licence's text that was pasted here would fill the screen, and stands at the place below.
            match license.node.chars().count() {
                0..=60 => format!("`{}` is no SPDX expression", license.node),
                characters => format!("this text of {characters} characters is no SPDX expression"),
            },
            license.span,
            "cannot be read as a licence",
            help,
        );
        return false;
    };
    let mut ids = Vec::new();
    parsed.ids(&mut ids);
    for id in ids {
        let plain = id.split(" WITH ").next().unwrap_or(id).trim_end_matches('+');
        if terms::ids().all(|known| known != plain) && !plain.starts_with("LicenseRef-") {
            let help = suggest(plain, terms::ids(), "licences");
            let help = if help.instead.is_some() {
                help
            } else {
                "check it, or write `LicenseRef-NAME` for one of your own".into()
            };
            context.error(
                Code::UnknownLicence,
                format!("`{plain}` is no licence that data is often under"),
                license.span,
                "unknown licence",
                help,
            );
        }
    }
    true
}

/// The join of the sources' licences: all of them hold.
pub(super) fn join(licenses: &[&str]) -> Option<String> {
    let mut distinct: Vec<&str> = Vec::new();
    for license in licenses {
        if !distinct.contains(license) {
            distinct.push(license);
        }
    }
    match distinct.as_slice() {
        [] => None,
        [one] => Some((*one).to_owned()),
        several => {
            let parts: Vec<String> = several
                .iter()
                .map(|one| if one.contains(" OR ") { format!("({one})") } else { (*one).to_owned() })
                .collect();
            Some(parts.join(" AND "))
        }
    }
}

/// A source of a data set, as the check of `allow license` sees it.
pub(super) struct Licensed<'s> {
    pub(super) name: &'s str,
    pub(super) license: Option<&'s str>,
    /// Whether a statement of it could not be read.
    pub(super) damaged: bool,
    /// Where the data set takes from it.
    pub(super) from: Span,
    pub(super) declared: Span,
}

/// Reports the sources whose licence the policy does not allow.
pub(super) fn check_allowed(context: &mut Context<'_>, sources: &[Licensed<'_>], allowed: &[Text], rule: Span) {
    let ids: Vec<&str> = allowed.iter().map(|license| license.node.as_str()).collect();
    for source in sources {
        let Some(license) = source.license else {
            // Its licence may stand in a statement that could not be read.
            if source.damaged {
                continue;
            }
            context.report(
                Diagnostic::new(
                    Code::LicenceNotAllowed,
                    format!("source `{}` has no licence, and the policy allows only certain ones", source.name),
                    source.from,
                    "taken from a source without a licence",
                )
                .label(source.declared, "says no `license`")
                .label(rule, "allows only these")
                .help("say it at the source: `license \"CC-BY-4.0\"`"),
            );
            continue;
        };
        if parse(license).is_none_or(|parsed| parsed.allowed(&ids)) {
            continue;
        }
        context.report(
            Diagnostic::new(
                Code::LicenceNotAllowed,
                format!("source `{}` is under `{license}`, which the policy does not allow", source.name),
                source.from,
                format!("brings `{license}`"),
            )
            .label(source.declared, "the source")
            .label(rule, "allows only these")
            .help("take the source out of `from`, or allow its licence"),
        );
    }
}
