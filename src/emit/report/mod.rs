//! `report.html`: what a data set or a run is, on one page for people. The page stands by itself: no file, no script and no
//! address is needed to read it. It holds no time, no path of this machine and nothing personal, so that the same data set
//! has the same page.

mod certificate;
mod chart;
mod duplicates;
mod evaluation;
mod files;
mod funnel;
mod html;
mod labels;
mod lengths;
mod parts;
mod personal;
mod provenance;
mod quarantine;
mod run;
mod taken;
#[cfg(test)]
mod tests;
mod training;

use std::fs;
use std::path::Path;

use super::error::EmitError;
use super::file::write_atomically;
use super::manifest::Manifest;
use super::runs::RunFiles;
use super::staging::REPORT;
use super::statistics::Statistics;
use html::{Element, document, element, style};
use parts::{Section, count, figures};

/// The page of a data set, with those runs that are given. Without statistics it says what the manifest knows.
pub fn page(manifest: &Manifest, statistics: Option<&Statistics>, runs: &[RunFiles]) -> String {
    let nothing = Statistics::default();
    let known = statistics.unwrap_or(&nothing);
    let sections = [
        Some(funnel::section(manifest)),
        taken::section(known),
        labels::section(manifest),
        lengths::section(known),
        personal::section(manifest),
        duplicates::section(known),
        Some(certificate::section(manifest)),
        quarantine::section(manifest, known),
    ];
    let of_runs = runs.iter().flat_map(|run| [training::section(run), evaluation::section(run)]);
    let last = [provenance::section(manifest), files::section(manifest)];
    let sections = sections.into_iter().chain(of_runs).flatten().chain(last).collect();
    let header = element("header")
        .child(element("p").class("over").text("Data set"))
        .child(element("h1").text(&manifest.dataset))
        .children(known.description.iter().map(|words| element("p").class("lead").text(words)))
        .child(great_figures(manifest, known));
    whole(&manifest.dataset, header, sections)
}

/// Writes the page of a run into its folder, unless it says the same already.
///
/// # Errors
/// Files that cannot be read or written.
pub fn write_run_report(folder: &Path) -> Result<(), EmitError> {
    let Some(run) = RunFiles::read(folder)? else { return Ok(()) };
    let (path, text) = (folder.join(REPORT), run_page(&run));
    if fs::read(&path).is_ok_and(|old| old == text.as_bytes()) {
        return Ok(());
    }
    write_atomically(&path, text.as_bytes())
}

/// The page of a run: its curves and its figures.
pub fn run_page(run: &RunFiles) -> String {
    let sections = [training::section(run), evaluation::section(run), Some(run::section(run))];
    let header = element("header")
        .child(element("p").class("over").text("Training run"))
        .child(element("h1").text(&run.name))
        .child(run::great_figures(run));
    whole(&run.name, header, sections.into_iter().flatten().collect())
}

fn great_figures(manifest: &Manifest, statistics: &Statistics) -> Element {
    let emitted: u64 = manifest.splits.iter().map(|(_, part)| part.records).sum();
    let read = manifest.steps.first().map_or(0, |step| step.records_in);
    let sum = |of: fn(&super::manifest::StepEntry) -> u64| manifest.steps.iter().map(of).sum::<u64>();
    let mut shown = vec![
        ("records written".to_owned(), count(emitted)),
        ("rows read".to_owned(), count(read)),
        ("dropped by a rule".to_owned(), count(sum(|step| step.dropped))),
        ("in the quarantine".to_owned(), count(sum(|step| step.quarantined))),
    ];
    let repeats: u64 = statistics.duplicates.iter().map(|found| found.repeats).sum();
    if repeats > 0 {
        shown.push(("dropped as duplicates".to_owned(), count(repeats)));
    }
    let replaced: u64 = manifest.personal.iter().flat_map(|entry| entry.found.iter()).map(|(_, places)| places).sum();
    if manifest.personal.iter().any(|entry| entry.because.is_none()) {
        shown.push(("places of personal data replaced".to_owned(), count(replaced)));
    }
    figures(shown)
}

fn whole(title: &str, header: Element, sections: Vec<Section>) -> String {
    let link = |section: &Section| {
        element("li").child(element("a").with("href", format_args!("#{}", section.id)).text(section.title))
    };
    let links = element("ul").children(sections.iter().map(link));
    let nav = element("nav").with("aria-label", "Sections").child(links);
    let head = element("head")
        .child(element("meta").with("charset", "utf-8"))
        .child(element("meta").with("name", "viewport").with("content", "width=device-width, initial-scale=1"))
        .child(element("meta").with("name", "generator").with("content", "annotc"))
        .child(element("title").text(format_args!("{title} · report")))
        .child(style(include_str!("style.css")));
    let footer = element("footer").text(
        "Written by annotc from the files beside this page. It holds ids and places of records, and of their texts only \
         what the spec does not declare personal. annotc trace ID prints the life of one record.",
    );
    let main =
        element("main").child(header.child(nav)).children(sections.into_iter().map(Section::element)).child(footer);
    document(&element("html").with("lang", "en").child(head).child(element("body").child(main)))
}
