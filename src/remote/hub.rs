//! Files of the Hub's repositories of data sets, over its plain web interface. A branch is looked up once and pinned: what
//! is read later is read from the same commit.

use glob::{MatchOptions, Pattern};
use serde_json::Value;

use super::address::is_commit;
use super::{Fetched, HubAddress, Remote, RemoteError};
use crate::hir::{SourceFormat, extension};

/// The Hub, where HF_ENDPOINT names no other.
pub(super) const ENDPOINT: &str = "https://huggingface.co";

impl Remote<'_> {
    /// The files of a repository that an address means.
    pub(super) fn hub_files(&self, address: &HubAddress, format: SourceFormat) -> Result<Vec<Fetched>, RemoteError> {
        let commit = self.commit(address)?;
        let repository = format!("hf://datasets/{}/{}@{commit}", address.owner, address.name);
        let token = self.token.as_deref();
        let listed = self.listing(address, &commit)?;
        let chosen = choose(&listed, &address.path, format);
        if chosen.is_empty() {
            return Err(RemoteError::NoFile { address: format!("{repository}/{}", address.path) });
        }
        let base = format!("{}/datasets/{}/{}/resolve/{commit}", self.endpoint, address.owner, address.name);
        let fetch = |path: &&String| {
            let (url, name) = (format!("{base}/{}", escaped(path)), format!("{repository}/{path}"));
            // What a commit holds never changes, so that nobody needs to ask again.
            match self.known(&url) {
                Some(known) => Ok(Fetched { name, location: self.blob(&known.blake3) }),
                None => self.fetch(&url, &name, token),
            }
        };
        chosen.iter().map(fetch).collect()
    }

    /// The commit that a revision means: as the lock has it, else as the Hub says now, else as it said the last time.
    fn commit(&self, address: &HubAddress) -> Result<String, RemoteError> {
        if address.is_commit() {
            return Ok(address.revision.clone());
        }
        let repository = address.repository();
        if let Some(known) = self.used.borrow().get(&repository) {
            return Ok(known.clone());
        }
        let pinned = self.pins.get(&repository).filter(|_| !self.refresh).cloned();
        let commit = match pinned {
            Some(commit) if is_commit(&commit) => commit,
            _ if self.offline => {
                self.read_fact(&repository).ok_or_else(|| RemoteError::Offline { address: repository.clone() })?
            }
            _ => {
                let commit = self.describe(address, &address.revision)?.0;
                self.write_fact(&repository, &commit)?;
                commit
            }
        };
        self.used.borrow_mut().insert(repository, commit.clone());
        Ok(commit)
    }

    /// The paths of a commit's files, which are asked for once.
    fn listing(&self, address: &HubAddress, commit: &str) -> Result<Vec<String>, RemoteError> {
        let fact = format!("hf://datasets/{}/{}@{commit} files", address.owner, address.name);
        if let Some(listed) = self.read_fact(&fact) {
            return Ok(listed);
        }
        if self.offline {
            return Err(RemoteError::Offline { address: address.repository() });
        }
        let (found, mut listed) = self.describe(address, commit)?;
        if found != commit {
            let message = format!("the Hub answers with another commit than {commit}");
            return Err(RemoteError::Answer { address: address.repository(), message });
        }
        listed.sort();
        self.write_fact(&fact, &listed)?;
        Ok(listed)
    }

    /// The commit that a revision means, and the paths of its files.
    fn describe(&self, address: &HubAddress, revision: &str) -> Result<(String, Vec<String>), RemoteError> {
        let (owner, name) = (&address.owner, &address.name);
        let revision = revision.replace('/', "%2F");
        let url = format!("{}/api/datasets/{owner}/{name}/revision/{revision}", self.endpoint);
        let answer = self.ask(&url, &address.repository(), self.token.as_deref())?;
        let commit = answer["sha"].as_str().filter(|commit| is_commit(commit));
        let files = answer["siblings"].as_array();
        let (Some(commit), Some(files)) = (commit, files) else {
            let message = "the answer names no commit and no files".to_owned();
            return Err(RemoteError::Answer { address: address.repository(), message });
        };
        let path = |file: &Value| file["rfilename"].as_str().map(str::to_owned);
        Ok((commit.to_owned(), files.iter().filter_map(path).collect()))
    }
}

/// Those of the listed files that a path means: itself, what matches it as a pattern, or what lies in it as in a folder and
/// is of the format.
pub(super) fn choose<'l>(listed: &'l [String], path: &str, format: SourceFormat) -> Vec<&'l String> {
    if let Some(exact) = listed.iter().find(|file| *file == path) {
        return vec![exact];
    }
    let options =
        MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };
    let folder = path.trim_end_matches('/');
    let is_inside =
        |file: &str| folder.is_empty() || file.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    let is_format = |file: &str| extension(file).and_then(|ending| SourceFormat::of_ending(&ending)) == Some(format);
    let pattern = Pattern::new(path).ok();
    let matches = |file: &str| pattern.as_ref().is_some_and(|pattern| pattern.matches_with(file, options));
    let by_pattern: Vec<&String> = listed.iter().filter(|file| matches(file)).collect();
    if !by_pattern.is_empty() {
        return by_pattern;
    }
    listed.iter().filter(|file| is_inside(file) && is_format(file)).collect()
}

/// A path as a part of an address.
fn escaped(path: &str) -> String {
    let mut escaped = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                escaped.push(char::from(byte))
            }
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}
