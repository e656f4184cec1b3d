//! Dropout before adapters: what `A` reads loses a share of its numbers, and the rest grows by as much.
//!
//! Which numbers are lost is told by no state and no order, but by a pair of keys of each token, which the caller draws for each
//! step from the record's id, and by a point of each feature, which is drawn once for each layer:
//!
//! ```text
//! h = (a·point + b) mod 2³¹ − 1      lost where h < share · (2³¹ − 1)
//! ```
//!
//! Of all tokens, whose keys are drawn evenly, a share of exactly that size loses a feature, and any two features are lost
//! independently of each other (Carter and Wegman, *Universal classes of hash functions*, 1979). All numbers are whole and below
//! 2⁶³, so that every device computes the same.

use std::collections::BTreeSet;

use super::{Adapter, SurgeryError};
use crate::onnx::encoder::whole_numbers;
use crate::onnx::shapes::Shapes;
use crate::onnx::{Attribute, Axis, ElementType, Graph, Node, Op, Tensor, ValueInfo};

/// The input with two keys for each token, `[batch, sequence, 2]`, each from 0 to [`PRIME`] without it.
pub const DROPOUT_KEYS: &str = "dropout_keys";

/// The modulus of keys, points and what becomes of them, the Mersenne prime 2³¹ − 1.
pub const PRIME: i64 = (1 << 31) - 1;

const IDS: &str = "input_ids";

/// Drops `share` of what each adapter reads. The points are keyed by `seed` and the place in the graph.
///
/// # Errors
/// [`SurgeryError::NoTokens`] where what an adapter reads is no row of features for each token or text.
pub fn add_dropout(graph: &mut Graph, adapters: &[Adapter], share: f64, seed: u64) -> Result<(), SurgeryError> {
    let taken = graph.names();
    if let Some(name) = [DROPOUT_KEYS].into_iter().find(|name| taken.contains(name)) {
        return Err(SurgeryError::Taken { name: name.to_owned() });
    }
    let axes = graph.input(IDS).and_then(|input| input.shape.clone()).filter(|axes| axes.len() == 2);
    let Some(axes) = axes else { return Err(SurgeryError::NoTokens { node: IDS.to_owned() }) };
    let axes = [&axes[..], &[Axis::Fixed(2)]].concat();
    graph.inputs.push(ValueInfo::new(DROPOUT_KEYS, ElementType::Int64, &axes));
    graph.import_opset(Op::KeyedDropout.domain(), 1);
    let downs: BTreeSet<&str> = adapters.iter().map(|adapter| adapter.down.as_str()).collect();
    let shapes = Shapes::of(graph);
    for mut node in std::mem::take(&mut graph.nodes) {
        let down = node.input(1).filter(|down| node.op == Op::MatMul && downs.contains(down));
        if let Some(inputs) = down.map(|down| graph.initializers[down].shape()[0]) {
            let output = &node.outputs[0];
            let keys = match shapes.rank(&node.inputs[0]) {
                Some(3) => DROPOUT_KEYS.to_owned(),
                Some(2) => keys_of_rows(graph, &node.inputs[0], output),
                Some(_) | None => return Err(SurgeryError::NoTokens { node: output.clone() }),
            };
            let (points, dropped) = (format!("{output}/points"), format!("{output}/dropped"));
            let drawn = whole_numbers(seed, &points, inputs, PRIME);
            graph.initializers.insert(points.clone(), Tensor::from_i64(&[inputs], &drawn));
            let inputs = [node.inputs[0].as_str(), &keys, &points];
            let dropout = Node::new(&dropped, Op::KeyedDropout, &inputs, &[&dropped, &format!("{output}/kept")]);
            graph.nodes.push(
                dropout
                    .with("alpha", Attribute::Float((1.0 / (1.0 - share)) as f32))
                    .with("threshold", Attribute::Int((share * PRIME as f64).round() as i64)),
            );
            node.inputs[0] = dropped;
        }
        graph.nodes.push(node);
    }
    Ok(())
}

/// The keys of rows that are all tokens of all texts behind each other, or the first tokens of the texts.
fn keys_of_rows(graph: &mut Graph, rows: &str, stem: &str) -> String {
    let name = |part: &str| format!("{stem}/{part}");
    for (constant, value) in [("zero", [0]), ("one", [1])] {
        graph.initializers.insert(name(constant), Tensor::from_i64(&[1], &value));
    }
    graph.initializers.insert(name("pairs"), Tensor::from_i64(&[2], &[-1, 2]));
    let first = |of: &str, output: &str| {
        let shape = format!("{output}/shape");
        let gather = Node::new(output, Op::Gather, &[&shape, &name("zero")], &[output]);
        [Node::new(&shape, Op::Shape, &[of], &[&shape]), gather.with("axis", Attribute::Int(0))]
    };
    graph.nodes.extend(first(rows, &name("rows")));
    graph.nodes.extend(first(DROPOUT_KEYS, &name("texts")));
    let cut = [DROPOUT_KEYS, &name("zero"), &name("tokens"), &name("one")];
    graph.nodes.extend([
        Node::new(&name("tokens"), Op::Div, &[&name("rows"), &name("texts")], &[&name("tokens")]),
        Node::new(&name("cut"), Op::Slice, &cut, &[&name("cut")]),
        Node::new(&name("keys"), Op::Reshape, &[&name("cut"), &name("pairs")], &[&name("keys")]),
    ]);
    name("keys")
}
