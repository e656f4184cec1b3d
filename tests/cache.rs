//! What builds keep for the next one, with real processes: the same bytes with a cold, a warm, a damaged and no cache, and
//! after a build that was killed.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::Project;

const DATA_ONLY: &str = "helpdesk";

/// What a build leaves, its lock among it.
type Left = (Vec<(String, Vec<u8>)>, String);

/// Builds the quickstart's data set anew; what it leaves, and what it prints.
fn build(project: &Project, more: &[&str]) -> (Left, String) {
    let _ = std::fs::remove_dir_all(project.path("build"));
    let run = project.annotc(&[&["build", "quickstart.annot", DATA_ONLY], more].concat()).expect(0);
    ((project.tree(&format!("build/{DATA_ONLY}")), project.read("quickstart.annot.lock")), run.stderr)
}

fn edit(project: &Project, from: &str, to: &str) {
    edit_in(project, "quickstart.annot", from, to);
}

fn edit_in(project: &Project, name: &str, from: &str, to: &str) {
    let spec = project.read(name);
    assert!(spec.contains(from), "{from}");
    project.write(name, spec.replacen(from, to, 1).as_bytes());
}

/// The files of chunks in a project's cache.
fn chunks(project: &Project) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for stage in std::fs::read_dir(project.cache().join("stages/1")).into_iter().flatten().flatten() {
        let files = std::fs::read_dir(stage.path()).into_iter().flatten().flatten().map(|file| file.path());
        found.extend(files.filter(|path| path.extension().is_some_and(|extension| extension == "arrow")));
    }
    found
}

/// The stages of a data set as `annotc cache explain` sees them.
fn explained(project: &Project) -> Vec<Value> {
    let run = project.annotc(&["cache", "explain", "quickstart.annot", DATA_ONLY, "--format", "json"]).expect(0);
    run.answers()[0]["stages"].as_array().expect("a list").clone()
}

#[test]
fn the_bytes_are_the_same_with_a_cold_a_warm_a_damaged_and_no_cache() {
    let project = Project::of_spec("quickstart");
    let (cold, printed) = build(&project, &[]);
    assert!(!printed.contains("Reused"), "{printed}");
    let (warm, printed) = build(&project, &[]);
    assert!(printed.contains("first pass: 2 of 2 chunks from the cache"), "{printed}");
    let (without, printed) = build(&project, &["--no-cache"]);
    assert!(!printed.contains("Reused"), "{printed}");
    let files = chunks(&project);
    let bytes = std::fs::read(&files[0]).expect("a chunk");
    std::fs::write(&files[0], &bytes[..bytes.len() / 2]).expect("cut short");
    std::fs::write(&files[1], b"something else").expect("overwritten");
    let (damaged, printed) = build(&project, &[]);
    assert!(printed.contains("2 files of the cache were damaged and made again"), "{printed}");
    for (name, left) in [("warm", &warm), ("without", &without), ("damaged", &damaged)] {
        assert!(*left == cold, "{name} differs");
    }
    let elsewhere = Project::of_spec("quickstart");
    std::fs::remove_dir_all(elsewhere.cache()).expect("removed");
    std::fs::write(elsewhere.cache(), b"no folder").expect("written");
    let (no_folder, printed) = build(&elsewhere, &[]);
    assert!(no_folder == cold && printed.contains("measures could not be kept"), "{printed}");
}

#[test]
fn what_means_the_same_is_neither_built_nor_measured_again() {
    let project = Project::of_spec("quickstart");
    build(&project, &[]);
    let built = project.tree("build");
    let lock = project.read("quickstart.annot.lock");
    let spec = project.read("quickstart.annot");
    let (head, rest) = spec.split_once('\n').expect("several lines");
    // The declarations in another order, with comments and another layout.
    let template = rest.find("\ntemplate ").expect("a template");
    let (first, second) = rest.split_at(rest[..template].rfind("\n\n").expect("a blank line"));
    let shuffled = format!("{head}\n// first\n\n{second}\n// second\n{first}").replace("  drop ", "    drop   ");
    let shuffled = shuffled.replace("email, phone, iban", "email,phone ,\n    iban");
    project.write("quickstart.annot", shuffled.as_bytes());
    let unchanged = || {
        let run = project.annotc(&["build", "quickstart.annot", DATA_ONLY]).expect(0);
        assert!(run.stderr.contains("Unchanged"), "{}", run.stderr);
        assert!(project.tree("build") == built && project.read("quickstart.annot.lock") == lock);
    };
    unchanged();
    project.annotc(&["fmt", "quickstart.annot"]).expect(0);
    unchanged();
    // What a skipped build leaves is what one would make.
    let (again, _) = build(&project, &["--no-cache"]);
    assert!(again.0 == strip(&built) && again.1 == lock);
}

