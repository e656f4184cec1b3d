//! The sizes that attention gives: the standard set's, and our own with its gradient.

use super::{Dim, Shapes, infer::Dims};
use crate::onnx::Node;

impl Shapes {
    /// Attention: its result, then the keys and values with what came before them.
    pub(super) fn attended(&mut self, node: &Node) -> Vec<Dims> {
        let of = |shapes: &Self, position: usize| shapes.dims(node.input(position)?).map(<[Dim]>::to_vec);
        let (queries, keys, values) = (of(self, 0), of(self, 1), of(self, 2));
        let heads = |name: &str| node.int(name).filter(|&heads| heads > 0);
        let first = queries.and_then(|mut dims| {
            let width = values.as_ref()?.last()?.known();
            let width = match (dims.len(), width, heads("q_num_heads"), heads("kv_num_heads")) {
                (4, width, ..) => width,
                (_, Some(width), Some(queries), Some(keys)) => Some(width / keys * queries),
                _ => None,
            };
            *dims.last_mut()? = width.map_or_else(|| self.computed(), Dim::Known);
            Some(dims)
        });
        let past = node.input(4).is_some();
        let mut present = |dims: Dims| -> Dims {
            let dims = dims?;
            let (batch, mut length) = (dims.first()?.clone(), dims.get(dims.len().checked_sub(2)?)?.clone());
            if past {
                length = self.computed();
            }
            match (dims.len(), heads("kv_num_heads")) {
                (4, _) => Some(vec![batch, dims[1].clone(), length, dims[3].clone()]),
                (3, Some(heads)) => {
                    let size = dims[2].known().map_or_else(|| self.computed(), |width| Dim::Known(width / heads));
                    Some(vec![batch, Dim::Known(heads), length, size])
                }
                _ => None,
            }
        };
        let (keys, values) = (present(keys), present(values));
        vec![first, keys, values]
    }

    /// Queries by the width of a value, and queries by keys, over what all operands are a batch along.
    pub(super) fn masked_attention(&mut self, node: &Node) -> Option<Vec<Dims>> {
        let operands = self.like_inputs(node, &[0, 1, 2, 3]).into_iter().collect::<Option<Vec<_>>>()?;
        let batches = operands.iter().map(|dims| dims.split_last_chunk::<2>().map(|(batch, _)| batch));
        let mut batch = Vec::new();
        for of_operand in batches {
            batch = self.broadcast(&batch, of_operand?);
        }
        let last = |at: usize, back: usize| operands[at][operands[at].len() - back].clone();
        let result = |columns: Dim| Some([&batch[..], &[last(0, 2), columns]].concat());
        Some(vec![result(last(2, 1)), result(last(1, 1))])
    }

    /// The matrices of queries, keys and values, each for every place of the batch.
    pub(super) fn masked_attention_grad(&mut self, node: &Node) -> Option<Vec<Dims>> {
        let (batch, _) = self.dims(node.input(1)?)?.split_last_chunk::<2>()?;
        let of = |operand: Dims| Some([batch, operand?.last_chunk::<2>()?].concat());
        Some(self.like_inputs(node, &[2, 3, 4]).into_iter().map(of).collect())
    }
}
