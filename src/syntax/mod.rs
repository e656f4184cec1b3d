//! The only door to pest: text to syntax tree.
