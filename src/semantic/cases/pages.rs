//! Each code has a page, and its examples do what it says.

use std::path::Path;

use super::{all_shown, check};
use crate::diagnostics::{Code, has_errors};

/// Codes that only a build finds: their page has no example that a check could run.
const FOUND_BY_A_BUILD: [&str; 0] = [];

const SECTIONS: [&str; 4] = ["## What it means", "## Why it matters", "## Fails", "## Mended"];

#[test]
fn every_code_has_a_page_that_is_true() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/diagnostics");
    let mut wrong = String::new();
    for code in Code::ALL {
        let Ok(page) = std::fs::read_to_string(folder.join(format!("{}.md", code.id()))) else {
            wrong += &format!("{}: no page\n", code.id());
            continue;
        };
        if let Err(reason) = check_page(*code, &page) {
            wrong += &format!("{}: {reason}\n", code.id());
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

fn check_page(code: Code, page: &str) -> Result<(), String> {
    if !page.starts_with(&format!("# {} {}\n", code.id(), code.name())) {
        return Err("the heading is not its code and name".to_owned());
    }
    if FOUND_BY_A_BUILD.contains(&code.id()) {
        return Ok(());
    }
    let parts: Vec<&str> =
        SECTIONS.iter().filter_map(|section| page.split_once(section)).map(|(_, rest)| rest).collect();
    let [.., fails, mended] = parts.as_slice() else { return Err("a section is missing".to_owned()) };
    let fails = example(fails).ok_or("no example that fails")?;
    let mended = example(mended).ok_or("no mended example")?;
    let checked = check(&fails);
    let mut found = checked.found.iter().chain(&checked.refused);
    if !found.any(|found| found.code == code) {
        return Err(format!("the example does not fail so:\n{}", all_shown(&checked, &checked.found)));
    }
    let checked = check(&mended);
    if has_errors(&checked.found) || !checked.refused.is_empty() || checked.found.iter().any(|found| found.code == code)
    {
        let all = all_shown(&checked, &checked.found) + &all_shown(&checked, &checked.refused);
        return Err(format!("the mended example is wrong:\n{all}"));
    }
    Ok(())
}

/// The first fenced example of a text.
fn example(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("```annot\n")?;
    Some(rest.split_once("```")?.0.to_owned())
}
