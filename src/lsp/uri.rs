//! Paths and the addresses by which clients call them.

use std::fmt::Write as _;
use std::path::{Component, Path, PathBuf};

use lsp_types::Uri;

/// The path of a `file:` address. A text that has no file yet goes by its whole address.
pub fn to_path(uri: &Uri) -> PathBuf {
    let text = uri.as_str();
    let Some(rest) = text.strip_prefix("file://") else { return PathBuf::from(text) };
    // An authority names a host; `localhost` and none mean this machine.
    let path =
        rest.find('/').map_or(rest, |at| if matches!(&rest[..at], "" | "localhost") { &rest[at..] } else { rest });
    let decoded = decode(path.split(['?', '#']).next().unwrap_or(path));
    let is_drive = decoded.as_bytes().get(2) == Some(&b':') && decoded.starts_with('/');
    normalize(Path::new(if is_drive { &decoded[1..] } else { &decoded }))
}

/// The address of a path; `None` where it cannot be one.
pub fn from_path(path: &Path) -> Option<Uri> {
    let text = path.to_string_lossy().replace('\\', "/");
    if text.contains("://") || text.starts_with("untitled:") {
        return text.parse().ok();
    }
    let mut uri = String::from(if text.starts_with('/') { "file://" } else { "file:///" });
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.' | b'~') {
            uri.push(char::from(byte));
        } else {
            write!(uri, "%{byte:02X}").expect("a string takes every text");
        }
    }
    uri.parse().ok()
}

/// The path without `.` and with `..` followed, by its looks alone: two ways to one file are one.
pub fn normalize(path: &Path) -> PathBuf {
    let mut parts: Vec<Component<'_>> = Vec::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(parts.last(), Some(Component::Normal(_))) => {
                parts.pop();
            }
            Component::ParentDir if matches!(parts.last(), Some(Component::RootDir)) => {}
            Component::ParentDir | Component::Prefix(_) | Component::RootDir | Component::Normal(_) => parts.push(part),
        }
    }
    parts.iter().collect()
}

/// Puts bytes in the place of `%20` and the like.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let digit = |at: usize| after.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        if let (b'%', Some(high), Some(low)) = (*first, digit(0), digit(1)) {
            bytes.push((high * 16 + low) as u8);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_addresses_are_each_other() {
        for (path, uri) in [
            ("/a b/ä.annot", "file:///a%20b/%C3%A4.annot"),
            ("/x/100%.annot", "file:///x/100%25.annot"),
            ("untitled:Untitled-1", "untitled:Untitled-1"),
        ] {
            assert_eq!(from_path(Path::new(path)).expect("it is an address").as_str(), uri);
            assert_eq!(to_path(&uri.parse().expect("it is an address")), Path::new(path));
        }
    }

    #[test]
    fn two_ways_to_a_file_are_one() {
        assert_eq!(normalize(Path::new("/a/./b/../c.annot")), Path::new("/a/c.annot"));
        assert_eq!(normalize(Path::new("../c.annot")), Path::new("../c.annot"));
        let uri = "file://localhost/a/%2E%2E/c.annot".parse().expect("it is an address");
        assert_eq!(to_path(&uri), Path::new("/c.annot"));
    }
}
