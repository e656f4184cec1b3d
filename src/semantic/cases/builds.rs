//! What the resolved program holds, and what a build refuses.

use super::{all_shown, check, shown};
use crate::diagnostics::has_errors;
use crate::hir::{ExprKind, LabelSchema, LabelValues, SplitRule, StepKind};
use crate::source::{SourceFile, SourceMap};

/// A specification around the statements of a data set.
fn with(blocks: &str, statements: &str) -> String {
    format!(
        "annot 1\nsource s {{\n  path \"a.jsonl\"\n  fields {{\n    text: string @personal\n    note: string?\n    category: string\n    stars: int?\n    topics: list<string>\n    found: list<{{ start: int, end: int, label: string }}>\n  }}\n}}\n{blocks}\ndataset d {{\n  from s\n{statements}\n  split train 90%, test 10%\n}}\n"
    )
}

#[test]
fn a_leak_shows_its_path() {
    let text = with(
        "clean c { set note = text |> lowercase }\ntemplate t: chat { user \"{{ category }}\"; assistant \"{{ note }}\" }",
        "  clean c\n  write messages from t",
    );
    let checked = check(&text);
    let leak = checked.found.iter().find(|found| found.code.id() == "E0401").expect("the note leaks");
    let places: Vec<&str> = leak.labels.iter().map(|label| checked.files.text(label.span)).collect();
    assert_eq!(
        places,
        ["t", "text: string @personal", "set note = text |> lowercase", "note"],
        "{}",
        shown(&checked, leak)
    );
}

#[test]
fn personal_data_is_cleared_or_reported() {
    let kinds = "source p { path \"b.csv\"; fields { mail: string @personal(email, name) } }\ndataset e { from p; policy q; split train 100%; write jsonl }";
    let cases = [
        ("policy p { redact @personal: email }", "  policy p\n  write parquet", 0),
        ("policy p { redact note: email }", "  policy p\n  write parquet", 1),
        ("policy p { allow personal text because \"public forum\" }", "  policy p\n  write parquet", 0),
        ("clean c { set text = category }", "  clean c\n  write parquet", 0),
        ("", "  write parquet", 1),
        (&format!("policy q {{ redact mail: email }}\n{kinds}"), "", 1),
        (&format!("policy q {{ redact mail: email; allow personal mail because \"said so\" }}\n{kinds}"), "", 0),
        ("label l: choice { a; b }", "  label l = text match { x => a; else => b }\n  policy p\n  write parquet", 1),
    ];
    for (blocks, statements, leaks) in cases {
        let text = with(blocks, statements)
            .replace("policy p\n", if blocks.contains("policy p") { "policy p\n" } else { "\n" });
        let checked = check(&text.replace("\n  \n", "\n"));
        let found = checked.found.iter().filter(|found| found.code.id() == "E0401").count();
        assert_eq!(found, leaks, "{blocks} / {statements}\n{}", all_shown(&checked, &checked.found));
    }
}

#[test]
fn types_narrow_after_a_drop() {
    let cases = [
        ("drop \"x\" when note is null", true),
        ("drop \"x\" when note is null or words(text) < 3", true),
        ("drop \"x\" when not (note is not null)", true),
        ("drop \"x\" when note is null and words(text) < 3", false),
        ("drop \"x\" when note == \"a\"", false),
        ("set note = text", true),
        ("set note = note ?? \"none\"", true),
    ];
    for (rule, narrows) in cases {
        let checked = check(&with(&format!("clean c {{ {rule}; set category = note }}"), "  clean c"));
        assert_eq!(!has_errors(&checked.found), narrows, "{rule}\n{}", all_shown(&checked, &checked.found));
    }
}

