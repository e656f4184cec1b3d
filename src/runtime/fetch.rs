//! Fetching the pinned library through the package client that the machine has.
//!
//! The client knows the user's index, proxy, certificates and credentials. What it brings is checked against the
//! pinned sums, unpacked beside its destination and renamed into place under a lock, so that two processes at once
//! both succeed and a killed one leaves nothing half done.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};

use super::published::{Build, Variant, Wheel};
use super::version::Version;
use super::{Found, Options, PlaceKind, RuntimeError, python};

/// What the fetching is about, for a progress line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchProgress {
    /// Another process fetches the library; this one waits for it.
    Waiting,
    /// The package client was started.
    Downloading {
        /// The wheel's file name.
        wheel: String,
        /// Its size.
        bytes: u64,
        /// The program that fetches it.
        client: String,
    },
    /// Sums are compared and the library is unpacked.
    Unpacking,
    /// The library lies in the cache.
    Installed {
        /// Its file.
        path: PathBuf,
    },
}

/// Fetches a pinned build of the library for this machine into the cache, or takes what another process has put there meanwhile.
///
/// # Errors
/// No build for this machine, no package client, a client that failed, a damaged wheel, a cache that cannot be written.
pub fn fetch(
    options: &Options,
    variant: Variant,
    progress: &mut dyn FnMut(FetchProgress),
) -> Result<Found, RuntimeError> {
    let build = Build::of_machine(variant)?;
    let client = Client::of_machine(options);
    install(&options.runtime_folder(), build, progress, |stage, wheel, progress| {
        let client = client.as_ref().map_err(|_| RuntimeError::NoClient)?;
        progress(FetchProgress::Downloading { wheel: wheel.file_name(), bytes: wheel.bytes, client: client.name() });
        client.bring(stage, build, wheel)
    })
}

/// A published build of the library where [`fetch`] has put it; `None` where it has not.
#[must_use]
pub fn installed(options: &Options, build: &Build) -> Option<Found> {
    let library = options.runtime_folder().join(build.folder_name()).join(build.dylib);
    library.is_file().then(|| found(library, build))
}

fn found(library: PathBuf, build: &Build) -> Found {
    Found { path: library, version: Version::parse(build.library().version), place: PlaceKind::Cache }
}

/// What a package client left in the staging folder.
enum Brought {
    /// The wheel as it is published.
    Wheel(PathBuf),
    /// The package as `uv` unpacked it, after it had compared the wheel's sum.
    Unpacked(PathBuf),
}

enum Client {
    Pip(PathBuf),
    Uv,
}

impl Client {
    fn of_machine(options: &Options) -> Result<Self, RuntimeError> {
        match python::find(&options.python) {
            Some(python) if python::has_pip(&python.program) => Ok(Self::Pip(python.program)),
            _ if python::has_uv() => Ok(Self::Uv),
            _ => Err(RuntimeError::NoClient),
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Pip(program) => format!("{} -m pip download", program.display()),
            Self::Uv => "uv pip install".to_owned(),
        }
    }

    /// Without the version flags pip would take the wheel of its own Python, and the sum would differ.
    fn bring(&self, stage: &Path, build: &Build, wheel: &Wheel) -> Result<Brought, RuntimeError> {
        let requirement = format!("{}=={}", wheel.package, wheel.version);
        match self {
            Self::Pip(program) => {
                let mut command = Command::new(program);
                command
                    .args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:"])
                    .args(["--python-version", "3.12", "--implementation", "cp"])
                    .args(["--abi", wheel.tags[1], "--platform", wheel.machine()])
                    .args(["--disable-pip-version-check", "--no-input", "--quiet", "--dest"])
                    .arg(stage)
                    .arg(requirement);
                self.start(&mut command, wheel)?;
                Ok(Brought::Wheel(stage.join(wheel.file_name())))
            }
            Self::Uv => {
                let requirements = stage.join(format!("{}.txt", wheel.package));
                let target = stage.join(wheel.package);
                std::fs::write(&requirements, format!("{requirement} --hash=sha256:{}\n", wheel.sha256))
                    .map_err(RuntimeError::io(&requirements))?;
                let mut command = Command::new("uv");
                command
                    .args(["pip", "install", "--no-deps", "--only-binary", ":all:", "--require-hashes"])
                    .args(["--python-version", "3.12", "--python-platform", build.platform.uv_name()])
                    .arg("--target")
                    .arg(&target)
                    .arg("--requirement")
                    .arg(&requirements);
                self.start(&mut command, wheel)?;
                Ok(Brought::Unpacked(target))
            }
        }
    }

