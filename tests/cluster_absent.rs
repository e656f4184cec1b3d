//! An annotc that was compiled without clusters says so, and how to get one with them.

use crate::support::Project;

#[test]
fn what_is_not_compiled_in_is_said() {
    let spec = "annot 1\nsource s { path \"a.jsonl\"; license \"CC0-1.0\"; fields { text: string } }\n\
                dataset d { from s; split train 100%; write jsonl }\n";
    let project = Project::new(&[("d.annot", spec.as_bytes()), ("a.jsonl", b"{\"text\":\"a\"}\n")]);
    let asked: [&[&str]; 3] = [
        &["cluster", "executor", "--scheduler", "127.0.0.1:50050"],
        &["cluster"],
        &["build", "d.annot", "--cluster", "df://127.0.0.1:50050"],
    ];
    for args in asked {
        let run = project.annotc(args).expect(2);
        assert!(run.stderr.contains("compiled with clusters"), "{args:?}: {}", run.stderr);
        assert!(run.stderr.contains("cargo install annotc --features cluster"), "{args:?}: {}", run.stderr);
    }
    assert!(!project.path("build").exists(), "a build that cannot be as asked for is none");
}
