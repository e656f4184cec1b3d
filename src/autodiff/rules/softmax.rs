//! Softmax, its logarithm, and the losses of the standard set that are made of them.

use super::{Parts, Site, one};
use crate::onnx::{Attribute, ElementType, Op};

/// dx = y·(g − Σ g·y)
pub(super) fn softmax(s: &mut Site<'_>) -> Parts {
    let (g, y) = (s.g()?, s.y());
    let axis = s.node.int("axis").unwrap_or(-1);
    let is_last = axis == -1 || s.b.shapes.rank(&y).is_some_and(|rank| axis == rank as i64 - 1);
    if s.b.has_ours() && is_last {
        return one(s.b.binary(Op::SoftmaxGrad, &g, &y));
    }
    let weighted = s.b.mul(&g, &y);
    let total = s.b.reduce_sum(&weighted, &[axis], true);
    let centred = s.b.sub(&g, &total);
    one(s.b.mul(&centred, &y))
}

/// As `softmax`, of an operator that is there where the gradient's is; a row of zeros has none.
pub(super) fn guarded_softmax(s: &mut Site<'_>) -> Parts {
    let (g, y) = (s.g()?, s.y());
    one(s.b.binary(Op::SoftmaxGrad, &g, &y))
}

/// dx = g − eʸ·Σ g
pub(super) fn log_softmax(s: &mut Site<'_>) -> Parts {
    let (g, y) = (s.g()?, s.y());
    let axis = s.node.int("axis").unwrap_or(-1);
    let probabilities = s.b.unary(Op::Exp, &y);
    let total = s.b.reduce_sum(&g, &[axis], true);
    let share = s.b.mul(&probabilities, &total);
    one(s.b.sub(&g, &share))
}

/// The mean, sum or list of −w[label]·log softmax(x)[label], classes along axis 1; the second output is the logarithm.
pub(super) fn softmax_cross_entropy(s: &mut Site<'_>) -> Parts {
    s.composed(|s| {
        let x = s.x(0)?;
        let logarithm = s.b.node(Op::LogSoftmax, &[&x], &super::along(1));
        Ok(vec![s.likelihood_loss(&logarithm)?, logarithm])
    })
}

/// The mean, sum or list of −w[label]·x[label], classes along axis 1.
pub(super) fn negative_log_likelihood(s: &mut Site<'_>) -> Parts {
    s.composed(|s| {
        let x = s.x(0)?;
        Ok(vec![s.likelihood_loss(&x)?])
    })
}

impl Site<'_> {
    /// The loss of the labels (input 1) by the class weights (input 2), which count in the mean as well. An ignored label
    /// has the weight 0.
    fn likelihood_loss(&mut self, logarithm: &str) -> Result<String, String> {
        let labels = self.x(1)?;
        let labels = self.b.node(Op::Cast, &[&labels], &[("to", Attribute::Int(ElementType::Int64.onnx().into()))]);
        let zero = self.b.int(0);
        let ignored = self.node.int("ignore_index").map(|ignored| {
            let ignored = self.b.int(ignored);
            self.b.binary(Op::Equal, &labels, &ignored)
        });
        let labels = match &ignored {
            Some(ignored) => self.b.node(Op::Where, &[ignored, &zero, &labels], &[]),
            None => labels,
        };
        let mut weights = match self.node.input(2).map(str::to_owned) {
            Some(weights) => self.b.node(Op::Gather, &[&weights, &labels], &super::along(0)),
            None => {
                let unit = self.b.scalar(1.0);
                self.b.expand_like(&unit, &labels)
            }
        };
        if let Some(ignored) = &ignored {
            let nothing = self.b.scalar(0.0);
            weights = self.b.node(Op::Where, &[ignored, &nothing, &weights], &[]);
        }
        let class = self.b.ints(&[1]);
        let index = self.b.binary(Op::Unsqueeze, &labels, &class);
        let chosen = self.b.node(Op::GatherElements, &[logarithm, &index], &super::along(1));
        let chosen = self.b.binary(Op::Squeeze, &chosen, &class);
        let weighted = self.b.mul(&chosen, &weights);
        let losses = self.b.unary(Op::Neg, &weighted);
        let total = |site: &mut Self, x: &str| site.b.node(Op::ReduceSum, &[x], &[("keepdims", Attribute::Int(0))]);
        match self.node.text("reduction").unwrap_or("mean") {
            "none" => Ok(losses),
            "sum" => Ok(total(self, &losses)),
            "mean" => {
                let (sum, weight) = (total(self, &losses), total(self, &weights));
                Ok(self.b.div(&sum, &weight))
            }
            other => Err(format!("its reduction is `{other}`")),
        }
    }
}
