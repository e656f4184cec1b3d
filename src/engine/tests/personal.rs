//! What is withheld from a look into records is what the check would refuse to write: two walks that must agree.

use super::program;
use crate::diagnostics::Code;
use crate::plan::personal::personal_when_emitted;
use crate::semantic;
use crate::source::{SourceFile, SourceMap};

/// A data set with these statements whose only output prints one column.
fn spec(fields: &str, rules: &str, policy: &str, printed: &str) -> String {
    format!(
        "annot 1\nsource s {{ path \"a.jsonl\"; license \"MIT\"; fields {{ {fields}; plain: string }} }}\n\
         label mood: choice {{ good; bad }}\nlabel topic: choice from s.plain\nclean tidy {{ {rules} }}\npolicy house {{ {policy} }}\n\
         template t: completion {{ prompt \"{{{{ {printed} }}}}\"; completion \" {{{{ mood }}}}\" }}\n\
         dataset d {{\n  from s\n  clean tidy\n  label mood = note match {{ \"a\" => good; else => bad }}\n  label topic = note\n  policy house\n  \
         split train 50%, test 50%\n  write prompt_completion from t\n}}\n"
    )
}

/// Whether the check finds a leak.
fn leaks(text: &str) -> bool {
    let mut map = SourceMap::default();
    let file = map.add(SourceFile::new("test.annot", text));
    let (parsed, _) = semantic::load(&mut map, file, &mut semantic::NoFiles);
    let (_, findings) = semantic::resolve(&map, &parsed, &mut semantic::NoFiles);
    findings.iter().any(|finding| finding.code == Code::PersonalDataLeak)
}

#[test]
fn what_is_withheld_is_what_the_check_would_refuse() {
    let cases: [(&str, &str, &str, &[&str]); 8] = [
        ("text: string @personal; note: string", "drop \"x\" when plain == \"\"", "require count() >= 1", &["text"]),
        ("text: string @personal; note: string", "set text = nfc(text)", "redact @personal: email", &[]),
        ("text: string @personal(email, phone); note: string", "set text = nfc(text)", "redact text: email", &["text"]),
        (
            "text: string @personal(email, phone); note: string",
            "set text = nfc(text)",
            "redact text: email, phone",
            &[],
        ),
        ("text: string @personal; note: string", "set note = text", "redact text: email", &["note", "topic"]),
        ("text: string @personal; note: string", "set text = note", "require count() >= 1", &[]),
        (
            "text: string @personal; note: string",
            "set plain = plain",
            "allow personal text because \"it is public\"",
            &[],
        ),
        (
            "text: string; note: string @personal(name)",
            "set text = text + note",
            "redact note: email",
            &["note", "text", "topic"],
        ),
    ];
    for (fields, rules, policy, expected) in cases {
        let program = program(&spec(fields, rules, policy, "plain"));
        let dataset = &program.datasets[0];
        for (column, withheld) in dataset.columns.iter().zip(personal_when_emitted(&program, dataset)) {
            let place = format!("`{}`: {fields} | {rules} | {policy}", column.name);
            assert_eq!(withheld, expected.contains(&column.name.as_str()), "{place}");
            assert_eq!(withheld, leaks(&spec(fields, rules, policy, &column.name)), "{place}");
        }
    }
}
