//! Low-rank adapters (Hu et al., *LoRA*, 2021) beside frozen linear layers, and their merging into the weights.
//!
//! ```text
//! y = x·W + s·(x·A)·B                                      A is [inputs, rank], B is [rank, outputs]
//! y = m ∘ (x·W + s·(x·A)·B) / ‖W + s·A·B‖                  with a magnitude m (Liu et al., DoRA, 2024)
//! ```
//!
//! The norm is that of each output's weights. As the paper's section 4.3 and PEFT do, it counts as a constant in the
//! gradient.

use std::collections::BTreeSet;

use super::SurgeryError;
use crate::onnx::encoder::uniform;
use crate::onnx::import::Linear;
use crate::onnx::{Attribute, Graph, Node, Op, Tensor};

/// What adapters are like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdapterShape {
    /// The rank.
    pub rank: usize,
    /// The factor `s` of the product.
    pub scale: f32,
    /// Whether each output has a magnitude.
    pub has_magnitude: bool,
}

/// An adapter in a graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Adapter {
    /// The layer that it adapts.
    pub linear: Linear,
    /// What it is like.
    pub shape: AdapterShape,
    /// The initializer `A`, `[inputs, rank]`.
    pub down: String,
    /// The initializer `B`, `[rank, outputs]`.
    pub up: String,
    /// The initializer `m`, `[outputs]`.
    pub magnitude: Option<String>,
}

/// Puts an adapter on each layer. `A` is drawn as PyTorch draws a linear layer (He et al., 2015), keyed by `seed` and its
/// name, `B` is zero and the magnitude is the norm, so that the graph computes what it did. The new tensors are initializers.
pub fn add_adapters(
    graph: &mut Graph,
    linears: Vec<Linear>,
    shape: AdapterShape,
    seed: u64,
) -> Result<Vec<Adapter>, SurgeryError> {
    let adapters: Vec<Adapter> = linears.into_iter().map(|linear| Adapter::of(linear, shape)).collect();
    let mut taken: BTreeSet<String> = graph.names().into_iter().map(str::to_owned).collect();
    let mut claim = |name: &str| {
        if taken.insert(name.to_owned()) { Ok(()) } else { Err(SurgeryError::Taken { name: name.to_owned() }) }
    };
    claim(SCALE)?;
    graph.initializers.insert(SCALE.to_owned(), Tensor::scalar_f32(shape.scale));
    for adapter in &adapters {
        for (name, tensor) in adapter.fresh(graph, seed) {
            claim(&name)?;
            graph.initializers.insert(name, tensor);
        }
    }
    let by_node = |at: usize| adapters.iter().find(|adapter| adapter.linear.nodes.contains(&at));
    let opset = graph.opset();
    let nodes = std::mem::take(&mut graph.nodes);
    for (at, node) in nodes.into_iter().enumerate() {
        let Some(adapter) = by_node(at) else {
            graph.nodes.push(node);
            continue;
        };
        let mut new = adapter.norm_nodes(at, opset);
        new.extend(adapter.nodes(node));
        for output in new[..new.len() - 1].iter().flat_map(|node| &node.outputs) {
            claim(output)?;
        }
        graph.nodes.extend(new);
    }
    Ok(adapters)
}

const SCALE: &str = "lora/scale";

impl Adapter {
    fn of(linear: Linear, shape: AdapterShape) -> Self {
        let name = |part: &str| format!("{}.{part}", linear.module);
        let (down, up) = (name("lora_A.weight"), name("lora_B.weight"));
        let magnitude = shape.has_magnitude.then(|| name("lora_magnitude_vector"));
        Self { linear, shape, down, up, magnitude }
    }

    /// The tensors that it starts with.
    fn fresh(&self, graph: &Graph, seed: u64) -> Vec<(String, Tensor)> {
        let Linear { inputs, outputs, ref weight, .. } = self.linear;
        let rank = self.shape.rank;
        let down = uniform(seed, &self.down, inputs * rank, 1.0 / (inputs as f64).sqrt());
        let mut tensors = vec![
            (self.down.clone(), Tensor::from_f32(&[inputs, rank], &down)),
            (self.up.clone(), Tensor::from_f32(&[rank, outputs], &vec![0.0; rank * outputs])),
        ];
        if let Some(magnitude) = &self.magnitude {
            let weights = graph.initializers[weight].to_f32().expect("a layer's weights are 32-bit floats");
            tensors.push((magnitude.clone(), Tensor::from_f32(&[outputs], &self.norms(&weights))));
        }
        tensors
    }

    /// The names of its tensors.
    pub fn tensors(&self) -> impl Iterator<Item = &str> {
        [self.down.as_str(), self.up.as_str()].into_iter().chain(self.magnitude.as_deref())
    }

    fn value(&self, part: &str) -> String {
        format!("lora/{}/{part}", self.linear.module)
    }

