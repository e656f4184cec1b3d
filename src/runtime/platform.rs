//! The machines for which the library is published.

use super::RuntimeError;

/// A machine for which a library is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// macOS 14 or newer on Apple silicon.
    MacArm64,
    /// Linux with glibc 2.28 or newer on 64-bit ARM.
    LinuxArm64,
    /// Linux with glibc 2.28 or newer on x86-64.
    LinuxX64,
    /// Windows on x86-64.
    WindowsX64,
    /// Windows on 64-bit ARM.
    WindowsArm64,
}

impl Platform {
    /// The name in the cache's folders and in messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MacArm64 => "macos-arm64",
            Self::LinuxArm64 => "linux-aarch64",
            Self::LinuxX64 => "linux-x86_64",
            Self::WindowsX64 => "windows-x86_64",
            Self::WindowsArm64 => "windows-arm64",
        }
    }

    /// The name that uv's `--python-platform` takes.
    #[must_use]
    pub(super) fn uv_name(self) -> &'static str {
        match self {
            Self::MacArm64 => "aarch64-apple-darwin",
            Self::LinuxArm64 => "aarch64-manylinux_2_28",
            Self::LinuxX64 => "x86_64-manylinux_2_28",
            Self::WindowsX64 => "x86_64-pc-windows-msvc",
            Self::WindowsArm64 => "aarch64-pc-windows-msvc",
        }
    }

    /// The machine that this program was built for.
    ///
    /// # Errors
    /// [`RuntimeError::UnsupportedPlatform`] where no library is published.
    pub fn current() -> Result<Self, RuntimeError> {
        let libc = if cfg!(target_env = "musl") { "musl" } else { "" };
        Self::of(std::env::consts::OS, std::env::consts::ARCH, libc)
    }

    fn of(os: &str, arch: &str, libc: &str) -> Result<Self, RuntimeError> {
        let refuse = |reason| {
            let platform = [os, arch, libc].join(" ").trim_end().to_owned();
            Err(RuntimeError::UnsupportedPlatform { platform, reason })
        };
        match (os, arch, libc) {
            (_, _, "musl") => refuse(
                "the published builds need glibc 2.28 or newer; build annotc for a `gnu` target, or build onnxruntime \
                 yourself and name it with `--ort-lib`",
            ),
            ("macos", "x86_64", _) => {
                refuse("its builds for Intel Macs have ended; build onnxruntime yourself and name it with `--ort-lib`")
            }
            ("macos", "aarch64", _) => Ok(Self::MacArm64),
            ("linux", "aarch64", _) => Ok(Self::LinuxArm64),
            ("linux", "x86_64", _) => Ok(Self::LinuxX64),
            ("windows", "x86_64", _) => Ok(Self::WindowsX64),
            ("windows", "aarch64", _) => Ok(Self::WindowsArm64),
            _ => refuse("build onnxruntime yourself and name it with `--ort-lib`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_a_build_is_told_why() {
        let check = |os, arch, libc, word: &str| {
            let message = Platform::of(os, arch, libc).err().map(|error| error.to_string());
            assert!(message.as_deref().is_some_and(|text| text.contains(word)), "{os} {arch}: {message:?}");
        };
        check("macos", "x86_64", "", "Intel");
        check("linux", "x86_64", "musl", "glibc");
        check("freebsd", "x86_64", "", "--ort-lib");
    }
}
