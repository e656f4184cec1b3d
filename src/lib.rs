//! annotc compiles a declarative data-set language.
//!
//! Two pipelines meet only in the resolved program and in the files they write:
//!
//! ```text
//! text → syntax::ast::File → hir::Program → plan (DataFusion) → RecordBatch stream → files + manifest + audit
//! .onnx → onnx::Graph → autodiff::TrainingGraph → train (onnxruntime) → weights → eval → figures
//! ```

pub mod autodiff;
pub mod cli;
pub mod dedup;
pub mod diagnostics;
pub mod diff;
pub mod emit;
pub mod engine;
pub mod eval;
pub mod hir;
pub mod infer;
pub mod label;
pub mod lsp;
pub mod onnx;
pub mod pii;
pub mod plan;
pub mod prompt;
pub mod remote;
pub mod runtime;
pub mod sample;
pub mod semantic;
pub mod shown;
pub mod source;
pub mod statistics;
pub mod syntax;
pub mod train;
