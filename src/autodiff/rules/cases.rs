//! The cases: for every operator with a rule, operands of several shapes, broadcast ones among them.

mod compositions;
mod windows;

use crate::onnx::{Attribute, ElementType, Op, Tensor};

/// An operand of the operator under test.
#[derive(Clone)]
pub(super) enum Operand {
    /// Differentiated; values between −2 and 2.
    Any(Vec<usize>),
    /// Differentiated; values between ½ and 2.
    Positive(Vec<usize>),
    /// Differentiated; values at least 0.3 apart and 0.1 away from whole numbers, for operators with kinks.
    Apart(Vec<usize>),
    /// Differentiated; these values.
    Given(Vec<usize>, Vec<f32>),
    /// A constant.
    Fixed(Tensor),
    /// A truth value, as a comparison of these numbers with 0.
    Truth(Vec<usize>, Vec<f32>),
    /// Integers that only the run knows.
    Computed(Vec<i64>),
    /// Left out.
    Absent,
}
use Operand::{Absent, Any, Apart, Computed, Fixed, Given, Positive, Truth};

#[derive(Clone)]
pub(super) struct Case {
    pub(super) op: Op,
    pub(super) operands: Vec<Operand>,
    pub(super) attributes: Vec<(&'static str, Attribute)>,
    pub(super) outputs: usize,
    pub(super) opset: i64,
}

pub(super) fn case(op: Op, operands: Vec<Operand>) -> Case {
    Case { op, operands, attributes: Vec::new(), outputs: 1, opset: Case::OPSET }
}

impl Case {
    /// The operator set of a case that does not choose one.
    pub(super) const OPSET: i64 = 18;

    fn int(mut self, name: &'static str, value: i64) -> Self {
        self.attributes.push((name, Attribute::Int(value)));
        self
    }

    fn list(mut self, name: &'static str, values: &[i64]) -> Self {
        self.attributes.push((name, Attribute::Ints(values.to_vec())));
        self
    }

    fn text(mut self, name: &'static str, value: &str) -> Self {
        self.attributes.push((name, Attribute::String(value.into())));
        self
    }

    fn float(mut self, name: &'static str, value: f32) -> Self {
        self.attributes.push((name, Attribute::Float(value)));
        self
    }

    pub(super) fn outputs(mut self, count: usize) -> Self {
        self.outputs = count;
        self
    }

