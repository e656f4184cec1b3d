//! The tables of the reference are printed from those of the program. `ANNOTC_WRITE_DOCS=1 cargo test reference` writes them
//! anew.

use annotc::diagnostics::{Code, Severity};
use annotc::plan::functions::{self, Example, Function, ParameterKind, ValueType};
use annotc::plan::packs::{self, OptionKind};
use annotc::semantic::tables;
use annotc::{pii, syntax};

use crate::support::repository;

const FOLDER: &str = "docs/language/tables";

#[test]
fn the_tables_of_the_reference_are_those_of_the_program() {
    let pages: [(&str, String); 8] = [
        ("statements", statements()),
        ("functions", all_functions()),
        ("packs", all_packs()),
        ("detectors", detectors()),
        ("licences", licences()),
        ("formats", formats()),
        ("metrics", metrics()),
        ("codes", codes()),
    ];
    let folder = repository().join(FOLDER);
    if std::env::var_os("ANNOTC_WRITE_DOCS").is_some_and(|value| value == "1") {
        std::fs::create_dir_all(&folder).expect("the folder can be made");
        for (name, text) in &pages {
            std::fs::write(folder.join(format!("{name}.md")), text).expect("a page can be written");
        }
    }
    let stale: Vec<&str> = pages
        .iter()
        .filter(|(name, text)| std::fs::read_to_string(folder.join(format!("{name}.md"))).ok().as_ref() != Some(text))
        .map(|(name, _)| *name)
        .collect();
    assert!(stale.is_empty(), "{stale:?} in {FOLDER} say something else: set ANNOTC_WRITE_DOCS=1 and run this test");
    let others: Vec<_> = super::fences::pages(&[FOLDER])
        .into_iter()
        .filter(|page| !pages.iter().any(|(name, _)| *page == format!("{FOLDER}/{name}.md")))
        .collect();
    assert!(others.is_empty(), "{others:?} are printed from no table");
}

/// The head of a page: its title, who wrote it, and what the table is about.
fn page(title: &str, about: &str) -> String {
    format!(
        "# {title}\n\n<!-- Printed from the program's own table by `ANNOTC_WRITE_DOCS=1 cargo test reference`. -->\n\n{about}\n\n"
    )
}

fn row(cells: &[&str]) -> String {
    format!("| {} |\n", cells.iter().map(|cell| cell.replace('|', "\\|")).collect::<Vec<_>>().join(" | "))
}

fn head(cells: &[&str]) -> String {
    row(cells) + &row(&vec!["---"; cells.len()])
}

/// A text as code in a table; one that holds a backtick stands between two.
fn code(text: &str) -> String {
    if text.contains('`') { format!("`` {text} ``") } else { format!("`{text}`") }
}

fn list<'t>(words: impl IntoIterator<Item = &'t str>) -> String {
    words.into_iter().map(code).collect::<Vec<_>>().join(", ")
}

fn statements() -> String {
    let mut text = page(
        "Statements",
        "Every word that begins a statement, by the block that it stands in, with a whole statement as an example. In a list \
         of fields or values, in a `match` block and in a block of options the author's own names begin the statements.",
    );
    let mut block = "";
    for statement in syntax::statements() {
        if statement.block != block {
            block = statement.block;
            text += &format!("{}## In {block}\n\n", if text.ends_with("|\n") { "\n" } else { "" });
            text += &head(&["Word", "Example"]);
        }
        text += &row(&[&code(statement.word), &code(statement.example)]);
    }
    text
}

fn type_name(value: ValueType, nullable: bool) -> String {
    let name = match value {
        ValueType::String => "string",
        ValueType::Int => "int",
        ValueType::Float => "float",
        ValueType::Bool => "bool",
    };
    if nullable { format!("{name}?") } else { name.to_owned() }
}

