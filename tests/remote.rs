//! Builds over files of servers, which are threads of the test.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::support::Project;

const OLD: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const NEW: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// A Hub whose branch can be moved and which can be switched off, and the requests that it got.
pub struct Hub {
    /// Where it listens on this machine.
    pub port: u16,
    moved: Arc<AtomicBool>,
    down: Arc<AtomicBool>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Hub {
    /// Begins to answer.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let hub = Self { port, moved: Arc::default(), down: Arc::default(), requests: Arc::default() };
        let (moved, down, requests) = (Arc::clone(&hub.moved), Arc::clone(&hub.down), Arc::clone(&hub.requests));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let mut request = String::new();
                let mut lines = BufReader::new(&stream);
                while lines.read_line(&mut request).is_ok_and(|read| read > 2) {}
                let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
                requests.lock().expect("no thread has panicked").push(request);
                let head = if moved.load(Ordering::Relaxed) { NEW } else { OLD };
                let (status, body) = match path.as_str() {
                    _ if down.load(Ordering::Relaxed) => ("503 Unavailable", String::new()),
                    "/api/datasets/o/n/revision/main" => ("200 OK", listing(head)),
                    "/api/datasets/o/n/revision/other" => ("200 OK", listing(NEW)),
                    _ if path.starts_with("/api/") && path.len() > 40 => ("200 OK", listing(&path[path.len() - 40..])),
                    _ if path.starts_with("/datasets/") => ("200 OK", rows(&path)),
                    "/web.jsonl" => ("200 OK", rows("web")),
                    _ => ("404 Not Found", String::new()),
                };
                let answer =
                    format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        hub
    }

    fn asked(&self) -> usize {
        self.requests.lock().expect("no thread has panicked").len()
    }
}

fn listing(commit: &str) -> String {
    format!("{{\"sha\":\"{commit}\",\"siblings\":[{{\"rfilename\":\"d/a.jsonl\"}},{{\"rfilename\":\"d/b.jsonl\"}}]}}")
}

fn rows(text: &str) -> String {
    (0..3).map(|row| format!("{{\"text\":\"row {row} of {text}\"}}\n")).collect()
}

#[test]
fn remote_files_are_pinned_kept_and_read_offline() {
    let hub = Hub::start();
    let spec = format!(
        "annot 1\nsource web {{ path \"http://127.0.0.1:{}/web.jsonl\"; license \"MIT\"; fields {{ text: string }} }}\n\
         source repo {{ path \"hf://datasets/o/n/d/*.jsonl\"; license \"MIT\"; fields {{ text: string }} }}\n\
         dataset d {{ from web, repo; split train 100%; write jsonl }}\n",
        hub.port
    );
    let project = Project::new(&[("spec.annot", spec.as_bytes())]);
    let build = |args: &[&str]| {
        let mut command = project.command(&[["build", "spec.annot"].as_slice(), args].concat());
        command.env("HF_ENDPOINT", format!("http://127.0.0.1:{}", hub.port)).env("HF_TOKEN", "hf_s3cret");
        command.env("ANNOTC_CACHE", project.path("cache")).env_remove("HTTP_PROXY").env_remove("http_proxy");
        let output = command.output().expect("annotc starts");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!told.contains("s3cret"), "{told}");
        (output.status.code().unwrap_or(-1), told)
    };
    let (status, told) = build(&["--offline"]);
    assert!(status == 4 && told.contains("not in the cache, and `--offline` forbids"), "{told}");
    let (status, told) = build(&[]);
    assert_eq!(status, 0, "{told}");
    let lock = project.read("spec.annot.lock");
    assert!(lock.contains(&format!("  hf://datasets/o/n@main: {OLD}\n")), "{lock}");
    assert!(lock.contains(&format!("  hf://datasets/o/n@{OLD}/d/a.jsonl: ")), "{lock}");
    let manifest = project.read("build/d/manifest.json");
    assert!(manifest.contains(&format!("hf://datasets/o/n@{OLD}/d/b.jsonl")), "{manifest}");
    assert!(!lock.contains("s3cret") && !manifest.contains("s3cret"));
    let before = project.tree("build/d");
    // The branch moves: what is locked is read all the same.
    hub.moved.store(true, Ordering::Relaxed);
    std::fs::remove_dir_all(project.path("build")).expect("it was built");
    let (status, told) = build(&["--locked"]);
    assert_eq!(status, 0, "{told}");
    assert_eq!(project.tree("build/d"), before);
    // Nobody is asked offline.
    let asked = hub.asked();
    std::fs::remove_dir_all(project.path("build")).expect("it was built");
    let (status, told) = build(&["--offline", "--jobs", "1"]);
    assert_eq!(status, 0, "{told}");
    assert_eq!((project.tree("build/d"), hub.asked()), (before, asked));
    let (status, told) = build(&["--refresh"]);
    assert_eq!(status, 0, "{told}");
    assert!(project.read("spec.annot.lock").contains(&format!("  hf://datasets/o/n@main: {NEW}\n")));
    // A lock that does not know a branch binds nobody to it.
    project.write("spec.annot", spec.replace("o/n/d", "o/n@other/d").as_bytes());
    let (status, told) = build(&["--locked"]);
    let drift = format!("hf://datasets/o/n@other: locked nothing, found {NEW}");
    assert!(status == 3 && told.contains(&drift), "{told}");
    hub.down.store(true, Ordering::Relaxed);
    project.write("spec.annot", spec.as_bytes());
    let (status, told) = build(&[]);
    assert!(status == 4 && told.contains("/web.jsonl: the server answers 503, after 5 tries"), "{told}");
}

