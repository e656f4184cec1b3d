//! The data card: `README.md` with the front matter by which Hugging Face `datasets` loads the folder, then what a reader
//! must know: where the records come from, what every step did, what is in the parts, and what was done about personal
//! data. Names and texts of the spec and the data are escaped: none can change the card's shape.

mod front;
mod markdown;

use std::fmt::Write;

use super::formats;
use super::manifest::{Manifest, OutputEntry, PersonalEntry};
use super::statistics::Statistics;
use crate::hir::{self, LabelSchema, LabelValue};
use crate::statistics::Measured;
pub(crate) use markdown::count;
use markdown::{plain, table};

/// Values of a label that the card lists; the manifest has them all.
const VALUES: usize = 200;

/// The card of a data set whose manifest has its outputs.
pub fn card(program: &hir::Program, dataset: &hir::Dataset, manifest: &Manifest, statistics: &Statistics) -> String {
    let mut text = front::front_matter(manifest);
    section(&mut text, "#", &plain(&manifest.dataset));
    if let Some(doc) = &dataset.doc {
        paragraph(&mut text, &plain(doc));
    }
    contents(&mut text, manifest);
    loading(&mut text, manifest);
    sources(&mut text, program, dataset, manifest);
    steps(&mut text, manifest);
    labels(&mut text, program, manifest);
    scalars(&mut text, program, dataset, statistics);
    lengths(&mut text, statistics);
    splits(&mut text, manifest);
    personal(&mut text, manifest);
    section(&mut text, "##", "What stands beside the data");
    paragraph(
        &mut text,
        "`report.html` shows the figures of this card and more in any browser. `manifest.json` holds them with the BLAKE3 hash \
         of each file, `statistics.json` what was measured of the records, `audit/records.parquet` what became of each record \
         and which rule decided, `quarantine.jsonl` the records that could not be read or labelled, with their place and the \
         reason. None of them holds a text of a record that is or was personal.",
    );
    text
}

fn section(text: &mut String, level: &str, title: &str) {
    write!(text, "\n{level} {title}\n\n").expect("a string takes every write");
}

fn paragraph(text: &mut String, words: &str) {
    writeln!(text, "{words}").expect("a string takes every write");
}

