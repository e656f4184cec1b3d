//! What is published of the library: one row for each machine and device, with the sums of all that is fetched.

use super::RuntimeError;
use super::device::Toolkit;
use super::platform::Platform;

/// The version that is fetched where none is found.
pub const PINNED_VERSION: &str = "1.31.1";

/// What a build of the library computes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// Processors alone.
    Cpu,
    /// NVIDIA's devices too, through libraries of this release of CUDA.
    Cuda(Toolkit),
}

/// A package as it is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wheel {
    /// The package's name.
    pub package: &'static str,
    /// Its version.
    pub version: &'static str,
    /// Its tags: of Python, of its binary interface, of the machine.
    pub tags: [&'static str; 3],
    /// Its size in bytes.
    pub bytes: u64,
    /// Its SHA-256 in hexadecimal.
    pub sha256: &'static str,
}

impl Wheel {
    /// Its file name.
    #[must_use]
    pub fn file_name(&self) -> String {
        let [python, interface, machine] = self.tags;
        format!("{}-{}-{python}-{interface}-{machine}.whl", self.package.replace('-', "_"), self.version)
    }

    /// The tag of the machine, the first where there are several.
    #[must_use]
    pub fn machine(&self) -> &'static str {
        self.tags[2].split('.').next().unwrap_or(self.tags[2])
    }
}

/// A published build of the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Build {
    /// The machine it is for.
    pub platform: Platform,
    /// What it computes on.
    pub variant: Variant,
    /// The library's file name, in `onnxruntime/capi/`.
    pub dylib: &'static str,
    /// The library's SHA-256 in hexadecimal.
    pub dylib_sha256: &'static str,
    /// The package that holds the library, then those that it needs beside it.
    pub wheels: &'static [Wheel],
}

impl Build {
    /// The build for this machine.
    ///
    /// # Errors
    /// [`RuntimeError::UnsupportedPlatform`] where none is published.
    pub fn of_machine(variant: Variant) -> Result<&'static Self, RuntimeError> {
        let platform = Platform::current()?;
        let found = BUILDS.iter().find(|build| build.platform == platform && build.variant == variant);
        found.ok_or_else(|| RuntimeError::UnsupportedPlatform {
            platform: platform.name().to_owned(),
            reason: "builds with CUDA are fetched for 64-bit Linux on x86 alone; install `onnxruntime-gpu` and what it needs \
                     yourself and name its library with `--ort-lib`",
        })
    }

    /// The package that holds the library.
    #[must_use]
    pub fn library(&self) -> &'static Wheel {
        self.wheels.first().expect("every build has the package of the library")
    }

    /// The size of all that is fetched, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.wheels.iter().map(|wheel| wheel.bytes).sum()
    }

    /// The folder of the cache that holds it unpacked.
    #[must_use]
    pub fn folder_name(&self) -> String {
        let wheel = self.library();
        let device = match self.variant {
            Variant::Cpu => "",
            Variant::Cuda(Toolkit::Cuda12) => "-cuda12",
            Variant::Cuda(Toolkit::Cuda13) => "-cuda13",
        };
        format!("onnxruntime-{}-{}{device}", wheel.version, self.platform.name())
    }
}

/// A package of onnxruntime itself.
const fn library(
    package: &'static str,
    version: &'static str,
    tag: &'static str,
    bytes: u64,
    sha256: &'static str,
) -> Wheel {
    Wheel { package, version, tags: ["cp312", "cp312", tag], bytes, sha256 }
}

/// A package of NVIDIA's, which holds no Python that would be of one version.
const fn nvidia(
    package: &'static str,
    version: &'static str,
    tag: &'static str,
    bytes: u64,
    sha256: &'static str,
) -> Wheel {
    Wheel { package, version, tags: ["py3", "none", tag], bytes, sha256 }
}

