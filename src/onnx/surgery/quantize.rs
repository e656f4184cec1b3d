//! A frozen base in few bits (Dettmers et al., *QLoRA*, 2023): linear layers that are not trained lie in a training graph as
//! integers, and each product that reads one has its floats for as long as it takes.
//!
//! ```text
//! w ≈ scale · q      scale = largest |w| of the block / 127 or / 7      q = w / scale, rounded
//! ```
//!
//! A block is 32 weights behind each other along the axis that a product sums over. The floats come from `DequantizeLinear`
//! of operator set 21. What they are made of hangs on the other operand of the product, by a reshape to a shape that is computed
//! from its size:
//!
//! ```text
//! zeros = Size(x) · [0, 0]      scales′ = Reshape(scales, zeros): a size 0 is the one that there was
//! ```
//!
//! So nothing of it is a constant that the runtime would compute once and keep, no two of them are the same to it, forwards and
//! backwards, and none is computed before the product is due.

use std::collections::{BTreeMap, HashMap};

use super::{SurgeryError, raise_opset};
use crate::onnx::import::Linear;
use crate::onnx::{Attribute, ElementType, Graph, Node, Op, Tensor};

/// Weights that share a scale.
pub const BLOCK: usize = 32;

/// A layer of fewer weights stays as it is: it would save less than 16 KiB.
pub const SMALLEST: usize = 4096;

/// The first operator set whose `DequantizeLinear` has blocks.
const OPSET: i64 = 21;

/// The integers that a base is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// 8 bits a weight.
    Int8,
    /// 4 bits a weight.
    Int4,
}

impl Width {
    /// The largest level; the smallest is its negative.
    fn largest(self) -> f32 {
        match self {
            Self::Int8 => 127.0,
            Self::Int4 => 7.0,
        }
    }

    /// Levels as a tensor.
    fn tensor(self, shape: &[usize], levels: &[i8]) -> Tensor {
        let nibble = |level: i8| level as u8 & 0xF;
        let (element, bytes): (_, Vec<u8>) = match self {
            Self::Int8 => (ElementType::Int8, levels.iter().map(|level| *level as u8).collect()),
            Self::Int4 => {
                let pair = |pair: &[i8]| nibble(pair[0]) | pair.get(1).map_or(0, |second| nibble(*second) << 4);
                (ElementType::Int4, levels.chunks(2).map(pair).collect())
            }
        };
        Tensor::new(element, shape.to_vec(), bytes.into()).expect("as many levels as the shape has elements")
    }
}

/// A matrix of weights as integers with scales.
#[derive(Clone, Debug)]
struct Quantized {
    levels: Tensor,
    scales: Tensor,
    /// The axis along which blocks lie.
    axis: usize,
}

impl Quantized {
    /// `None` where a weight is no finite number.
    fn of(weights: &Tensor, axis: usize, width: Width) -> Option<Self> {
        let (&[rows, columns], values) = (weights.shape(), weights.to_f32()?) else { return None };
        if values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let shape = if axis == 0 { [rows.div_ceil(BLOCK), columns] } else { [rows, columns.div_ceil(BLOCK)] };
        let mut scales = vec![0.0_f32; shape.iter().product()];
        for (at, value) in values.iter().enumerate() {
            let scale = &mut scales[block(at, columns, axis)];
            *scale = scale.max(value.abs());
        }
        scales.iter_mut().for_each(|scale| *scale /= width.largest());
        // A block of zeros has no scale, and one of numbers next to the smallest ones none that can be divided by.
        let level = |(at, value): (usize, &f32)| match scales[block(at, columns, axis)] {
            scale if scale.is_normal() => (value / scale).round_ties_even().clamp(-width.largest(), width.largest()),
            _ => 0.0,
        };
        let levels: Vec<i8> = values.iter().enumerate().map(level).map(|level| level as i8).collect();
        Some(Self { levels: width.tensor(&[rows, columns], &levels), scales: Tensor::from_f32(&shape, &scales), axis })
    }

