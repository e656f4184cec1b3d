//! A training run that is killed or stopped goes on where it was, to the weights that it would have had.

use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Project, Run};

const SPEC: &str = r#"annot 1
source notes { path "notes.jsonl"; license "CC0-1.0"; fields { text: string; mood: string } }
label feeling: choice { good; bad }
dataset notes_of { from notes; label feeling = mood; split train 80%, validation 20% seed 7 }
model tiny { new encoder { layers 1; hidden 16; heads 2; vocab 60 } }
train sorter {
  model tiny
  data  notes_of
  task  classify feeling from text
  steps 120
  batch 4
  rate  1e-3 wsd warmup 5% decay 20%
  keep  best 2
  validate every 20 steps by accuracy
  checkpoint every 1 steps
}
"#;

fn data() -> Vec<u8> {
    let line = |i: u32| {
        let (word, mood) = if i.is_multiple_of(3) { ("lovely", "good") } else { ("broken", "bad") };
        format!("{{\"text\":\"number {i} is {word}\",\"mood\":\"{mood}\"}}\n")
    };
    (0..60).flat_map(|i| line(i).into_bytes()).collect()
}

fn project() -> Project {
    Project::new(&[("notes.annot", SPEC.as_bytes()), ("notes.jsonl", &data())])
}

/// The checkpoint of the one run, where there is one.
fn checkpoint(project: &Project) -> Option<PathBuf> {
    let entries = std::fs::read_dir(project.cache().join("checkpoints")).ok()?.flatten();
    entries.map(|entry| entry.path()).find(|path| path.extension().is_some_and(|ending| ending == "checkpoint"))
}

/// A build that has written a checkpoint since it began.
fn begun(project: &Project) -> Child {
    let before = checkpoint(project).and_then(|path| std::fs::read(path).ok());
    let mut command = project.command(&["build", "notes.annot"]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("annotc starts");
    let start = Instant::now();
    while checkpoint(project).and_then(|path| std::fs::read(path).ok()) == before {
        assert!(start.elapsed() < Duration::from_secs(120), "no checkpoint appears");
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

#[test]
#[cfg(unix)]
fn a_run_that_is_killed_goes_on_to_the_same_weights() {
    let whole = project();
    whole.annotc(&["build", "notes.annot"]).expect(0);
    assert!(checkpoint(&whole).is_none(), "a run that is done leaves no checkpoint");

    let project = project();
    let mut child = begun(&project);
    child.kill().expect("the child can be killed");
    child.wait().expect("the child ends");
    assert!(!project.path("build/sorter").exists(), "the run was killed before its end");
    // What killed processes were writing goes with the next build, and what a process is writing stays.
    let [left, written] =
        ["left", "written"].map(|name| project.cache().join(format!("checkpoints/{name}.checkpoint.part")));
    std::fs::write(&left, "half").expect("written");
    let file = std::fs::File::create(&written).expect("made");
    file.lock().expect("nobody holds it");

    let child = begun(&project);
    assert!(!left.exists() && written.exists(), "nobody writes the one, and somebody the other");
    drop(file);
    let kill = std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(kill.expect("kill is there").success());
    let stopped = Run::of(child.wait_with_output().expect("the child ends"));
    assert_eq!(stopped.status, 130, "{}", stopped.stderr);
    assert!(stopped.stderr.contains("Resuming") && stopped.stderr.contains("is kept"), "{}", stopped.stderr);

    assert!(checkpoint(&project).is_some(), "what is kept is there");
    let last = project.annotc(&["build", "notes.annot"]).expect(0);
    assert!(last.stderr.contains("Resuming"), "{}", last.stderr);
    assert!(checkpoint(&project).is_none(), "a run that is done leaves no checkpoint");
    assert!(!written.exists(), "whoever wrote it is gone");
    for file in ["model.onnx", "best-2/model.onnx", "metrics.jsonl", "records.parquet", "provenance.json"] {
        let read = |project: &Project| std::fs::read(project.path("build/sorter").join(file)).expect(file);
        assert!(read(&whole) == read(&project), "{file} differs");
    }
    // Which steps saw a record is known of both, and is the same.
    let preview = ["preview", "notes.annot", "--part", "train", "-n", "1", "--format", "json"];
    let id = project.annotc(&preview).expect(0).answers()[0]["id"].as_str().expect("an id").to_owned();
    let trace = |project: &Project| {
        let args = ["trace", &id, "--model", "build/sorter", "--format", "json"];
        project.annotc(&args).expect(0).answers().remove(0)
    };
    let used = trace(&project);
    assert_eq!(used, trace(&whole));
    let records = project.json("build/sorter/provenance.json")["data"]["records"].as_u64().expect("a count");
    let per_epoch = records.div_ceil(4);
    let whole = |one: &serde_json::Value, name: &str| one[name].as_u64().expect("a number");
    let uses = used["uses"].as_array().expect("uses");
    assert!(uses.iter().zip(1..).all(|(one, epoch)| whole(one, "epoch") == epoch), "{used}");
    assert!(uses.iter().all(|one| (whole(one, "step") - 1) / per_epoch + 1 == whole(one, "epoch")), "{used}");
    assert_eq!(uses.len() as u64, 120_u64.div_ceil(per_epoch), "once in each epoch");
    let told = project.annotc(&["trace", &id, "--model", "build/sorter"]).expect(0).stdout;
    assert!(told.contains("sorter was trained on it") && told.contains("every link to them holds"), "{told}");
    let unknown = project.annotc(&["trace", "ffffffff", "--model", "build/sorter"]).expect(1);
    assert!(unknown.stderr.contains(&format!("it was trained on {records} records")), "{}", unknown.stderr);
    project.annotc(&["trace", "notes.jsonl:3", "--model", "build/sorter"]).expect(2);
}

/// Where the folder of checkpoints should be there is a file, as with a cache that is none.
#[test]
fn a_cache_without_room_for_checkpoints_ends_no_run() {
    let project = project();
    let checkpoints = project.cache().join("checkpoints");
    std::fs::write(&checkpoints, "mine").expect("written");
    let built = project.annotc(&["build", "notes.annot"]).expect(0);
    assert_eq!(built.stderr.matches("could not be kept").count(), 1, "it is told once: {}", built.stderr);
    assert!(built.stderr.contains("step 1 could not be kept: `"), "{}", built.stderr);
    assert!(project.path("build/sorter/model.onnx").is_file());
    assert_eq!(std::fs::read(&checkpoints).expect("read"), b"mine");
}
