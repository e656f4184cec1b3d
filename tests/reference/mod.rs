//! The reference in `docs/language` and the guides: their tables are those of the program, their examples are checked, the
//! tour is walked.

mod completion;
mod examples;
mod fences;
mod links;
mod tables;
mod tour;
