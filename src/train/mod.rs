//! The training loop, optimizer, data loader and checkpoints.

mod chat;
mod error;
mod optimizer;
mod order;
mod schedule;
mod table;
mod tokenizer;
mod wordpiece;

pub use error::TrainError;
