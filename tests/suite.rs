//! The one integration binary: real processes over real files.

mod build;
mod damage;
mod diagnostics;
mod doors;
mod interruption;
mod messages;
mod specs;
mod support;
mod training;
