//! The JUnit report: one suite for each block, in order, without times, so that equal runs have equal bytes.
//!
//! Elements and attributes are those that the schema of the JUnit reader of build servers (`junit-10.xsd`) has.

use std::fmt::Write;
use std::path::Path;

use super::super::Failure;
use super::super::context::Spec;
use super::super::terminal::Terminal;
use super::{failure, place};
use crate::emit::write_atomically;
use crate::engine::TestOutcome;

/// Writes the report to a file, or to standard output for `-`.
pub fn write(path: &Path, spec: &Spec, outcomes: &[TestOutcome], terminal: &Terminal) -> Result<(), Failure> {
    let report = report(spec, outcomes);
    if path == Path::new("-") {
        terminal.answer(report.trim_end());
        return Ok(());
    }
    write_atomically(path, report.as_bytes()).map_err(|error| {
        terminal.error(error, Some("name a file in a folder that exists"));
        Failure::World
    })
}

fn report(spec: &Spec, outcomes: &[TestOutcome]) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let name = escaped(&spec.path.display().to_string());
    let failed = |outcomes: &[&TestOutcome]| outcomes.iter().filter(|outcome| !outcome.failures.is_empty()).count();
    let all: Vec<&TestOutcome> = outcomes.iter().collect();
    put(
        &mut xml,
        format_args!("<testsuites name=\"{name}\" tests=\"{}\" failures=\"{}\" errors=\"0\">", all.len(), failed(&all)),
    );
    let mut blocks: Vec<&str> = Vec::new();
    for outcome in outcomes {
        if !blocks.contains(&outcome.target.as_str()) {
            blocks.push(&outcome.target);
        }
    }
    for block in blocks {
        let tests: Vec<&TestOutcome> = outcomes.iter().filter(|outcome| outcome.target == block).collect();
        put(
            &mut xml,
            format_args!(
                "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" file=\"{name}\">",
                escaped(block),
                tests.len(),
                failed(&tests)
            ),
        );
        tests.iter().for_each(|outcome| put_case(&mut xml, spec, outcome));
        put(&mut xml, format_args!("  </testsuite>"));
    }
    put(&mut xml, format_args!("</testsuites>"));
    xml
}

fn put(xml: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(xml, "{line}").expect("memory takes every write");
}

fn put_case(xml: &mut String, spec: &Spec, outcome: &TestOutcome) {
    let (name, class) = (escaped(&outcome.title), escaped(&outcome.target));
    if outcome.failures.is_empty() {
        put(xml, format_args!("    <testcase name=\"{name}\" classname=\"{class}\"/>"));
        return;
    }
    put(xml, format_args!("    <testcase name=\"{name}\" classname=\"{class}\">"));
    for found in &outcome.failures {
        let message = escaped(&failure::message(found));
        let mut text = place(spec, found.span);
        for line in failure::lines(found, None) {
            text.push_str("\n  ");
            text.push_str(&line);
        }
        put(
            xml,
            format_args!("      <failure type=\"expectation\" message=\"{message}\">{}</failure>", content(&text)),
        );
    }
    put(xml, format_args!("    </testcase>"));
}

/// A text as the value of an attribute, where a newline or a tab would be read as a space.
fn escaped(text: &str) -> String {
    let text = content(text);
    text.replace('"', "&quot;").replace('\n', "&#10;").replace('\t', "&#9;")
}

/// A text as the content of an element. A character that XML cannot hold is written as the language escapes it.
fn content(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '\n' | '\t' => shown.push(character),
            '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => {
                shown.push_str(&format!("\\u{{{:x}}}", u32::from(character)));
            }
            _ => shown.push(character),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::{content, escaped};

    #[test]
    fn every_text_can_stand_in_a_report() {
        assert_eq!(content("a < b && \"c\"\n]]>"), "a &lt; b &amp;&amp; \"c\"\n]]&gt;");
        assert_eq!(escaped("a\t\"b\"\n\u{0}\u{1b}\r"), "a&#9;&quot;b&quot;&#10;\\u{0}\\u{1b}\\u{d}");
        assert_eq!(content("\u{fffe}é\u{1f4b3}"), "\\u{fffe}é\u{1f4b3}");
    }
}
