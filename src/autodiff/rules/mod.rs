//! The table of gradient rules: one row per operator, one operator family per file.
//!
//! A rule is a vector–Jacobian product: from the gradients of a node's outputs it adds nodes that compute those of its
//! inputs. Accumulation over several readers is the walk's business, not the rule's.

mod activation;
mod arithmetic;
mod attention;
mod convolution;
mod einsum;
mod gather;
mod masked_attention;
mod matmul;
mod normalization;
mod pool;
mod reduce;
mod shape;
mod slice;
mod softmax;
mod unary;

#[cfg(test)]
mod cases;
#[cfg(test)]
mod differences;

use super::{builder::Builder, dropout, flow::Flow, loss, picked};
use crate::onnx::{Attribute, Node, Op};

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

const FLOW: &str = "gradients through control flow";
const SECOND: &str = "gradients of gradients";
const INTEGERS: &str = "gradients of quantized weights";

/// The table.
pub(super) fn rule(op: &Op) -> Rule {
    use Rule::{Stop, Unsupported, Vjp};
    match op {
        Op::Abs => Vjp(unary::abs),
        Op::Add => Vjp(arithmetic::add),
        Op::And => Stop,
        Op::ArgMax | Op::ArgMin => Stop,
        Op::Atan => Vjp(unary::atan),
        Op::Attention => Vjp(attention::attention),
        Op::AveragePool => Vjp(pool::average_pool),
        Op::BatchNormalization => Vjp(normalization::batch_normalization),
        Op::BiasGelu => Vjp(activation::bias_gelu),
        Op::BitShift => Stop,
        Op::BitwiseAnd | Op::BitwiseNot | Op::BitwiseOr | Op::BitwiseXor => Stop,
        Op::Cast => Vjp(unary::cast),
        Op::CastLike => Vjp(unary::cast),
        Op::Ceil => Stop,
        Op::Celu => Vjp(activation::celu),
        Op::Clip => Vjp(arithmetic::clip),
        Op::Concat => Vjp(shape::concat),
        Op::Constant | Op::ConstantOfShape => Stop,
        Op::Conv => Vjp(convolution::conv),
        Op::ConvTranspose => Vjp(convolution::conv_transpose),
        Op::Cos => Vjp(unary::cos),
        Op::Cosh => Vjp(unary::cosh),
        Op::CrossEntropy => Vjp(|site| {
            let gradient = match site.gradients.as_slice() {
                [Some(root), None, None] => {
                    let (root, one) = (root.clone(), site.b.scalar(1.0));
                    loss::gradient(site.b, site.node, (root != one).then_some(root.as_str()))
                }
                [None, Some(rows), None] => loss::gradient_of_rows(site.b, site.node, rows),
                _ => return Err("either its sum or its rows have a gradient".to_owned()),
            };
            Ok(vec![Some(gradient)])
        }),
        Op::CumSum => Vjp(reduce::cumsum),
        Op::DequantizeLinear => Unsupported(INTEGERS),
        Op::Detach => Stop,
        Op::Div => Vjp(arithmetic::div),
        Op::Dropout => Vjp(activation::dropout),
        Op::Einsum => Vjp(einsum::einsum),
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
        Op::MaskedAttention => Vjp(masked_attention::masked_attention),
        Op::MaskedAttentionGrad => Unsupported(SECOND),
        Op::GeluGrad | Op::LayerNormGrad | Op::Product | Op::RmsNormGrad | Op::SiluGrad | Op::SoftmaxGrad => {
            Unsupported(SECOND)
        }
        Op::GatherElements => Vjp(gather::gather_elements),
        Op::GatherNd => Vjp(gather::gather_nd),
        Op::Gelu => Vjp(activation::gelu),
        Op::Gemm => Vjp(matmul::gemm),
        Op::GlobalAveragePool => Vjp(pool::global_average_pool),
        Op::GlobalMaxPool => Vjp(pool::global_max_pool),
        Op::Greater | Op::GreaterOrEqual => Stop,
        Op::GroupNormalization => Vjp(normalization::group_normalization),
        Op::GuardedSoftmax => Vjp(softmax::guarded_softmax),
        Op::HardSigmoid => Vjp(activation::hard_sigmoid),
        Op::HardSwish => Vjp(activation::hard_swish),
        Op::Hardmax => Stop,
        Op::Identity => Vjp(unary::identity),
        Op::If | Op::Loop => Unsupported(FLOW),
        Op::InstanceNormalization => Vjp(normalization::instance_normalization),
        Op::IsInf | Op::IsNan => Stop,
        Op::KeyedDropout => Vjp(|site| {
            let upstream = site.g()?;
            one(dropout::gradient(site.b, site.node, &upstream))
        }),
        Op::LayerNormalization => Vjp(normalization::layer_normalization),
        Op::LeakyRelu => Vjp(activation::leaky_relu),
        Op::Less | Op::LessOrEqual => Stop,
        Op::Log => Vjp(unary::log),
        Op::LogSoftmax => Vjp(softmax::log_softmax),
        Op::LpNormalization => Vjp(normalization::lp_normalization),
        Op::MatMul => Vjp(matmul::matmul),
        Op::Max | Op::Min => Vjp(arithmetic::extremum),
        Op::MaxPool => Vjp(pool::max_pool),
        Op::Mean => Vjp(arithmetic::mean),
        Op::MicrosoftGelu => Vjp(activation::gelu),
        Op::Mish => Vjp(activation::mish),
        Op::Mod => Vjp(arithmetic::modulo),
        Op::Mul => Vjp(arithmetic::mul),
        Op::Neg => Vjp(unary::neg),
        Op::NegativeLogLikelihoodLoss => Vjp(softmax::negative_log_likelihood),
        Op::NonZero => Stop,
        Op::Not => Stop,
        Op::OneHot => Stop,
        Op::Or => Stop,
        Op::PRelu => Vjp(activation::prelu),
        Op::Pad => Vjp(slice::pad),
        Op::PickRows => Vjp(|site| {
            let upstream = site.g()?;
            Ok(vec![Some(picked::gradient(site.b, site.node, &upstream)), None])
        }),
        Op::Pow => Vjp(arithmetic::pow),
        Op::QuickGelu => Vjp(activation::quick_gelu),
        Op::Range => Stop,
        Op::Reciprocal => Vjp(unary::reciprocal),
        Op::ReduceL1 => Vjp(reduce::l1),
        Op::ReduceL2 => Vjp(reduce::l2),
        Op::ReduceLogSum => Vjp(reduce::log_sum),
        Op::ReduceLogSumExp => Vjp(reduce::log_sum_exp),
        Op::ReduceMax | Op::ReduceMin => Vjp(reduce::extremum),
        Op::ReduceMean => Vjp(reduce::mean),
        Op::ReduceProd => Vjp(reduce::product),
        Op::ReduceSum => Vjp(reduce::sum),
        Op::ReduceSumSquare => Vjp(reduce::sum_square),
        Op::Relu => Vjp(activation::relu),
        Op::Reshape => Vjp(shape::reshape),
        Op::RmsNormalization => Vjp(normalization::rms_normalization),
        Op::RotaryEmbedding => Vjp(attention::rotary_embedding),
        Op::Round => Stop,
        Op::ScatterElements => Vjp(gather::scatter_elements),
        Op::ScatterNd => Vjp(gather::scatter_nd),
        Op::Selu => Vjp(activation::selu),
        Op::Shape => Stop,
        Op::Sigmoid => Vjp(unary::sigmoid),
        Op::Sign => Stop,
        Op::SimplifiedLayerNormalization => Vjp(normalization::simplified_layer_normalization),
        Op::Sin => Vjp(unary::sin),
        Op::Sinh => Vjp(unary::sinh),
        Op::Size => Stop,
        Op::Slice => Vjp(slice::slice),
        Op::Softmax => Vjp(softmax::softmax),
        Op::SoftmaxCrossEntropyLoss => Vjp(softmax::softmax_cross_entropy),
        Op::Softplus => Vjp(activation::softplus),
        Op::Softsign => Vjp(unary::softsign),
        Op::Split => Vjp(shape::split),
        Op::Sqrt => Vjp(unary::sqrt),
        Op::Squeeze => Vjp(shape::reshape),
        Op::Sub => Vjp(arithmetic::sub),
        Op::Sum => Vjp(arithmetic::sum),
        Op::Swish => Vjp(activation::swish),
        Op::Tan => Vjp(unary::tan),
        Op::Tanh => Vjp(unary::tanh),
        Op::ThresholdedRelu => Vjp(activation::thresholded_relu),
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

    /// An optional output of the forward node, asked for now if the exporter left it out.
    fn saved_output(&mut self, position: usize) -> String {
        let first = &self.node.outputs[0];
        let at = self.b.graph.nodes.iter().position(|node| node.outputs.first() == Some(first));
        let at = at.expect("the forward node is in the graph that is being extended");
        let known = self.b.graph.nodes[at].outputs.get(position).filter(|name| !name.is_empty()).cloned();
        if let Some(name) = known {
            return name;
        }
        let name = self.b.fresh("saved");
        let node = &mut self.b.graph.nodes[at];
        node.outputs.resize(node.outputs.len().max(position + 1), String::new());
        node.outputs[position].clone_from(&name);
        let node = node.clone();
        self.b.shapes.visit(&node);
        name
    }

    /// The gradients of an operator that is a composition of others: `compose` adds their nodes and returns what stands
    /// for the operator's outputs, and the gradients go back through the nodes added.
    fn composed(&mut self, compose: impl FnOnce(&mut Self) -> Result<Vec<String>, String>) -> Parts {
        let from = self.b.graph.nodes.len();
        let outputs = compose(self)?;
        let nodes = self.b.graph.nodes[from..].to_vec();
        let inputs = self.node.inputs.iter().zip(&self.wanted);
        let sources: Vec<String> = inputs.filter(|(_, wanted)| **wanted).map(|(name, _)| name.clone()).collect();
        let mut flow = Flow::to(&sources, &nodes);
        for (position, gradient) in self.gradients.iter().enumerate() {
            let Some(gradient) = gradient else { continue };
            let output = outputs.get(position).ok_or_else(|| format!("its output {position} has no gradient"))?;
            flow.add(output, gradient.clone());
        }
        for node in nodes.iter().rev() {
            flow.visit(self.b, node)?;
        }
        Ok(self.node.inputs.iter().map(|name| flow.take(self.b, name)).collect())
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

/// The integer attribute `axis`.
fn along(axis: i64) -> [(&'static str, Attribute); 1] {
    [("axis", Attribute::Int(axis))]
}

/// A rule for an operator of one input and one output: `gradient · derivative`.
fn one(part: String) -> Parts {
    Ok(vec![Some(part)])
}