    fn start(&self, command: &mut Command, wheel: &Wheel) -> Result<(), RuntimeError> {
        let fail = |message: String| RuntimeError::Client {
            client: self.name(),
            package: wheel.package,
            version: wheel.version,
            message,
        };
        let output = command.stdin(Stdio::null()).output().map_err(|error| fail(error.to_string()))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let mut last: Vec<&str> = said.lines().rev().filter(|line| !line.trim().is_empty()).take(3).collect();
        last.reverse();
        Err(fail(last.join("; ")))
    }
}

/// Installs what `bring` leaves in the staging folder, unless the library is there already. Each package is unpacked and removed
/// before the next one comes: together they may be gigabytes.
fn install(
    root: &Path,
    build: &Build,
    progress: &mut dyn FnMut(FetchProgress),
    mut bring: impl FnMut(&Path, &Wheel, &mut dyn FnMut(FetchProgress)) -> Result<Brought, RuntimeError>,
) -> Result<Found, RuntimeError> {
    std::fs::create_dir_all(root).map_err(RuntimeError::io(root))?;
    let lock_path = root.join(".lock");
    let lock = File::create(&lock_path).map_err(RuntimeError::io(&lock_path))?;
    if lock.try_lock().is_err() {
        progress(FetchProgress::Waiting);
        lock.lock().map_err(RuntimeError::io(&lock_path))?;
    }
    let destination = root.join(build.folder_name());
    let library = destination.join(build.dylib);
    if !library.is_file() {
        let stage = tempfile::Builder::new().prefix(".stage-").tempdir_in(root).map_err(RuntimeError::io(root))?;
        let unpacked = stage.path().join("unpacked");
        std::fs::create_dir(&unpacked).map_err(RuntimeError::io(&unpacked))?;
        for wheel in build.wheels {
            let brought = bring(stage.path(), wheel, progress)?;
            progress(FetchProgress::Unpacking);
            match brought {
                Brought::Wheel(path) => unpack(&path, wheel, build, &unpacked)?,
                Brought::Unpacked(package) => take_unpacked(&package, wheel, build, &unpacked)?,
            }
        }
        check_sum(&unpacked.join(build.dylib), build.dylib, build.dylib_sha256)?;
        if destination.exists() {
            std::fs::remove_dir_all(&destination).map_err(RuntimeError::io(&destination))?;
        }
        std::fs::rename(&unpacked, &destination).map_err(RuntimeError::io(&destination))?;
        progress(FetchProgress::Installed { path: library.clone() });
    }
    Ok(found(library, build))
}

