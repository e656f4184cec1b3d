//! Layer and root-mean-square normalization. With x̂ the normalized input, r the reciprocal of its spread and ĝ = g·w:
//! dx = r·(ĝ − mean(ĝ) − x̂·mean(ĝ·x̂)), without the first mean where the input was not centred; dw = Σ g·x̂; db = Σ g
//! (Ba, Kiros and Hinton, *Layer Normalization*, 2016). Mean and r come from the forward node's own outputs.

use super::{Parts, Site};
use crate::onnx::Op;

/// (x − mean)·r·w + b
pub(super) fn layer_normalization(s: &mut Site<'_>) -> Parts {
    let x = s.x(0)?;
    let mean = s.saved_output(1);
    let inverse = s.saved_output(2);
    let centred = s.b.sub(&x, &mean);
    let normalized = s.b.mul(&centred, &inverse);
    s.normalized(&normalized, &inverse, true)
}

/// x·r·w, as onnxruntime names it
pub(super) fn simplified_layer_normalization(s: &mut Site<'_>) -> Parts {
    let x = s.x(0)?;
    let inverse = s.saved_output(1);
    let normalized = s.b.mul(&x, &inverse);
    s.normalized(&normalized, &inverse, false)
}

/// x·r·w, the standard operator, which does not return r
pub(super) fn rms_normalization(s: &mut Site<'_>) -> Parts {
    let x = s.x(0)?;
    let axes = s.normalized_axes()?;
    let square = s.b.mul(&x, &x);
    let mean = s.b.reduce(Op::ReduceMean, &square, &axes);
    let epsilon = s.b.scalar(s.node.float("epsilon").unwrap_or(1e-5));
    let mean = s.b.add(&mean, &epsilon);
    let spread = s.b.unary(Op::Sqrt, &mean);
    let inverse = s.b.unary(Op::Reciprocal, &spread);
    let normalized = s.b.mul(&x, &inverse);
    s.normalized(&normalized, &inverse, false)
}

impl Site<'_> {
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

    /// An optional output of the forward node, asked for now if the exporter left it out.
    fn saved_output(&mut self, position: usize) -> String {
        let first = &self.node.outputs[0];
        let at = self.b.graph.nodes.iter().position(|node| node.outputs.first() == Some(first));
        let at = at.expect("the forward node is in the graph that is being extended");
        let known = self.b.graph.nodes[at].outputs.get(position).filter(|name| !name.is_empty()).cloned();
        if let Some(name) = known {
            return name;
        }
        let name = self.b.fresh("saved");
        let node = &mut self.b.graph.nodes[at];
        node.outputs.resize(node.outputs.len().max(position + 1), String::new());
        node.outputs[position].clone_from(&name);
        let node = node.clone();
        self.b.shapes.visit(&node);
        name
    }
}
