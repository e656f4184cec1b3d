//! Addresses of folders of object stores, as a command line has them: where a build goes and what is looked back at.

use std::fmt;

use super::address::{Scheme, has_secret};

/// `s3://bucket/prefix`: the objects below a prefix of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreFolder {
    scheme: String,
    bucket: String,
    /// Without a slash at either end; empty for the whole bucket.
    prefix: String,
}

impl StoreFolder {
    /// Reads an address; `None` of a path of this machine.
    ///
    /// # Errors
    /// What is wrong with it. The address is not repeated where it may hold a secret.
    pub fn parse(text: &str) -> Option<Result<Self, String>> {
        let read = Self::read(text)?;
        let built_without = || {
            let scheme = text.split("://").next().unwrap_or_default();
            format!(
                "this annotc was built without the feature that reads and writes addresses of `{scheme}`: build it with \
                 `--features cloud`, or name a folder"
            )
        };
        Some(read.and_then(|folder| if cfg!(feature = "cloud") { Ok(folder) } else { Err(built_without()) }))
    }

    /// The same, whether this annotc can reach a store or not.
    pub(super) fn read(text: &str) -> Option<Result<Self, String>> {
        let (scheme, rest) = text.split_once("://")?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        if scheme.is_empty() || !scheme.chars().all(plain) {
            return None;
        }
        Some(Self::of(scheme, rest, text))
    }

    fn of(scheme: &str, rest: &str, text: &str) -> Result<Self, String> {
        if has_secret(text) {
            return Err("this address carries credentials: take them out, they come from the environment alone".into());
        }
        match Scheme::of(scheme) {
            Some(Scheme::Cloud) => {}
            Some(Scheme::Http | Scheme::Hub) | None => {
                return Err(format!(
                    "builds lie in folders and at addresses of object stores (`s3://`, `gs://`, `az://`), not at `{scheme}://`"
                ));
            }
        }
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.trim_end_matches('/');
        if bucket.is_empty() {
            return Err(format!("write the bucket and a folder in it: `{scheme}://bucket/folder`"));
        }
        let is_name = |name: &str| {
            !matches!(name, "" | "." | "..") && !name.contains(|c: char| c.is_control() || "*?[]#\\".contains(c))
        };
        if !is_name(bucket) || !prefix.is_empty() && !prefix.split('/').all(is_name) {
            return Err(format!(
                "`{text}` names no folder of a store: write names between single slashes, without patterns, `.` and `..`"
            ));
        }
        Ok(Self { scheme: scheme.to_ascii_lowercase(), bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }

    /// `s3`, `gs` or `az`.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The bucket, which Azure calls a container.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The key of an object, by its path in the folder.
    pub fn key(&self, path: &str) -> String {
        match (self.prefix.as_str(), path) {
            ("", path) => path.to_owned(),
            (prefix, "") => prefix.to_owned(),
            (prefix, path) => format!("{prefix}/{path}"),
        }
    }

    /// The path in the folder of an object with a key; `None` of one that lies elsewhere.
    pub fn path_of<'k>(&self, key: &'k str) -> Option<&'k str> {
        if self.prefix.is_empty() { Some(key) } else { key.strip_prefix(&self.prefix)?.strip_prefix('/') }
    }

    /// The address of what lies at a path in the folder.
    pub fn join(&self, path: &str) -> Self {
        Self { prefix: self.key(path), ..self.clone() }
    }

    /// The last name of the address.
    pub fn name(&self) -> &str {
        let last = self.prefix.rsplit('/').next().unwrap_or_default();
        if last.is_empty() { &self.bucket } else { last }
    }
}

impl fmt::Display for StoreFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scheme, bucket, prefix } = self;
        write!(f, "{scheme}://{bucket}{}{prefix}", if prefix.is_empty() { "" } else { "/" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_no_addresses_and_no_message_repeats_a_secret() {
        for path in ["build", "./a://b", "://x", r"C:\out", "/tmp/s3:/x"] {
            assert_eq!(StoreFolder::parse(path), None, "{path}");
        }
        for (address, word) in [
            ("s3://KEY:s3cret@bucket/x", "carries credentials"),
            ("s3://bucket/x?signature=s3cret", "carries credentials"),
            ("https://example.org/x", "not at `https://`"),
            ("hf://datasets/o/n", "not at `hf://`"),
            ("ftp://h/x", "not at `ftp://`"),
        ] {
            let message = StoreFolder::parse(address).expect("an address").expect_err(address);
            assert!(message.contains(word) && !message.contains("s3cret"), "{message}");
        }
    }

    #[cfg(not(feature = "cloud"))]
    #[test]
    fn without_the_feature_every_address_is_refused() {
        let message = StoreFolder::parse("s3://bucket/x").expect("an address").expect_err("no stores");
        assert!(message.contains("`--features cloud`"), "{message}");
    }

    #[test]
    fn folders_of_stores_are_read_and_named() {
        let read = |text: &str| StoreFolder::read(text).expect("an address");
        let folder = read("S3://bucket/a/b/").expect("a folder");
        assert_eq!((folder.to_string().as_str(), folder.name()), ("s3://bucket/a/b", "b"));
        assert_eq!(folder.join("d").to_string(), "s3://bucket/a/b/d");
        assert_eq!((folder.path_of("a/b/d/x"), folder.path_of("a/bc")), (Some("d/x"), None));
        let whole = read("gs://bucket").expect("a bucket");
        assert_eq!((whole.key("d/x").as_str(), whole.name(), whole.path_of("d")), ("d/x", "bucket", Some("d")));
        for wrong in ["s3://", "s3:///x", "az://c/a//b", "s3://b/../x", "s3://b/*.jsonl", "s3://b/a#b"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
