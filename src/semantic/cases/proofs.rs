//! Mistakes that are found by proof: each is one edit of a valid specification.

use super::mistakes::{END, check_cases};

#[test]
fn rules_that_never_fire() {
    let condition = |to: &'static str| ("words(text) < shortest", to, "W0301", to, "take the rule out");
    check_cases(&[
        condition("words(text) < shortest and words(text) > 5"),
        condition("chars(text) < 0.5 and chars(text) > 0 or shortest > 9"),
        condition("alpha_ratio(text) > 1.5 and shortest > 2"),
        condition("shortest > 9 or language(text) == \"english\""),
        condition("shortest > 9 or stars in [1, 2] and stars == shortest"),
        condition("shortest > 9 or not (stars != 4) and not (stars <= 4)"),
        condition("shortest > 9 or code is null and code == \"a\""),
        condition("shortest > 9 or (code ?? \"a\") == \"b\" and code is null"),
        condition("shortest > 9 or text != text"),
        condition("shortest > 9 or text < category and text > category"),
        condition("shortest > 9 or lowercase(text) in [\"Stop\", \"Halt\"]"),
        condition("shortest > 9 or text matches /x/ and not (text matches /x/)"),
        (
            "text matches /\\bcorp\\b/",
            "intent == refund and intent == card",
            "W0301",
            "intent == refund and intent == card",
            "take",
        ),
        (
            "  dedup text exactly\n",
            "  drop \"one\" when words(text) < 2\n  dedup text exactly\n",
            "W0305",
            "words(text) < 2",
            "take the later rule out",
        ),
        (
            "  dedup text exactly\n",
            "  drop \"a\" when stars > 4 and category == \"x\"\n  drop \"b\" when category == \"x\" and stars == 5 and chars(text) > 9\n  dedup text exactly\n",
            "W0305",
            "category == \"x\" and stars == 5 and chars(text) > 9",
            "take the later rule out",
        ),
        (
            "  dedup text exactly\n",
            "  drop \"a\" when stars > 4\n  drop \"b\" when stars < 2\n  drop \"c\" when stars in [0, 1, 5]\n  dedup text exactly\n",
            "W0305",
            "stars in [0, 1, 5]",
            "take the later rule out",
        ),
        (
            "  forbid \"host\"",
            "  forbid \"low\" when stars < 2 else drop\n  forbid \"one\" when stars == 1 else drop\n  forbid \"host\"",
            "W0305",
            "stars == 1",
            "take the later rule out",
        ),
        (
            "  dedup text exactly\n",
            "  drop \"long\" when words(text) >= shortest\n  dedup text exactly\n",
            "W0301",
            "words(text) >= shortest",
            "turn one",
        ),
    ]);
}

#[test]
fn rules_that_are_undone() {
    check_cases(&[
        ("set category = code", "set category = code ?? \"none\"", "W0222", "\"none\"", "take `??`"),
        (
            "  dedup text exactly\n",
            "  dedup text exactly\n  set text = text |> lowercase\n",
            "W0303",
            "dedup text exactly",
            "behind the last `set`",
        ),
        (
            "  dedup text exactly\n",
            "  dedup text, stars exactly\n  dedup text near 0.9\n  set text = text |> strip_control\n  dedup text exactly\n",
            "W0303",
            "dedup text near 0.9",
            "behind the last `set`",
        ),
        (
            "  drop \"no code\"",
            "  set text = text |> strip_html |> nfc\n  drop \"no code\"",
            "W0303",
            "words(text) < shortest",
            "behind the `set`",
        ),
        (
            "  drop \"no code\"",
            "  drop \"empty\" when text == \"\"\n  set text = text |> collapse_whitespace\n  drop \"no code\"",
            "W0303",
            "text == \"\"",
            "behind the `set`",
        ),
        (
            "  drop \"no code\"",
            "  drop \"English\" when not (language(text) == \"en\")\n  set text = text |> fix_encoding\n  drop \"no code\"",
            "W0303",
            "not (language(text) == \"en\")",
            "behind the `set`",
        ),
        (
            "set category = code",
            "set category = \"a\"\n  set category = code",
            "W0304",
            "set category = \"a\"",
            "take this `set` out",
        ),
    ]);
}

/// A source of its own under a licence, and a data set of it with a purpose.
macro_rules! purpose {
    ($license:literal, $purpose:literal) => {
        concat!(
            "source web { path \"w.csv\"; license \"",
            $license,
            "\"; fields { text: string; kind: string } }\n",
            "clean plain { set text = text |> nfc }\n",
            "dataset out { from web; clean plain; purpose \"",
            $purpose,
            "\"; split train 100%; write jsonl }"
        )
    };
}

