//! The one integration binary: real processes over real files.

mod build;
mod cache;
#[cfg(feature = "cloud")]
mod cloud;
#[cfg(feature = "cluster")]
mod cluster;
#[cfg(not(feature = "cluster"))]
mod cluster_absent;
mod comparison;
mod damage;
mod diagnostics;
mod doors;
mod evaluated;
mod faults;
mod fmt;
mod getting_in;
mod interruption;
mod lsp;
mod measures;
mod memory;
mod messages;
mod packs;
mod pairs;
mod plan;
mod provenance;
mod reference;
mod remote;
mod resume;
mod robustness;
mod runtime;
mod scalars;
mod specs;
mod support;
mod tokens;
mod training;
mod unit_tests;
mod uses;
