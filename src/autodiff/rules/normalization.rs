//! Layer and root-mean-square normalization. With x̂ the normalized input, r the reciprocal of its spread and ĝ = g·w:
//! dx = r·(ĝ − mean(ĝ) − x̂·mean(ĝ·x̂)), without the first mean where the input was not centred; dw = Σ g·x̂; db = Σ g
//! (Ba, Kiros and Hinton, *Layer Normalization*, 2016). Mean and r come from the forward node's own outputs.

use super::{Parts, Site, one};
use crate::onnx::Op;

/// (x − mean)·r·w + b
pub(super) fn layer_normalization(s: &mut Site<'_>) -> Parts {
    let x = s.x(0)?;
    let mean = s.saved_output(1);
    let inverse = s.saved_output(2);
    if let Some(parts) = s.normalized_by_ours(&x, Some(&mean), &inverse)? {
        return Ok(parts);
    }
    let centred = s.b.sub(&x, &mean);
    let normalized = s.b.mul(&centred, &inverse);
    s.normalized(&normalized, &inverse, true)
}

/// x·r·w, as onnxruntime names it
pub(super) fn simplified_layer_normalization(s: &mut Site<'_>) -> Parts {
    let x = s.x(0)?;
    let inverse = s.saved_output(1);
    if let Some(parts) = s.normalized_by_ours(&x, None, &inverse)? {
        return Ok(parts);
    }
    let normalized = s.b.mul(&x, &inverse);
    s.normalized(&normalized, &inverse, false)
}

/// x·r·w, the standard operator, which does not return r
pub(super) fn rms_normalization(s: &mut Site<'_>) -> Parts {
    let x = s.x(0)?;
    let axes = s.normalized_axes()?;
    let square = s.b.mul(&x, &x);
    let mean = s.b.reduce(Op::ReduceMean, &square, &axes);
    let inverse = s.inverse_spread(&mean, s.node.float("epsilon").unwrap_or(1e-5));
    if let Some(parts) = s.normalized_by_ours(&x, None, &inverse)? {
        return Ok(parts);
    }
    let normalized = s.b.mul(&x, &inverse);
    s.normalized(&normalized, &inverse, false)
}

impl Site<'_> {
    /// The gradients of a normalization of the last axis by the operator of our own, where that may be used.
    fn normalized_by_ours(
        &mut self,
        x: &str,
        mean: Option<&str>,
        inverse: &str,
    ) -> Result<Option<Vec<Option<String>>>, String> {
        let (g, weight) = (self.g()?, self.x(1)?);
        // A weight of one element for all would be repeated, which the operator does not do.
        let row = |site: &Self, name: &str| site.b.shapes.dims(name).and_then(|dims| dims.last().cloned());
        let of_weight = row(self, &weight).filter(|_| self.b.shapes.rank(&weight) == Some(1));
        let fits = of_weight.is_some() && of_weight == row(self, x);
        if !self.b.has_ours() || !fits || self.normalized_axes()?.len() != 1 {
            return Ok(None);
        }
        let outputs = match (self.wants(1), self.wants(2)) {
            (_, true) => 3,
            (true, false) => 2,
            (false, false) => 1,
        };
        let parts = match mean {
            Some(mean) => self.b.nodes(Op::LayerNormGrad, &[&g, x, mean, inverse, &weight], &[], outputs),
            None => self.b.nodes(Op::RmsNormGrad, &[&g, x, inverse, &weight], &[], outputs),
        };
        let mut parts: Vec<Option<String>> = parts.into_iter().map(Some).collect();
        parts.resize(self.node.inputs.len(), None);
        Ok(Some(parts))
    }

    fn normalized(&mut self, normalized: &str, inverse: &str, centred: bool) -> Parts {
        let (g, weight) = (self.g()?, self.x(1)?);
        let axes = self.normalized_axes()?;
        let dx = self.wants(0).then(|| {
            let scaled = self.b.mul(&g, &weight);
            let product = self.b.mul(&scaled, normalized);
            let along = self.b.reduce(Op::ReduceMean, &product, &axes);
            let removed = self.b.mul(normalized, &along);
            let mut part = self.b.sub(&scaled, &removed);
            if centred {
                let level = self.b.reduce(Op::ReduceMean, &scaled, &axes);
                part = self.b.sub(&part, &level);
            }
            self.b.mul(&part, inverse)
        });
        let dw = self.wants(1).then(|| {
            let product = self.b.mul(&g, normalized);
            self.b.unbroadcast(&product, &weight)
        });
        let db = match self.node.input(2).map(str::to_owned) {
            Some(bias) if self.wants(2) => Some(self.b.unbroadcast(&g, &bias)),
            Some(_) | None => None,
        };
        Ok(vec![dx, dw, db])
    }

    fn normalized_axes(&mut self) -> Result<Vec<i64>, String> {
        match self.node.int("axis").unwrap_or(-1) {
            axis if axis < 0 => Ok((axis..0).collect()),
            axis => Ok((axis..self.rank(0)? as i64).collect()),
        }
    }
}

