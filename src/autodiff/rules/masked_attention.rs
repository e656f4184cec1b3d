//! Attention as one operator of our own, which [`super::super::fuse`] makes of its parts.

use super::{Parts, Site};
use crate::onnx::{Attribute, Op};

/// Of y = p·v, p = softmax(α·q·k + mask): the operator's own gradient for queries, keys and values. A mask that is trained, as a bias
/// by positions is, needs ds as a whole.
pub(super) fn masked_attention(s: &mut Site<'_>) -> Parts {
    let [Some(g), None] = s.gradients.as_slice() else {
        return Err("its probabilities are read".to_owned());
    };
    let g = g.clone();
    let (q, k, v, mask) = (s.x(0)?, s.x(1)?, s.x(2)?, s.x(3)?);
    let p = s.node.outputs[1].clone();
    let mut parts = vec![None; 4];
    if s.wants(0) || s.wants(1) || s.wants(2) {
        let outputs = (1..=3).rev().find(|&count| s.wants(count - 1)).unwrap_or(1);
        let alpha = [("alpha", Attribute::Float(s.node.float("alpha").unwrap_or(1.0)))];
        let gradients = s.b.nodes(Op::MaskedAttentionGrad, &[&g, &p, &q, &k, &v], &alpha, outputs);
        for (at, gradient) in gradients.iter().enumerate() {
            if s.wants(at) {
                parts[at] = Some(s.b.unbroadcast(gradient, [&q, &k, &v][at]));
            }
        }
    }
    if s.wants(3) {
        let dp = s.fused(&g, &v, false, true, 1.0);
        let ds = s.b.binary(Op::SoftmaxGrad, &dp, &p);
        parts[3] = Some(s.b.unbroadcast(&ds, &mask));
    }
    Ok(parts)
}