/// The name under which a member of a package is installed; `None` for what is not needed. Libraries lie in one folder, where they find
/// each other; notices are texts that a distributor has to pass on, and their place has moved between versions.
fn installed_name(member: &str, wheel: &Wheel, build: &Build) -> Option<String> {
    let (folder, name) = member.rsplit_once('/')?;
    match folder {
        "onnxruntime/capi" => {
            let is_provider =
                ["libonnxruntime_providers_shared.so", "libonnxruntime_providers_cuda.so"].contains(&name);
            let is_wanted = name == build.dylib || is_provider && matches!(build.variant, Variant::Cuda(_));
            is_wanted.then(|| name.to_owned())
        }
        "onnxruntime" => ["LICENSE", "ThirdPartyNotices.txt"].contains(&name).then(|| name.to_owned()),
        folder if folder.starts_with("nvidia/") && folder.ends_with("/lib") => {
            // `alt` are builds of the same library for programs that ask for them, the other two are drop-in replacements of
            // libraries that nothing here uses.
            let is_other = name.contains(".alt.") || name.starts_with("libnvblas") || name.starts_with("libcufftw");
            (name.contains(".so") && !is_other).then(|| name.to_owned())
        }
        folder if folder.ends_with(".dist-info/licenses") => {
            name.eq_ignore_ascii_case("license.txt").then(|| format!("LICENSE-{}", wheel.package))
        }
        _ => None,
    }
}

fn unpack(path: &Path, wheel: &Wheel, build: &Build, into: &Path) -> Result<(), RuntimeError> {
    check_sum(path, &wheel.file_name(), wheel.sha256)?;
    let broken =
        |error: zip::result::ZipError| RuntimeError::Wheel { name: wheel.file_name(), message: error.to_string() };
    let file = File::open(path).map_err(RuntimeError::io(path))?;
    let mut archive = zip::ZipArchive::new(file).map_err(broken)?;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(broken)?;
        let member = entry.name().map_err(broken)?.into_owned();
        let Some(name) = installed_name(&member, wheel, build) else { continue };
        let to = into.join(name);
        let mut file = File::create(&to).map_err(RuntimeError::io(&to))?;
        std::io::copy(&mut entry, &mut file).map_err(RuntimeError::io(&to))?;
        file.sync_all().map_err(RuntimeError::io(&to))?;
    }
    drop(archive);
    std::fs::remove_file(path).map_err(RuntimeError::io(path))
}

fn take_unpacked(package: &Path, wheel: &Wheel, build: &Build, into: &Path) -> Result<(), RuntimeError> {
    let mut folders = vec![package.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(RuntimeError::io(&folder))? {
            let path = entry.map_err(RuntimeError::io(&folder))?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let below = path.strip_prefix(package).expect("the walk begins at the package");
            let member = below.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/");
            if let Some(name) = installed_name(&member, wheel, build) {
                let to = into.join(name);
                std::fs::rename(&path, &to).map_err(RuntimeError::io(&to))?;
            }
        }
    }
    Ok(())
}

