//! The only door to ort: finding or fetching the library, sessions, binding.
