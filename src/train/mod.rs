//! The training loop, optimizer, data loader and checkpoints.
