//! One file of a web server: asked for where it may have changed, gone on with where the network broke off.

use std::io::{Read, Seek, SeekFrom, Write};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use ureq::http::{Response, StatusCode};
use ureq::{Agent, Body};
use url::Url;

use super::store::{Entry, at};
use super::{Fetched, Remote, RemoteError};

/// The longest that a server may tell a client to wait.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// The longest answer that is read into memory.
const LONGEST_ANSWER: u64 = 256 << 20;

/// How often a server may send a client on.
const MOST_REDIRECTS: u32 = 10;

/// A file on its way.
struct Download {
    file: tempfile::NamedTempFile,
    hasher: blake3::Hasher,
    /// The bytes that are there.
    at: u64,
    etag: Option<String>,
    last_modified: Option<String>,
}

/// How one try ended.
enum Try {
    /// The file is as it is known.
    Same,
    /// All of it is there.
    Whole,
    /// Nothing came, or not all: what happened, and how long the server wants to be left alone.
    Broken(String, Option<Duration>),
}

/// Why there is no answer.
enum Silent {
    /// It may be another time.
    Now(String),
    /// It will be the same the next time.
    Always(String),
}

impl Remote<'_> {
    /// The file at an address, out of the cache where the server says that it has not changed. `name` is what outputs call
    /// it; a token is sent to the server of the address alone.
    pub(super) fn fetch(&self, url: &str, name: &str, token: Option<&str>) -> Result<Fetched, RemoteError> {
        let known = self.known(url);
        let fetched = |blake3: &str| Fetched { name: name.to_owned(), location: self.blob(blake3) };
        match (&known, self.offline) {
            (Some(known), true) => return Ok(fetched(&known.blake3)),
            (None, true) => return Err(RemoteError::Offline { address: name.to_owned() }),
            (_, false) => {}
        }
        let mut download = self.begin()?;
        let (mut tries, mut pause) = (0, self.patience.pause);
        loop {
            let before = download.at;
            let (message, wait) = match self.attempt(url, name, token, known.as_ref(), &mut download)? {
                Try::Same => {
                    let known = known.expect("only a server that was told of a file can say that it is the same");
                    return Ok(fetched(&known.blake3));
                }
                Try::Whole => break,
                Try::Broken(message, wait) => (message, wait),
            };
            // What brought something forward is no failure.
            if download.at > before {
                (tries, pause) = (0, self.patience.pause);
            }
            tries += 1;
            if tries >= self.patience.tries {
                return Err(RemoteError::Network { address: name.to_owned(), message, tries });
            }
            self.sleep(wait.unwrap_or(pause).min(LONGEST_WAIT))?;
            pause *= 2;
        }
        let entry = Entry {
            address: url.to_owned(),
            etag: download.etag,
            last_modified: download.last_modified,
            blake3: download.hasher.finalize().to_hex().to_string(),
            bytes: download.at,
        };
        self.keep(download.file, &entry)?;
        Ok(fetched(&entry.blake3))
    }

    fn begin(&self) -> Result<Download, RemoteError> {
        let (file, hasher) = (self.partial()?, blake3::Hasher::new());
        Ok(Download { file, hasher, at: 0, etag: None, last_modified: None })
    }

    /// Asks once for a file, or for what is missing of it.
    fn attempt(
        &self,
        url: &str,
        name: &str,
        token: Option<&str>,
        known: Option<&Entry>,
        download: &mut Download,
    ) -> Result<Try, RemoteError> {
        let mut headers: Vec<(&str, String)> = Vec::new();
        // A part can be asked for only where the server can tell whether it is still a part of the same.
        let version = download.etag.clone().filter(|etag| !etag.starts_with("W/")).or(download.last_modified.clone());
        match (version, download.at, known) {
            (Some(version), 1.., _) => {
                headers.push(("Range", format!("bytes={}-", download.at)));
                headers.push(("If-Range", version));
            }
            (None, 1.., _) => download.restart()?,
            (_, 0, Some(known)) => {
                headers.extend(known.etag.clone().map(|etag| ("If-None-Match", etag)));
                headers.extend(known.last_modified.clone().map(|date| ("If-Modified-Since", date)));
            }
            (_, 0, None) => {}
        }
        let response = match self.get(url, token, &headers) {
            Ok(response) => response,
            Err(Silent::Now(message)) => return Ok(Try::Broken(message, None)),
            Err(Silent::Always(message)) => return Err(RemoteError::Answer { address: name.to_owned(), message }),
        };
        let status = response.status();
        match status {
            StatusCode::NOT_MODIFIED if known.is_some() && download.at == 0 => return Ok(Try::Same),
            StatusCode::PARTIAL_CONTENT if begins_at(&response, download.at) => {}
            StatusCode::OK => {
                download.restart()?;
                (self.tell)(name);
            }
            StatusCode::RANGE_NOT_SATISFIABLE | StatusCode::PARTIAL_CONTENT => {
                download.restart()?;
                return Ok(Try::Broken("the server sends another part than the one that is missing".to_owned(), None));
            }
            _ if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() => {
                let wait = text_of(&response, "retry-after").and_then(|seconds| seconds.parse().ok());
                let message = format!("the server answers {}", status.as_u16());
                return Ok(Try::Broken(message, wait.map(Duration::from_secs)));
            }
            _ => return Err(RemoteError::Status { address: name.to_owned(), status: status.as_u16() }),
        }
        download.etag = text_of(&response, "etag");
        download.last_modified = text_of(&response, "last-modified");
        self.take(name, response, download)
    }

    /// Takes the body of an answer.
    fn take(&self, name: &str, response: Response<Body>, download: &mut Download) -> Result<Try, RemoteError> {
        let too_large = |bytes| RemoteError::TooLarge { address: name.to_owned(), bytes, most: self.patience.most };
        let announced = response.body().content_length().map(|more| download.at.saturating_add(more));
        if let Some(bytes) = announced.filter(|bytes| *bytes > self.patience.most) {
            return Err(too_large(bytes));
        }
        let mut body = response.into_body().into_reader();
        let mut buffer = vec![0; 1 << 16];
        loop {
            self.check_cancel()?;
            match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => download.push(&buffer[..read])?,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Ok(Try::Broken(plain(&error), None)),
            }
            if download.at > self.patience.most {
                return Err(too_large(download.at));
            }
        }
        match announced {
            Some(announced) if announced != download.at => {
                Ok(Try::Broken(format!("{} of {announced} bytes came", download.at), None))
            }
            _ => Ok(Try::Whole),
        }
    }

    /// A short answer as JSON.
    pub(super) fn ask(&self, url: &str, name: &str, token: Option<&str>) -> Result<serde_json::Value, RemoteError> {
        let (mut tries, mut pause) = (0, self.patience.pause);
        loop {
            let (message, wait) = match self.get(url, token, &[]) {
                Ok(response) if response.status().is_success() => {
                    let body = response.into_body().into_with_config().limit(LONGEST_ANSWER).read_to_vec();
                    match body {
                        Ok(bytes) => {
                            let message = "the answer is no JSON".to_owned();
                            let wrong = |_| RemoteError::Answer { address: name.to_owned(), message };
                            return serde_json::from_slice(&bytes).map_err(wrong);
                        }
                        Err(error) => (error.to_string(), None),
                    }
                }
                Ok(response)
                    if response.status() == StatusCode::TOO_MANY_REQUESTS || response.status().is_server_error() =>
                {
                    let wait = text_of(&response, "retry-after").and_then(|seconds| seconds.parse().ok());
                    (format!("the server answers {}", response.status().as_u16()), wait.map(Duration::from_secs))
                }
                Ok(response) => {
                    return Err(RemoteError::Status { address: name.to_owned(), status: response.status().as_u16() });
                }
                Err(Silent::Now(message)) => (message, None),
                Err(Silent::Always(message)) => return Err(RemoteError::Answer { address: name.to_owned(), message }),
            };
            tries += 1;
            if tries >= self.patience.tries {
                return Err(RemoteError::Network { address: name.to_owned(), message, tries });
            }
            self.sleep(wait.unwrap_or(pause).min(LONGEST_WAIT))?;
            pause *= 2;
        }
    }

    /// The answer to a question, from wherever the server sends a client on to. The token is shown to the origin of the
    /// address alone: another port of the same machine is another server.
    fn get(&self, url: &str, token: Option<&str>, headers: &[(&str, String)]) -> Result<Response<Body>, Silent> {
        // The address is told by the caller, without what a proxy's address may hold.
        let no_address = |_| Silent::Always("this is no address".to_owned());
        let asked = Url::parse(url).map_err(no_address)?;
        let agent = self.agent(&asked);
        let mut place = asked.clone();
        for _ in 0..=MOST_REDIRECTS {
            let token = token.filter(|_| place.origin() == asked.origin());
            let response = get_once(&agent, &place, token, headers)?;
            let next = text_of(&response, "location").filter(|_| response.status().is_redirection());
            let Some(next) = next.filter(|_| response.status() != StatusCode::NOT_MODIFIED) else {
                return Ok(response);
            };
            place = place.join(&next).map_err(no_address)?;
        }
        Err(Silent::Always(format!("the server sends on more than {MOST_REDIRECTS} times")))
    }

    /// Proxies are those of the environment. A connection that was secret stays so, wherever it is redirected.
    fn agent(&self, url: &Url) -> Agent {
        let silence = Some(self.patience.silence);
        Agent::config_builder()
            .http_status_as_error(false)
            .https_only(url.scheme() == "https")
            .max_redirects(0)
            .user_agent(concat!("annotc/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(silence)
            .timeout_recv_response(silence)
            .timeout_per_read(silence)
            .build()
            .new_agent()
    }

    fn sleep(&self, pause: Duration) -> Result<(), RemoteError> {
        let end = Instant::now() + pause;
        while Instant::now() < end {
            self.check_cancel()?;
            std::thread::sleep(Duration::from_millis(50).min(end.saturating_duration_since(Instant::now())));
        }
        Ok(())
    }

    fn check_cancel(&self) -> Result<(), RemoteError> {
        if self.cancel.load(Ordering::Relaxed) { Err(RemoteError::Interrupted) } else { Ok(()) }
    }
}

/// Asks one server.
fn get_once(
    agent: &Agent,
    url: &Url,
    token: Option<&str>,
    headers: &[(&str, String)],
) -> Result<Response<Body>, Silent> {
    // Bytes are asked for as they lie, so that a part of them is a part of the file.
    let mut request = agent.get(url.as_str()).header("Accept-Encoding", "identity");
    if let Some(token) = token {
        request = request.header("Authorization", format!("Bearer {token}"));
    }
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    request.call().map_err(|error| match error {
        ureq::Error::Io(error) => Silent::Now(plain(&error)),
        ureq::Error::BadUri(_) => Silent::Always("this is no address".to_owned()),
        ureq::Error::RequireHttpsOnly(_) => Silent::Always("the server sends on from `https` to `http`".to_owned()),
        error => Silent::Now(error.to_string()),
    })
}

impl Download {
    fn push(&mut self, bytes: &[u8]) -> Result<(), RemoteError> {
        self.file.write_all(bytes).map_err(at(self.file.path()))?;
        self.hasher.update(bytes);
        self.at += bytes.len() as u64;
        Ok(())
    }

    fn restart(&mut self) -> Result<(), RemoteError> {
        let emptied = self.file.as_file().set_len(0).and_then(|()| self.file.seek(SeekFrom::Start(0)));
        emptied.map_err(at(self.file.path()))?;
        self.hasher.reset();
        self.at = 0;
        Ok(())
    }
}

fn text_of(response: &Response<Body>, header: &str) -> Option<String> {
    Some(response.headers().get(header)?.to_str().ok()?.trim().to_owned())
}

/// Whether a part of a file begins at the byte that is missing.
fn begins_at(response: &Response<Body>, at: u64) -> bool {
    let range = text_of(response, "content-range");
    let begin = range.as_deref().and_then(|range| range.strip_prefix("bytes ")?.split('-').next()?.parse().ok());
    begin == Some(at)
}

fn plain(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::ConnectionRefused => "the server refuses connections".to_owned(),
        std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::ConnectionReset => {
            "the connection broke off".to_owned()
        }
        _ => error.to_string(),
    }
}
