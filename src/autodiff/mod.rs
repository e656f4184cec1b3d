//! Reverse-mode differentiation of an ONNX graph: `differentiate(&Graph, loss, &params) -> TrainingGraph`.
//!
//! One walk back from the loss over a table of rules (`rules/`, one operator family per file). The result is again an
//! ONNX graph: trainable tensors are inputs, the loss and the gradients are outputs. It is made of stock operators or, where
//! that is asked for, of some that the runtime room has for the CPU.

mod builder;
mod differentiate;
mod dropout;
pub mod flat;
mod flow;
mod fuse;
pub mod loss;
mod mixed;
mod names;
mod picked;
mod recompute;
mod rows;
mod rules;

#[cfg(test)]
mod adapters;
#[cfg(test)]
mod oracles;

pub use builder::Operators;
pub use differentiate::{DifferentiateError, Trainable, TrainingGraph, differentiate, differentiate_beside, reaching};
pub use mixed::{Half, Products, mix_precision};
pub use recompute::recompute;
pub use rows::GradientRows;
