//! Lowering of the resolved program to a data plan, one file per construct.
//!
//! A data set's steps become a chain of projections over its table. A rule filters nothing: it adds a verdict column, and
//! what becomes of a record is decided from these columns in order of location. Columns are named by position, `c0`,
//! `c1` …, so that no name of a spec can meet one of ours.

mod chain;
pub mod cleaning;
pub mod compliance;
pub mod dataset;
mod expr;
pub mod functions;
pub mod labels;
pub mod normal;
pub mod outline;
pub mod packs;
pub mod personal;
mod prepared;
pub mod scalar;
pub mod split;
pub mod stage;
mod templates;
mod together;
pub mod types;

pub use chain::Chain;
pub use dataset::{before_pass, changed_columns, first_pass, near_pass, raw_pass, second_pass, step_pass, test_pass};
pub use expr::scalar_value as constant;
pub use prepared::{Cuts, Evaluation, Prepared};
pub use scalar::registry;
pub use templates::template_fields;

/// The plan's name of the column at this position of `hir::Dataset::columns`.
pub fn column_name(position: usize) -> String {
    format!("c{position}")
}
