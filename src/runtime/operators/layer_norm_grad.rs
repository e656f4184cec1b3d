//! `LayerNormGrad(g, x, mean, r, w)`: the gradients of x̂·w + b over the last axis, x̂ = (x − mean)·r, by x, w and b. With ĝ = g·w:
//! dx = r·(ĝ − mean(ĝ) − x̂·mean(ĝ·x̂)), dw = Σ g·x̂, db = Σ g. Mean and r are those that the forward node returned.

use super::lanes::{sum, wide};
use super::{Call, FLOAT, Like, Ours, last, rows_of_piece, same_length};

pub(super) const OPERATOR: Ours = Ours {
    name: "LayerNormGrad",
    inputs: &[FLOAT, FLOAT, FLOAT, FLOAT, FLOAT],
    outputs: &[Like::Input(1), Like::Input(4), Like::Input(4)],
    required: 1,
    compute,
};

/// Some rows, and the parts of the weights' gradients that come from them.
struct Piece<'a> {
    rows: Rows<'a>,
    dx: &'a mut [f32],
    dw: Vec<f32>,
    db: Vec<f32>,
}

/// Rows of the operands; without means the input was not centred.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) g: &'a [f32],
    pub(super) x: &'a [f32],
    pub(super) means: Option<&'a [f32]>,
    pub(super) inverses: &'a [f32],
}

fn compute(call: &Call<'_>) -> ort::Result<()> {
    let (g, x, means) = (call.input(0)?, call.input(1)?, call.input(2)?);
    let (inverses, weight) = (call.input(3)?, call.input(4)?);
    let (g, x) = (g.try_extract_tensor::<f32>()?, x.try_extract_tensor::<f32>()?);
    let (means, inverses) = (means.try_extract_tensor::<f32>()?, inverses.try_extract_tensor::<f32>()?);
    let weight = weight.try_extract_tensor::<f32>()?;
    let rows = Rows { g: g.1, x: x.1, means: Some(means.1), inverses: inverses.1 };
    norm_grad(call, rows, x.0, weight.1)
}

/// The gradients of a normalization of the last axis; the second and third output where the node has them.
pub(super) fn norm_grad(call: &Call<'_>, rows: Rows<'_>, shape: &ort::value::Shape, weight: &[f32]) -> ort::Result<()> {
    same_length(rows.g, rows.x)?;
    let row = last(shape)?.max(1);
    let count = rows.x.len() / row;
    let statistics = rows.means.is_none_or(|means| means.len() == count) && rows.inverses.len() == count;
    if weight.len() != row || !statistics {
        return Err(ort::Error::new("its operands do not fit together"));
    }
    let mut dx = call.context.output(0, shape.clone())?.expect("the first output is required");
    let (_, dx) = dx.try_extract_tensor_mut::<f32>()?;
    let mut vectors = [call.context.output(1, [row])?, call.context.output(2, [row])?];
    let [has_dw, has_db] = [vectors[0].is_some(), vectors[1].is_some()];
    let together = rows_of_piece(row);
    let piece = |(at, dx)| {
        let (start, end) = (at * together, count.min((at + 1) * together));
        let rows = Rows {
            g: &rows.g[start * row..end * row],
            x: &rows.x[start * row..end * row],
            means: rows.means.map(|means| &means[start..end]),
            inverses: &rows.inverses[start..end],
        };
        let zeros = |wanted| if wanted { vec![0.0; row] } else { Vec::new() };
        Piece { rows, dx, dw: zeros(has_dw), db: zeros(has_db) }
    };
    let pieces = dx.chunks_mut(together * row).enumerate().map(piece).collect();
    let done = call.in_pieces(pieces, |Piece { rows, dx, dw, db }| rows_grad(*rows, weight, dx, dw, db))?;
    for (at, vector) in vectors.iter_mut().enumerate() {
        let Some(vector) = vector else { continue };
        let (_, vector) = vector.try_extract_tensor_mut::<f32>()?;
        vector.fill(0.0);
        for piece in &done {
            let part = [&piece.dw, &piece.db][at];
            vector.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
    }
    Ok(())
}

wide! {
    fn rows_grad(rows: Rows<'_>, weight: &[f32], dx: &mut [f32], dw: &mut [f32], db: &mut [f32]) {
        let row = weight.len();
        let share = 1.0 / row as f32;
        let operands = rows.g.chunks_exact(row).zip(rows.x.chunks_exact(row)).zip(dx.chunks_exact_mut(row));
        for (at, (((g, x), dx), inverse)) in operands.zip(rows.inverses).enumerate() {
            let (mean, inverse) = (rows.means.map_or(0.0, |means| means[at]), *inverse);
            let along = share * sum(g, x, weight, |g, x, weight| g * weight * ((x - mean) * inverse));
            let level = match rows.means {
                Some(_) => share * sum(g, weight, weight, |g, weight, _| g * weight),
                None => 0.0,
            };
            for (((dx, g), x), weight) in dx.iter_mut().zip(g).zip(x).zip(weight) {
                *dx = inverse * (g * weight - level - (x - mean) * inverse * along);
            }
            for ((dw, g), x) in dw.iter_mut().zip(g).zip(x) {
                *dw += g * ((x - mean) * inverse);
            }
            for (db, g) in db.iter_mut().zip(g) {
                *db += g;
            }
        }
    }
}
