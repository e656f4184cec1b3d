//! `KeyedDropout(x, keys, points)`: of each row of x what `threshold` leaves, times `alpha`, and zeros for the rest. With the two
//! keys a and b of the row, a number is left where (a·point + b) mod 2³¹ − 1 is not below the threshold. Keys and points are from 0 to
//! the modulus without it.

use ort::value::TensorElementType;

use super::lanes::wide;
use super::{Call, FLOAT, Like, Ours, last, rows_of_piece};

pub(super) const OPERATOR: Ours = Ours {
    name: "KeyedDropout",
    inputs: &[FLOAT, TensorElementType::Int64, TensorElementType::Int64],
    outputs: &[Like::Input(0)],
    required: 1,
    compute,
};

/// A Mersenne prime, by which a remainder is taken without a division.
const PRIME: u64 = (1 << 31) - 1;

fn compute(call: &Call<'_>) -> ort::Result<()> {
    let (x, keys, points) = (call.input(0)?, call.input(1)?, call.input(2)?);
    let ((shape, x), (_, keys)) = (x.try_extract_tensor::<f32>()?, keys.try_extract_tensor::<i64>()?);
    let (_, points) = points.try_extract_tensor::<i64>()?;
    let row = last(shape)?;
    let (keys, rest) = keys.as_chunks::<2>();
    if points.len() != row || !rest.is_empty() || keys.len() * row != x.len() {
        return Err(ort::Error::new("its operands do not fit together"));
    }
    let mut y = call.context.output(0, shape.clone())?.expect("the first output is required");
    let (_, y) = y.try_extract_tensor_mut::<f32>()?;
    let (alpha, threshold) = (call.alpha, call.threshold.cast_unsigned());
    let (piece, numbers) = (rows_of_piece(row), rows_of_piece(row) * row.max(1));
    let pieces = y.chunks_mut(numbers).zip(x.chunks(numbers).zip(keys.chunks(piece))).collect();
    call.in_pieces(pieces, |(y, (x, keys))| {
        for ((y, x), key) in y.chunks_exact_mut(row).zip(x.chunks_exact(row)).zip(*keys) {
            dropout(alpha, threshold, key.map(i64::cast_unsigned), points, x, y);
        }
    })?;
    Ok(())
}

wide! {
    fn dropout(alpha: f32, threshold: u64, key: [u64; 2], points: &[i64], x: &[f32], y: &mut [f32]) {
        let [factor, term] = key;
        for ((y, x), point) in y.iter_mut().zip(x).zip(points) {
            let sum = factor.wrapping_mul(point.cast_unsigned()).wrapping_add(term);
            // 2³¹ is 1 more than the prime, so that the upper bits count as often as they are.
            let folded = (sum & PRIME) + (sum >> 31);
            let folded = (folded & PRIME) + (folded >> 31);
            let hash = if folded >= PRIME { folded - PRIME } else { folded };
            *y = x * if hash >= threshold { alpha } else { 0.0 };
        }
    }
}
