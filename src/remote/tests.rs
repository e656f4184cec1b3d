//! A server that misbehaves, and what is made of it.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Mutex;

use super::*;

/// A server on this machine that answers each request by a function of the request's text and its number.
struct Server {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(answer: impl Fn(&str, usize) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let mut request = String::new();
                let mut lines = BufReader::new(&stream);
                while lines.read_line(&mut request).is_ok_and(|read| read > 2) {}
                let number = {
                    let mut seen = seen.lock().expect("no thread has panicked");
                    seen.push(request.clone());
                    seen.len()
                };
                let _ = stream.write_all(&answer(&request, number));
            }
        });
        Self { port, requests }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no thread has panicked").clone()
    }
}

fn answer(status: &str, headers: &[&str], body: &str) -> Vec<u8> {
    let length = format!("Content-Length: {}", body.len());
    let has_length = headers.iter().any(|header| header.starts_with("Content-Length"));
    let mut head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n");
    for header in headers.iter().copied().chain((!has_length).then_some(length.as_str())) {
        head += header;
        head += "\r\n";
    }
    format!("{head}\r\n{body}").into_bytes()
}

/// A client with little patience.
fn client(folder: &Path, endpoint: &str, terms: Terms) -> Remote<'static> {
    let patience =
        Patience { tries: 3, pause: Duration::from_millis(1), silence: Duration::from_millis(400), most: 1 << 20 };
    let remote = Remote::new(folder, terms, Arc::new(AtomicBool::new(false)), Rc::new(|_| {}));
    Remote { patience, endpoint: endpoint.trim_end_matches('/').to_owned(), token: Some("s3cret".to_owned()), ..remote }
}

/// What a file of the server holds for a client, or what went wrong.
fn get(server: &Server, path: &str) -> Result<String, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let address = Address::Http(server.url(path));
    let files = client(folder.path(), "", Terms::default()).files(&address, SourceFormat::Jsonl);
    let files = files.map_err(|error| error.to_string())?;
    Ok(std::fs::read_to_string(&files[0].location).expect("the file lies in the cache"))
}

#[test]
fn a_file_comes_however_the_server_behaves() {
    let tagged = ["ETag: \"1\""];
    let redirect = Server::start(|request, _| match request.starts_with("GET /a ") {
        true => answer("302 Found", &["Location: /b"], ""),
        false => answer("200 OK", &[], "moved"),
    });
    assert_eq!(get(&redirect, "a").as_deref(), Ok("moved"));
    let circle = Server::start(|_, _| answer("302 Found", &["Location: /a"], ""));
    let message = get(&circle, "a").expect_err("no end");
    assert!(message.ends_with("the server sends on more than 10 times"), "{message}");
    assert_eq!(circle.requests().len(), 11, "the same would come of asking again");
    let recovers = Server::start(|_, number| match number {
        1 => answer("500 Internal Server Error", &[], "sorry"),
        2 => answer("429 Too Many Requests", &["Retry-After: 0"], ""),
        _ => answer("200 OK", &[], "good"),
    });
    assert_eq!(get(&recovers, "a").as_deref(), Ok("good"));
    // Cut in the middle, then gone on with; the server is asked for the rest alone.
    let resumes = Server::start(move |_, number| match number {
        1 => answer("200 OK", &["Content-Length: 10", tagged[0]], "01234"),
        2 => answer("206 Partial Content", &["Content-Range: bytes 5-9/10", tagged[0]], "56789"),
        _ => answer("500 Internal Server Error", &[], ""),
    });
    assert_eq!(get(&resumes, "a").as_deref(), Ok("0123456789"));
    let second = resumes.requests()[1].to_lowercase();
    assert!(second.contains("range: bytes=5-\r\n") && second.contains("if-range: \"1\""), "{second}");
    // The file has changed meanwhile: all of the new one, nothing of the old one.
    let changes = Server::start(move |_, number| match number {
        1 => answer("200 OK", &["Content-Length: 10", tagged[0]], "01234"),
        _ => answer("200 OK", &["ETag: \"2\""], "another"),
    });
    assert_eq!(get(&changes, "a").as_deref(), Ok("another"));
    // Nobody can tell whether a part is one of the same file: from the beginning.
    let nameless = Server::start(|_, number| match number {
        1 => answer("200 OK", &["Content-Length: 10"], "01234"),
        _ => answer("200 OK", &[], "0123456789"),
    });
    assert_eq!(get(&nameless, "a").as_deref(), Ok("0123456789"));
    let wrong_part = Server::start(move |_, number| match number {
        1 => answer("200 OK", &["Content-Length: 10", tagged[0]], "01234"),
        2 => answer("206 Partial Content", &["Content-Range: bytes 6-9/10"], "6789"),
        _ => answer("200 OK", &[], "0123456789"),
    });
    assert_eq!(get(&wrong_part, "a").as_deref(), Ok("0123456789"));
}

