//! The world's failures: a full disk, a file that changes while it is read, one that cannot be read, a signal. Each ends in a
//! clear error with its exit status or in a whole result, and leaves the last output as it was.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::{Project, Run};

const SPEC: &str = r#"annot 1
source notes { path "notes.jsonl"; license "CC0-1.0"; fields { text: string } }
clean tidy { set text = text |> collapse_whitespace; dedup text exactly }
template ask: chat { user "{{ text }}"; assistant "{{ text }}" }
dataset all { from notes; clean tidy; split train 100%; write messages from ask; write parquet }
"#;

/// Notes of a version, each of which names it.
fn data(version: &str, rows: u32) -> Vec<u8> {
    (0..rows).flat_map(|i| format!("{{\"text\":\"note {i} of {version}, some words more\"}}\n").into_bytes()).collect()
}

/// A project with an output of version `old` and the data of version `new`.
fn project(rows: u32) -> Project {
    let project = Project::new(&[("all.annot", SPEC.as_bytes()), ("notes.jsonl", &data("old", 50))]);
    project.annotc(&["build", "all.annot"]).expect(0);
    project.write("notes.jsonl", &data("new", rows));
    project
}

/// Fails unless the run ended with this status, said so in these words, and left the output of `before` alone in its folder.
#[track_caller]
fn check(project: &Project, run: &Run, status: i32, words: &[&str], before: &[(String, Vec<u8>)]) {
    let said = format!("{}{}", run.stdout, run.stderr);
    assert_eq!(run.status, status, "{said}");
    for word in words {
        assert!(said.contains(word), "it does not say `{word}`: {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
    assert_eq!(project.tree("build/all"), before, "the last output is as it was");
    let entries = std::fs::read_dir(project.path("build")).expect("build/").flatten();
    let names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    let left: Vec<_> = names.iter().filter(|name| *name != "all" && !name.ends_with(".lock")).collect();
    assert!(left.is_empty(), "nothing half-written is left: {left:?}");
}

#[test]
fn a_file_that_may_not_grow_is_reported() {
    let project = project(40_000);
    let before = project.tree("build/all");
    // A limit on the size of files, 512 blocks of 1 KiB, is met in mid-write as a full disk is, on every system and by every user.
    let run = project.shell("ulimit -f 512; trap '' XFSZ; annotc build all.annot --cache cache");
    check(&project, &run, 4, &["File too large", "build/"], &before);
}

#[test]
fn a_full_disk_is_reported_and_room_made_again() {
    let allowed = Command::new("unshare").args(["-rm", "true"]).stderr(Stdio::null()).status();
    if !allowed.is_ok_and(|status| status.success()) {
        // Only a machine that lets a process mount something for itself can have a disk of a size: the test above is met everywhere.
        eprintln!("skipped: this machine lets nobody mount a small disk");
        return;
    }
    let project = project(40_000);
    let before = project.tree("build/all");
    let line = |command: &str| {
        format!(
            "unshare -rm sh -c 'mount -t tmpfs -o size=3m tmpfs small && cp -a build small/ && {command}; status=$?; \
             rm -rf build && cp -a small/build . ; exit $status'"
        )
    };
    std::fs::create_dir(project.path("small")).expect("a folder is made");
    let run = project.shell(&line("annotc build all.annot --out small/build --cache cache"));
    check(&project, &run, 4, &["No space left on device", "small/build"], &before);
    // The same where only the cache lies on the small disk: what spills has no room.
    let run = project.shell(&line("annotc build all.annot --out small/build --cache small/cache --memory 1MiB"));
    check(&project, &run, 4, &["No space left on device"], &before);
}

#[test]
fn a_source_that_cannot_be_read_is_named() {
    let project = project(50);
    let before = project.tree("build/all");
    std::fs::remove_file(project.path("notes.jsonl")).expect("it is there");
    std::fs::create_dir(project.path("notes.jsonl")).expect("a folder is made");
    let run = project.annotc(&["build", "all.annot"]);
    check(&project, &run, 4, &["notes.jsonl"], &before);
    #[cfg(target_os = "linux")]
    {
        // Its first page belongs to no process: reading it is an error of input and output, whoever asks.
        std::fs::remove_dir(project.path("notes.jsonl")).expect("it is empty");
        std::os::unix::fs::symlink("/proc/self/mem", project.path("notes.jsonl")).expect("a link is made");
        let run = project.annotc(&["build", "all.annot"]);
        check(&project, &run, 4, &["notes.jsonl", "Input/output error"], &before);
    }
}

#[test]
fn a_source_that_changes_while_it_is_read_is_noticed() {
    let project = project(60_000);
    let before = project.tree("build/all");
    let done = AtomicBool::new(false);
    let versions = [data("one", 60_000), data("two", 60_000)];
    let run = std::thread::scope(|scope| {
        scope.spawn(|| {
            // In place, as an editor or a download does that does not rename: lengths and places stay the same.
            for version in versions.iter().cycle() {
                if done.load(Ordering::Relaxed) {
                    return;
                }
                let file = std::fs::OpenOptions::new().write(true).open(project.path("notes.jsonl"));
                file.and_then(|mut file| std::io::Write::write_all(&mut file, version)).expect("it can be written");
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        let run = project.annotc(&["build", "all.annot"]);
        done.store(true, Ordering::Relaxed);
        run
    });
    check(&project, &run, 4, &["notes.jsonl", "changed"], &before);
}

#[cfg(unix)]
#[test]
fn a_build_that_is_asked_to_end_ends_as_promised() {
    let project = project(60_000);
    let before = project.tree("build/all");
    let mut heard = 0;
    for (signal, after) in [("TERM", 300), ("TERM", 900), ("INT", 600), ("TERM", 1500)] {
        let mut child = project
            .command(&["build", "all.annot", "--jobs", "1"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("annotc starts");
        std::thread::sleep(Duration::from_millis(after));
        let asked =
            Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().expect("`kill` is there");
        assert!(asked.success());
        let mut stderr = String::new();
        std::io::Read::read_to_string(&mut child.stderr.take().expect("it is piped"), &mut stderr).expect("text");
        let status = child.wait().expect("the child ends").code().unwrap_or(-1);
        if status == 0 {
            // The machine was faster than the signal; the result is whole.
            assert_ne!(project.tree("build/all"), before);
            return;
        }
        if status == -1 {
            // It came before the program could listen, on a machine with much to do; that is any program's end.
            assert_eq!(project.tree("build/all"), before);
            continue;
        }
        heard += 1;
        check(&project, &Run { status, stdout: String::new(), stderr }, 130, &["interrupted"], &before);
    }
    assert!(heard > 0, "no signal was heard");
}