    fn opset(mut self, version: i64) -> Self {
        self.opset = version;
        self
    }
}

pub(super) fn any(shape: &[usize]) -> Operand {
    Any(shape.to_vec())
}

fn positive(shape: &[usize]) -> Operand {
    Positive(shape.to_vec())
}

fn apart(shape: &[usize]) -> Operand {
    Apart(shape.to_vec())
}

pub(super) fn ints(values: &[i64]) -> Operand {
    Fixed(Tensor::from_i64(&[values.len()], values))
}

fn int_matrix(shape: &[usize], values: &[i64]) -> Operand {
    Fixed(Tensor::from_i64(shape, values))
}

fn number(value: f32) -> Operand {
    Fixed(Tensor::scalar_f32(value))
}

pub(super) fn cases() -> Vec<Case> {
    [elementwise(), products(), movements(), picks(), reductions(), compositions::cases(), windows::cases()].concat()
}

fn elementwise() -> Vec<Case> {
    let smooth = [
        Op::Cos,
        Op::Sin,
        Op::Exp,
        Op::Erf,
        Op::Tanh,
        Op::Sigmoid,
        Op::Neg,
        Op::Identity,
        Op::Softplus,
        Op::MicrosoftGelu,
        Op::QuickGelu,
        Op::FastGelu,
        Op::Atan,
        Op::Cosh,
        Op::Sinh,
        Op::Softsign,
    ];
    let kinked = [Op::Abs, Op::Relu, Op::LeakyRelu, Op::Elu, Op::HardSwish, Op::Selu];
    let mut all: Vec<Case> = smooth.into_iter().map(|op| case(op, vec![any(&[2, 3])])).collect();
    all.extend(kinked.into_iter().map(|op| case(op, vec![apart(&[2, 3])])));
    all.extend([Op::Log, Op::Sqrt, Op::Reciprocal].map(|op| case(op, vec![positive(&[2, 3])])));
    all.extend(arithmetic());
    all
}

fn arithmetic() -> Vec<Case> {
    let mut all = Vec::new();
    for op in [Op::Add, Op::Sub, Op::Mul] {
        all.push(case(op.clone(), vec![any(&[2, 3]), any(&[2, 3])]));
        all.push(case(op.clone(), vec![any(&[2, 1, 3]), any(&[4, 1])]));
        all.push(case(op.clone(), vec![any(&[3]), any(&[2, 2, 3])]));
        all.push(case(op, vec![any(&[2, 3]), any(&[])]));
    }
    all.extend([
        case(Op::Div, vec![any(&[2, 1, 3]), positive(&[4, 1])]),
        case(Op::Pow, vec![any(&[2, 3]), number(2.0)]),
        case(Op::Pow, vec![any(&[2, 3]), number(3.0)]),
        case(Op::Pow, vec![positive(&[2, 3]), any(&[3])]),
        case(Op::Pow, vec![any(&[2, 3]), ints(&[2])]),
        case(Op::Pow, vec![positive(&[2, 1]), ints(&[2, -1, 3])]),
        case(Op::Sum, vec![any(&[2, 3]), any(&[3]), any(&[2, 1])]),
        case(Op::Mean, vec![any(&[2, 3]), any(&[3]), any(&[2, 1])]),
        // Quotients that stay away from whole numbers, where the remainder jumps.
        case(
            Op::Mod,
            vec![Given(vec![2, 3], vec![5.0, -5.0, 0.5, 7.0, -3.2, 1.0]), Given(vec![1, 3], vec![1.5, 1.5, -2.0])],
        )
        .int("fmod", 1),
        case(Op::Tan, vec![Given(vec![4], vec![-1.0, 0.2, 0.7, 1.1])]),
        case(Op::Celu, vec![apart(&[2, 3])]).float("alpha", 0.7),
        case(Op::ThresholdedRelu, vec![apart(&[2, 3])]).float("alpha", 0.33),
        case(Op::PRelu, vec![apart(&[2, 3]), any(&[3])]),
        case(Op::PRelu, vec![apart(&[2, 3, 2]), any(&[3, 1])]),
        case(Op::Max, vec![apart(&[2, 3]), number(0.7)]),
        case(Op::Max, vec![any(&[2, 1]), Fixed(Tensor::from_f32(&[3], &[-9.0, 9.0, -8.0]))]),
        case(Op::Min, vec![apart(&[2, 3]), number(0.7), number(1.0)]),
        case(Op::Clip, vec![apart(&[2, 3]), number(-1.0), number(1.0)]),
        case(Op::Clip, vec![apart(&[2, 3]), Absent, number(1.0)]),
        case(Op::Where, vec![Truth(vec![2, 1], vec![1.0, -1.0]), any(&[2, 3]), any(&[3])]),
        case(Op::Cast, vec![any(&[2, 3])]).int("to", ElementType::Float.onnx().into()),
        case(Op::CastLike, vec![any(&[2, 3]), number(1.0)]),
        case(Op::Dropout, vec![any(&[2, 3])]),
        case(Op::Gelu, vec![any(&[2, 3])]).opset(20),
        case(Op::Gelu, vec![any(&[2, 3])]).text("approximate", "tanh").opset(20),
        case(Op::BiasGelu, vec![any(&[2, 3]), any(&[3])]),
        case(Op::FastGelu, vec![any(&[2, 3]), any(&[3])]),
        case(Op::Mish, vec![any(&[2, 3])]),
        case(Op::Swish, vec![any(&[2, 3])]).float("alpha", 1.5).opset(24),
        case(Op::HardSigmoid, vec![apart(&[2, 3])]).float("alpha", 0.25).float("beta", 0.5),
    ]);
    all
}

fn products() -> Vec<Case> {
    let mut all = vec![
        case(Op::MatMul, vec![any(&[2, 3, 4]), any(&[4, 2])]),
        case(Op::MatMul, vec![any(&[3, 4]), any(&[4, 2])]),
        case(Op::MatMul, vec![any(&[2, 1, 3, 4]), any(&[2, 4, 2])]),
        case(Op::MatMul, vec![any(&[3, 4]), any(&[2, 4, 2])]),
        case(Op::MatMul, vec![any(&[4]), any(&[2, 4, 3])]),
        case(Op::MatMul, vec![any(&[2, 3, 4]), any(&[4])]),
        case(Op::MatMul, vec![any(&[4]), any(&[4])]),
    ];
    for (ta, tb) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let a: &[usize] = if ta == 1 { &[4, 3] } else { &[3, 4] };
        let b: &[usize] = if tb == 1 { &[2, 4] } else { &[4, 2] };
        for c in [&[3, 2][..], &[2], &[3, 1], &[]] {
            let gemm = case(Op::Gemm, vec![any(a), any(b), any(c)]).int("transA", ta).int("transB", tb);
            all.push(gemm.float("alpha", 1.5).float("beta", 0.5));
        }
        let batched = [&[2][..], a].concat();
        let fused = case(Op::FusedMatMul, vec![any(&batched), any(&[&[2][..], b].concat())]);
        all.push(fused.int("transA", ta).int("transB", tb).float("alpha", 0.7));
    }
    let norm = |op: Op, operands: Vec<Operand>| case(op, operands).float("epsilon", 1e-3);
    all.extend([
        norm(Op::LayerNormalization, vec![any(&[2, 3, 4]), any(&[4]), any(&[4])]),
        norm(Op::LayerNormalization, vec![any(&[2, 3, 2]), any(&[3, 2]), any(&[3, 2])]).int("axis", 1),
        norm(Op::LayerNormalization, vec![any(&[3, 4]), any(&[4])]).opset(17),
        norm(Op::SimplifiedLayerNormalization, vec![any(&[2, 3, 4]), any(&[4])]).int("axis", -1),
        norm(Op::RmsNormalization, vec![any(&[2, 3, 4]), any(&[4])]).opset(23),
    ]);
    all
}

