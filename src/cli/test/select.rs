//! Which tests a command line means.

use super::super::Failure;
use super::super::terminal::Terminal;
use super::full_name;
use crate::diagnostics::closest;
use crate::hir::Test;

/// The tests whose name contains one of the filters, all without one. A filter that meets no test is an error.
pub fn tests<'t>(tests: &'t [Test], filters: &[String], terminal: &Terminal) -> Result<Vec<&'t Test>, Failure> {
    let meets = |test: &Test, filter: &String| full_name(&test.target, &test.title).contains(filter.as_str());
    for filter in filters {
        if !tests.iter().any(|test| meets(test, filter)) {
            terminal.error(format_args!("no test is named with `{filter}`"), Some(&help(tests, filter)));
            return Err(Failure::Usage);
        }
    }
    Ok(tests.iter().filter(|test| filters.is_empty() || filters.iter().any(|filter| meets(test, filter))).collect())
}

/// The closest block or title, else the blocks that have tests.
fn help(tests: &[Test], filter: &str) -> String {
    let mut names: Vec<String> = Vec::new();
    for test in tests {
        names.extend([test.target.clone(), test.title.clone(), full_name(&test.target, &test.title)]);
    }
    if let Some(name) = closest(filter, names.iter().map(String::as_str)) {
        return format!("did you mean `{name}`?");
    }
    let mut blocks: Vec<&str> = Vec::new();
    for test in tests {
        if !blocks.contains(&test.target.as_str()) {
            blocks.push(&test.target);
        }
    }
    match blocks.as_slice() {
        [] => "the specification holds no test".to_owned(),
        blocks => format!("there are tests of `{}`; `--list` prints them all", blocks.join("`, `")),
    }
}