fn head(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn contents(text: &mut String, manifest: &Manifest) {
    section(text, "##", "Contents");
    let mut names = head(&["Output", "Format"]);
    names.extend(manifest.splits.iter().map(|(part, _)| plain(part)));
    let mut seen: Vec<&str> = Vec::new();
    let mut rows = Vec::new();
    for file in &manifest.outputs {
        if seen.contains(&file.output.as_str()) {
            continue;
        }
        seen.push(&file.output);
        let format = formats::named(&file.format).map_or(String::new(), |format| {
            if format.templated {
                format!("{}: `{}`", format.name, format.row)
            } else {
                format!("{}: {}", format.name, format.row)
            }
        });
        let mut row = vec![plain(&file.output), format];
        row.extend(manifest.outputs.iter().filter(|other| other.output == file.output).map(|file| count(file.records)));
        rows.push(row);
    }
    table(text, &names, 2, rows);
}

fn loading(text: &mut String, manifest: &Manifest) {
    let (configs, others) = front::outputs(manifest);
    if configs.is_empty() {
        return;
    }
    section(text, "##", "Loading");
    let quoted = |name: &str| serde_json::to_string(name).expect("a name is valid JSON");
    let mut code = "from datasets import load_dataset\n\nfolder = \"path/to/this/folder\"\n".to_owned();
    for front::Loadable { output, .. } in configs {
        let config = quoted(&front::config_name(output));
        writeln!(code, "parts = load_dataset(folder, {config})").expect("a string takes every write");
    }
    for front::Loadable { columnar, files, .. } in others {
        let reader = if columnar { "parquet" } else { "json" };
        let file = |file: &&OutputEntry| {
            format!("{}: folder + {}", quoted(&front::split_name(&file.part)), quoted(&format!("/{}", file.path)))
        };
        let files = files.iter().map(file).collect::<Vec<_>>().join(", ");
        writeln!(code, "parts = load_dataset(\"{reader}\", data_files={{{files}}})")
            .expect("a string takes every write");
    }
    paragraph(text, &format!("```python\n{code}```"));
}

fn sources(text: &mut String, program: &hir::Program, dataset: &hir::Dataset, manifest: &Manifest) {
    section(text, "##", "Sources");
    let rows = manifest.sources.iter().filter(|source| source.used.is_none()).map(|source| {
        let doc = dataset.sources.iter().map(|&id| &program[id]).find(|declared| declared.name == source.name);
        let or_dash = |words: Option<&str>| words.map_or("–".to_owned(), plain);
        vec![
            plain(&source.name),
            or_dash(doc.and_then(|declared| declared.doc.as_deref())),
            or_dash(source.license.as_deref()),
            or_dash(source.origin.as_deref()),
            count(source.files.len() as u64),
            count(source.files.iter().map(|file| file.records).sum()),
        ]
    });
    table(text, &head(&["Source", "What", "Licence", "Origin", "Files", "Rows"]), 4, rows);
    match &manifest.license {
        Some(license) => paragraph(text, &format!("\nThe licence of the whole: {}.", plain(license))),
        None => paragraph(text, "\nNo source states a licence."),
    }
    if manifest.purpose.is_empty() {
        return;
    }
    paragraph(text, &format!("\nIts purpose: {}.", plain(&manifest.purpose.join(", "))));
    if !manifest.attribution.is_empty() {
        paragraph(text, "\nWho passes the records on has to do this:\n");
    }
    for entry in &manifest.attribution {
        let (source, license, duty) = (plain(&entry.source), plain(&entry.license), plain(&entry.duty));
        paragraph(text, &format!("- {source}, under {license}: {duty}"));
    }
}

fn steps(text: &mut String, manifest: &Manifest) {
    section(text, "##", "How it was made");
    let rows = manifest.steps.iter().map(|step| {
        let mut row = vec![plain(&step.step), plain(&step.rule)];
        row.extend([step.records_in, step.dropped, step.quarantined, step.changed, step.records_out].map(count));
        row
    });
    table(text, &head(&["Step", "Rule", "In", "Dropped", "Quarantined", "Changed", "Out"]), 2, rows);
}

fn labels(text: &mut String, program: &hir::Program, manifest: &Manifest) {
    let Some((_, first)) = manifest.splits.iter().next() else { return };
    if first.labels.is_empty() {
        return;
    }
    text.push_str("\n## Labels\n");
    for (name, values) in first.labels.iter() {
        let declared = program.labels.iter().find(|label| label.name == *name);
        section(text, "###", &plain(name));
        if let Some(doc) = declared.and_then(|label| label.doc.as_deref()) {
            paragraph(text, &format!("{}\n", plain(doc)));
        }
        let listed = declared.and_then(|label| label.schema.listed()).unwrap_or_default();
        let mut names = head(&["Value", "Meaning"]);
        names.extend(manifest.splits.iter().map(|(part, _)| plain(part)));
        let rows = values.iter().take(VALUES).map(|(value, _)| {
            let mut row = vec![plain(value), meaning(listed.iter().find(|listed| listed.name == *value))];
            row.extend(manifest.splits.iter().map(|(_, part)| {
                let records = part.labels.get(name).and_then(|values| values.get(value)).copied().unwrap_or(0);
                if part.records == 0 {
                    return "–".to_owned();
                }
                format!("{} ({:.1} %)", count(records), records as f64 * 100.0 / part.records as f64)
            }));
            row
        });
        table(text, &names, 2, rows);
        if values.0.len() > VALUES {
            let more = count((values.0.len() - VALUES) as u64);
            paragraph(text, &format!("\n{more} more values stand in `manifest.json`."));
        }
    }
}

/// How the labels lie that are numbers or truth values.
fn scalars(text: &mut String, program: &hir::Program, dataset: &hir::Dataset, statistics: &Statistics) {
    for column in &dataset.columns {
        let Some(LabelSchema::Scalar(_)) = column.label.map(|label| &program[label].schema) else { continue };
        let declared = column.label.map(|label| &program[label]);
        section(text, "###", &plain(&column.name));
        if let Some(doc) = declared.and_then(|label| label.doc.as_deref()) {
            paragraph(text, &format!("{}\n", plain(doc)));
        }
        let parts = statistics.parts.iter();
        let of_parts = parts.filter_map(|(part, measured)| Some((part, measured.columns.get(&column.name)?)));
        let (mut numbers, mut flags) = (Vec::new(), Vec::new());
        for (part, measured) in of_parts {
            match measured {
                Measured::Numbers { numbers: of_part, .. } => {
                    let number = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value}"));
                    let (least, most) = of_part.range().unzip();
                    let figures = [number(least), number(of_part.median()), number(most)];
                    let row = [plain(part), count(of_part.count())].into_iter().chain(figures);
                    numbers.push(row.collect::<Vec<_>>());
                }
                Measured::Values { values, .. } => {
                    let of = |value: &str| values.counts()?.find(|(own, _)| *own == value).map(|(_, count)| count);
                    let row = [plain(part), count(of("true").unwrap_or(0)), count(of("false").unwrap_or(0))];
                    flags.push(row.to_vec());
                }
                Measured::Text { .. } | Measured::Items { .. } | Measured::Presence { .. } => {}
            }
        }
        if !numbers.is_empty() {
            table(text, &head(&["Part", "Records", "Least", "Median", "Most"]), 1, numbers);
        } else if !flags.is_empty() {
            table(text, &head(&["Part", "True", "False"]), 1, flags);
        } else {
            paragraph(text, "Its values are not counted: they may be personal.");
        }
    }
}

