//! What a manifest says of what a build found.

use super::{
    CertificateEntry, CutEntry, Manifest, NearEntry, SourceEntry, SourceFileEntry, SplitEntry, StepEntry, TimesEntry,
    duties,
};
use crate::emit::file::Digest;
use crate::emit::named::Named;
use crate::engine::{Outcome, PartTimes, SourceUse, StepOutcome, StepOutcomeKind, moment_text};
use crate::hir::{self, StepBlock, StepKind};

impl Manifest {
    /// What a build found, without the files that it wrote.
    pub fn new(program: &hir::Program, dataset: &hir::Dataset, outcome: &Outcome) -> Self {
        Self {
            dataset: dataset.name.clone(),
            license: dataset.license.clone(),
            purpose: dataset.terms.iter().flat_map(|terms| &terms.purposes).map(|one| one.word().to_owned()).collect(),
            attribution: duties::attribution(program, dataset),
            sources: sources(program, dataset, outcome),
            steps: outcome.steps.iter().map(|step| step_entry(dataset, step)).collect(),
            splits: splits(outcome),
            certificate: CertificateEntry {
                by: outcome.certificate.by.clone(),
                method: outcome.certificate.method.clone(),
                shared_keys: outcome.certificate.shared_keys,
                near_pairs: outcome.certificate.near_pairs,
                near: dataset.split.near().map(|(_, scheme)| NearEntry::of(&scheme)),
                times: times(outcome),
            },
            personal: duties::personal(dataset, outcome),
            ..Self::default()
        }
    }
}

fn sources(program: &hir::Program, dataset: &hir::Dataset, outcome: &Outcome) -> Vec<SourceEntry> {
    let origin = |name: &str| {
        let mut declared = dataset.sources.iter().map(|&id| &program[id]);
        declared.find(|source| source.name == name).and_then(|source| source.origin.clone())
    };
    let entry = |source: &crate::engine::SourceOutcome| SourceEntry {
        name: source.name.clone(),
        files: source
            .files
            .iter()
            .map(|file| SourceFileEntry {
                path: file.path.clone(),
                digest: Digest { blake3: file.blake3.clone(), bytes: file.bytes },
                records: file.records,
            })
            .collect(),
        license: source.license.clone(),
        origin: origin(&source.name),
        used: match source.used {
            SourceUse::Records => None,
            SourceUse::Evaluated => Some("decontaminate".to_owned()),
        },
    };
    outcome.sources.iter().map(entry).collect()
}

fn times(outcome: &Outcome) -> Named<TimesEntry> {
    let entry = |part: &PartTimes| {
        let times = TimesEntry { first: moment_text(part.first), last: moment_text(part.last) };
        (part.part.clone(), times)
    };
    outcome.certificate.times.iter().map(entry).collect()
}

fn step_entry(dataset: &hir::Dataset, step: &StepOutcome) -> StepEntry {
    let name = match step.kind {
        StepOutcomeKind::Read => "read".to_owned(),
        StepOutcomeKind::Split => "split".to_owned(),
        StepOutcomeKind::Step(at) => {
            let step = &dataset.steps[at];
            let block = match step.block {
                StepBlock::Clean => "clean",
                StepBlock::Label => "label",
                StepBlock::Policy => "policy",
                StepBlock::Write => "write",
                StepBlock::Dataset => "dataset",
            };
            format!("{block} {}", step.block_name)
        }
    };
    StepEntry {
        step: name,
        rule: step.rule.clone(),
        records_in: step.records_in,
        records_out: step.records_out,
        dropped: step.dropped,
        changed: step.changed,
        quarantined: step.quarantined,
        near: match step.kind {
            StepOutcomeKind::Step(at) => match &dataset.steps[at].kind {
                StepKind::DedupNear { scheme, .. } => Some(NearEntry::of(scheme)),
                _ => None,
            },
            StepOutcomeKind::Read | StepOutcomeKind::Split => None,
        },
        cut: step.cut.map(|cut| CutEntry { places: cut.places, bytes: cut.bytes }),
    }
}

fn splits(outcome: &Outcome) -> Named<SplitEntry> {
    let counts = |part: &crate::engine::PartOutcome| {
        let labels = outcome.labels.iter().zip(&part.labels);
        labels
            .map(|(label, counts)| {
                let counts = label.values.iter().cloned().zip(counts.iter().copied()).collect();
                (label.name.clone(), counts)
            })
            .collect()
    };
    let of_several = outcome.labels.iter().filter(|label| label.several);
    let several: Vec<String> = of_several.map(|label| label.name.clone()).collect();
    let entry = |part: &crate::engine::PartOutcome| SplitEntry {
        records: part.records,
        copies: part.copies,
        labels: counts(part),
        several: several.clone(),
    };
    outcome.parts.iter().map(|part| (part.name.clone(), entry(part))).collect()
}
