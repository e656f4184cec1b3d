//! What is withheld from a look into records is what the check would refuse to write: two walks that must agree.

use std::collections::BTreeSet;

use super::super::personal::personal_when_emitted;
use super::program;
use crate::diagnostics::Code;
use crate::semantic;
use crate::source::{SourceFile, SourceMap};

/// A data set that writes no column that may hold personal data, with these statements; `write` adds to it.
fn spec(fields: &str, rules: &str, policy: &str, write: &str) -> String {
    format!(
        "annot 1\nsource s {{ path \"a.jsonl\"; license \"MIT\"; fields {{ {fields}; plain: string }} }}\n\
         label mood: choice {{ good; bad }}\nclean tidy {{ {rules} }}\npolicy house {{ {policy} }}\n\
         template t: completion {{ prompt \"{{{{ plain }}}}\"; completion \" ok\" }}\n\
         dataset d {{\n  from s\n  clean tidy\n  label mood = note match {{ \"a\" => good; else => bad }}\n  policy house\n  \
         split train 50%, test 50%\n  write prompt_completion from t\n  {write}\n}}\n"
    )
}

/// The columns that the check refuses to write.
fn refused(text: &str) -> BTreeSet<String> {
    let mut map = SourceMap::default();
    let file = map.add(SourceFile::new("test.annot", text));
    let (tree, _) = crate::syntax::parse(file, text);
    let (_, findings) = semantic::resolve(&map, &[tree], &mut semantic::NoFiles);
    let leaks = findings.iter().filter(|finding| finding.code == Code::PersonalDataLeak);
    leaks.map(|leak| leak.message.split('`').nth(1).unwrap().to_owned()).collect()
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
        ("text: string @personal; note: string", "set note = text", "redact text: email", &["mood", "note"]),
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
            &["mood", "note", "text"],
        ),
    ];
    for (fields, rules, policy, expected) in cases {
        let program = program(&spec(fields, rules, policy, ""));
        let dataset = &program.datasets[0];
        let withheld = dataset.columns.iter().zip(personal_when_emitted(dataset));
        let withheld: BTreeSet<String> = withheld
            .filter(|(column, personal)| *personal && !column.hidden)
            .map(|(column, _)| column.name.clone())
            .collect();
        let expected: BTreeSet<String> = expected.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(withheld, expected, "{fields} | {rules} | {policy}");
        assert_eq!(refused(&spec(fields, rules, policy, "write parquet")), expected, "{fields} | {rules} | {policy}");
    }
}