#[test]
fn what_does_not_come_says_so() {
    let check = |server: &Server, tries: usize, expected: &str| {
        let message = get(server, "a?x=1").expect_err("no file");
        assert!(message.starts_with(&server.url("a?x=1")) && message.contains(expected), "{message}");
        assert_eq!(server.requests().len(), tries, "{expected}");
    };
    check(&Server::start(|_, _| answer("404 Not Found", &[], "")), 1, "the server answers 404: there is no such file");
    check(&Server::start(|_, _| answer("403 Forbidden", &[], "")), 1, "the server answers 403: it wants credentials");
    check(&Server::start(|_, _| answer("503 Unavailable", &[], "")), 3, "the server answers 503, after 3 tries");
    check(
        &Server::start(|_, _| answer("200 OK", &["Content-Length: 9"], "")),
        3,
        "the connection broke off, after 3 tries",
    );
    check(
        &Server::start(|_, _| answer("200 OK", &["Content-Length: 9000000"], "")),
        1,
        "more than the 1048576 that can be",
    );
    let endless = "x".repeat(2 << 20);
    let chunked = format!("{:x}\r\n{endless}\r\n0\r\n\r\n", endless.len());
    let endless =
        move |_: &str, _| format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunked}").into_bytes();
    check(&Server::start(endless), 1, "more than the 1048576 that can be read");
    let slow = Server::start(|_, _| {
        std::thread::sleep(Duration::from_millis(700));
        answer("200 OK", &[], "late")
    });
    let message = get(&slow, "a").expect_err("no file");
    assert!(message.contains("timeout") && message.ends_with("after 3 tries"), "{message}");
    let gone = Server { port: 1, requests: Arc::default() };
    let message = get(&gone, "a").expect_err("no file");
    assert!(message.contains("the server refuses connections"), "{message}");
}

#[test]
fn what_has_not_changed_is_not_fetched_again() {
    let server = Server::start(|request, _| match request.to_lowercase().contains("if-none-match: \"1\"") {
        true => answer("304 Not Modified", &[], ""),
        false => answer("200 OK", &["ETag: \"1\""], "data"),
    });
    let folder = tempfile::tempdir().expect("a folder");
    let address = Address::Http(server.url("a.jsonl"));
    let fetch = |offline| {
        let terms = Terms { offline, ..Terms::default() };
        client(folder.path(), "", terms).files(&address, SourceFormat::Jsonl)
    };
    assert!(matches!(fetch(true), Err(RemoteError::Offline { .. })));
    let first = fetch(false).expect("fetched");
    assert_eq!(first[0].name, server.url("a.jsonl"));
    assert_eq!((fetch(false).ok(), fetch(true).ok()), (Some(first.clone()), Some(first.clone())));
    assert_eq!(server.requests().len(), 2);
    // What somebody has cut in the cache is no answer any more.
    std::fs::write(&first[0].location, "da").expect("written");
    assert!(fetch(true).is_err());
    assert_eq!(fetch(false).ok().as_ref(), Some(&first));
    assert_eq!(std::fs::read(&first[0].location).ok().as_deref(), Some(b"data".as_slice()));
}

