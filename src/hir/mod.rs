//! The resolved program: ids, types, typed expressions.
