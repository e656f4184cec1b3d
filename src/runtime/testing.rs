//! The library for tests: found, or fetched once for all of them.

use std::io::Write;
use std::sync::OnceLock;

use super::{Options, Runtime, open};

/// The library; `None`, with a word on standard error, where this machine has none and cannot fetch it. A machine that says
/// `ANNOTC_REQUIRE_SHARED=1` must have it.
pub(crate) fn library() -> Option<&'static Runtime> {
    static LIBRARY: OnceLock<Result<Runtime, String>> = OnceLock::new();
    let opened = LIBRARY.get_or_init(|| {
        let cache = std::env::var_os("ANNOTC_CACHE").map(Into::into);
        let cache = cache.unwrap_or_else(|| dirs::cache_dir().unwrap_or_else(std::env::temp_dir).join("annotc"));
        open(&Options::from_environment(None, cache), &mut |_| {}).map_err(|error| error.to_string())
    });
    match opened {
        Ok(library) => Some(library),
        Err(error) => {
            let required = std::env::var_os("ANNOTC_REQUIRE_SHARED").is_some_and(|value| value == "1");
            assert!(!required, "no onnxruntime library: {error}");
            writeln!(std::io::stderr(), "skipped: no onnxruntime library: {error}").expect("standard error is open");
            None
        }
    }
}