/// # Errors
/// [`RuntimeError::Damaged`] where the file's SHA-256 is another, [`RuntimeError::Io`] where it cannot be read.
pub(super) fn check_sum(path: &Path, name: &str, expected: &str) -> Result<(), RuntimeError> {
    let mut file = File::open(path).map_err(RuntimeError::io(path))?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer).map_err(RuntimeError::io(path))?;
        if read == 0 {
            break;
        }
        digest.update(&buffer[..read]);
    }
    let found: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    if found == expected {
        return Ok(());
    }
    Err(RuntimeError::Damaged { name: name.to_owned(), expected: expected.to_owned(), found })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::runtime::device::Toolkit;
    use crate::runtime::platform::Platform;
    use crate::runtime::published::BUILDS;

    const LIBRARY: &[u8] = b"a library";

    fn sum(bytes: &[u8]) -> &'static str {
        let text: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Box::leak(text.into_boxed_str())
    }

    fn wheel_bytes(content: &[u8]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let stored = zip::write::SimpleFileOptions::default();
        writer.start_file("onnxruntime/capi/libonnxruntime.so.1.31.1", stored).expect("an entry");
        writer.write_all(content).expect("its content");
        writer.finish().expect("an archive").into_inner()
    }

    fn row(wheel: &[u8], library: &[u8]) -> Build {
        let published =
            BUILDS.iter().find(|build| build.platform == Platform::LinuxX64 && build.variant == Variant::Cpu);
        let published = published.expect("a build for Linux");
        let wheels = Box::leak(Box::new([Wheel { sha256: sum(wheel), ..*published.library() }]));
        Build { dylib_sha256: sum(library), wheels, ..*published }
    }

    fn try_install(root: &Path, row: &Build, content: &[u8]) -> Result<Found, RuntimeError> {
        install(root, row, &mut |_| {}, |stage, wheel, _| {
            let path = stage.join(wheel.file_name());
            std::fs::write(&path, content).expect("a wheel");
            Ok(Brought::Wheel(path))
        })
    }

    fn folders(root: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(root)
            .expect("the folder")
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_good_wheel_is_installed_once() {
        let root = tempfile::tempdir().expect("a folder");
        let wheel = wheel_bytes(LIBRARY);
        let row = row(&wheel, LIBRARY);
        let found = try_install(root.path(), &row, &wheel).expect("installed");
        assert_eq!(std::fs::read(&found.path).ok().as_deref(), Some(LIBRARY));
        let again = install(root.path(), &row, &mut |_| {}, |_, _, _| Err(RuntimeError::NoClient));
        assert_eq!(again.ok(), Some(found));
        assert_eq!(folders(root.path()), [".lock", "onnxruntime-1.31.1-linux-x86_64"]);
    }

    #[test]
    fn a_damaged_wheel_installs_nothing() {
        let wheel = wheel_bytes(LIBRARY);
        let check = |row: Build, content: &[u8]| {
            let root = tempfile::tempdir().expect("a folder");
            let error = try_install(root.path(), &row, content).err().map(|error| error.to_string());
            let message = error.expect("an error");
            assert!(message.contains("nothing was installed"), "{message}");
            assert_eq!(folders(root.path()), [".lock"]);
        };
        check(row(&wheel, LIBRARY), &wheel[..wheel.len() - 7]);
        check(row(&wheel, b"another library"), &wheel);
        check(row(b"no archive", LIBRARY), b"no archive");
    }

    #[test]
    fn of_each_package_what_is_needed_lies_in_one_folder() {
        let build = BUILDS.iter().find(|build| build.variant == Variant::Cuda(Toolkit::Cuda13)).expect("a build");
        let check = |member: &str, expected: Option<&str>| {
            let name = installed_name(member, &build.wheels[1], build);
            assert_eq!(name.as_deref(), expected, "{member}");
        };
        check("onnxruntime/capi/libonnxruntime.so.1.31.1", Some("libonnxruntime.so.1.31.1"));
        check("onnxruntime/capi/libonnxruntime_providers_cuda.so", Some("libonnxruntime_providers_cuda.so"));
        check("onnxruntime/capi/libonnxruntime_providers_tensorrt.so", None);
        check("nvidia/cu13/lib/libcudart.so.13", Some("libcudart.so.13"));
        check("nvidia/cudnn/lib/libcudnn_engines_precompiled.so.9", Some("libcudnn_engines_precompiled.so.9"));
        check("nvidia/cu13/lib/libnvrtc.alt.so.13", None);
        check("nvidia/cu13/include/cuda.h", None);
        check("nvidia_cuda_runtime-13.0.96.dist-info/licenses/License.txt", Some("LICENSE-nvidia-cuda-runtime"));
        check("../nvidia/x/lib/evil.so", None);
    }

    #[test]
    fn two_at_once_both_succeed() {
        let root = tempfile::tempdir().expect("a folder");
        let wheel = wheel_bytes(LIBRARY);
        let row = row(&wheel, LIBRARY);
        let found: Vec<_> = std::thread::scope(|scope| {
            let start = || scope.spawn(|| try_install(root.path(), &row, &wheel).map(|found| found.path).ok());
            let both = [start(), start()];
            both.map(|thread| thread.join().expect("no panic")).to_vec()
        });
        assert!(found[0].is_some() && found[0] == found[1]);
    }
}
