//! What a build promises: the same bytes, nothing lost, nothing done twice.

use std::collections::HashSet;

use crate::support::Project;

const DATA_ONLY: &str = "helpdesk";

#[test]
fn two_builds_give_the_same_bytes_at_any_number_of_threads_and_in_another_folder() {
    let build = |jobs: &str| {
        let project = Project::of_spec("quickstart");
        project.annotc(&["build", "quickstart.annot", DATA_ONLY, "--jobs", jobs]).expect(0);
        let lock = project.read("quickstart.annot.lock");
        (project.tree(&format!("build/{DATA_ONLY}")), lock)
    };
    let (one, lock_one) = build("1");
    let (two, lock_two) = build("2");
    let names: Vec<&String> = one.iter().map(|(name, _)| name).collect();
    for file in ["manifest.json", "audit/records.parquet", "quarantine.jsonl", "README.md", "messages/train.jsonl"] {
        assert!(names.iter().any(|name| *name == file), "{file} is among {names:?}");
    }
    for ((name, bytes), (other_name, other_bytes)) in one.iter().zip(&two) {
        assert_eq!(name, other_name);
        assert!(bytes == other_bytes, "{name} differs");
    }
    assert_eq!(one.len(), two.len());
    assert_eq!(lock_one, lock_two);
}

#[test]
fn what_has_not_changed_is_not_done_again() {
    let project = Project::of_spec("quickstart");
    let build = || project.annotc(&["build", "quickstart.annot", DATA_ONLY]).expect(0).stderr;
    assert!(!build().contains("Unchanged"));
    assert!(build().contains("Unchanged"));
    let spec = project.read("quickstart.annot");
    project.write("quickstart.annot", format!("{spec}\n// only a comment\n").as_bytes());
    assert!(build().contains("Unchanged"), "a comment changes nothing");
    let output = format!("build/{DATA_ONLY}/messages/train.jsonl");
    let bytes = project.read(&output);
    project.write(&output, b"{}\n");
    assert!(!build().contains("Unchanged"), "a damaged output is made again");
    assert_eq!(project.read(&output), bytes);
}

#[test]
fn a_program_reads_what_became_of_each_target() {
    let project = Project::of_spec("quickstart");
    let answers = || project.annotc(&["build", "quickstart.annot", DATA_ONLY, "--format", "json"]).expect(0).answers();
    let status = |answers: &[serde_json::Value]| {
        assert_eq!((answers.len(), &answers[0]["target"]), (1, &DATA_ONLY.into()));
        answers[0]["status"].clone()
    };
    assert_eq!(status(&answers()), "built");
    assert_eq!(status(&answers()), "unchanged");
}

#[test]
fn locked_builds_refuse_drift() {
    let project = Project::of_spec("quickstart");
    let locked = ["build", "quickstart.annot", DATA_ONLY, "--locked"];
    // The lock in the repository was written on another machine: the same bytes come out on this one.
    project.annotc(&locked).expect(0);
    std::fs::remove_file(project.path("quickstart.annot.lock")).expect("the lock is there");
    let run = project.annotc(&locked).expect(3);
    assert!(run.stderr.contains("quickstart.annot.lock"), "without a lock there is nothing to hold to: {}", run.stderr);
    project.annotc(&["build", "quickstart.annot", DATA_ONLY]).expect(0);
    project.annotc(&locked).expect(0);
    let lock = project.read("quickstart.annot.lock");
    let before = project.tree(&format!("build/{DATA_ONLY}"));
    let source = "data/contact_form.jsonl";
    let text = project.read(source);
    let (_, shortened) = text.split_once('\n').expect("several lines");
    project.write(source, shortened.as_bytes());
    let run = project.annotc(&locked).expect(3);
    assert!(run.stderr.contains(source), "the drifted file is named: {}", run.stderr);
    assert_eq!(project.read("quickstart.annot.lock"), lock, "the lock stays");
    assert_eq!(project.tree(&format!("build/{DATA_ONLY}")), before, "and so does the output");
}

#[test]
fn every_record_can_be_traced() {
    let project = Project::of_spec("quickstart");
    project.annotc(&["build", "quickstart.annot", DATA_ONLY]).expect(0);
    let row = &project.lines(&format!("build/{DATA_ONLY}/quarantine.jsonl"))[0];
    let id = row["id"].as_str().expect("an id");
    let run = project.annotc(&["trace", id]).expect(0);
    assert!(
        run.stdout.contains("quarantined") && run.stdout.contains(row["file"].as_str().expect("a file")),
        "{}",
        run.stdout
    );
    let life = &project.annotc(&["trace", id, "--format", "json"]).expect(0).answers()[0];
    assert_eq!(life["id"], row["id"]);
    assert_eq!(life["line"], row["line"]);
    project.annotc(&["trace", "00000000000000000000000000000000"]).expect(1);
}

