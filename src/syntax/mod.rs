//! The only door to pest: text to syntax tree.

pub mod ast;
