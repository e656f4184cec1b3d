//! The one integration binary: real processes over real files.

mod build;
#[cfg(feature = "cluster")]
mod cluster;
mod damage;
mod diagnostics;
mod doors;
mod fmt;
mod getting_in;
mod interruption;
mod lsp;
mod messages;
mod packs;
mod plan;
mod reference;
mod robustness;
mod specs;
mod support;
mod training;
mod unit_tests;
mod uses;
