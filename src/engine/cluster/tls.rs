//! Certificates: each process shows its own and takes those of one authority alone, in both directions.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity, Server, ServerTlsConfig};

use super::{Address, ClusterError};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(60);

/// How a process proves who it is, and whom it believes.
#[derive(Debug, Clone)]
pub struct Tls {
    identity: Identity,
    authority: Certificate,
    /// For messages.
    path: PathBuf,
}

impl Tls {
    /// Reads PEM files: a certificate, its key, and the authority that has signed those of all processes.
    ///
    /// # Errors
    /// [`ClusterError::Certificate`] for a file that cannot be read.
    pub fn read(certificate: &Path, key: &Path, authority: &Path) -> Result<Self, ClusterError> {
        let read = |path: &Path| {
            let unreadable = |error: std::io::Error| unusable(path, error);
            std::fs::read(path).map_err(unreadable)
        };
        let identity = Identity::from_pem(read(certificate)?, read(key)?);
        Ok(Self { identity, authority: Certificate::from_pem(read(authority)?), path: certificate.to_owned() })
    }

    fn client(&self) -> ClientTlsConfig {
        ClientTlsConfig::new().identity(self.identity.clone()).ca_certificate(self.authority.clone())
    }
}

fn unusable(path: &Path, error: impl std::fmt::Display) -> ClusterError {
    ClusterError::Certificate { path: path.to_owned(), reason: error.to_string() }
}

/// A server that asks for certificates where it has one itself.
pub(super) fn server(tls: Option<&Tls>) -> Result<Server, ClusterError> {
    let server = Server::builder().tcp_nodelay(true);
    let Some(tls) = tls else { return Ok(server) };
    let config = ServerTlsConfig::new().identity(tls.identity.clone()).client_ca_root(tls.authority.clone());
    server.tls_config(config).map_err(|error| unusable(&tls.path, words(&error)))
}

/// An endpoint with our timeouts and certificates.
pub(super) fn endpoint(endpoint: Endpoint, tls: Option<&Tls>) -> Result<Endpoint, tonic::transport::Error> {
    let endpoint = endpoint.connect_timeout(CONNECT).timeout(ANSWER).tcp_nodelay(true);
    match tls {
        Some(tls) => endpoint.tls_config(tls.client()),
        None => Ok(endpoint),
    }
}

/// Connects to a scheduler.
///
/// # Errors
/// [`ClusterError::Nobody`] after a few seconds.
pub(super) async fn connect(address: &Address) -> Result<Channel, ClusterError> {
    let nobody =
        |error: tonic::transport::Error| ClusterError::Nobody { address: address.to_string(), reason: words(&error) };
    let scheme = if address.tls.is_some() { "https" } else { "http" };
    let to = Endpoint::from_shared(format!("{scheme}://{address}")).map_err(nobody)?;
    endpoint(to, address.tls.as_ref()).map_err(nobody)?.connect().await.map_err(nobody)
}

/// An error with its causes, from the outermost to the one that says what happened.
pub(super) fn words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !words.contains(&text) {
            words = format!("{words}: {text}");
        }
        cause = error.source();
    }
    words
}
