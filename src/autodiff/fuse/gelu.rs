//! `x·(erf(x/√2) + 1)·½`, five nodes, becomes `com.microsoft:Gelu`.

use super::{Found, Index};
use crate::onnx::{Node, Op};

pub(super) fn find(index: &Index<'_>, erf: usize) -> Option<Found> {
    let node = index.node(erf);
    if node.op != Op::Erf {
        return None;
    }
    let scaled = *index.writer.get(node.input(0)?)?;
    let (x, factor) = index.operand_and_constant(scaled)?;
    let unscaled = match index.node(scaled).op {
        Op::Div => 1.0 / factor,
        Op::Mul => factor,
        _ => return None,
    };
    let plus_one = index.only_reader_of(erf, &Op::Add)?;
    let product = index.only_reader_of(plus_one, &Op::Mul)?;
    let half = index.only_reader_of(product, &Op::Mul)?;
    let reads_x = index.node(product).inputs.iter().any(|name| name == x);
    let constants = index.operand_and_constant(plus_one)?.1 == 1.0 && index.operand_and_constant(half)?.1 == 0.5;
    let exact = (unscaled - std::f32::consts::FRAC_1_SQRT_2).abs() < 1e-6;
    let one_use = index.only_reader(scaled) == Some(erf);
    (reads_x && constants && exact && one_use).then(|| Found {
        parts: vec![scaled, erf, plus_one, product, half],
        node: Node::new("", Op::MicrosoftGelu, &[x], &[&index.node(half).outputs[0]]),
    })
}
