//! What a build leaves does not depend on how much of it fits into memory.

use proptest::prelude::*;

use super::{Left, TINY, build_within};

/// What a data set of these tests is split by, beside the fixed part.
const SPLITS: [&str; 8] = [
    "split train 80%, test 20% seed 3",
    "split train 70%, validation 20%, test 10% stratify kind seed 5",
    "split test from t, train 60%, validation 40% seed 7",
    "split test from t, train 60%, validation 40% by who seed 7",
    "split test from t, train 50%, validation 50% by who stratify kind seed 1",
    "split test from t, train 90%, validation 10% by text near 0.7 stratify kind seed 2",
    "split as part",
    "split train 100%",
];

/// Columns that make units: none, one, two.
const GROUPS: [(&str, &str); 3] = [("", ""), (" @group", ""), (" @group", " @group")];

fn spec(split: &str, groups: (&str, &str), dedup: &str, policy: &str) -> String {
    let sources = ["s", "t"].map(|name| {
        format!(
            "source {name} {{ path \"{name}.jsonl\"; license \"MIT\"; fields {{ text: string @personal; kind: string?; \
             n: int?; who: string?; crew: string?{}; team: string?{}; part: string }} }}\n",
            groups.0, groups.1
        )
    });
    format!(
        r#"annot 1
{}label mood: choice {{ good; bad }}
label tone: choice from s.kind
clean tidy {{
  set text = text |> collapse_whitespace
  drop "short" when words(text) < 2
  {dedup}
  drop "large" when n > 6
  dedup text, kind exactly
}}
policy safe {{
  redact @personal: email
  forbid "secret" when text matches /secret/ else drop
  {policy}
}}
template better: preference {{ prompt "{{{{ text }}}}"; chosen "{{{{ mood }}}}"; rejected "{{{{ part }}}}" }}
dataset d {{
  from s, t
  clean tidy
  label mood = kind match {{ "+" => good; "-" => bad; "0" => drop; else => kind }} else drop
  label tone = kind else drop
  policy safe
  {split}
  write parquet
  write preference from better as pairs
}}
"#,
        sources.concat()
    )
}

/// A record drawn from few texts, so that everything occurs twice.
fn record() -> impl Strategy<Value = String> {
    let texts = prop::sample::select(vec![
        "a",
        "a b",
        "a  b",
        "c d secret",
        "e f 1@x.example",
        "\u{e9} g",
        "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen",
        "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen seventeen",
    ]);
    let kinds = prop::sample::select(vec![Some("+"), Some("+"), Some("-"), Some("0"), Some("?"), None]);
    let names = || prop::option::of(prop::sample::select(vec!["ann", "bob", "cat", "dan", "eve", "fay"]));
    let parts = prop::sample::select(vec!["train", "test", "good"]);
    let fields = (texts, 0..60_u32, kinds, prop::option::of(0..9_i64), names(), names(), names(), parts);
    fields.prop_map(|(text, number, kind, n, who, crew, team, part)| {
        // Most texts are different ones, and a tenth of the lines cannot be read.
        let text = if number % 3 == 0 { text.to_owned() } else { format!("{text} number {number}") };
        let n = if number % 10 == 9 { serde_json::json!("no number") } else { serde_json::json!(n) };
        serde_json::json!({"text": text, "kind": kind, "n": n, "who": who, "crew": crew, "team": team, "part": part})
            .to_string()
            + "\n"
    })
}

fn outcome(left: &Left) -> String {
    let mut outcome = left.built.outcome.clone();
    // Each build has its data in a folder of its own.
    outcome.sources.iter_mut().flat_map(|source| &mut source.files).for_each(|file| file.location.clear());
    format!("{outcome:#?}")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_depends_on_memory(
        s in prop::collection::vec(record(), 0..160),
        t in prop::collection::vec(record(), 0..60),
        split in prop::sample::select(SPLITS.to_vec()),
        groups in prop::sample::select(GROUPS.to_vec()),
        near in any::<bool>(),
        strict in any::<bool>(),
        memory in prop::sample::select(vec![0_u64, 3_000, 40_000]),
    ) {
        // A part that a field names stands for the units as well.
        let groups = if split == "split as part" { ("", "") } else { groups };
        let dedup = if near { "dedup text near 0.7" } else { "dedup text exactly" };
        let policy = if strict {
            "forbid \"e\" when text matches /e f/; require count() >= 3 per mood; require share() <= 50% per who"
        } else {
            "require count() >= 0"
        };
        let spec = spec(split, groups, dedup, policy);
        let (s, t) = (s.concat(), t.concat());
        let files = [(0, "s.jsonl", s.as_bytes()), (1, "t.jsonl", t.as_bytes())];
        let whole = build_within(&spec, &files, TINY, 2, 1 << 30).unwrap();
        let spilled = build_within(&spec, &files, TINY, 2, memory).unwrap();
        prop_assert_eq!(outcome(&whole), outcome(&spilled));
        prop_assert!(whole.files == spilled.files);
    }
}
