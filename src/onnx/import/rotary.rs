//! PyTorch's newer exporter computes the angles of a rotary embedding once for all records, a batch of 1, and onnxruntime
//! wants them for each record. They are expanded to the batch of what they turn, which is no copy where they have it.

use std::collections::BTreeSet;

use crate::onnx::{Attribute, Graph, Node, Op, Tensor};

pub(super) fn expand(graph: &mut Graph) {
    let is_rotary = |node: &Node| node.op == Op::RotaryEmbedding && node.input(3).is_none();
    if !graph.nodes.iter().any(is_rotary) {
        return;
    }
    let mut taken: BTreeSet<String> = graph.names().into_iter().map(str::to_owned).collect();
    let mut fresh = |stem: &str| {
        let mut name = stem.to_owned();
        while !taken.insert(name.clone()) {
            name.push('_');
        }
        name
    };
    let ones = fresh("rotary/ones");
    graph.initializers.insert(ones.clone(), Tensor::from_i64(&[2], &[1, 1]));
    for mut node in std::mem::take(&mut graph.nodes) {
        if is_rotary(&node)
            && let [x, cos, sin, ..] = node.inputs.as_mut_slice()
        {
            let (batch, target) = (fresh("rotary/batch"), fresh("rotary/shape"));
            let first = [("start", Attribute::Int(0)), ("end", Attribute::Int(1))];
            let batch_of = first
                .into_iter()
                .fold(Node::new(&batch, Op::Shape, &[x], &[&batch]), |node, (name, at)| node.with(name, at));
            let shape = Node::new(&target, Op::Concat, &[&batch, &ones], &[&target]).with("axis", Attribute::Int(0));
            graph.nodes.extend([batch_of, shape]);
            for angles in [cos, sin] {
                let wide = fresh(&format!("{angles}/expanded"));
                graph.nodes.push(Node::new(&wide, Op::Expand, &[angles, &target], &[&wide]));
                *angles = wide;
            }
        }
        graph.nodes.push(node);
    }
}