fn movements() -> Vec<Case> {
    vec![
        case(Op::Reshape, vec![any(&[2, 3, 2]), ints(&[0, -1])]),
        case(Op::Flatten, vec![any(&[2, 3, 2])]).int("axis", 2),
        case(Op::Squeeze, vec![any(&[2, 1, 3]), ints(&[1])]),
        case(Op::Unsqueeze, vec![any(&[2, 3]), ints(&[0, -1])]),
        case(Op::Transpose, vec![any(&[2, 3, 4])]).list("perm", &[2, 0, 1]),
        case(Op::Transpose, vec![any(&[2, 3])]),
        case(Op::Expand, vec![any(&[3, 1]), ints(&[2, 3, 4])]),
        case(Op::Tile, vec![any(&[2, 3]), ints(&[2, 3])]),
        case(Op::Concat, vec![any(&[2, 3]), any(&[2, 1]), any(&[2, 2])]).int("axis", -1),
        case(Op::Concat, vec![any(&[2, 3])]).int("axis", 0),
        case(Op::Split, vec![any(&[2, 5]), ints(&[2, 3])]).int("axis", -1).outputs(2),
        case(Op::Split, vec![any(&[4, 2])]).int("num_outputs", 2).outputs(2),
        case(Op::Slice, vec![any(&[3, 5]), ints(&[1]), ints(&[3]), ints(&[-1])]),
        case(Op::Slice, vec![any(&[3, 5]), ints(&[-2, 0]), ints(&[i64::MAX, -1]), ints(&[1, 0]), ints(&[1, 1])]),
        case(Op::Slice, vec![any(&[5, 2]), ints(&[4]), ints(&[i64::MIN]), ints(&[0]), ints(&[-2])]),
        case(Op::Slice, vec![any(&[4, 3, 5]), ints(&[-1, 0]), ints(&[i64::MIN, 5]), ints(&[0, 2]), ints(&[-1, 2])]),
        // Amounts that only the run knows.
        case(Op::Slice, vec![any(&[5, 2]), Computed(vec![1]), Computed(vec![4]), ints(&[0])]),
        case(Op::Slice, vec![any(&[5, 4]), ints(&[3]), ints(&[0]), Computed(vec![1]), Computed(vec![-1])]),
        case(Op::Pad, vec![any(&[2, 3]), ints(&[1, 0, 0, 2])]),
        case(Op::Pad, vec![any(&[2, 3]), Computed(vec![1, 0, 0, 2])]),
        case(Op::Pad, vec![any(&[4, 3]), ints(&[-1, 1, 0, -2])]),
        case(Op::Pad, vec![any(&[2, 3]), ints(&[1, 2]), number(0.5), ints(&[1])]),
        case(Op::Pad, vec![any(&[3, 4]), ints(&[0, 2, 1, 1])]).text("mode", "reflect"),
        case(Op::Pad, vec![any(&[2, 3]), ints(&[1, 0, 2, 1])]).text("mode", "edge"),
        case(Op::Trilu, vec![any(&[3, 3])]).int("upper", 0),
        case(Op::Trilu, vec![any(&[2, 3, 3]), int_matrix(&[], &[1])]).int("upper", 1),
    ]
}

