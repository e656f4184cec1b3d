//! The operators that the crate knows, parsed once from domain and name.

use std::fmt;

macro_rules! operators {
    ($($variant:ident, $domain:literal, $name:literal;)*) => {
        /// An operator of a graph. `Other` is data: such a node is carried along unchanged, and refused by name only where
        /// a gradient has to pass through it.
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Op {
            $(
                #[doc = concat!("`", $name, "` of the operator set `", $domain, "` (empty: the standard one)")]
                $variant,
            )*
            /// An operator without a variant of its own.
            Other {
                /// The operator set, empty for the standard one.
                domain: String,
                /// The operator's name.
                name: String,
            },
        }

        impl Op {
            /// Every operator with a variant of its own, in the order of the table.
            pub const KNOWN: &'static [Op] = &[$(Op::$variant),*];

            /// The operator of a node; `ai.onnx` is the standard operator set's second name.
            pub fn parse(domain: &str, name: &str) -> Self {
                let domain = if domain == "ai.onnx" { "" } else { domain };
                match (domain, name) {
                    $(($domain, $name) => Op::$variant,)*
                    (domain, name) => Op::Other { domain: domain.to_owned(), name: name.to_owned() },
                }
            }

            /// The operator's name, without its domain.
            pub fn name(&self) -> &str {
                match self {
                    $(Op::$variant => $name,)*
                    Op::Other { name, .. } => name,
                }
            }

            /// The operator set, empty for the standard one.
            pub fn domain(&self) -> &str {
                match self {
                    $(Op::$variant => $domain,)*
                    Op::Other { domain, .. } => domain,
                }
            }
        }
    };
}