    /// m / ‖W + s·A·B‖, before the first node that applies the layer.
    fn norm_nodes(&self, at: usize, opset: i64) -> Vec<Node> {
        let Some(magnitude) = self.magnitude.as_ref().filter(|_| self.linear.nodes[0] == at) else { return Vec::new() };
        let name = |part: &str| self.value(part);
        let mut nodes = vec![
            node(Op::MatMul, &[&self.down, &self.up], &name("product")),
            node(Op::Mul, &[&name("product"), SCALE], &name("scaled_product")),
        ];
        let mut delta = name("scaled_product");
        if self.linear.transposed {
            nodes.push(node(Op::Transpose, &[&delta], &name("transposed_product")));
            delta = name("transposed_product");
        }
        nodes.push(node(Op::Add, &[&self.linear.weight, &delta], &name("weight")));
        // The axis is an attribute before operator set 18 and an input from there on.
        let axis = i64::from(self.linear.transposed);
        let norm = if opset < 18 {
            node(Op::ReduceL2, &[&name("weight")], &name("norm")).with("axes", Attribute::Ints(vec![axis]))
        } else {
            let axes = Tensor::from_i64(&[1], &[axis]);
            nodes.push(node(Op::Constant, &[], &name("axis")).with("value", Attribute::Tensor(axes)));
            node(Op::ReduceL2, &[&name("weight"), &name("axis")], &name("norm"))
        };
        nodes.extend([
            norm.with("keepdims", Attribute::Int(0)),
            node(Op::Detach, &[&name("norm")], &name("fixed_norm")),
            node(Op::Div, &[magnitude, &name("fixed_norm")], &name("factor")),
        ]);
        nodes
    }

    /// What takes the place of a node that applies the layer; the last one writes its output.
    fn nodes(&self, mut layer: Node) -> Vec<Node> {
        let (x, y) = (layer.inputs[0].clone(), layer.outputs[0].clone());
        let value = |part: &str| format!("lora/{y}/{part}");
        // A magnitude scales what the weights do, and not the bias.
        let bias = match self.magnitude {
            Some(_) if layer.inputs.len() > 2 => layer.inputs.pop().filter(|bias| !bias.is_empty()),
            Some(_) | None => None,
        };
        layer.outputs[0] = value("base");
        let mut nodes = vec![
            layer,
            node(Op::MatMul, &[&x, &self.down], &value("down")),
            node(Op::Mul, &[&value("down"), SCALE], &value("scaled")),
            node(Op::MatMul, &[&value("scaled"), &self.up], &value("up")),
            node(Op::Add, &[&value("base"), &value("up")], &value("sum")),
        ];
        if self.magnitude.is_some() {
            nodes.push(node(Op::Mul, &[&value("sum"), &self.value("factor")], &value("product")));
        }
        if let Some(bias) = bias {
            nodes.push(node(Op::Add, &[&value("product"), &bias], &value("biased")));
        }
        let last = nodes.last_mut().expect("an adapter has nodes");
        last.outputs[0] = y;
        nodes
    }

    /// The layer's weights with the adapter in them, in their own layout.
    pub fn merged(&self, weights: &[f32], down: &[f32], up: &[f32], magnitude: Option<&[f32]>) -> Vec<f32> {
        let Linear { inputs, outputs, transposed, .. } = self.linear;
        let AdapterShape { rank, scale, .. } = self.shape;
        let mut merged = weights.to_vec();
        let mut row = vec![0.0_f32; outputs];
        for input in 0..inputs {
            row.fill(0.0);
            for (factor, up) in down[input * rank..(input + 1) * rank].iter().zip(up.chunks_exact(outputs)) {
                row.iter_mut().zip(up).for_each(|(sum, up)| *sum += factor * up);
            }
            for (output, delta) in row.iter().enumerate() {
                merged[self.linear.at(input, output)] += scale * delta;
            }
        }
        let Some(magnitude) = magnitude else { return merged };
        let factors: Vec<f32> =
            self.norms(&merged).iter().zip(magnitude).map(|(norm, magnitude)| magnitude / norm).collect();
        for (at, weight) in merged.iter_mut().enumerate() {
            *weight *= factors[if transposed { at / inputs } else { at % outputs }];
        }
        merged
    }

    /// The norm of each output's weights.
    fn norms(&self, weights: &[f32]) -> Vec<f32> {
        let Linear { inputs, outputs, .. } = self.linear;
        let square = |output: usize| -> f64 {
            (0..inputs).map(|input| f64::from(weights[self.linear.at(input, output)]).powi(2)).sum()
        };
        (0..outputs).map(|output| square(output).sqrt() as f32).collect()
    }
}

fn node(op: Op, inputs: &[&str], output: &str) -> Node {
    Node::new(output, op, inputs, &[output])
}

impl Linear {
    /// Where the weight from an input to an output lies.
    fn at(&self, input: usize, output: usize) -> usize {
        if self.transposed { output * self.inputs + input } else { input * self.outputs + output }
    }
}
