//! Precedence, newlines and literals: what a text means, written with every bracket.

use super::{mistakes, read};
use crate::syntax::ast::{ArmBody, Decl, Expr, ExprKind, UnaryOp};

/// An expression with brackets around each operation.
fn show(expr: &Expr) -> String {
    let list = |items: &[Expr]| items.iter().map(show).collect::<Vec<_>>().join(", ");
    match &expr.kind {
        ExprKind::Null => "null".to_owned(),
        ExprKind::Bool(value) => value.to_string(),
        ExprKind::Int(value) => value.to_string(),
        ExprKind::Float(value) => format!("{value:?}"),
        ExprKind::Percent(value) => format!("{value}%"),
        ExprKind::Text(value) => format!("{value:?}"),
        ExprKind::Regex { pattern, flags } => format!("regex {pattern:?} {flags:?}"),
        ExprKind::Name(name) => name.name.clone(),
        ExprKind::List(items) => format!("[{}]", list(items)),
        ExprKind::Record(entries) => {
            let entries: Vec<_> =
                entries.iter().map(|(name, value)| format!("{}: {}", name.name, show(value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        ExprKind::Member(value, name) => format!("{}.{}", show(value), name.name),
        ExprKind::Index(value, index) => format!("{}[{}]", show(value), show(index)),
        ExprKind::Call { function, args, piped } => {
            format!("{}{}({})", if *piped { "|" } else { "" }, function.name, list(args))
        }
        ExprKind::By(value) => format!("by {}", show(value)),
        ExprKind::Unary(operator, value) => match operator.node {
            UnaryOp::Negate => format!("(-{})", show(value)),
            UnaryOp::Not => format!("(not {})", show(value)),
        },
        ExprKind::Binary(operator, left, right) => {
            format!("({} {} {})", show(left), operator.node.symbol(), show(right))
        }
        ExprKind::IsNull { value, negated } => {
            format!("({} is{} null)", show(value), if *negated { " not" } else { "" })
        }
        ExprKind::In { value, list, negated } => {
            format!("({}{} in {})", show(value), if *negated { " not" } else { "" }, show(list))
        }
        ExprKind::Matches { value, pattern } => format!("({} matches {})", show(value), show(pattern)),
        ExprKind::Match { subject, arms } => {
            let arms: Vec<_> = arms
                .iter()
                .map(|arm| {
                    let body = match &arm.body {
                        ArmBody::Value(value) => show(value),
                        ArmBody::Drop(_) => "<drop>".to_owned(),
                    };
                    format!(
                        "{} => {body}",
                        if arm.patterns.is_empty() { "else".to_owned() } else { list(&arm.patterns) }
                    )
                })
                .collect();
            format!("({} match {{{}}})", show(subject), arms.join("; "))
        }
    }
}

fn check(text: &str, expected: &str) {
    let file = format!("annot 1\nlet x = {text}\n");
    let (tree, errors) = read(&file);
    assert!(errors.is_empty(), "{text}: {:?}", mistakes(&file));
    let [Decl::Let(constant)] = &tree.decls[..] else { panic!("{text}: one constant is read") };
    assert_eq!(show(&constant.value), expected, "{text}");
}

#[test]
fn precedence() {
    for (text, expected) in [
        ("a or b and not c == d", "(a or (b and (not (c == d))))"),
        ("not a in [b] and c", "((not (a in [b])) and c)"),
        ("not not a", "(not (not a))"),
        ("a or b or c", "((a or b) or c)"),
        ("a == b ?? c + d * -e.f", "(a == (b ?? (c + (d * (-e.f)))))"),
        ("a - b - c / d / e", "((a - b) - ((c / d) / e))"),
        ("a ?? b ?? c", "((a ?? b) ?? c)"),
        ("-a |> f(b) |> g", "(-|g(|f(a, b)))"),
        ("-a * b", "((-a) * b)"),
        ("a * -b", "(a * (-b))"),
        ("- - 1", "(-(-1))"),
        ("a.b[c + 1].d", "a.b[(c + 1)].d"),
        ("f(a, by b).c", "f(a, by b).c"),
        ("f()[0]", "f()[0]"),
        ("a + b in [1, 2,]", "((a + b) in [1, 2])"),
        ("a ?? b not in c", "((a ?? b) not in c)"),
        ("a + b is not null or c is null", "(((a + b) is not null) or (c is null))"),
        ("a |> f matches /x\\/[/]+/is and b", "((|f(a) matches regex \"x/[/]+\" \"is\") and b)"),
        ("a / b / c", "((a / b) / c)"),
        ("(a < b) == (c < d)", "((a < b) == (c < d))"),
        (
            "a + b match { 1, -2 => c + 1; \"x\" => drop; else => \"drop\" }",
            "((a + b) match {1, (-2) => (c + 1); \"x\" => <drop>; else => \"drop\"})",
        ),
        ("{ a: 1, `b c`: { } }", "{a: 1, b c: {}}"),
        ("label + split + text + by", "(((label + split) + text) + by)"),
        ("[1_000, 0.5, 3e-4, 20%, 1.5e+3]", "[1000, 0.5, 0.0003, 20%, 1500.0]"),
        ("größe", "größe"),
    ] {
        check(text, expected);
    }
}

#[test]
fn newlines() {
    for (text, expected) in [
        ("a\n\n  // between\n  + b\n  |> f", "(a + |f(b))"),
        ("a\n  .b\n  .c", "a.b.c"),
        ("a\n  and b\n  or c", "((a and b) or c)"),
        ("a\n  not in b", "(a not in b)"),
        ("a\n  is null", "(a is null)"),
        ("(a +\n\n b)", "(a + b)"),
        ("[\n  a, // first\n  b,\n]", "[a, b]"),
        ("f(\n  a,\n  b\n)", "f(a, b)"),
        ("{ a: 1,\n b: 2\n}", "{a: 1, b: 2}"),
        ("(a match {\n  1 => b\n  -2 => c\n  `x` => d\n    + e\n})", "(a match {1 => b; (-2) => c; x => (d + e)})"),
        ("a match {\n  1,\n  2 => b; else => drop\n}", "(a match {1, 2 => b; else => <drop>})"),
        ("a match { 1 => f(\n b\n) }", "(a match {1 => f(b)})"),
    ] {
        check(text, expected);
    }
}

#[test]
fn clauses_may_begin_a_line() {
    let text = "annot 1
clean c {
  drop \"x\"
    // why
    when a
      < 3
  dedup text,
    other
    near 0.85
}
policy p {
  require count() >= 20
    per intent
  forbid \"x\" when a
    else drop
  allow personal text
    because \"asked\"
}
dataset d {
  split test from h, g,
        train 90%
    by text
    near 0.85
    stratify intent
    seed 7
  label x = y
    else drop
}
train t {
  rate 3e-4 cosine
    warmup 10%
    floor 1e-6
  batch 32
    accumulate 4
  seed 7
  length 64 tokens
    else keep start
}
evaluate t on d.test {
  report f1
  by words(text)
    at [10, 20]
  by lang
}
";
    assert_eq!(mistakes(text), Vec::<String>::new());
    let (tree, _) = read(text);
    let Decl::Dataset(dataset) = &tree.decls[2] else { panic!("a data set is read") };
    let crate::syntax::ast::dataset::ItemKind::Split(split) = &dataset.items[0].kind else { panic!("a split is read") };
    assert_eq!((split.parts.len(), split.seed.is_some(), split.stratify.is_some()), (2, true, true));
    let Decl::Train(train) = &tree.decls[3] else { panic!("a run is read") };
    assert_eq!(train.items.len(), 4);
    let Decl::Evaluate(evaluate) = &tree.decls[4] else { panic!("an evaluation is read") };
    assert_eq!(evaluate.items.len(), 3);
}

#[test]
fn strings() {
    for (text, expected) in [
        (r#""a\tb\\ \" \u{e9}""#, "a\tb\\ \" é"),
        (r#""""#, ""),
        ("\"\"\"\"\"\"", ""),
        ("\"\"\"one line\"\"\"", "one line"),
        ("\"\"\"\n    a\n      b\n\n    c\n    \"\"\"", "a\n  b\n\nc"),
        ("\"\"\"\n  a\n\"\"\"", "a"),
        ("\"\"\"a\r\n  b\"\"\"", "a\nb"),
        ("\"\"\"a \"quoted\" word\"\"\"", "a \"quoted\" word"),
    ] {
        check(text, &format!("{expected:?}"));
    }
}
