//! Where a plan runs: readers, quarantine, the two passes.
