//! The prover against all records of a small world: what it proves holds of each of them.

use proptest::prelude::*;

use super::{Demand, Known, Subjects, constant, satisfiable};
use crate::hir::{BinaryOp, ColumnId, Expr, ExprKind, FieldType, Literal, Type};
use crate::source::{FileId, Span};

const NUMBERS: [Option<i64>; 6] = [None, Some(-1), Some(0), Some(1), Some(2), Some(3)];
const TEXTS: [Option<&str>; 4] = [None, Some(""), Some("a"), Some("b")];

/// Two numbers, of which the second is never null, and a text.
type Record = (Option<i64>, i64, Option<&'static str>);

fn records() -> impl Iterator<Item = Record> {
    let second = NUMBERS.into_iter().flatten();
    second.flat_map(|b| NUMBERS.into_iter().flat_map(move |a| TEXTS.into_iter().map(move |text| (a, b, text))))
}

fn expr(kind: ExprKind, ty: Type, nullable: bool) -> Expr {
    Expr { kind, ty: FieldType { ty, nullable }, span: Span::new(FileId(0), 0, 0) }
}

fn column(id: u32) -> Expr {
    let ty = if id == 2 { Type::String } else { Type::Int };
    expr(ExprKind::Column(ColumnId(id)), ty, id != 1)
}

fn number(value: i64) -> Expr {
    expr(ExprKind::Literal(Literal::Int(value)), Type::Int, false)
}

fn binary(op: BinaryOp, left: Expr, right: Expr) -> Expr {
    let nullable = match op {
        BinaryOp::Coalesce => left.ty.nullable && right.ty.nullable,
        _ => left.ty.nullable || right.ty.nullable,
    };
    let ty = if op == BinaryOp::Coalesce { left.ty.ty.clone() } else { Type::Bool };
    expr(ExprKind::Binary(op, Box::new(left), Box::new(right)), ty, nullable)
}

fn comparison() -> impl Strategy<Value = BinaryOp> {
    prop::sample::select(vec![
        BinaryOp::Equal,
        BinaryOp::NotEqual,
        BinaryOp::Less,
        BinaryOp::LessEqual,
        BinaryOp::Greater,
        BinaryOp::GreaterEqual,
    ])
}

fn text(value: &str) -> Literal {
    Literal::String(value.to_owned())
}

fn atom() -> impl Strategy<Value = Expr> {
    let of_number = prop_oneof![
        (0_u32..2).prop_map(column),
        (-1_i64..4).prop_map(|default| binary(BinaryOp::Coalesce, column(0), number(default))),
    ];
    let bound = prop_oneof![(-1_i64..4).prop_map(number), (0_u32..2).prop_map(column)];
    let listed = prop::collection::vec(prop::sample::select(vec!["", "a", "b", "c"]), 0..3);
    prop_oneof![
        4 => (comparison(), of_number, bound, any::<bool>()).prop_map(|(op, left, right, turned)| {
            if turned { binary(op, right, left) } else { binary(op, left, right) }
        }),
        2 => (comparison(), prop::sample::select(vec!["", "a", "b"])).prop_map(|(op, value)| {
            binary(op, column(2), expr(ExprKind::Literal(text(value)), Type::String, false))
        }),
        2 => (listed, any::<bool>()).prop_map(|(listed, negated)| {
            let list = listed.into_iter().map(text).collect();
            expr(ExprKind::In { value: Box::new(column(2)), list, negated }, Type::Bool, true)
        }),
        1 => (0_u32..3, any::<bool>()).prop_map(|(id, negated)| {
            expr(ExprKind::IsNull { value: Box::new(column(id)), negated }, Type::Bool, false)
        }),
    ]
}

fn condition() -> impl Strategy<Value = Expr> {
    atom().prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(left, right)| binary(BinaryOp::And, left, right)),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| binary(BinaryOp::Or, left, right)),
            inner.prop_map(|of| {
                let nullable = of.ty.nullable;
                expr(ExprKind::Not(Box::new(of)), Type::Bool, nullable)
            }),
        ]
    })
}

