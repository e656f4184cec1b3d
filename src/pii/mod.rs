//! Detectors of personal data: a table, one detector per file.
