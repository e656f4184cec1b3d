//! Convolutions and pools, over one, two and three axes.

use super::{Case, any, apart, case};
use crate::onnx::Op;

pub(super) fn cases() -> Vec<Case> {
    [convolutions(), pools()].concat()
}

fn convolutions() -> Vec<Case> {
    let conv = |x: &[usize], w: &[usize]| case(Op::Conv, vec![any(x), any(w), any(&w[..1])]);
    let back = |x: &[usize], w: &[usize], b: usize| case(Op::ConvTranspose, vec![any(x), any(w), any(&[b])]);
    vec![
        conv(&[2, 2, 5], &[3, 2, 2]),
        conv(&[1, 2, 6], &[2, 2, 3]).list("pads", &[1, 2]).list("strides", &[2]),
        // Places at the end that no window reaches.
        conv(&[1, 1, 8], &[1, 1, 2]).list("strides", &[3]),
        conv(&[1, 2, 7], &[2, 2, 2]).list("dilations", &[3]).list("pads", &[0, 1]),
        conv(&[2, 4, 4], &[4, 2, 2]).int("group", 2),
        conv(&[1, 3, 5], &[3, 1, 3]).int("group", 3).list("pads", &[1, 1]),
        conv(&[1, 2, 4, 3], &[2, 2, 2, 2]).list("strides", &[2, 1]).list("pads", &[1, 0, 0, 1]),
        conv(&[1, 1, 3, 2, 3], &[1, 1, 2, 1, 2]),
        conv(&[1, 1, 5], &[1, 1, 3]).text("auto_pad", "SAME_UPPER").list("strides", &[2]),
        conv(&[1, 1, 4, 5], &[1, 1, 2, 2]).text("auto_pad", "SAME_LOWER"),
        conv(&[1, 1, 4], &[1, 1, 2]).text("auto_pad", "VALID"),
        case(Op::Conv, vec![any(&[1, 1, 4]), any(&[2, 1, 2])]),
        back(&[2, 2, 3], &[2, 3, 2], 3),
        back(&[1, 2, 3], &[2, 2, 3], 2).list("strides", &[2]).list("pads", &[1, 0]).list("output_padding", &[1]),
        back(&[1, 4, 3], &[4, 1, 2], 2).int("group", 2).list("dilations", &[2]),
        back(&[1, 2, 2, 3], &[2, 1, 2, 2], 1).list("strides", &[2, 1]),
    ]
}

fn pools() -> Vec<Case> {
    let pool = |op: Op, shape: &[usize], kernel: &[i64]| case(op, vec![apart(shape)]).list("kernel_shape", kernel);
    vec![
        pool(Op::MaxPool, &[1, 2, 5], &[2]),
        pool(Op::MaxPool, &[2, 1, 3, 4], &[2, 2]).list("strides", &[1, 2]).list("pads", &[1, 0, 0, 0]),
        pool(Op::MaxPool, &[1, 2, 5], &[2]).list("strides", &[2]).int("ceil_mode", 1),
        pool(Op::AveragePool, &[2, 2, 5], &[2]),
        pool(Op::AveragePool, &[1, 2, 5], &[3]).list("strides", &[2]).list("pads", &[1, 1]),
        pool(Op::AveragePool, &[1, 2, 3, 4], &[2, 2]).list("pads", &[1, 0, 0, 1]).int("count_include_pad", 1),
        pool(Op::AveragePool, &[1, 1, 5], &[2]).text("auto_pad", "SAME_UPPER").list("strides", &[2]),
        case(Op::GlobalAveragePool, vec![any(&[2, 2, 3])]),
        case(Op::GlobalAveragePool, vec![any(&[1, 2, 2, 3])]),
        case(Op::GlobalMaxPool, vec![apart(&[2, 2, 3])]),
    ]
}
