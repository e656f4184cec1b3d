//! One row per operator family: the sizes and the element type of a node's outputs.

use super::{
    Dim, Shapes, Value,
    sizes::{axis, keeps_shape, picked, quotient, reduced, sliced},
};
use crate::onnx::{Attribute, ElementType, Node, Op};

pub(super) type Dims = Option<Vec<Dim>>;

impl Shapes {
    pub(super) fn infer(&mut self, node: &Node) -> Vec<Value> {
        let element = self.output_element(node);
        let mut values: Vec<Value> =
            self.output_dims(node).into_iter().map(|dims| Value { element, dims, content: None }).collect();
        values.resize(node.outputs.len().max(values.len()), Value { element, ..Value::default() });
        if let Some(content) = self.content(node) {
            values[0].content = Some(content);
        }
        if matches!(node.op, Op::TopK | Op::MaxPool)
            && let Some(indices) = values.get_mut(1)
        {
            indices.element = Some(ElementType::Int64);
        }
        values
    }

    fn output_element(&self, node: &Node) -> Option<ElementType> {
        let of = |position: usize| self.element(node.input(position)?);
        match &node.op {
            Op::Shape | Op::Size | Op::ArgMax | Op::ArgMin | Op::NonZero => Some(ElementType::Int64),
            Op::Equal | Op::Greater | Op::GreaterOrEqual | Op::Less | Op::LessOrEqual => Some(ElementType::Bool),
            Op::And | Op::Or | Op::Xor | Op::Not | Op::IsNan | Op::IsInf => Some(ElementType::Bool),
            Op::Cast => ElementType::from_onnx(i32::try_from(node.int("to")?).ok()?),
            Op::CastLike | Op::Where | Op::DequantizeLinear => of(1),
            Op::OneHot => of(2),
            Op::If | Op::Loop => None,
            Op::Constant | Op::ConstantOfShape => match node.attributes.get("value") {
                Some(Attribute::Tensor(tensor)) => Some(tensor.element()),
                Some(_) => None,
                None if node.op == Op::ConstantOfShape => Some(ElementType::Float),
                None => None,
            },
            _ => of(0),
        }
    }

    fn output_dims(&mut self, node: &Node) -> Vec<Dims> {
        match &node.op {
            Op::Split => return self.split(node),
            Op::LayerNormalization | Op::SimplifiedLayerNormalization => return self.normalization(node),
            Op::TopK => {
                let dims = self.top_k(node);
                return vec![dims.clone(), dims];
            }
            Op::MaxPool => {
                let dims = self.windowed(node);
                return vec![dims.clone(), dims];
            }
            Op::Attention => return self.attended(node),
            Op::LayerNormGrad => return self.like_inputs(node, &[1, 4, 4]),
            Op::RmsNormGrad => return self.like_inputs(node, &[1, 3]),
            Op::MaskedAttention => return self.masked_attention(node).unwrap_or_default(),
            Op::MaskedAttentionGrad => return self.masked_attention_grad(node).unwrap_or_default(),
            Op::KeyedDropout => return self.like_inputs(node, &[0, 0]),
            Op::CrossEntropy => {
                let [rows, logits] = [1, 0].map(|at| self.like_inputs(node, &[at]).swap_remove(0));
                return vec![Some(Vec::new()), rows, logits];
            }
            Op::NegativeLogLikelihoodLoss | Op::SoftmaxCrossEntropyLoss => return self.likelihood(node),
            _ => {}
        }
        vec![self.first_output(node)]
    }

