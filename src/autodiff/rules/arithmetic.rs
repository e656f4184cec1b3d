//! Arithmetic and selection with broadcasting: each part is summed back over the axes along which its operand was
//! repeated.

use super::{Parts, Site};
use crate::onnx::Op;

impl Site<'_> {
    /// The part of an operand, summed back to the operand's shape.
    fn back_to(&mut self, part: &str, position: usize) -> Result<Option<String>, String> {
        let x = self.x(position)?;
        Ok(Some(self.b.unbroadcast(part, &x)))
    }
}

/// d(a + b) = da + db
pub(super) fn add(s: &mut Site<'_>) -> Parts {
    sum(s)
}

/// d Σ aᵢ = Σ daᵢ
pub(super) fn sum(s: &mut Site<'_>) -> Parts {
    let g = s.g()?;
    (0..s.node.inputs.len()).map(|at| if s.wants(at) { s.back_to(&g, at) } else { Ok(None) }).collect()
}

/// d (Σ aᵢ)/n = Σ daᵢ/n
pub(super) fn mean(s: &mut Site<'_>) -> Parts {
    let g = s.g()?;
    let g = s.b.scale(&g, 1.0 / s.node.inputs.len() as f32);
    (0..s.node.inputs.len()).map(|at| if s.wants(at) { s.back_to(&g, at) } else { Ok(None) }).collect()
}

/// y = a − n·b with a whole number n: dy = da − n·db
pub(super) fn modulo(s: &mut Site<'_>) -> Parts {
    let (g, y) = (s.g()?, s.y());
    let a = if s.wants(0) { s.back_to(&g, 0)? } else { None };
    let b = if s.wants(1) {
        let (dividend, divisor) = (s.x(0)?, s.x(1)?);
        let multiple = s.b.sub(&y, &dividend);
        let ratio = s.b.div(&multiple, &divisor);
        let minus_n = s.b.unary(Op::Round, &ratio);
        let part = s.b.mul(&g, &minus_n);
        s.back_to(&part, 1)?
    } else {
        None
    };
    Ok(vec![a, b])
}

/// d(a − b) = da − db
pub(super) fn sub(s: &mut Site<'_>) -> Parts {
    let g = s.g()?;
    let a = if s.wants(0) { s.back_to(&g, 0)? } else { None };
    let b = if s.wants(1) {
        let part = s.b.unbroadcast(&g, &s.node.inputs[1]);
        Some(s.b.unary(Op::Neg, &part))
    } else {
        None
    };
    Ok(vec![a, b])
}

/// d(a·b) = b·da + a·db
pub(super) fn mul(s: &mut Site<'_>) -> Parts {
    let g = s.g()?;
    let mut parts = vec![None, None];
    for (at, other) in [(0, 1), (1, 0)] {
        if s.wants(at) {
            let other = s.x(other)?;
            let part = s.b.mul(&g, &other);
            parts[at] = s.back_to(&part, at)?;
        }
    }
    Ok(parts)
}

/// d(a/b) = da/b − y·db/b
pub(super) fn div(s: &mut Site<'_>) -> Parts {
    let (g, divisor, y) = (s.g()?, s.x(1)?, s.y());
    let over = s.b.div(&g, &divisor);
    let a = if s.wants(0) { s.back_to(&over, 0)? } else { None };
    let b = if s.wants(1) {
        let part = s.b.mul(&over, &y);
        let part = s.b.unbroadcast(&part, &divisor);
        Some(s.b.unary(Op::Neg, &part))
    } else {
        None
    };
    Ok(vec![a, b])
}

/// d aᵇ = b·aᵇ⁻¹·da + ln(a)·y·db
pub(super) fn pow(s: &mut Site<'_>) -> Parts {
    let (g, base, exponent, y) = (s.g()?, s.x(0)?, s.x(1)?, s.y());
    let constant = s.b.graph.initializers.get(&exponent).filter(|tensor| tensor.len() == 1);
    let constant = constant.and_then(|tensor| match tensor.to_i64() {
        Some(whole) => Some(whole[0] as f32),
        None => tensor.to_f32().map(|all| all[0]),
    });
    let a = if s.wants(0) {
        let slope = match constant {
            Some(2.0) => s.b.scale(&base, 2.0),
            Some(power) => {
                let less = s.b.scalar(power - 1.0);
                let lower = s.b.binary(Op::Pow, &base, &less);
                s.b.scale(&lower, power)
            }
            None => {
                let unit = s.b.scalar(1.0);
                let exponent = s.b.float_of(&exponent);
                let less = s.b.sub(&exponent, &unit);
                let lower = s.b.binary(Op::Pow, &base, &less);
                s.b.mul(&lower, &exponent)
            }
        };
        let part = s.b.mul(&g, &slope);
        s.back_to(&part, 0)?
    } else {
        None
    };
    let b = if s.wants(1) {
        let log = s.b.unary(Op::Log, &base);
        let slope = s.b.mul(&y, &log);
        let part = s.b.mul(&g, &slope);
        s.back_to(&part, 1)?
    } else {
        None
    };
    Ok(vec![a, b])
}

/// The gradient goes where the value came from.
pub(super) fn select(s: &mut Site<'_>) -> Parts {
    let (g, condition) = (s.g()?, s.x(0)?);
    let zero = s.b.scalar(0.0);
    let mut parts = vec![None, None, None];
    for (at, yes, no) in [(1, &g, &zero), (2, &zero, &g)] {
        if s.wants(at) {
            let part = s.b.node(Op::Where, &[&condition, yes, no], &[]);
            parts[at] = s.back_to(&part, at)?;
        }
    }
    Ok(parts)
}

/// The gradient goes to the operand that was chosen; several equal ones share it.
pub(super) fn extremum(s: &mut Site<'_>) -> Parts {
    let (g, y) = (s.g()?, s.y());
    let mut chosen = Vec::new();
    for x in s.node.inputs.clone() {
        let equal = s.b.binary(Op::Equal, &x, &y);
        chosen.push(s.b.float_of(&equal));
    }
    let count = s.b.node(Op::Sum, &chosen.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
    let share = s.b.div(&g, &count);
    let mut parts = Vec::new();
    for (at, chosen) in chosen.iter().enumerate() {
        let part = s.b.mul(&share, chosen);
        parts.push(if s.wants(at) { s.back_to(&part, at)? } else { None });
    }
    Ok(parts)
}

/// The gradient passes where the value was within the bounds; a bound that cut it gets none, for bounds are settings.
pub(super) fn clip(s: &mut Site<'_>) -> Parts {
    if s.wants(1) || s.wants(2) {
        return Err("its bounds cannot be trained".to_owned());
    }
    let (g, x, y) = (s.g()?, s.x(0)?, s.y());
    let inside = s.b.binary(Op::Equal, &x, &y);
    let zero = s.b.scalar(0.0);
    Ok(vec![Some(s.b.node(Op::Where, &[&inside, &g, &zero], &[]))])
}
