//! What a run of a label of several values or of spans can say, and what it cannot.

use super::{all_shown, check};

/// The label, statements of the run and of its evaluation; the code that is found, if any, and the text under its place.
type Case = (&'static str, &'static str, &'static str, Option<(&'static str, &'static str)>);

const TOPICS: &str = "choices(1..2) { card; fees }";
const PEOPLE: &str = "spans over text { PERSON; ORG } overlap no";
const CASES: &[Case] = &[
    (TOPICS, "task classify l from text; weights balanced", "report accuracy, f1, jaccard, hamming_loss, loss", None),
    (TOPICS, "task classify l from text", "require f1.samples >= 0.5; require jaccard[card] >= 0.5", None),
    (TOPICS, "task classify l from text; smooth 0.1", "report f1", Some(("E0905", "smooth 0.1"))),
    (TOPICS, "task classify l from text", "report confusion", Some(("E0903", "confusion"))),
    (TOPICS, "task classify l from text", "require ece <= 0.1", Some(("E0903", "ece"))),
    (TOPICS, "task classify l from text", "require f1[car] >= 0.1", Some(("E1001", "car"))),
    (TOPICS, "task tag l", "report f1", Some(("E0905", "l"))),
    (
        PEOPLE,
        "task tag l",
        "report precision, recall, f1, loss; require f1.micro >= 0.4; require recall[ORG] >= 0.1",
        None,
    ),
    (PEOPLE, "task tag l; smooth 0.1; validate every 1 epochs by f1.micro", "report f1", None),
    (PEOPLE, "task tag l; weights balanced", "report f1", Some(("E0905", "weights balanced"))),
    (PEOPLE, "task tag l", "report strict_f1; require strict_f1.micro >= 0.1", None),
    (PEOPLE, "task tag l", "require strict_recall[PERSON] >= 0.1", None),
    (TOPICS, "task classify l from text", "report strict_f1", Some(("E0903", "strict_f1"))),
    (PEOPLE, "task tag l", "report accuracy", Some(("E0903", "accuracy"))),
    (PEOPLE, "task tag l", "require f1.samples >= 0.1", Some(("E0903", "samples"))),
    (PEOPLE, "task classify l from text", "report f1", Some(("E0905", "l"))),
    ("spans over text { PERSON }", "task tag l", "report f1", Some(("E0905", "l"))),
    ("spans over text { PERSON } overlap yes", "task tag l", "report f1", Some(("E0905", "l"))),
    ("choice { card; fees }", "task classify l from text", "require f1.samples >= 0.1", Some(("E0903", "samples"))),
    ("choice { card }", "task classify l from text", "report f1", Some(("E0905", "l"))),
    ("choices { card }", "task classify l from text", "report f1", None),
    ("choice { card; fees }", "task classify l from text", "report jaccard", Some(("E0903", "jaccard"))),
];

#[test]
fn runs_of_sets_and_spans_say_what_they_can() {
    let mut wrong = String::new();
    for (label, run, evaluation, expected) in CASES {
        let raw = match label.split(['(', ' ']).next() {
            Some("choices") => "named",
            Some("spans") => "marks",
            _ => "category",
        };
        let text = format!(
            "annot 1\nsource s {{\n  path \"a.jsonl\"\n  license \"MIT\"\n  fields {{ text: string; category: string; named: list<string>; marks: list<{{ start: int, end: int, label: string }}> }}\n}}\nlabel l: {label}\ndataset d {{\n  from s\n  label l = {raw}\n  split train 80%, validation 10%, test 10%\n  write jsonl\n}}\nmodel tiny {{ new encoder {{ layers 2; hidden 128; heads 4; vocab 8000 }} }}\ntrain r {{\n  model tiny\n  data d\n  epochs 1\n  {run}\n}}\nevaluate r on d.test {{ {evaluation} }}\n"
        );
        let checked = check(&text);
        let found: Vec<(&str, &str)> = checked
            .found
            .iter()
            .chain(checked.refused.iter().filter(|_| checked.found.is_empty()))
            .map(|found| (found.code.id(), checked.files.text(found.labels[0].span)))
            .collect();
        if found != expected.iter().copied().collect::<Vec<_>>() {
            let all = all_shown(&checked, &checked.found) + &all_shown(&checked, &checked.refused);
            wrong += &format!("== {label} / {run} / {evaluation}: expected {expected:?}, found {found:?}\n{all}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
