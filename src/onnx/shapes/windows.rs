//! The sizes that windows leave: convolutions, pools; and those of contractions over named axes.

use super::{Dim, Equation, Shapes, infer::Dims};
use crate::onnx::{Attribute, Node, Op};

impl Shapes {
    /// Convolution, transposed convolution and pools: records, channels, and each axis as the window leaves it.
    pub(super) fn windowed(&mut self, node: &Node) -> Dims {
        let mut all = self.dims(node.input(0)?)?.to_vec();
        let spatial = all.len().checked_sub(2)?;
        let kernel = match node.op {
            Op::Conv | Op::ConvTranspose => {
                let kernel = self.dims(node.input(1)?)?.to_vec();
                all[1] = match (&node.op, kernel.get(1)?) {
                    (Op::ConvTranspose, Dim::Known(channels)) => Dim::Known(channels * node.int("group").unwrap_or(1)),
                    (Op::ConvTranspose, _) => self.computed(),
                    _ => kernel.first()?.clone(),
                };
                kernel.get(2..)?.to_vec()
            }
            _ => node.ints("kernel_shape")?.iter().map(|&size| Dim::Known(size)).collect(),
        };
        for axis in 0..spatial {
            let size = all[axis + 2].known().zip(kernel.get(axis).and_then(Dim::known));
            let left = size.and_then(|(size, kernel)| window_size(node, axis, spatial, size, kernel));
            all[axis + 2] = left.filter(|&size| size >= 0).map_or_else(|| self.computed(), Dim::Known);
        }
        Some(all)
    }

    /// Every axis behind the first two becomes one place.
    pub(super) fn globally_pooled(&self, node: &Node) -> Dims {
        let mut all = self.dims(node.input(0)?)?.to_vec();
        all.get_mut(2..)?.fill(Dim::Known(1));
        Some(all)
    }

    /// A contraction: each letter of the result has the size that it has in the operands; 1 gives way.
    pub(super) fn contracted(&self, node: &Node) -> Dims {
        let operands: Vec<&[Dim]> = node.inputs.iter().map(|name| self.dims(name)).collect::<Option<_>>()?;
        let ranks: Vec<usize> = operands.iter().map(|dims| dims.len()).collect();
        let equation = Equation::parse(node.text("equation")?, &ranks)?;
        let size = |letter: &char| {
            let axes = equation.operands.iter().zip(&operands).flat_map(|(letters, dims)| letters.iter().zip(*dims));
            let sizes = axes.filter(|(other, _)| *other == letter).map(|(_, dim)| dim);
            sizes.max_by_key(|dim| **dim != Dim::Known(1)).cloned()
        };
        equation.output.iter().map(size).collect()
    }

    /// A loss over classes along axis 1, and the logarithm of their probabilities.
    pub(super) fn likelihood(&self, node: &Node) -> Vec<Dims> {
        let of = |position: usize| self.dims(node.input(position)?).map(<[Dim]>::to_vec);
        let loss = match node.attributes.get("reduction") {
            Some(Attribute::String(text)) if text == b"none" => of(1),
            Some(_) | None => Some(Vec::new()),
        };
        vec![loss, of(0)]
    }
}

/// What a window leaves of an axis of `size` places; `None` where the attributes do not tell.
fn window_size(node: &Node, axis: usize, spatial: usize, size: i64, kernel: i64) -> Option<i64> {
    let of = |name: &str, default: i64| node.ints(name).map_or(Some(default), |all| all.get(axis).copied());
    let (stride, dilation) = (of("strides", 1)?, of("dilations", 1)?);
    if stride < 1 {
        return None;
    }
    let reach = dilation.checked_mul(kernel - 1)?.checked_add(1)?;
    let pads = node.ints("pads").map_or(Some(0), |pads| Some(pads.get(axis)? + pads.get(spatial + axis)?));
    let automatic = node.text("auto_pad").unwrap_or("NOTSET");
    match (&node.op, automatic) {
        (Op::ConvTranspose, "NOTSET") if node.ints("output_shape").is_none() => {
            Some(stride * (size - 1) + of("output_padding", 0)? + reach - pads?)
        }
        (Op::ConvTranspose, _) => None,
        (_, "SAME_UPPER" | "SAME_LOWER") => Some((size + stride - 1) / stride),
        (_, _) if node.int("ceil_mode").unwrap_or(0) != 0 => None,
        (_, "VALID") => Some((size - reach) / stride + 1),
        (_, _) => Some((size + pads? - reach) / stride + 1),
    }
}