#[test]
fn labels_are_mapped() {
    let label = "label mood: choice { good; bad }\nlabel far: choice from \"labels/intents.yaml\"\nlabel found: choice from s.category";
    let statements = "  label mood = stars match { 1, 2 => bad; 4, 5 => good; else => drop }\n  label far = category\n  label found = category else drop";
    let checked = check(&with(label, statements));
    assert!(!has_errors(&checked.found), "{}", all_shown(&checked, &checked.found));
    let dataset = &checked.program.datasets[0];
    let StepKind::Label { drop_when: Some(drop), value, .. } = &dataset.steps[0].kind else {
        panic!("a mapping that drops")
    };
    assert!(matches!(&drop.kind, ExprKind::Match { arms, .. } if arms.len() == 2));
    assert!(matches!(&value.kind, ExprKind::Match { otherwise: Some(_), .. }) && !value.ty.nullable);
    let LabelSchema::Choice(LabelValues::Listed(values)) = &checked.program.labels[1].schema else {
        panic!("values of a file")
    };
    assert_eq!(values.iter().map(|value| value.title.as_str()).collect::<Vec<_>>(), ["The first", "b"]);
    assert!(matches!(checked.program.labels[2].schema, LabelSchema::Choice(LabelValues::Found { field: 2, .. })));
}

#[test]
fn a_field_that_one_source_lacks_may_be_null() {
    let text = "annot 1\nsource a { path \"a.csv\"; fields { x: string; y: string @drop } }\nsource b { path \"b.csv\"; fields { x: string } }\ndataset d { from a, b; split test from b, train 100%; write jsonl }\n";
    let checked = check(text);
    assert!(checked.found.is_empty(), "{}", all_shown(&checked, &checked.found));
    let dataset = &checked.program.datasets[0];
    let columns: Vec<_> =
        dataset.columns.iter().map(|column| (column.name.as_str(), column.ty.nullable, column.hidden)).collect();
    assert_eq!(columns, [("x", false, false), ("y", true, true)]);
    assert_eq!(dataset.split.parts, ["train", "test"]);
    assert!(
        matches!(&dataset.split.rule, SplitRule::Shares { shares, fixed, .. } if shares == &[(0, 1.0)] && fixed[0].part == 1)
    );
}

/// Values of a test have the types of their fields, also inside of lists and records, and those of their context where no
/// data set gives the fields.
#[test]
fn values_of_tests_are_typed() {
    let source = "annot 1\nsource s {\n  path \"a.jsonl\"\n  fields {\n    text: string\n    turns: list<{ role: string, content: string, weight: float? }>\n    day: date?\n    at: timestamp?\n    tags: list<string>?\n  }\n}\nclean c { set text = text |> nfc }\ndataset d { from s; clean c; split train 100%; write parquet }\n";
    let unused = "clean free { set text = text |> nfc }\ndataset e { from s; split train 100%; write parquet }\n";
    let cases = [
        (
            "c",
            "text: \"a\", turns: [{ role: \"user\", content: \"b\" }], day: \"2024-05-31\", tags: [\"x\", \"y\"]",
            "",
        ),
        ("c", "turns: [{ content: \"b\", role: \"user\", weight: 2 }], at: \"2024-05-31T12:00:00Z\", tags: null", ""),
        ("c", "turns: []", ""),
        ("c", "turns: [{ role: \"user\" }]", "E0210 { role: \"user\" }"),
        ("c", "turns: [{ role: \"user\", contnt: \"b\", content: \"c\" }]", "E0201 contnt"),
        ("c", "turns: [{ role: 1, content: \"b\" }]", "E0209 1"),
        ("c", "turns: [\"a\"]", "E0206 \"a\""),
        ("c", "turns: { role: \"user\", content: \"a\" }", "E0206 { role: \"user\", content: \"a\" }"),
        ("c", "turns: null", "E0210 null"),
        ("c", "tags: [\"x\", null]", "E0210 null"),
        ("c", "day: \"2024-02-30\"", "E0206 \"2024-02-30\""),
        ("c", "at: \"2024-05-31\"", "E0206 \"2024-05-31\""),
        ("c", "text: words(\"a\")", "E0219 words(\"a\")"),
        ("free", "text: \"a\", more: [{ a: 1 }, { a: 2.5, b: true }, { a: null }]", ""),
        ("free", "text: \"a\", more: []", "E0206 []"),
        ("free", "text: \"a\", more: [1, \"a\"]", "E0206 \"a\""),
    ];
    for (block, given, expected) in cases {
        let unused = if block == "free" { unused } else { "" };
        let test = format!("test {block} \"t\" {{\n  given {{ {given} }}\n  expect {{ text: \"a\" }}\n}}\n");
        let checked = check(&format!("{source}{unused}{test}"));
        let found = checked.found.iter().filter(|found| found.code.id() != "W0106");
        let found: Vec<String> =
            found.map(|found| format!("{} {}", found.code.id(), checked.files.text(found.labels[0].span))).collect();
        assert_eq!(found.join("; "), expected, "{given}\n{}", all_shown(&checked, &checked.found));
    }
}

