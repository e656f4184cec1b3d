//! The library in this process: opened once, for all sessions.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;
use ort::logging::LogLevel;

use super::device::{self, Device};
use super::session::probe;
use super::version::{self, MINIMUM};
use super::{Found, RuntimeError};

/// A process can open one library; ort keeps it for good, and so is this.
static LOADED: Mutex<Option<Runtime>> = Mutex::new(None);

/// The opened library. Clones share it.
#[derive(Debug, Clone)]
pub struct Runtime {
    pub(super) environment: Environment,
    pub(super) device: Device,
    path: PathBuf,
    version: String,
}

impl Runtime {
    /// Opens the library, or returns it when this process has opened the same one before.
    ///
    /// # Errors
    /// The version in its name is too old, it does not open, or another one is in use.
    pub fn load(found: &Found) -> Result<Self, RuntimeError> {
        let path = found.path.canonicalize().map_err(RuntimeError::io(&found.path))?;
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = loaded.as_ref() {
            if runtime.path == path {
                return Ok(runtime.clone());
            }
            return Err(RuntimeError::LoadedAnother { loaded: runtime.path.clone(), asked: path });
        }
        if let Some(version) = found.version.filter(|version| *version < MINIMUM) {
            return Err(RuntimeError::GivenTooOld { origin: found.place.name(), path, found: version });
        }
        let failed = |message: String| RuntimeError::Load { path: path.clone(), message };
        if device::has_provider(&path) {
            device::preload(&path);
        }
        let environment = ort::init_from(&path)
            .map_err(|error| failed(error.to_string()))?
            .with_name("annotc")
            .with_telemetry(false)
            .build()
            .map_err(|error| failed(error.to_string()))?;
        environment.set_log_level(LogLevel::Warning);
        let version = version::of_library(&path)
            .or(found.version)
            .map_or_else(|| "unknown".to_owned(), |version| version.to_string());
        let runtime = Self { environment, device: Device::Cpu, path, version };
        // The first session makes our operators' domain known to the library, which cannot take it from two sessions at once.
        probe(&runtime)?;
        *loaded = Some(runtime.clone());
        Ok(runtime)
    }

    /// The library's file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The library that this process has opened, if it has.
    #[must_use]
    pub fn loaded() -> Option<Self> {
        LOADED.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The same library, whose sessions compute on a device.
    ///
    /// # Errors
    /// [`RuntimeError::Device`] where a session cannot be made there, with what is known of the machine.
    pub fn on(&self, device: Device) -> Result<Self, RuntimeError> {
        let runtime = Self { device, ..self.clone() };
        match device {
            Device::Cpu => Ok(runtime),
            Device::Cuda if !device::has_provider(&self.path) => Err(RuntimeError::NoCuda),
            Device::Cuda => probe(&runtime).map_err(device::refuse).map(|()| runtime),
        }
    }

    /// What its sessions compute on.
    #[must_use]
    pub fn device(&self) -> Device {
        self.device
    }

    /// Whether graphs may have operators of ours: they run on the processor alone, and not on every one.
    #[must_use]
    pub fn has_operators(&self) -> bool {
        self.device == Device::Cpu && super::operators::are_supported()
    }

    /// The version in the library's name, `unknown` where it carries none.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Its version and what it computes on, where that is not the processor: what figures and weights depend on.
    #[must_use]
    pub fn described(&self) -> String {
        match self.device {
            Device::Cpu => self.version.clone(),
            Device::Cuda => format!("{} on {}", self.version, self.device.name()),
        }
    }

    /// What the library tells of its own build: branch, commit, compiler flags.
    #[must_use]
    pub fn build_info(&self) -> &'static str {
        ort::info()
    }
}
