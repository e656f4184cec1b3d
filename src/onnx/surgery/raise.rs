//! A newer operator set for a graph, where all that the graph is made of means the same in both.
//!
//! What has changed from 13 to 21 in operators that models are made of: the reductions' axes became an input at 18; `Split` asks
//! for the number of its parts where no sizes are given, from 18 on; `GroupNormalization` has other scales from 21 on, `DFT` another
//! axis from 20 on, `GridSample` other words. Everything else got more types or more options, whose defaults are what was before.

use super::SurgeryError;
use crate::onnx::{Attribute, Graph, Node, Op, Tensor};

/// The version of the intermediate representation that goes with operator set 21, and has integers of 4 bits.
const IR: i64 = 10;

/// The operator set that took the axes out of the attributes.
const AXES_ARE_INPUTS: i64 = 18;

/// Raises the version of the standard operator set to `to`; a graph that has it or a newer one is left as it is.
///
/// # Errors
/// [`SurgeryError::Opset`] for a node whose meaning would change or is not known.
pub fn raise_opset(graph: &mut Graph, to: i64) -> Result<(), SurgeryError> {
    let from = graph.opset();
    graph.envelope.ir_version = graph.envelope.ir_version.max(Some(IR));
    if from >= to {
        return Ok(());
    }
    if let Some(node) = graph.nodes.iter().find(|node| changes(node, from)) {
        let (node, operator) = (node.label().to_owned(), node.op.to_string());
        return Err(SurgeryError::Opset { node, operator, from, to });
    }
    if from < AXES_ARE_INPUTS {
        for node in &mut graph.nodes {
            if is_reduction(&node.op)
                && let Some(Attribute::Ints(axes)) = node.attributes.remove("axes")
            {
                let name = format!("annotc/axes/{}", node.outputs[0]);
                graph.initializers.insert(name.clone(), Tensor::from_i64(&[axes.len()], &axes));
                node.inputs.push(name);
            }
            if node.op == Op::Split && node.input(1).is_none() {
                let parts = i64::try_from(node.outputs.len()).expect("a node has few outputs");
                node.attributes.insert("num_outputs".to_owned(), Attribute::Int(parts));
            }
        }
    }
    graph.opsets.insert(String::new(), to);
    Ok(())
}

/// Whether a node may mean something else in a newer operator set. What the nodes of a branch or a loop are is not looked at.
fn changes(node: &Node, from: i64) -> bool {
    match &node.op {
        Op::If | Op::Loop | Op::GroupNormalization => true,
        Op::Other { domain, name } => {
            domain.is_empty() && ["DFT", "GridSample", "Scan", "SequenceMap"].contains(&name.as_str())
        }
        // Before 13 much was different, down to what `Softmax` sums over.
        _ => from < 13,
    }
}

/// The reductions whose axes were an attribute at 17; those of `ReduceSum` were none any more.
fn is_reduction(op: &Op) -> bool {
    matches!(
        op,
        Op::ReduceL1
            | Op::ReduceL2
            | Op::ReduceLogSum
            | Op::ReduceLogSumExp
            | Op::ReduceMax
            | Op::ReduceMean
            | Op::ReduceMin
            | Op::ReduceProd
            | Op::ReduceSumSquare
    )
}
