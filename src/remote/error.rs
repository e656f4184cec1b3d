//! What the network can do to a build. No message holds credentials: addresses with some are no addresses of a spec.

use std::io;
use std::path::PathBuf;

/// Why a remote file is not there.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// The server says that there is no such file, or that it may not be read.
    #[error("{address}: the server answers {status}{}", meaning(*status))]
    Status {
        /// What was asked for.
        address: String,
        /// The number of the answer.
        status: u16,
    },
    /// The server could not be reached, or not to the end.
    #[error("{address}: {message}, after {tries} tries")]
    Network {
        /// What was asked for.
        address: String,
        /// What happened the last time.
        message: String,
        /// How often it was tried.
        tries: u32,
    },
    /// The file is larger than can be read.
    #[error("{address}: {bytes} bytes, more than the {most} that can be read")]
    TooLarge {
        /// What was asked for.
        address: String,
        /// Its size.
        bytes: u64,
        /// The most.
        most: u64,
    },
    /// The answer makes no sense.
    #[error("{address}: {message}")]
    Answer {
        /// What was asked for.
        address: String,
        /// What is wrong with it.
        message: String,
    },
    /// Nothing may be fetched, and the cache does not have it.
    #[error("{address} is not in the cache, and `--offline` forbids fetching it")]
    Offline {
        /// What was asked for.
        address: String,
    },
    /// No file of a repository has the path.
    #[error("{address}: no file matches")]
    NoFile {
        /// What was asked for.
        address: String,
    },
    /// Objects that no build made stand where a target would be published.
    #[error("`{address}` was not made by annotc and would be lost: move it away, or choose another `--out`")]
    Foreign {
        /// Where.
        address: String,
    },
    /// This build of the program has no object stores.
    #[error("{address}: this annotc was built without object stores")]
    NoCloud {
        /// What was asked for.
        address: String,
    },
    /// The cache cannot be written.
    #[error("the cache cannot be used at {}: {error}", path.display())]
    Cache {
        /// Where.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Somebody asked to stop.
    #[error("interrupted")]
    Interrupted,
}

fn meaning(status: u16) -> &'static str {
    match status {
        401 | 403 => ": it wants credentials, or others than those that it got",
        404 | 410 => ": there is no such file",
        _ => "",
    }
}

/// Where the credentials for an address come from.
fn credentials(address: &str) -> &'static str {
    match address.split_once("://").map_or("", |(scheme, _)| scheme) {
        "hf" => "a repository of the Hub is opened by a token in the environment variable HF_TOKEN",
        "s3" => "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION say who asks; is the bucket theirs to read?",
        "gs" => "GOOGLE_SERVICE_ACCOUNT names the file with the key of who asks; is the bucket theirs to read?",
        "az" => {
            "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY say who asks; is the container theirs to read?"
        }
        _ => "a web server is shown no credentials: fetch the file and name its path",
    }
}

impl RemoteError {
    /// A way out for a build that publishes.
    pub fn help_to_publish(&self) -> Option<&'static str> {
        match self {
            Self::Status { .. } | Self::Network { .. } | Self::Answer { .. } | Self::NoFile { .. } => Some(
                "is the bucket there, is the network, and may those whose keys the environment holds list, read, write and \
                 delete its objects? then build again",
            ),
            Self::Cache { .. } | Self::NoCloud { .. } | Self::Offline { .. } => self.help(),
            Self::TooLarge { .. } | Self::Foreign { .. } | Self::Interrupted => None,
        }
    }

    /// A way out.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Status { address, status: 401 | 403 } => Some(credentials(address)),
            Self::Status { .. } | Self::NoFile { .. } => Some("is the address right? a browser shows what is there"),
            Self::Network { .. } => {
                Some("try again; HTTPS_PROXY names a proxy, and `--offline` builds from what is in the cache")
            }
            Self::Offline { .. } => Some("build once without `--offline`"),
            Self::NoCloud { .. } => Some(
                "build annotc with it: `cargo install --path . --features cloud`; or fetch the file and name its path",
            ),
            Self::Cache { .. } => Some("name a folder that can be written with `--cache` or ANNOTC_CACHE"),
            Self::TooLarge { .. } | Self::Answer { .. } | Self::Foreign { .. } | Self::Interrupted => None,
        }
    }
}
