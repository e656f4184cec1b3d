//! Operators of our own, for the CPU: gradients that stock operators need several passes over memory for.
//!
//! One file per operator; `OPERATORS` is the table. They exist in the domain `annotc` of every session of this process, and only
//! training graphs name them: a model that is saved or measured is made of stock operators.

mod batch;
mod cross_entropy;
mod dense;
mod gelu_grad;
mod guarded_softmax;
mod keyed_dropout;
mod lanes;
mod layer_norm_grad;
mod masked_attention;
mod masked_attention_grad;
mod product;
mod rms_norm_grad;
mod silu_grad;
mod softmax_grad;
#[cfg(test)]
mod tests;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use ort::operator::{
    BoxedKernel, ComputeContext, KernelContext, Operator, OperatorDomain, OperatorInput, OperatorOutput,
    ShapeInferenceContext,
};
use ort::value::{Shape, SymbolicDimensions, TensorElementType, ValueRef, ValueType};

/// The domain of the operators.
const DOMAIN: &str = "annotc";

/// The table.
const OPERATORS: [&Ours; 11] = [
    &cross_entropy::OPERATOR,
    &gelu_grad::OPERATOR,
    &guarded_softmax::OPERATOR,
    &keyed_dropout::OPERATOR,
    &layer_norm_grad::OPERATOR,
    &masked_attention::OPERATOR,
    &masked_attention_grad::OPERATOR,
    &product::OPERATOR,
    &rms_norm_grad::OPERATOR,
    &silu_grad::OPERATOR,
    &softmax_grad::OPERATOR,
];

/// Whether this processor can run them.
pub(super) fn are_supported() -> bool {
    dense::is_supported()
}

/// The operators, for a session that computes with so many threads.
pub(super) fn domain(threads: usize) -> ort::Result<OperatorDomain> {
    let mut operators = OPERATORS.into_iter().map(|operator| Threaded { operator, threads });
    operators.try_fold(OperatorDomain::new(DOMAIN)?, OperatorDomain::add)
}

/// An operator as the runtime is told of it.
struct Ours {
    name: &'static str,
    inputs: &'static [TensorElementType],
    /// The shape of each output.
    outputs: &'static [Like],
    /// How many of the outputs a node must have.
    required: usize,
    compute: fn(&Call<'_>) -> ort::Result<()>,
}

/// The shape of an output.
#[derive(Clone, Copy)]
enum Like {
    /// That of an input.
    Input(usize),
    /// Rank 0.
    Scalar,
    /// Another, which the runtime is not told: it needs none before it runs.
    Untold,
}

/// An operator in a session.
struct Threaded {
    operator: &'static Ours,
    threads: usize,
}

const FLOAT: TensorElementType = TensorElementType::Float32;

impl Operator for Threaded {
    type Kernel<'attr> = BoxedKernel<'attr>;

    fn name(&self) -> &str {
        self.operator.name
    }

    fn inputs(&self) -> impl IntoIterator<Item = OperatorInput> {
        self.operator.inputs.iter().map(|element| OperatorInput::required(*element))
    }

    fn outputs(&self) -> impl IntoIterator<Item = OperatorOutput> {
        let output = |at: usize| match at {
            at if at < self.operator.required => OperatorOutput::required(FLOAT),
            _ => OperatorOutput::optional(FLOAT),
        };
        (0..self.operator.outputs.len()).map(output)
    }

    fn create_kernel<'attr>(&self, node: &KernelContext<'attr>) -> ort::Result<Self::Kernel<'attr>> {
        let (compute, threads) = (self.operator.compute, self.threads);
        let alpha: f32 = node.get("alpha").unwrap_or(1.0);
        let threshold: i64 = node.get("threshold").unwrap_or(0);
        let guarded = node.get::<i64>("guarded").unwrap_or(0) != 0;
        let transposed = ["transA", "transB"].map(|name| node.get::<i64>(name).unwrap_or(0) != 0);
        Ok(Box::new(move |context: &ComputeContext| {
            compute(&Call { context, threads, alpha, threshold, guarded, transposed })
        }))
    }

    fn infer_shape(&self, context: &mut ShapeInferenceContext) -> ort::Result<()> {
        let inputs = context.inputs();
        for (at, like) in self.operator.outputs.iter().enumerate() {
            let like = match like {
                Like::Input(input) => named(inputs[*input].clone()),
                Like::Scalar => Some(scalar()),
                Like::Untold => None,
            };
            let told = like.map_or(Ok(()), |like| context.set_output(at, &like));
            // An optional output that the node lacks has no place for its shape either.
            if at < self.operator.required {
                told?;
            }
        }
        Ok(())
    }
}

