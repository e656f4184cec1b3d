//! Mistakes in what compares, cuts, takes and splits the records of a whole set.

use super::mistakes::{END, check_cases};
use super::{all_shown, check};

#[test]
fn deduplication() {
    let dedup = |to: &'static str, code: &'static str, place: &'static str, help: &'static str| {
        ("dedup text exactly", to, code, place, help)
    };
    check_cases(&[
        dedup("dedup text near 0.7 like datatrov", "E0110", "datatrov", "`datatrove`"),
        dedup("dedup text near 85%", "E0216", "85%", "`0.85`"),
        dedup("dedup text near 0.7 over 5", "E0216", "5", "`5 words`"),
        dedup("dedup text near 0.7 over 5 lines", "E0216", "lines", "words"),
        dedup("dedup text near 0.7 over 0 words", "E0215", "0 words", "at least 1"),
        dedup("dedup text near 1.7 over 3 words", "E0215", "1.7", "at most 1"),
        dedup("dedup text exactly keep longest", "E0321", "keep longest", "keep best by"),
        dedup("dedup text exactly keep best by text", "E0206", "text", "keep best by words(text)"),
        dedup("dedup text near 0.9 keep best by starz", "E0201", "starz", "`stars`"),
        dedup("dedup lines of stars", "E0206", "stars", "`string`"),
        dedup("dedup lines of txt", "E0201", "txt", "`text`"),
        dedup("dedup substrings of text at least 50", "E0216", "50", "`50 words`"),
        dedup("dedup substrings of text at least 50 pages", "E0216", "pages", "words"),
        dedup("dedup sentences of text at least 2.5 words", "E0215", "2.5 words", "round it"),
        dedup("dedup substrings of text", "E0001", "text", "for example"),
    ]);
}

#[test]
fn decontamination() {
    let against = |to: &'static str, code: &'static str, place: &'static str, help: &'static str| {
        ("dedup text exactly", to, code, place, help)
    };
    check_cases(&[
        against("decontaminate text against heldot.text by 13 words", "E0101", "heldot", "`heldout`"),
        against("decontaminate text against heldout.txt by 13 words", "E0201", "txt", "`text`"),
        against("decontaminate text against heldout.stars by 13 words", "E0206", "stars", "`string`"),
        against("decontaminate stars against heldout.text by 13 words", "E0206", "stars", "`string`"),
        against("decontaminate text against \"e.parquet\" by 13 words", "E0218", "\"e.parquet\"", "declare a `source`"),
        against("decontaminate text against \"e.jsonl.bz2\" by 13 words", "E0218", "\"e.jsonl.bz2\"", "declare a"),
        against("decontaminate text against \"e.parquet.gz\" by 13 words", "E0218", "\"e.parquet.gz\"", "declare a"),
        against(
            "decontaminate text against \"https://a.b/e.csv\" by 13 words",
            "E0010",
            "\"https://a.b/e.csv\"",
            "`source`",
        ),
        against("decontaminate text against \"\" by 13 words", "E0217", "\"\"", "name a file"),
        against("decontaminate text against \"e.jsonl\" by 13", "E0216", "13", "`13 words`"),
        against("decontaminate text against \"e.jsonl\" by 13 characters", "E0216", "characters", "words"),
        against("decontaminate text against \"e.jsonl\" by 0 words", "E0215", "0 words", "at least 1"),
    ]);
}

#[test]
fn samples() {
    let sample = |to: &'static str, code: &'static str, place: &'static str, help: &'static str| {
        ("  policy bank\n  split test from heldout,", to, code, place, help)
    };
    check_cases(&[
        sample("  policy bank\n  sample 0.1\n  split test from heldout,", "E0216", "0.1", "`10%`"),
        sample("  policy bank\n  sample 110%\n  split test from heldout,", "E0215", "110%", "at most 100"),
        sample("  policy bank\n  sample 0%\n  split test from heldout,", "E0215", "0%", "above 0%"),
        sample("  policy bank\n  take 10%\n  split test from heldout,", "E0216", "10%", ""),
        sample("  policy bank\n  take 0 per intent\n  split test from heldout,", "E0215", "0", "at least 1"),
        sample("  policy bank\n  take 9 per intnt\n  split test from heldout,", "E0201", "intnt", "`intent`"),
        sample("  policy bank\n  take 9 seed 1 seed 2\n  split test from heldout,", "E0001", "seed 2", "remove one"),
    ]);
    check_cases(&[
        sample(
            "  policy bank\n  balance intent at most 0.5 times\n  split test from heldout,",
            "E0215",
            "0.5 times",
            "at least 1",
        ),
        sample("  policy bank\n  balance stars at most 3 time\n  split test from heldout,", "E0216", "time", "`times`"),
        sample("  policy bank\n  mix questions 70%\n  split test from heldout,", "E0601", "70%", "100%"),
        sample(
            "  policy bank\n  mix questions 70%, heldout 30%\n  split test from heldout,",
            "E0622",
            "heldout",
            "out of the part",
        ),
        sample("  policy bank\n  weight heldout 2\n  split test from heldout,", "E0622", "heldout", "out of the part"),
        sample("  policy bank\n  weight questions 0\n  split test from heldout,", "E0215", "0", "above 0"),
        sample(
            "  policy bank\n  mix questions 100%\n  weight questions 2\n  split test from heldout,",
            "E0622",
            "weight questions 2",
            "keep one",
        ),
    ]);
}

