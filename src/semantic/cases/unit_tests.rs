//! Mistakes in tests of templates and labels.

use super::mistakes::{Case, END, check_cases};

/// A test at the end of the base.
fn test_of(target: &str, given: &str, expect: &str) -> String {
    format!("test {target} \"title\" {{\n  given {given}\n  expect {expect}\n}}")
}

#[test]
fn tests_of_templates_and_labels() {
    let route = |given: &str, expect: &str| test_of("route", given, expect);
    let right = r#"{ text: "a b c", intent: card }"#;
    let cases = [
        (route(right, r#"{ sytem: "Route." }"#), "E0504", "sytem", "`system`"),
        (route(right, r#"{ prompt: "Route." }"#), "E0504", "prompt", "slots: `system`, `user`, `assistant`"),
        (route(right, r#"{ user: ["a b c", "d"] }"#), "E0911", r#"["a b c", "d"]"#, "`user: \"…\"`"),
        (route(right, "{ user: null }"), "E0210", "null", "give it a value"),
        (route(right, "{ user: { text: \"a\" } }"), "E0206", "{ text: \"a\" }", "write one `string`"),
        (route(right, "drop"), "E0911", "drop", "expect its slots"),
        (route(right, "quarantine"), "E0911", "quarantine", "expect its slots"),
        (route(r#"{ txt: "a", intent: card }"#, r#"{ user: "a" }"#), "E0201", "txt", "`text`"),
        (route(r#"{ text: "a" }"#, r#"{ user: "a" }"#), "E0210", r#"{ text: "a" }"#, "add `intent: …`"),
        (route(r#"{ text: "a", intent: crd }"#, r#"{ user: "a" }"#), "E1001", "crd", "`card`"),
        (route(r#"{ text: ["a"], intent: card }"#, r#"{ user: "a" }"#), "E0206", r#"["a"]"#, "write one `string`"),
        (route(r#"{ text: 3, intent: card }"#, r#"{ user: "a" }"#), "E0209", "3", "`string`"),
        (route(r#"{ text: "a", text: "b", intent: card }"#, r#"{ user: "a" }"#), "E0108", "text", "keep one"),
        (test_of("mood", "{ stars: 1 }", "{ mood: bd }"), "E1001", "bd", "`bad`"),
        (test_of("mood", "{ stars: 1 }", "{ moood: bad }"), "E0201", "moood", "`mood`"),
        (test_of("mood", "{ stars: 1 }", "{ mood: null }"), "E0210", "null", "give it a value"),
        (test_of("mood", "{ star: 1 }", "{ mood: bad }"), "E0201", "star", "`stars`"),
        (test_of("mood", "{ code: \"a\" }", "{ mood: bad }"), "E0210", "{ code: \"a\" }", "add `stars: …`"),
        (test_of("mood", "{ stars: null }", "drop"), "E0210", "null", "give it a value"),
        (test_of("mood", "{ stars: 1 }", "drop \"bad\""), "E0906", "\"bad\"", "`label mood`"),
        (test_of("tidy", "{ text: \"a\" }", "quarantine"), "E0911", "quarantine", "test the label"),
        (test_of("banking", "{ text: \"a\" }", "drop"), "E0103", "banking", "test the blocks"),
        (test_of("rout", "{ text: \"a\" }", "drop"), "E0101", "rout", "`route`"),
    ];
    let cases: Vec<Case<'_>> =
        cases.iter().map(|(text, code, place, help)| (END, text.as_str(), *code, *place, *help)).collect();
    check_cases(&cases);
    check_cases(&[
        (
            END,
            "label spare: choice { a; b }\ntest spare \"s\" {\n  given { text: \"a\" }\n  expect { spare: a }\n}",
            "E0912",
            "spare",
            "`label spare = …`",
        ),
        (
            END,
            "label found: choice from questions.category\ndataset more { from questions; clean tidy; label found = category; split train 100% }\n\
             test found \"f\" {\n  given { category: \"a\" }\n  expect quarantine\n}",
            "E0911",
            "quarantine",
            "list the label's values",
        ),
    ]);
}
