//! Edits of a valid specification that leave it valid: what looks like a mistake and is none.

use super::{all_shown, check};

const BASE: &str = include_str!("base.annot");

fn check_quiet(edits: &[(&str, &str)]) {
    let mut wrong = String::new();
    for (from, to) in edits {
        assert!(BASE.contains(from), "the base has no {from:?}");
        let text = if from.is_empty() { format!("{BASE}{to}\n") } else { BASE.replacen(from, to, 1) };
        let checked = check(&text);
        if !checked.found.is_empty() || !checked.refused.is_empty() {
            let all = all_shown(&checked, &checked.found) + &all_shown(&checked, &checked.refused);
            wrong += &format!("== {from:?} -> {to:?}\n{all}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn conditions_that_may_be_true() {
    let conditions = [
        "words(text) < shortest and words(text) > 1",
        "alpha_ratio(text) < 0.4",
        "(language(text) ?? \"en\") != \"en\"",
        "language(text) != \"en\" or language(text) is null",
        "code is null or code == \"a\"",
        "(code ?? \"a\") == \"a\" and code is null",
        // Nulls: neither side may be true.
        "code == \"a\" or code != \"a\" and stars > 1",
        "stars * 2 + 1 > 9 and -stars < 0",
        "stars == 3 and stars != 4",
        "lowercase(text) == \"stop\"",
        "strip_html(text) == \"<b>\"",
        "text matches /x/ and not (text matches /y/)",
        "text < category or text > category",
        "not (stars in [1, 2]) and stars < 3",
        "chars(text) < 2.5 and chars(text) > 1.5",
        "shortest > 2 and chars(text) < 3",
    ];
    for condition in conditions {
        check_quiet(&[("words(text) < shortest", &format!("{condition} and shortest > 2"))]);
    }
}

#[test]
fn rules_that_do_something() {
    let end = "  dedup text exactly\n";
    check_quiet(&[
        // The narrower rule stands first.
        (end, "  drop \"one\" when stars < 1\n  drop \"few\" when stars < 3\n  dedup text exactly\n"),
        // The field changes in between.
        (
            end,
            "  drop \"a\" when stars < 3\n  set stars = chars(category)\n  drop \"b\" when stars < 2\n  dedup text exactly\n",
        ),
        // A null condition keeps the record, so the second rule meets the ones without a value.
        (
            end,
            "  drop \"a\" when not (alpha_ratio(text) > 0.5)\n  drop \"b\" when alpha_ratio(text) is null\n  dedup text exactly\n",
        ),
        (
            end,
            "  drop \"a\" when stars > 4 and category == \"x\"\n  drop \"b\" when stars == 5\n  dedup text exactly\n",
        ),
        (end, "  drop \"a\" when stars > 4 or category == \"x\"\n  drop \"b\" when stars == 4\n  dedup text exactly\n"),
        // A promise that an earlier rule keeps is no mistake.
        (
            "  forbid \"host\"",
            "  forbid \"low\" when stars < 2 else drop\n  forbid \"one\" when stars == 1\n  forbid \"host\"",
        ),
        // A `forbid` that fails the build takes nothing out.
        (
            "  forbid \"host\"",
            "  forbid \"low\" when stars < 2\n  forbid \"one\" when stars == 1 else drop\n  forbid \"host\"",
        ),
        // Checked again, or moved the other way.
        (end, "  dedup text exactly\n  set text = text |> lowercase\n  dedup text exactly\n"),
        (end, "  set mail = mail + \".\"\n  dedup text exactly\n"),
        (end, "  drop \"long\" when chars(text) > 800\n  set text = text |> strip_control\n  dedup text exactly\n"),
        (end, "  drop \"digits\" when digit_ratio(text) > 0.5\n  set text = text |> lowercase\n  dedup text exactly\n"),
        (end, "  set text = text |> strip_html\n  drop \"short now\" when words(text) < 3\n  dedup text exactly\n"),
        // Another text altogether.
        (end, "  set text = category\n  dedup text exactly\n"),
        // Read in between, or by the later one.
        ("set category = code", "set category = code\n  set code = category\n  set category = \"a\""),
        ("set category = code", "set category = code\n  set category = category |> lowercase"),
        (
            "set category = code",
            "set category = code\n  dedup category exactly\n  set category = category |> nfc\n  dedup category exactly",
        ),
    ]);
}

/// A block serves two data sets: what is in vain in one of them and needed in the other is no mistake.
#[test]
fn a_rule_that_one_of_two_data_sets_needs() {
    let blocks = "clean first { drop \"few\" when stars < 3; set code = \"a\" }\n\
        clean second { drop \"one\" when stars < 2; set code = \"b\" }\n\
        fn or_none(s: string) = s ?? \"none\"\n\
        policy frees { redact @personal: email; allow personal note because \"public\" }\n\
        source noted { path \"n.csv\"; fields { note: string @personal; stars: int; code: string } }\n\
        source other { path \"o.csv\"; fields { text: string @personal; note: string; stars: int; code: string } }\n";
    let both = "dataset one { from noted; clean first, second; policy frees; split train 100%; write jsonl }\n\
        dataset two { from other; clean second; policy frees; split train 100%; write jsonl }\n\
        dataset three { from noted; clean first; policy frees; split train 100%; write jsonl }\n";
    let text = format!(
        "{blocks}clean third {{ set text = or_none(text) }}\n{both}dataset four {{ from other; clean third; policy frees; split train 100%; write jsonl }}"
    );
    check_quiet(&[("", &text)]);
    let alone = format!("{blocks}{}\n", both.lines().next().unwrap_or_default());
    let checked = check(&format!("annot 1\n{alone}"));
    let codes: Vec<&str> = checked.found.iter().map(|found| found.code.id()).filter(|code| *code != "W0106").collect();
    assert_eq!(codes, ["W0304", "W0305"], "{}", all_shown(&checked, &checked.found));
}

#[test]
fn purposes_that_fit() {
    let with = |licence: &str, purpose: &str, block: &str| {
        let source = format!("source web {{ path \"w.csv\"; license \"{licence}\"; fields {{ text: string }} }}");
        let rules = "clean plain { set text = text |> nfc }";
        let uses = if block.is_empty() { "" } else { "clean plain; " };
        let rules = if block.is_empty() { "" } else { rules };
        format!(
            "{source}\n{rules}\ndataset out {{ from web; {uses}purpose \"{purpose}\"; split train 100%; write jsonl }}"
        )
    };
    for (licence, purpose, block) in [
        ("CC-BY-4.0", "commercial, publication , internal", "plain"),
        ("CC-BY-NC-4.0", "research, publication", "plain"),
        ("CC-BY-NC-4.0 OR MIT", "commercial", "plain"),
        ("LicenseRef-own OR MIT", "commercial", "plain"),
        ("CC-BY-ND-4.0", "research, commercial", "plain"),
        ("CC-BY-ND-3.0", "publication", ""),
        ("GPL-2.0-or-later WITH Classpath-exception-2.0 AND CC-BY-SA-4.0", "publication", "plain"),
    ] {
        check_quiet(&[("", &with(licence, purpose, block))]);
    }
    let checked = check(&format!("annot 1\n{}", with("CC-BY-SA-4.0 OR MIT AND CC0-1.0", "publication", "")));
    let terms = checked.program.datasets[0].terms.as_ref().expect("a purpose is stated");
    let owed: Vec<&str> = terms.credits.iter().map(|credit| credit.license.as_str()).collect();
    assert_eq!(owed, ["MIT"]);
    let joined = "source a { path \"a.csv\"; license \"CC-BY-SA-3.0\"; fields { text: string } }\n\
        source b { path \"b.csv\"; license \"CC-BY-SA-4.0 OR ODbL-1.0\"; fields { text: string } }\n\
        dataset out { from a, b; purpose \"publication\"; split train 100%; write jsonl }";
    check_quiet(&[("", joined)]);
}

#[test]
fn what_can_be_met() {
    check_quiet(&[
        ("require count() >= 20 per intent", "require share() <= 50% per intent\n  require share() >= 50% per mood"),
        (
            "require count() >= 20 per intent",
            "require count() >= 20 per intent\n  require count() <= 20 per mood\n  require count() >= 40",
        ),
        ("require count() >= 20 per intent", "require count() != 20 per intent\n  require share() <= 1% per category"),
        ("require count() >= 20 per intent", "require share() >= 60% per category\n  require count() == 40"),
        // Personal data that was redacted before, or that is computed from some.
        ("  require count()", "  allow personal text because \"names stay\"\n  require count()"),
        ("train 90%, validation 10%", "train 96%, validation 4%"),
        ("require count() >= 20 per intent", "require count() >= 1 per intent"),
        ("stratify intent", "stratify category"),
        ("by text near 0.85 stratify intent", "by category stratify intent"),
    ]);
}

#[test]
fn answers_that_say_something() {
    check_quiet(&[
        ("{{ intent.title }}", "{% if intent == 'card' %}yes{% else %}no{% endif %}"),
        ("{{ intent.title }}", "{{ text }} -> {{ intent }}"),
        ("{{ intent.title }}", "{{ text|upper }}"),
        ("  assistant \"{{ intent.title }}\"", "  assistant \"Hm.\"\n  user \"Well?\"\n  assistant \"{{ intent }}\""),
        (
            "  assistant \"{{ intent.title }}\"",
            "  assistant \"{{ intent }}\"\n  user \"You said {{ intent }}. And how?\"\n  assistant \"{{ mood }}\"",
        ),
        ("system \"Route.\"", "system \"{% if mood == 'good' %}Nice.{% endif %}\""),
        ("label intent = category", "label intent = text match { \"a b c\" => refund; else => category }"),
    ]);
}
