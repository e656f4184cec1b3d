//! The commands by which people get in: `new`, `infer`, `preview`, `diff`.

mod begin;
mod differ;
mod guide;
mod infer;
mod look;
