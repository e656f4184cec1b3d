//! `annotc fmt` as a process: what it writes, shows and says.

use std::io::Write;
use std::process::Stdio;

use crate::support::Project;

const BEFORE: &str = "annot 1\r\nclean tidy{set text=nfc(text)\r\ndrop \"none\" when text is null}";
const AFTER: &str = "annot 1\nclean tidy {\n  set  text = nfc(text)\n  drop \"none\" when text is null\n}\n";

#[test]
fn files_are_formatted_in_place_and_once() {
    let project = Project::new(&[("a.annot", BEFORE.as_bytes()), ("b.annot", AFTER.as_bytes())]);
    let run = project.annotc(&["fmt", "a.annot", "b.annot"]).expect(0);
    assert!(
        run.stderr.contains("Formatted a.annot") && run.stderr.contains("1 formatted, 1 unchanged"),
        "{}",
        run.stderr
    );
    assert_eq!((project.read("a.annot"), run.stdout), (AFTER.to_owned(), String::new()));
    let written = || std::fs::metadata(project.path("a.annot")).and_then(|file| file.modified()).expect("a time");
    let time = written();
    let run = project.annotc(&["fmt", "a.annot"]).expect(0);
    assert!(run.stderr.contains("Unchanged 1 file"), "{}", run.stderr);
    assert_eq!(written(), time, "what is formatted is not written again");
    assert_eq!(project.tree("").len(), 2, "no other file is left");
}

#[cfg(unix)]
#[test]
fn rights_and_links_stay() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let project = Project::new(&[("a.annot", BEFORE.as_bytes())]);
    let path = project.path("a.annot");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).expect("rights are set");
    symlink("a.annot", project.path("link.annot")).expect("a link is made");
    project.annotc(&["fmt", "link.annot"]).expect(0);
    assert_eq!(std::fs::metadata(&path).expect("it is there").permissions().mode() & 0o777, 0o640);
    assert!(project.path("link.annot").is_symlink());
    assert_eq!(project.read("a.annot"), AFTER);
}

#[test]
fn check_lists_and_changes_nothing() {
    let project = Project::new(&[("a.annot", BEFORE.as_bytes()), ("b.annot", AFTER.as_bytes())]);
    let run = project.annotc(&["fmt", "--check", "a.annot", "b.annot"]).expect(1);
    assert_eq!(run.stdout, "a.annot\n");
    assert!(run.stderr.contains("1 of 2 files"), "{}", run.stderr);
    assert_eq!(project.read("a.annot"), BEFORE);
    project.annotc(&["fmt", "--check", "b.annot"]).expect(0);
    let answers = project.annotc(&["fmt", "--check", "--format", "json", "a.annot", "b.annot"]).expect(1).answers();
    let statuses: Vec<_> = answers.iter().map(|answer| (&answer["path"], &answer["status"])).collect();
    assert_eq!(statuses, [(&"a.annot".into(), &"unformatted".into()), (&"b.annot".into(), &"unchanged".into())]);
}

#[test]
fn diff_shows_what_would_change() {
    let before = AFTER.replace("set  text = nfc(text)", "set text=nfc(text)");
    let project = Project::new(&[("a.annot", before.as_bytes())]);
    let run = project.annotc(&["fmt", "--diff", "a.annot"]).expect(0);
    let diff = "--- a.annot\n+++ a.annot\n@@ -1,5 +1,5 @@\n annot 1\n clean tidy {\n-  set text=nfc(text)\n+  set  text = \
                nfc(text)\n   drop \"none\" when text is null\n }\n";
    assert_eq!(run.stdout, diff);
    assert_eq!(project.read("a.annot"), before);
    let run = project.annotc(&["fmt", "--diff", "--check", "--color", "always", "a.annot"]).expect(1);
    assert!(run.stdout.contains("\x1b[1;31m-  set text=nfc(text)\x1b[0m\n\x1b[1;32m+  set"), "{:?}", run.stdout);
    let answers = project.annotc(&["fmt", "--diff", "--format", "json", "a.annot"]).expect(0).answers();
    assert_eq!(answers[0]["diff"], diff);
}

#[test]
fn standard_input_is_answered_on_standard_output() {
    let project = Project::new(&[]);
    let feed = |args: &[&str], text: &[u8]| {
        let mut command = project.command(args);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("annotc starts");
        child.stdin.take().expect("a pipe").write_all(text).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned(), output.stderr)
    };
    assert_eq!(feed(&["fmt", "-"], BEFORE.as_bytes()), (Some(0), AFTER.to_owned(), Vec::new()));
    let (status, answer, message) = feed(&["fmt", "-"], b"annot 1\nclean c { st x = 1 }\n");
    assert_eq!((status, answer.as_str()), (Some(1), ""));
    assert!(String::from_utf8_lossy(&message).contains("<stdin>:2:11"), "{}", String::from_utf8_lossy(&message));
    assert_eq!(feed(&["fmt", "-"], b"annot 1\n\xff").0, Some(1));
    let (status, answer, _) = feed(&["fmt", "--check", "-"], BEFORE.as_bytes());
    assert_eq!((status, answer.as_str()), (Some(1), "<stdin>\n"));
}

#[test]
fn folders_are_searched_and_mistakes_stop_nothing() {
    let wrong = "annot 1\nclean c { st x=1 }";
    let project = Project::new(&[
        ("specs/a.annot", BEFORE.as_bytes()),
        ("specs/deep/b.annot", BEFORE.as_bytes()),
        ("specs/deep/wrong.annot", wrong.as_bytes()),
        ("specs/build/c.annot", BEFORE.as_bytes()),
        ("specs/.hidden/d.annot", BEFORE.as_bytes()),
        ("specs/e.txt", BEFORE.as_bytes()),
        ("empty/e.txt", b""),
    ]);
    let run = project.annotc(&["fmt", "specs"]).expect(1);
    assert!(run.stderr.contains("unknown statement `st`") && run.stderr.contains("wrong.annot:2:11"), "{}", run.stderr);
    for (file, text) in [
        ("specs/a.annot", AFTER),
        ("specs/deep/b.annot", AFTER),
        ("specs/deep/wrong.annot", wrong),
        ("specs/build/c.annot", BEFORE),
        ("specs/.hidden/d.annot", BEFORE),
        ("specs/e.txt", BEFORE),
    ] {
        assert_eq!(project.read(file), text, "{file}");
    }
    project.annotc(&["fmt", "empty"]).expect(4);
    let run = project.annotc(&["fmt", "specs/none.annot", "specs/deep/wrong.annot"]).expect(4);
    assert!(run.stderr.contains("cannot read `specs/none.annot`: no such file"), "{}", run.stderr);
    std::fs::remove_file(project.path("specs/deep/wrong.annot")).expect("removed");
    assert!(project.annotc(&["fmt", "--check"]).expect(0).stderr.contains("Unchanged 2 files"));
}

#[test]
fn formatting_builds_nothing_again() {
    let project = Project::of_spec("quickstart");
    let build = |locked: &[&str]| {
        let args: Vec<&str> = ["build", "quickstart.annot", "helpdesk"].iter().chain(locked).copied().collect();
        project.annotc(&args).expect(0).stderr
    };
    let spec = project.read("quickstart.annot");
    let flat: String = spec.lines().map(|line| format!("{}\n", line.trim_start())).collect();
    project.write("quickstart.annot", flat.as_bytes());
    build(&[]);
    project.annotc(&["fmt"]).expect(0);
    assert_eq!(project.read("quickstart.annot"), spec);
    assert!(build(&["--locked"]).contains("Unchanged"), "the canonical look is the same program");
}
