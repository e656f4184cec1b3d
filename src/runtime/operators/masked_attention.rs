//! `MaskedAttention(q, k, v, mask)`: with p = softmax(α·q·k + mask), p·v and p, over batches. The keys stand in columns; the mask is
//! broadcast. With `guarded`, a row of p that is no number, as that of a row is in which everything is masked by −∞, becomes zeros.
//!
//! Rows are taken some at a time, so that their scores stay in the processor's caches, and of each such block only the keys that some
//! row of it sees: from a causal mask half of the work goes, and from one of packed records nearly all that lies between records (the
//! tiling is that of Dao et al., *FlashAttention*, 2022, whose p is never written; here it is kept for the gradient). What is masked is
//! not looked at where a whole block has it masked: there it may be no number, which would spoil a row of the parts.

use std::ops::Range;

use ort::value::Shape;

use super::batch::{broadcast, places, split};
use super::dense::{Before, Matrix, MatrixMut, multiply};
use super::lanes::{exponentials, largest, wide};
use super::{Call, FLOAT, Like, Ours};

pub(super) const OPERATOR: Ours = Ours {
    name: "MaskedAttention",
    inputs: &[FLOAT, FLOAT, FLOAT, FLOAT],
    outputs: &[Like::Untold, Like::Untold],
    required: 2,
    compute,
};

/// Scores of a block, and the least rows of one.
const SCORES: usize = 1 << 14;
const ROWS: usize = 64;

/// Rows of a block: the fewer, the more of the keys none of them sees; the more, the less is done for each.
pub(super) fn rows_of_block(keys: usize) -> usize {
    (SCORES / keys.max(1)).max(ROWS)
}

/// What is added to a score that nobody shall see is below this, and no score is so large that it would be seen all the same.
const UNSEEN: f32 = -1e30;

/// The queries of one block, and where their results go.
struct Block<'a> {
    q: Matrix<'a>,
    k: Matrix<'a>,
    v: Matrix<'a>,
    mask: Mask<'a>,
    p: &'a mut [f32],
    y: MatrixMut<'a>,
}

/// Some rows of a mask, which may all be the same one.
#[derive(Clone, Copy)]
struct Mask<'a> {
    values: &'a [f32],
    keys: usize,
    is_shared: bool,
}

impl<'a> Mask<'a> {
    fn row(self, at: usize) -> &'a [f32] {
        let at = if self.is_shared { 0 } else { at };
        &self.values[at * self.keys..][..self.keys]
    }
}

fn compute(call: &Call<'_>) -> ort::Result<()> {
    let (q, k, v, mask) = (call.input(0)?, call.input(1)?, call.input(2)?, call.input(3)?);
    let (q, k, v) = (q.try_extract_tensor::<f32>()?, k.try_extract_tensor::<f32>()?, v.try_extract_tensor::<f32>()?);
    let mask = mask.try_extract_tensor::<f32>()?;
    let (q_batch, (queries, size)) = split(q.0)?;
    let (k_batch, (k_size, keys)) = split(k.0)?;
    let (v_batch, (v_keys, width)) = split(v.0)?;
    let (mask_batch, (mask_rows, mask_columns)) = split(mask.0)?;
    let is_broadcast = |of: usize, to: usize| of == to || of == 1;
    if size != k_size || keys != v_keys || !is_broadcast(mask_rows, queries) || !is_broadcast(mask_columns, keys) {
        return Err(ort::Error::new("its operands do not fit together"));
    }
    let batch = broadcast(&broadcast(q_batch, k_batch)?, &broadcast(v_batch, mask_batch)?)?;
    let shape = |columns: usize| -> Shape { batch.iter().copied().chain([queries as i64, columns as i64]).collect() };
    let mut y = call.context.output(0, shape(width))?.expect("the first output is required");
    let mut p = call.context.output(1, shape(keys))?.expect("the second output is required");
    let (_, y) = y.try_extract_tensor_mut::<f32>()?;
    let (_, p) = p.try_extract_tensor_mut::<f32>()?;
    if y.is_empty() || p.is_empty() {
        y.fill(0.0);
        p.fill(0.0);
        return Ok(());
    }
    // One number for all keys of a row is written out, so that a row can be read as one.
    let spread: Vec<f32>;
    let mask_values = if mask_columns == keys {
        mask.1
    } else {
        spread = mask.1.iter().flat_map(|&value| std::iter::repeat_n(value, keys)).collect();
        &spread
    };
    let probabilities = p.len();
    let at = [q_batch, k_batch, v_batch, mask_batch].map(|own| places(&batch, own));
    let together = rows_of_block(keys);
    let mut blocks = Vec::new();
    for (place, (y, p)) in y.chunks_exact_mut(queries * width).zip(p.chunks_exact_mut(queries * keys)).enumerate() {
        let [q_at, k_at, v_at, mask_at] = [&at[0], &at[1], &at[2], &at[3]].map(|places| places[place]);
        let q = Matrix::new(&q.1[q_at * queries * size..], queries, size);
        let k = Matrix::new(&k.1[k_at * size * keys..], size, keys);
        let v = Matrix::new(&v.1[v_at * keys * width..], keys, width);
        let mask = &mask_values[mask_at * mask_rows * keys..][..mask_rows * keys];
        let outputs = y.chunks_mut(together * width).zip(p.chunks_mut(together * keys));
        blocks.extend(outputs.enumerate().map(|(at, (y, p))| {
            let (start, rows) = (at * together, p.len() / keys);
            let is_shared = mask_rows == 1;
            let values = if is_shared { mask } else { &mask[start * keys..][..rows * keys] };
            let mask = Mask { values, keys, is_shared };
            Block { q: q.rows(start..start + rows), k, v, mask, p, y: MatrixMut::new(y, rows, width) }
        }));
    }
    let (alpha, guarded) = (call.alpha, call.guarded);
    call.dealt(blocks, probabilities.saturating_mul(size + width), |blocks| {
        let mut scores = vec![0.0; keys];
        blocks.into_iter().for_each(|block| block.attend(alpha, guarded, &mut scores));
    })
}

