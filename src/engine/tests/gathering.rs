//! Rules that look at all records: what is cut out of texts, which of several is kept, what is taken.

use super::{Left, TINY, build};

const HEAD: &str = "annot 1\nsource s { path \"a.jsonl\"; license \"MIT\"; fields { text: string; n: int; kind: string; at: date } }\nsource t { path \"t.jsonl\"; license \"MIT\"; fields { text: string; n: int; kind: string; at: date } }\n";

/// Builds records of two sources, each `(text, n, kind, at)`.
fn built(rules: &str, statements: &str, s: &[(&str, i64, &str, &str)], t: &[(&str, i64, &str, &str)]) -> Left {
    let lines = |rows: &[(&str, i64, &str, &str)]| {
        let line = |(text, n, kind, at): &(&str, i64, &str, &str)| {
            serde_json::json!({ "text": text, "n": n, "kind": kind, "at": at }).to_string() + "\n"
        };
        rows.iter().map(line).collect::<String>()
    };
    let clean = if rules.is_empty() { "" } else { "clean c;" };
    let spec = format!("{HEAD}clean c {{ {rules} }}\ndataset d {{ from s, t; {clean} {statements}; write jsonl }}\n");
    let spec = if rules.is_empty() { spec.replace("clean c {  }\n", "") } else { spec };
    let (s, t) = (lines(s), lines(t));
    build(&spec, &[(0, "a.jsonl", s.as_bytes()), (1, "t.jsonl", t.as_bytes())], TINY, 2).unwrap()
}

const ALL: &str = "split train 100%";

fn texts(left: &Left, part: &str) -> Vec<String> {
    let rows = left.lines(&format!("jsonl/{part}.jsonl"));
    rows.iter().map(|row| row["text"].as_str().unwrap().to_owned()).collect()
}

fn row(text: &str) -> (&str, i64, &str, &str) {
    (text, 0, "k", "2024-01-01")
}

#[test]
fn what_occurred_before_is_cut_and_empty_records_go() {
    let left = built(
        "dedup lines of text; drop \"short\" when words(text) < 2",
        ALL,
        &[row("one two\nthree four"), row("three four\nfive six"), row("one two"), row("seven\nthree four")],
        &[row("five six\neight nine")],
    );
    // The rule behind it sees the texts without what was cut.
    assert_eq!(texts(&left, "train"), ["one two\nthree four", "five six", "eight nine"]);
    let step = &left.built.outcome.steps[1];
    assert_eq!((step.records_in, step.records_out, step.dropped, step.changed), (5, 4, 1, 3));
    let cut = step.cut.unwrap();
    assert_eq!((cut.places, cut.bytes), (4, 11 + 7 + 11 + 9));
    assert_eq!(left.step(2), [4, 3, 1, 0]);
}

/// A record that an earlier rule takes out is no earlier occurrence, a dropped duplicate among them.
#[test]
fn only_what_reaches_the_rule_occurred_before() {
    let left = built(
        "drop \"bad\" when n == 1; dedup text exactly; dedup sentences of text",
        ALL,
        &[("One is. Two is.", 1, "k", "2024-01-01"), row("Two is."), row("Two is."), row("One is. Two is. Two is.")],
        &[],
    );
    assert_eq!(texts(&left, "train"), ["Two is.", "One is. "]);
}

/// Texts are compared before it is known what a later rule cuts out of them.
#[test]
fn a_rule_that_compares_whole_texts_may_stand_before_one_that_cuts() {
    let rows = [row("one two three\nfour"), row("one two three\nfour"), row("one two three\nfive")];
    let left = built("dedup text near 0.9; dedup lines of text", ALL, &rows, &[]);
    assert_eq!(texts(&left, "train"), ["one two three\nfour", "five"]);
}

#[test]
fn passages_are_cut_and_a_little_memory_changes_nothing() {
    let body = (0..300).map(|n| format!("word{n}")).collect::<Vec<_>>().join(" ");
    let other = (0..300).map(|n| format!("other{n}")).collect::<Vec<_>>().join(" ");
    let rows: Vec<String> = vec![body.clone(), format!("a b {body} c d"), other.clone(), format!("{other} {body} end")];
    let records: Vec<_> = rows.iter().map(|text| row(text)).collect();
    let left = built("dedup substrings of text at least 20 words", ALL, &records, &[]);
    assert_eq!(texts(&left, "train"), [body.clone(), "a b  c d".to_owned(), other.clone(), "  end".to_owned()]);
    let spec = format!(
        "{HEAD}clean c {{ dedup substrings of text at least 20 words }}\ndataset d {{ from s, t; clean c; {ALL}; write jsonl }}\n"
    );
    let data: String = rows
        .iter()
        .map(|text| serde_json::json!({ "text": text, "n": 0, "kind": "k", "at": "2024-01-01" }).to_string() + "\n")
        .collect();
    let files: [(u32, &str, &[u8]); 2] = [(0, "a.jsonl", data.as_bytes()), (1, "t.jsonl", b"")];
    let little = super::build_within(&spec, &files, TINY, 1, 16 << 10).unwrap();
    assert_eq!(little.files, left.files);
}

