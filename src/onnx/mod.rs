//! ONNX models: load, save, graph, operators, shapes; import for training, surgery and an encoder built from nothing.
//!
//! ```text
//! folder ─load─▶ Graph ─import─▶ Imported { graph, parameters } ─surgery─▶ logits ─autodiff─▶ TrainingGraph
//!                                        └──────── with_values(trained) ─▶ Graph ─save─▶ folder
//! ```

mod attribute;
mod convert;
mod encode;
pub mod encoder;
mod graph;
pub mod import;
mod load;
mod op;
#[allow(missing_docs, clippy::all)]
mod proto;
mod refused;
mod save;
pub mod shapes;
pub mod surgery;
mod tensor;
#[cfg(test)]
pub mod test_session;

pub use attribute::Attribute;
pub use encode::encode;
pub use graph::{Axis, Graph, Node, ValueInfo};
pub use load::{LoadError, decode, load};
pub use op::Op;
use op::is_shape_op;
pub use save::{SaveError, save};
pub use tensor::{ElementType, Tensor};