/// Well-formed statements of the language that cannot be built: each is refused by name, and checked without an error.
#[test]
fn what_cannot_be_built_is_refused() {
    let cases = [
        ("label m: spans over text { a { c }; b } overlap no", "  label m = found", "trees"),
        ("label m: spans over text from s.category", "  label m = found", "spans from a field"),
        ("label m: choices(1..2) { a { c }; b }", "  label m = topics", "trees"),
        ("label m: choices from s.category", "  label m = topics", "choices from a field"),
        ("label m: choice { cards { physical; virtual }; transfers }", "  label m = category", "trees"),
        ("label m: json { amount: float; currency: string? }", "  label m = category", "json"),
        (
            "label m: choice { a; b }",
            "  label m { from category; from rule \"r\" when text matches /x/i => a; resolve majority else drop }",
            "from rule",
        ),
        ("policy p { keep for 24 months from category }", "  policy p", "keep for"),
        ("policy p { k_anonymous 5 over (category, stars) }", "  policy p", "k_anonymous"),
        ("policy p { pack hipaa.safe_harbor }", "  policy p", "pack"),
        ("policy p { redact @personal: email }", "  policy p\n  write csv", "csv"),
        (
            "source z { path \"s3://bucket/a.jsonl\"; fields { x: string } }\ndataset e { from z; split train 100% }",
            "",
            "s3",
        ),
        (
            "source z { path \"a.jsonl.xz\"; format jsonl; fields { x: string } }\ndataset e { from z; split train 100% }",
            "",
            ".xz",
        ),
        (
            "source z { path \"ftp://h/a.jsonl\"; fields { x: string } }\ndataset e { from z; split train 100% }",
            "",
            "ftp",
        ),
        (
            "label m: json { amount: float }\ntest m \"t\" {\n  given { category: \"a\" }\n  expect drop\n}",
            "  label m = category",
            "cannot be tested",
        ),
    ];
    for (blocks, statements, word) in cases {
        let checked = check(&with(blocks, statements));
        assert!(!has_errors(&checked.found), "{blocks}{statements}\n{}", all_shown(&checked, &checked.found));
        let named = checked.refused.iter().any(|refused| refused.message.contains(word) && refused.help.is_some());
        assert!(named, "{blocks}{statements}\n{}", all_shown(&checked, &checked.refused));
    }
}

#[test]
fn a_target_is_refused_for_what_it_needs_alone() {
    let mut files = SourceMap::default();
    let text = super::EXAMPLE.replace("onnx \"models/minilm\"", "new decoder { layers 2 }");
    let file = files.add(SourceFile::new("spec.annot", text));
    let (parsed, _) = super::load(&mut files, file, &mut super::OneFile);
    let refused = |targets: &[&str]| super::check_supported(&parsed, Some(targets)).len();
    assert_eq!((refused(&["banking"]), refused(&["router"])), (0, 1));
}

/// Texts made to grow or to nest are refused; nothing overflows.
#[test]
fn expressions_stay_small() {
    let doubling: String = (1..40).map(|n| format!("fn f{n}(x: string) = f{}(x) + f{}(x)\n", n - 1, n - 1)).collect();
    let chained: String = (1..3000).map(|n| format!("let c{n} = c{} + 1\n", n - 1)).collect();
    let wide = vec!["text == \"a\""; 3000].join(" or ");
    let cases = [
        format!("fn f0(x: string) = x + x\n{doubling}clean c {{ set text = f39(text) }}"),
        format!("let c0 = 1\n{chained}clean c {{ drop \"x\" when words(text) < c2999 }}"),
        format!("clean c {{ drop \"x\" when {wide} }}"),
    ];
    for blocks in cases {
        let checked = check(&with(&blocks, "  clean c"));
        assert!(checked.found.iter().any(|found| found.code.id() == "E0009"));
    }
}
