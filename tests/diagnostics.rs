//! Wrong specifications as newcomers write them, and what they are told; every code is among them. The first lines of
//! `diagnostics/NAME.annot` say what must be found; `diagnostics/NAME.txt` is what a person then sees.
//! `ANNOTC_WRITE_MESSAGES=1` writes the latter anew.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use annotc::diagnostics::{Code, Diagnostic, Diagnostics, Look, has_errors, render, summary};
use annotc::semantic::{Loader, check_supported, load, resolve};
use annotc::source::{FileId, SourceFile, SourceMap};

use crate::support::repository;

const LOOK: Look = Look { color: false, unicode: true, width: 100 };

/// A wrong specification and what is found in it.
struct Wrong {
    name: String,
    sources: SourceMap,
    found: Diagnostics,
}

/// The files that the specifications refer to at check time.
struct Beside;

impl Loader for Beside {
    fn read(&mut self, path: &Path) -> Result<String, String> {
        std::fs::read_to_string(folder().join(path)).map_err(|_| "no such file".to_owned())
    }
}

fn folder() -> PathBuf {
    repository().join("tests/diagnostics")
}

impl Wrong {
    /// Checks a file; where nothing is wrong with it, it is asked whether it can be built.
    fn read(name: &str) -> Self {
        let file_name = format!("{name}.annot");
        let text = std::fs::read_to_string(folder().join(&file_name)).expect("the file can be read");
        let mut sources = SourceMap::default();
        let id = sources.add(SourceFile::new(file_name, text));
        let (parsed, mut found) = load(&mut sources, id, &mut Beside);
        found.extend(resolve(&sources, &parsed, &mut Beside).1);
        if !has_errors(&found) {
            found.extend(check_supported(&parsed, None));
        }
        found.sort_by_key(|found| found.labels.first().map(|label| label.span));
        Self { name: name.to_owned(), sources, found }
    }

    fn text(&self) -> &str {
        &self.sources.file(FileId(0)).text
    }

    /// The findings by code and place: those that the file expects, and those that were made.
    fn places(&self) -> (Vec<String>, Vec<String>) {
        let expected =
            self.text().lines().map_while(|line| line.strip_prefix("// expect: ")).map(str::to_owned).collect();
        let place = |found: &Diagnostic| {
            let place = self.sources.text(found.labels[0].span).replace('\n', "\\n");
            format!("{} at \"{place}\"", found.code.id())
        };
        (expected, self.found.iter().map(place).collect())
    }

    /// What a person sees.
    fn shown(&self) -> String {
        format!("{}{}\n", render(&self.found, &self.sources, LOOK), summary(&self.found))
    }
}

/// The names of all specifications in the folder.
fn names() -> Vec<String> {
    let entries = std::fs::read_dir(folder()).expect("the folder can be read");
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok()?.strip_suffix(".annot").map(str::to_owned))
        .collect();
    names.sort();
    names
}

#[test]
fn newcomers_are_told_what_is_wrong_and_nothing_else() {
    let write = std::env::var_os("ANNOTC_WRITE_MESSAGES").is_some();
    let (mut complaints, mut shown) = (String::new(), BTreeSet::<&str>::new());
    let names = names();
    assert!(names.len() >= 70, "{} wrong specifications", names.len());
    for name in &names {
        let wrong = Wrong::read(name);
        let (expected, found) = wrong.places();
        let picture = wrong.shown();
        if expected != found || found.is_empty() {
            complaints += &format!("== {name}: expected\n{expected:#?}\nfound\n{found:#?}\n{picture}\n");
        }
        let path = folder().join(format!("{name}.txt"));
        if write {
            std::fs::write(&path, &picture).expect("the message can be written");
        } else if std::fs::read_to_string(&path).ok().as_ref() != Some(&picture) {
            complaints +=
                &format!("== {name}: differs from {name}.txt (ANNOTC_WRITE_MESSAGES=1 writes it anew)\n{picture}\n");
        }
        shown.extend(wrong.found.iter().map(|finding| finding.code.id()));
    }
    assert!(complaints.is_empty(), "{complaints}");
    let unseen: Vec<&str> = Code::ALL.iter().map(|code| code.id()).filter(|id| !shown.contains(id)).collect();
    assert!(unseen.is_empty(), "no specification shows {unseen:?}");
}

#[test]
fn every_message_is_one_that_a_person_can_use() {
    let rules = grammar_rules();
    let mut complaints = String::new();
    for name in names() {
        let wrong = Wrong::read(&name);
        for finding in &wrong.found {
            for complaint in complaints_about(&wrong, finding, &rules) {
                complaints += &format!("{}: {} {}: {complaint}\n", wrong.name, finding.code.id(), finding.message);
            }
        }
    }
    assert!(complaints.is_empty(), "{complaints}");
}

/// What is wrong with a finding itself.
fn complaints_about(wrong: &Wrong, finding: &Diagnostic, rules: &BTreeSet<String>) -> Vec<String> {
    let mut complaints = Vec::new();
    let text = wrong.text();
    let is_bare = text.lines().all(|line| line.trim().is_empty() || line.starts_with("//"));
    for label in &finding.labels {
        let text = &wrong.sources.file(label.span.file).text;
        let place = text.get(label.span.start as usize..label.span.end as usize);
        if place.is_none() {
            complaints.push(format!("{:?} lies outside of the file", label.span));
        }
        if place.is_some_and(str::is_empty) && !is_bare {
            complaints.push(format!("{:?} points at nothing", label.span));
        }
    }
    let Some(help) = &finding.help else {
        complaints.push("it has no help".to_owned());
        return complaints;
    };
    let said = [&finding.message, help].into_iter().chain(finding.labels.iter().map(|label| &label.message));
    for said in said {
        if said.is_empty() || said.starts_with(char::is_uppercase) || said.ends_with('.') || said.contains('\n') {
            complaints.push(format!("{said:?} is no phrase in lower case without a final period"));
        }
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let leaked = said.split(|c| !is_word(c)).find(|word| rules.contains(*word) && !text.contains(word));
        if let Some(rule) = leaked {
            complaints.push(format!("{said:?} speaks of the grammar's `{rule}`"));
        }
        // What stands in backticks quotes the language or the file.
        let prose: String = said.split('`').step_by(2).collect();
        let types =
            ["::", "Some(", "None", "Ok(", "Err(", "Vec<", "Option", "&str", "usize", "i64", "f64", "Utf8", "Span"];
        if let Some(found) = types.iter().find(|word| prose.contains(**word)) {
            complaints.push(format!("{said:?} speaks Rust: {found}"));
        }
    }
    complaints
}

/// The grammar's own names, as far as they are no words of the language.
fn grammar_rules() -> BTreeSet<String> {
    let grammar = std::fs::read_to_string(repository().join("grammar/annot.pest")).expect("the grammar can be read");
    let rules = grammar.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name.trim().to_owned());
    rules.filter(|name| name.contains('_') && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')).collect()
}
