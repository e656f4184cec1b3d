//! `RmsNormGrad(g, x, r, w)`: the gradients of x·r·w over the last axis by x and w, as `layer_norm_grad` has them where nothing was
//! centred.

use super::layer_norm_grad::{Rows, norm_grad};
use super::{Call, FLOAT, Like, Ours};

pub(super) const OPERATOR: Ours = Ours {
    name: "RmsNormGrad",
    inputs: &[FLOAT, FLOAT, FLOAT, FLOAT],
    outputs: &[Like::Input(1), Like::Input(3)],
    required: 1,
    compute,
};

fn compute(call: &Call<'_>) -> ort::Result<()> {
    let (g, x) = (call.input(0)?, call.input(1)?);
    let (inverses, weight) = (call.input(2)?, call.input(3)?);
    let (g, x) = (g.try_extract_tensor::<f32>()?, x.try_extract_tensor::<f32>()?);
    let (inverses, weight) = (inverses.try_extract_tensor::<f32>()?, weight.try_extract_tensor::<f32>()?);
    norm_grad(call, Rows { g: g.1, x: x.1, means: None, inverses: inverses.1 }, x.0, weight.1)
}
