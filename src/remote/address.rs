//! Addresses of remote files, as a `path` statement has them.

/// An address that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// `http://…` or `https://…`: one file.
    Http(String),
    /// `hf://datasets/…`: files of a repository of the Hub.
    Hub(HubAddress),
    /// `s3://…`, `gs://…`, `az://…`: objects of a store.
    Cloud(String),
}

/// The kinds of address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// A web server's.
    Http,
    /// The Hub's.
    Hub,
    /// An object store's.
    Cloud,
}

/// `hf://datasets/OWNER/NAME@REVISION/PATH`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubAddress {
    /// Who owns the repository.
    pub owner: String,
    /// The repository's name.
    pub name: String,
    /// A branch, a tag or a commit.
    pub revision: String,
    /// A file, a folder or a pattern in it; empty for the whole repository.
    pub path: String,
}

impl Scheme {
    /// The scheme that stands before `://`; `None` of one that nobody reads.
    pub fn of(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "http" | "https" => Some(Self::Http),
            "hf" => Some(Self::Hub),
            "s3" | "gs" | "az" => Some(Self::Cloud),
            _ => None,
        }
    }
}

impl Address {
    /// Reads an address; `None` of a path that is none.
    ///
    /// # Errors
    /// How an address of its scheme is written.
    pub fn parse(path: &str) -> Option<Result<Self, &'static str>> {
        let (word, rest) = path.split_once("://")?;
        let scheme = Scheme::of(word)?;
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        Some(match scheme {
            Scheme::Http if host.is_empty() => Err("write the server and the file: `https://example.org/data.jsonl`"),
            Scheme::Http if rest.contains('*') => Err("a web server has no patterns: name each file"),
            Scheme::Http => Ok(Self::Http(path.split('#').next().unwrap_or(path).to_owned())),
            Scheme::Hub => HubAddress::parse(rest).map(Self::Hub),
            Scheme::Cloud if host.is_empty() => Err("write the bucket and the object: `s3://bucket/data/*.jsonl`"),
            Scheme::Cloud => Ok(Self::Cloud(path.to_owned())),
        })
    }
}

impl HubAddress {
    fn parse(rest: &str) -> Result<Self, &'static str> {
        const FORM: &str =
            "write it as `hf://datasets/OWNER/NAME@REVISION/data/*.parquet`; `@REVISION` may be left out";
        let mut parts = rest.splitn(4, '/');
        let (kind, owner, named) = (parts.next(), parts.next(), parts.next());
        let mut path = parts.next().unwrap_or_default();
        let (Some("datasets"), Some(owner), Some(named)) = (kind, owner, named) else { return Err(FORM) };
        let (name, mut revision) = match named.split_once('@') {
            Some((name, revision)) => (name, revision.replace("%2F", "/").replace("%2f", "/")),
            None => (named, "main".to_owned()),
        };
        // The Hub's own branches have slashes in their names: `refs/convert/parquet`, `refs/pr/1`.
        if revision == "refs" {
            let mut more = path.splitn(3, '/');
            let (Some(kind), Some(one)) = (more.next(), more.next()) else { return Err(FORM) };
            revision = format!("refs/{kind}/{one}");
            path = more.next().unwrap_or_default();
        }
        let is_name = |name: &str| {
            !name.is_empty()
                && !name.starts_with('.')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        };
        let is_path = path.split('/').all(|part| part != "..");
        if !is_name(owner) || !is_name(name) || !revision.split('/').all(is_name) || !is_path {
            return Err(FORM);
        }
        Ok(Self { owner: owner.to_owned(), name: name.to_owned(), revision, path: path.to_owned() })
    }

    /// The address of its repository at its revision, by which the lock knows it.
    pub fn repository(&self) -> String {
        format!("hf://datasets/{}/{}@{}", self.owner, self.name, self.revision)
    }

    /// Whether the revision is a commit, which never means anything else.
    pub fn is_commit(&self) -> bool {
        is_commit(&self.revision)
    }
}

/// Whether an address carries credentials: before its host, or in its question.
pub fn has_secret(address: &str) -> bool {
    const SECRETS: [&str; 6] = ["token=", "key=", "secret=", "password=", "signature=", "sig="];
    let Some((_, rest)) = address.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let query = rest.split_once('?').map(|(_, query)| query.to_lowercase()).unwrap_or_default();
    authority.contains('@') || SECRETS.iter().any(|word| query.contains(word))
}

/// Whether a text is the name of a commit.
pub(super) fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let hub = |owner: &str, revision: &str, path: &str| {
            let (owner, name) = (owner.to_owned(), "n".to_owned());
            Some(Ok(Address::Hub(HubAddress { owner, name, revision: revision.to_owned(), path: path.to_owned() })))
        };
        assert_eq!(Address::parse("hf://datasets/o/n/data/*.csv"), hub("o", "main", "data/*.csv"));
        assert_eq!(Address::parse("hf://datasets/o/n@v1.0"), hub("o", "v1.0", ""));
        assert_eq!(
            Address::parse("hf://datasets/o/n@refs/convert/parquet/d/a"),
            hub("o", "refs/convert/parquet", "d/a")
        );
        assert_eq!(Address::parse("hf://datasets/o/n@refs%2Fpr%2F1/a"), hub("o", "refs/pr/1", "a"));
        let wrong = [
            "hf://models/o/n/a",
            "hf://datasets/n",
            "hf://datasets/o/n@/a",
            "hf://datasets/o/../a",
            "https:///a",
            "https://h/*.csv",
            "s3:///a",
        ];
        for path in wrong {
            assert!(matches!(Address::parse(path), Some(Err(_))), "{path}");
        }
        assert_eq!(Address::parse("HTTPS://h/a?b#c"), Some(Ok(Address::Http("HTTPS://h/a?b".to_owned()))));
        assert_eq!((Address::parse("data/a.csv"), Address::parse("ftp://h/a")), (None, None));
    }
}