/// The files of the data set, without those beside it.
fn strip(tree: &[(String, Vec<u8>)]) -> Vec<(String, Vec<u8>)> {
    let of = |(name, bytes): &(String, Vec<u8>)| Some((name.strip_prefix("helpdesk/")?.to_owned(), bytes.clone()));
    tree.iter().filter_map(of).collect()
}

#[test]
fn a_threshold_is_decided_anew_and_what_is_measured_otherwise_is_named() {
    let project = Project::of_spec("quickstart");
    build(&project, &[]);
    edit(&project, "words(text) < 3", "words(text) < 5");
    let spec = project.read("quickstart.annot").replace("\"not English\"", "\"in another language\"");
    project.write("quickstart.annot", spec.as_bytes());
    let stages = explained(&project);
    let names: Vec<&str> = stages.iter().map(|stage| stage["stage"].as_str().expect("a name")).collect();
    assert_eq!(names, ["survey", "measures", "verdicts", "outputs"]);
    assert_eq!((&stages[1]["reused"], &stages[1]["chunks_reused"]), (&true.into(), &2.into()));
    let reasons = stages[3]["reasons"].to_string();
    assert!(reasons.contains("clean tidy · too short: it changed"), "{reasons}");
    assert!(reasons.contains("in another language: it is new"), "{reasons}");
    let (kept, printed) = build(&project, &[]);
    assert!(printed.contains("2 of 2 chunks"), "{printed}");
    assert!(kept == build(&project, &["--no-cache"]).0);

    edit(&project, "nfc", "nfkc");
    let run = project.annotc(&["cache", "explain", "quickstart.annot", DATA_ONLY]).expect(0);
    assert!(run.stdout.contains("✗ measures  0 of 2 chunks from the cache"), "{}", run.stdout);
    assert!(run.stdout.contains("words(text)") && run.stdout.contains("nfkc(fix_encoding(text))"), "{}", run.stdout);
    build(&project, &[]);
    project.write("data/counter.csv", format!("{}\n", project.read("data/counter.csv")).as_bytes());
    let reasons = explained(&project)[1]["reasons"].to_string();
    assert!(
        reasons.contains("data/counter.csv: its content changed") && !reasons.contains("contact_form"),
        "{reasons}"
    );
    // A program learns how much was there.
    let run = project.annotc(&["build", "quickstart.annot", DATA_ONLY, "--format", "json"]).expect(0);
    assert_eq!(run.answers()[0]["first_pass"]["reused"], 1);
}

#[test]
fn a_records_life_names_the_lines_of_the_rules_as_they_are_now() {
    let project = Project::of_spec("quickstart");
    build(&project, &[]);
    let rows = project.lines(&format!("build/{DATA_ONLY}/quarantine.jsonl"));
    let row = rows.iter().find(|row| row["error"].as_str().is_some_and(|error| error.contains("label")));
    let id = row.expect("a record without a label")["id"].as_str().expect("an id").to_owned();
    let line = || project.annotc(&["trace", &id, "--spec", "quickstart.annot", "--format", "json"]).expect(0).answers();
    let stands = || {
        let spec = project.read("quickstart.annot");
        spec.lines().position(|line| line.trim_start().starts_with("label intent =")).expect("the rule") + 1
    };
    assert_eq!(line()[0]["rule_line"], stands());
    edit(&project, "annot 1\n", "annot 1\n// one more line\n");
    assert_eq!(line()[0]["rule_line"], stands());
    // A specification that says something else has other rules.
    edit(&project, "words(text) < 3", "words(text) < 6");
    assert!(line()[0]["rule_line"].is_null() && line()[0]["steps"][1]["line"].is_null());
}

