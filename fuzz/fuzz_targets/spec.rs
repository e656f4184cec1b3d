//! Any bytes as a specification: the same function that the tests call.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/robustness/survive.rs"]
mod survive;

fuzz_target!(|bytes: &[u8]| survive::survive(bytes));
