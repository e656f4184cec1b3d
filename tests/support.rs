//! What the tests share: a spec in a folder of its own, annotc as a process, and the shared data where it is.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use assert_cmd::cargo::cargo_bin;

use serde_json::Value;

/// A folder with a spec and its data and a cache of its own, removed at the end.
pub struct Project {
    folder: tempfile::TempDir,
    cache: tempfile::TempDir,
}

impl Project {
    /// Writes each named file into a new folder.
    pub fn new(files: &[(&str, &[u8])]) -> Self {
        let folder = || tempfile::tempdir().expect("a temporary folder can be made");
        let project = Self { folder: folder(), cache: folder() };
        share_runtime(project.cache.path());
        for (name, bytes) in files {
            project.write(name, bytes);
        }
        project
    }

    /// A copy of one of the specs of this repository, without what was built there.
    pub fn of_spec(name: &str) -> Self {
        let project = Self::new(&[]);
        let from = repository().join("specs").join(name);
        let mut files = Vec::new();
        collect(&from, &from, &mut files);
        for (name, bytes) in files.iter().filter(|(name, _)| !name.starts_with("build")) {
            project.write(name, bytes);
        }
        project
    }

    /// Writes one file.
    pub fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("a folder is made");
        std::fs::write(path, bytes).expect("a file is written");
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file's text.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("`{name}`: {error}"))
    }

    /// A JSON file.
    pub fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.read(name)).unwrap_or_else(|error| panic!("`{name}`: {error}"))
    }

    /// A JSON Lines file.
    pub fn lines(&self, name: &str) -> Vec<Value> {
        self.read(name).lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
    }

    /// annotc in this folder.
    pub fn annotc(&self, args: &[&str]) -> Run {
        Run::of(self.command(args).output().expect("annotc starts"))
    }

    /// The folder that annotc keeps what it can make again in.
    pub fn cache(&self) -> &Path {
        self.cache.path()
    }

    /// annotc in this folder, not yet started.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(cargo_bin!("annotc"));
        command.current_dir(self.folder.path()).args(args).env_remove("ANNOTC_DATA").env("NO_COLOR", "1");
        command.env("ANNOTC_CACHE", self.cache());
        command
    }

    /// A line of a shell in this folder, which finds annotc on its path; what it prints on either stream, in order.
    pub fn shell(&self, line: &str) -> Run {
        let annotc = cargo_bin!("annotc");
        let folder = annotc.parent().expect("the binary lies in a folder");
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(std::iter::once(folder.to_path_buf()).chain(std::env::split_paths(&path)));
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("exec 2>&1\n{line}")).current_dir(self.folder.path());
        command.env("PATH", path.expect("the parts come from a path")).env_remove("ANNOTC_DATA").env("NO_COLOR", "1");
        command.env("ANNOTC_CACHE", self.cache());
        Run::of(command.output().expect("a shell starts"))
    }

    /// Every file below `folder` with its bytes, sorted by name.
    pub fn tree(&self, folder: &str) -> Vec<(String, Vec<u8>)> {
        let mut files = Vec::new();
        collect(&self.path(folder), &self.path(folder), &mut files);
        files.sort();
        files
    }
}

/// Lets a cache have the runtime library of the user's own, which is not to be fetched for each test.
fn share_runtime(cache: &Path) {
    let own = std::env::var_os("ANNOTC_CACHE").map(PathBuf::from);
    let own =
        own.unwrap_or_else(|| dirs::cache_dir().unwrap_or_else(std::env::temp_dir).join("annotc")).join("runtime");
    if own.is_dir() {
        #[cfg(unix)]
        std::os::unix::fs::symlink(own, cache.join("runtime")).expect("a link is made");
    }
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<(String, Vec<u8>)>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(root, &path, files);
        } else if let Ok(bytes) = std::fs::read(&path) {
            let name = path.strip_prefix(root).expect("it lies below").to_string_lossy().into_owned();
            files.push((name, bytes));
        }
    }
}

/// What a process left.
pub struct Run {
    /// The exit status; −1 after a signal.
    pub status: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Run {
    /// What a process left that was started otherwise.
    pub fn of(output: Output) -> Self {
        Self {
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Fails the test unless the status is this one.
    #[track_caller]
    pub fn expect(self, status: i32) -> Self {
        assert_eq!(self.status, status, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// The JSON values on standard output, one a line.
    pub fn answers(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
    }
}

/// The folder of this repository.
pub fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
