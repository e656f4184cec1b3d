//! The one integration binary: real processes over real files.

mod build;
mod damage;
mod doors;
mod fmt;
mod interruption;
mod messages;
mod reference;
mod support;
mod training;
mod unit_tests;
