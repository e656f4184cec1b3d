//! Builds that are published at addresses of stores, and commands that look back at them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::server::Server;
use super::{KEY, large, of_store, rows};
use crate::support::{Project, Run};

const OUT: &str = "s3://bucket/out";

fn spec(more: &str) -> String {
    format!(
        "annot 1\nsource s {{ path \"s.jsonl\"; license \"MIT\"; fields {{ text: string }} }}\n\
         clean c {{ drop \"short\" when words(text) < 2 }}\n\
         dataset d {{ from s; clean c; split train 95%, test 5% seed 7; write jsonl{more} }}\n"
    )
}

fn project(data: &[u8]) -> Project {
    Project::new(&[("spec.annot", spec("").as_bytes()), ("s.jsonl", data)])
}

/// A command beside a store, which tells no secret.
fn annotc(project: &Project, server: &Server, args: &[&str]) -> Run {
    let run = Run::of(of_store(project.command(args), server).output().expect("annotc starts"));
    let told = format!("{}{}", run.stdout, run.stderr);
    assert!(!told.contains(KEY) && !told.contains("AKIDTEST"), "{told}");
    run
}

fn build(project: &Project, server: &Server, out: &str) -> Run {
    annotc(project, server, &["build", "spec.annot", "--out", out])
}

/// What a build in a folder leaves, by the keys that it would have in the store.
fn expected(project: &Project) -> BTreeMap<String, Vec<u8>> {
    project.annotc(&["build", "spec.annot"]).expect(0);
    let files = project.tree("build").into_iter();
    files.filter(|(name, _)| !name.starts_with('.')).map(|(name, bytes)| (format!("out/{name}"), bytes)).collect()
}

fn writes(server: &Server) -> usize {
    server.requests().iter().filter(|request| request.writes()).count()
}

#[test]
fn each_store_holds_the_bytes_of_a_folder_and_nothing_else() {
    let project = project(&large("first"));
    for scheme in ["s3", "gs", "az"] {
        let (server, out) = (Server::start(&[]), format!("{scheme}://bucket/out"));
        project.write("spec.annot", spec("; write parquet").as_bytes());
        let run = build(&project, &server, &out).expect(0);
        assert!(run.stderr.contains(&format!("to {out}/d")), "{}", run.stderr);
        assert!(server.objects() == expected(&project), "{scheme}: {:?}", server.objects().keys());
        assert_eq!(server.under_way(), 0, "{scheme}");
        // Nothing is sent again, and what the new one lacks goes.
        writes(&server);
        let run = build(&project, &server, &out).expect(0);
        assert!(run.stderr.contains(&format!("Unchanged d in {out}/d")), "{}", run.stderr);
        assert_eq!(writes(&server), 0, "{scheme}");
        project.write("spec.annot", spec("").as_bytes());
        build(&project, &server, &out).expect(0);
        assert!(server.objects() == expected(&project), "{scheme}: {:?}", server.objects().keys());
        // Another machine takes over what was published by this one.
        let other = Project::new(&[("spec.annot", spec("").as_bytes()), ("s.jsonl", &large("first"))]);
        writes(&server);
        let run = build(&other, &server, &out).expect(0);
        assert!(run.stderr.contains("Unchanged") && !run.stderr.contains("Built"), "{}", run.stderr);
        assert_eq!(writes(&server), 0, "{scheme}");
    }
}