#[test]
fn a_line_behind_the_end_of_a_file_has_no_record() {
    const SPEC: &str = "annot 1\nsource a { path \"a.jsonl\"; license \"MIT\"; fields { text: string } }\nsource b { path \"b.csv\"; license \"MIT\"; fields { text: string } }\ndataset d { from a, b; split train 100%; write jsonl }\n";
    let project = Project::new(&[
        ("s.annot", SPEC.as_bytes()),
        ("a.jsonl", b"{\"text\": \"one\"}\n\n{\"text\": \"two\"}"),
        // Its last record takes two lines.
        ("b.csv", b"text\nthree\n\"four\nand five\"\n"),
    ]);
    project.annotc(&["build", "s.annot"]).expect(0);
    for (place, line) in [("a.jsonl:2", 1), ("a.jsonl:3", 3), ("b.csv:4", 3)] {
        let run = project.annotc(&["trace", place, "--spec", "s.annot", "--format", "json"]).expect(0);
        assert_eq!(run.answers()[0]["line"], line, "{place}");
    }
    for (place, told, last) in [
        ("a.jsonl:4", "`a.jsonl` has no line 4: it has 3 lines", 3),
        ("b.csv:99999", "`b.csv` has no line 99999: it has 4 lines", 3),
    ] {
        let run = project.annotc(&["trace", place, "--spec", "s.annot"]).expect(1);
        assert!(run.stderr.contains(told) && run.stdout.is_empty(), "{}", run.stderr);
        assert!(run.stderr.contains(&format!("its last record begins on line {last}")), "{}", run.stderr);
    }
}

#[test]
fn a_part_to_learn_from_without_records_is_told() {
    const SPEC: &str = "annot 1\nsource a { path \"a.jsonl\"; license \"MIT\"; fields { text: string } }\nclean c { drop \"short\" when words(text) < 2 }\ndataset d { from a; clean c; split train 100%; write jsonl }\n";
    let project = Project::new(&[("s.annot", SPEC.as_bytes()), ("a.jsonl", b"{\"text\": \"one\"}\n")]);
    let told = "part `train` of d has no records";
    let run = project.annotc(&["build", "s.annot"]).expect(0);
    assert!(run.stderr.contains(told), "{}", run.stderr);
    project.write("a.jsonl", b"{\"text\": \"one two\"}\n");
    let run = project.annotc(&["build", "s.annot"]).expect(0);
    assert!(!run.stderr.contains(told), "{}", run.stderr);
}

#[test]
fn an_unmet_requirement_leaves_the_last_output() {
    let project = Project::of_spec("quickstart");
    project.annotc(&["build", "quickstart.annot", DATA_ONLY]).expect(0);
    let before = project.tree("build");
    let spec = project.read("quickstart.annot");
    let strict = spec.replacen("require count() >=", "require count() >= 100000 per intent\n  require count() >=", 1);
    assert_ne!(spec, strict, "the spec has a count to raise");
    project.write("quickstart.annot", strict.as_bytes());
    let run = project.annotc(&["build", "quickstart.annot", DATA_ONLY]).expect(3);
    assert!(run.stderr.contains("100000") || run.stderr.contains("100,000"), "the rule is named: {}", run.stderr);
    assert_eq!(project.tree("build"), before);
}

#[test]
fn splits_share_no_record_and_ids_are_unique() {
    let project = Project::of_spec("quickstart");
    project.annotc(&["build", "quickstart.annot", DATA_ONLY]).expect(0);
    let mut seen = HashSet::new();
    for part in ["train", "test"] {
        for line in project.read(&format!("build/{DATA_ONLY}/messages/{part}.jsonl")).lines() {
            assert!(seen.insert(line.to_string()), "a row stands twice: in {part} again");
        }
    }
    assert!(seen.len() >= 600, "the quickstart has {} records", seen.len());
}

#[test]
fn the_specs_own_tests_run() {
    let project = Project::of_spec("quickstart");
    let run = project.annotc(&["test", "quickstart.annot"]).expect(0);
    assert!(run.stdout.contains("passed") || run.stderr.contains("passed"), "{}{}", run.stdout, run.stderr);
    let spec = project.read("quickstart.annot");
    let wrong = format!(
        "{spec}\nclean probe {{ set text = text |> collapse_whitespace }}\ntest probe \"is wrong\" {{\n  given {{ text: \"a  b\" }}\n  \
         expect {{ text: \"a  b\" }}\n}}\n"
    );
    project.write("quickstart.annot", wrong.as_bytes());
    let run = project.annotc(&["test", "quickstart.annot"]).expect(1);
    let shown = format!("{}{}", run.stdout, run.stderr);
    assert!(shown.contains("is wrong") && shown.contains("a b"), "expected and found are shown: {shown}");
}

#[test]
fn a_build_says_why_it_could_not_read_most_of_the_rows() {
    const SPEC: &[u8] = b"annot 1\nsource s { path \"a/*.jsonl\"; fields { text: string } }\n\
        dataset d { from s; split train 100%; write jsonl }\n";
    let project = Project::new(&[("s.annot", SPEC), ("a/one.jsonl", b"{\"text\":\"a\"}\n{\"text\":7}\n")]);
    let even = project.annotc(&["build", "s.annot"]).expect(0);
    assert!(!even.stderr.contains("could not be read"), "one of two is no majority: {}", even.stderr);
    project.write("a/two.jsonl", b"{\"text\":8}\n");
    let most = project.annotc(&["build", "s.annot"]).expect(0);
    let why = "2 of 3 rows could not be read, 2 of them: field `text` is a number, expected a string";
    assert!(most.stderr.contains(why), "{}", most.stderr);
    // A link to nothing was once a file whose records are expected.
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("gone.jsonl", project.path("a/three.jsonl")).expect("a link is made");
        let gone = project.annotc(&["build", "s.annot"]).expect(4);
        assert!(gone.stderr.contains("three.jsonl is a link to nothing"), "{}", gone.stderr);
    }
}
