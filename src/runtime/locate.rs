//! Looking for the library, place by place, and telling what was found and why it was taken or left.

use std::path::{Path, PathBuf};

use super::device::{Toolkit, has_provider};
use super::platform::Platform;
use super::published::{Build, Variant};
use super::version::{self, MINIMUM, Version};
use super::{RuntimeError, python};

/// Where to look. [`Options::from_environment`] reads the process's environment once.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `--ort-lib`: a library, or a folder that holds one.
    pub given: Option<PathBuf>,
    /// `ORT_DYLIB_PATH`.
    pub dylib_path: Option<PathBuf>,
    /// annotc's cache folder; the library lies below its `runtime/`.
    pub cache: PathBuf,
    /// `VIRTUAL_ENV`.
    pub virtual_env: Option<PathBuf>,
    /// Python programs to ask; an empty list means `python3`, then `python`.
    pub python: Vec<PathBuf>,
    /// The system's library folders.
    pub system: Vec<PathBuf>,
    /// Whether the library must be one that computes on NVIDIA's devices.
    pub cuda: bool,
}

impl Options {
    /// The options of this process: `given` and `cache` from the command line, the rest from its environment.
    #[must_use]
    pub fn from_environment(given: Option<PathBuf>, cache: PathBuf) -> Self {
        let path = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let mut system: Vec<PathBuf> = ["LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"]
            .iter()
            .filter_map(std::env::var_os)
            .flat_map(|value| std::env::split_paths(&value).collect::<Vec<_>>())
            .filter(|folder| !folder.as_os_str().is_empty())
            .collect();
        if let Some(prefix) = path("CONDA_PREFIX") {
            system.push(prefix.join("lib"));
        }
        system.extend(SYSTEM_FOLDERS.iter().map(PathBuf::from));
        Self {
            given,
            dylib_path: path("ORT_DYLIB_PATH"),
            cache,
            virtual_env: path("VIRTUAL_ENV"),
            python: Vec::new(),
            system,
            cuda: false,
        }
    }

    /// The same places, and a library that computes on NVIDIA's devices.
    #[must_use]
    pub fn with_cuda(self) -> Self {
        Self { cuda: true, ..self }
    }

    /// The folder of the cache that holds unpacked libraries.
    #[must_use]
    pub fn runtime_folder(&self) -> PathBuf {
        self.cache.join("runtime")
    }
}

#[cfg(not(windows))]
const SYSTEM_FOLDERS: &[&str] = &[
    "/usr/local/lib",
    "/usr/lib",
    "/usr/lib64",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/opt/homebrew/lib",
];
// Windows' own System32 holds an old onnxruntime.dll; it is no place to look.
#[cfg(windows)]
const SYSTEM_FOLDERS: &[&str] = &[];

/// The places, in the order in which they are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaceKind {
    /// `--ort-lib`.
    Given,
    /// `ORT_DYLIB_PATH`.
    Variable,
    /// annotc's own cache.
    Cache,
    /// `$VIRTUAL_ENV`'s packages.
    VirtualEnv,
    /// The packages of the Python on the search path.
    Python,
    /// The system's library folders.
    System,
}

impl PlaceKind {
    /// All places, in order.
    pub const ALL: [Self; 6] = [Self::Given, Self::Variable, Self::Cache, Self::VirtualEnv, Self::Python, Self::System];

    /// The name that a report shows.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Given => "--ort-lib",
            Self::Variable => "ORT_DYLIB_PATH",
            Self::Cache => "annotc's cache",
            Self::VirtualEnv => "VIRTUAL_ENV",
            Self::Python => "Python's packages",
            Self::System => "the system",
        }
    }
}

/// A library that will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The library's file.
    pub path: PathBuf,
    /// Its version, where its name tells it. A nameless one is checked when it is opened.
    pub version: Option<Version>,
    /// Where it was found.
    pub place: PlaceKind,
}

