//! `use` across real files: what is built from declarations of other files, and where their paths begin.

use crate::support::Project;

const SPEC: &str = r#"annot 1
use "lib/shop.annot": orders, tidy as neat, kind
use "lib/rules/house.annot": house
dataset shop {
  from   orders
  clean  neat
  label  kind = kind
  policy house
  split  train 50%, test 50% seed 1
  write  jsonl
}
"#;

const SHOP: &str = r#"annot 1
use "rules/house.annot": shortest
source orders { path "data/orders.jsonl"; license "CC0-1.0"; fields { text: string @personal; kind: string } }
label kind: choice from "kinds.yaml"
clean tidy { drop "short" when words(text) < shortest }
"#;

const HOUSE: &str = "annot 1\nlet shortest = 2\npolicy house { redact @personal: email }\n";

const ORDERS: &str = "{\"text\": \"a bike for ann@example.org\", \"kind\": \"buy\"}\n{\"text\": \"hire\", \"kind\": \"hire\"}\n\
                      {\"text\": \"two bikes to hire\", \"kind\": \"hire\"}\n";

fn project() -> Project {
    Project::new(&[
        ("shop.annot", SPEC.as_bytes()),
        ("lib/shop.annot", SHOP.as_bytes()),
        ("lib/rules/house.annot", HOUSE.as_bytes()),
        ("lib/kinds.yaml", b"[buy, hire]\n"),
        ("lib/data/orders.jsonl", ORDERS.as_bytes()),
    ])
}

#[test]
fn declarations_of_other_files_are_built() {
    let project = project();
    let run = project.annotc(&["build", "shop.annot"]).expect(0);
    assert!(!run.stderr.contains("warning"), "{}", run.stderr);
    let manifest = project.json("build/shop/manifest.json");
    assert_eq!(manifest["sources"][0]["files"][0]["path"], "lib/data/orders.jsonl", "beside the file that names it");
    let steps: Vec<&str> =
        manifest["steps"].as_array().expect("steps").iter().filter_map(|s| s["step"].as_str()).collect();
    assert!(steps.contains(&"clean neat"), "under the name that it was given: {steps:?}");
    let texts = project.read("build/shop/jsonl/train.jsonl") + &project.read("build/shop/jsonl/test.jsonl");
    assert!(texts.contains("[EMAIL]") && texts.lines().count() == 2, "{texts}");
    assert!(project.annotc(&["build", "shop.annot", "--locked"]).expect(0).stderr.contains("Unchanged"));
    project.write("lib/rules/house.annot", HOUSE.replace("= 2", "= 5").as_bytes());
    project.annotc(&["build", "shop.annot", "--locked"]).expect(3);
}

#[test]
fn data_of_other_files_is_found_under_the_data_root_as_they_name_it() {
    let project = project();
    std::fs::rename(project.path("lib/data"), project.path("elsewhere")).expect("the folder moves");
    project.annotc(&["build", "shop.annot"]).expect(4);
    std::fs::create_dir(project.path("root")).expect("a folder");
    std::fs::rename(project.path("elsewhere"), project.path("root/data")).expect("the folder moves");
    project.annotc(&["build", "shop.annot", "--data-root", "root"]).expect(0);
}

#[test]
fn a_mistake_is_shown_in_the_file_that_holds_it() {
    let project = project();
    project.write("lib/shop.annot", SHOP.replace("words(text)", "wrods(text)").as_bytes());
    let run = project.annotc(&["check", "shop.annot"]).expect(1);
    assert!(run.stderr.contains("lib/shop.annot:5") && run.stderr.contains("did you mean `words`?"), "{}", run.stderr);
    project.write(
        "lib/rules/house.annot",
        b"annot 1\nuse \"../shop.annot\": tidy\nlet shortest = 2\npolicy house { redact @personal: email }\n",
    );
    let run = project.annotc(&["check", "shop.annot"]).expect(1);
    assert!(run.stderr.contains("E0112") && run.stderr.contains("closes the circle"), "{}", run.stderr);
    std::fs::remove_file(project.path("lib/rules/house.annot")).expect("the file goes");
    let run = project.annotc(&["check", "shop.annot"]).expect(1);
    assert!(run.stderr.contains("E0113") && run.stderr.contains("no such file"), "{}", run.stderr);
}
