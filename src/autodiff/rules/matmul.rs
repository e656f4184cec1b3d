//! Matrix products. A product with a matrix of weights is brought to two dimensions, where `Gemm` is fastest; products
//! of batches go through `FusedMatMul`, whose flags save the transposes.

use super::{Parts, Site};
use crate::onnx::{Attribute, Op};

/// Y = A·B
pub(super) fn matmul(s: &mut Site<'_>) -> Parts {
    let (a_rank, b_rank) = (s.rank(0)?, s.rank(1)?);
    match (a_rank, b_rank) {
        (2.., 2) => weights(s),
        (2.., 2..) => batched(s, false, false, 1.0),
        _ => vectors(s, a_rank, b_rank),
    }
}

/// Y = α·A′·B′ over batches, A′ and B′ transposed where the flags say so
pub(super) fn fused_matmul(s: &mut Site<'_>) -> Parts {
    let flag = |name: &str| s.node.int(name).unwrap_or(0) != 0;
    if flag("transBatchA") || flag("transBatchB") {
        return Err("its batch axes are transposed".to_owned());
    }
    let (transposed_a, transposed_b) = (flag("transA"), flag("transB"));
    if s.rank(0)? < 2 || s.rank(1)? < 2 {
        return Err("an operand is a vector".to_owned());
    }
    batched(s, transposed_a, transposed_b, s.node.float("alpha").unwrap_or(1.0))
}

/// Rows times a matrix of weights: dX = dY·Wᵀ, dW = Xᵀ·dY.
fn weights(s: &mut Site<'_>) -> Parts {
    let (g, x, w) = (s.g()?, s.x(0)?, s.x(1)?);
    let g = s.b.rows(&g);
    let dx = if s.wants(0) {
        let rows = s.gemm(&g, &w, false, true, 1.0);
        Some(s.b.reshape_like(&rows, &x))
    } else {
        None
    };
    let dw = if s.wants(1) {
        let x = s.b.rows(&x);
        Some(s.gemm(&x, &g, true, false, 1.0))
    } else {
        None
    };
    Ok(vec![dx, dw])
}

/// With a vector the product is that of a matrix with one row or one column.
fn vectors(s: &mut Site<'_>, a_rank: usize, b_rank: usize) -> Parts {
    let (mut g, mut a, mut b) = (s.g()?, s.x(0)?, s.x(1)?);
    let (first, last) = (s.b.ints(&[-2]), s.b.ints(&[-1]));
    if b_rank == 1 {
        b = s.b.binary(Op::Unsqueeze, &b, &last);
        g = s.b.binary(Op::Unsqueeze, &g, &last);
    }
    if a_rank == 1 {
        let front = s.b.ints(&[0]);
        a = s.b.binary(Op::Unsqueeze, &a, &front);
        g = s.b.binary(Op::Unsqueeze, &g, &first);
    }
    let mut parts = vec![None, None];
    if s.wants(0) {
        let part = s.fused(&g, &b, false, true, 1.0);
        let part = s.b.unbroadcast(&part, &a);
        parts[0] = Some(s.b.reshape_like(&part, &s.node.inputs[0]));
    }
    if s.wants(1) {
        let part = s.fused(&a, &g, true, false, 1.0);
        let part = s.b.unbroadcast(&part, &b);
        parts[1] = Some(s.b.reshape_like(&part, &s.node.inputs[1]));
    }
    Ok(parts)
}

/// dA′ = α·dY·B′ᵀ and dB′ = α·A′ᵀ·dY, each written so that it comes out in the operand's own layout.
fn batched(s: &mut Site<'_>, transposed_a: bool, transposed_b: bool, alpha: f32) -> Parts {
    let (g, a, b) = (s.g()?, s.x(0)?, s.x(1)?);
    let mut parts = vec![None, None];
    if s.wants(0) {
        let part = if transposed_a {
            s.fused(&b, &g, transposed_b, true, alpha)
        } else {
            s.fused(&g, &b, false, !transposed_b, alpha)
        };
        parts[0] = Some(s.b.unbroadcast(&part, &a));
    }
    if s.wants(1) {
        let part = if transposed_b {
            s.fused(&g, &a, true, transposed_a, alpha)
        } else {
            s.fused(&a, &g, !transposed_a, false, alpha)
        };
        parts[1] = Some(s.b.unbroadcast(&part, &b));
    }
    Ok(parts)
}

/// Y = α·A′·B′ + β·C
pub(super) fn gemm(s: &mut Site<'_>) -> Parts {
    let (g, a, b) = (s.g()?, s.x(0)?, s.x(1)?);
    let flag = |name: &str| s.node.int(name).unwrap_or(0) != 0;
    let (ta, tb, alpha) = (flag("transA"), flag("transB"), s.node.float("alpha").unwrap_or(1.0));
    let mut parts = vec![None, None, None];
    if s.wants(0) {
        parts[0] = Some(if ta { s.gemm(&b, &g, tb, true, alpha) } else { s.gemm(&g, &b, false, !tb, alpha) });
    }
    if s.wants(1) {
        parts[1] = Some(if tb { s.gemm(&g, &a, true, ta, alpha) } else { s.gemm(&a, &g, !ta, false, alpha) });
    }
    if s.wants(2) {
        let c = s.x(2)?;
        let part = s.b.unbroadcast(&g, &c);
        parts[2] = Some(s.b.scale(&part, s.node.float("beta").unwrap_or(1.0)));
    }
    Ok(parts)
}

impl Site<'_> {
    fn gemm(&mut self, a: &str, b: &str, transposed_a: bool, transposed_b: bool, alpha: f32) -> String {
        let attributes = [
            ("transA", Attribute::Int(transposed_a.into())),
            ("transB", Attribute::Int(transposed_b.into())),
            ("alpha", Attribute::Float(alpha)),
        ];
        let op = if transposed_a && self.b.has_ours() { Op::Product } else { Op::Gemm };
        self.b.node(op, &[a, b], &attributes)
    }

    pub(super) fn fused(&mut self, a: &str, b: &str, transposed_a: bool, transposed_b: bool, alpha: f32) -> String {
        let attributes = [
            ("transA", Attribute::Int(transposed_a.into())),
            ("transB", Attribute::Int(transposed_b.into())),
            ("alpha", Attribute::Float(alpha)),
        ];
        let op = if transposed_a && self.b.has_ours() { Op::Product } else { Op::FusedMatMul };
        self.b.node(op, &[a, b], &attributes)
    }
}
