//! What sessions compute on, and what NVIDIA's devices need: a driver, and libraries that are loaded before they are asked for.

use std::fmt;
use std::path::{Path, PathBuf};

use super::RuntimeError;

/// What a session computes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Device {
    /// The processor.
    #[default]
    Cpu,
    /// The first of NVIDIA's devices.
    Cuda,
}

impl Device {
    /// The name in specifications and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
        }
    }
}

/// A release of CUDA that builds of the library are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Toolkit {
    /// CUDA 12.
    Cuda12,
    /// CUDA 13.
    Cuda13,
}

/// The first release of the driver for Linux that runs programs made for CUDA 13: NVIDIA's table of minor version compatibility.
const DRIVER_OF_CUDA_13: u32 = 580;
/// The first that runs programs made for CUDA 12.
const DRIVER_OF_CUDA_12: u32 = 525;

impl Toolkit {
    /// All, the newest first.
    pub const ALL: [Self; 2] = [Self::Cuda13, Self::Cuda12];

    /// Its number.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Cuda12 => 12,
            Self::Cuda13 => 13,
        }
    }

    /// The newest that a driver runs; `None` where it is too old for both.
    #[must_use]
    pub fn of_driver(driver: Driver) -> Option<Self> {
        match driver.major {
            DRIVER_OF_CUDA_13.. => Some(Self::Cuda13),
            DRIVER_OF_CUDA_12.. => Some(Self::Cuda12),
            _ => None,
        }
    }
}

/// The release of NVIDIA's driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Driver {
    /// The part that says which CUDA it runs.
    pub major: u32,
    /// The second part.
    pub minor: u32,
}

impl fmt::Display for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.major, self.minor)
    }
}

impl Driver {
    /// The driver that the kernel has loaded; `None` where there is none, or none that tells of itself (Linux alone does).
    #[must_use]
    pub fn of_machine() -> Option<Self> {
        Self::parse(&std::fs::read_to_string("/proc/driver/nvidia/version").ok()?)
    }

    /// `NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  Sun Jul 27 …` → 580.65
    fn parse(text: &str) -> Option<Self> {
        let line = text.lines().find(|line| line.starts_with("NVRM version"))?;
        line.split_whitespace().find_map(|word| {
            let mut parts = word.split('.').map(str::parse::<u32>);
            let (major, minor) = (parts.next()?.ok()?, parts.next()?.ok()?);
            Some(Self { major, minor })
        })
    }
}

/// The library's part that computes on NVIDIA's devices, which it looks for beside itself.
const PROVIDER: &str =
    if cfg!(windows) { "onnxruntime_providers_cuda.dll" } else { "libonnxruntime_providers_cuda.so" };

/// Whether a library can compute on NVIDIA's devices where the rest is there.
#[must_use]
pub(super) fn has_provider(library: &Path) -> bool {
    let real = library.canonicalize().unwrap_or_else(|_| library.to_path_buf());
    [library, &real].iter().any(|path| path.with_file_name(PROVIDER).is_file())
}

/// The libraries that the provider is linked with or opens itself, of both releases of CUDA, each behind those that it needs.
const NEEDED: &[&str] = &[
    "libcudart.so",
    "libnvJitLink.so",
    "libnvrtc.so",
    "libcublasLt.so",
    "libcublas.so",
    "libcurand.so",
    "libcufft.so",
    "libcudnn_graph.so",
    "libcudnn_ops.so",
    "libcudnn_heuristic.so",
    "libcudnn_adv.so",
    "libcudnn_cnn.so",
    "libcudnn_engines_precompiled.so",
    "libcudnn_engines_runtime_compiled.so",
    "libcudnn_engines_tensor_ir.so",
    "libcudnn_ext.so",
    "libcudnn.so",
];

/// Loads what lies in the library's folder or in NVIDIA's packages beside its own, each by itself: what is missing there may still
/// lie where the system looks, and the provider says what it misses.
pub(super) fn preload(library: &Path) {
    for file in needed_by(library) {
        if let Err(error) = ort::util::preload_dylib(&file) {
            tracing::debug!(file = %file.display(), %error, "a library of CUDA could not be loaded");
        }
    }
}

