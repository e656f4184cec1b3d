//! The guides show what the commands print: each of their commands is run, in order, in one folder.

#[cfg(unix)]
#[test]
fn the_guides_show_what_the_commands_print() {
    check("getting-in.md", &[]);
    check("provenance.md", &[]);
    let data: String = (0..400)
        .map(|i| format!("{{\"text\":\"note {} of {} words\",\"topic\":\"{}\"}}\n", i, i % 7, ["a", "b"][i % 2]))
        .collect();
    check("cache.md", &[("notes.jsonl", data.as_bytes())]);
}

/// Runs the commands of a guide beside these files.
#[cfg(unix)]
fn check(guide: &str, files: &[(&str, &[u8])]) {
    use std::process::Command;

    use assert_cmd::cargo::cargo_bin;

    use crate::support::{Project, repository};

    let guide = std::fs::read_to_string(repository().join("docs/guides").join(guide)).expect("the guide is there");
    let project = Project::new(files);
    for block in guide.split("```annot file=").skip(1) {
        let (name, text) = block.split_once('\n').expect("a block has lines");
        project.write(name, text.split_once("```").expect("a block ends").0.as_bytes());
    }
    let binaries = cargo_bin!("annotc").parent().expect("a program lies in a folder").to_path_buf();
    let path = std::env::join_paths(
        [binaries].into_iter().chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
    );
    let mut tried = 0;
    for block in guide.split("```console\n").skip(1) {
        let (block, _) = block.split_once("```").expect("a block ends");
        for shown in block.split("$ ").skip(1) {
            let (command, expected) = shown.split_once('\n').expect("a command has a line");
            let run = Command::new("sh")
                .args(["-c", command])
                .current_dir(project.path(""))
                .env("PATH", path.as_ref().expect("the path can be joined"))
                .env("NO_COLOR", "1")
                .env("ANNOTC_CACHE", "cache")
                .env_remove("ANNOTC_DATA")
                .env_remove("COLUMNS")
                .output()
                .expect("a shell starts");
            assert!(run.status.success(), "`{command}`: {}", String::from_utf8_lossy(&run.stderr));
            assert_eq!(String::from_utf8_lossy(&run.stdout), expected, "`{command}`");
            tried += 1;
        }
    }
    assert!(tried > 5, "{tried} commands were tried");
}
