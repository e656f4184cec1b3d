//! An object store in a thread of the test: as much of the protocols of S3, Google Cloud Storage and Azure as reading and
//! publishing take.

mod write;

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

/// What is wrong with an answer.
pub enum Fault {
    /// The connection breaks off behind so many bytes of the body.
    Cut(usize),
    /// Another status, with a body.
    Status(&'static str, &'static str),
    /// The object is another one from here on.
    Replaced(Vec<u8>),
    /// No answer comes.
    Silence,
}

/// A request for bytes of an object, for a list, or for a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `HEAD`, `PUT`, `POST` or `DELETE`.
    pub method: String,
    /// The path behind the host, decoded, without the question.
    pub path: String,
    /// What stands behind the `?`.
    pub query: String,
    /// The bytes that are asked for, as the header has them.
    pub range: Option<String>,
    /// Who asks, as the header has it.
    pub authorization: String,
    /// What is sent.
    pub body: Vec<u8>,
}

impl Request {
    /// Whether something is sent or removed.
    pub fn writes(&self) -> bool {
        !matches!(self.method.as_str(), "GET" | "HEAD")
    }
}

/// The state that the thread and the test share.
#[derive(Default)]
struct State {
    objects: BTreeMap<String, Vec<u8>>,
    /// What goes wrong with the next requests for bytes, in order.
    faults: VecDeque<Fault>,
    requests: Vec<Request>,
    /// Parts of objects that nobody sees yet: by the upload, or the key, then by their numbers or names.
    parts: BTreeMap<String, BTreeMap<String, Vec<u8>>>,
    /// How many uploads were begun.
    begun: usize,
    /// How many changes are taken before the server is gone; all where nothing is said.
    left: Option<usize>,
    /// What everybody is answered instead of what was asked for.
    refusal: Option<(&'static str, &'static str)>,
    /// Whether changes are answered with silence.
    silent: bool,
}

/// The server of one bucket, `bucket`.
pub struct Server {
    /// Where it listens.
    pub port: u16,
    state: Arc<Mutex<State>>,
}

impl Server {
    /// Starts with these objects.
    pub fn start(objects: &[(&str, &[u8])]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let objects = objects.iter().map(|(key, bytes)| ((*key).to_owned(), bytes.to_vec())).collect();
        let server = Self { port, state: Arc::new(Mutex::new(State { objects, ..State::default() })) };
        let state = Arc::clone(&server.state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&state);
                std::thread::spawn(move || answer(stream, &state));
            }
        });
        server
    }

    /// Replaces an object.
    pub fn put(&self, key: &str, bytes: &[u8]) {
        self.state().objects.insert(key.to_owned(), bytes.to_vec());
    }

    /// Lets these things go wrong with the next requests for bytes.
    pub fn fail(&self, faults: impl IntoIterator<Item = Fault>) {
        self.state().faults.extend(faults);
    }

    /// Is gone for everybody behind so many changes; for nobody with `None`.
    pub fn lose(&self, left: Option<usize>) {
        self.state().left = left;
    }

    /// Refuses everything.
    pub fn refuse(&self, refusal: Option<(&'static str, &'static str)>) {
        self.state().refusal = refusal;
    }

    /// Answers changes with silence.
    pub fn silence(&self, silent: bool) {
        self.state().silent = silent;
    }

    /// All objects.
    pub fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        self.state().objects.clone()
    }

    /// How many uploads were begun and neither finished nor given up.
    pub fn under_way(&self) -> usize {
        self.state().parts.len()
    }

    /// The requests since the last time this was asked.
    pub fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.state().requests)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread has panicked")
    }
}

/// Answers one request and closes the connection.
fn answer(mut stream: TcpStream, state: &Mutex<State>) {
    let Some(request) = read(&stream) else { return };
    let mut state = state.lock().expect("no thread has panicked");
    state.requests.push(request.clone());
    if let Some(left) = &mut state.left {
        if *left == 0 {
            return;
        }
        *left -= usize::from(request.writes());
    }
    if state.silent && request.writes() {
        drop(state);
        std::thread::sleep(std::time::Duration::from_secs(20));
        return;
    }
    let bytes = match request.path.strip_prefix("/bucket") {
        _ if state.refusal.is_some() => {
            let (status, body) = state.refusal.expect("there is one");
            respond(status, "", body.as_bytes())
        }
        Some(key) if request.writes() => write::change(&mut state, &request, key.trim_start_matches('/')),
        Some("" | "/") => respond("200 OK", "", list(&state.objects, &request.query).as_bytes()),
        Some(key) => match object(&mut state, &request, key.trim_start_matches('/')) {
            Some(bytes) => bytes,
            None => {
                drop(state);
                std::thread::sleep(std::time::Duration::from_secs(20));
                return;
            }
        },
        None => respond("404 Not Found", "", b""),
    };
    // A client that has gone away needs no answer.
    let _ = stream.write_all(&bytes);
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut lines = reader.by_ref().lines();
    let first = lines.next()?.ok()?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut request = Request {
        method,
        path: decoded(path),
        query: decoded(&query.replace('+', " ")),
        range: None,
        authorization: String::new(),
        body: Vec::new(),
    };
    let mut length = 0;
    for line in lines.map_while(Result::ok).take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':')?;
        match name.to_ascii_lowercase().as_str() {
            "range" => request.range = Some(value.trim().to_owned()),
            "content-length" => length = value.trim().parse().ok()?,
            "authorization" => request.authorization = value.trim().to_owned(),
            _ => {}
        }
    }
    request.body.resize(length, 0);
    reader.read_exact(&mut request.body).ok()?;
    Some(request)
}

fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((&first, behind)) = rest.split_first() {
        let escaped = (first == b'%').then(|| std::str::from_utf8(behind.get(..2)?).ok()).flatten();
        match escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            None => {
                bytes.push(first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// An object or a part of it; `None` where the server keeps silent.
fn object(state: &mut State, request: &Request, key: &str) -> Option<Vec<u8>> {
    let fault = if request.method == "GET" { state.faults.pop_front() } else { None };
    let cut = match fault {
        Some(Fault::Status(status, body)) => return Some(respond(status, "", body.as_bytes())),
        Some(Fault::Silence) => return None,
        Some(Fault::Replaced(bytes)) => {
            state.objects.insert(key.to_owned(), bytes);
            usize::MAX
        }
        Some(Fault::Cut(bytes)) => bytes,
        None => usize::MAX,
    };
    let Some(bytes) = state.objects.get(key) else {
        return Some(respond("404 Not Found", "", b"<Error><Code>NoSuchKey</Code></Error>"));
    };
    let tag = format!("ETag: \"{}\"\r\nx-ms-blob-type: BlockBlob\r\n", tag(bytes));
    let range = request.range.as_deref().and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
    let (status, headers, body) = match range {
        Some((start, end)) => {
            let start: usize = start.parse().expect("a number");
            let end = end.parse::<usize>().map_or(bytes.len(), |last| bytes.len().min(last + 1));
            let range = format!("{tag}Content-Range: bytes {start}-{}/{}\r\n", end - 1, bytes.len());
            ("206 Partial Content", range, &bytes[start..end])
        }
        None => ("200 OK", tag, bytes.as_slice()),
    };
    let mut answer = respond(status, &headers, body);
    let head = answer.len() - body.len();
    // The answer to `HEAD` says how long the body would be.
    answer.truncate(if request.method == "HEAD" { head } else { answer.len().min(head.saturating_add(cut)) });
    Some(answer)
}

fn respond(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\
         Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n{headers}\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// What tells the versions of an object apart.
fn tag(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex()[..16].to_owned()
}

/// The keys below a prefix: S3 and Google Cloud Storage have one form, Azure has another, in which tags have no quotes. They come
/// on pages of two.
fn list(objects: &BTreeMap<String, Vec<u8>>, query: &str) -> String {
    let of = |name: &str| query.split('&').find_map(|part| part.strip_prefix(name)).unwrap_or_default().to_owned();
    let is_azure = query.contains("comp=list");
    let (prefix, after) = (of("prefix="), of(if is_azure { "marker=" } else { "continuation-token=" }));
    let found = objects.iter().filter(|(key, _)| key.starts_with(&prefix) && **key > after);
    let page: Vec<(&String, &Vec<u8>)> = found.clone().take(2).collect();
    let more = found.count() > 2;
    let next = page.last().filter(|_| more).map_or(String::new(), |(key, _)| (*key).clone());
    let entry = |(key, bytes): &(&String, &Vec<u8>)| match is_azure {
        true => format!(
            "<Blob><Name>{key}</Name><Properties><Last-Modified>Thu, 01 Jan 2026 00:00:00 GMT</Last-Modified>\
             <Content-Length>{}</Content-Length><Content-Type>text/plain</Content-Type><Etag>{}</Etag></Properties></Blob>",
            bytes.len(),
            tag(bytes)
        ),
        false => format!(
            "<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;{}&quot;</ETag>\
             <Size>{}</Size></Contents>",
            tag(bytes),
            bytes.len()
        ),
    };
    let entries: String = page.iter().map(entry).collect();
    match is_azure {
        true => format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults><Blobs>{entries}</Blobs>\
             <NextMarker>{next}</NextMarker></EnumerationResults>"
        ),
        false => {
            let next = match more {
                true => format!("<NextContinuationToken>{next}</NextContinuationToken>"),
                false => String::new(),
            };
            format!(
                "<?xml version=\"1.0\"?><ListBucketResult><IsTruncated>{more}</IsTruncated>{entries}{next}</ListBucketResult>"
            )
        }
    }
}
