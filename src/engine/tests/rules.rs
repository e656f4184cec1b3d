//! Steps over records: order, counts, labels, requirements, the same bytes however the work is cut.

use proptest::prelude::*;

use super::super::TrainingTable;
use super::super::outcome::Measured;
use super::{Sizes, TINY, build, program};
use crate::hir::ColumnId;

const SPEC: &str = r#"annot 1
source s {
  path "a.jsonl"; license "MIT"
  fields { text: string @personal; kind: string?; n: int? }
}
label mood: choice { good; bad }
clean tidy {
  set text = text |> collapse_whitespace
  drop "short" when words(text) < 2
  dedup text exactly
  drop "large" when n > 5
}
policy safe {
  redact @personal: email, phone
  forbid "secret" when text matches /secret/ else drop
}
dataset d {
  from s
  clean tidy
  label mood = kind match { "+" => good; "-" => bad; "0" => drop; else => kind } else drop
  policy safe
  split train 80%, test 20% seed 3
  write prompt_completion from pair as pairs
  write parquet
}
template pair: completion { prompt "{{ text }}"; completion " {{ mood }}" }
"#;

/// Records as lines.
fn lines(records: &[(&str, Option<&str>, Option<i64>)]) -> Vec<u8> {
    let line = |(text, kind, n): &(&str, Option<&str>, Option<i64>)| {
        serde_json::json!({"text": text, "kind": kind, "n": n}).to_string() + "\n"
    };
    records.iter().map(line).collect::<String>().into_bytes()
}

#[test]
fn steps_act_in_order() {
    let records = [
        ("one", Some("+"), None),
        ("a  b", Some("+"), None),
        ("a b", Some("-"), Some(1)),
        ("c d", Some("-"), Some(9)),
        ("c d", Some("-"), Some(1)),
        ("to a@b.example", Some("+"), None),
        ("my secret", Some("+"), None),
        ("no mood", Some("0"), None),
        ("what mood", Some("?"), None),
        ("null mood", None, None),
    ];
    let left = build(SPEC, &[(0, "a.jsonl", &lines(&records))], TINY, 1).unwrap();
    let steps = &left.built.outcome.steps;
    let rules: Vec<&str> = steps.iter().map(|step| step.rule.as_str()).collect();
    assert_eq!(left.step(0), [10, 10, 0, 0], "{rules:?}");
    assert_eq!(left.step(1), [10, 10, 0, 0]);
    assert_eq!(steps[1].changed, 1);
    assert_eq!(left.step(2), [10, 9, 1, 0]);
    // The second `c d` repeats the first, which is dropped later: the first of a key wins at its step.
    assert_eq!(left.step(3), [9, 7, 2, 0]);
    assert_eq!(left.step(4), [7, 6, 1, 0]);
    // `0` is dropped by the mapping, null by `else drop`; the label does not have `?`.
    assert_eq!(left.step(5), [6, 3, 2, 1]);
    assert_eq!(left.step(6), [3, 3, 0, 0]);
    assert_eq!(left.step(7), [3, 2, 1, 0]);
    let personal = &left.built.outcome.personal;
    assert_eq!(personal.iter().map(|found| found.found).collect::<Vec<_>>(), [1, 0]);
    assert_eq!(steps[6].changed, 1);
    let emitted = [left.text("pairs/train.jsonl"), left.text("pairs/test.jsonl")].concat();
    assert!(emitted.contains("to [EMAIL]") && !emitted.contains("secret") && !emitted.contains("example"));
    assert!(left.quarantine().iter().all(|(_, error)| error == "unknown value of label `mood`"));
}

