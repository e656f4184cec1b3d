//! What outgrows the memory: the same bytes, and nothing left of it.

use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::support::Project;

const SPEC: &str = r#"annot 1
source notes {
  path    "notes.jsonl"
  license "CC0-1.0"
  fields  { text: string; topic: string; thread: string @group }
}
label topic: choice from notes.topic
clean tidy { set text = text |> collapse_whitespace; dedup text exactly }
dataset all {
  from   notes
  clean  tidy
  label  topic = topic
  split  train 80%, test 20% stratify topic seed 7
  write  parquet
  write  jsonl
}
"#;

/// The least memory that may be asked for: the records of [`data`] do not fit into it.
const LITTLE: [&str; 5] = ["build", "all.annot", "--memory", "1MiB", "--cache"];

/// Records of which every fifth repeats another one, and a few are no JSON.
fn data() -> Vec<u8> {
    let line = |n: u32| match n % 1000 {
        999 => "{\"text\":\n".to_owned(),
        _ => format!("{{\"text\":\"note  {}\",\"topic\":\"t{}\",\"thread\":\"{}\"}}\n", n - n % 5 / 4, n % 3, n / 4),
    };
    (0..30_000).flat_map(|n| line(n).into_bytes()).collect()
}

fn project() -> Project {
    Project::new(&[("all.annot", SPEC.as_bytes()), ("notes.jsonl", &data())])
}

/// The private folders below a project's cache.
fn folders(project: &Project) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(project.path("cache/spilled")).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

/// A build with little memory, once its private folder is there.
fn spilling(project: &Project) -> Child {
    let mut command = project.command(&LITTLE);
    let mut child = command.arg("cache").stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("annotc starts");
    let begin = Instant::now();
    while folders(project).is_empty() {
        assert!(
            begin.elapsed() < Duration::from_secs(60) && child.try_wait().expect("asked").is_none(),
            "it never spills"
        );
        std::thread::sleep(Duration::from_millis(2));
    }
    child
}

#[test]
fn a_build_leaves_the_same_bytes_with_little_memory_and_nothing_in_the_cache() {
    let (one, two) = (project(), project());
    one.annotc(&["build", "all.annot", "--cache", "cache"]).expect(0);
    assert!(!one.path("cache/spilled").exists(), "what fits into memory needs no file");
    two.annotc(&[LITTLE.as_slice(), &["cache"]].concat()).expect(0);
    assert!(one.tree("build/all") == two.tree("build/all"));
    assert_eq!(one.read("all.annot.lock"), two.read("all.annot.lock"));
    assert!(two.path("cache/spilled").is_dir() && folders(&two).is_empty());
}

#[test]
fn what_a_killed_build_left_is_removed_by_the_next() {
    let project = project();
    let mut child = spilling(&project);
    child.kill().expect("the child can be killed");
    child.wait().expect("the child ends");
    assert_eq!(folders(&project).len(), 1);
    // One that needs no folder itself removes it as well.
    project.annotc(&["build", "all.annot", "--cache", "cache"]).expect(0);
    assert!(folders(&project).is_empty());
}

#[cfg(unix)]
#[test]
fn an_interrupted_build_leaves_nothing() {
    let project = project();
    let mut child = spilling(&project);
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.expect("there is a kill").success());
    assert_eq!(child.wait().expect("the child ends").code(), Some(130));
    assert!(folders(&project).is_empty());
}

#[test]
fn a_size_needs_a_unit_and_a_folder_must_be_one() {
    let project = project();
    let run = project.annotc(&["build", "all.annot", "--memory", "512"]).expect(2);
    assert!(run.stderr.contains("write 512MiB"), "{}", run.stderr);
    let mut command = project.command(&["build", "all.annot"]);
    let output = command.env("ANNOTC_MEMORY", "1 GiB").output().expect("annotc starts");
    assert_eq!(output.status.code(), Some(2));
    let run = project.annotc(&[LITTLE.as_slice(), &["notes.jsonl"]].concat()).expect(4);
    assert!(run.stderr.contains("`notes.jsonl/spilled`, which holds what outgrew the memory"), "{}", run.stderr);
    assert!(run.stderr.contains("name another folder with `--cache`"), "{}", run.stderr);
}
