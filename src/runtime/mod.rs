//! The only door to ort: finding or fetching the library, sessions, binding.
//!
//! ```text
//! Options → locate → fetch (when nothing was found) → Runtime::load → Session | BoundSession
//! ```
//!
//! The library is loaded at run time, so building a data set never needs it, and any version from
//! [`version::MINIMUM`] on will do.

mod bound;
mod device;
mod doctor;
mod error;
mod fetch;
mod held;
mod library;
mod locate;
mod machine;
mod operators;
mod platform;
mod published;
mod python;
mod session;
#[cfg(test)]
pub(crate) mod testing;
pub mod version;

pub use bound::{BoundSession, GradientOutput, Parameter};
pub use device::{Device, Driver, Toolkit};
pub use doctor::{Check, Health, doctor};
pub use error::RuntimeError;
pub use fetch::{FetchProgress, fetch, installed};
pub use held::{HeldSession, HeldTensor};
pub use library::Runtime;
pub use locate::{Found, Options, Outcome, Place, PlaceKind, Report, find, locate};
pub use machine::{memory_in_use, memory_of_machine};
pub use platform::Platform;
pub use published::{Build, PINNED_VERSION, Variant, Wheel};
pub use session::{Element, InputTensor, InputValues, OutputTensor, OutputValues, Port, Session};

/// The library that [`find`] chose or that was fetched, loaded into this process.
///
/// `progress` hears of a download, if one is needed. The first successful call decides for the whole process.
///
/// # Errors
/// Whatever keeps the library from being found, fetched or opened.
pub fn open(options: &Options, progress: &mut dyn FnMut(FetchProgress)) -> Result<Runtime, RuntimeError> {
    let found = match find(options)? {
        Some(found) => found,
        None => fetch(options, Variant::Cpu, progress)?,
    };
    Runtime::load(&found)
}
