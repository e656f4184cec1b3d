//! Arithmetic that the compiler turns into the vector instructions of the processor at hand.
//!
//! Sums are taken in sixteen lanes side by side, in an order that depends on the data alone. No product and sum are contracted, so
//! that the results are the same with narrow and with wide registers.

/// Defines functions that are compiled twice, for any processor and for those with AVX2, which are asked for when they are called.
macro_rules! wide {
    ($($(#[$meta:meta])* $visibility:vis fn $name:ident($($arg:ident: $kind:ty),* $(,)?) $(-> $result:ty)? $body:block)*) => {$(
        $(#[$meta])*
        $visibility fn $name($($arg: $kind),*) $(-> $result)? {
            #[inline(always)]
            fn narrow($($arg: $kind),*) $(-> $result)? $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                fn wide($($arg: $kind),*) $(-> $result)? {
                    narrow($($arg),*)
                }
                if std::is_x86_feature_detected!("avx2") {
                    // Code for AVX2 may be called where the processor says that it has it.
                    #[allow(unsafe_code)]
                    return unsafe { wide($($arg),*) };
                }
            }
            narrow($($arg),*)
        }
    )*};
}
pub(super) use wide;

/// How many sums are taken side by side.
pub(super) const LANES: usize = 16;

/// 1.5·2²³: a number of magnitude below 2²² that is added to it loses its fraction, and its integer stands in the lowest bits.
const ROUND: f32 = 12_582_912.0;

/// eˣ to one or two units of the last place: x = n·ln 2 + r, e^x = 2ⁿ·eʳ, eʳ by the polynomial of Cephes' `expf`. Below −87 it is
/// 0, as no normal number is much smaller; above 88 it is e⁸⁸; what is no number stays none.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let vanishes = x < -87.0;
    let x = if x > 88.0 { 88.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * LN_2_HIGH - n * LN_2_LOW;
    let mut p = 1.987_569_1e-4;
    p = p * r + 1.398_199_9e-3;
    p = p * r + 8.333_452e-3;
    p = p * r + 4.166_579_6e-2;
    p = p * r + 1.666_666_5e-1;
    p = p * r + 5.000_000_1e-1;
    let p = p * (r * r) + r + 1.0;
    let y = f32::from_bits(p.to_bits().wrapping_add(shifted.to_bits() << 23));
    if vanishes { 0.0 } else { y }
}

/// The sum over three rows of one length of what `term` makes of their elements at each place, in lanes.
#[inline(always)]
pub(super) fn sum(a: &[f32], b: &[f32], c: &[f32], term: impl Fn(f32, f32, f32) -> f32) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let ((a, rest_of_a), (b, rest_of_b), (c, rest_of_c)) =
        (a.as_chunks::<LANES>(), b.as_chunks::<LANES>(), c.as_chunks::<LANES>());
    for ((a, b), c) in a.iter().zip(b).zip(c) {
        for lane in 0..LANES {
            lanes[lane] += term(a[lane], b[lane], c[lane]);
        }
    }
    let rest: f32 = rest_of_a.iter().zip(rest_of_b).zip(rest_of_c).map(|((a, b), c)| term(*a, *b, *c)).sum();
    total(lanes) + rest
}

/// The sum of the lanes, pair by pair.
#[inline(always)]
pub(super) fn total(mut lanes: [f32; LANES]) -> f32 {
    let mut count = LANES;
    while count > 1 {
        count /= 2;
        for lane in 0..count {
            lanes[lane] += lanes[lane + count];
        }
    }
    lanes[0]
}

/// The largest number of a row; −∞ of none.
#[inline(always)]
pub(super) fn largest(x: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (chunks, rest) = x.as_chunks::<LANES>();
    for chunk in chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane = if *x > *lane { *x } else { *lane };
        }
    }
    lanes.iter().chain(rest).fold(f32::NEG_INFINITY, |most, x| if *x > most { *x } else { most })
}

/// Writes e^(x − peak) and gives the sum.
#[inline(always)]
pub(super) fn exponentials(x: &[f32], peak: f32, out: &mut [f32]) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let (chunks, rest) = x.as_chunks::<LANES>();
    let (places, rest_of_places) = out.as_chunks_mut::<LANES>();
    for (chunk, place) in chunks.iter().zip(places) {
        for ((lane, x), place) in lanes.iter_mut().zip(chunk).zip(place) {
            *place = exp(x - peak);
            *lane += *place;
        }
    }
    let mut sum = total(lanes);
    for (x, place) in rest.iter().zip(rest_of_places) {
        *place = exp(x - peak);
        sum += *place;
    }
    sum
}