/// What a place had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The option or variable is not set, or the program is not there.
    NotSet,
    /// Looked, and no library lay there.
    Absent,
    /// The newest library there is older than [`MINIMUM`].
    TooOld {
        /// Its file.
        path: PathBuf,
        /// Its version.
        found: Version,
    },
    /// The libraries there compute on the processor alone, and one with CUDA is looked for.
    WithoutCuda {
        /// The newest one's file.
        path: PathBuf,
    },
    /// A library that will do.
    Usable(Found),
}

/// One place and what it had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Which place.
    pub kind: PlaceKind,
    /// The folders and files that were looked at.
    pub looked_at: Vec<PathBuf>,
    /// What was found.
    pub outcome: Outcome,
}

/// Every place, and the library that is taken: the first usable one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// In the order of the search.
    pub places: Vec<Place>,
    /// The first usable library. `None` also where a given one is refused.
    pub chosen: Option<Found>,
    /// What is fetched when nothing is chosen; `None` where nothing is published for this machine.
    pub fetchable: Option<Platform>,
}

/// Looks at every place and tells what it had.
#[must_use]
pub fn locate(options: &Options) -> Report {
    let places: Vec<Place> = PlaceKind::ALL.iter().map(|kind| look(options, *kind)).collect();
    let mut chosen = None;
    for place in &places {
        if refuse_given(place).is_err() {
            break;
        }
        if let Outcome::Usable(found) = &place.outcome {
            chosen = Some(found.clone());
            break;
        }
    }
    Report { places, chosen, fetchable: Platform::current().ok() }
}

