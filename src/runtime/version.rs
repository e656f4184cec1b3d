//! Versions of the library, read from file names before a file is opened.

use std::fmt;
use std::path::Path;

/// The oldest version whose programming interface the bindings can use.
pub const MINIMUM: Version = Version { major: 1, minor: 24, patch: 0 };

/// `major.minor.patch`; ordered as versions are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Changes when the interface breaks.
    pub major: u32,
    /// Names the interface's revision.
    pub minor: u32,
    /// Mends.
    pub patch: u32,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl Version {
    /// `"1.24.2"`, and `"1.24"` with patch 0; anything else is `None`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let mut number = || parts.next().map(str::parse::<u32>);
        let major = number()?.ok()?;
        let minor = number()?.ok()?;
        let patch = match number() {
            None => 0,
            Some(patch) => patch.ok()?,
        };
        if parts.next().is_some() {
            return None;
        }
        Some(Self { major, minor, patch })
    }
}

/// The version that a library's path tells: in its own name (`libonnxruntime.so.1.24.2`,
/// `libonnxruntime.1.24.2.dylib`), in the name that it links to, or in that of the `dist-info` folder beside the
/// package it lies in (Windows' library carries none).
#[must_use]
pub fn of_library(path: &Path) -> Option<Version> {
    let real = path.canonicalize().ok();
    of_file_name(path)
        .or_else(|| real.as_deref().and_then(of_file_name))
        .or_else(|| of_package(real.as_deref().unwrap_or(path)))
}

/// Whether a file name is that of the library itself, in any version.
#[must_use]
pub fn is_library_name(name: &str) -> bool {
    name == "onnxruntime.dll"
        || name == "libonnxruntime.so"
        || name == "libonnxruntime.dylib"
        || numbered_part(name).is_some_and(|part| Version::parse(part).is_some() || is_major(part))
}

fn is_major(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
}

fn numbered_part(name: &str) -> Option<&str> {
    name.strip_prefix("libonnxruntime.so.").or_else(|| name.strip_prefix("libonnxruntime.")?.strip_suffix(".dylib"))
}

fn of_file_name(path: &Path) -> Option<Version> {
    Version::parse(numbered_part(path.file_name()?.to_str()?)?)
}

/// `site-packages/onnxruntime/capi/onnxruntime.dll` → `site-packages/onnxruntime-1.24.2.dist-info`; also the folder
/// of our cache, `onnxruntime-1.31.1-windows-x86_64`.
fn of_package(path: &Path) -> Option<Version> {
    if let Some(folder) = path.parent().and_then(Path::file_name) {
        let name = folder.to_str().unwrap_or_default();
        if let Some(rest) = name.strip_prefix("onnxruntime-") {
            return Version::parse(rest.split('-').next()?);
        }
    }
    let site = path.parent()?.parent()?.parent()?;
    let mut versions: Vec<Version> = std::fs::read_dir(site)
        .ok()?
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name();
            let rest = name.to_str()?.strip_suffix(".dist-info")?;
            let (package, version) = rest.rsplit_once('-')?;
            matches!(package, "onnxruntime" | "onnxruntime_gpu").then(|| Version::parse(version))?
        })
        .collect();
    versions.sort();
    versions.pop()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_names() {
        let check = |name: &str, expected: Option<&str>| {
            let found = of_library(Path::new(name)).map(|version| version.to_string());
            assert_eq!(found.as_deref(), expected, "{name}");
        };
        check("/x/libonnxruntime.so.1.24.2", Some("1.24.2"));
        check("/x/libonnxruntime.1.31.1.dylib", Some("1.31.1"));
        check("/x/libonnxruntime.so", None);
        check("/c/onnxruntime-1.31.1-windows-x86_64/onnxruntime.dll", Some("1.31.1"));
        check("/x/libonnxruntime.so.1.24.2.3", None);
    }

    #[test]
    fn versions_are_ordered_as_numbers() {
        assert!(Version::parse("1.9.0") < Some(MINIMUM));
        assert!(Version::parse("1.100.0") > Some(MINIMUM));
        assert_eq!(Version::parse("1.24"), Some(MINIMUM));
        assert_eq!(Version::parse("1.24.x"), None);
    }

    #[test]
    fn the_library_is_told_from_its_neighbours() {
        let check = |name: &str, expected: bool| assert_eq!(is_library_name(name), expected, "{name}");
        check("libonnxruntime.so.1.31.1", true);
        check("libonnxruntime.so.1", true);
        check("libonnxruntime.so", true);
        check("onnxruntime.dll", true);
        check("libonnxruntime.1.31.1.dylib", true);
        check("libonnxruntime_providers_shared.so", false);
        check("onnxruntime_pybind11_state.so", false);
        check("libonnxruntime.so.debug", false);
    }
}