/// The builds that are known by their sums.
pub const BUILDS: &[Build] = &[
    Build {
        platform: Platform::MacArm64,
        variant: Variant::Cpu,
        dylib: "libonnxruntime.1.31.1.dylib",
        dylib_sha256: "d586cbe89effc085a09d3341b3cfbd5c322517f9d397aeb20814af21433f2b36",
        wheels: &[library(
            "onnxruntime",
            PINNED_VERSION,
            "macosx_14_0_arm64",
            20_882_125,
            "96dd2564b10ea7153ad9c207e7cd8e5917cb3ba521e0e0a62ac03486fdc8d56c",
        )],
    },
    Build {
        platform: Platform::LinuxArm64,
        variant: Variant::Cpu,
        dylib: "libonnxruntime.so.1.31.1",
        dylib_sha256: "8aa3b76b28c778a2b1dd660d34161adb1d508c9ccd04ff9dc80e26eca5df8467",
        wheels: &[library(
            "onnxruntime",
            PINNED_VERSION,
            "manylinux_2_28_aarch64",
            21_420_803,
            "0b9a492176886992e0e875f06bc0367e333f5fff11711a2d642e18b02f3009cc",
        )],
    },
    Build {
        platform: Platform::LinuxX64,
        variant: Variant::Cpu,
        dylib: "libonnxruntime.so.1.31.1",
        dylib_sha256: "fc44112fbe06d7d689c57e11d3862031f64711007e4ee020f8eed5185fd2c1d3",
        wheels: &[library(
            "onnxruntime",
            PINNED_VERSION,
            "manylinux_2_28_x86_64",
            23_760_988,
            "1f3dea47f2f0e5117c2404cea7d21fd253ae7836a3bf167a501cdfbb2600d536",
        )],
    },
    Build {
        platform: Platform::WindowsX64,
        variant: Variant::Cpu,
        dylib: "onnxruntime.dll",
        dylib_sha256: "e45f61e50d8650885452be538a00bb14a715e46a1bc3691000ce947e89ed0306",
        wheels: &[library(
            "onnxruntime",
            PINNED_VERSION,
            "win_amd64",
            14_888_466,
            "ae8a9a351efda685cc59a66226cdefaa37a126c1d66872ca23a2de9425326130",
        )],
    },
    Build {
        platform: Platform::WindowsArm64,
        variant: Variant::Cpu,
        dylib: "onnxruntime.dll",
        dylib_sha256: "dc9e2fe646a72829386a24ac9185a7a4e26d7dbe5dc433d41df063603c00bbc7",
        wheels: &[library(
            "onnxruntime",
            PINNED_VERSION,
            "win_arm64",
            14_740_724,
            "fe8b9ac1ae8e894e12c47ee82e4f6dfc1835768133687257866469fda80d0bf1",
        )],
    },
    Build {
        platform: Platform::LinuxX64,
        variant: Variant::Cuda(Toolkit::Cuda13),
        dylib: "libonnxruntime.so.1.31.1",
        dylib_sha256: "5104254339ecadae808da771bd0b63b240f0dbd466514234905e54372435c303",
        wheels: &[
            library(
                "onnxruntime-gpu",
                PINNED_VERSION,
                "manylinux_2_28_x86_64",
                255_569_273,
                "05d548956197b9d01f59b625de740e0d6be3593f874e241a12dc0362650ecdf7",
            ),
            nvidia(
                "nvidia-cuda-runtime",
                "13.0.96",
                "manylinux2014_x86_64.manylinux_2_17_x86_64",
                2_243_632,
                "7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548",
            ),
            nvidia(
                "nvidia-cuda-nvrtc",
                "13.0.88",
                "manylinux2010_x86_64.manylinux_2_12_x86_64",
                90_215_200,
                "ad9b6d2ead2435f11cbb6868809d2adeeee302e9bb94bcf0539c7a40d80e8575",
            ),
            nvidia(
                "nvidia-cublas",
                "13.0.2.14",
                "manylinux_2_27_x86_64",
                420_882_912,
                "0cf238ffdbe46c00cb9aa98e7bca745c223a5ca5a53e686ac8b3e5a08fe80d6c",
            ),
            nvidia(
                "nvidia-curand",
                "10.4.0.35",
                "manylinux_2_27_x86_64",
                59_544_258,
                "1aee33a5da6e1db083fe2b90082def8915f30f3248d5896bcec36a579d941bfc",
            ),
            nvidia(
                "nvidia-cudnn-cu13",
                "9.28.1.4",
                "manylinux_2_27_x86_64",
                516_817_937,
                "a54f205b1db1f2895d99f398754db1369816f0569dd459731f925635cf7b65ec",
            ),
        ],
    },
    Build {
        platform: Platform::LinuxX64,
        variant: Variant::Cuda(Toolkit::Cuda12),
        dylib: "libonnxruntime.so.1.26.0",
        dylib_sha256: "7fe6f3306ea455b3d1493ea8b95bf442b48a216e459c47564152e5f7d5ded2c6",
        wheels: &[
            library(
                "onnxruntime-gpu",
                "1.26.0",
                "manylinux_2_27_x86_64.manylinux_2_28_x86_64",
                276_971_796,
                "3c01119ed4d9449d60367fa8ccffcd02bd3fe736754284e4b198d131f54edad6",
            ),
            nvidia(
                "nvidia-cuda-runtime-cu12",
                "12.8.90",
                "manylinux2014_x86_64.manylinux_2_17_x86_64",
                954_765,
                "adade8dcbd0edf427b7204d480d6066d33902cab2a4707dcfc48a2d0fd44ab90",
            ),
            nvidia(
                "nvidia-cuda-nvrtc-cu12",
                "12.8.93",
                "manylinux2010_x86_64.manylinux_2_12_x86_64",
                88_040_029,
                "a7756528852ef889772a84c6cd89d41dfa74667e24cca16bb31f8f061e3e9994",
            ),
            nvidia(
                "nvidia-nvjitlink-cu12",
                "12.8.93",
                "manylinux2010_x86_64.manylinux_2_12_x86_64",
                39_254_836,
                "81ff63371a7ebd6e6451970684f916be2eab07321b73c9d244dc2b4da7f73b88",
            ),
            nvidia(
                "nvidia-cublas-cu12",
                "12.8.4.1",
                "manylinux_2_27_x86_64",
                594_346_921,
                "8ac4e771d5a348c551b2a426eda6193c19aa630236b418086020df5ba9667142",
            ),
            nvidia(
                "nvidia-curand-cu12",
                "10.3.9.90",
                "manylinux_2_27_x86_64",
                63_619_976,
                "b32331d4f4df5d6eefa0554c565b626c7216f87a06a4f56fab27c3b68a830ec9",
            ),
            nvidia(
                "nvidia-cufft-cu12",
                "11.3.3.83",
                "manylinux2014_x86_64.manylinux_2_17_x86_64",
                193_118_695,
                "4d2dd21ec0b88cf61b62e6b43564355e5222e4a3fb394cac0db101f2dd0d4f74",
            ),
            nvidia(
                "nvidia-cudnn-cu12",
                "9.28.0.42",
                "manylinux_2_27_x86_64",
                716_538_495,
                "9ff58b7f36dacd0a93e89f8f2957b52466889217963701daa15e577317cfa375",
            ),
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wheels_have_their_published_names() {
        let names = |variant| -> Vec<String> {
            let build = BUILDS.iter().find(|build| build.platform == Platform::LinuxX64 && build.variant == variant);
            build.expect("a build for Linux").wheels.iter().map(Wheel::file_name).collect()
        };
        assert_eq!(names(Variant::Cpu), ["onnxruntime-1.31.1-cp312-cp312-manylinux_2_28_x86_64.whl"]);
        let cuda = names(Variant::Cuda(Toolkit::Cuda13));
        assert_eq!(cuda[0], "onnxruntime_gpu-1.31.1-cp312-cp312-manylinux_2_28_x86_64.whl");
        assert_eq!(cuda[1], "nvidia_cuda_runtime-13.0.96-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl");
    }

    #[test]
    fn every_build_has_a_folder_of_its_own() {
        let mut folders: Vec<String> = BUILDS.iter().map(Build::folder_name).collect();
        folders.sort();
        folders.dedup();
        assert_eq!(folders.len(), BUILDS.len());
    }
}