/// The files to load, in order.
fn needed_by(library: &Path) -> Vec<PathBuf> {
    let folders = folders_of(library);
    let found = |name: &&str| folders.iter().find_map(|folder| versioned(folder, name));
    NEEDED.iter().filter_map(found).collect()
}

/// `…/site-packages/onnxruntime/capi/libonnxruntime.so.1.31.1` → `capi`, and every `site-packages/nvidia/*/lib`
fn folders_of(library: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = library.parent().map(Path::to_path_buf).into_iter().collect();
    let packages = library.ancestors().nth(3).map(|site| site.join("nvidia"));
    let mut beside: Vec<PathBuf> = packages
        .and_then(|nvidia| std::fs::read_dir(nvidia).ok())
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("lib"))
        .filter(|folder| folder.is_dir())
        .collect();
    beside.sort();
    folders.append(&mut beside);
    folders
}

/// `libcublas.so` → `libcublas.so.13`, the greatest where there are several.
fn versioned(folder: &Path, name: &str) -> Option<PathBuf> {
    let found = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    found
        .filter(|path| {
            let file = path.file_name().and_then(std::ffi::OsStr::to_str).unwrap_or_default();
            file.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
        .max()
}

/// Why a device cannot be used, in words for a person.
pub(super) fn refuse(message: impl fmt::Display) -> RuntimeError {
    let message = message.to_string();
    let way_out = match Driver::of_machine() {
        None => "no NVIDIA driver is loaded on this machine".to_owned(),
        Some(driver) if Toolkit::of_driver(driver).is_none() => {
            format!("the driver is {driver}, and CUDA 12 needs {DRIVER_OF_CUDA_12} or newer")
        }
        Some(driver) => {
            format!("the driver is {driver}; `annotc runtime install --cuda` fetches the libraries that fit it")
        }
    };
    RuntimeError::Device { message: reason(&message).to_owned(), way_out }
}

/// `onnxruntime cannot take the model: …/provider.cc:204 … [ONNXRuntimeError] : 1 : FAIL : Failed to load …` → `Failed to load …`:
/// before it stand places in the source of its makers.
fn reason(message: &str) -> &str {
    let line = message.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    line.rsplit_once("FAIL : ").map_or(line, |(_, reason)| reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_says_which_cuda_it_runs() {
        let check = |version: &str, expected: Option<u8>| {
            let text = format!(
                "NVRM version: NVIDIA UNIX x86_64 Kernel Module  {version}  Sun Jul 27 07:12:39 UTC 2025\nGCC version:  gcc 13.3.0"
            );
            let driver = Driver::parse(&text).expect("a version");
            assert_eq!(Toolkit::of_driver(driver).map(Toolkit::number), expected, "{version}");
        };
        check("580.65.06", Some(13));
        check("610.10", Some(13));
        check("570.124.06", Some(12));
        check("525.60.13", Some(12));
        check("470.256.02", None);
        assert_eq!(Driver::parse("no driver here 1.2"), None);
    }

    #[test]
    fn libraries_are_loaded_behind_those_that_they_need() {
        let root = tempfile::tempdir().expect("a folder");
        let site = root.path().join("site-packages");
        let library = site.join("onnxruntime/capi/libonnxruntime.so.1.31.1");
        for file in [
            "nvidia/cudnn/lib/libcudnn.so.9",
            "nvidia/cudnn/lib/libcudnn_ops.so.9",
            "nvidia/cu13/lib/libcublas.so.13",
            "nvidia/cu13/lib/libcublasLt.so.13",
            "nvidia/cu13/lib/libcudart.so.13",
            "onnxruntime/capi/libonnxruntime.so.1.31.1",
        ] {
            let path = site.join(file);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, b"").expect("a file");
        }
        assert!(!has_provider(&library));
        std::fs::write(library.with_file_name(PROVIDER), b"").expect("a file");
        assert!(has_provider(&library));
        let names: Vec<String> = needed_by(&library)
            .iter()
            .map(|path| path.file_name().expect("a name").to_string_lossy().into_owned())
            .collect();
        let expected =
            ["libcudart.so.13", "libcublasLt.so.13", "libcublas.so.13", "libcudnn_ops.so.9", "libcudnn.so.9"];
        assert_eq!(names, expected);
    }
}