/// The type of an output like that of an input; `None` where nothing is known of its axes. A size without a name gets one, for the
/// runtime would take it for the number −1.
fn named(like: ValueType) -> Option<ValueType> {
    static UNNAMED: AtomicUsize = AtomicUsize::new(0);
    let ValueType::Tensor { shape, dimension_symbols, .. } = like else { return None };
    let name = |(size, name): (&i64, &String)| match (*size, name.as_str()) {
        (..0, "") => format!("annotc/size_{}", UNNAMED.fetch_add(1, Ordering::Relaxed)),
        (..0, name) => name.to_owned(),
        (0.., _) => String::new(),
    };
    let names: Vec<String> = shape.iter().zip(dimension_symbols.iter()).map(name).collect();
    let dimension_symbols = SymbolicDimensions::new(names);
    (!shape.is_empty()).then_some(ValueType::Tensor { ty: FLOAT, shape, dimension_symbols })
}

fn scalar() -> ValueType {
    ValueType::Tensor { ty: FLOAT, shape: Shape::default(), dimension_symbols: SymbolicDimensions::empty(0) }
}

/// One run of a node.
struct Call<'a> {
    context: &'a ComputeContext,
    /// The session's threads.
    threads: usize,
    /// The attribute of that name, 1 where the node has none.
    alpha: f32,
    /// The attribute of that name, 0 where the node has none.
    threshold: i64,
    /// Whether the attribute of that name is not 0.
    guarded: bool,
    /// Whether the first and the second operand are transposed, by the attributes `transA` and `transB`.
    transposed: [bool; 2],
}

impl Call<'_> {
    fn input(&self, at: usize) -> ort::Result<ValueRef<'_>> {
        self.context.input(at)?.ok_or_else(|| ort::Error::new(format!("input {at} is missing")))
    }

    /// Computes an output piece by piece, on the session's threads. The pieces depend on the data alone, so that the result does
    /// not depend on the number of threads.
    fn in_pieces<T: Send>(&self, pieces: Vec<T>, work: impl Fn(&mut T) + Send + Sync) -> ort::Result<Vec<T>> {
        let pieces: Vec<Mutex<T>> = pieces.into_iter().map(Mutex::new).collect();
        let whole = "each piece is worked on once";
        match pieces.as_slice() {
            [] => {}
            [one] => work(&mut one.lock().expect(whole)),
            _ => self.context.par_for(pieces.len(), 0, |at| work(&mut pieces[at].lock().expect(whole)))?,
        }
        Ok(pieces.into_iter().map(|piece| piece.into_inner().expect(whole)).collect())
    }

    /// Works on pieces of unlike sizes, dealt out to the threads that so much work is worth.
    fn dealt<T: Send>(
        &self,
        pieces: Vec<T>,
        multiplications: usize,
        work: impl Fn(Vec<T>) + Send + Sync,
    ) -> ort::Result<()> {
        let threads = self.threads.min(multiplications / dense::WORTH).clamp(1, pieces.len().max(1));
        let mut hands: Vec<Vec<T>> = (0..threads).map(|_| Vec::new()).collect();
        pieces.into_iter().enumerate().for_each(|(at, piece)| hands[at % threads].push(piece));
        self.in_pieces(hands, |hand| work(std::mem::take(hand)))?;
        Ok(())
    }

    /// An output in the shape of the first input, each element of which depends on those of two inputs at its place.
    fn elementwise(&self, formula: impl Fn(&[f32], &[f32], &mut [f32]) + Send + Sync) -> ort::Result<()> {
        let (g, x) = (self.input(0)?, self.input(1)?);
        let ((shape, g), (_, x)) = (g.try_extract_tensor::<f32>()?, x.try_extract_tensor::<f32>()?);
        same_length(g, x)?;
        let mut dx = self.context.output(0, shape.clone())?.expect("the first output is required");
        let (_, dx) = dx.try_extract_tensor_mut::<f32>()?;
        let pieces = dx.chunks_mut(PIECE).zip(g.chunks(PIECE).zip(x.chunks(PIECE))).collect();
        self.in_pieces(pieces, |(dx, (g, x))| formula(g, x, dx))?;
        Ok(())
    }
}

/// Elements that one thread takes at a time.
const PIECE: usize = 1 << 14;

/// Rows that one thread takes at a time.
fn rows_of_piece(row: usize) -> usize {
    (PIECE / row.max(1)).max(1)
}

fn same_length(a: &[f32], b: &[f32]) -> ort::Result<()> {
    if a.len() == b.len() { Ok(()) } else { Err(ort::Error::new("its operands have different shapes")) }
}

/// The length of the last axis; a tensor of rank 0 has none.
fn last(shape: &Shape) -> ort::Result<usize> {
    let last = shape.last().and_then(|size| usize::try_from(*size).ok());
    last.ok_or_else(|| ort::Error::new("its operand has no last axis"))
}
