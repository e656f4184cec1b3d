//! Source texts, spans and their line and column positions.
