//! `SoftmaxGrad(g, y)`: y·(g − Σ g·y) along the last axis, y being what the softmax returned.

use super::lanes::{sum, wide};
use super::{Call, FLOAT, Like, Ours, last, rows_of_piece, same_length};

pub(super) const OPERATOR: Ours =
    Ours { name: "SoftmaxGrad", inputs: &[FLOAT, FLOAT], outputs: &[Like::Input(1)], required: 1, compute };

fn compute(call: &Call<'_>) -> ort::Result<()> {
    let (g, y) = (call.input(0)?, call.input(1)?);
    let ((_, g), (shape, y)) = (g.try_extract_tensor::<f32>()?, y.try_extract_tensor::<f32>()?);
    same_length(g, y)?;
    let mut dx = call.context.output(0, shape.clone())?.expect("the first output is required");
    let (_, dx) = dx.try_extract_tensor_mut::<f32>()?;
    let row = last(shape)?.max(1);
    let piece = rows_of_piece(row) * row;
    let pieces = dx.chunks_mut(piece).zip(g.chunks(piece).zip(y.chunks(piece))).collect();
    call.in_pieces(pieces, |(dx, (g, y))| softmax_grad(row, g, y, dx))?;
    Ok(())
}

wide! {
    fn softmax_grad(row: usize, g: &[f32], y: &[f32], dx: &mut [f32]) {
        for ((dx, g), y) in dx.chunks_exact_mut(row).zip(g.chunks_exact(row)).zip(y.chunks_exact(row)) {
            let mean = sum(g, y, y, |g, y, _| g * y);
            for ((dx, g), y) in dx.iter_mut().zip(g).zip(y) {
                *dx = y * (g - mean);
            }
        }
    }
}
