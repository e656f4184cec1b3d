//! Parts of a syntax tree in one canonical form on one line, so that two texts that mean the same look the same: spaces,
//! comments, separators and the writing of numbers and strings make no difference.

use crate::syntax::ast::expr::{Arm, ArmBody, Expr, ExprKind, UnaryOp};
use crate::syntax::ast::source::{Attribute, AttributeArg, Field, TypeExpr, TypeExprKind};
use crate::syntax::ast::{Ident, Quantity, Setting, SettingValue, Text};
use crate::syntax::{written_name, written_text};

/// A name.
pub fn name(ident: &Ident) -> String {
    written_name(&ident.name).map_or_else(|| ident.name.clone(), std::borrow::Cow::into_owned)
}

/// Names in a list.
pub fn names<'i>(idents: impl IntoIterator<Item = &'i Ident>) -> String {
    idents.into_iter().map(name).collect::<Vec<_>>().join(", ")
}

/// A string.
pub fn text(text: &Text) -> String {
    written_text(&text.node)
}

/// Strings in a list.
pub fn texts(list: &[Text]) -> String {
    list.iter().map(text).collect::<Vec<_>>().join(", ")
}

/// A number with its unit.
pub fn quantity(quantity: &Quantity) -> String {
    let percent = if quantity.percent { "%" } else { "" };
    let unit = quantity.unit.as_ref().map_or(String::new(), |unit| format!(" {}", unit.name));
    format!("{}{percent}{unit}", quantity.value)
}

/// Options in a block, in order of their names: their own order means nothing.
pub fn settings(settings: &[Setting]) -> String {
    if settings.is_empty() {
        return String::new();
    }
    let mut written: Vec<String> = settings.iter().map(setting).collect();
    written.sort();
    format!(" {{ {} }}", written.join("; "))
}

/// One option.
pub fn setting(setting: &Setting) -> String {
    let value = match &setting.value {
        None => String::new(),
        Some(SettingValue::Quantity(value)) => format!(" {}", quantity(value)),
        Some(SettingValue::Word(word)) => format!(" {}", name(word)),
        Some(SettingValue::Text(value)) => format!(" {}", text(value)),
        Some(SettingValue::Texts(values)) => format!(" [{}]", values.iter().map(text).collect::<Vec<_>>().join(", ")),
        Some(SettingValue::List(values)) => {
            format!(" [{}]", values.iter().map(quantity).collect::<Vec<_>>().join(", "))
        }
    };
    format!("{}{value}", name(&setting.name))
}

/// A field of a source or of a `json` label. Its attributes' order means nothing.
pub fn field(field: &Field) -> String {
    let mut attributes: Vec<String> = field.attributes.iter().map(attribute).collect();
    attributes.sort();
    let attributes: String = attributes.iter().map(|attribute| format!(" {attribute}")).collect();
    format!("{}: {}{attributes}", name(&field.name), type_of(&field.ty))
}

fn attribute(attribute: &Attribute) -> String {
    let argument = |argument: &AttributeArg| match argument {
        AttributeArg::Name(word) => name(word),
        AttributeArg::Text(value) => text(value),
    };
    let arguments: Vec<String> = attribute.args.iter().map(argument).collect();
    let arguments = if arguments.is_empty() { String::new() } else { format!("({})", arguments.join(", ")) };
    format!("@{}{arguments}", name(&attribute.name))
}

/// A type.
pub fn type_of(ty: &TypeExpr) -> String {
    let written = match &ty.kind {
        TypeExprKind::Name(word) => name(word),
        TypeExprKind::List(item) => format!("list<{}>", type_of(item)),
        TypeExprKind::Record(members) => {
            let member = |(word, ty): &(Ident, TypeExpr)| format!("{}: {}", name(word), type_of(ty));
            format!("{{ {} }}", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
    };
    if ty.nullable { format!("{written}?") } else { written }
}

/// An expression, with parentheses wherever an operator stands in an operator: no precedence has to be known to read it.
pub fn expr(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Null => "null".to_owned(),
        ExprKind::Bool(value) => value.to_string(),
        ExprKind::Int(value) => value.to_string(),
        ExprKind::Float(value) => format!("{value:?}"),
        ExprKind::Percent(value) => format!("{value}%"),
        ExprKind::Text(value) => written_text(value),
        ExprKind::Regex { pattern, flags } => format!("/{}/{flags}", pattern.replace('/', "\\/")),
        ExprKind::Name(word) => name(word),
        ExprKind::List(items) => format!("[{}]", list(items)),
        ExprKind::Record(members) => {
            let member = |(word, value): &(Ident, Expr)| format!("{}: {}", name(word), self::expr(value));
            format!("{{ {} }}", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
        ExprKind::Member(of, word) => format!("{}.{}", operand(of), name(word)),
        ExprKind::Index(of, at) => format!("{}[{}]", operand(of), self::expr(at)),
        // A pipe is another way to write a call: `a |> f(b)` is `f(a, b)`.
        ExprKind::Call { function, args, piped: _ } => format!("{}({})", name(function), list(args)),
        ExprKind::By(value) => format!("by {}", operand(value)),
        ExprKind::Unary(op, value) => match op.node {
            UnaryOp::Negate => format!("-{}", operand(value)),
            UnaryOp::Not => format!("not {}", operand(value)),
        },
        ExprKind::Binary(op, left, right) => {
            format!("{} {} {}", operand(left), op.node.symbol(), operand(right))
        }
        ExprKind::IsNull { value, negated } => {
            format!("{} is {}null", operand(value), if *negated { "not " } else { "" })
        }
        ExprKind::In { value, list, negated } => {
            format!("{} {}in {}", operand(value), if *negated { "not " } else { "" }, operand(list))
        }
        ExprKind::Matches { value, pattern } => format!("{} matches {}", operand(value), operand(pattern)),
        ExprKind::Match { subject, arms } => {
            let arms: Vec<String> = arms.iter().map(arm).collect();
            format!("{} match {{ {} }}", operand(subject), arms.join("; "))
        }
    }
}

fn list(items: &[Expr]) -> String {
    items.iter().map(expr).collect::<Vec<_>>().join(", ")
}

fn arm(arm: &Arm) -> String {
    let body = match &arm.body {
        ArmBody::Value(value) => expr(value),
        ArmBody::Drop(_) => "drop".to_owned(),
    };
    let patterns = if arm.patterns.is_empty() { "else".to_owned() } else { list(&arm.patterns) };
    format!("{patterns} => {body}")
}

/// An expression where an operator stands beside it.
fn operand(value: &Expr) -> String {
    let written = expr(value);
    match &value.kind {
        ExprKind::Unary(..)
        | ExprKind::Binary(..)
        | ExprKind::IsNull { .. }
        | ExprKind::In { .. }
        | ExprKind::Matches { .. }
        | ExprKind::Match { .. }
        | ExprKind::By(_) => format!("({written})"),
        ExprKind::Null
        | ExprKind::Bool(_)
        | ExprKind::Int(_)
        | ExprKind::Float(_)
        | ExprKind::Percent(_)
        | ExprKind::Text(_)
        | ExprKind::Regex { .. }
        | ExprKind::Name(_)
        | ExprKind::List(_)
        | ExprKind::Record(_)
        | ExprKind::Member(..)
        | ExprKind::Index(..)
        | ExprKind::Call { .. } => written,
    }
}
