//! Diagnostics and the one table of codes; the only door to miette.
