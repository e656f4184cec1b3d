//! `Product(a, b)`: α·A′·B′ over batches, A′ and B′ transposed where `transA` and `transB` say so.
//!
//! The runtime's own kernels turn a transposed A again for every 128 columns of the result, which takes a tenth to a fourth of the
//! time of a gradient of weights.

use ort::value::Shape;

use super::batch::{broadcast, places, split};
use super::dense::{Before, Matrix, MatrixMut, WORTH, multiply};
use super::{Call, FLOAT, Like, Ours};

pub(super) const OPERATOR: Ours =
    Ours { name: "Product", inputs: &[FLOAT, FLOAT], outputs: &[Like::Untold], required: 1, compute };

fn compute(call: &Call<'_>) -> ort::Result<()> {
    let (a, b) = (call.input(0)?, call.input(1)?);
    let ((a_shape, a), (b_shape, b)) = (a.try_extract_tensor::<f32>()?, b.try_extract_tensor::<f32>()?);
    let ((a_batch, a_sizes), (b_batch, b_sizes)) = (split(a_shape)?, split(b_shape)?);
    let turned = |(rows, columns): (usize, usize), turned| if turned { (columns, rows) } else { (rows, columns) };
    let [of_a, of_b] = call.transposed;
    let ((rows, terms), (b_rows, columns)) = (turned(a_sizes, of_a), turned(b_sizes, of_b));
    if terms != b_rows {
        return Err(ort::Error::new(format!("it multiplies {terms} columns by {b_rows} rows")));
    }
    let batch = broadcast(a_batch, b_batch)?;
    let shape: Shape = batch.iter().copied().chain([rows as i64, columns as i64]).collect();
    let mut y = call.context.output(0, shape)?.expect("the first output is required");
    let (_, y) = y.try_extract_tensor_mut::<f32>()?;
    if y.is_empty() {
        return Ok(());
    }
    let (a_at, b_at) = (places(&batch, a_batch), places(&batch, b_batch));
    let multiplications = y.len().saturating_mul(terms);
    let threads = call.threads.min(multiplications / WORTH).max(1);
    let of_each = threads.div_ceil(a_at.len());
    let of = |values, at, (rows, columns): (usize, usize), turned| {
        let values: &[f32] = values;
        Matrix::new(&values[at * rows * columns..], rows, columns).turned(turned)
    };
    let mut tiles = Vec::new();
    for ((y, a_at), b_at) in y.chunks_exact_mut(rows * columns).zip(a_at).zip(b_at) {
        let (a, b) = (of(a, a_at, a_sizes, of_a), of(b, b_at, b_sizes, of_b));
        tiles.extend(MatrixMut::new(y, rows, columns).tiles(terms, of_each).into_iter().map(|tile| (a, b, tile)));
    }
    let alpha = call.alpha;
    call.dealt(tiles, multiplications, |tiles| {
        for (a, b, tile) in tiles {
            multiply(alpha, a.rows(tile.rows), b.columns(tile.columns), tile.matrix, Before::Replaced);
        }
    })
}