    /// What the levels stand for, as `DequantizeLinear` has it.
    fn values(&self) -> Tensor {
        let scales = self.scales.to_f32().expect("scales are 32-bit floats");
        let shape = self.levels.shape();
        let signed = |nibble: u8| ((nibble << 4) as i8) >> 4;
        let bytes = self.levels.data().iter();
        let levels: Vec<i8> = match self.levels.element() {
            ElementType::Int4 => bytes.flat_map(|pair| [signed(pair & 0xF), signed(pair >> 4)]).collect(),
            _ => bytes.map(|level| *level as i8).collect(),
        };
        let value = |(at, level): (usize, &i8)| scales[block(at, shape[1], self.axis)] * f32::from(*level);
        let values: Vec<f32> = levels[..self.levels.len()].iter().enumerate().map(value).collect();
        Tensor::from_f32(shape, &values)
    }
}

/// The block of an element of a matrix with so many columns, row-major.
fn block(at: usize, columns: usize, axis: usize) -> usize {
    let (row, column) = (at / columns, at % columns);
    if axis == 0 { row / BLOCK * columns + column } else { row * columns.div_ceil(BLOCK) + column / BLOCK }
}

/// The frozen layers of a graph as integers.
#[derive(Clone, Debug)]
pub struct QuantizedBase(BTreeMap<String, Quantized>);

impl QuantizedBase {
    /// The weights of these layers, but for small ones.
    ///
    /// # Errors
    /// [`SurgeryError::NotFinite`] for a weight that is no number, [`SurgeryError::NoBase`] where all layers are small.
    pub fn of(graph: &Graph, linears: &[Linear], width: Width) -> Result<Self, SurgeryError> {
        let mut base = BTreeMap::new();
        for Linear { weight, transposed, .. } in linears {
            let tensor = &graph.initializers[weight];
            if tensor.len() >= SMALLEST {
                let quantized = Quantized::of(tensor, usize::from(*transposed), width);
                base.insert(weight.clone(), quantized.ok_or_else(|| SurgeryError::NotFinite { name: weight.clone() })?);
            }
        }
        if base.is_empty() { Err(SurgeryError::NoBase) } else { Ok(Self(base)) }
    }

    /// Puts the floats that the integers stand for in the place of the weights of a graph.
    pub fn round(&self, graph: &mut Graph) {
        for (name, quantized) in &self.0 {
            if let Some(tensor) = graph.initializers.get_mut(name) {
                *tensor = quantized.values();
            }
        }
    }

    /// Puts the integers in the place of the weights of a graph that is not differentiated any more, at operator set 21 or
    /// the graph's own, where that is newer.
    ///
    /// # Errors
    /// [`SurgeryError::Opset`] where the operator set cannot be raised.
    pub fn replace(&self, graph: &mut Graph) -> Result<(), SurgeryError> {
        raise_opset(graph, OPSET)?;
        let mut reading = Reading::of(self, graph);
        for node in std::mem::take(&mut graph.nodes) {
            reading.visit(graph, node);
        }
        Ok(())
    }
}

/// A graph's nodes while they are given the weights that they read.
struct Reading<'a> {
    base: &'a QuantizedBase,
    /// Values that are a weight, and the nodes that only turn it, in their order.
    weights: HashMap<String, (&'a str, Vec<Node>)>,
    /// For each weight, the other operand of the first product that reads it.
    operands: HashMap<&'a str, String>,
    /// Values whose size gave a shape of zeros.
    measured: HashMap<String, String>,
    /// How many weights were made.
    made: usize,
}

