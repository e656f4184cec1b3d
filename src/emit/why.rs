//! Why a data set would be made again: its manifest held against what would be made now.

use std::collections::BTreeMap;

use super::manifest::Manifest;
use crate::engine::SourceOutcome;
use crate::plan::normal::Parts;

/// What changed since a data set was made, a reason for each change; none where nothing did.
pub fn why_made_again(manifest: &Manifest, now: &Parts, sources: &[SourceOutcome]) -> Vec<String> {
    let was = &manifest.declared;
    if was.annotc != now.annotc {
        return vec![format!("it was made by annotc {}, this is {}", was.annotc, now.annotc)];
    }
    let mut reasons = changed_files(manifest, sources);
    reasons.extend(other_versions(&was.functions, &now.functions));
    reasons.extend(other_versions(&was.detectors, &now.detectors));
    reasons.extend(other_parts(was, now));
    reasons
}

fn changed_files(manifest: &Manifest, sources: &[SourceOutcome]) -> Vec<String> {
    let files = |manifest: &Manifest| -> BTreeMap<(String, String), String> {
        let of = manifest.sources.iter().flat_map(|source| {
            source.files.iter().map(|file| ((source.name.clone(), file.path.clone()), file.digest.blake3.clone()))
        });
        of.collect()
    };
    let was = files(manifest);
    let mut reasons = Vec::new();
    let mut now = Vec::new();
    for (source, file) in sources.iter().flat_map(|source| source.files.iter().map(move |file| (&source.name, file))) {
        let key = (source.clone(), file.path.clone());
        match was.get(&key) {
            None => reasons.push(format!("{}: it was not read then", file.path)),
            Some(blake3) if *blake3 != file.blake3 => reasons.push(format!("{}: its content changed", file.path)),
            Some(_) => {}
        }
        now.push(key);
    }
    reasons.extend(
        was.keys().filter(|key| !now.contains(key)).map(|(_, path)| format!("{path}: it is not read any more")),
    );
    reasons
}

fn other_versions(was: &BTreeMap<String, u32>, now: &BTreeMap<String, u32>) -> Vec<String> {
    let changed = now.iter().filter_map(|(name, version)| {
        let before = was.get(name).filter(|before| *before != version)?;
        Some(format!("`{name}` has version {version} now and had version {before}"))
    });
    changed.collect()
}

/// The parts that are new, gone, other or in another order.
fn other_parts(was: &Parts, now: &Parts) -> Vec<String> {
    let mut left: Vec<_> = was.parts.iter().collect();
    let mut fresh = Vec::new();
    for part in &now.parts {
        match left.iter().position(|known| *known == part) {
            Some(same) => {
                left.remove(same);
            }
            None => fresh.push(part),
        }
    }
    let mut reasons = Vec::new();
    for part in fresh {
        match left.iter().position(|known| known.part == part.part) {
            Some(before) => {
                left.remove(before);
                reasons.push(format!("{}: it changed", part.part));
            }
            None => reasons.push(format!("{}: it is new", part.part)),
        }
    }
    reasons.extend(left.into_iter().map(|part| format!("{}: it is gone", part.part)));
    if reasons.is_empty() && was.parts != now.parts {
        reasons.push("the order of its rules changed".to_owned());
    }
    reasons
}