fn picks() -> Vec<Case> {
    vec![
        case(Op::Gather, vec![any(&[4, 3]), int_matrix(&[2, 3], &[0, 2, 2, -1, 0, 2])]),
        case(Op::Gather, vec![any(&[2, 4, 3]), ints(&[1, 1, 3])]).int("axis", 1),
        case(Op::Gather, vec![any(&[2, 4]), int_matrix(&[], &[2])]).int("axis", -1),
        case(Op::GatherElements, vec![any(&[3, 2]), int_matrix(&[2, 2], &[0, 2, 0, 1])]).int("axis", 0),
        case(Op::GatherNd, vec![any(&[3, 2, 2]), int_matrix(&[3, 2], &[0, 1, 2, -1, 0, 1])]),
        case(Op::GatherNd, vec![any(&[2, 3, 2]), int_matrix(&[2, 1], &[2, 0])]).int("batch_dims", 1),
        case(Op::PickRows, vec![any(&[2, 3, 4]), int_matrix(&[1, 4], &[5, 0, 3, 2])]),
        case(Op::PickRows, vec![any(&[5, 2]), int_matrix(&[1, 1], &[3])]),
        case(Op::ScatterElements, vec![any(&[3, 2]), int_matrix(&[1, 2], &[2, 0]), any(&[1, 2])]).int("axis", 0),
        case(Op::ScatterElements, vec![any(&[3, 2]), int_matrix(&[2, 2], &[2, 0, 2, 1]), any(&[2, 2])])
            .text("reduction", "add"),
        case(Op::ScatterNd, vec![any(&[3, 2]), int_matrix(&[2, 1], &[2, 0]), any(&[2, 2])]),
        case(Op::TopK, vec![apart(&[2, 4]), ints(&[2])]).outputs(2),
        case(Op::TopK, vec![apart(&[3, 2]), ints(&[1])]).int("axis", 0).int("largest", 0),
        case(
            Op::CrossEntropy,
            vec![any(&[4, 3]), ints(&[0, 2, -100, 1]), Fixed(Tensor::from_f32(&[4], &[0.5, 0.25, 1.0, 0.0]))],
        )
        .outputs(3),
        softened(vec![]),
        softened(vec![Fixed(Tensor::from_f32(&[3], &[0.5, 2.0, 1.0]))]),
    ]
}

/// A cross-entropy whose target is smoothed by 0.3, with weights of the classes or without.
fn softened(weights: Vec<Operand>) -> Case {
    let mut operands =
        vec![any(&[4, 3]), ints(&[0, 2, -100, 1]), Fixed(Tensor::from_f32(&[4], &[0.5, 0.25, 1.0, 0.75]))];
    let over_all = if weights.is_empty() { 0.3 } else { 0.35 };
    operands.extend(weights);
    let case = case(Op::CrossEntropy, operands).outputs(3);
    case.float("hard", 0.7).float("spread", 0.1).float("spread_over_all", over_all)
}

