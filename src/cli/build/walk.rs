//! The files that a pattern or a folder names. What is there and cannot be read is an error: passed over in silence, its
//! records would be missing without a word.

use std::ffi::OsString;
use std::fs::{self, DirEntry};
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};

use glob::Pattern;

use super::inputs::NotFound;

/// One part of a pattern, between slashes.
enum Part {
    /// A name as it stands.
    Name(OsString),
    /// All names that match.
    Names(Pattern),
    /// `**`: the folder and all folders in it.
    Folders,
}

/// The files that match a pattern below a folder, in no order. `**` does not follow a link to a folder, which may lead back;
/// the other parts do.
///
/// # Errors
/// What is no pattern, and what is there and cannot be read.
pub fn matching(folder: &Path, pattern: &str) -> Result<Vec<PathBuf>, NotFound> {
    let mut found = Vec::new();
    walk(folder.to_path_buf(), &parts(pattern)?, &mut found)?;
    // Two `**` reach the same file in several ways.
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// All files in a folder and the folders in it that `wanted` takes, and all others, in no order. What is hidden is not
/// looked at.
///
/// # Errors
/// What is there and cannot be read.
pub fn within(folder: &Path, wanted: impl Fn(&Path) -> bool) -> Result<(Vec<PathBuf>, Vec<PathBuf>), NotFound> {
    let (mut found, mut skipped, mut folders) = (Vec::new(), Vec::new(), vec![folder.to_path_buf()]);
    while let Some(folder) = folders.pop() {
        for entry in entries(&folder)? {
            let path = entry.path();
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            if is_folder(&entry) {
                folders.push(path);
            } else if wanted(&path) {
                found.extend(file(path)?);
            } else if path.is_file() {
                skipped.push(path);
            }
        }
    }
    Ok((found, skipped))
}

fn parts(pattern: &str) -> Result<Vec<Part>, NotFound> {
    let read = |text: &str| {
        Pattern::new(text).map_err(|error| NotFound {
            message: format!("`{pattern}` is no file pattern: {}", error.msg),
            help: "write `*`, `?`, `**` or `[a-z]`; a bracket of a name stands as `[[]`".to_owned(),
        })
    };
    read(pattern)?;
    let mut parts = Vec::new();
    for component in Path::new(pattern).components() {
        parts.push(match component {
            Component::CurDir => continue,
            Component::Normal(name) => match name.to_str() {
                Some("**") => Part::Folders,
                Some(text) if text.contains(['*', '?', '[']) => Part::Names(read(text)?),
                Some(_) | None => Part::Name(name.to_owned()),
            },
            Component::Prefix(_) | Component::RootDir | Component::ParentDir => {
                Part::Name(component.as_os_str().to_owned())
            }
        });
    }
    Ok(parts)
}

fn walk(at: PathBuf, parts: &[Part], found: &mut Vec<PathBuf>) -> Result<(), NotFound> {
    let Some((part, rest)) = parts.split_first() else {
        found.extend(file(at)?);
        return Ok(());
    };
    match part {
        Part::Name(name) => walk(at.join(name), rest, found),
        Part::Names(pattern) => {
            for entry in entries(&at)? {
                if pattern.matches(&entry.file_name().to_string_lossy()) {
                    walk(entry.path(), rest, found)?;
                }
            }
            Ok(())
        }
        Part::Folders => {
            for entry in entries(&at)? {
                if is_folder(&entry) {
                    walk(entry.path(), parts, found)?;
                } else if rest.is_empty() {
                    found.extend(file(entry.path())?);
                }
            }
            if rest.is_empty() { Ok(()) } else { walk(at, rest, found) }
        }
    }
}

/// What lies in a folder; nothing where there is no folder.
fn entries(folder: &Path) -> Result<Vec<DirEntry>, NotFound> {
    match fs::read_dir(folder).and_then(Iterator::collect) {
        Ok(entries) => Ok(entries),
        Err(error) if is_absent(&error) => Ok(Vec::new()),
        Err(error) => Err(unreadable(folder, &error)),
    }
}

/// Whether an entry is a folder itself, and no link to one.
fn is_folder(entry: &DirEntry) -> bool {
    entry.file_type().is_ok_and(|kind| kind.is_dir())
}

/// The path of a file; nothing of a folder, and nothing where there is nothing.
fn file(path: PathBuf) -> Result<Option<PathBuf>, NotFound> {
    match fs::metadata(&path) {
        Ok(metadata) if metadata.is_file() => Ok(Some(path)),
        Ok(metadata) if metadata.is_dir() => Ok(None),
        Ok(_) => Err(NotFound {
            message: format!("{} is a pipe, a socket or a device, and no file", path.display()),
            help: "files are read more than once: write what comes out of it into one".to_owned(),
        }),
        Err(error) if is_absent(&error) => match fs::symlink_metadata(&path) {
            Ok(_) => Err(NotFound {
                message: format!("{} is a link to nothing", path.display()),
                help: "mend the link, or take it out".to_owned(),
            }),
            Err(_) => Ok(None),
        },
        Err(error) => Err(unreadable(&path, &error)),
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn unreadable(path: &Path, error: &io::Error) -> NotFound {
    NotFound {
        message: format!("cannot read {}: {error}", path.display()),
        help: "what it holds would be missing: let it be read, or name a path without it".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The files below a folder that match, relative to it.
    fn names(folder: &Path, pattern: &str) -> Result<Vec<String>, String> {
        let found = matching(folder, pattern).map_err(|error| error.message)?;
        let name = |path: PathBuf| path.strip_prefix(folder).expect("below the folder").display().to_string();
        Ok(found.into_iter().map(name).collect())
    }

    fn with_files(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder is made");
            fs::write(path, "x").expect("a file is written");
        }
        folder
    }

    #[test]
    fn patterns_match_part_by_part() {
        let folder = with_files(&["a.csv", "b/a.csv", "b/c/a.csv", "b/c/[1].csv", "b/c/d/e.txt"]);
        for (pattern, expected) in [
            ("a.csv", vec!["a.csv"]),
            ("./b/../a.csv", vec!["b/../a.csv"]),
            ("*.csv", vec!["a.csv"]),
            ("b/*/?.csv", vec!["b/c/a.csv"]),
            ("b/c/[[]1].csv", vec!["b/c/[1].csv"]),
            ("b/**/*.csv", vec!["b/a.csv", "b/c/[1].csv", "b/c/a.csv"]),
            ("**/c/**/*", vec!["b/c/[1].csv", "b/c/a.csv", "b/c/d/e.txt"]),
            ("b/c/**", vec!["b/c/[1].csv", "b/c/a.csv", "b/c/d/e.txt"]),
            ("b", vec![]),
            ("a.csv/x", vec![]),
            ("none/*.csv", vec![]),
        ] {
            assert_eq!(
                names(folder.path(), pattern).as_deref(),
                Ok(&expected.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()[..]),
                "{pattern}"
            );
        }
        for pattern in ["b/[1.csv", "a**", "***/x"] {
            let error = names(folder.path(), pattern).expect_err(pattern);
            assert!(error.contains("is no file pattern"), "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_are_no_loops_and_what_cannot_be_read_is_told() {
        use std::os::unix::fs::symlink;
        let folder = with_files(&["a/x.csv", "b/y.csv"]);
        let at = |name: &str| folder.path().join(name);
        symlink(".", at("a/loop")).expect("a link is made");
        symlink("../a", at("b/other")).expect("a link is made");
        symlink("x.csv", at("a/z.csv")).expect("a link is made");
        let all = ["a/x.csv", "a/z.csv", "b/y.csv"].map(str::to_owned);
        assert_eq!(names(folder.path(), "**/*.csv").as_deref(), Ok(&all[..]), "a link to a folder is not followed");
        assert_eq!(names(folder.path(), "b/*/x.csv"), Ok(vec!["b/other/x.csv".to_owned()]), "one that is named is");
        let csv = |path: &Path| path.extension().is_some_and(|ending| ending == "csv");
        assert_eq!(within(folder.path(), csv).map(|(found, _)| found.len()), Ok(3));
        symlink("nowhere", at("a/dangling.csv")).expect("a link is made");
        for found in [matching(folder.path(), "**/*.csv"), within(folder.path(), csv).map(|(found, _)| found)] {
            assert!(found.expect_err("a link to nothing").message.ends_with("dangling.csv is a link to nothing"));
        }
        symlink("self.csv", at("b/self.csv")).expect("a link is made");
        assert!(names(folder.path(), "b/self.csv").expect_err("a loop").starts_with("cannot read "));
        assert!(names(Path::new("/"), "dev/null").expect_err("no file").ends_with("and no file"));
    }
}
