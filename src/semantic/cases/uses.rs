//! `use`: what one file takes from another.

use super::{all_shown, check};

/// A data set of the sources, blocks and labels that a case takes from other files.
const DATASET: &str = "
source notes { path \"notes.jsonl\"; license \"CC0-1.0\"; fields { text: string @personal } }
dataset all {
  from   notes
  policy house
  split  train 90%, test 10%
  write  jsonl
}
";

fn spec(uses: &str, rest: &str) -> String {
    format!("annot 1\n{uses}\n{DATASET}{rest}")
}

#[test]
fn declarations_of_other_files_are_used() {
    let checked = check(&spec(
        "use \"pii.annot\": house, brief as base\nuse \"lib/shop.annot\": orders, kind, tidy",
        "dataset shop { from orders; clean tidy, base; label kind = kind; split train 100%; write jsonl }",
    ));
    assert!(checked.found.is_empty() && checked.refused.is_empty(), "{}", all_shown(&checked, &checked.found));
    let program = &checked.program;
    let blocks: Vec<&str> = program.datasets[1].steps.iter().map(|step| step.block_name.as_str()).collect();
    assert_eq!(blocks, ["tidy", "base", "kind"], "a block has the name that this file gives it");
    let orders = program.sources.iter().find(|source| source.name == "orders").expect("the source is taken");
    assert_eq!((orders.folder.as_str(), orders.paths[0].as_str()), ("lib", "data/orders.jsonl"));
    assert_eq!(program.labels.len(), 1, "what nobody takes is not in the program");
}

#[test]
fn names_that_clash_are_qualified() {
    // `brief` of pii.annot needs its own `shortest`; here another constant has that name.
    let checked = check(&spec(
        "use \"pii.annot\": house, brief\nuse \"lib/shop.annot\": orders as notes2",
        "let shortest = 9\nclean mine { drop \"short\" when words(text) < shortest }
         dataset more { from notes; clean brief, mine; policy house; split train 100%; write jsonl }
         dataset sold { from notes2; split train 100%; write jsonl }",
    ));
    assert!(checked.found.is_empty(), "{}", all_shown(&checked, &checked.found));
    let bounds: Vec<String> =
        checked.program.datasets[1].steps[..2].iter().map(|step| format!("{:?}", step.kind)).collect();
    assert!(bounds[0].contains("Int(3)") && bounds[1].contains("Int(9)"), "each file's own constant: {bounds:?}");
    assert_eq!(checked.program.sources[1].name, "notes2");
}

#[test]
fn what_cannot_be_taken_is_reported_where_it_is_named() {
    // The `use` statements; the code; the text under the primary place; a part of the help.
    let cases = [
        ("use \"pii.annot\": house, brif", "E0101", "brif", "`brief`"),
        ("use \"pii.annot\": house, shortest", "E0101", "shortest", "take it from there too"),
        ("use \"pii.annot\": house, brief", "W0106", "brief", "take it out"),
        ("use \"pii.annot\": house, brief as notes", "E0102", "notes", "as other_notes"),
        ("use \"pii.annot\": house\nuse \"lib/shop.annot\": tidy as house", "E0102", "house", "as other_house"),
        ("use \"pii.yaml\": house", "E0113", "\"pii.yaml\"", "pii.annot"),
        ("use \"none.annot\": house", "E0113", "\"none.annot\"", "`none.annot`"),
        ("use \"/etc/pii.annot\": house", "E0113", "\"/etc/pii.annot\"", "folder of this file"),
        ("use \"spec.annot\": house", "E0112", "\"spec.annot\"", "a third one"),
        ("use \"pii.annot\": house\nuse \"ring.annot\": one", "E0112", "\"spec.annot\"", "a third one"),
        ("use \"pii.annot\": house\nuse \"wrong.annot\": far", "E0001", "=", ""),
    ];
    let mut wrong = String::new();
    for (uses, code, place, help) in cases {
        let checked = check(&spec(uses, ""));
        let found = checked
            .found
            .iter()
            .find(|found| found.code.id() == code && checked.files.text(found.labels[0].span) == place);
        if found.is_none_or(|found| !found.help.as_deref().unwrap_or_default().contains(help)) {
            wrong += &format!("{uses}: expected {code} at {place}:\n{}\n", all_shown(&checked, &checked.found));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