/// A third of the numbers is lost; the first row's are told by keys of zero, as those of padding.
fn keyed_dropout() -> Case {
    let keys = [0, 0, 1_234_567_891, 77, 2_000_000_011, 1_999, 5, 1_500_000_000, 987_654_321, 3, 11, 13];
    let points = [3, 1_000_000_007, 2_147_483_646, 12_345];
    let operands = vec![any(&[2, 3, 4]), int_matrix(&[2, 3, 2], &keys), ints(&points)];
    case(Op::KeyedDropout, operands).float("alpha", 1.5).int("threshold", 715_827_882).outputs(2)
}

fn reductions() -> Vec<Case> {
    let mut all = Vec::new();
    for op in [Op::ReduceSum, Op::ReduceMean, Op::ReduceSumSquare, Op::ReduceL2, Op::ReduceLogSumExp] {
        all.push(case(op.clone(), vec![any(&[2, 3, 2]), ints(&[1])]).int("keepdims", 0));
        all.push(case(op.clone(), vec![any(&[2, 3, 2]), ints(&[-1, 0])]).int("keepdims", 1));
        if op != Op::ReduceSum {
            all.push(case(op.clone(), vec![any(&[2, 3])]).list("axes", &[1]).int("keepdims", 0).opset(13));
        }
        all.push(case(op, vec![any(&[2, 3])]).int("keepdims", 0));
    }
    for op in [Op::ReduceL1, Op::ReduceProd, Op::ReduceLogSum] {
        let operand = |shape: &[usize]| if op == Op::ReduceLogSum { positive(shape) } else { apart(shape) };
        all.push(case(op.clone(), vec![operand(&[2, 3]), ints(&[1])]).int("keepdims", 0));
        all.push(case(op.clone(), vec![operand(&[2, 3])]).list("axes", &[0]).opset(13));
        all.push(case(op.clone(), vec![operand(&[2, 3])]));
    }
    // One zero leaves a slope to itself alone, two leave none.
    let zeros = vec![0.0, 2.0, -1.5, 0.0, 0.0, 1.3, 0.5, 1.2, -0.7];
    all.push(case(Op::ReduceProd, vec![Given(vec![3, 3], zeros), ints(&[-1])]));
    for op in [Op::ReduceMax, Op::ReduceMin] {
        all.push(case(op.clone(), vec![apart(&[2, 3]), ints(&[1])]).int("keepdims", 0));
        all.push(case(op, vec![apart(&[2, 3])]).list("axes", &[-1]).opset(17));
    }
    all.push(case(Op::ReduceMean, vec![any(&[2, 3])]).list("axes", &[-1]).int("keepdims", 0).opset(17));
    all.extend([
        case(Op::Softmax, vec![any(&[2, 3])]),
        case(Op::Softmax, vec![any(&[2, 3, 2])]).int("axis", 1),
        case(Op::GuardedSoftmax, vec![any(&[2, 3])]),
        masked_attention(&[[2], [2], [2], [1]]).float("alpha", 0.7),
        masked_attention(&[[1], [2], [1], [2]]).int("guarded", 1),
        case(Op::LogSoftmax, vec![any(&[2, 3])]).int("axis", -1),
        keyed_dropout(),
        case(Op::CumSum, vec![any(&[2, 4]), int_matrix(&[], &[1])]),
        case(Op::CumSum, vec![any(&[2, 4]), int_matrix(&[], &[1])]).int("exclusive", 1).int("reverse", 1),
    ]);
    all
}

/// Three queries of four numbers and five keys, in batches of these places.
fn masked_attention(batches: &[[usize; 1]; 4]) -> Case {
    let sizes = [[3, 4], [4, 5], [5, 2], [3, 5]];
    let operands = batches.iter().zip(sizes).map(|(batch, sizes)| any(&[&batch[..], &sizes].concat()));
    case(Op::MaskedAttention, operands.collect()).outputs(2)
}
