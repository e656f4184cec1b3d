//! What can keep the runtime library from working.

use std::path::PathBuf;

use super::version::{MINIMUM, Version};

/// A failure of the machine, the network or the library; none is an author's mistake.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The path that was given by option or environment holds no library.
    #[error("{origin} names `{}`, where there is no onnxruntime library", path.display())]
    GivenAbsent {
        /// The option or the variable that named the path.
        origin: &'static str,
        /// The path as it was given.
        path: PathBuf,
    },
    /// The given library is older than what the bindings need.
    #[error("{origin} names onnxruntime {found} (`{}`), and {MINIMUM} or newer is needed", path.display())]
    GivenTooOld {
        /// The option or the variable that named the path.
        origin: &'static str,
        /// The library's path.
        path: PathBuf,
        /// The version in its name.
        found: Version,
    },
    /// The given library computes on the processor alone.
    #[error("{origin} names an onnxruntime without CUDA (`{}`)", path.display())]
    GivenWithoutCuda {
        /// The option or the variable that named the path.
        origin: &'static str,
        /// The library's path.
        path: PathBuf,
    },
    /// No build of the library is published for this machine.
    #[error("no onnxruntime library is published for {platform}: {reason}")]
    UnsupportedPlatform {
        /// Operating system, architecture and C library.
        platform: String,
        /// Why, and what can be done.
        reason: &'static str,
    },
    /// Neither pip nor uv could be started.
    #[error(
        "the onnxruntime library is not on this machine, and neither `python3 -m pip` nor `uv` is there to fetch it; \
         install one of them, or name a library with `--ort-lib` or `ORT_DYLIB_PATH`"
    )]
    NoClient,
    /// The package client ran and failed.
    #[error("`{client}` could not fetch {package} {version}: {message}")]
    Client {
        /// The command that failed.
        client: String,
        /// The package.
        package: &'static str,
        /// The pinned version.
        version: &'static str,
        /// The last lines it wrote.
        message: String,
    },
    /// What was fetched is not what was pinned. Nothing was installed.
    #[error(
        "the fetched `{name}` is damaged or is another file: its SHA-256 is {found}, expected {expected}; nothing was installed"
    )]
    Damaged {
        /// The wheel, or the library inside it.
        name: String,
        /// The pinned sum.
        expected: String,
        /// The sum of what came.
        found: String,
    },
    /// The wheel cannot be unpacked. Nothing was installed.
    #[error("`{name}` cannot be unpacked: {message}; nothing was installed")]
    Wheel {
        /// The wheel's file name.
        name: String,
        /// What the archive reader said.
        message: String,
    },
    /// Another library is in use already: a process loads one.
    #[error("this process has loaded `{}` already and cannot load `{}` too", loaded.display(), asked.display())]
    LoadedAnother {
        /// The library in use.
        loaded: PathBuf,
        /// The one that was asked for.
        asked: PathBuf,
    },
    /// The library is there and does not open.
    #[error("`{}` cannot be loaded: {message}", path.display())]
    Load {
        /// The library's path.
        path: PathBuf,
        /// What the loader said.
        message: String,
    },
    /// The device cannot be used.
    #[error("CUDA cannot be used: {way_out} ({message})")]
    Device {
        /// What the library said.
        message: String,
        /// What is known of the machine.
        way_out: String,
    },
    /// No library was found that computes on the device.
    #[error("no onnxruntime library with CUDA was found; `annotc runtime install --cuda` fetches one")]
    NoCuda,
    /// The library refused the model.
    #[error("onnxruntime cannot take the model: {0}")]
    Model(String),
    /// The model is of newer operators than the library.
    #[error(
        "the model is of opset {opset} of `{domain}`, and this onnxruntime knows those up to {known}; export the model with \
         opset {known} or an earlier one, or name a newer library with `--ort-lib`"
    )]
    NewerOpset {
        /// The opset of the model.
        opset: u32,
        /// The operators' domain.
        domain: String,
        /// The newest opset that the library knows.
        known: u32,
    },
    /// A run failed.
    #[error("onnxruntime failed in a run: {0}")]
    Run(String),
    /// An input or output has another type or shape than was asked for.
    #[error("the model's `{name}` is {found}, expected {expected}")]
    Tensor {
        /// The input's or output's name.
        name: String,
        /// What it is.
        found: String,
        /// What was expected.
        expected: String,
    },
    /// A file could not be read or written.
    #[error("`{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
}

impl RuntimeError {
    pub(super) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}