/// How long the texts are.
fn lengths(text: &mut String, statistics: &Statistics) {
    let mut rows = Vec::new();
    for (part, measured) in statistics.parts.iter() {
        for (name, column) in measured.columns.iter() {
            let Measured::Text { words, .. } = column else { continue };
            let Some((least, most)) = words.range() else { continue };
            let middle = [50, 95].map(|percent| words.percentile(percent).unwrap_or(most));
            let figures = [least, middle[0], middle[1], most].map(count);
            rows.push([plain(name), plain(part)].into_iter().chain(figures).collect());
        }
    }
    if !rows.is_empty() {
        section(text, "##", "Lengths in words");
        table(text, &head(&["Field", "Part", "Least", "Median", "95 % up to", "Most"]), 2, rows);
    }
}

/// A value's title, where it says more than its name, and its guideline.
fn meaning(value: Option<&LabelValue>) -> String {
    let Some(value) = value else { return "–".to_owned() };
    let title = Some(value.title.as_str()).filter(|title| *title != value.name);
    let words: Vec<&str> = title.into_iter().chain(value.guideline.as_deref()).collect();
    if words.is_empty() { "–".to_owned() } else { plain(&words.join(": ")) }
}

fn splits(text: &mut String, manifest: &Manifest) {
    section(text, "##", "Parts");
    let certificate = &manifest.certificate;
    paragraph(
        text,
        &format!(
            "Units that are never split apart: {}. {} Units found in more than one part: {}.",
            plain(&certificate.by),
            sentence(&certificate.method),
            count(certificate.shared_keys),
        ),
    );
    if let Some(pairs) = certificate.near_pairs {
        paragraph(text, &format!("Near-duplicate pairs across parts: {}.", count(pairs)));
    }
}

/// Words with one full stop after them and a capital before.
fn sentence(words: &str) -> String {
    let words = words.trim().trim_end_matches('.');
    let mut letters = words.chars();
    let first: String = letters.next().map(|letter| letter.to_uppercase().collect()).unwrap_or_default();
    if words.is_empty() { String::new() } else { format!("{}.", plain(&format!("{first}{}", letters.as_str()))) }
}

fn personal(text: &mut String, manifest: &Manifest) {
    section(text, "##", "Personal data");
    if manifest.personal.is_empty() {
        paragraph(text, "No field of the sources is declared to hold personal data.");
    }
    for PersonalEntry { field, kinds, found, because } in &manifest.personal {
        let field = plain(field);
        let words = match because {
            Some(reason) if kinds.is_empty() => {
                format!("may hold personal data, and stays as it is: {}", plain(reason))
            }
            Some(reason) => format!("may hold {}, and stays as it is: {}", plain(&kinds.join(", ")), plain(reason)),
            None => {
                let found: Vec<String> =
                    found.iter().map(|(kind, places)| format!("{} ({})", plain(kind), count(*places))).collect();
                format!("was searched, and what was found is replaced (places): {}", found.join(", "))
            }
        };
        paragraph(text, &format!("- {field} {words}"));
    }
    if manifest.personal.iter().any(|entry| entry.because.is_none()) {
        paragraph(
            text,
            "\nDetectors miss what they do not know, names of people among it: the text is not anonymous by this alone.",
        );
    }
}
