//! The one integration binary: real processes over real files.

mod build;
mod damage;
mod diagnostics;
mod doors;
mod fmt;
mod getting_in;
mod interruption;
mod lsp;
mod messages;
mod plan;
mod reference;
mod remote;
mod robustness;
mod specs;
mod support;
mod training;
mod unit_tests;
mod uses;
