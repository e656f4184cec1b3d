//! A build that is killed leaves the last output whole, and the next one works.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::Project;

const SPEC: &str = r#"annot 1
source notes { path "notes.jsonl"; license "CC0-1.0"; fields { text: string } }
template ask: chat { user "{{ text }}"; assistant "{{ text }}" }
dataset all { from notes; split train 100%; write messages from ask; write parquet; write jsonl }
"#;

/// Two versions of the data, so that an output tells which build made it.
fn data(version: u32) -> Vec<u8> {
    (0..20_000)
        .flat_map(|i| format!("{{\"text\":\"note {i} of version {version}, some words more\"}}\n").into_bytes())
        .collect()
}

#[test]
fn a_killed_build_leaves_the_last_output_whole() {
    let project = Project::new(&[("all.annot", SPEC.as_bytes()), ("notes.jsonl", &data(0))]);
    project.annotc(&["build", "all.annot"]).expect(0);
    let mut whole = project.tree("build/all");
    let begin = Instant::now();
    project.write("notes.jsonl", &data(1));
    project.annotc(&["build", "all.annot"]).expect(0);
    let duration = begin.elapsed();
    let mut other = project.tree("build/all");
    std::mem::swap(&mut whole, &mut other);

    // Moments from a fixed seed (a linear congruential generator, Knuth's constants): half over the whole build, half in
    // its last tenth, where the rename is.
    let mut state: u64 = 7;
    for kill in 0..20_u32 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let share = (state >> 11) as f64 / (1_u64 << 53) as f64;
        let share = if kill % 2 == 0 { share } else { 0.9 + 0.15 * share };
        project.write("notes.jsonl", &data(2 + kill));
        let mut child = project
            .command(&["build", "all.annot"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("annotc starts");
        std::thread::sleep(Duration::from_secs_f64(duration.as_secs_f64() * share));
        let finished = child.try_wait().expect("the child can be asked").is_some();
        child.kill().expect("the child can be killed");
        child.wait().expect("the child ends");

        let found = project.tree("build/all");
        let text =
            String::from_utf8_lossy(&found.iter().find(|(name, _)| name == "messages/train.jsonl").expect("data").1)
                .into_owned();
        let version = |v: u32| format!("of version {v},");
        let is_old = found == whole;
        let is_new = text.lines().count() == 20_000 && text.lines().all(|line| line.contains(&version(2 + kill)));
        assert!(
            is_old || is_new,
            "kill {kill} at {share:.2} (finished: {finished}) left neither the old nor the new output"
        );
        project.annotc(&["build", "all.annot"]).expect(0);
        whole = project.tree("build/all");
        // The lock file of the target stays: removing it would race with another build that waits for it.
        let entries = std::fs::read_dir(project.path("build")).expect("build/").flatten();
        let names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        let left: Vec<_> = names.iter().filter(|name| *name != "all" && !name.ends_with(".lock")).collect();
        assert!(left.is_empty(), "the next build removes what the killed one left: {left:?}");
    }
}
