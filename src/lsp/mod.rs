//! The language server: what the compiler knows, for editors, while a file is being written.
//!
//! ```text
//! frames (transport) → order, life (server) → texts (notifications, document)
//!                                           → questions (requests) → analysis → answers, one file per feature
//! ```
//!
//! Nothing here decides what the language is: findings come from `syntax` and `semantic`, meanings from
//! `semantic::index`, the shape of a text that is not whole from `syntax::shape`. It writes to the output that it is
//! given, and the only files that it reads are specifications, what they use, and the first rows of sources.

mod actions;
mod analysis;
mod capabilities;
mod client;
mod complete;
mod document;
mod everywhere;
mod format;
mod hover;
mod navigate;
mod notifications;
mod outline;
mod position;
mod publish;
mod rename;
mod requests;
mod samples;
mod server;
mod tokens;
mod transport;
mod uri;
mod workspace;

pub use server::{Ended, serve};