fn all_functions() -> String {
    let mut text = page(
        "Functions",
        "The functions of the language. Each takes a text and has no effect; a null text gives null. What some take beside \
         the text are constants, which are checked before any data is read; what has a default may be left out. \
         `words(text)` and `text |> words` are the same, and so are `truncate(text, 200)` and `text |> truncate(200)`. The \
         examples are run by the tests.",
    );
    text += &head(&["Function", "Gives", "What it does"]);
    for function in functions::all() {
        let result = type_name(function.result.value, function.result.nullable);
        let link = format!("[`{0}`](#{0})", function.name);
        text += &row(&[&link, &code(&result), function.summary]);
    }
    for function in functions::all() {
        text += &format!("\n## {}\n\n`{}`\n\n{}\n\n", function.name, function.signature(), function.docs);
        text += &ranges(function);
        let given: Vec<&str> = function.parameters.iter().map(|parameter| parameter.name).collect();
        text += &head(&[&["Text"], &given[1..], &["Result"]].concat());
        for example in function.examples {
            let mut cells = vec![code(&quoted(example.input))];
            let constants = function.constants().iter().zip(example.constants);
            cells.extend(constants.map(|(parameter, constant)| code(&parameter.written(*constant))));
            cells.push(code(&result_of(function, example)));
            text += &row(&cells.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }
    text
}

fn all_packs() -> String {
    let mut text = page(
        "Packs",
        "Published sets of cleaning rules, by the name that `pack` in a `clean` block calls them. The names of options and the \
         reasons of rules are those of the public implementations. Each option can be `off`, which takes out the rules that \
         need it.",
    );
    text += &head(&["Pack", "What it keeps out"]);
    for pack in packs::all() {
        text += &row(&[&format!("[`{0}`](#{0})", pack.name), pack.summary]);
    }
    for pack in packs::all() {
        text += &format!("\n## {}\n\n{}\n\n", pack.name, pack.docs);
        text += &head(&["Option", "Unless it is set", "What it is"]);
        for option in pack.options {
            let default = match option.kind {
                OptionKind::Whole(default, ..) => default.to_string(),
                OptionKind::Number(default, ..) => default.to_string(),
                OptionKind::Switch => "on".to_owned(),
            };
            text += &row(&[&code(option.name), &code(&default), option.docs]);
        }
        text += &format!("\nIt stands for these rules:\n\n```annot in=clean\n{}```\n", pack.written_out("text"));
    }
    text
}

/// What the numbers among a function's constants may be.
fn ranges(function: &Function) -> String {
    let ranges = function.constants().iter().filter_map(|parameter| match parameter.kind {
        ParameterKind::Whole { least, most } => Some(format!("`{}` is from {least} to {most}", parameter.name)),
        ParameterKind::Text
        | ParameterKind::Literal
        | ParameterKind::Pattern
        | ParameterKind::Word(_)
        | ParameterKind::Model
        | ParameterKind::LanguageModel => None,
    });
    let ranges: Vec<String> = ranges.collect();
    if ranges.is_empty() { String::new() } else { format!("{}.\n\n", ranges.join("; ")) }
}

/// A text as a string of the language: what cannot be seen is escaped.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => quoted += "\\\"",
            '\\' => quoted += "\\\\",
            '\n' => quoted += "\\n",
            '\r' => quoted += "\\r",
            '\t' => quoted += "\\t",
            ' ' => quoted.push(' '),
            c if c.is_control() || c.is_whitespace() || is_invisible(c) => {
                quoted += &format!("\\u{{{:x}}}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Combining marks and signs without a width, which a reader could not tell from nothing.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn result_of(function: &Function, example: &Example) -> String {
    match (function.result.value, example.output) {
        (ValueType::String, output) if !(function.result.nullable && output == "null") => quoted(output),
        (_, output) => output.to_owned(),
    }
}

fn detectors() -> String {
    let mut text = page(
        "Detectors of personal data",
        "The kinds that `redact` can find in a text, and what stands there afterwards. A detector would rather miss than \
         take a date or a price for a number of somebody's: what it finds is checked by checksums, prefixes, lengths and \
         neighbours.",
    );
    text += &head(&["Kind", "Becomes"]);
    for detector in pii::all() {
        text += &row(&[&format!("[`{0}`](#{0})", detector.name), &code(detector.replacement)]);
    }
    for detector in pii::all() {
        text += &format!("\n## {}\n\n{}\n", detector.name, detector.docs);
    }
    text += &format!(
        "\n## Kinds without a detector\n\nA field may be said to hold them, `@personal(name)`, and nothing finds them in a \
         text, so only a reason clears them: `allow personal text because \"…\"`.\n\n{}\n",
        list(tables::undetected_kinds().iter().copied())
    );
    text
}

fn licences() -> String {
    let mut text = page(
        "Licences",
        "Identifiers of the SPDX list that data is often under. They may be joined by `AND`, `OR` and `WITH`. Any other \
         identifier is taken with the warning [W0405](../../diagnostics/W0405.md), one of your own is `LicenseRef-NAME`.",
    );
    text += "What each allows and asks for is what `purpose` is checked against. It is no legal advice.\n\n";
    text += &head(&["Identifier", "To earn money", "To change", "Asks of who passes it on"]);
    for licence in tables::licences() {
        let commercial = if licence.commercial { "yes" } else { "no" };
        text += &row(&[&code(licence.id), commercial, licence.changes, licence.asks]);
    }
    text
}

fn formats() -> String {
    let mut text = page("Formats", "What sources are read from, and what data sets are written in.");
    text += "## Sources\n\nThe word after `format`; without the statement the file's ending says it.\n\n";
    text += &head(&["Format", "Endings", "A record is", "Fields of its own", "Options", "`.gz`, `.zst`"]);
    for format in tables::source_formats() {
        let endings: Vec<String> = format.endings.iter().map(|ending| code(&format!(".{ending}"))).collect();
        let fields = list(format.columns.iter().map(|(name, _)| *name));
        let options = list(format.options.iter().map(|option| option.about().0));
        let packed = if format.format.is_text() { "read" } else { "no" };
        text +=
            &row(&[&list(format.words.iter().copied()), &endings.join(", "), format.record, &fields, &options, packed]);
    }
    text += "\n### Options\n\nThey stand in a block behind the word: `format csv { delimiter \";\" }`.\n\n";
    text += &head(&["Option", "Example", "What it says"]);
    let options = tables::source_formats().flat_map(|format| format.options);
    let mut seen: Vec<&str> = Vec::new();
    for (word, example, about) in options.map(|option| option.about()) {
        if !seen.contains(&word) {
            seen.push(word);
            text += &row(&[&code(word), &code(example), about]);
        }
    }
    text += "\n## Outputs\n\nThe word after `write`.\n\n";
    text += &head(&["Format", "From", "One row", "Today"]);
    for format in tables::write_formats() {
        let from = if format.templates.is_empty() {
            "the columns".to_owned()
        } else {
            format!("a template: {}", list(format.templates.iter().copied()))
        };
        let shown = format.written.map_or("".to_owned(), |written| {
            if written.templated { code(written.row) } else { written.row.to_owned() }
        });
        let today = if format.written.is_some() { "written" } else { "known and refused by a build" };
        text += &row(&[&code(format.name), &from, &shown, today]);
    }
    text
}

fn metrics() -> String {
    let mut text = page(
        "Metrics",
        "What `report` of an evaluation can name, and how `require` names it in full. VALUE is a value of the label.",
    );
    text += &head(&["Metric", "Of the tasks", "In `require`", "What it is"]);
    for metric in tables::all_metrics() {
        let forms = if metric.row.report_only { "–".to_owned() } else { list(metric.row.forms.iter().copied()) };
        let tasks = list(metric.tasks.iter().copied());
        text += &row(&[&code(metric.row.name), &tasks, &forms, metric.row.docs]);
    }
    text
}

fn codes() -> String {
    let mut text = page(
        "Diagnostic codes",
        "Each code has a page: what it means, why it matters, an example that fails and the same mended. `annotc explain E0201` \
         shows it in the terminal. The first two digits say what a code is about: 00 syntax, 01 names, 02 types and schemas, \
         03 cleaning, 04 compliance, 05 templates, 06 data, 09 training and evaluation, 10 labels.",
    );
    text += &head(&["Code", "Name", "Severity"]);
    for code in Code::ALL {
        let severity = match code.severity() {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        text += &row(&[&format!("[{0}](../../diagnostics/{0}.md)", code.id()), code.name(), severity]);
    }
    text
}

#[test]
fn every_metric_can_be_named_in_a_spec() {
    for metric in tables::all_metrics() {
        assert!(!metric.tasks.is_empty(), "no task has `{}`", metric.row.name);
    }
}