const OLD: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const NEW: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// A Hub with one repository, whose branch `main` has moved once the second client asks.
fn hub(other: u16) -> Server {
    Server::start(move |request, _| {
        let path = request.split(' ').nth(1).unwrap_or_default();
        let listing = |commit: &str| {
            let files =
                "[{\"rfilename\":\"data/b 1.jsonl\"},{\"rfilename\":\"README.md\"},{\"rfilename\":\"data/a.jsonl\"}]";
            answer("200 OK", &[], &format!("{{\"sha\":\"{commit}\",\"siblings\":{files}}}"))
        };
        if !request.to_lowercase().contains("authorization: bearer s3cret") {
            return answer("401 Unauthorized", &[], "");
        }
        match path {
            _ if path.ends_with("/a.jsonl") && !path.ends_with("/moved/a.jsonl") => {
                answer("307 Temporary Redirect", &["Location: moved/a.jsonl"], "")
            }
            "/api/datasets/o/n/revision/main" => listing(OLD),
            "/api/datasets/o/n/revision/moved" => listing(NEW),
            _ if path.starts_with("/api/datasets/o/n/revision/") => listing(&path[27..]),
            _ if path.ends_with("b%201.jsonl") => {
                // The same machine, and another server all the same.
                let elsewhere = format!("Location: http://127.0.0.1:{other}/signed");
                answer("302 Found", &[&elsewhere], "")
            }
            _ if path.ends_with("a.jsonl") => answer("200 OK", &[], &path[1..30]),
            _ => answer("404 Not Found", &[], ""),
        }
    })
}

#[test]
fn branches_of_the_hub_are_pinned_and_tokens_stay_with_it() {
    let store = Server::start(|_, _| answer("200 OK", &[], "b"));
    let hub = hub(store.port);
    let folder = tempfile::tempdir().expect("a folder");
    let parse = |path: &str| Address::parse(path).expect("an address").expect("one that can be read");
    let read = |terms: Terms, path: &str| {
        let client = client(folder.path(), &hub.url(""), terms);
        let files = client.files(&parse(path), SourceFormat::Jsonl);
        let names = files.map(|files| files.into_iter().map(|file| file.name).collect::<Vec<_>>());
        (names.map_err(|error| error.to_string()), client.used())
    };
    let both = |commit: &str| {
        Ok(vec![
            format!("hf://datasets/o/n@{commit}/data/a.jsonl"),
            format!("hf://datasets/o/n@{commit}/data/b 1.jsonl"),
        ])
    };
    let (names, used) = read(Terms::default(), "hf://datasets/o/n/data/*.jsonl");
    assert_eq!(names, both(OLD));
    assert_eq!(used.get("hf://datasets/o/n@main").map(String::as_str), Some(OLD));
    assert!(store.requests().iter().all(|request| !request.contains("s3cret")), "the token went to another server");
    assert_eq!(store.requests().len(), 1);
    // A commit that is pinned is read without a question about the branch; a folder is read as its files of the format.
    let asked = hub.requests().len();
    assert_eq!(read(Terms { pins: used.clone(), ..Terms::default() }, "hf://datasets/o/n/data").0, both(OLD));
    assert_eq!(read(Terms { offline: true, ..Terms::default() }, "hf://datasets/o/n").0, both(OLD));
    assert_eq!(hub.requests().len(), asked);
    let pins = BTreeMap::from([("hf://datasets/o/n@moved".to_owned(), OLD.to_owned())]);
    let refreshed = Terms { pins: pins.clone(), refresh: true, offline: false };
    assert_eq!(read(Terms { pins, ..Terms::default() }, "hf://datasets/o/n@moved/data").0, both(OLD));
    assert_eq!(read(refreshed, "hf://datasets/o/n@moved/data").0, both(NEW));
    let (missing, _) = read(Terms::default(), "hf://datasets/o/n/data/*.csv");
    assert_eq!(missing, Err(format!("hf://datasets/o/n@{OLD}/data/*.csv: no file matches")));
    let (unknown, _) = read(Terms::default(), "hf://datasets/o/other/a.jsonl");
    assert_eq!(unknown, Err("hf://datasets/o/other@main: the server answers 404: there is no such file".to_owned()));
}
