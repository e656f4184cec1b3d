//! What the machine's Python knows: where its packages lie, and which package client it has.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const SITE_PACKAGES: &str = "import site, sys, sysconfig
paths = [sysconfig.get_paths()['purelib'], sysconfig.get_paths()['platlib']]
paths += getattr(site, 'getsitepackages', lambda: [])()
if site.ENABLE_USER_SITE: paths.append(site.getusersitepackages())
sys.stdout.reconfigure(encoding='utf-8')
print('\\n'.join(dict.fromkeys(paths)))";

/// The interpreters to try, in order.
const PROGRAMS: &[&str] = &["python3", "python"];

/// A Python interpreter that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Python {
    /// The program as it is started.
    pub program: PathBuf,
    /// Its package folders, in the order of its own search.
    pub site_packages: Vec<PathBuf>,
}

/// The first interpreter that starts. `programs` are the ones to try, an empty list means the usual names.
pub(super) fn find(programs: &[PathBuf]) -> Option<Python> {
    let usual: Vec<PathBuf> = PROGRAMS.iter().map(PathBuf::from).collect();
    let programs = if programs.is_empty() { &usual } else { programs };
    programs.iter().find_map(|program| {
        let output = Command::new(program)
            .args(["-c", SITE_PACKAGES])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .ok()
            .filter(|output| output.status.success())?;
        let site_packages = String::from_utf8(output.stdout).ok()?.lines().map(PathBuf::from).collect();
        Some(Python { program: program.clone(), site_packages })
    })
}

/// Whether `program -m pip` answers.
pub(super) fn has_pip(program: &Path) -> bool {
    answers(Command::new(program).args(["-m", "pip", "--version"]))
}

/// Whether `uv` is on the search path.
pub(super) fn has_uv() -> bool {
    answers(Command::new("uv").arg("--version"))
}

/// The package folders of a virtual environment: `lib/python3.x/site-packages`, on Windows `Lib/site-packages`.
pub(super) fn virtual_env_folders(root: &Path) -> Vec<PathBuf> {
    let mut folders = vec![root.join("Lib").join("site-packages")];
    for lib in ["lib", "lib64"] {
        let mut found: Vec<PathBuf> = std::fs::read_dir(root.join(lib))
            .into_iter()
            .flatten()
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().starts_with("python"))
            .map(|entry| entry.path().join("site-packages"))
            .collect();
        found.sort();
        folders.extend(found);
    }
    folders.retain(|folder| folder.is_dir());
    folders
}

fn answers(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