#[test]
fn the_cache_is_listed_and_pruned() {
    let project = Project::of_spec("quickstart");
    let shown = || project.annotc(&["cache", "show", "--format", "json"]).expect(0).answers();
    assert!(shown().is_empty());
    build(&project, &[]);
    let first = &shown()[0];
    assert_eq!((&first["chunks"], &first["uses"][0]["dataset"]), (&2.into(), &DATA_ONLY.into()));
    assert!(first["bytes"].as_u64() > Some(1000) && first["age_seconds"].as_u64() < Some(600), "{first}");
    assert_eq!(first["versions"]["words"], 1);
    edit(&project, "nfc", "nfkc");
    build(&project, &[]);
    assert_eq!(shown().len(), 2);
    let prune = |more: &[&str]| {
        let run = project.annotc(&[&["cache", "prune", "--format", "json"], more].concat()).expect(0);
        run.answers()[0]["removed"]["stages"].as_u64().expect("a number")
    };
    assert_eq!((prune(&[]), prune(&["--older-than", "1d"]), prune(&["--max-size", "1GiB"])), (0, 0, 0));
    // The one that was used last stays.
    let kilobytes = shown()[0]["bytes"].as_u64().expect("a size") / 1000 + 1;
    assert_eq!(prune(&["--max-size", &format!("{kilobytes}kB")]), 1);
    assert!(shown().len() == 1 && shown()[0]["key"] != first["key"]);
    // So it does after a build with a small cache, which removes the others.
    edit(&project, "nfkc", "nfc");
    let (_, printed) = build(&project, &["--cache-size", "1kB"]);
    assert!(printed.contains("Removed 1 stage of the cache"), "{printed}");
    assert!(shown().len() == 1 && shown()[0]["key"] == first["key"]);
    let run = project.annotc(&["cache", "prune", "--all"]).expect(0);
    assert!(run.stderr.contains("1 stage") && run.stderr.contains("0 B are left"), "{}", run.stderr);
    assert!(shown().is_empty());
    project.annotc(&["cache", "prune", "--older-than", "soon"]).expect(2);
}

const LONG: &str = r#"annot 1
source notes { path "notes.jsonl"; license "CC0-1.0"; fields { text: string } }
clean tidy { set text = text |> nfc |> collapse_whitespace; drop "short" when words(text) < 3 }
dataset all { from notes; clean tidy; split train 100%; write jsonl }
"#;

/// The tables whose tokens a project's cache has.
fn tokens(project: &Project) -> usize {
    let shown = project.annotc(&["cache", "show", "--format", "json"]).expect(0).answers();
    shown.iter().filter(|kept| kept["stage"] == "tokens").count()
}

#[test]
fn a_run_keeps_its_tokens_where_nothing_personal_is_allowed_in_them() {
    let project = Project::of_spec("quickstart");
    edit(&project, "epochs 8", "steps 2");
    edit(&project, "  require accuracy >= 0.75\n  require f1.macro >= 0.70\n", "");
    let train = |more: &[&str]| {
        let _ = std::fs::remove_dir_all(project.path("build/sorter"));
        project.annotc(&[&["build", "quickstart.annot", "sorter"], more].concat()).expect(0).stderr
    };
    let reuses = |printed: &str| printed.contains("Reused tokens of");
    assert!(!reuses(&train(&["--no-cache"])) && tokens(&project) == 0);
    assert!(!reuses(&train(&[])) && tokens(&project) == 1);
    edit(&project, "rate   1e-3", "rate   2e-3");
    let printed = train(&[]);
    assert!(reuses(&printed) && tokens(&project) == 1, "{printed}");
    edit(&project, "length 64 tokens", "length 48 tokens");
    assert!(!reuses(&train(&[])) && tokens(&project) == 2);
    project.annotc(&["cache", "prune", "--all"]).expect(0);
    assert_eq!(tokens(&project), 0);
    let policy = "redact  @personal: email, phone, iban, card_number, ip_address";
    edit(&project, policy, "allow   personal text because \"the customers agreed\"");
    assert!(!reuses(&train(&[])) && tokens(&project) == 0);
}

#[test]
fn a_killed_build_goes_on_from_its_finished_chunks() {
    let project = long(LONG);
    let finished = kill(&project);
    let run = project.annotc(&["build", "all.annot", "--format", "json"]).expect(0);
    let first_pass = &run.answers()[0]["first_pass"];
    assert_eq!(first_pass["reused"], finished);
    assert!(first_pass["chunks"].as_u64() > Some(4), "{first_pass}");
    same_without(&project);
}

