//! The card's front matter, by which `load_dataset` finds the files.

use serde::Serialize;

use crate::emit::formats;
use crate::emit::manifest::{Manifest, OutputEntry};

#[derive(Serialize)]
struct FrontMatter<'a> {
    pretty_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    license: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    license_name: Option<String>,
    size_categories: [&'static str; 1],
    tags: [&'static str; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    configs: Vec<Config<'a>>,
}

#[derive(Serialize)]
struct Config<'a> {
    config_name: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    default: bool,
    data_files: Vec<DataFile<'a>>,
}

#[derive(Serialize)]
struct DataFile<'a> {
    split: String,
    path: &'a str,
}

/// The block between the `---` lines, with them.
pub(crate) fn front_matter(manifest: &Manifest) -> String {
    let records = manifest.splits.iter().map(|(_, part)| part.records).sum();
    let (license, license_name) = match &manifest.license {
        None => (None, None),
        Some(spdx) => match hub_license(spdx) {
            Some(name) => (Some(name), None),
            None => (Some("other".to_owned()), Some(spdx.clone())),
        },
    };
    let front = FrontMatter {
        pretty_name: &manifest.dataset,
        license,
        license_name,
        size_categories: [size_category(records)],
        tags: ["annotc"],
        configs: configs(manifest),
    };
    let yaml = serde_yaml::to_string(&front).expect("texts and lists are valid YAML");
    format!("---\n{yaml}---\n")
}

/// The name of the config that loads an output.
pub(crate) fn config_name(output: &str) -> String {
    output
        .chars()
        .map(|character| if character.is_alphanumeric() || "_-".contains(character) { character } else { '_' })
        .collect()
}

/// The name by which a part is loaded: letters, digits and `_`.
pub(crate) fn split_name(part: &str) -> String {
    part.chars().map(|character| if character.is_alphanumeric() { character } else { '_' }).collect()
}

/// An output with its files that have records: loaders guess no columns from an empty file.
#[derive(Debug)]
pub(crate) struct Loadable<'a> {
    /// Its name.
    pub(crate) output: &'a str,
    /// Whether its files hold typed columns.
    pub(crate) columnar: bool,
    /// A file for each part.
    pub(crate) files: Vec<&'a OutputEntry>,
}

/// The outputs in order: those that the folder is loaded as, then the others. All configs of a folder are read by the one
/// reader that fits the first, so lines of JSON and typed columns cannot both be among them.
pub(crate) fn outputs(manifest: &Manifest) -> (Vec<Loadable<'_>>, Vec<Loadable<'_>>) {
    let mut outputs: Vec<Loadable<'_>> = Vec::new();
    for file in manifest.outputs.iter().filter(|file| file.records > 0) {
        match outputs.iter_mut().find(|loadable| loadable.output == file.output) {
            Some(loadable) => loadable.files.push(file),
            None => outputs.push(Loadable {
                output: &file.output,
                columnar: formats::named(&file.format).is_some_and(|format| format.columnar),
                files: vec![file],
            }),
        }
    }
    let first = outputs.first().is_some_and(|loadable| loadable.columnar);
    outputs.into_iter().partition(|loadable| loadable.columnar == first)
}

fn configs(manifest: &Manifest) -> Vec<Config<'_>> {
    let configs = outputs(manifest).0.into_iter().enumerate();
    configs
        .map(|(at, loadable)| Config {
            config_name: config_name(loadable.output),
            default: at == 0,
            data_files: loadable
                .files
                .into_iter()
                .map(|file| DataFile { split: split_name(&file.part), path: &file.path })
                .collect(),
        })
        .collect()
}

fn size_category(records: u64) -> &'static str {
    match records {
        0..1_000 => "n<1K",
        1_000..10_000 => "1K<n<10K",
        10_000..100_000 => "10K<n<100K",
        100_000..1_000_000 => "100K<n<1M",
        1_000_000..10_000_000 => "1M<n<10M",
        10_000_000..100_000_000 => "10M<n<100M",
        100_000_000..1_000_000_000 => "100M<n<1B",
        _ => "n>1B",
    }
}

/// The hub's own name of a licence, where it has one: its list is that of SPDX in lower case, of these.
fn hub_license(spdx: &str) -> Option<String> {
    const NAMES: &str = "afl-3.0 agpl-3.0 apache-2.0 apple-amlr artistic-2.0 bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear \
        bsl-1.0 c-uda cc cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc- \
        by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cc-by-nd-4.0 cc-by- \
        sa-3.0 cc-by-sa-4.0 cc0-1.0 cdla-permissive-1.0 cdla-permissive-2.0 cdla-sharing-1.0 ecl-2.0 epl-1.0 \
        epl-2.0 etalab-2.0 gpl-2.0 gpl-3.0 isc lgpl-2.1 lgpl-3.0 mit mpl-2.0 odbl pddl unlicense zlib";
    let name = spdx.to_lowercase();
    let name = match name.as_str() {
        "odbl-1.0" => "odbl",
        "pddl-1.0" => "pddl",
        "gpl-2.0-only" | "gpl-2.0-or-later" => "gpl-2.0",
        "gpl-3.0-only" | "gpl-3.0-or-later" => "gpl-3.0",
        "agpl-3.0-only" | "agpl-3.0-or-later" => "agpl-3.0",
        "lgpl-3.0-only" | "lgpl-3.0-or-later" => "lgpl-3.0",
        other => other,
    };
    NAMES.split(' ').any(|known| known == name).then(|| name.to_owned())
}