#[test]
fn a_lost_connection_loses_nothing_and_computes_nothing_again() {
    let (project, server) = (project(&large("first")), Server::start(&[]));
    build(&project, &server, OUT).expect(0);
    let old = server.objects();
    project.write("s.jsonl", &large("other"));
    // While the parts travel, the old data set is whole.
    server.lose(Some(2));
    let run = build(&project, &server, OUT).expect(4);
    assert!(run.stderr.contains("s3://bucket/out/d/jsonl/train.jsonl: "), "{}", run.stderr);
    assert!(run.stderr.contains("is the bucket there") && run.stderr.contains("lies whole in"), "{}", run.stderr);
    assert!(server.objects() == old);
    // Later nobody takes what is there for a data set.
    server.lose(Some(8));
    build(&project, &server, OUT).expect(4);
    assert!(!server.objects().contains_key("out/d/manifest.json"), "{:?}", server.objects().keys());
    server.lose(None);
    let run = annotc(&project, &server, &["stats", "spec.annot", "--out", OUT]).expect(1);
    assert!(run.stderr.contains("s3://bucket/out/d is left out") && run.stderr.contains("not built"), "{}", run.stderr);
    let run = build(&project, &server, OUT).expect(0);
    assert!(run.stderr.contains("Published") && !run.stderr.contains("Built"), "{}", run.stderr);
    assert!(server.objects() == expected(&project));
}

#[test]
fn what_keeps_a_build_from_its_store_is_said_before_data_is_read() {
    let (project, server) = (project(b"no JSON at all"), Server::start(&[("out/d/thesis.txt", b"mine")]));
    let refused = "<Error><Code>AccessDenied</Code><AWSAccessKeyId>AKIDTEST</AWSAccessKeyId></Error>";
    let cases: [(&str, i32, &[&str]); 6] = [
        (OUT, 4, &["`s3://bucket/out/d` was not made by annotc and would be lost", "another `--out`"]),
        ("s3://none/out", 4, &["s3://none/out/d: ", "404", "is the bucket there"]),
        ("s3://AKIDTEST:czNjcmV0@bucket/out", 2, &["carries credentials"]),
        ("https://example.org/out", 2, &["not at `https://`"]),
        ("s3://bucket/*.jsonl", 2, &["names no folder of a store"]),
        ("s3:///out", 2, &["write the bucket"]),
    ];
    for (out, status, words) in cases {
        let run = build(&project, &server, out).expect(status);
        assert!(words.iter().all(|word| run.stderr.contains(word)), "{out}: {}", run.stderr);
        assert!(!run.stderr.contains("Built"), "{out}: {}", run.stderr);
    }
    server.refuse(Some(("403 Forbidden", refused)));
    let run = build(&project, &server, "s3://bucket/other").expect(4);
    assert!(run.stderr.contains("s3://bucket/other/d: "), "{}", run.stderr);
    assert!(run.stderr.contains("list, read, write and delete"), "{}", run.stderr);
    server.refuse(None);
    let run = annotc(&project, &server, &["build", "spec.annot", "--out", OUT, "--offline"]).expect(2);
    assert!(run.stderr.contains("`--offline` keeps a build from `s3://bucket/out`"), "{}", run.stderr);
    assert_eq!(server.objects().len(), 1);
    assert_eq!(writes(&server), 0);
}

#[test]
fn commands_look_back_at_addresses_as_at_folders() {
    let (project, server) = (project(&rows("word", 20)), Server::start(&[]));
    build(&project, &server, OUT).expect(0);
    expected(&project);
    let id = project.lines("build/d/jsonl/train.jsonl")[0]["id"].as_str().expect("an id").to_owned();
    let same = |args: &[&str]| {
        let at = |out: &str| {
            let args: Vec<String> = args.iter().map(|arg| arg.replace("OUT", out)).collect();
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            annotc(&project, &server, &args).expect(0).stdout.replace(out, "OUT")
        };
        assert_eq!(at(OUT), at("./build"), "{args:?}");
    };
    same(&["stats", "spec.annot", "--out", "OUT"]);
    same(&["stats", "spec.annot", "--out", "OUT", "--format", "json"]);
    same(&["trace", &id, "--out", "OUT", "--spec", "spec.annot"]);
    same(&["trace", "s.jsonl:3", "--out", "OUT"]);
    same(&["plan", "spec.annot", "--out", "OUT", "--format", "json"]);
    for (before, after) in [(OUT, "build"), ("s3://bucket/out/d", "build/d")] {
        annotc(&project, &server, &["diff", before, after, "--exit-code"]).expect(0);
    }
    let run = annotc(&project, &server, &["cache", "explain", "spec.annot", "--out", OUT]).expect(0);
    assert!(run.stdout.contains("✓ outputs"), "{}", run.stdout);
    // No more is fetched than what is read.
    let other = Project::new(&[("spec.annot", spec("").as_bytes())]);
    server.requests();
    annotc(&other, &server, &["stats", "spec.annot", "--out", OUT]).expect(0);
    let fetched: Vec<String> =
        server.requests().into_iter().filter(|request| request.range.is_some()).map(|request| request.path).collect();
    assert_eq!(fetched, ["/bucket/out/d/manifest.json", "/bucket/out/d/statistics.json"]);
    for args in
        [["trace", "s.jsonl:3", "--out", "s3://bucket/none"], ["diff", "build", "s3://bucket/none", "--exit-code"]]
    {
        let run = annotc(&project, &server, &args);
        assert!(run.status != 0 && run.stderr.contains("`s3://bucket/none`"), "{}", run.stderr);
    }
}