#[test]
fn the_best_of_equal_and_of_similar_records_is_kept() {
    let left = built(
        "dedup kind exactly keep best by n",
        ALL,
        &[("a", 1, "x", "2024-01-01"), ("b", 3, "x", "2024-01-01"), ("c", -2, "y", "2024-01-01")],
        &[("d", 3, "x", "2024-01-01"), ("e", -1, "y", "2024-01-01")],
    );
    assert_eq!(texts(&left, "train"), ["b", "e"]);
    let audit = left.table("audit/records.parquet");
    let of = |name: &str| {
        let column = arrow::array::AsArray::as_string::<i32>(&audit[name]).clone();
        column.iter().map(|one| one.map(str::to_owned)).collect::<Vec<_>>()
    };
    let (ids, repeats) = (of("id"), of("duplicate_of"));
    assert_eq!(repeats, [ids[1].clone(), None, ids[4].clone(), ids[1].clone(), None]);
    let body = (0..60).map(|n| format!("word{n}")).collect::<Vec<_>>().join(" ");
    let similar = [format!("{body} a"), format!("{body} bb and more"), format!("{body} c"), "unlike".to_owned()];
    let records: Vec<_> = similar.iter().map(|text| row(text)).collect();
    let left = built("dedup text near 0.85 keep longest", ALL, &records, &[]);
    assert_eq!(texts(&left, "train"), [similar[1].clone(), similar[3].clone()]);
    let audit = left.table("audit/records.parquet");
    let alike = arrow::array::AsArray::as_primitive::<arrow::datatypes::Float32Type>(&audit["similarity"]).clone();
    let alike: Vec<Option<f32>> = alike.iter().collect();
    // 57 shingles are shared, of 57 and 59.
    assert_eq!(alike, [Some(56.0 / 60.0), None, Some(56.0 / 60.0), None]);
    let near = &left.built.outcome.steps[1];
    assert_eq!((near.records_in, near.dropped), (4, 2));
}

#[test]
fn records_that_share_a_run_with_a_source_are_dropped_and_those_of_the_source_are_not() {
    let left = built(
        "decontaminate text against t.text by 4 words",
        "split test from t, train 100%",
        &[row("say: who WROTE the book, please"), row("who wrote the song"), row("yes"), row("no")],
        &[row("Who wrote the book?"), row("yes")],
    );
    assert_eq!(texts(&left, "train"), ["who wrote the song", "no"]);
    assert_eq!(texts(&left, "test"), ["Who wrote the book?", "yes"]);
    assert_eq!(left.step(1), [6, 4, 2, 0]);
}

/// Many records of a few kinds.
fn many(count: i64) -> Vec<(String, i64, &'static str, String)> {
    let kind = |n: i64| {
        if n % 10 == 0 {
            "rare"
        } else if n % 3 == 0 {
            "some"
        } else {
            "most"
        }
    };
    (0..count)
        .map(|n| (format!("text {n}"), n, kind(n), format!("2024-{:02}-{:02}", n % 12 + 1, n / 12 % 28 + 1)))
        .collect()
}

