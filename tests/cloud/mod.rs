//! Builds over objects of stores, which are threads of the test. The credentials are names: that S3 and Azure are shown them is
//! seen, that they sign rightly is not, and Google's are none at all.

mod publish;
mod server;

use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::{Project, Run};
use server::{Fault, Server};

const KEY: &str = "czNjcmV0";

/// A build over what lies at an address.
fn command(project: &Project, server: &Server, address: &str) -> Command {
    let spec = format!(
        "annot 1\nsource s {{ path \"{address}\"; format jsonl; license \"MIT\"; fields {{ text: string }} }}\n\
         dataset d {{ from s; split train 100%; write jsonl }}\n"
    );
    project.write("spec.annot", spec.as_bytes());
    of_store(project.command(&["build", "spec.annot"]), server)
}

/// A command with everything that a store's own tools would read of the environment.
fn of_store(mut command: Command, server: &Server) -> Command {
    let at = format!("http://127.0.0.1:{}", server.port);
    let account = format!(
        "{{\"gcs_base_url\":\"{at}\",\"disable_oauth\":true,\"client_email\":\"\",\"private_key\":\"\",\"private_key_id\":\"\"}}"
    );
    command.env("AWS_ENDPOINT_URL", &at).env("AWS_ALLOW_HTTP", "true").env("AWS_REGION", "eu-test-1");
    command.env("AWS_ACCESS_KEY_ID", "AKIDTEST").env("AWS_SECRET_ACCESS_KEY", KEY);
    command.env("GOOGLE_SERVICE_ACCOUNT_KEY", account);
    command.env("AZURE_STORAGE_ENDPOINT", &at).env("AZURE_ALLOW_HTTP", "true");
    command.env("AZURE_STORAGE_ACCOUNT_NAME", "account").env("AZURE_STORAGE_ACCOUNT_KEY", KEY);
    command.env_remove("HTTP_PROXY").env_remove("http_proxy").env("NO_PROXY", "127.0.0.1");
    command
}

fn build(project: &Project, server: &Server, address: &str, more: &[&str]) -> Run {
    let run = Run::of(command(project, server, address).args(more).output().expect("annotc starts"));
    assert!(!run.stderr.contains(KEY) && !run.stderr.contains("AKIDTEST"), "{}", run.stderr);
    run
}

/// The texts that a build wrote.
fn texts(project: &Project) -> Vec<String> {
    let text = |row: serde_json::Value| row["text"].as_str().expect("a text").to_owned();
    project.lines("build/d/jsonl/train.jsonl").into_iter().map(text).collect()
}

fn rows(text: &str, count: usize) -> Vec<u8> {
    (0..count).flat_map(|row| format!("{{\"text\":\"{text} {row}\"}}\n").into_bytes()).collect()
}

/// What the cache holds of files under way.
fn unfinished(project: &Project) -> usize {
    let files = std::fs::read_dir(project.cache().join("remote/files")).into_iter().flatten().flatten();
    files.filter(|file| file.file_name().to_string_lossy().starts_with('.')).count()
}

#[test]
fn objects_of_each_store_are_listed_read_and_kept() {
    let objects: [(&str, &[u8]); 5] = [
        ("data/a.jsonl", &rows("a", 2)),
        ("data/b c~1.jsonl", &rows("b", 1)),
        ("data/deep/d.jsonl", &rows("d", 1)),
        ("data/empty.jsonl", b""),
        ("data/note.txt", b"no record"),
    ];
    for (scheme, who) in [("s3", "AWS4-HMAC-SHA256 Credential=AKIDTEST/"), ("gs", ""), ("az", "SharedKey account:")] {
        let server = Server::start(&objects);
        let project = Project::new(&[]);
        for (path, expected) in [
            ("data/*.jsonl", &["a 0", "a 1", "b 0"][..]),
            ("data/**/*.jsonl", &["a 0", "a 1", "b 0", "d 0"]),
            ("data/", &["a 0", "a 1", "b 0", "d 0"]),
            ("data/b c~1.jsonl", &["b 0"]),
        ] {
            build(&project, &server, &format!("{scheme}://bucket/{path}"), &[]).expect(0);
            assert_eq!(texts(&project), expected, "{scheme}://bucket/{path}");
        }
        let requests = server.requests();
        assert!(requests.iter().all(|request| request.authorization.starts_with(who)), "{requests:?}");
        let fetched = |key: &str| {
            requests.iter().filter(|request| request.range.is_some() && request.path.ends_with(key)).count()
        };
        assert_eq!(
            (fetched("a.jsonl"), fetched("c~1.jsonl"), fetched("note.txt")),
            (1, 1, 0),
            "{scheme}: {requests:?}"
        );
        let name = format!("{scheme}://bucket/data/b c~1.jsonl");
        assert!(project.read("spec.annot.lock").contains(&name), "{scheme}");

        // What has changed is fetched again, and nothing else; nobody is asked offline.
        server.put("data/a.jsonl", &rows("new", 1));
        build(&project, &server, &format!("{scheme}://bucket/data/*.jsonl"), &[]).expect(0);
        assert_eq!(texts(&project), ["new 0", "b 0"], "{scheme}");
        assert_eq!(server.requests().iter().filter(|request| request.range.is_some()).count(), 1, "{scheme}");
        std::fs::remove_dir_all(project.path("build")).expect("it was built");
        build(&project, &server, &format!("{scheme}://bucket/data/*.jsonl"), &["--offline"]).expect(0);
        assert_eq!((texts(&project).len(), server.requests().len()), (2, 0), "{scheme}");
    }
}