/// The value of an expression for a record, as the engine computes it; `None` is null.
fn value(of: &Expr, record: Record) -> Option<Literal> {
    match &of.kind {
        ExprKind::Literal(literal) => Some(literal.clone()),
        ExprKind::Column(ColumnId(0)) => record.0.map(Literal::Int),
        ExprKind::Column(ColumnId(1)) => Some(Literal::Int(record.1)),
        ExprKind::Column(_) => record.2.map(text),
        ExprKind::Not(of) => truth(of, record).map(|of| Literal::Bool(!of)),
        ExprKind::IsNull { value: of, negated } => Some(Literal::Bool(value(of, record).is_none() != *negated)),
        ExprKind::In { value: of, list, negated } => {
            value(of, record).map(|of| Literal::Bool(list.contains(&of) != *negated))
        }
        ExprKind::Binary(BinaryOp::Coalesce, left, right) => value(left, record).or_else(|| value(right, record)),
        ExprKind::Binary(BinaryOp::And, left, right) => match (truth(left, record), truth(right, record)) {
            (Some(false), _) | (_, Some(false)) => Some(Literal::Bool(false)),
            (left, right) => left.zip(right).map(|_| Literal::Bool(true)),
        },
        ExprKind::Binary(BinaryOp::Or, left, right) => match (truth(left, record), truth(right, record)) {
            (Some(true), _) | (_, Some(true)) => Some(Literal::Bool(true)),
            (left, right) => left.zip(right).map(|_| Literal::Bool(false)),
        },
        ExprKind::Binary(op, left, right) => {
            let order = match (value(left, record)?, value(right, record)?) {
                (Literal::Int(left), Literal::Int(right)) => left.cmp(&right),
                (Literal::String(left), Literal::String(right)) => left.cmp(&right),
                other => unreachable!("the world has numbers and texts: {other:?}"),
            };
            Some(Literal::Bool(match op {
                BinaryOp::Equal => order.is_eq(),
                BinaryOp::NotEqual => order.is_ne(),
                BinaryOp::Less => order.is_lt(),
                BinaryOp::LessEqual => order.is_le(),
                BinaryOp::Greater => order.is_gt(),
                _ => order.is_ge(),
            }))
        }
        other => unreachable!("the world has no {other:?}"),
    }
}

fn truth(of: &Expr, record: Record) -> Option<bool> {
    match value(of, record)? {
        Literal::Bool(value) => Some(value),
        other => unreachable!("a condition is true or false: {other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn what_is_proved_holds_of_every_record(earlier in condition(), later in condition()) {
        for condition in [&earlier, &later] {
            match constant(&[], condition) {
                Some(true) => prop_assert!(records().all(|one| truth(condition, one) == Some(true)), "{condition:?}"),
                Some(false) => prop_assert!(records().all(|one| truth(condition, one) != Some(true)), "{condition:?}"),
                None => {}
            }
        }
        let mut subjects = Subjects::new(&[]);
        let (first, second) = (subjects.formula(&earlier), subjects.formula(&later));
        for demand in [Demand::True, Demand::False, Demand::NotTrue, Demand::NotFalse] {
            for other in [Demand::True, Demand::False, Demand::NotTrue, Demand::NotFalse] {
                if !satisfiable(&subjects, &Known::new(), &[(&first, demand), (&second, other)]) {
                    let meets = |one| demand.takes(truth(&earlier, one)) && other.takes(truth(&later, one));
                    prop_assert!(!records().any(meets), "{demand:?} {earlier:?}\n{other:?} {later:?}");
                }
            }
        }
    }
}

/// One subject with constants that lie in the world is decided, not only bounded.
#[test]
fn one_subject_is_decided() {
    let at = |op, bound| binary(op, column(1), number(bound));
    let both = |left, right| binary(BinaryOp::And, left, right);
    let either = |left, right| binary(BinaryOp::Or, left, right);
    let cases = [
        (both(at(BinaryOp::Greater, 1), at(BinaryOp::Less, 2)), Some(false)),
        (both(at(BinaryOp::Greater, 1), at(BinaryOp::Less, 3)), None),
        (either(at(BinaryOp::Less, 3), at(BinaryOp::Greater, 2)), Some(true)),
        (either(at(BinaryOp::Less, 2), at(BinaryOp::Greater, 2)), None),
        (either(at(BinaryOp::Equal, 2), at(BinaryOp::NotEqual, 2)), Some(true)),
    ];
    for (condition, expected) in cases {
        assert_eq!(constant(&[], &condition), expected, "{condition:?}");
    }
}