fn sampled(statements: &str, count: i64, test: i64) -> Left {
    type Owned = (String, i64, &'static str, String);
    let held: Vec<Owned> = (0..test).map(|n| (format!("held {n}"), n, "rare", "2024-06-01".to_owned())).collect();
    let all: Vec<Owned> = many(count);
    fn lent((text, n, kind, at): &Owned) -> (&str, i64, &str, &str) {
        (text, *n, kind, at)
    }
    let (s, t): (Vec<_>, Vec<_>) = (all.iter().map(lent).collect(), held.iter().map(lent).collect());
    built("", statements, &s, &t)
}

fn kinds(left: &Left, part: &str) -> std::collections::BTreeMap<String, usize> {
    let mut kinds = std::collections::BTreeMap::new();
    for row in left.lines(&format!("jsonl/{part}.jsonl")) {
        *kinds.entry(row["kind"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    kinds
}

#[test]
fn samples_take_what_they_say_and_leave_fixed_parts_alone() {
    let fixed = "split test from t, train 100%";
    // Of 300 records 30 are rare, 90 some and 180 most.
    let left = sampled(&format!("take 50 per kind seed 1; {fixed}"), 300, 40);
    assert_eq!(kinds(&left, "train").into_values().collect::<Vec<_>>(), [50, 30, 50]);
    assert_eq!((kinds(&left, "test")["rare"], left.step(1)), (40, [340, 170, 170, 0]));
    let left = sampled(&format!("take 50; {fixed}"), 300, 40);
    assert_eq!(left.built.outcome.parts.iter().map(|part| part.records).collect::<Vec<_>>(), [50, 40]);
    let left = sampled(&format!("balance kind at most 1.5 times; {fixed}"), 300, 2);
    assert_eq!(kinds(&left, "train").into_values().collect::<Vec<_>>(), [45, 30, 45]);
    let left = sampled("mix s 75%, t 25%; split train 100%", 300, 40);
    assert_eq!(left.step(1), [340, 160, 180, 0]);
    let left = sampled(&format!("sample 20% seed 9; {fixed}"), 300, 40);
    let train = left.built.outcome.parts[0].records;
    assert!((35..=85).contains(&train) && left.built.outcome.parts[1].records == 40, "{train}");
}

/// A sample depends on the records' identities alone: the same are taken whatever lies beside them, and a larger share holds a
/// smaller one.
#[test]
fn a_sample_knows_no_places() {
    let taken = |share: u32, count: i64| {
        let left = sampled(&format!("sample {share}% seed 3; split train 100%"), count, 0);
        texts(&left, "train")
    };
    let (few, many, longer) = (taken(20, 200), taken(40, 200), taken(20, 300));
    assert!(few.iter().all(|text| many.contains(text)) && longer.starts_with(&few));
    // A split of the same seed has nothing to do with it.
    let left = sampled("sample 50% seed 3; split train 50%, test 50% seed 3", 300, 0);
    let parts: Vec<u64> = left.built.outcome.parts.iter().map(|part| part.records).collect();
    assert!(parts.iter().all(|part| *part > 40), "{parts:?}");
}

#[test]
fn a_weight_repeats_records_of_train_alone() {
    let left = sampled("weight s 2.5 seed 1; split train 80%, test 20%", 100, 0);
    let [train, test] = [0, 1].map(|at| left.built.outcome.parts[at].clone());
    let lines = left.lines("jsonl/train.jsonl");
    assert_eq!(lines.len() as u64, train.records + train.copies);
    assert!((train.records * 13 / 10..train.records * 17 / 10).contains(&train.copies), "{train:?}");
    assert_eq!((left.lines("jsonl/test.jsonl").len() as u64, test.copies), (test.records, 0));
    let ids: std::collections::BTreeSet<&str> = lines.iter().map(|line| line["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), lines.len(), "each copy has an id of its own");
    let first = lines[0]["id"].as_str().unwrap();
    assert_eq!(
        (lines[1]["id"].as_str().unwrap(), &lines[1]["text"]),
        (format!("{first}+2").as_str(), &lines[0]["text"])
    );
    let left = sampled("weight s 0.5; split train 100%", 200, 0);
    let [_, out, dropped, _] = left.step(1);
    assert!((70..=130).contains(&out) && out + dropped == 200, "{out}");
}

#[test]
fn parts_follow_each_other_in_time() {
    let left = sampled("split train 70%, validation 10%, test 20% by time at", 240, 0);
    let days = |part: &str| {
        let rows = left.lines(&format!("jsonl/{part}.jsonl"));
        let mut days: Vec<String> = rows.iter().map(|row| row["at"].as_str().unwrap().to_owned()).collect();
        days.sort();
        days
    };
    let (train, validation, test) = (days("train"), days("validation"), days("test"));
    assert!(train.last() < validation.first() && validation.last() < test.first());
    assert_eq!((train.len(), validation.len(), test.len()), (168, 24, 48));
    let times = &left.built.outcome.certificate.times;
    assert_eq!(times.iter().map(|part| part.part.as_str()).collect::<Vec<_>>(), ["train", "validation", "test"]);
    assert!(times.windows(2).all(|pair| pair[0].last < pair[1].first), "{times:?}");
    let left = sampled("split test from \"2024-11-01\", train before \"2024-11-01\" by time at", 240, 0);
    let parts: Vec<u64> = left.built.outcome.parts.iter().map(|part| part.records).collect();
    assert_eq!(parts, [200, 40]);
}