#[test]
fn nothing_depends_on_threads_or_cuts() {
    let record = |n: usize| {
        let text = format!("text number {} of \"many\",\nwrite to u{}@x.example", n % 40, n % 7);
        let kind = if n.is_multiple_of(11) { "?" } else { "+" };
        serde_json::json!({"text": text, "kind": kind, "n": n % 8}).to_string() + "\n"
    };
    let mut data: String = (0..300).map(record).collect();
    data.push_str("{\"text\":1}\n{\"text\":1}\n");
    let more: String = (200..500).map(record).collect();
    let files = [(0, "b.jsonl", data.as_bytes()), (0, "a.jsonl", more.as_bytes())];
    let first = build(SPEC, &files, Sizes::default(), 1).unwrap();
    assert!(first.built.outcome.records() > 20);
    assert_eq!(first.built.outcome.sources[0].files[0].path, "a.jsonl");
    for (sizes, jobs) in [(Sizes::default(), 2), (TINY, 1), (TINY, 2), (Sizes { chunk: 1, batch_rows: 3, ..TINY }, 4)] {
        let again = build(SPEC, &files, sizes, jobs).unwrap();
        assert_eq!(first.files, again.files, "{sizes:?} {jobs}");
    }
}

#[test]
fn equal_records_have_different_ids_and_keys_are_unique() {
    let spec = r#"annot 1
source s { path "a.csv"; license "MIT"; fields { id: string @key; text: string } }
dataset d { from s; write jsonl }
"#;
    let left = build(spec, &[(0, "a.csv", b"id,text\n1,a\n2,b\n1,c\n")], TINY, 1).unwrap();
    assert_eq!(left.quarantine(), [(4, "duplicate key".to_owned())]);
    let plain = spec.replace(" @key", "");
    let left = build(&plain, &[(0, "a.csv", b"id,text\n1,a\n1,a\n")], TINY, 1).unwrap();
    assert_eq!(left.built.outcome.records(), 2);
}

#[test]
fn what_is_not_met_is_measured() {
    let spec = r#"annot 1
source s { path "a.csv"; license "MIT"; fields { text: string; kind: string } }
label mood: choice { good; bad; never }
policy p {
  forbid "no x" when text matches /x/
  require count() >= 2 per mood
  require share() <= 60% per mood
  require count() >= 5
}
dataset d { from s; label mood = kind; policy p; write jsonl }
"#;
    let left = build(spec, &[(0, "a.csv", b"text,kind\na,good\nb,good\nxc,bad\n")], TINY, 1).unwrap();
    assert!(left.files.is_empty());
    let violations = &left.built.outcome.violations;
    let Measured::Records { count: 1, first } = &violations[0].measured else { panic!("{violations:?}") };
    assert_eq!(first[0].line, 4);
    let named = |name: &str| Some(name.to_owned());
    let worst = vec![(named("never"), 0.0), (named("bad"), 1.0)];
    assert_eq!(violations[1].measured, Measured::Values { worst, failing: 2 });
    assert_eq!(violations[2].measured, Measured::Values { worst: vec![(named("good"), 2.0 / 3.0)], failing: 1 });
    assert_eq!(violations[3].measured, Measured::Whole(3.0));
}

