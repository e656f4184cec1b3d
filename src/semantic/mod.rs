//! From the syntax tree to the resolved program: names, types, proofs.
