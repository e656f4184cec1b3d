//! `GuardedSoftmax(x)`: the softmax along the last axis, and zeros for a row whose softmax is no number, as that of a row is in which
//! everything is masked by −∞.

use super::lanes::{exponentials, largest, wide};
use super::{Call, FLOAT, Like, Ours, last, rows_of_piece};

pub(super) const OPERATOR: Ours =
    Ours { name: "GuardedSoftmax", inputs: &[FLOAT], outputs: &[Like::Input(0)], required: 1, compute };

fn compute(call: &Call<'_>) -> ort::Result<()> {
    let x = call.input(0)?;
    let (shape, x) = x.try_extract_tensor::<f32>()?;
    let mut y = call.context.output(0, shape.clone())?.expect("the first output is required");
    let (_, y) = y.try_extract_tensor_mut::<f32>()?;
    let row = last(shape)?.max(1);
    let piece = rows_of_piece(row) * row;
    let pieces = y.chunks_mut(piece).zip(x.chunks(piece)).collect();
    call.in_pieces(pieces, |(y, x)| softmax(row, x, y))?;
    Ok(())
}

wide! {
    fn softmax(row: usize, x: &[f32], y: &mut [f32]) {
        for (x, y) in x.chunks_exact(row).zip(y.chunks_exact_mut(row)) {
            let share = 1.0 / exponentials(x, largest(x), y);
            if share.is_nan() {
                y.fill(0.0);
            } else {
                y.iter_mut().for_each(|y| *y *= share);
            }
        }
    }
}
