//! `CrossEntropy(x, labels, w)` over the rows of x, w being a number for each or one for all: Σ w·ce, the rows' own ce = lse(x) − x[label], and w·(softmax(x) − onehot), the
//! gradient of the sum, in one go while a row lies in the cache. A negative label is no target: its ce and its gradient are zero.

use std::borrow::Cow;

use ort::value::TensorElementType;

use super::lanes::{exponentials, largest, wide};
use super::{Call, FLOAT, Like, Ours, last, rows_of_piece};

pub(super) const OPERATOR: Ours = Ours {
    name: "CrossEntropy",
    inputs: &[FLOAT, TensorElementType::Int64, FLOAT],
    outputs: &[Like::Scalar, Like::Input(1), Like::Input(0)],
    required: 3,
    compute,
};

fn compute(call: &Call<'_>) -> ort::Result<()> {
    let (x, labels, weights) = (call.input(0)?, call.input(1)?, call.input(2)?);
    let ((shape, x), (_, labels)) = (x.try_extract_tensor::<f32>()?, labels.try_extract_tensor::<i64>()?);
    let (_, weights) = weights.try_extract_tensor::<f32>()?;
    let row = last(shape)?.max(1);
    let count = x.len() / row;
    let weights: Cow<'_, [f32]> = match weights {
        [one] => vec![*one; count].into(),
        weights => weights.into(),
    };
    if labels.len() != count || weights.len() != count {
        return Err(ort::Error::new("its operands do not fit together"));
    }
    if let Some(label) = labels.iter().find(|label| usize::try_from(**label).is_ok_and(|label| label >= row)) {
        return Err(ort::Error::new(format!("label {label} is none of {row} classes")));
    }
    let required = "three outputs are required";
    let mut loss = call.context.output(0, [0_usize; 0])?.expect(required);
    let mut rows = call.context.output(1, [count])?.expect(required);
    let mut dx = call.context.output(2, shape.clone())?.expect(required);
    let (_, rows) = rows.try_extract_tensor_mut::<f32>()?;
    let (_, dx) = dx.try_extract_tensor_mut::<f32>()?;
    let (piece, numbers) = (rows_of_piece(row), rows_of_piece(row) * row);
    let targets = labels.chunks(piece).zip(weights.chunks(piece));
    let results = rows.chunks_mut(piece).zip(dx.chunks_mut(numbers));
    let pieces = x.chunks(numbers).zip(targets).zip(results).collect();
    call.in_pieces(pieces, |((x, (labels, weights)), (rows, dx))| cross_entropy(row, x, labels, weights, rows, dx))?;
    let sum: f64 = rows.iter().zip(weights.iter()).map(|(ce, weight)| f64::from(*ce) * f64::from(*weight)).sum();
    loss.try_extract_tensor_mut::<f32>()?.1[0] = sum as f32;
    Ok(())
}

wide! {
    fn cross_entropy(row: usize, x: &[f32], labels: &[i64], weights: &[f32], rows: &mut [f32], dx: &mut [f32]) {
        let operands = x.chunks_exact(row).zip(labels).zip(weights);
        for (((x, label), weight), (ce, dx)) in operands.zip(rows.iter_mut().zip(dx.chunks_exact_mut(row))) {
            let Ok(label) = usize::try_from(*label) else {
                *ce = 0.0;
                dx.fill(0.0);
                continue;
            };
            let peak = largest(x);
            let sum = exponentials(x, peak, dx);
            *ce = peak + sum.ln() - x[label];
            let share = weight / sum;
            dx.iter_mut().for_each(|dx| *dx *= share);
            dx[label] -= weight;
        }
    }
}
