//! Arguments in, exit status out.

use std::process::ExitCode;

/// Batches are made on one thread and freed on another, in sizes that grow: the C library's allocator holds on to what they
/// leave, so that memory would grow with the input although nothing of it is kept.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    annotc::cli::run(std::env::args_os())
}