    fn first_output(&mut self, node: &Node) -> Dims {
        let dims = |shapes: &Self, position: usize| -> Dims { shapes.dims(node.input(position)?).map(<[Dim]>::to_vec) };
        match &node.op {
            Op::Add | Op::Sub | Op::Mul | Op::Div | Op::Pow | Op::Mod | Op::Min | Op::Max | Op::Sum | Op::Where => {
                self.broadcast_all(node)
            }
            Op::Equal | Op::Greater | Op::GreaterOrEqual | Op::Less | Op::LessOrEqual => self.broadcast_all(node),
            Op::BitwiseAnd | Op::BitwiseOr | Op::BitwiseXor | Op::Mean => self.broadcast_all(node),
            Op::And | Op::Or | Op::Xor | Op::BitShift => self.broadcast_all(node),
            Op::MatMul | Op::FusedMatMul | Op::Product => self.matmul(node),
            Op::Gemm => {
                let (a, b) = (dims(self, 0)?, dims(self, 1)?);
                let pick = |dims: &[Dim], name: &str, axis: usize| {
                    dims.get(if node.int(name).unwrap_or(0) == 0 { axis } else { 1 - axis }).cloned()
                };
                Some(vec![pick(&a, "transA", 0)?, pick(&b, "transB", 1)?])
            }
            Op::PickRows => picked(&dims(self, 0)?, &dims(self, 1)?),
            Op::Reshape => self.reshape(node),
            Op::Flatten => {
                let all = dims(self, 0)?;
                let axis = axis(node.int("axis").unwrap_or(1), all.len() + 1)?;
                Some(vec![self.product(&all[..axis]), self.product(&all[axis..])])
            }
            Op::Unsqueeze => {
                let inner = dims(self, 0)?;
                let mut axes = self.ints(node.input(1)?)?;
                let rank = inner.len() + axes.len();
                for at in &mut axes {
                    *at = axis(*at, rank)? as i64;
                }
                let mut inner = inner.into_iter();
                (0..rank as i64).map(|at| if axes.contains(&at) { Some(Dim::Known(1)) } else { inner.next() }).collect()
            }
            Op::Squeeze => {
                let inner = dims(self, 0)?;
                let axes: Vec<usize> = match node.input(1) {
                    Some(name) => {
                        self.ints(name)?.into_iter().map(|at| axis(at, inner.len())).collect::<Option<_>>()?
                    }
                    None if inner.iter().all(|dim| dim.known().is_some()) => {
                        (0..inner.len()).filter(|&at| inner[at] == Dim::Known(1)).collect()
                    }
                    None => return None,
                };
                Some(inner.into_iter().enumerate().filter(|(at, _)| !axes.contains(at)).map(|(_, dim)| dim).collect())
            }
            Op::Transpose => {
                let inner = dims(self, 0)?;
                match node.ints("perm") {
                    Some(perm) => perm.iter().map(|&at| inner.get(usize::try_from(at).ok()?).cloned()).collect(),
                    None => Some(inner.into_iter().rev().collect()),
                }
            }
            Op::Expand => {
                let target = self.shape_operand(node, 1)?;
                let inner = dims(self, 0)?;
                Some(self.broadcast(&inner, &target))
            }
            Op::Concat => self.concat(node),
            Op::Slice => self.slice(node),
            Op::Gather => {
                let (table, indices) = (dims(self, 0)?, dims(self, 1)?);
                let at = axis(node.int("axis").unwrap_or(0), table.len())?;
                Some([&table[..at], &indices, &table[at + 1..]].concat())
            }
            Op::GatherElements => match dims(self, 1) {
                Some(indices) => Some(indices),
                // The indices have the operand's rank, whatever computed them.
                None => dims(self, 0).map(|all| all.iter().map(|_| self.computed()).collect()),
            },
            Op::GatherNd => {
                let (table, indices) = (dims(self, 0)?, dims(self, 1)?);
                let batch = usize::try_from(node.int("batch_dims").unwrap_or(0)).ok()?;
                let depth = usize::try_from(indices.last()?.known()?).ok()?;
                Some([&indices[..indices.len() - 1], table.get(batch + depth..)?].concat())
            }
            Op::Shape => Some(vec![Dim::Known(self.content(node)?.len() as i64)]),
            Op::Size => Some(Vec::new()),
            Op::ConstantOfShape => self.shape_operand(node, 0),
            Op::Constant => match node.attributes.get("value")? {
                Attribute::Tensor(tensor) => Some(tensor.shape().iter().map(|&dim| Dim::Known(dim as i64)).collect()),
                _ => None,
            },
            Op::Range => Some(vec![self.range(node)]),
            Op::AveragePool | Op::Conv | Op::ConvTranspose => self.windowed(node),
            Op::Einsum => self.contracted(node),
            Op::GlobalAveragePool | Op::GlobalMaxPool => self.globally_pooled(node),
            Op::ReduceL1
            | Op::ReduceL2
            | Op::ReduceLogSum
            | Op::ReduceLogSumExp
            | Op::ReduceMax
            | Op::ReduceMean
            | Op::ReduceMin
            | Op::ReduceProd
            | Op::ReduceSum
            | Op::ReduceSumSquare => self.reduce(node),
            Op::ArgMax | Op::ArgMin => {
                let inner = dims(self, 0)?;
                let at = axis(node.int("axis").unwrap_or(0), inner.len())?;
                Some(reduced(inner, &[at], node.int("keepdims").unwrap_or(1) != 0))
            }
            Op::NonZero => Some(vec![Dim::Known(self.rank(node.input(0)?)?.max(1) as i64), self.computed()]),
            Op::Tile | Op::Pad => {
                let inner = dims(self, 0)?;
                Some(inner.iter().map(|_| self.computed()).collect())
            }
            Op::OneHot => {
                let mut all = dims(self, 0)?;
                let at = axis(node.int("axis").unwrap_or(-1), all.len() + 1)?;
                let depth = self.computed();
                all.insert(at, depth);
                Some(all)
            }
            op if keeps_shape(op) => dims(self, 0),
            _ => None,
        }
    }