#[test]
fn a_download_that_is_killed_leaves_nothing_behind_the_next() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        // Half of the first answer comes, then nothing more.
        let mut kept_open = Vec::new();
        for (number, stream) in listener.incoming().flatten().enumerate() {
            let mut request = String::new();
            let mut lines = BufReader::new(&stream);
            while lines.read_line(&mut request).is_ok_and(|read| read > 2) {}
            let body = rows("web");
            let answer =
                format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            let end = if number == 0 { answer.len() - body.len() / 2 } else { answer.len() };
            let mut stream = stream;
            let _ = stream.write_all(&answer.as_bytes()[..end]);
            if number == 0 {
                kept_open.push(stream);
            }
        }
    });
    let spec = format!(
        "annot 1\nsource web {{ path \"http://127.0.0.1:{port}/web.jsonl\"; license \"MIT\"; fields {{ text: string }} }}\n\
         dataset d {{ from web; split train 100%; write jsonl }}\n"
    );
    let project = Project::new(&[("spec.annot", spec.as_bytes())]);
    let command = || {
        let mut command = project.command(&["build", "spec.annot"]);
        command.env_remove("HTTP_PROXY").env_remove("http_proxy").stderr(std::process::Stdio::null());
        command
    };
    let sizes = || {
        let files = std::fs::read_dir(project.cache().join("remote/files")).into_iter().flatten().flatten();
        files.filter_map(|file| Some(file.metadata().ok()?.len())).collect::<Vec<_>>()
    };
    let mut child = command().spawn().expect("annotc starts");
    let begin = Instant::now();
    while sizes().iter().sum::<u64>() == 0 {
        assert!(begin.elapsed() < Duration::from_secs(60), "nothing comes");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().expect("the child can be killed");
    child.wait().expect("the child ends");
    assert_eq!((sizes().len(), project.path("build").exists()), (1, false));
    assert!(command().status().expect("annotc starts").success());
    assert_eq!(sizes(), [rows("web").len() as u64]);
}

#[cfg(not(feature = "cloud"))]
#[test]
fn addresses_of_builds_are_refused_without_the_feature() {
    // Neither the specification nor its data is looked at.
    let project = Project::new(&[]);
    for args in [
        &["build", "spec.annot", "--out", "s3://bucket/out"][..],
        &["stats", "spec.annot", "--out", "gs://bucket/out"],
        &["trace", "s.jsonl:1", "--out", "az://bucket/out"],
        &["predict", "s3://bucket/out/run"],
        &["diff", "s3://bucket/out", "build"],
    ] {
        let run = project.annotc(args).expect(2);
        assert!(run.stderr.contains("`--features cloud`"), "{args:?}: {}", run.stderr);
    }
    let run = project.annotc(&["build", "spec.annot", "--out", "s3://KEY:s3cret@bucket/out"]).expect(2);
    assert!(run.stderr.contains("carries credentials") && !run.stderr.contains("s3cret"), "{}", run.stderr);
}
