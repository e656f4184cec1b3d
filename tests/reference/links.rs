//! A link in the documents leads to a file that is there.

use regex::Regex;

use super::fences::pages;
use crate::support::repository;

#[test]
fn every_link_of_the_documents_leads_somewhere() {
    let link = Regex::new(r"\]\(([^)#\s]+)(#[^)\s]*)?\)").expect("the pattern is right");
    let mut dead = Vec::new();
    let mut seen = 0;
    for page in pages(&["docs"]) {
        let text = std::fs::read_to_string(repository().join(&page)).expect("the page is there");
        let folder = page.rsplit_once('/').map_or("", |(folder, _)| folder);
        for found in link.captures_iter(&text) {
            let target = &found[1];
            if target.contains("://") {
                continue;
            }
            seen += 1;
            let path = format!("{folder}/{target}");
            if !repository().join(&path).exists() {
                dead.push(format!("{page}: {target}"));
            }
        }
    }
    assert!(dead.is_empty(), "{}", dead.join("\n"));
    assert!(seen > 100, "the documents have {seen} links");
}