operators! {
    Abs, "", "Abs";
    Add, "", "Add";
    And, "", "And";
    ArgMax, "", "ArgMax";
    ArgMin, "", "ArgMin";
    Atan, "", "Atan";
    Attention, "", "Attention";
    AveragePool, "", "AveragePool";
    BatchNormalization, "", "BatchNormalization";
    BiasGelu, "com.microsoft", "BiasGelu";
    BitShift, "", "BitShift";
    BitwiseAnd, "", "BitwiseAnd";
    BitwiseNot, "", "BitwiseNot";
    BitwiseOr, "", "BitwiseOr";
    BitwiseXor, "", "BitwiseXor";
    Cast, "", "Cast";
    CastLike, "", "CastLike";
    Ceil, "", "Ceil";
    Celu, "", "Celu";
    Clip, "", "Clip";
    Concat, "", "Concat";
    Constant, "", "Constant";
    ConstantOfShape, "", "ConstantOfShape";
    Conv, "", "Conv";
    ConvTranspose, "", "ConvTranspose";
    Cos, "", "Cos";
    Cosh, "", "Cosh";
    CrossEntropy, "annotc", "CrossEntropy";
    CumSum, "", "CumSum";
    DequantizeLinear, "", "DequantizeLinear";
    Detach, "annotc", "Detach";
    Div, "", "Div";
    Dropout, "", "Dropout";
    Einsum, "", "Einsum";
    Elu, "", "Elu";
    Equal, "", "Equal";
    Erf, "", "Erf";
    Exp, "", "Exp";
    Expand, "", "Expand";
    EyeLike, "", "EyeLike";
    FastGelu, "com.microsoft", "FastGelu";
    Flatten, "", "Flatten";
    Floor, "", "Floor";
    FusedMatMul, "com.microsoft", "FusedMatMul";
    Gather, "", "Gather";
    GatherElements, "", "GatherElements";
    GatherNd, "", "GatherND";
    Gelu, "", "Gelu";
    GeluGrad, "annotc", "GeluGrad";
    Gemm, "", "Gemm";
    GlobalAveragePool, "", "GlobalAveragePool";
    GlobalMaxPool, "", "GlobalMaxPool";
    Greater, "", "Greater";
    GreaterOrEqual, "", "GreaterOrEqual";
    GroupNormalization, "", "GroupNormalization";
    GuardedSoftmax, "annotc", "GuardedSoftmax";
    HardSigmoid, "", "HardSigmoid";
    HardSwish, "", "HardSwish";
    Hardmax, "", "Hardmax";
    Identity, "", "Identity";
    If, "", "If";
    InstanceNormalization, "", "InstanceNormalization";
    IsInf, "", "IsInf";
    IsNan, "", "IsNaN";
    KeyedDropout, "annotc", "KeyedDropout";
    LayerNormGrad, "annotc", "LayerNormGrad";
    LayerNormalization, "", "LayerNormalization";
    LeakyRelu, "", "LeakyRelu";
    Less, "", "Less";
    LessOrEqual, "", "LessOrEqual";
    Log, "", "Log";
    LogSoftmax, "", "LogSoftmax";
    Loop, "", "Loop";
    LpNormalization, "", "LpNormalization";
    MaskedAttention, "annotc", "MaskedAttention";
    MaskedAttentionGrad, "annotc", "MaskedAttentionGrad";
    MatMul, "", "MatMul";
    Max, "", "Max";
    MaxPool, "", "MaxPool";
    Mean, "", "Mean";
    MicrosoftGelu, "com.microsoft", "Gelu";
    Min, "", "Min";
    Mish, "", "Mish";
    Mod, "", "Mod";
    Mul, "", "Mul";
    Neg, "", "Neg";
    NegativeLogLikelihoodLoss, "", "NegativeLogLikelihoodLoss";
    NonZero, "", "NonZero";
    Not, "", "Not";
    OneHot, "", "OneHot";
    Or, "", "Or";
    PRelu, "", "PRelu";
    Pad, "", "Pad";
    PickRows, "annotc", "PickRows";
    Pow, "", "Pow";
    Product, "annotc", "Product";
    QuickGelu, "com.microsoft", "QuickGelu";
    Range, "", "Range";
    Reciprocal, "", "Reciprocal";
    ReduceL1, "", "ReduceL1";
    ReduceL2, "", "ReduceL2";
    ReduceLogSum, "", "ReduceLogSum";
    ReduceLogSumExp, "", "ReduceLogSumExp";
    ReduceMax, "", "ReduceMax";
    ReduceMean, "", "ReduceMean";
    ReduceMin, "", "ReduceMin";
    ReduceProd, "", "ReduceProd";
    ReduceSum, "", "ReduceSum";
    ReduceSumSquare, "", "ReduceSumSquare";
    Relu, "", "Relu";
    Reshape, "", "Reshape";
    RmsNormGrad, "annotc", "RmsNormGrad";
    RmsNormalization, "", "RMSNormalization";
    RotaryEmbedding, "", "RotaryEmbedding";
    Round, "", "Round";
    ScatterElements, "", "ScatterElements";
    ScatterNd, "", "ScatterND";
    Selu, "", "Selu";
    Shape, "", "Shape";
    Sigmoid, "", "Sigmoid";
    Sign, "", "Sign";
    SimplifiedLayerNormalization, "", "SimplifiedLayerNormalization";
    SiluGrad, "annotc", "SiluGrad";
    Sin, "", "Sin";
    Sinh, "", "Sinh";
    Size, "", "Size";
    Slice, "", "Slice";
    Softmax, "", "Softmax";
    SoftmaxCrossEntropyLoss, "", "SoftmaxCrossEntropyLoss";
    SoftmaxGrad, "annotc", "SoftmaxGrad";
    Softplus, "", "Softplus";
    Softsign, "", "Softsign";
    Split, "", "Split";
    Sqrt, "", "Sqrt";
    Squeeze, "", "Squeeze";
    Sub, "", "Sub";
    Sum, "", "Sum";
    Swish, "", "Swish";
    Tan, "", "Tan";
    Tanh, "", "Tanh";
    ThresholdedRelu, "", "ThresholdedRelu";
    Tile, "", "Tile";
    TopK, "", "TopK";
    Transpose, "", "Transpose";
    Trilu, "", "Trilu";
    Unsqueeze, "", "Unsqueeze";
    Where, "", "Where";
    Xor, "", "Xor";
}

impl Op {
    /// Whether the output is the first input in a new shape, which lies where that lies.
    pub fn is_view(&self) -> bool {
        matches!(self, Self::Reshape | Self::Flatten | Self::Squeeze | Self::Unsqueeze | Self::Identity)
    }
}

/// Written as a user reads it in a model viewer: `MatMul`, `com.microsoft:Gelu`.
impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.domain() {
            "" => f.write_str(self.name()),
            domain => write!(f, "{domain}:{}", self.name()),
        }
    }
}

/// Whether the operator's result is a shape or a truth value even where its operand is data.
pub(super) fn is_shape_op(op: &Op) -> bool {
    matches!(
        op,
        Op::Shape
            | Op::Size
            | Op::IsNan
            | Op::IsInf
            | Op::Equal
            | Op::Greater
            | Op::GreaterOrEqual
            | Op::Less
            | Op::LessOrEqual
            | Op::NonZero
            | Op::ArgMax
            | Op::ArgMin
    )
}
