//! What is measured of records: how long texts are, how numbers lie, which values occur. Every figure is a count in a bin
//! that is fixed beforehand, so that measures of pieces merge to exactly the measures of the whole, in whatever pieces and
//! order the records came, and take the same memory for ten records as for ten billion. Pure.

mod histogram;
mod measure;
mod numbers;
mod values;

pub use histogram::Histogram;
pub use measure::{Measure, Measured};
pub use numbers::Numbers;
pub use values::Values;