/// The first usable library, without looking further; `None` where there is none.
///
/// # Errors
/// Where `--ort-lib` or `ORT_DYLIB_PATH` is set and what it names will not do: another library is not taken silently.
pub fn find(options: &Options) -> Result<Option<Found>, RuntimeError> {
    for kind in PlaceKind::ALL {
        let place = look(options, kind);
        refuse_given(&place)?;
        if let Outcome::Usable(found) = place.outcome {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn refuse_given(place: &Place) -> Result<(), RuntimeError> {
    if !matches!(place.kind, PlaceKind::Given | PlaceKind::Variable) {
        return Ok(());
    }
    let origin = place.kind.name();
    match &place.outcome {
        Outcome::NotSet | Outcome::Usable(_) => Ok(()),
        Outcome::Absent => {
            Err(RuntimeError::GivenAbsent { origin, path: place.looked_at.first().cloned().unwrap_or_default() })
        }
        Outcome::TooOld { path, found } => Err(RuntimeError::GivenTooOld { origin, path: path.clone(), found: *found }),
        Outcome::WithoutCuda { path } => Err(RuntimeError::GivenWithoutCuda { origin, path: path.clone() }),
    }
}

fn look(options: &Options, kind: PlaceKind) -> Place {
    let packages = |folders: Vec<PathBuf>| -> Vec<PathBuf> {
        folders.into_iter().map(|folder| folder.join("onnxruntime").join("capi")).collect()
    };
    let looked_at: Option<Vec<PathBuf>> = match kind {
        PlaceKind::Given => options.given.clone().map(|path| vec![path]),
        PlaceKind::Variable => options.dylib_path.clone().map(|path| vec![path]),
        PlaceKind::Cache => Some(cached_folders(&options.runtime_folder(), options.cuda)),
        PlaceKind::VirtualEnv => options.virtual_env.as_deref().map(|root| packages(python::virtual_env_folders(root))),
        PlaceKind::Python => python::find(&options.python).map(|python| packages(python.site_packages)),
        PlaceKind::System => Some(options.system.clone()),
    };
    let Some(looked_at) = looked_at else {
        return Place { kind, looked_at: Vec::new(), outcome: Outcome::NotSet };
    };
    let outcome = judge(kind, &looked_at, options.cuda);
    Place { kind, looked_at, outcome }
}

/// The folders of the pinned builds alone: a cache shared by two versions of annotc keeps both.
fn cached_folders(root: &Path, cuda: bool) -> Vec<PathBuf> {
    let variants: Vec<Variant> =
        if cuda { Toolkit::ALL.into_iter().map(Variant::Cuda).collect() } else { vec![Variant::Cpu] };
    let builds = variants.into_iter().filter_map(|variant| Build::of_machine(variant).ok());
    builds.map(|build| root.join(build.folder_name())).collect()
}

fn judge(kind: PlaceKind, looked_at: &[PathBuf], cuda: bool) -> Outcome {
    let mut too_old: Option<(PathBuf, Version)> = None;
    let mut without = None;
    for path in looked_at.iter().flat_map(|path| libraries(path)) {
        match version::of_library(&path) {
            Some(found) if found < MINIMUM => {
                if too_old.as_ref().is_none_or(|(_, newest)| found > *newest) {
                    too_old = Some((path, found));
                }
            }
            _ if cuda && !has_provider(&path) => without = without.or(Some(path)),
            version => {
                return Outcome::Usable(Found { path, version, place: kind });
            }
        }
    }
    match (without, too_old) {
        (Some(path), _) => Outcome::WithoutCuda { path },
        (None, Some((path, found))) => Outcome::TooOld { path, found },
        (None, None) => Outcome::Absent,
    }
}

/// The libraries at a path, newest first: the file itself, or those in the folder.
fn libraries(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_path_buf()];
    }
    let mut found: Vec<PathBuf> = std::fs::read_dir(path)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(version::is_library_name))
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    found.sort_by_key(|path| (std::cmp::Reverse(version::of_library(path)), path.clone()));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(root: &Path) -> Options {
        Options { cache: root.join("cache"), python: vec![root.join("no-python")], ..Options::default() }
    }

    fn touch(path: &Path) {
        std::fs::create_dir_all(path.parent().expect("a test path has a parent")).expect("a folder");
        std::fs::write(path, b"").expect("a file");
    }

    #[test]
    fn the_first_usable_place_wins_and_each_is_told() {
        let root = tempfile::tempdir().expect("a folder");
        let venv = root.path().join("venv");
        let old = venv.join("lib/python3.12/site-packages/onnxruntime/capi/libonnxruntime.so.1.19.2");
        let new = root.path().join("system/libonnxruntime.so.1.27.0");
        touch(&old);
        touch(&new);
        touch(&root.path().join("system/libonnxruntime.so.1.24.0"));
        let options =
            Options { virtual_env: Some(venv), system: vec![root.path().join("system")], ..options(root.path()) };
        let report = locate(&options);
        assert_eq!(report.chosen.as_ref().map(|found| &found.path), Some(&new));
        assert_eq!(find(&options).ok(), Some(report.chosen.clone()));
        let outcomes: Vec<&Outcome> = report.places.iter().map(|place| &place.outcome).collect();
        assert_eq!(outcomes[0], &Outcome::NotSet);
        assert_eq!(outcomes[2], &Outcome::Absent);
        assert!(matches!(outcomes[3], Outcome::TooOld { path, .. } if *path == old));
        assert_eq!(outcomes[4], &Outcome::NotSet);
    }

    #[test]
    fn a_given_library_that_will_not_do_is_an_error() {
        let root = tempfile::tempdir().expect("a folder");
        let old = root.path().join("libonnxruntime.so.1.19.2");
        touch(&old);
        let check = |path: PathBuf, word: &str| {
            let given = Options { given: Some(path), ..options(root.path()) };
            let message = find(&given).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(message.contains(word), "{message}");
            assert_eq!(locate(&given).chosen, None);
        };
        check(old, "1.19.2");
        let plain = root.path().join("libonnxruntime.so.1.31.1");
        touch(&plain);
        let given = Options { given: Some(plain), ..options(root.path()) };
        assert!(find(&given).is_ok());
        let message = find(&given.with_cuda()).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(message.contains("without CUDA"), "{message}");
        check(root.path().join("nowhere.so"), "no onnxruntime library");
    }
}