#[test]
fn purposes() {
    check_cases(&[
        (END, purpose!("CC-BY-NC-4.0", "commercial"), "E0408", "commercial", "another purpose"),
        (END, purpose!("MIT AND CC-BY-NC-SA-3.0", "research, internal"), "E0408", "internal", "another purpose"),
        (END, purpose!("CC-BY-NC-4.0 OR CC-BY-NC-ND-4.0", "commercial"), "E0408", "commercial", "another purpose"),
        (END, purpose!("CC-BY-ND-4.0", "research, publication"), "E0408", "publication", "as they are"),
        (END, purpose!("CC-BY-ND-3.0", "research"), "E0408", "research", "as they are"),
        (END, purpose!("MIT", "comercial"), "E0110", "comercial", "`commercial`"),
        (END, purpose!("MIT", ""), "E0110", "\"\"", "to earn money"),
        (END, purpose!("MIT", "research, research"), "E0108", "research", "take one"),
        (END, purpose!("LicenseRef-forum", "research"), "W0409", "license \"LicenseRef-forum\"", "read the licence"),
        (
            END,
            "source web { path \"w.csv\"; fields { text: string } }\ndataset out { from web; purpose \"research\"; split train 100%; write jsonl }",
            "W0409",
            "web",
            "say it at the source",
        ),
        (
            END,
            "source a { path \"a.csv\"; license \"CC-BY-SA-4.0\"; fields { text: string } }\nsource b { path \"b.csv\"; license \"MIT OR ODbL-1.0\"; fields { text: string } }\nsource c { path \"c.csv\"; license \"ODbL-1.0\"; fields { text: string } }\ndataset out { from a, b, c; purpose \"publication\"; split train 100%; write jsonl }",
            "W0409",
            "publication",
            "two data sets",
        ),
    ]);
}

#[test]
fn requirements_and_strata() {
    let require = |to: &'static str, place: &'static str, help: &'static str| {
        ("require count() >= 20 per intent", to, "E0410", place, help)
    };
    check_cases(&[
        require(
            "require count() >= 20 per intent\n  require count() <= 10 per intent",
            "require count() <= 10 per intent",
            "raise the most",
        ),
        require("require count() < 0 per intent", "require count() < 0 per intent", "another bound"),
        require("require share() > 100% per intent", "require share() > 100% per intent", "another bound"),
        require("require share() <= 40% per intent", "require share() <= 40% per intent", "at least 50%"),
        require("require share() < 50% per intent", "require share() < 50% per intent", "at least 50%"),
        require("require share() >= 60% per intent", "require share() >= 60% per intent", "at most 50%"),
        require(
            "require count() <= 30\n  require count() >= 20 per intent",
            "require count() >= 20 per intent",
            "`count() <= 40`",
        ),
        require(
            "require count() >= 50\n  require count() <= 20 per mood",
            "require count() <= 20 per mood",
            "`count() >= 40`",
        ),
        (
            "  require count()",
            "  allow personal category because \"public\"\n  require count()",
            "W0411",
            "category",
            "mark the field",
        ),
        ("stratify intent", "stratify text", "E0606", "text", "by a label"),
        ("by text near 0.85 stratify intent", "by category stratify category", "E0606", "category", "by a label"),
        ("train 90%, validation 10% by text near 0.85", "train from questions", "E0606", "intent", "a share"),
        (
            "test from heldout, train 90%, validation 10% by text near 0.85 stratify intent seed 7",
            "as category stratify intent",
            "E0606",
            "intent",
            "take `stratify` out",
        ),
        (
            "test from heldout, train 90%, validation 10% by text near 0.85 stratify intent seed 7",
            "as category seed 7",
            "E0104",
            "7",
            "take it out",
        ),
        (
            "by text near 0.85 stratify intent",
            "by text near 0.85 check text near 0.7 stratify intent",
            "E0104",
            "text",
            "take `check` out",
        ),
        ("by text near 0.85 stratify intent", "by category check stars near 0.7", "E0206", "stars", "of type `string`"),
        ("train 90%, validation 10%", "train 98%, validation 2%", "W0607", "intent", "`count() >= 50`"),
    ]);
}

#[test]
fn answers() {
    check_cases(&[
        ("{{ intent.title }}", "refund", "E0508", "\"refund\"", "`{{ intent }}`"),
        ("{{ intent.title }}", "  ", "E0508", "\"  \"", "`{{ intent }}`"),
        ("{{ text }}", "{{ text }} ({{ intent }})", "W0509", "intent.title", "take it out"),
        ("system \"Route.\"", "mute assistant \"{{ intent.title }}\"", "W0509", "intent.title", "take it out"),
        ("classify intent from text", "classify intent from category", "W0509", "category", "does not say the label"),
    ]);
}
