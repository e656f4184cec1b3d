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

use super::platform::{PINNED_VERSION, Platform, Wheel};
use super::version::Version;
use super::{Found, Options, PlaceKind, RuntimeError, python};

/// Texts that a distributor of the library has to pass on.
const NOTICES: &[&str] = &["LICENSE", "ThirdPartyNotices.txt"];

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

/// Fetches the pinned library for this machine into the cache, or takes what another process has put there meanwhile.
///
/// # Errors
/// No build for this machine, no package client, a client that failed, a damaged wheel, a cache that cannot be written.
pub fn fetch(options: &Options, progress: &mut dyn FnMut(FetchProgress)) -> Result<Found, RuntimeError> {
    let wheel = Platform::current()?.wheel();
    let client = Client::of_machine(options);
    install(&options.runtime_folder(), wheel, progress, |stage, progress| {
        let client = client?;
        progress(FetchProgress::Downloading { wheel: wheel.file_name(), bytes: wheel.bytes, client: client.name() });
        client.bring(stage, wheel)
    })
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
    fn bring(&self, stage: &Path, wheel: &Wheel) -> Result<Brought, RuntimeError> {
        let requirement = format!("onnxruntime=={PINNED_VERSION}");
        match self {
            Self::Pip(program) => {
                let mut command = Command::new(program);
                command
                    .args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:"])
                    .args(["--python-version", "3.12", "--implementation", "cp"])
                    .args(["--abi", "cp312", "--platform", wheel.tag])
                    .args(["--disable-pip-version-check", "--no-input", "--quiet", "--dest"])
                    .arg(stage)
                    .arg(requirement);
                self.start(&mut command)?;
                Ok(Brought::Wheel(stage.join(wheel.file_name())))
            }
            Self::Uv => {
                let requirements = stage.join("requirements.txt");
                let target = stage.join("package");
                std::fs::write(&requirements, format!("{requirement} --hash=sha256:{}\n", wheel.sha256))
                    .map_err(RuntimeError::io(&requirements))?;
                let mut command = Command::new("uv");
                command
                    .args(["pip", "install", "--no-deps", "--only-binary", ":all:", "--require-hashes"])
                    .args(["--python-version", "3.12", "--python-platform", wheel.uv_platform])
                    .arg("--target")
                    .arg(&target)
                    .arg("--requirement")
                    .arg(&requirements);
                self.start(&mut command)?;
                Ok(Brought::Unpacked(target.join("onnxruntime")))
            }
        }
    }

    fn start(&self, command: &mut Command) -> Result<(), RuntimeError> {
        let fail = |message: String| RuntimeError::Client { client: self.name(), version: PINNED_VERSION, message };
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

/// Installs what `bring` leaves in the staging folder, unless the library is there already.
fn install(
    root: &Path,
    wheel: &Wheel,
    progress: &mut dyn FnMut(FetchProgress),
    bring: impl FnOnce(&Path, &mut dyn FnMut(FetchProgress)) -> Result<Brought, RuntimeError>,
) -> Result<Found, RuntimeError> {
    std::fs::create_dir_all(root).map_err(RuntimeError::io(root))?;
    let lock_path = root.join(".lock");
    let lock = File::create(&lock_path).map_err(RuntimeError::io(&lock_path))?;
    if lock.try_lock().is_err() {
        progress(FetchProgress::Waiting);
        lock.lock().map_err(RuntimeError::io(&lock_path))?;
    }
    let destination = root.join(wheel.folder_name());
    let library = destination.join(wheel.dylib);
    if !library.is_file() {
        let stage = tempfile::Builder::new().prefix(".stage-").tempdir_in(root).map_err(RuntimeError::io(root))?;
        let brought = bring(stage.path(), progress)?;
        progress(FetchProgress::Unpacking);
        let unpacked = stage.path().join("unpacked");
        std::fs::create_dir(&unpacked).map_err(RuntimeError::io(&unpacked))?;
        match brought {
            Brought::Wheel(path) => unpack(&path, wheel, &unpacked)?,
            Brought::Unpacked(package) => take_unpacked(&package, wheel, &unpacked)?,
        }
        check_sum(&unpacked.join(wheel.dylib), wheel.dylib, wheel.dylib_sha256)?;
        if destination.exists() {
            std::fs::remove_dir_all(&destination).map_err(RuntimeError::io(&destination))?;
        }
        std::fs::rename(&unpacked, &destination).map_err(RuntimeError::io(&destination))?;
        progress(FetchProgress::Installed { path: library.clone() });
    }
    Ok(Found { path: library, version: Version::parse(PINNED_VERSION), place: PlaceKind::Cache })
}

fn unpack(path: &Path, wheel: &Wheel, into: &Path) -> Result<(), RuntimeError> {
    check_sum(path, &wheel.file_name(), wheel.sha256)?;
    let broken =
        |error: zip::result::ZipError| RuntimeError::Wheel { name: wheel.file_name(), message: error.to_string() };
    let file = File::open(path).map_err(RuntimeError::io(path))?;
    let mut archive = zip::ZipArchive::new(file).map_err(broken)?;
    let library = format!("onnxruntime/capi/{}", wheel.dylib);
    extract(&mut archive, &library, &into.join(wheel.dylib)).map_err(broken)?;
    for notice in NOTICES {
        // The notices' place in the wheel has moved between versions; the library works without them.
        if let Err(error) = extract(&mut archive, &format!("onnxruntime/{notice}"), &into.join(notice)) {
            tracing::debug!(notice, %error, "the wheel has no such notice");
        }
    }
    Ok(())
}

fn extract(archive: &mut zip::ZipArchive<File>, name: &str, to: &Path) -> zip::result::ZipResult<()> {
    let mut entry = archive.by_name(name)?;
    let mut file = File::create(to)?;
    std::io::copy(&mut entry, &mut file)?;
    file.sync_all()?;
    Ok(())
}

fn take_unpacked(package: &Path, wheel: &Wheel, into: &Path) -> Result<(), RuntimeError> {
    let library = package.join("capi").join(wheel.dylib);
    std::fs::copy(&library, into.join(wheel.dylib)).map_err(RuntimeError::io(&library))?;
    for notice in NOTICES {
        if let Err(error) = std::fs::copy(package.join(notice), into.join(notice)) {
            tracing::debug!(notice, %error, "the package has no such notice");
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

    fn row(wheel: &[u8], library: &[u8]) -> Wheel {
        Wheel { sha256: sum(wheel), dylib_sha256: sum(library), ..*Platform::LinuxX64.wheel() }
    }

    fn try_install(root: &Path, row: &Wheel, content: &[u8]) -> Result<Found, RuntimeError> {
        install(root, row, &mut |_| {}, |stage, _| {
            let path = stage.join(row.file_name());
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
        let again = install(root.path(), &row, &mut |_| {}, |_, _| Err(RuntimeError::NoClient));
        assert_eq!(again.ok(), Some(found));
        assert_eq!(folders(root.path()), [".lock", "onnxruntime-1.31.1-linux-x86_64"]);
    }

    #[test]
    fn a_damaged_wheel_installs_nothing() {
        let wheel = wheel_bytes(LIBRARY);
        let check = |row: Wheel, content: &[u8]| {
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
