//! Expressions: an expression that is too long is broken before its loosest operators first.

use super::build::{Builder, Part, Parts};
use super::doc::{Doc, Docs};
use crate::syntax::build::{Level, infix_level};
use crate::syntax::grammar::{Pair, Rule};

/// An operand with all that is tied to it, and the operator before it.
struct Link {
    /// How tightly the operator binds; none where no new line may begin before it.
    level: Option<Level>,
    /// The line before the operator, and the operator.
    operator: Vec<Doc>,
    operand: Vec<Doc>,
}

impl Builder<'_> {
    /// Appends an expression.
    pub(super) fn expr(&mut self, pair: Pair, out: &mut Vec<Doc>) {
        let mut links = vec![Link { level: None, operator: Vec::new(), operand: Vec::new() }];
        let mut elements = pair.into_inner().peekable();
        let (mut is_first, mut glue) = (true, true);
        while let Some(element) = elements.next() {
            let is_infix = element.as_rule() == Rule::infix;
            let level = is_infix.then(|| infix_level(&element));
            if let Some(level) = level.filter(|level| *level != Level::Compare || !elements.peek().is_some_and(is_open))
            {
                let mut operator = vec![self.line()];
                self.sequence(element, &mut operator);
                links.push(Link { level: Some(level), operator, operand: Vec::new() });
                glue = false;
                continue;
            }
            let last = links.last_mut().expect("a first link was made above");
            if !is_first {
                self.gap(!glue, &mut last.operand);
            }
            is_first = false;
            glue = element.as_rule() == Rule::prefix && element.as_str().starts_with('-');
            self.sequence(element, &mut last.operand);
        }
        chain(links, out);
    }

    /// Appends an operand: its head, then what it is sent through, a line before each `|>`.
    pub(super) fn operand(&mut self, pair: Pair, out: &mut Vec<Doc>) {
        let first = self.place();
        let mut parts = Parts::of(pair);
        let mut docs = Vec::new();
        while let Some(part) = self.next(&mut parts) {
            if matches!(&part, Part::Pair(pair) if pair.as_rule() == Rule::pipe) {
                let mut pipe = vec![self.line()];
                self.part(&mut parts, part, &mut pipe);
                docs.push(Doc::Indent(Docs::new(pipe)));
                continue;
            }
            if self.place() > first {
                self.before(&parts, &part, false, &mut docs);
            }
            self.part(&mut parts, part, &mut docs);
        }
        out.push(Doc::Group(Docs::new(docs)));
    }
}

/// Whether an operand begins with a bracket, which is rather opened than the line broken before its operator.
fn is_open(operand: &Pair) -> bool {
    let first = operand.clone().into_inner().next();
    first.is_some_and(|first| matches!(first.as_rule(), Rule::list | Rule::record | Rule::group))
}

/// Joins links: those with the loosest operators break together.
fn chain(links: Vec<Link>, out: &mut Vec<Doc>) {
    let Some(loosest) = links.iter().skip(1).filter_map(|link| link.level).min() else {
        out.extend(links.into_iter().flat_map(|link| link.operand));
        return;
    };
    let mut segments: Vec<Vec<Link>> = Vec::new();
    for (at, link) in links.into_iter().enumerate() {
        match segments.last_mut() {
            Some(segment) if at > 0 && link.level != Some(loosest) => segment.push(link),
            _ => segments.push(vec![link]),
        }
    }
    let mut docs = Vec::new();
    for (at, mut segment) in segments.into_iter().enumerate() {
        let mut part = std::mem::take(&mut segment[0].operator);
        chain(segment, &mut part);
        match at {
            0 => docs.append(&mut part),
            _ => docs.push(Doc::Indent(Docs::new(part))),
        }
    }
    out.push(Doc::Group(Docs::new(docs)));
}
