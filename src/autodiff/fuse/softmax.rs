//! A softmax whose rows become zero where they are no numbers, since everything in them is masked: three nodes become
//! `annotc:GuardedSoftmax`.

use super::{Found, Index};
use crate::onnx::{Node, Op};

pub(super) fn find(index: &Index<'_>, softmax: usize) -> Option<Found> {
    let node = index.node(softmax);
    if node.op != Op::Softmax || node.int("axis").unwrap_or(-1) != -1 {
        return None;
    }
    let [one, two] = index.readers.get(node.outputs[0].as_str())?.as_slice() else { return None };
    let (asked, chosen) = (*one.min(two), *one.max(two));
    if chosen == usize::MAX || index.node(asked).op != Op::IsNan {
        return None;
    }
    let guarded = index.node(chosen);
    let is_guard = guarded.op == Op::Where
        && guarded.input(0) == Some(&index.node(asked).outputs[0])
        && guarded.input(1).and_then(|zero| index.constant(zero)) == Some(0.0)
        && guarded.input(2) == Some(&node.outputs[0]);
    (is_guard && index.only_reader(asked) == Some(chosen)).then(|| Found {
        parts: vec![softmax, asked, chosen],
        node: Node::new("", Op::GuardedSoftmax, &[node.input(0).unwrap_or_default()], &[&guarded.outputs[0]]),
    })
}