    fn broadcast_all(&mut self, node: &Node) -> Dims {
        let mut all = self.dims(node.input(0)?)?.to_vec();
        for name in &node.inputs[1..] {
            let next = self.dims(name)?.to_vec();
            all = self.broadcast(&all, &next);
        }
        Some(all)
    }

    /// NumPy's rule; where neither size is known to be 1 and they differ by name, the result is a new unknown.
    pub(super) fn broadcast(&mut self, a: &[Dim], b: &[Dim]) -> Vec<Dim> {
        let rank = a.len().max(b.len());
        let at = |dims: &[Dim], axis: usize| -> Dim {
            (axis + dims.len()).checked_sub(rank).map_or(Dim::Known(1), |axis| dims[axis].clone())
        };
        (0..rank)
            .map(|axis| match (at(a, axis), at(b, axis)) {
                (Dim::Known(1), other) | (other, Dim::Known(1)) => other,
                (Dim::Known(size), _) | (_, Dim::Known(size)) => Dim::Known(size),
                (a, b) if a == b => a,
                _ => self.computed(),
            })
            .collect()
    }

    fn matmul(&mut self, node: &Node) -> Dims {
        let (mut a, mut b) = (self.dims(node.input(0)?)?.to_vec(), self.dims(node.input(1)?)?.to_vec());
        let (vector_a, vector_b) = (a.len() == 1, b.len() == 1);
        if vector_a {
            a.insert(0, Dim::Known(1));
        }
        if vector_b {
            b.push(Dim::Known(1));
        }
        let flag = |name: &str| node.int(name).unwrap_or(0) != 0;
        if flag("transBatchA") || flag("transBatchB") || a.len() < 2 || b.len() < 2 {
            return None;
        }
        let rows = a[a.len() - if flag("transA") { 1 } else { 2 }].clone();
        let columns = b[b.len() - if flag("transB") { 2 } else { 1 }].clone();
        let mut dims = self.broadcast(&a[..a.len() - 2], &b[..b.len() - 2]);
        dims.extend((!vector_a).then_some(rows));
        dims.extend((!vector_b).then_some(columns));
        Some(dims)
    }

