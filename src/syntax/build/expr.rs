//! Expressions: the grammar gives operands and operators in a row, a Pratt parser gives them their precedence.
//!
//! V. R. Pratt, "Top down operator precedence", 1973.

use super::precedence::{Level, binary_op, infix_level, is_comparison, tighter};
use super::{Builder, Pair, Rule, all, must, only};
use crate::diagnostics::{Code, Diagnostic};
use crate::source::{Span, Spanned};
use crate::syntax::ast::{Arm, ArmBody, Expr, ExprKind, Ident, UnaryOp};
use crate::syntax::literal;

/// The deepest tree and the longest row of operators: every later stage walks expressions recursively.
const DEEPEST: usize = 256;

/// An expression with the depth of its tree.
struct Deep {
    expr: Expr,
    depth: usize,
    /// Whether brackets stand around it.
    grouped: bool,
}

/// An element of the row.
enum Element<'i> {
    Prefix(Pair<'i>),
    Operand(Pair<'i>),
    Infix(Pair<'i>),
    /// `is null`, `match { … }`
    Test(Pair<'i>),
}

type Row<'i> = std::iter::Peekable<std::vec::IntoIter<Element<'i>>>;

impl Builder<'_> {
    pub(super) fn expr_in(&mut self, pair: &Pair) -> Expr {
        self.expr(&must(pair, Rule::expr))
    }

    pub(super) fn expr(&mut self, pair: &Pair) -> Expr {
        self.deep(pair).expr
    }

    pub(super) fn record(&mut self, pair: &Pair) -> Expr {
        self.primary(pair).expr
    }

    fn deep(&mut self, pair: &Pair) -> Deep {
        let row: Vec<Element> = pair
            .clone()
            .into_inner()
            .map(|element| match element.as_rule() {
                Rule::prefix => Element::Prefix(element),
                Rule::operand => Element::Operand(element),
                Rule::infix => Element::Infix(element),
                _ => Element::Test(element),
            })
            .collect();
        if row.len() > 2 * DEEPEST {
            return self.too_deep(self.span(pair));
        }
        let mut row = row.into_iter().peekable();
        self.climb(&mut row, Level::Or)
    }

    fn too_deep(&mut self, span: Span) -> Deep {
        if !self.errors.iter().any(|error| error.code == Code::NestedTooDeep) {
            let message = format!("the expression is deeper than {DEEPEST} levels");
            let error = Diagnostic::new(Code::NestedTooDeep, message, span, "too many operators in one expression");
            self.errors.push(error.help("name its parts with `let` or `fn`, or compare with a list: `x in [ … ]`"));
        }
        Deep { expr: Expr { kind: ExprKind::Null, span }, depth: 1, grouped: false }
    }

    /// A node over parts of the given depth.
    fn node(&mut self, kind: ExprKind, span: Span, parts: usize) -> Deep {
        if parts >= DEEPEST {
            return self.too_deep(span);
        }
        Deep { expr: Expr { kind, span }, depth: parts + 1, grouped: false }
    }

    /// Reads operators that bind at least as tightly as `least`.
    fn climb(&mut self, row: &mut Row, least: Level) -> Deep {
        let mut left = self.prefixed(row, least);
        loop {
            let level = match row.peek() {
                Some(Element::Infix(operator)) => infix_level(operator),
                Some(Element::Test(_)) => Level::Compare,
                Some(Element::Prefix(_) | Element::Operand(_)) | None => return left,
            };
            if level < least {
                return left;
            }
            let is_chain = level == Level::Compare && !left.grouped && is_comparison(&left.expr);
            if is_chain {
                self.report_chain(&left.expr, row.peek());
            }
            let first = is_chain.then(|| Deep { expr: left.expr.clone(), ..left });
            left = match row.next() {
                Some(Element::Infix(operator)) => {
                    let right = self.climb(row, tighter(level));
                    self.infix(left, &operator, right)
                }
                Some(Element::Test(test)) => self.test_of(left, &test),
                Some(Element::Prefix(_) | Element::Operand(_)) | None => return left,
            };
            // A chain has no meaning of its own: what was compared first stands for it.
            left = first.unwrap_or(left);
        }
    }

    fn prefixed(&mut self, row: &mut Row, least: Level) -> Deep {
        match row.next() {
            Some(Element::Prefix(sign)) => {
                let span = self.span(&sign);
                let (operator, level) = match sign.as_str() {
                    "-" => (UnaryOp::Negate, Level::Negate),
                    _ => (UnaryOp::Not, Level::Not),
                };
                if level < least {
                    let error = Diagnostic::new(
                        Code::UnexpectedToken,
                        "`not` cannot stand behind an operator that binds more tightly",
                        span,
                        "binds less tightly than what stands before it",
                    );
                    self.errors.push(error.help("put brackets around `not …`"));
                }
                let inner = self.climb(row, level);
                let whole = span.to(inner.expr.span);
                let kind = ExprKind::Unary(Spanned::new(operator, span), Box::new(inner.expr));
                self.node(kind, whole, inner.depth)
            }
            Some(Element::Operand(operand)) => self.operand(&operand),
            Some(Element::Infix(_) | Element::Test(_)) | None => {
                unreachable!("the grammar puts an operand after each operator")
            }
        }
    }

    fn report_chain(&mut self, left: &Expr, next: Option<&Element>) {
        let Some(Element::Infix(operator) | Element::Test(operator)) = next else { return };
        let place = self.span(operator);
        let sign = operator.as_str().split_whitespace().next().unwrap_or_default().to_owned();
        let message = format!("`{sign}` cannot follow another comparison");
        let error = Diagnostic::new(Code::UnexpectedToken, message, place, "compares a comparison");
        self.errors.push(
            error
                .label(left.span, "is a comparison already")
                .help("join two comparisons with `and`, or put brackets around the first"),
        );
    }

    fn infix(&mut self, left: Deep, operator: &Pair, right: Deep) -> Deep {
        let sign = only(operator);
        let (span, depth) = (left.expr.span.to(right.expr.span), left.depth.max(right.depth));
        let (value, other) = (Box::new(left.expr), Box::new(right.expr));
        let kind = match sign.as_rule() {
            Rule::k_in => ExprKind::In { value, list: other, negated: false },
            Rule::not_in => ExprKind::In { value, list: other, negated: true },
            Rule::k_matches => ExprKind::Matches { value, pattern: other },
            _ => ExprKind::Binary(Spanned::new(binary_op(&sign), self.span(&sign)), value, other),
        };
        self.node(kind, span, depth)
    }

    fn test_of(&mut self, left: Deep, test: &Pair) -> Deep {
        let span = left.expr.span.to(self.span(test));
        let value = Box::new(left.expr);
        match test.as_rule() {
            Rule::null_test => {
                let negated = all(test, Rule::k_not).next().is_some();
                self.node(ExprKind::IsNull { value, negated }, span, left.depth)
            }
            _ => {
                let mut depth = left.depth;
                let arms = all(test, Rule::arm).map(|arm| self.arm(&arm, &mut depth)).collect();
                self.node(ExprKind::Match { subject: value, arms }, span, depth)
            }
        }
    }

    fn arm(&mut self, pair: &Pair, depth: &mut usize) -> Arm {
        let patterns = all(pair, Rule::patterns)
            .flat_map(|patterns| all(&patterns, Rule::pattern))
            .map(|pattern| self.pattern(&pattern))
            .collect();
        let patterns = self.without_wildcard(patterns);
        let body = match all(pair, Rule::k_drop).next() {
            Some(action) => ArmBody::Drop(self.span(&action)),
            None => {
                let value = self.deep(&must(pair, Rule::expr));
                *depth = value.depth.max(*depth);
                ArmBody::Value(value.expr)
            }
        };
        Arm { patterns, body, span: self.span(pair) }
    }

    /// Patterns among which there is no `_`, which stands for all other values elsewhere: then the arm is one of `else`.
    fn without_wildcard(&mut self, patterns: Vec<Expr>) -> Vec<Expr> {
        let is_wildcard = |pattern: &&Expr| matches!(&pattern.kind, ExprKind::Name(name) if name.name == "_");
        let Some(wildcard) = patterns.iter().find(is_wildcard) else { return patterns };
        let error = Diagnostic::new(Code::UnexpectedToken, "`_` is no pattern", wildcard.span, "did you mean `else`?");
        self.errors
            .push(error.help("the arm for all other values is the last one and begins with `else`: `else => …`"));
        Vec::new()
    }

    fn pattern(&mut self, pair: &Pair) -> Expr {
        let inner = only(pair);
        if inner.as_rule() != Rule::amount {
            return self.primary(&inner).expr;
        }
        let literal = inner.clone().into_inner().last().expect("an amount has a number");
        let number = self.primary(&literal).expr;
        if !inner.as_str().starts_with('-') {
            return number;
        }
        let span = self.span(&inner);
        let sign = Span { end: span.start + 1, ..span };
        Expr { kind: ExprKind::Unary(Spanned::new(UnaryOp::Negate, sign), Box::new(number)), span }
    }

    /// A primary with what is attached to it: `.field`, `[index]`, `|> f(…)`.
    fn operand(&mut self, pair: &Pair) -> Deep {
        let mut parts = pair.clone().into_inner();
        let first = parts.next().expect("an operand begins with a primary");
        let mut value = self.primary(&first);
        for part in parts {
            let span = value.expr.span.to(self.span(&part));
            let (inner, depth) = (Box::new(value.expr), value.depth);
            value = match part.as_rule() {
                Rule::member => self.node(ExprKind::Member(inner, self.name_in(&part)), span, depth),
                Rule::index => {
                    let index = self.deep(&must(&part, Rule::expr));
                    self.node(ExprKind::Index(inner, Box::new(index.expr)), span, depth.max(index.depth))
                }
                _ => {
                    let function = self.name_in(&part);
                    let (mut args, deepest) = self.args(&part);
                    args.insert(0, *inner);
                    self.node(ExprKind::Call { function, args, piped: true }, span, depth.max(deepest))
                }
            };
        }
        value
    }

    fn primary(&mut self, pair: &Pair) -> Deep {
        let span = self.span(pair);
        let kind = match pair.as_rule() {
            Rule::k_null => ExprKind::Null,
            Rule::k_true => ExprKind::Bool(true),
            Rule::k_false => ExprKind::Bool(false),
            Rule::percent => ExprKind::Percent(self.float(pair)),
            Rule::number => self.number(pair),
            Rule::text => ExprKind::Text(literal::string_text(pair.as_str())),
            Rule::regex => {
                let (pattern, flags) = literal::regex_parts(pair.as_str());
                ExprKind::Regex { pattern, flags }
            }
            Rule::name => ExprKind::Name(self.name(pair)),
            Rule::list => return self.list(pair),
            Rule::record => return self.record_literal(pair),
            Rule::group => {
                let inner = self.deep(&must(pair, Rule::expr));
                return Deep { expr: Expr { kind: inner.expr.kind, span }, depth: inner.depth, grouped: true };
            }
            Rule::call => {
                let (args, depth) = self.args(pair);
                return self.node(ExprKind::Call { function: self.name_in(pair), args, piped: false }, span, depth);
            }
            rule => unreachable!("the grammar has no operand {rule:?}"),
        };
        Deep { expr: Expr { kind, span }, depth: 1, grouped: false }
    }

    fn number(&mut self, pair: &Pair) -> ExprKind {
        let digits = pair.as_str();
        if digits.contains(['.', 'e', 'E']) {
            return ExprKind::Float(self.float(pair));
        }
        match digits.replace('_', "").parse() {
            Ok(number) => ExprKind::Int(number),
            Err(_) => {
                self.too_large(pair);
                ExprKind::Int(i64::MAX)
            }
        }
    }

    fn list(&mut self, pair: &Pair) -> Deep {
        let mut depth = 0;
        let mut items = Vec::new();
        for item in all(pair, Rule::expr) {
            let item = self.deep(&item);
            depth = depth.max(item.depth);
            items.push(item.expr);
        }
        self.node(ExprKind::List(items), self.span(pair), depth)
    }

    fn record_literal(&mut self, pair: &Pair) -> Deep {
        let mut depth = 0;
        let mut entries: Vec<(Ident, Expr)> = Vec::new();
        for entry in all(pair, Rule::entry) {
            let value = self.deep(&must(&entry, Rule::expr));
            depth = depth.max(value.depth);
            entries.push((self.name_in(&entry), value.expr));
        }
        self.node(ExprKind::Record(entries), self.span(pair), depth)
    }

    /// The arguments of a call and the depth of the deepest.
    fn args(&mut self, pair: &Pair) -> (Vec<Expr>, usize) {
        let mut depth = 0;
        let mut args = Vec::new();
        for arg in all(pair, Rule::args).flat_map(|args| args.into_inner()) {
            if arg.as_rule() == Rule::sep {
                continue;
            }
            let value = if arg.as_rule() == Rule::by_arg {
                let inner = self.deep(&must(&arg, Rule::expr));
                self.node(ExprKind::By(Box::new(inner.expr)), self.span(&arg), inner.depth)
            } else {
                self.deep(&arg)
            };
            depth = depth.max(value.depth);
            args.push(value.expr);
        }
        (args, depth)
    }
}
