//! `MaskedAttentionGrad(g, p, q, k, v)`: the gradients of p·v, p = softmax(α·q·k + mask), by q, k and v. With dp = g·vᵀ and
//! ds = p∘(dp − Σ p∘dp): dq = α·ds·kᵀ, dk = α·qᵀ·ds, dv = pᵀ·g. P is what the forward node returned.
//!
//! Rows are taken some at a time, so that neither dp nor ds is ever written, and of each block only the keys that p is not zero for.

use ort::value::{Shape, ValueRefMut};

use super::batch::{broadcast, places, split};
use super::dense::{Before, Matrix, MatrixMut, multiply};
use super::lanes::{sum, wide};
use super::masked_attention::{rows_of_block, seen};
use super::{Call, FLOAT, Like, Ours};

pub(super) const OPERATOR: Ours = Ours {
    name: "MaskedAttentionGrad",
    inputs: &[FLOAT, FLOAT, FLOAT, FLOAT, FLOAT],
    outputs: &[Like::Untold, Like::Untold, Like::Untold],
    required: 1,
    compute,
};

/// One attention, and where its gradients go.
struct Head<'a> {
    g: Matrix<'a>,
    p: &'a [f32],
    q: Matrix<'a>,
    k: Matrix<'a>,
    v: Matrix<'a>,
    dq: Option<MatrixMut<'a>>,
    dk: Option<MatrixMut<'a>>,
    dv: Option<MatrixMut<'a>>,
}

fn compute(call: &Call<'_>) -> ort::Result<()> {
    let (g, p) = (call.input(0)?, call.input(1)?);
    let (q, k, v) = (call.input(2)?, call.input(3)?, call.input(4)?);
    let (g, p) = (g.try_extract_tensor::<f32>()?, p.try_extract_tensor::<f32>()?);
    let (q, k, v) = (q.try_extract_tensor::<f32>()?, k.try_extract_tensor::<f32>()?, v.try_extract_tensor::<f32>()?);
    let (batch, (queries, keys)) = split(p.0)?;
    let (g_batch, (g_queries, width)) = split(g.0)?;
    let (q_batch, (q_queries, size)) = split(q.0)?;
    let (k_batch, k_sizes) = split(k.0)?;
    let (v_batch, v_sizes) = split(v.0)?;
    let is_repeated = |own: &[i64]| broadcast(own, batch).is_ok_and(|both| both == batch);
    let fits = g_batch == batch && [q_batch, k_batch, v_batch].into_iter().all(is_repeated);
    if !fits || (g_queries, q_queries) != (queries, queries) || k_sizes != (size, keys) || v_sizes != (keys, width) {
        return Err(ort::Error::new("its operands do not fit together"));
    }
    let shape =
        |rows: usize, columns: usize| -> Shape { batch.iter().copied().chain([rows as i64, columns as i64]).collect() };
    let mut dq = call.context.output(0, shape(queries, size))?;
    let mut dk = call.context.output(1, shape(size, keys))?;
    let mut dv = call.context.output(2, shape(keys, width))?;
    let mut dq = parts(&mut dq, (queries, size))?;
    let mut dk = parts(&mut dk, (size, keys))?;
    let mut dv = parts(&mut dv, (keys, width))?;
    if p.1.is_empty() {
        return Ok(());
    }
    let at = [q_batch, k_batch, v_batch].map(|own| places(batch, own));
    let heads = p.1.chunks_exact(queries * keys).enumerate().map(|(place, p)| {
        let [q_at, k_at, v_at] = [&at[0], &at[1], &at[2]].map(|places| places[place]);
        Head {
            g: Matrix::new(&g.1[place * queries * width..], queries, width),
            p,
            q: Matrix::new(&q.1[q_at * queries * size..], queries, size),
            k: Matrix::new(&k.1[k_at * size * keys..], size, keys),
            v: Matrix::new(&v.1[v_at * keys * width..], keys, width),
            dq: dq.next(),
            dk: dk.next(),
            dv: dv.next(),
        }
    });
    let alpha = call.alpha;
    call.dealt(heads.collect(), p.1.len().saturating_mul(2 * (size + width)), |heads| {
        let mut ds = vec![0.0; rows_of_block(keys).min(queries) * keys];
        heads.into_iter().for_each(|head| head.differentiate(alpha, queries, keys, &mut ds));
    })
}

/// The matrices of an output, with zeros in them; none of one that the node lacks or that has no elements.
fn parts<'a>(
    output: &'a mut Option<ValueRefMut<'_>>,
    (rows, columns): (usize, usize),
) -> ort::Result<impl Iterator<Item = MatrixMut<'a>> + use<'a>> {
    let values: &mut [f32] = match output {
        Some(output) => output.try_extract_tensor_mut::<f32>()?.1,
        None => &mut [],
    };
    values.fill(0.0);
    let matrices = values.chunks_exact_mut((rows * columns).max(1));
    Ok(matrices.map(move |values| MatrixMut::new(values, rows, columns)))
}

impl Head<'_> {
    fn differentiate(mut self, alpha: f32, queries: usize, keys: usize, ds: &mut [f32]) {
        let together = rows_of_block(keys);
        for start in (0..queries).step_by(together) {
            let rows = start..(start + together).min(queries);
            let p = &self.p[start * keys..rows.end * keys];
            let row = |at: usize| &p[at * keys..][..keys];
            // A row of zeros, in which everything was masked, has no gradient.
            let (seen, _) = seen(rows.len(), keys, row, |p| *p != 0.0);
            let ds = &mut ds[..rows.len() * seen.len()];
            let (g, q) = (self.g.rows(rows.clone()), self.q.rows(rows.clone()));
            let of_block = MatrixMut::new(ds, rows.len(), seen.len());
            multiply(1.0, g, self.v.rows(seen.clone()).transposed(), of_block, Before::Replaced);
            for (at, ds) in ds.chunks_exact_mut(seen.len().max(1)).enumerate() {
                softmax_grad(&row(at)[seen.clone()], ds);
            }
            let ds = Matrix::new(ds, rows.len(), seen.len());
            let k = self.k.columns(seen.clone()).transposed();
            if let Some(dq) = &mut self.dq {
                multiply(alpha, ds, k, dq.rows(rows.clone()), Before::Replaced);
            }
            if let Some(dk) = &mut self.dk {
                multiply(alpha, q.transposed(), ds, dk.columns(seen.clone()), Before::Kept);
            }
            if let Some(dv) = &mut self.dv {
                let p = Matrix::new(p, rows.len(), keys).columns(seen.clone()).transposed();
                multiply(1.0, p, g, dv.rows(seen), Before::Kept);
            }
        }
    }
}

wide! {
    /// Puts ds in the place of dp.
    fn softmax_grad(p: &[f32], ds: &mut [f32]) {
        let mean = sum(p, ds, ds, |p, dp, _| p * dp);
        for (ds, p) in ds.iter_mut().zip(p) {
            *ds = p * (*ds - mean);
        }
    }
}
