//! The arithmetic against double precision. That the operators agree with stock ones is tested where graphs are made of them.

use super::lanes::{exp, sum};

#[test]
fn the_exponential_is_exact_to_two_units_of_the_last_place() {
    for step in -8700..=8800 {
        let x = step as f32 * 0.01 + 0.001_3;
        let expected = f64::from(x).exp();
        let error = (f64::from(exp(x)) - expected).abs() / expected;
        assert!(error < 2.5e-7 || x > 88.0, "e^{x} is {}, off by {error:e}", exp(x));
    }
    assert_eq!((exp(0.0), exp(f32::NEG_INFINITY)), (1.0, 0.0));
    assert!(exp(f32::NAN).is_nan());
}

#[test]
fn a_sum_in_lanes_leaves_nothing_out() {
    for length in 0..70 {
        let numbers: Vec<f32> = (0..length).map(|at| at as f32).collect();
        let expected = (0..length).map(|at| at * at + 2 * at).sum::<usize>() as f32;
        assert_eq!(sum(&numbers, &numbers, &numbers, |a, b, c| a * b + 2.0 * c), expected, "{length}");
    }
}