/// (x − mean)·r·w + b with the statistics of the training data, which stand still: dx = g·w·r. The statistics of a batch
/// are of no use to text models, and no runtime but a training build has them.
pub(super) fn batch_normalization(s: &mut Site<'_>) -> Parts {
    if s.node.int("training_mode").unwrap_or(0) != 0 {
        return Err("it is in training mode".to_owned());
    }
    if s.wants(3) || s.wants(4) {
        return Err("its statistics cannot be trained".to_owned());
    }
    let rank = s.rank(0)?;
    let epsilon = s.node.float("epsilon").unwrap_or(1e-5);
    s.composed(|s| {
        let mut vectors = Vec::new();
        for position in 1..5 {
            let vector = s.x(position)?;
            vectors.push(s.per_channel(&vector, rank));
        }
        let [weight, bias, mean, variance] = vectors.as_slice() else { unreachable!("four vectors were made") };
        let inverse = s.inverse_spread(variance, epsilon);
        let (x, slope) = (s.x(0)?, s.b.mul(&inverse, weight));
        let centred = s.b.sub(&x, mean);
        let scaled = s.b.mul(&centred, &slope);
        Ok(vec![s.b.add(&scaled, bias)])
    })
}

/// (x − mean)·r·w + b, mean and r over the positions of each channel of each record
pub(super) fn instance_normalization(s: &mut Site<'_>) -> Parts {
    let rank = s.rank(0)?;
    let epsilon = s.node.float("epsilon").unwrap_or(1e-5);
    s.composed(|s| {
        let (x, weight, bias) = (s.x(0)?, s.x(1)?, s.x(2)?);
        let normalized = s.standardized(&x, &(2..rank as i64).collect::<Vec<_>>(), epsilon);
        let (weight, bias) = (s.per_channel(&weight, rank), s.per_channel(&bias, rank));
        let scaled = s.b.mul(&normalized, &weight);
        Ok(vec![s.b.add(&scaled, &bias)])
    })
}

/// As instance normalization, over groups of channels. Before operator set 21 a group has one weight, from there on each
/// channel.
pub(super) fn group_normalization(s: &mut Site<'_>) -> Parts {
    let rank = s.rank(0)?;
    let epsilon = s.node.float("epsilon").unwrap_or(1e-5);
    let groups = s.node.int("num_groups").ok_or("it does not say how many groups there are")?;
    let by_group = s.b.graph.opset() < 21;
    s.composed(|s| {
        let (x, weight, bias) = (s.x(0)?, s.x(1)?, s.x(2)?);
        let grouped = s.b.ints(&[0, groups, -1]);
        let grouped = s.b.node(Op::Reshape, &[&x, &grouped], &[]);
        let mut value = s.standardized(&grouped, &[2], epsilon);
        if !by_group {
            value = s.b.reshape_like(&value, &x);
        }
        let vectors = if by_group { 3 } else { rank };
        let (weight, bias) = (s.per_channel(&weight, vectors), s.per_channel(&bias, vectors));
        let scaled = s.b.mul(&value, &weight);
        let shifted = s.b.add(&scaled, &bias);
        Ok(vec![s.b.reshape_like(&shifted, &x)])
    })
}

/// y = x/‖x‖: dx = (g − d‖x‖·Σ g·y)/‖x‖, where the norm's own slope is y for the Euclidean norm and sign(x) for the sum
/// of magnitudes. The runtime leaves a zero vector as it is; its gradient is zero.
pub(super) fn lp_normalization(s: &mut Site<'_>) -> Parts {
    let (g, x, y) = (s.g()?, s.x(0)?, s.y());
    let axis = s.node.int("axis").unwrap_or(-1);
    let (norm, slope) = match s.node.int("p").unwrap_or(2) {
        1 => (s.b.reduce(Op::ReduceL1, &x, &[axis]), s.b.unary(Op::Sign, &x)),
        2 => (s.b.reduce(Op::ReduceL2, &x, &[axis]), y.clone()),
        order => return Err(format!("it has no norm of order {order}")),
    };
    let product = s.b.mul(&g, &y);
    let along = s.b.reduce_sum(&product, &[axis], true);
    let removed = s.b.mul(&slope, &along);
    let rest = s.b.sub(&g, &removed);
    let zero = s.b.scalar(0.0);
    let is_zero = s.b.binary(Op::Equal, &norm, &zero);
    let part = s.b.div(&rest, &norm);
    one(s.b.node(Op::Where, &[&is_zero, &zero, &part], &[]))
}

impl Site<'_> {
    /// A vector of one element per channel, to be combined with a value of that rank whose axis 1 are the channels.
    fn per_channel(&mut self, vector: &str, rank: usize) -> String {
        let mut column = vec![1; rank.saturating_sub(1)];
        if let Some(first) = column.first_mut() {
            *first = -1;
        }
        let column = self.b.ints(&column);
        self.b.node(Op::Reshape, &[vector, &column], &[])
    }

    /// 1/√(variance + ε)
    fn inverse_spread(&mut self, variance: &str, epsilon: f32) -> String {
        let epsilon = self.b.scalar(epsilon);
        let sum = self.b.add(variance, &epsilon);
        let spread = self.b.unary(Op::Sqrt, &sum);
        self.b.unary(Op::Reciprocal, &spread)
    }

    /// (x − mean)·r over `axes`
    fn standardized(&mut self, x: &str, axes: &[i64], epsilon: f32) -> String {
        let mean = self.b.reduce(Op::ReduceMean, x, axes);
        let centred = self.b.sub(x, &mean);
        let square = self.b.mul(&centred, &centred);
        let variance = self.b.reduce(Op::ReduceMean, &square, axes);
        let inverse = self.inverse_spread(&variance, epsilon);
        self.b.mul(&centred, &inverse)
    }
}