/// More than a piece of an object.
fn large(text: &str) -> Vec<u8> {
    rows(&format!("{text} {}", "word ".repeat(900)), 2000)
}

#[test]
fn an_object_comes_whole_however_often_its_connection_breaks_off() {
    let data = large("whole");
    let server = Server::start(&[("a.jsonl", &data)]);
    let project = Project::new(&[]);
    server.fail([Fault::Cut(300_000), Fault::Status("503 Slow Down", ""), Fault::Cut(0), Fault::Cut(4_000_000)]);
    build(&project, &server, "s3://bucket/a.jsonl", &[]).expect(0);
    let kept = project.cache().join("remote/files").join(blake3::hash(&data).to_hex().as_str());
    assert!(std::fs::read(kept).expect("it lies in the cache under its hash") == data);
    // What came was not asked for twice.
    let requests = server.requests();
    let begins: Vec<&str> = requests
        .iter()
        .filter_map(|request| request.range.as_deref()?.strip_prefix("bytes=")?.split('-').next())
        .collect();
    assert_eq!(begins[..2], ["0", "300000"], "{begins:?}");
    assert_eq!(unfinished(&project), 0);
}

#[test]
fn an_object_that_changes_while_it_is_fetched_is_no_mixture() {
    let server = Server::start(&[("a.jsonl", &large("old"))]);
    let project = Project::new(&[]);
    // It is replaced before the second piece; the size is the same.
    server.fail([Fault::Cut(usize::MAX), Fault::Replaced(large("new"))]);
    let run = build(&project, &server, "s3://bucket/a.jsonl", &[]).expect(4);
    assert!(run.stderr.contains("s3://bucket/a.jsonl: it changed while it was fetched"), "{}", run.stderr);
    assert_eq!((project.path("build").exists(), unfinished(&project)), (false, 0));
    build(&project, &server, "s3://bucket/a.jsonl", &[]).expect(0);
    assert!(texts(&project).iter().all(|text| text.starts_with("new ")));
}

#[test]
fn what_does_not_come_says_so_and_leaves_the_last_output() {
    let server = Server::start(&[("a.jsonl", &rows("a", 1)), ("b.jsonl", &rows("b", 1))]);
    let project = Project::new(&[]);
    build(&project, &server, "s3://bucket/a.jsonl", &[]).expect(0);
    let before = project.tree("build");
    let refused = "<Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>AKIDTEST</AWSAccessKeyId></Error>";
    let expired =
        "<Error><Code>ExpiredToken</Code><Message>It has expired</Message><Token-0>czNjcmV0</Token-0></Error>";
    let cases: [(&str, Vec<Fault>, &[&str]); 5] = [
        ("s3://bucket/none.jsonl", vec![], &["s3://bucket/none.jsonl: no file matches"]),
        ("s3://other/a.jsonl", vec![], &["no file matches", "404"]),
        (
            "s3://bucket/b.jsonl",
            vec![Fault::Status("403 Forbidden", refused)],
            &["s3://bucket/b.jsonl: the server answers 403: it wants credentials", "AWS_SECRET_ACCESS_KEY"],
        ),
        (
            "s3://bucket/b.jsonl",
            vec![Fault::Status("400 Bad Request", expired)],
            &["s3://bucket/b.jsonl: ", "400 Bad Request: ExpiredToken: It has expired"],
        ),
        ("s3://bucket/b.jsonl", (0..9).map(|_| Fault::Cut(0)).collect(), &["s3://bucket/b.jsonl: "]),
    ];
    for (address, faults, words) in cases {
        server.fail(faults);
        let run = build(&project, &server, address, &[]).expect(4);
        assert!(words.iter().any(|word| run.stderr.contains(word)), "{}", run.stderr);
        assert!(words[0].contains("no file") || words.iter().all(|word| run.stderr.contains(word)), "{}", run.stderr);
        assert!(project.tree("build") == before && unfinished(&project) == 0, "{address}");
    }
}

#[cfg(unix)]
#[test]
fn a_stop_is_heeded_while_a_store_keeps_silent() {
    let server = Server::start(&[("a.jsonl", &rows("a", 1))]);
    let project = Project::new(&[]);
    server.fail((0..9).map(|_| Fault::Silence));
    let mut child = command(&project, &server, "s3://bucket/a.jsonl")
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("it starts");
    let begin = Instant::now();
    while !server.requests().iter().any(|request| request.range.is_some()) {
        assert!(begin.elapsed() < Duration::from_secs(60), "nothing is asked for");
        std::thread::sleep(Duration::from_millis(10));
    }
    let asked = Instant::now();
    let kill = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(kill.expect("there is a kill").success());
    assert_eq!(child.wait().expect("the child ends").code(), Some(130));
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
    assert_eq!(unfinished(&project), 0);
}
