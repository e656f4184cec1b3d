//! `SiluGrad(g, x)`: the gradient of x·σ(αx), g·σ·(1 + αx·(1 − σ)) with σ = σ(αx). The attribute `alpha` is 1 unless it is said.

use super::lanes::{exp, wide};
use super::{FLOAT, Like, Ours};

pub(super) const OPERATOR: Ours = Ours {
    name: "SiluGrad",
    inputs: &[FLOAT, FLOAT],
    outputs: &[Like::Input(0)],
    required: 1,
    compute: |call| {
        let alpha = call.alpha;
        call.elementwise(|g, x, dx| silu_grad(alpha, g, x, dx))
    },
};

wide! {
    fn silu_grad(alpha: f32, g: &[f32], x: &[f32], dx: &mut [f32]) {
        for ((dx, g), x) in dx.iter_mut().zip(g).zip(x) {
            let scaled = alpha * x;
            let sigmoid = 1.0 / (1.0 + exp(-scaled));
            *dx = g * sigmoid * (1.0 + scaled * (1.0 - sigmoid));
        }
    }
}
