//! The table of gradient rules: one row per operator, one operator family per file.
//!
//! A rule is a vector–Jacobian product: from the gradients of a node's outputs it adds nodes that compute those of its
//! inputs. Accumulation over several readers is the walk's business, not the rule's.

mod activation;
mod arithmetic;
mod gather;
mod matmul;
mod normalization;
mod reduce;
mod shape;
mod slice;
mod softmax;
mod unary;

#[cfg(test)]
mod cases;
#[cfg(test)]
mod differences;

use super::{builder::Builder, loss};
use crate::onnx::{Node, Op};

/// What a rule is given.
pub(super) struct Site<'a> {
    /// Where new nodes go.
    pub(super) b: &'a mut Builder,
    /// The forward node.
    pub(super) node: &'a Node,
    /// The gradients of the node's outputs; `None` for an output that does not reach the loss.
    pub(super) gradients: Vec<Option<String>>,
    /// For each input, whether its gradient is needed.
    pub(super) wanted: Vec<bool>,
}

/// The gradients of a node's inputs by position, or the reason why there are none.
pub(super) type Parts = Result<Vec<Option<String>>, String>;

/// A row of the table.
pub(super) enum Rule {
    /// The operator's vector–Jacobian product.
    Vjp(fn(&mut Site<'_>) -> Parts),
    /// The derivative is zero by definition: integers, truth values, shapes, steps.
    Stop,
    /// There is a derivative, and the crate does not have it.
    Unsupported(&'static str),
}

/// Whether no gradient flows through the operator, by definition.
pub(super) fn stops(op: &Op) -> bool {
    matches!(rule(op), Rule::Stop)
}

const NO_RULE: &str = "no rule for it";
const FLOW: &str = "gradients through control flow";

/// The table.
pub(super) fn rule(op: &Op) -> Rule {
    use Rule::{Stop, Unsupported, Vjp};
    match op {
        Op::Abs => Vjp(unary::abs),
        Op::Add => Vjp(arithmetic::add),
        Op::And => Stop,
        Op::ArgMax | Op::ArgMin => Stop,
        Op::Attention => Unsupported(NO_RULE),
        Op::AveragePool => Unsupported(NO_RULE),
        Op::BatchNormalization => Unsupported(NO_RULE),
        Op::BiasGelu => Vjp(activation::bias_gelu),
        Op::BitShift => Stop,
        Op::Cast => Vjp(unary::cast),
        Op::CastLike => Vjp(unary::cast),
        Op::Ceil => Stop,
        Op::Clip => Vjp(arithmetic::clip),
        Op::Concat => Vjp(shape::concat),
        Op::Constant | Op::ConstantOfShape => Stop,
        Op::Conv | Op::ConvTranspose => Unsupported(NO_RULE),
        Op::Cos => Vjp(unary::cos),
        Op::CrossEntropy => Vjp(|site| {
            let root = site.gradients[0].clone().ok_or("only its first output has a gradient")?;
            let one = site.b.scalar(1.0);
            let upstream = (root != one).then_some(root);
            Ok(vec![Some(loss::gradient(site.b, site.node, upstream.as_deref()))])
        }),
        Op::CumSum => Vjp(reduce::cumsum),
        Op::Detach => Stop,
        Op::Div => Vjp(arithmetic::div),
        Op::Dropout => Vjp(activation::dropout),
        Op::Einsum => Unsupported(NO_RULE),
        Op::Elu => Vjp(activation::elu),
        Op::Equal => Stop,
        Op::Erf => Vjp(unary::erf),
        Op::Exp => Vjp(unary::exp),
        Op::Expand => Vjp(shape::expand),
        Op::EyeLike => Stop,
        Op::FastGelu => Vjp(activation::fast_gelu),
        Op::Flatten => Vjp(shape::reshape),
        Op::Floor => Stop,
        Op::FusedMatMul => Vjp(matmul::fused_matmul),
        Op::Gather => Vjp(gather::gather),
        Op::GatherElements => Vjp(gather::gather_elements),
        Op::GatherNd => Vjp(gather::gather_nd),
        Op::Gelu => Vjp(activation::gelu),
        Op::Gemm => Vjp(matmul::gemm),
        Op::GlobalAveragePool => Unsupported(NO_RULE),
        Op::Greater | Op::GreaterOrEqual => Stop,
        Op::HardSigmoid => Vjp(activation::hard_sigmoid),
        Op::HardSwish => Vjp(activation::hard_swish),
        Op::Identity => Vjp(unary::identity),
        Op::If | Op::Loop => Unsupported(FLOW),
        Op::IsInf | Op::IsNan => Stop,
        Op::LayerNormalization => Vjp(normalization::layer_normalization),
        Op::LeakyRelu => Vjp(activation::leaky_relu),
        Op::Less | Op::LessOrEqual => Stop,
        Op::Log => Vjp(unary::log),
        Op::LogSoftmax => Vjp(softmax::log_softmax),
        Op::MatMul => Vjp(matmul::matmul),
        Op::Max | Op::Min => Vjp(arithmetic::extremum),
        Op::MaxPool => Unsupported(NO_RULE),
        Op::MicrosoftGelu => Vjp(activation::gelu),
        Op::Mish => Vjp(activation::mish),
        Op::Mod => Unsupported(NO_RULE),
        Op::Mul => Vjp(arithmetic::mul),
        Op::Neg => Vjp(unary::neg),
        Op::NonZero => Stop,
        Op::Not => Stop,
        Op::OneHot => Stop,
        Op::Or => Stop,
        Op::Pad => Vjp(slice::pad),
        Op::Pow => Vjp(arithmetic::pow),
        Op::QuickGelu => Vjp(activation::quick_gelu),
        Op::Range => Stop,
        Op::Reciprocal => Vjp(unary::reciprocal),
        Op::ReduceL2 => Vjp(reduce::l2),
        Op::ReduceLogSumExp => Vjp(reduce::log_sum_exp),
        Op::ReduceMax | Op::ReduceMin => Vjp(reduce::extremum),
        Op::ReduceMean => Vjp(reduce::mean),
        Op::ReduceProd => Unsupported(NO_RULE),
        Op::ReduceSum => Vjp(reduce::sum),
        Op::ReduceSumSquare => Vjp(reduce::sum_square),
        Op::Relu => Vjp(activation::relu),
        Op::Reshape => Vjp(shape::reshape),
        Op::RmsNormalization => Vjp(normalization::rms_normalization),
        Op::RotaryEmbedding => Unsupported(NO_RULE),
        Op::Round => Stop,
        Op::ScatterElements => Vjp(gather::scatter_elements),
        Op::ScatterNd => Vjp(gather::scatter_nd),
        Op::Shape => Stop,
        Op::Sigmoid => Vjp(unary::sigmoid),
        Op::Sign => Stop,
        Op::SimplifiedLayerNormalization => Vjp(normalization::simplified_layer_normalization),
        Op::Sin => Vjp(unary::sin),
        Op::Size => Stop,
        Op::Slice => Vjp(slice::slice),
        Op::Softmax => Vjp(softmax::softmax),
        Op::Softplus => Vjp(activation::softplus),
        Op::Split => Vjp(shape::split),
        Op::Sqrt => Vjp(unary::sqrt),
        Op::Squeeze => Vjp(shape::reshape),
        Op::Sub => Vjp(arithmetic::sub),
        Op::Sum => Vjp(arithmetic::sum),
        Op::Swish => Vjp(activation::swish),
        Op::Tanh => Vjp(unary::tanh),
        Op::Tile => Vjp(shape::tile),
        Op::TopK => Vjp(gather::top_k),
        Op::Transpose => Vjp(shape::transpose),
        Op::Trilu => Vjp(shape::trilu),
        Op::Unsqueeze => Vjp(shape::reshape),
        Op::Where => Vjp(arithmetic::select),
        Op::Xor => Stop,
        Op::Other { .. } => Unsupported("annotc does not know the operator"),
    }
}

impl Site<'_> {
    /// The gradient of the first output.
    fn g(&self) -> Result<String, String> {
        self.gradients.first().cloned().flatten().ok_or_else(|| "only its first output has a gradient".to_owned())
    }

    /// The name of an input that the operator must have.
    fn x(&self, position: usize) -> Result<String, String> {
        self.node.input(position).map(str::to_owned).ok_or_else(|| format!("it lacks input {position}"))
    }

    /// The name of the first output.
    fn y(&self) -> String {
        self.node.outputs[0].clone()
    }

    /// Whether the gradient of that input is needed.
    fn wants(&self, position: usize) -> bool {
        self.wanted.get(position).copied().unwrap_or(false)
    }

    /// The rank of an input, which the rule cannot do without.
    fn rank(&self, position: usize) -> Result<usize, String> {
        let name = self.x(position)?;
        self.b.shapes.rank(&name).ok_or_else(|| format!("the rank of `{name}` is not known before the run"))
    }

    /// A position from the front, of the axis in an integer attribute.
    fn axis(&self, default: i64, rank: usize) -> Result<i64, String> {
        from_front(self.node.int("axis").unwrap_or(default), rank)
    }
}

/// A position from the front; an error where the operand has no such axis.
fn from_front(axis: i64, rank: usize) -> Result<i64, String> {
    let position = if axis < 0 { axis + rank as i64 } else { axis };
    if (0..rank as i64).contains(&position) { Ok(position) } else { Err(format!("it has no axis {axis}")) }
}

/// A rule for an operator of one input and one output: `gradient · derivative`.
fn one(part: String) -> Parts {
    Ok(vec![Some(part)])
}
