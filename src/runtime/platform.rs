//! The pinned builds of the library: one row for each machine that has one.

use super::RuntimeError;

/// The version that is fetched where none is found.
pub const PINNED_VERSION: &str = "1.31.1";

/// One published wheel and the library inside it, with their sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wheel {
    /// The machine it is for.
    pub platform: Platform,
    /// The wheel's platform tag, as pip's `--platform` takes it.
    pub tag: &'static str,
    /// The platform as uv's `--python-platform` takes it.
    pub uv_platform: &'static str,
    /// The wheel's size in bytes.
    pub bytes: u64,
    /// The wheel's SHA-256 in hexadecimal.
    pub sha256: &'static str,
    /// The library's file name, in `onnxruntime/capi/`.
    pub dylib: &'static str,
    /// The library's size in bytes.
    pub library_bytes: u64,
    /// The library's SHA-256 in hexadecimal.
    pub dylib_sha256: &'static str,
}

impl Wheel {
    /// The wheel's file name.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("onnxruntime-{PINNED_VERSION}-cp312-cp312-{}.whl", self.tag)
    }

    /// The folder of the cache that holds it unpacked.
    #[must_use]
    pub fn folder_name(&self) -> String {
        format!("onnxruntime-{PINNED_VERSION}-{}", self.platform.name())
    }
}

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

    /// The pinned build for this machine.
    #[must_use]
    pub fn wheel(self) -> &'static Wheel {
        WHEELS.iter().find(|wheel| wheel.platform == self).expect("every platform has a row in the table of wheels")
    }
}

/// The pinned builds.
pub const WHEELS: &[Wheel] = &[
    Wheel {
        platform: Platform::MacArm64,
        tag: "macosx_14_0_arm64",
        uv_platform: "aarch64-apple-darwin",
        bytes: 20_882_125,
        sha256: "96dd2564b10ea7153ad9c207e7cd8e5917cb3ba521e0e0a62ac03486fdc8d56c",
        dylib: "libonnxruntime.1.31.1.dylib",
        library_bytes: 33_037_336,
        dylib_sha256: "d586cbe89effc085a09d3341b3cfbd5c322517f9d397aeb20814af21433f2b36",
    },
    Wheel {
        platform: Platform::LinuxArm64,
        tag: "manylinux_2_28_aarch64",
        uv_platform: "aarch64-manylinux_2_28",
        bytes: 21_420_803,
        sha256: "0b9a492176886992e0e875f06bc0367e333f5fff11711a2d642e18b02f3009cc",
        dylib: "libonnxruntime.so.1.31.1",
        library_bytes: 25_265_040,
        dylib_sha256: "8aa3b76b28c778a2b1dd660d34161adb1d508c9ccd04ff9dc80e26eca5df8467",
    },
    Wheel {
        platform: Platform::LinuxX64,
        tag: "manylinux_2_28_x86_64",
        uv_platform: "x86_64-manylinux_2_28",
        bytes: 23_760_988,
        sha256: "1f3dea47f2f0e5117c2404cea7d21fd253ae7836a3bf167a501cdfbb2600d536",
        dylib: "libonnxruntime.so.1.31.1",
        library_bytes: 29_352_200,
        dylib_sha256: "fc44112fbe06d7d689c57e11d3862031f64711007e4ee020f8eed5185fd2c1d3",
    },
    Wheel {
        platform: Platform::WindowsX64,
        tag: "win_amd64",
        uv_platform: "x86_64-pc-windows-msvc",
        bytes: 14_888_466,
        sha256: "ae8a9a351efda685cc59a66226cdefaa37a126c1d66872ca23a2de9425326130",
        dylib: "onnxruntime.dll",
        library_bytes: 19_288_376,
        dylib_sha256: "e45f61e50d8650885452be538a00bb14a715e46a1bc3691000ce947e89ed0306",
    },
    Wheel {
        platform: Platform::WindowsArm64,
        tag: "win_arm64",
        uv_platform: "aarch64-pc-windows-msvc",
        bytes: 14_740_724,
        sha256: "fe8b9ac1ae8e894e12c47ee82e4f6dfc1835768133687257866469fda80d0bf1",
        dylib: "onnxruntime.dll",
        library_bytes: 19_171_640,
        dylib_sha256: "dc9e2fe646a72829386a24ac9185a7a4e26d7dbe5dc433d41df063603c00bbc7",
    },
];

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

    #[test]
    fn the_linux_wheel_has_its_published_name() {
        assert_eq!(Platform::LinuxX64.wheel().file_name(), "onnxruntime-1.31.1-cp312-cp312-manylinux_2_28_x86_64.whl");
    }
}