impl<'a> Reading<'a> {
    fn of(base: &'a QuantizedBase, graph: &mut Graph) -> Self {
        let mut weights: HashMap<String, (&str, Vec<Node>)> = HashMap::new();
        for (name, quantized) in &base.0 {
            if graph.initializers.remove(name).is_some() {
                weights.insert(name.clone(), (name, Vec::new()));
                graph.initializers.insert(levels(name), quantized.levels.clone());
                graph.initializers.insert(scales(name), quantized.scales.clone());
            }
        }
        graph.initializers.insert(NOTHING.to_owned(), Tensor::from_i64(&[2], &[0, 0]));
        let mut operands = HashMap::new();
        for node in &graph.nodes {
            if let Some((_, (name, turns))) = node.input(0).and_then(|input| weights.get_key_value(input))
                && turns_weight(node)
            {
                let found = (*name, turns.iter().chain([node]).cloned().collect());
                weights.insert(node.outputs[0].clone(), found);
                continue;
            }
            for (at, input) in node.inputs.iter().enumerate() {
                if let (Some((name, _)), Some(other)) = (weights.get(input), other_operand(node, at)) {
                    operands.entry(*name).or_insert_with(|| other.to_owned());
                }
            }
        }
        Self { base, weights, operands, measured: HashMap::new(), made: 0 }
    }

    /// Adds a node, and what makes the weights that it reads before it.
    fn visit(&mut self, graph: &mut Graph, mut node: Node) {
        if self.weights.contains_key(node.outputs.first().map_or("", String::as_str)) {
            return;
        }
        for at in 0..node.inputs.len() {
            let Some((name, turns)) = self.weights.get(&node.inputs[at]).cloned() else { continue };
            let operand = other_operand(&node, at).map(str::to_owned).or_else(|| self.operands.get(name).cloned());
            node.inputs[at] = self.make(graph, name, &turns, operand.as_deref());
        }
        graph.nodes.push(node);
    }

    /// Adds the nodes that make a weight when `operand` is there, and gives the name of it.
    fn make(&mut self, graph: &mut Graph, name: &str, turns: &[Node], operand: Option<&str>) -> String {
        let stem = format!("annotc/base/{}", self.made);
        self.made += 1;
        let mut scales = scales(name);
        if let Some(operand) = operand {
            let zeros = self.zeros(graph, operand);
            let held = format!("{stem}/scales");
            graph.nodes.push(Node::new(&held, Op::Reshape, &[&scales, &zeros], &[&held]));
            scales = held;
        }
        let axis = i64::try_from(self.base.0[name].axis).expect("one of two axes");
        let node = Node::new(&stem, Op::DequantizeLinear, &[&levels(name), &scales], &[&stem]);
        let block = i64::try_from(BLOCK).expect("a small number");
        graph.nodes.push(node.with("axis", Attribute::Int(axis)).with("block_size", Attribute::Int(block)));
        turns.iter().enumerate().fold(stem.clone(), |input, (at, turn)| {
            let output = format!("{stem}/turned_{at}");
            let turned =
                Node { inputs: vec![input], outputs: vec![output.clone()], name: output.clone(), ..turn.clone() };
            graph.nodes.push(turned);
            output
        })
    }

    /// A shape `[0, 0]` that is there when a value is.
    fn zeros(&mut self, graph: &mut Graph, value: &str) -> String {
        let name = |part: &str| format!("annotc/base/{part}_{}", self.measured.len());
        let (size, zeros) = (name("size"), name("zeros"));
        if let Some(known) = self.measured.get(value) {
            return known.clone();
        }
        graph.nodes.push(Node::new(&size, Op::Size, &[value], &[&size]));
        graph.nodes.push(Node::new(&zeros, Op::Mul, &[&size, NOTHING], &[&zeros]));
        self.measured.insert(value.to_owned(), zeros.clone());
        zeros
    }
}

/// Two zeros.
const NOTHING: &str = "annotc/base/nothing";

fn levels(weight: &str) -> String {
    format!("annotc/base/{weight}/levels")
}

fn scales(weight: &str) -> String {
    format!("annotc/base/{weight}/scales")
}

/// Whether a node writes its operand in another order, as exporters do with weights.
fn turns_weight(node: &Node) -> bool {
    matches!(node.op, Op::Transpose | Op::Identity)
}

/// What a product multiplies its operand at a place with.
fn other_operand(node: &Node, at: usize) -> Option<&str> {
    match node.op {
        Op::MatMul | Op::FusedMatMul | Op::Gemm if at < 2 => node.input(1 - at),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