/// Until it is known what a step cuts out, the chunks of the steps before it are the ones that are finished.
#[test]
fn a_killed_search_for_what_is_cut_goes_on_from_its_finished_chunks() {
    let spec =
        LONG.replace(" |> collapse_whitespace", "").replace("drop \"short\"", "dedup lines of text; drop \"short\"");
    let project = long(&spec);
    let finished = kill(&project);
    let run = project.annotc(&["build", "all.annot", "--format", "json"]).expect(0);
    let first_pass = &run.answers()[0]["first_pass"];
    let cuts = &first_pass["cuts"][0];
    assert_eq!((&cuts["reused"], &cuts["from"]), (&finished.into(), &"measures".into()), "{first_pass}");
    assert!(finished < 6 && cuts["chunks"].as_u64() > Some(4) && first_pass["reused"] == 0, "{first_pass}");
    same_without(&project);
    // Another threshold behind the step: all is there, and shown as what it is.
    edit_in(&project, "all.annot", "words(text) < 3", "words(text) < 5");
    let run = project.annotc(&["build", "all.annot"]).expect(0);
    let told = "before `dedup lines of text`: 6 of 6 chunks from the cache; what it cuts is in the cache";
    assert!(run.stderr.contains(told) && run.stderr.contains("first pass: 6 of 6 chunks"), "{}", run.stderr);
    let shown = project.annotc(&["cache", "show"]).expect(0).stdout;
    assert!(shown.contains("  cuts      what `dedup lines of text` cuts out"), "{shown}");
    assert!(shown.contains("the pieces that `dedup lines of text` compares"), "{shown}");
    let explained = project.annotc(&["cache", "explain", "all.annot"]).expect(0).stdout;
    assert!(explained.contains("✓ cuts      of `dedup lines of text`: from the cache"), "{explained}");
    assert_eq!(explained.matches("6 of 6 chunks from the cache").count(), 2, "{explained}");
    // Without the places they are decided again; without anything the texts are read.
    let cuts = chunks(&project).into_iter().filter(|file| {
        let record = file.parent().expect("a folder").join("stage.json");
        std::fs::read_to_string(record).expect("a record").contains("\"cuts\"")
    });
    cuts.for_each(|file| std::fs::remove_file(file).expect("removed"));
    let explained = project.annotc(&["cache", "explain", "all.annot"]).expect(0).stdout;
    assert!(explained.contains("decided again over the measures"), "{explained}");
    assert!(explained.contains("6 of 6 chunks are missing"), "{explained}");
    project.annotc(&["cache", "prune", "--all"]).expect(0);
    let explained = project.annotc(&["cache", "explain", "all.annot"]).expect(0).stdout;
    assert!(explained.contains("✗ cuts      of `dedup lines of text`: not known before"), "{explained}");
}

/// A specification with texts for some chunks, the half of whose lines are common.
fn long(spec: &str) -> Project {
    let line = |i: usize| {
        let text = format!("note {i} {}", "some words more ".repeat(1000));
        format!("{{\"text\":\"{text}\\nnote {}\"}}\n", i % 30)
    };
    let data: String = (0..1500).map(line).collect();
    Project::new(&[("all.annot", spec.as_bytes()), ("notes.jsonl", data.as_bytes())])
}

/// Kills a build that has finished a chunk, and gives how many it finished.
fn kill(project: &Project) -> usize {
    let mut child = project
        .command(&["build", "all.annot", "--jobs", "1"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("annotc starts");
    let begin = Instant::now();
    while chunks(project).is_empty() {
        assert!(begin.elapsed() < Duration::from_secs(120), "no chunk is finished");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().expect("the child can be killed");
    child.wait().expect("the child ends");
    chunks(project).len()
}

/// Builds the data set without the cache, with the same bytes.
fn same_without(project: &Project) {
    let kept = project.tree("build/all");
    std::fs::remove_dir_all(project.path("build")).expect("removed");
    project.annotc(&["build", "all.annot", "--no-cache"]).expect(0);
    assert!(project.tree("build/all") == kept);
}
