//! `annotc new`: what it writes checks, passes its tests and builds.

use crate::support::Project;

#[test]
fn every_kind_builds_as_it_is() {
    let kinds = [
        ("classify", "helpdesk", &["sorter/model.onnx", "sorter/evaluation/helpdesk.test.json"][..]),
        ("chat", "lessons", &["lessons/messages/test.jsonl", "lessons/alpaca/train.jsonl"][..]),
    ];
    for (kind, dataset, outputs) in kinds {
        let project = Project::new(&[]);
        let run = project.annotc(&["new", "starter", "--kind", kind]).expect(0);
        assert!(run.stdout.contains("annotc build   starter/starter.annot"), "the next step is named: {}", run.stdout);
        let checked = project.annotc(&["check", "starter/starter.annot"]).expect(0);
        assert!(!checked.stderr.contains("warning"), "{}", checked.stderr);
        let tested = project.annotc(&["test", "starter/starter.annot"]).expect(0);
        assert!(tested.stdout.contains("3 tests passed"), "{}", tested.stdout);
        project.annotc(&["build", "starter/starter.annot"]).expect(0);
        for output in outputs.iter().chain(&[&*format!("{dataset}/manifest.json")]) {
            assert!(project.path("starter/build").join(output).is_file(), "{kind}: {output} is left");
        }
        assert_eq!(project.read("starter/.gitignore").lines().last(), Some("build/"));
    }
}

#[test]
fn nothing_is_replaced() {
    let project = Project::new(&[("mine/data/tickets.jsonl", b"mine")]);
    let before = project.tree("mine");
    let run = project.annotc(&["new", "mine"]).expect(2);
    assert!(run.stderr.contains("mine/data/tickets.jsonl"), "the file in the way is named: {}", run.stderr);
    assert_eq!(project.tree("mine"), before, "no other file was written beside it");
    let run = project.annotc(&["new", "mine", "--kind", "chat", "--format", "json"]).expect(0);
    assert_eq!(run.answers()[0]["spec"], "mine/mine.annot");
    assert_eq!(project.read("mine/data/tickets.jsonl"), "mine");
}

#[test]
fn a_folder_that_is_there_gives_the_name() {
    let project = Project::new(&[("My shop/notes.txt", b"mine")]);
    let run = project.command(&["new", "."]).current_dir(project.path("My shop")).output().expect("annotc starts");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert!(project.read("My shop/My-shop.annot").contains("annotc build My-shop.annot"));
    project.annotc(&["check", "My shop/My-shop.annot"]).expect(0);
    project.annotc(&["new", "/"]).expect(2);
}
