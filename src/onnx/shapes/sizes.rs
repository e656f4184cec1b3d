//! Arithmetic on symbolic sizes.

use super::Dim;
use crate::onnx::Op;

/// A position from the front; `None` when it lies outside.
pub(super) fn axis(at: i64, rank: usize) -> Option<usize> {
    let at = if at < 0 { at + rank as i64 } else { at };
    usize::try_from(at).ok().filter(|&at| at < rank)
}

pub(super) fn reduced(dims: Vec<Dim>, axes: &[usize], keep: bool) -> Vec<Dim> {
    dims.into_iter()
        .enumerate()
        .filter_map(|(at, dim)| match (axes.contains(&at), keep) {
            (true, true) => Some(Dim::Known(1)),
            (true, false) => None,
            (false, _) => Some(dim),
        })
        .collect()
}

/// The product of `over` divided by that of `under`, when it is a number or one symbol.
pub(super) fn quotient(mut over: Vec<Dim>, under: Vec<Dim>) -> Option<Dim> {
    let mut divisor = 1_i64;
    for dim in under {
        match dim {
            Dim::Known(size) => divisor = divisor.checked_mul(size)?,
            symbol => {
                let at = over.iter().position(|dim| *dim == symbol)?;
                over.remove(at);
            }
        }
    }
    let number = over.iter().filter_map(Dim::known).try_fold(1_i64, |product, size| product.checked_mul(size))?;
    let mut symbols = over.into_iter().filter(|dim| dim.known().is_none());
    match (symbols.next(), symbols.next()) {
        (None, _) if divisor != 0 && number % divisor == 0 => Some(Dim::Known(number / divisor)),
        (Some(symbol), None) if number == divisor => Some(symbol),
        _ => None,
    }
}

/// `size[start:end]` with step 1.
pub(super) fn sliced(size: &Dim, start: &Dim, end: &Dim) -> Option<Dim> {
    const TO_THE_END: i64 = i64::MAX / 2;
    match (size, start.known(), end) {
        (Dim::Known(size), Some(start), Dim::Known(end)) => {
            let clamp = |at: i64| (if at < 0 { at.saturating_add(*size) } else { at }).clamp(0, *size);
            Some(Dim::Known((clamp(*end) - clamp(start)).max(0)))
        }
        (_, Some(0), Dim::Known(0)) => Some(Dim::Known(0)),
        (size, Some(0), Dim::Known(TO_THE_END..)) => Some(size.clone()),
        (size, Some(0), end) if size == end => Some(size.clone()),
        // Tables of positions are as long as the longest sequence, so a run's length cuts them to itself.
        (Dim::Known(_), Some(0), end @ Dim::Symbol(_)) => Some(end.clone()),
        _ => None,
    }
}

/// Rows that are picked at places: as many as there are places, each as long as it was.
pub(super) fn picked(rows: &[Dim], places: &[Dim]) -> Option<Vec<Dim>> {
    Some([places, std::slice::from_ref(rows.last()?)].concat())
}

pub(super) fn keeps_shape(op: &Op) -> bool {
    matches!(
        op,
        Op::Abs
            | Op::Atan
            | Op::BatchNormalization
            | Op::BiasGelu
            | Op::BitwiseNot
            | Op::Cast
            | Op::CastLike
            | Op::Ceil
            | Op::Celu
            | Op::Clip
            | Op::Cos
            | Op::Cosh
            | Op::CumSum
            | Op::Dropout
            | Op::DequantizeLinear
            | Op::Detach
            | Op::Elu
            | Op::Erf
            | Op::Exp
            | Op::EyeLike
            | Op::FastGelu
            | Op::Floor
            | Op::Gelu
            | Op::GeluGrad
            | Op::GroupNormalization
            | Op::GuardedSoftmax
            | Op::HardSigmoid
            | Op::HardSwish
            | Op::Hardmax
            | Op::Identity
            | Op::InstanceNormalization
            | Op::IsInf
            | Op::IsNan
            | Op::LeakyRelu
            | Op::Log
            | Op::LogSoftmax
            | Op::LpNormalization
            | Op::MicrosoftGelu
            | Op::Mish
            | Op::Neg
            | Op::Not
            | Op::PRelu
            | Op::QuickGelu
            | Op::Reciprocal
            | Op::Relu
            | Op::RmsNormalization
            | Op::RotaryEmbedding
            | Op::Round
            | Op::ScatterElements
            | Op::ScatterNd
            | Op::Selu
            | Op::Sigmoid
            | Op::Sign
            | Op::SiluGrad
            | Op::Sin
            | Op::Sinh
            | Op::Softmax
            | Op::SoftmaxGrad
            | Op::Softplus
            | Op::Softsign
            | Op::Sqrt
            | Op::Swish
            | Op::Tan
            | Op::Tanh
            | Op::ThresholdedRelu
            | Op::Trilu
    )
}
