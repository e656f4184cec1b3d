//! Duplicate detection: pure functions over text, no I/O.
