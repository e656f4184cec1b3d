//! Where conditions are cut into what is measured and what is decided by it.

use crate::hir::{Dataset, Expr, ExprKind, Personal, Type};
use crate::plan::functions::values;

/// A condition over measures, and the expressions that are measured, in the order of their columns.
pub(super) struct Cut {
    /// The condition; the measures are columns from [`first_part`] on.
    pub condition: Expr,
    /// What is measured.
    pub parts: Vec<Expr>,
}

/// Cuts a condition over columns that may hold personal data as `personal` says. Its parts are as small as may be, so that
/// constants and operators stay outside of them.
pub(super) fn cut(dataset: &Dataset, condition: &Expr, personal: &[Option<Personal>]) -> Cut {
    let mut knife = Knife { first: first_part(dataset), personal, parts: Vec::new() };
    let condition = knife.cut(condition).expect("a truth can always be measured");
    Cut { condition, parts: knife.parts }
}

/// The column that stands for the first part of a condition: one behind the data set's own.
pub(super) fn first_part(dataset: &Dataset) -> u32 {
    dataset.columns.len() as u32
}

struct Knife<'p> {
    first: u32,
    personal: &'p [Option<Personal>],
    parts: Vec<Expr>,
}

impl Knife<'_> {
    /// The expression over measures; `None` where it cannot be had from anything that may be measured.
    fn cut(&mut self, expr: &Expr) -> Option<Expr> {
        if let ExprKind::Column(_) = expr.kind {
            return self.may_be_measured(expr).then(|| self.part(expr));
        }
        let before = self.parts.len();
        if let Some(cut) = expr.with_parts(&mut |part| self.cut(part)) {
            return Some(cut);
        }
        self.parts.truncate(before);
        self.may_be_measured(expr).then(|| self.part(expr))
    }

    fn part(&mut self, expr: &Expr) -> Expr {
        let column = crate::hir::ColumnId(self.first + self.parts.len() as u32);
        self.parts.push(expr.clone());
        Expr { kind: ExprKind::Column(column), ty: expr.ty.clone(), span: expr.span }
    }

    fn may_be_measured(&self, expr: &Expr) -> bool {
        match expr.ty.ty {
            Type::Bool => true,
            Type::Int | Type::Float | Type::Date | Type::Timestamp => !self.exposes(expr),
            Type::String => matches!(expr.kind, ExprKind::Call(function, _) if values(function).is_some()),
            Type::List(_) | Type::Record(_) | Type::Label(_) => false,
        }
    }

    /// Whether the value may be that of a field with personal data, or tell it. How many words a text has, or which share
    /// of it is digits, does not tell the text.
    fn exposes(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Literal(_) => false,
            ExprKind::Column(id) => self.personal[id.0 as usize].is_some(),
            _ if expr.ty.ty == Type::Bool => false,
            ExprKind::Call(_, arguments) => {
                let counts = matches!(expr.ty.ty, Type::Int | Type::Float);
                arguments.iter().any(|one| !(counts && one.ty.ty == Type::String) && self.exposes(one))
            }
            ExprKind::Negate(_)
            | ExprKind::Not(_)
            | ExprKind::Binary(..)
            | ExprKind::ToFloat(_)
            | ExprKind::IsNull { .. }
            | ExprKind::In { .. }
            | ExprKind::Matches { .. }
            | ExprKind::Match { .. }
            | ExprKind::Member(..)
            | ExprKind::Element(..) => {
                let mut exposes = false;
                expr.visit_parts(&mut |part| exposes |= self.exposes(part));
                exposes
            }
        }
    }
}