#[test]
fn training_tables_have_their_columns_in_every_part() {
    let folder = tempfile::tempdir().unwrap();
    let program = program(SPEC);
    let location = folder.path().join("a.jsonl");
    std::fs::write(&location, lines(&[("a b", Some("+"), None), ("c d", Some("-"), None)])).unwrap();
    let files = vec![super::InputFile { location, name: "a.jsonl".to_owned() }];
    let sources = vec![super::SourceFiles { source: super::SourceId(0), files, looked_for: Vec::new() }];
    let table =
        TrainingTable { name: "run".to_owned(), columns: vec![ColumnId(0)], slices: Vec::new(), messages: None };
    let out = folder.path().join("build");
    let left = super::run(&program, sources, TINY, 1, &out, vec![table], super::MemoryLimit::DEFAULT).unwrap();
    assert!(
        left.files.contains_key("training/run/train.parquet") && left.files.contains_key("training/run/test.parquet")
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Every row is in the audit once, and every step's numbers add up: the build itself fails otherwise.
    #[test]
    fn sums_agree(rows in prop::collection::vec((0..6_usize, 0..5_usize, prop::option::of(0..9_i64)), 0..60), chunk in 1_u64..200) {
        let texts = ["a", "a b", "a  b", "c d secret", "e f 1@x.example", "\u{e9} g"];
        let kinds = [Some("+"), Some("-"), Some("0"), Some("?"), None];
        let records: Vec<_> = rows.iter().map(|(text, kind, n)| (texts[*text], kinds[*kind], *n)).collect();
        let mut data = lines(&records);
        data.extend_from_slice(b"{broken\n");
        let left = build(SPEC, &[(0, "a.jsonl", &data)], Sizes { chunk, ..TINY }, 2).unwrap();
        let outcome = &left.built.outcome;
        let lost: u64 = outcome.steps.iter().map(|step| step.dropped + step.quarantined).sum();
        prop_assert_eq!(outcome.rows(), rows.len() as u64 + 1);
        prop_assert_eq!(outcome.records() + lost, outcome.rows());
        prop_assert_eq!(left.quarantine().len() as u64, outcome.steps.iter().map(|step| step.quarantined).sum::<u64>());
    }
}

/// What an output cannot hold is counted like all that a step takes out, before the records are split.
#[test]
fn a_pair_of_equal_answers_is_quarantined() {
    const SPEC: &str = r#"annot 1
source s { path "a.jsonl"; license "MIT"; fields { ask: string; good: string; bad: string @personal; kind: string } }
label mood: choice { up; down }
policy safe { redact bad: email }
template better: preference { prompt "{{ ask }}"; chosen "{{ good }} {{ mood.title }}"; rejected "{{ bad }}" }
dataset d {
  from s
  label mood = kind
  policy safe
  split train 50%, test 50% seed 1
  write jsonl as rows
  write preference from better as pairs
}
"#;
    let line = |ask: &str, good: &str, bad: &str, kind: &str| {
        serde_json::json!({"ask": ask, "good": good, "bad": bad, "kind": kind}).to_string() + "\n"
    };
    let mut data = [
        line("a", "yes", "no", "up"),
        line("b", "ask [EMAIL]", " ask x@y.example up", "up"),
        line(" ", "yes", "no", "down"),
        line("c", "yes", "", "down"),
        line("d", "yes", "no", "neither"),
    ]
    .concat();
    (0..40).for_each(|at| data += &line(&format!("q{at}"), "yes", if at % 8 == 7 { "yes down" } else { "no" }, "down"));
    let left = build(SPEC, &[(0, "a.jsonl", data.as_bytes())], TINY, 2).unwrap();
    let last = left.built.outcome.steps.len() - 1;
    assert_eq!(left.step(last), [44, 36, 0, 8]);
    assert_eq!(left.built.outcome.steps[last].rule, "two different answers");
    let lines = |output: &str| ["train", "test"].map(|part| left.lines(&format!("{output}/{part}.jsonl"))).concat();
    assert_eq!((lines("pairs").len(), lines("rows").len()), (36, 36), "both outputs hold the same records");
    assert!(lines("pairs").iter().all(|row| row["chosen"] != row["rejected"]));
    let quarantine = left.quarantine();
    let same = |line| (line, "`chosen` and `rejected` are the same text".to_owned());
    let expected = [
        same(2),
        (3, "`prompt` is blank".to_owned()),
        (4, "`rejected` is blank".to_owned()),
        (5, "unknown value of label `mood`".to_owned()),
        same(13),
    ];
    assert_eq!(quarantine[..5], expected);
    assert_eq!(quarantine.len(), 9);
    let one = build(SPEC, &[(0, "a.jsonl", data.as_bytes())], Sizes::default(), 1).unwrap();
    assert!(left.files == one.files, "however the work is cut");
}
