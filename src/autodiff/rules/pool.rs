//! Pooling.

use super::{Parts, Site, one};
use crate::onnx::{Attribute, Op, Tensor};

/// The gradient goes to the places that the node's own second output names, which count through the whole operand.
pub(super) fn max_pool(s: &mut Site<'_>) -> Parts {
    let (g, x) = (s.g()?, s.x(0)?);
    if s.node.int("storage_order").unwrap_or(0) != 0 {
        return Err("its places are counted by column".to_owned());
    }
    let places = s.saved_output(1);
    one(s.scattered(&g, &places, &x))
}

/// Each gradient is spread evenly over the window that it was the mean of: a transposed convolution of each channel by
/// ones. Where padding does not count, a window at the border has fewer places: as many as the mean of ones, padding
/// counted, says.
pub(super) fn average_pool(s: &mut Site<'_>) -> Parts {
    let (g, x) = (s.g()?, s.x(0)?);
    let spatial = s.rank(0)?.saturating_sub(2);
    if s.node.int("ceil_mode").unwrap_or(0) != 0 {
        return Err("it rounds its size up (`ceil_mode`)".to_owned());
    }
    let kernel = s.node.ints("kernel_shape").map(<[i64]>::to_vec).ok_or("it has no `kernel_shape`")?;
    let places = kernel.iter().product::<i64>();
    let sizes = s.b.ints(&kernel);
    let window = s.window(spatial, &x, &g, &sizes)?;
    let mut share = s.b.scale(&g, 1.0 / places as f32);
    if s.node.int("count_include_pad").unwrap_or(0) == 0 {
        let ones = s.b.shape_of(&x);
        let value = Attribute::Tensor(Tensor::from_f32(&[1], &[1.0]));
        let ones = s.b.node(Op::ConstantOfShape, &[&ones], &[("value", value)]);
        let attributes: Vec<(&str, Attribute)> = s
            .node
            .attributes
            .iter()
            .filter(|(name, _)| *name != "count_include_pad")
            .map(|(name, value)| (name.as_str(), value.clone()))
            .chain([("count_include_pad", Attribute::Int(1))])
            .collect();
        let covered = s.b.node(Op::AveragePool, &[&ones], &attributes);
        share = s.b.div(&share, &covered);
    }
    let flat = |s: &mut Site<'_>, value: &str| {
        let (rest, one, sizes) = (s.b.ints(&[-1]), s.b.ints(&[1]), s.spatial_sizes(value));
        let target = s.b.node(Op::Concat, &[&rest, &one, &sizes], &super::along(0));
        s.b.node(Op::Reshape, &[value, &target], &[])
    };
    let (share, like) = (flat(s, &share), flat(s, &x));
    let kernel = s.b.ints(&[&[1, 1][..], &kernel].concat());
    let value = Attribute::Tensor(Tensor::from_f32(&[1], &[1.0]));
    let kernel = s.b.node(Op::ConstantOfShape, &[&kernel], &[("value", value)]);
    let spread = s.spread(&share, &kernel, &window, 1, &like);
    one(s.b.reshape_like(&spread, &x))
}

/// ḡ/n, n the number of places
pub(super) fn global_average_pool(s: &mut Site<'_>) -> Parts {
    let (g, x, y) = (s.g()?, s.x(0)?, s.y());
    let (all, left) = (s.b.unary(Op::Size, &x), s.b.unary(Op::Size, &y));
    let count = s.b.div(&all, &left);
    let count = s.b.float_of(&count);
    let share = s.b.div(&g, &count);
    one(s.b.expand_like(&share, &x))
}

/// The gradient goes to the largest place; several equal ones share it.
pub(super) fn global_max_pool(s: &mut Site<'_>) -> Parts {
    let (g, x, y) = (s.g()?, s.x(0)?, s.y());
    let axes: Vec<i64> = (2..s.rank(0)? as i64).collect();
    let chosen = s.b.binary(Op::Equal, &x, &y);
    let chosen = s.b.float_of(&chosen);
    let count = s.b.reduce_sum(&chosen, &axes, true);
    let share = s.b.div(&g, &count);
    one(s.b.mul(&chosen, &share))
}
