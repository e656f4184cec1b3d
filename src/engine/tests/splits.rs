//! Splits: fixed parts, near-duplicates, groups, fields.

use super::{TINY, build};

fn spec(fields: &str, split: &str) -> String {
    format!(
        r#"annot 1
source s {{ path "a.csv"; license "MIT"; fields {{ {fields} }} }}
source t {{ path "t.csv"; license "MIT"; fields {{ {fields} }} }}
dataset d {{ from s, t; {split}; write jsonl }}
"#
    )
}

fn texts(left: &super::Left, part: &str) -> Vec<String> {
    let rows = left.lines(&format!("jsonl/{part}.jsonl"));
    rows.iter().map(|row| row["text"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_near_duplicate_of_a_fixed_record_is_dropped() {
    let spec = spec("text: string", "split test from t, train 90%, validation 10% by text near 0.8 seed 7");
    let sentence =
        "the quick brown fox jumps over the lazy dog near the river bank every single morning before breakfast";
    let mut train = "text\n".to_owned();
    (0..40).for_each(|n| train.push_str(&format!("a text of its own with the number {n} and {} more\n", n * n + 17)));
    train.push_str(&format!("{sentence} today\n{sentence} tomorrow\n"));
    let test = format!("text\n{sentence}\nsomething else\n");
    let left = build(&spec, &[(0, "a.csv", train.as_bytes()), (1, "t.csv", test.as_bytes())], TINY, 2).unwrap();
    assert_eq!(texts(&left, "test"), [sentence, "something else"]);
    let last = left.built.outcome.steps.last().unwrap();
    assert_eq!((last.rule.as_str(), last.dropped), ("split", 2));
    let certificate = &left.built.outcome.certificate;
    assert_eq!(
        (certificate.by.as_str(), certificate.shared_keys, certificate.near_pairs),
        ("text near 0.8", 0, Some(0))
    );
    assert!(left.missing().is_empty());
}

#[test]
fn near_duplicates_across_parts_are_counted_where_a_split_checks() {
    let fields = "text: string; part: string";
    let sentence =
        "the quick brown fox jumps over the lazy dog near the river bank every single morning before breakfast";
    let data = format!(
        "text,part\n{sentence} today,train\n{sentence} tomorrow,test\n{sentence} again,test\nsomething of its own,test\n\
         {sentence},train\nquite another thing,train\n"
    );
    let certificate = |split: &str| {
        let files: [(u32, &str, &[u8]); 2] = [(0, "a.csv", data.as_bytes()), (1, "t.csv", b"text,part\n")];
        build(&spec(fields, split), &files, TINY, 2).unwrap().built.outcome.certificate
    };
    let checked = certificate("split as part check text near 0.8");
    assert_eq!(
        (checked.shared_keys, checked.near_pairs),
        (0, Some(2)),
        "two of the test set are like the first of `train`"
    );
    let known = |split: &str| certificate(split).method.rsplit_once("records").map(|(_, end)| end.to_owned()).unwrap();
    assert_eq!(known("split as part"), "; near-duplicates were not looked for");
    let said = known("split as part check text near 0.8");
    assert!(said.starts_with(", and for near-duplicates of `text` by "), "{said}");
}

#[test]
fn groups_stay_together_and_strata_are_cut() {
    let spec = spec("text: string; who: string @group; kind: string", "split train 50%, test 50% stratify kind seed 1");
    let mut data = "text,who,kind\n".to_owned();
    (0..200).for_each(|n| data.push_str(&format!("t{n},w{},k{}\n", n / 4, n / 4 % 2)));
    let left = build(&spec, &[(0, "a.csv", data.as_bytes()), (1, "t.csv", b"text,who,kind\n")], TINY, 2).unwrap();
    let of = |part: &str, key: &str| {
        let rows = left.lines(&format!("jsonl/{part}.jsonl"));
        rows.iter().map(|row| row[key].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(of("train", "who").iter().all(|who| !of("test", "who").contains(who)));
    assert_eq!(of("train", "kind").iter().filter(|kind| *kind == "k0").count(), 52, "13 of 25 groups of 4");
    assert_eq!(left.built.outcome.certificate.shared_keys, 0);
}

#[test]
fn a_field_names_the_part() {
    let spec = spec("text: string; part: string", "split as part");
    let data = b"text,part\na,train\nb,test\nc,tset\n";
    let left = build(&spec, &[(0, "a.csv", data), (1, "t.csv", b"text,part\n")], TINY, 1).unwrap();
    assert_eq!(texts(&left, "test"), ["b"]);
    assert_eq!(left.quarantine(), [(4, "the value of `part` is no part of the split".to_owned())]);
}

#[test]
fn records_that_a_fixed_part_lost_are_named() {
    let spec = r#"annot 1
source s { path "a.csv"; license "MIT"; fields { text: string; kind: string } }
source t { path "t.csv"; license "MIT"; fields { text: string; kind: string } }
label mood: choice from s.kind
clean c { drop "short" when words(text) < 2; dedup text exactly }
dataset d { from s, t; clean c; label mood = kind; split test from t, train 100%; write jsonl }
"#;
    let train = b"text,kind\na b,x\nc d,y\n";
    let test = b"text,kind\na b,y\ne,x\nf g,z\nh,z\n\xff,x\ni j,y\n";
    let left = build(spec, &[(0, "a.csv", train), (1, "t.csv", test)], TINY, 2).unwrap();
    let lost = left.missing();
    let missing: Vec<(u64, &str, Option<&str>)> = lost
        .iter()
        .map(|lost| (lost["line"].as_u64().unwrap(), lost["rule"].as_str().unwrap(), lost["gold"]["mood"].as_str()))
        .collect();
    let rules = [(2, Some("y")), (3, Some("x")), (4, None), (5, None), (6, None)];
    assert_eq!(missing.iter().map(|(line, _, gold)| (*line, *gold)).collect::<Vec<_>>(), rules);
    assert_eq!((missing[1].1, missing[4].1), ("short", "read"));
    assert_eq!(left.built.outcome.labels[0].values, ["x", "y"]);
    assert_eq!(left.built.outcome.parts[1].labels, [[0, 1]]);
}
