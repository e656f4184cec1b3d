//! The one integration binary: real processes over real files.

mod build;
mod damage;
mod doors;
mod getting_in;
mod interruption;
mod messages;
mod support;
mod training;