    /// The sizes that an operand's content gives: an element that is not a number is a size of its own.
    fn shape_operand(&mut self, node: &Node, position: usize) -> Dims {
        let name = node.input(position)?;
        match self.values.get(name)?.content.clone() {
            Some(content) => Some(content),
            None => {
                let rank = usize::try_from(self.known_dims(name)?.first().copied()?).ok()?;
                (rank <= 16).then(|| (0..rank).map(|_| self.computed()).collect())
            }
        }
    }

    fn reshape(&mut self, node: &Node) -> Dims {
        let mut target = self.shape_operand(node, 1)?;
        let inner = node.input(0).and_then(|name| self.dims(name)).map(<[Dim]>::to_vec);
        if node.int("allowzero").unwrap_or(0) == 0 {
            for (at, dim) in target.iter_mut().enumerate() {
                if *dim == Dim::Known(0) {
                    *dim = inner.as_ref().and_then(|inner| inner.get(at).cloned()).unwrap_or_else(|| self.computed());
                }
            }
        }
        if let Some(free) = target.iter().position(|dim| *dim == Dim::Known(-1)) {
            let rest: Vec<Dim> =
                target.iter().enumerate().filter(|&(at, _)| at != free).map(|(_, d)| d.clone()).collect();
            target[free] = inner.and_then(|inner| quotient(inner, rest)).unwrap_or_else(|| self.computed());
        }
        Some(target)
    }

    fn product(&mut self, dims: &[Dim]) -> Dim {
        quotient(dims.to_vec(), Vec::new()).unwrap_or_else(|| self.computed())
    }

    fn concat(&mut self, node: &Node) -> Dims {
        let parts: Vec<Vec<Dim>> =
            node.inputs.iter().map(|name| self.dims(name).map(<[Dim]>::to_vec)).collect::<Option<_>>()?;
        let mut all = parts.first()?.clone();
        let at = axis(node.int("axis")?, all.len())?;
        let mut total = Some(Dim::Known(0));
        for part in &parts {
            total = match (total, part.get(at)?) {
                (Some(Dim::Known(0)), dim) => Some(dim.clone()),
                (Some(sum), Dim::Known(0)) => Some(sum),
                (Some(Dim::Known(a)), Dim::Known(b)) => a.checked_add(*b).map(Dim::Known),
                _ => None,
            };
        }
        for (axis, size) in all.iter_mut().enumerate() {
            // A symbolic axis is as good as the numbers of the other parts, with which it must agree.
            if let Some(known) = parts.iter().filter_map(|part| part.get(axis)).find(|dim| dim.known().is_some()) {
                size.clone_from(known);
            }
        }
        all[at] = total.unwrap_or_else(|| self.computed());
        Some(all)
    }

    fn split(&mut self, node: &Node) -> Vec<Dims> {
        let Some(inner) = node.input(0).and_then(|name| self.dims(name)).map(<[Dim]>::to_vec) else {
            return Vec::new();
        };
        let Some(at) = axis(node.int("axis").unwrap_or(0), inner.len()) else { return Vec::new() };
        let parts = node.input(1).and_then(|name| self.ints(name));
        let count = node.outputs.len() as i64;
        (0..node.outputs.len())
            .map(|part| {
                let mut dims = inner.clone();
                dims[at] = match (&parts, &inner[at]) {
                    (Some(parts), _) => Dim::Known(*parts.get(part)?),
                    (None, Dim::Known(size)) if size % count == 0 => Dim::Known(size / count),
                    _ => self.computed(),
                };
                Some(dims)
            })
            .collect()
    }

