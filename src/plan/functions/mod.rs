//! The scalar functions of the language: one per file, and their table.
