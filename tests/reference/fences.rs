//! The fenced blocks of the documents.
//!
//! The first word after the fence is the block's language, as everybody's viewer colours it; what follows says how the block
//! is tested, and no viewer shows it:
//!
//! * `annot`: a whole specification, or declarations; both without an error and a warning.
//! * `annot in=clean`: statements of a block. `completion` adds what is around them.
//! * `annot fails=E0201`, `annot warns=W0301`: exactly these codes are found.
//! * `annot results`: on each line an expression and, after `//`, its value.
//! * `… file=NAME`: the block is a file beside the specifications of its page.
//! * `console`: commands with what they print; only the tour has them.

use std::path::Path;

use crate::support::repository;

/// A fenced block.
pub struct Fence {
    /// The document, from the repository's folder on.
    pub page: String,
    /// The line of the fence.
    pub line: usize,
    /// The first word after the fence.
    pub language: String,
    /// What follows it, as keys with values; a key alone has an empty one.
    pub options: Vec<(String, String)>,
    /// The lines between the fences.
    pub text: String,
}

impl Fence {
    /// The value of an option.
    pub fn option(&self, key: &str) -> Option<&str> {
        self.options.iter().find(|(own, _)| own == key).map(|(_, value)| value.as_str())
    }

    /// Where it stands, for a message.
    pub fn place(&self) -> String {
        format!("{}:{}", self.page, self.line)
    }
}

/// The documents below these folders, in order of name.
pub fn pages(folders: &[&str]) -> Vec<String> {
    let mut pages = Vec::new();
    for folder in folders {
        visit(&repository().join(folder), folder, &mut pages);
    }
    pages.sort();
    pages
}

fn visit(folder: &Path, name: &str, pages: &mut Vec<String>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let inside = format!("{name}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            visit(&entry.path(), &inside, pages);
        } else if inside.ends_with(".md") {
            pages.push(inside);
        }
    }
}

/// The fenced blocks of a document.
pub fn fences(page: &str) -> Vec<Fence> {
    let text = std::fs::read_to_string(repository().join(page)).unwrap_or_else(|error| panic!("{page}: {error}"));
    let mut fences: Vec<Fence> = Vec::new();
    let mut open: Option<Fence> = None;
    for (at, line) in text.lines().enumerate() {
        match (open.take(), line.strip_prefix("```")) {
            (Some(fence), Some(_)) => fences.push(fence),
            (Some(mut fence), None) => {
                fence.text += line;
                fence.text.push('\n');
                open = Some(fence);
            }
            (None, Some(info)) => open = Some(opened(page, at + 1, info)),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{page}: a fence is not closed");
    fences
}

fn opened(page: &str, line: usize, info: &str) -> Fence {
    let mut words = info.split_whitespace();
    let language = words.next().unwrap_or_default().to_owned();
    let options = words
        .map(|word| word.split_once('=').unwrap_or((word, "")))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    Fence { page: page.to_owned(), line, language, options, text: String::new() }
}