    fn slice(&mut self, node: &Node) -> Dims {
        let mut all = self.dims(node.input(0)?)?.to_vec();
        let count = self.known_dims(node.input(1)?)?.first().copied()?;
        let axes = match node.input(3) {
            Some(name) => self.ints(name)?,
            None => (0..count).collect(),
        };
        let operand = |shapes: &Self, position: usize| {
            node.input(position).and_then(|name| shapes.values.get(name)).and_then(|value| value.content.clone())
        };
        let (starts, ends) = (operand(self, 1), operand(self, 2));
        let steps = node.input(4).map_or(Some(vec![1; axes.len()]), |name| self.ints(name));
        for (position, &at) in axes.iter().enumerate() {
            let at = axis(at, all.len())?;
            let pick = |dims: &Option<Vec<Dim>>| dims.as_ref().and_then(|dims| dims.get(position).cloned());
            let step = steps.as_ref().and_then(|steps| steps.get(position).copied());
            all[at] = match (pick(&starts), pick(&ends), step) {
                (Some(start), Some(end), Some(1)) => sliced(&all[at], &start, &end),
                _ => None,
            }
            .unwrap_or_else(|| self.computed());
        }
        Some(all)
    }

    fn range(&mut self, node: &Node) -> Dim {
        let scalar = |shapes: &Self, position: usize| {
            let content = node.input(position).and_then(|name| shapes.values.get(name))?.content.as_ref()?;
            content.first().cloned()
        };
        match (scalar(self, 0), scalar(self, 1), scalar(self, 2)) {
            (Some(Dim::Known(0)), Some(limit @ (Dim::Symbol(_) | Dim::Computed(_))), Some(Dim::Known(1))) => limit,
            (Some(Dim::Known(start)), Some(Dim::Known(limit)), Some(Dim::Known(1))) => {
                Dim::Known(limit.saturating_sub(start).max(0))
            }
            _ => self.computed(),
        }
    }

    fn reduce(&mut self, node: &Node) -> Dims {
        let inner = self.dims(node.input(0)?)?.to_vec();
        let keep = node.int("keepdims").unwrap_or(1) != 0;
        let axes = match (node.ints("axes"), node.input(1)) {
            (Some(axes), _) => axes.to_vec(),
            (None, Some(name)) => match self.ints(name) {
                Some(axes) => axes,
                None if keep => return Some(inner.iter().map(|_| self.computed()).collect()),
                None => return None,
            },
            (None, None) => Vec::new(),
        };
        let axes: Vec<usize> = axes.into_iter().map(|at| axis(at, inner.len())).collect::<Option<_>>()?;
        match (axes.is_empty(), node.int("noop_with_empty_axes").unwrap_or(0) != 0) {
            (true, true) => Some(inner),
            (true, false) => Some(reduced(inner.clone(), &(0..inner.len()).collect::<Vec<_>>(), keep)),
            (false, _) => Some(reduced(inner, &axes, keep)),
        }
    }

    /// Outputs that have the sizes of inputs.
    pub(super) fn like_inputs(&self, node: &Node, inputs: &[usize]) -> Vec<Dims> {
        inputs.iter().map(|at| node.input(*at).and_then(|name| self.dims(name)).map(<[Dim]>::to_vec)).collect()
    }

    fn normalization(&mut self, node: &Node) -> Vec<Dims> {
        let Some(inner) = node.input(0).and_then(|name| self.dims(name)).map(<[Dim]>::to_vec) else {
            return Vec::new();
        };
        let Some(at) = axis(node.int("axis").unwrap_or(-1), inner.len()) else { return Vec::new() };
        let mut statistics = inner.clone();
        statistics[at..].fill(Dim::Known(1));
        vec![Some(inner), Some(statistics.clone()), Some(statistics)]
    }

    fn top_k(&mut self, node: &Node) -> Dims {
        let mut all = self.dims(node.input(0)?)?.to_vec();
        let at = axis(node.int("axis").unwrap_or(-1), all.len())?;
        let k = self.ints(node.input(1)?).and_then(|all| all.first().copied());
        all[at] = k.map_or_else(|| self.computed(), Dim::Known);
        Some(all)
    }
}
