//! Lowering of the resolved program to a data plan, one file per construct.
pub mod functions;
