//! What is measured, and where conditions are cut.

use super::Measures;
use crate::semantic;
use crate::source::{SourceFile, SourceMap};

fn measures(spec: &str) -> Measures {
    let mut map = SourceMap::default();
    let file = map.add(SourceFile::new("test.annot", spec));
    let (parsed, mut found) = semantic::load(&mut map, file, &mut semantic::NoFiles);
    let (program, more) = semantic::resolve(&map, &parsed, &mut semantic::NoFiles);
    found.extend(more);
    assert!(!crate::diagnostics::has_errors(&found), "{found:#?}");
    let against = std::collections::BTreeMap::from([(0, "0".repeat(32))]);
    Measures::of(&program, &program.datasets[0], &against)
}

/// A specification with these rules in its `clean`.
fn spec(rules: &str) -> String {
    format!(
        "annot 1\nsource s {{ path \"a.jsonl\"; license \"MIT\"; fields {{ text: string @personal; kind: string; n: int; \
         age: int? @personal; on: bool; day: date }} }}\nlabel mood: choice {{ good; bad }}\nclean tidy {{\n{rules}\n}}\n\
         policy safe {{ redact @personal: email; allow personal age because \"it is needed\"; allow personal mood because \"it is a label\" }}\n\
         dataset d {{ from s; clean tidy; label mood = kind; policy safe; write jsonl }}\n"
    )
}

#[test]
fn conditions_are_cut_at_what_may_be_measured() {
    let cases: [(&str, &[&str]); 15] = [
        ("words(text) < 3", &["words(text)"]),
        ("words(text) < 3 or words(text) > 90", &["words(text)"]),
        ("(language(text) ?? \"en\") != \"en\"", &["language(text)"]),
        ("language(text) in [\"en\", \"de\"]", &["language(text)"]),
        ("text matches /x/ and chars(text) > 5", &["text matches /x/", "chars(text)"]),
        // A text is no measure, the truth of a comparison is.
        ("kind == \"a\"", &["kind == \"a\""]),
        ("lowercase(kind) == \"a\" or n > 3", &["lowercase(kind) == \"a\"", "n"]),
        ("text + kind == \"a\"", &["text + kind == \"a\""]),
        ("words(text + kind) > 3", &["words(text + kind)"]),
        // A number that may be personal is no measure either, nor what is computed from it.
        ("age > 30", &["age > 30"]),
        ("n + age > 30", &["n + age > 30"]),
        ("n * 2 > words(text)", &["n", "words(text)"]),
        ("age is null", &["age is null"]),
        ("on and n > 3", &["on", "n"]),
        ("(kind match { \"a\" => n; else => 0 }) > 3", &["kind match { \"a\" => n; else => 0 }"]),
    ];
    for (condition, expected) in cases {
        let measures = measures(&spec(&format!("drop \"x\" when {condition}")));
        let parts: Vec<&str> = measures
            .measures
            .iter()
            .zip(&measures.taken)
            .filter(|(_, taken)| matches!(taken, super::Taken::Before(..)))
            .map(|(node, _)| node.what.as_str())
            .collect();
        assert_eq!(parts, expected, "{condition}");
    }
}

#[test]
fn the_columns_follow_from_what_is_measured_alone() {
    let of = |rules: &str| measures(&spec(rules)).columns();
    let first = of("set text = nfc(text)\ndrop \"short\" when words(text) < 3\ndrop \"long\" when chars(text) > 500");
    for same in [
        "set text = nfc(text)\n// a comment\ndrop \"other\" when words(text) < 5\ndrop \"long\" when chars(text) >= 100",
        "set text = nfc(text)\ndrop \"long\" when chars(text) > 500\ndrop \"short\" when 3 > words(text)",
        "set text = nfc(text)\ndrop \"both\" when words(text) + chars(text) > 3 and not words(text) == 9",
    ] {
        assert_eq!(of(same), first, "{same}");
    }
    for other in [
        "set text = nfkc(text)\ndrop \"short\" when words(text) < 3\ndrop \"long\" when chars(text) > 500",
        "drop \"short\" when words(text) < 3\nset text = nfc(text)\ndrop \"long\" when chars(text) > 500",
        "set text = nfc(text)\ndrop \"short\" when words(kind) < 3\ndrop \"long\" when chars(text) > 500",
    ] {
        assert_ne!(of(other), first, "{other}");
    }
}

#[test]
fn what_must_be_kept_as_it_is_and_may_be_personal_is_withheld() {
    assert_eq!(measures(&spec("drop \"x\" when n > 1")).withheld(), None);
    let per = |field: &str| {
        let spec = spec("drop \"x\" when n > 1").replace(
            "redact @personal: email;",
            &format!("redact @personal: email; require count() >= 1 per {field};"),
        );
        measures(&spec).withheld().map(str::to_owned)
    };
    assert_eq!(per("kind"), None);
    assert!(per("text").is_some_and(|why| why.contains("`require … per`")));
    let found =
        spec("drop \"x\" when n > 1").replace("choice { good; bad }", "choice from s.kind").replace("= kind", "= text");
    assert!(measures(&found).withheld().is_some_and(|why| why.contains("label mood")));
}
