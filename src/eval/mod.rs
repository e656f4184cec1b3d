//! Metrics (pure functions) and the evaluation report.