const TRAINED: &str = r#"annot 1
source notes { path "notes.jsonl"; license "CC0-1.0"; fields { text: string; mood: string } }
label feeling: choice { good; bad }
dataset all { from notes; label feeling = mood; split train 60%, test 40% seed 7 }
model tiny { new encoder { layers 1; hidden 16; heads 2; vocab 60 } }
train sorter { model tiny; data all; task classify feeling from text; steps 4; batch 4 }
evaluate sorter on all.test { report accuracy }
"#;

#[test]
fn runs_are_published_and_taken_over_with_their_evaluations() {
    let line = |i: u32| format!("{{\"text\":\"number {i}\",\"mood\":\"{}\"}}\n", ["good", "bad"][i as usize % 2]);
    let notes: String = (0..40).map(line).collect();
    let files: [(&str, &[u8]); 2] = [("spec.annot", TRAINED.as_bytes()), ("notes.jsonl", notes.as_bytes())];
    let (project, server) = (Project::new(&files), Server::start(&[]));
    build(&project, &server, OUT).expect(0);
    assert!(server.objects() == expected(&project), "{:?}", server.objects().keys());
    assert!(server.objects().contains_key("out/sorter/evaluation/all.test.json"));
    let other = Project::new(&files);
    server.requests();
    let run = build(&other, &server, OUT).expect(0);
    assert!(!run.stderr.contains("Trained") && !run.stderr.contains("Evaluating"), "{}", run.stderr);
    assert_eq!(writes(&server), 0);
    let predict = |model: &str| annotc(&project, &server, &["predict", model, "--text", "number 3"]).expect(0).stdout;
    assert_eq!(predict("s3://bucket/out/sorter"), predict("build/sorter"));
    let compare = ["s3://bucket/out/sorter", "build/sorter"];
    annotc(&project, &server, &["eval", "--compare", compare[0], compare[1]]).expect(0);
    let id = project.lines("build/sorter/evaluation/all.test.predictions.jsonl")[0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let run = annotc(&project, &server, &["trace", &id, "--model", compare[0]]).expect(1);
    assert!(run.stderr.contains("was trained on in `s3://bucket/out/sorter`"), "{}", run.stderr);
}

#[cfg(unix)]
#[test]
fn a_stop_while_a_store_keeps_silent_leaves_the_old_data_set() {
    let (project, server) = (project(&large("first")), Server::start(&[]));
    build(&project, &server, OUT).expect(0);
    let old = server.objects();
    project.write("s.jsonl", &large("other"));
    server.requests();
    server.silence(true);
    let mut child = of_store(project.command(&["build", "spec.annot", "--out", OUT]), &server)
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("it starts");
    let begin = Instant::now();
    while writes(&server) == 0 {
        assert!(begin.elapsed() < Duration::from_secs(60), "nothing is sent");
        std::thread::sleep(Duration::from_millis(10));
    }
    let kill = std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(kill.expect("there is a kill").success());
    assert_eq!(child.wait().expect("the child ends").code(), Some(130));
    assert!(server.objects() == old);
    server.silence(false);
    build(&project, &server, OUT).expect(0);
    assert!(server.objects() == expected(&project));
}