const IN_TIME: &str =
    "source logs { path \"l.jsonl\"; fields { text: string; at: timestamp; maybe: date?; n: int } }\n";

#[test]
fn splits_in_time() {
    let cases = [
        ("train 80%, test 20% by time n", "E0206", "n", "`date` or `timestamp`"),
        ("train 80%, test 20% by time maybe", "E0210", "maybe", "drop such records"),
        ("train 80%, test 20% by time att", "E0201", "att", "`at`"),
        ("train 80%, test 20% by time at seed 7", "E0621", "7", "take `seed` out"),
        ("train 80%, test 20% by time at stratify n", "E0621", "n", "take `stratify` out"),
        ("train before \"2024-01-01\", test from \"2024-01-01\"", "E0621", "train before \"2024-01-01\"", "by time"),
        ("train before \"2024-01-01\", test 20% by time at", "E0621", "20%", "every part a period"),
        ("train before \"2024-1-1\", test from \"2024-01-01\" by time at", "E0621", "\"2024-1-1\"", "2024-01-31"),
        (
            "train before \"2024-01-01\", test from \"2024-02-01\" by time at",
            "E0621",
            "\"2024-02-01\"",
            "where the one before it ends",
        ),
        (
            "train before \"2024-03-01\", test from \"2024-02-01\" by time at",
            "E0621",
            "test from \"2024-02-01\"",
            "where the one before it ends",
        ),
        ("train before \"2024-03-01\" by time at", "E0621", "\"2024-03-01\"", "go on to the last record"),
        ("train from \"2024-03-01\" by time at", "E0621", "\"2024-03-01\"", "begin with the first record"),
    ];
    let texts: Vec<String> = cases
        .iter()
        .map(|(split, ..)| format!("{IN_TIME}dataset logged {{ from logs; split {split}; write parquet }}"))
        .collect();
    let cases: Vec<_> = cases
        .iter()
        .zip(&texts)
        .map(|((_, code, place, help), text)| (END, text.as_str(), *code, *place, *help))
        .collect();
    check_cases(&cases);
}

/// What a `dedup` of pieces undoes is told as that of a `set` is.
#[test]
fn pieces_undo_what_was_checked_before() {
    check_cases(&[
        (
            "  drop \"no code\" when code is null or chars(text) > 900\n",
            "  drop \"no code\" when code is null or chars(text) > 900\n  dedup text near 0.9\n  dedup lines of text\n  drop \"cut short\" when words(text) < shortest\n",
            "W0303",
            "dedup text near 0.9",
            "behind the `dedup` that cuts",
        ),
        (
            "  dedup text exactly\n",
            "  dedup substrings of text at least 9 words\n  dedup text exactly\n",
            "W0303",
            "words(text) < shortest",
            "behind the `dedup`",
        ),
    ]);
}

/// Statements that are right in all their forms.
#[test]
fn all_forms_are_right() {
    let text = r#"annot 1
source web { path "w.jsonl"; fields { text: string; url: string; name: string; city: string; at: timestamp; lines: string } }
source books { path "b.jsonl"; fields { text: string; url: string; name: string; city: string; at: timestamp; lines: string } }
source held { path "h.jsonl"; fields { question: string } }
clean tidy {
  dedup lines of text
    at least 5 words
  dedup sentences of text
  dedup substrings of text at least 50 words
  drop "short" when words(text) < 3
  dedup url exactly keep best by chars(text)
  dedup name, city exactly keep first
  dedup lines exactly
  dedup text near 0.7
    like datatrove
    keep longest
  dedup text near 0.8 over 24 characters keep best by words(text) * 2
  decontaminate text
    against "eval/*.jsonl", "more.txt", held.question
    by 13 words
}
dataset timed {
  from web, books
  clean tidy
  mix web 70%, books 30%
  sample 50% seed 7
  take 1000 per city
  balance city at most 2.5 times
    seed 3
  split train before "2024-01-01", validation from "2024-01-01" before "2024-03-01T12:00:00Z", test from "2024-03-01T12:00:00Z" by time at
  write jsonl
}
dataset rest {
  from web, books
  clean tidy
  weight books 2.5
  weight web 0.5 seed 2
  split train 80%, test 20% by text near 0.9 like nemo seed 1
  write jsonl
}
dataset later {
  from web
  clean tidy
  take 5
  split train 80%, test 20% by time at
  write jsonl
}
"#;
    let checked = check(text);
    assert!(checked.found.is_empty() && checked.refused.is_empty(), "{}", all_shown(&checked, &checked.found));
    let kinds: Vec<usize> = checked.program.datasets.iter().map(|dataset| dataset.steps.len()).collect();
    assert_eq!(kinds, [14, 12, 11]);
}