impl Block<'_> {
    fn attend(self, alpha: f32, guarded: bool, scores: &mut [f32]) {
        let Self { q, k, v, mask, p, y } = self;
        let (keys, rows) = (mask.keys, p.len() / mask.keys);
        // A mask that is no number is seen, and spoils its row.
        let seen = match seen(rows, keys, |row| mask.row(row), |value| *value > UNSEEN || value.is_nan()) {
            (seen, true) => seen,
            (_, false) => 0..keys,
        };
        let mut of_block = MatrixMut::new(p, rows, keys);
        multiply(alpha, q, k.columns(seen.clone()), of_block.columns(seen.clone()), Before::Replaced);
        for (at, p) in p.chunks_exact_mut(keys).enumerate() {
            softmax(p, mask.row(at), seen.clone(), guarded, &mut scores[..seen.len()]);
        }
        multiply(1.0, Matrix::new(p, rows, keys).columns(seen.clone()), v.rows(seen), y, Before::Replaced);
    }
}

/// Columns that kernels take side by side: what is seen is widened to so many.
const SIDE_BY_SIDE: usize = 16;

/// The columns between the first and the last that any row has something in, and whether each row has something somewhere.
pub(super) fn seen<'a>(
    rows: usize,
    columns: usize,
    row: impl Fn(usize) -> &'a [f32],
    is_seen: impl Fn(&f32) -> bool,
) -> (Range<usize>, bool) {
    let (mut first, mut last, mut all) = (columns, 0, true);
    for at in 0..rows {
        let row = row(at);
        match row[..first].iter().position(&is_seen) {
            Some(at) => first = at,
            None => all &= row[first..].iter().any(&is_seen),
        }
        last = row[last..].iter().rposition(&is_seen).map_or(last, |at| last + at + 1);
    }
    let start = first.min(last) / SIDE_BY_SIDE * SIDE_BY_SIDE;
    (start..last.next_multiple_of(SIDE_BY_SIDE).min(columns).max(start), all)
}

wide! {
    fn softmax(p: &mut [f32], mask: &[f32], seen: Range<usize>, guarded: bool, scores: &mut [f32]) {
        for ((score, p), mask) in scores.iter_mut().zip(&p[seen.clone()]).zip(&mask[seen.clone()]) {
            *score = p + mask;
        }
        let share = 1.0 / exponentials(scores, largest(scores), &mut p[seen.clone()]);
        if share.is_nan() {
            p.fill(if guarded { 0.0 } else { f32::NAN });
            return;
        }
        p[..seen.start].fill(0.0);
        p[seen.end..].fill(0.0);
        p[seen].iter_mut().for_each(|p| *p *= share);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_is_all_that_any_row_has_something_in() {
        let find = |places: &[&[usize]]| {
            let number = |row: &&[usize], at| if row.contains(&at) { 1.0 } else { 0.0 };
            let row = |row| (0..50).map(|at| number(row, at)).collect();
            let rows: Vec<Vec<f32>> = places.iter().map(row).collect();
            seen(rows.len(), 50, |at| &rows[at], |value| *value != 0.0)
        };
        assert_eq!(find(&[&[17], &[33]]), (16..48, true));
        assert_eq!(find(&[&[33], &[0]]), (0..48, true));
        assert_eq!(find(&[&[49]]), (48..50, true));
        assert_eq!(find(&[&[0, 49], &[20]]), (0..50, true));
        assert_eq!(find(&[&[20], &[], &[21]]), (16..32, false));
        assert_eq!(find(&[&[], &[20]]), (16..32, false));
        assert!(find(&[&[], &[]]).0.is_empty());
    }
}
