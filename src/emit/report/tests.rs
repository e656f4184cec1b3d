//! Pages are well formed and stand by themselves, whatever the names in them are.

use serde_json::json;

use super::super::manifest::{
    AttributionEntry, CertificateEntry, FileEntry, Manifest, OutputEntry, PersonalEntry, SourceEntry, SourceFileEntry,
    SplitEntry, StepEntry,
};
use super::super::statistics::{ClusterEntry, DuplicatesEntry, ErrorEntry, PartStatistics, SampleEntry, TakenEntry};
use super::super::{Digest, Named};
use super::*;
use crate::emit::runs::Metric;
use crate::statistics::{Histogram, Measured, Numbers, Values};

/// A name that would end an element, an attribute, a script and a comment, and turn a line around.
const HOSTILE: &str = "</td></style><script src=\"http://x.example\">alert('1')</script><!-- & \u{202e}\" onload='x";

/// The attributes of a page: none of them fetches or runs anything but `href`, which only leads to a place of the page.
const ATTRIBUTES: [&str; 30] = [
    "aria-hidden",
    "aria-label",
    "aria-labelledby",
    "charset",
    "class",
    "content",
    "cx",
    "cy",
    "height",
    "href",
    "id",
    "lang",
    "name",
    "open",
    "points",
    "preserveAspectRatio",
    "r",
    "role",
    "scope",
    "tabindex",
    "text-anchor",
    "title",
    "viewBox",
    "width",
    "x",
    "x1",
    "x2",
    "y",
    "y1",
    "y2",
];

/// Fails unless each end tag ends the element that was begun last, and nothing is fetched or run.
#[track_caller]
fn check(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = page.strip_prefix("<!doctype html>\n").expect("a document type");
    while let Some(at) = rest.find('<') {
        assert!(!rest[..at].contains('>') || open.last() == Some(&"style"), "a `>` outside a tag: {:?}", &rest[..at]);
        let end = at + rest[at..].find('>').expect("a tag ends");
        let tag = &rest[at + 1..end];
        let name = tag.trim_start_matches('/').split(' ').next().expect("a name");
        assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric()), "`{tag}` is no tag");
        // Outside the quotes stand the names of attributes alone.
        let quoted: Vec<&str> = tag.split('"').collect();
        assert_eq!(quoted.len() % 2, 1, "`{tag}` has half an attribute");
        let names = quoted.iter().step_by(2).flat_map(|names| names.split(' ').filter(|name| name.ends_with('=')));
        names.for_each(|name| assert!(ATTRIBUTES.contains(&name.trim_end_matches('=')), "`{tag}` has `{name}`"));
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "`{tag}`");
        } else if !["meta", "wbr"].contains(&name) {
            open.push(name);
        }
        rest = &rest[end + 1..];
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "{open:?} {rest:?}");
    for foreign in ["<script", "<iframe", "<img", "<link", "@import", "url(", "javascript:"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    let links = page.match_indices("href=\"").map(|(at, _)| &page[at + 6..]);
    links.for_each(|link| assert!(link.starts_with('#'), "{}", &link[..20]));
    assert!(!page.contains("NaN") && !page.contains("inf\""), "a figure that is none");
    assert!(!page.contains('\u{202e}'));
}

/// A manifest and statistics in which all names are this one.
fn data_set(name: &str, values: usize, records: u64) -> (Manifest, Statistics) {
    let own = || name.to_owned();
    let digest = || Digest { blake3: "0".repeat(64), bytes: records };
    let labels: Named<u64> = (0..values).map(|at| (format!("{name}{at}"), records)).collect();
    let step = |rule: String, dropped| StepEntry {
        step: own(),
        rule,
        records_in: records,
        records_out: records - dropped,
        dropped,
        changed: records,
        quarantined: 0,
        near: None,
        cut: None,
    };
    let manifest = Manifest {
        dataset: own(),
        license: Some(own()),
        purpose: vec![own()],
        attribution: vec![AttributionEntry { source: own(), license: own(), duty: own() }],
        sources: vec![SourceEntry {
            name: own(),
            files: vec![SourceFileEntry { path: own(), digest: digest(), records }],
            license: Some(own()),
            origin: Some(own()),
            used: None,
        }],
        steps: vec![step(own(), 0), step(format!("{name}2"), records.min(1))],
        splits: ["train", name]
            .map(|part| {
                let labels = Named(vec![(own(), labels.clone())]);
                (part.to_owned(), SplitEntry { records, copies: 0, labels, several: Vec::new() })
            })
            .into_iter()
            .collect(),
        certificate: CertificateEntry {
            by: own(),
            method: own(),
            shared_keys: records,
            near_pairs: Some(0),
            ..CertificateEntry::default()
        },
        personal: vec![
            PersonalEntry { field: own(), kinds: vec![own()], found: Named(vec![(own(), records)]), because: None },
            PersonalEntry { field: own(), kinds: Vec::new(), found: Named::default(), because: Some(own()) },
        ],
        outputs: vec![OutputEntry {
            path: own(),
            output: own(),
            format: own(),
            part: own(),
            digest: digest(),
            records,
        }],
        files: vec![FileEntry { path: own(), digest: digest() }],
        ..Manifest::default()
    };
    (manifest, statistics(name, records))
}

fn statistics(name: &str, records: u64) -> Statistics {
    let own = || name.to_owned();
    let sample = || SampleEntry {
        id: own(),
        source: own(),
        file: own(),
        line: 7,
        duplicate_of: Some(own()),
        text: Named(vec![(own(), own())]),
    };
    let (mut lengths, mut numbers, mut values) = (Histogram::default(), Numbers::default(), Values::default());
    for at in 0..records.min(300) {
        lengths.add(at * at);
        numbers.add(at as f64 - 20.5);
        values.add("a");
    }
    let columns = vec![
        (own(), Measured::Text { nulls: 1, chars: lengths.clone(), words: lengths.clone(), values: Values::untold() }),
        ("numbers".to_owned(), Measured::Numbers { nulls: 0, numbers }),
        ("few".to_owned(), Measured::Values { nulls: 0, values }),
        ("list".to_owned(), Measured::Items { nulls: 0, items: lengths.clone() }),
        ("object".to_owned(), Measured::Presence { nulls: 0 }),
    ];
    let part = || PartStatistics { records, columns: Named(columns.clone()) };
    Statistics {
        dataset: own(),
        description: Some(own()),
        parts: Named(vec![("train".to_owned(), part()), (own(), part())]),
        taken: vec![TakenEntry {
            step: own(),
            rule: own(),
            place: 3,
            dropped: records,
            quarantined: 1,
            withheld: vec![own()],
            samples: vec![sample(), sample()],
        }],
        errors: vec![ErrorEntry { error: own(), records, samples: vec![sample()] }],
        duplicates: vec![DuplicatesEntry {
            rule: own(),
            place: 3,
            clusters: records,
            repeats: records,
            sizes: lengths,
            largest: vec![ClusterEntry { id: own(), file: own(), line: 1, records }],
        }],
        ..Statistics::default()
    }
}

/// A run over so many values of a label.
fn run(name: &str, values: usize) -> RunFiles {
    let names: Vec<String> = (0..values).map(|at| format!("{name}{at}")).collect();
    let counts: Vec<Vec<usize>> = (0..values).map(|row| (0..values).map(|at| (row + at) % 3).collect()).collect();
    let metrics = (1..=500).map(|step| Metric {
        step,
        loss: 2.0 / step as f64,
        rate: 1e-3,
        validation_loss: (step % 100 == 0).then_some(0.4),
    });
    let figures = json!({
        "records": 10, "predicted": 9,
        "metrics": { "accuracy": 0.5, "f1": { "macro": 0.4, "values": { (name): 0.3 } } },
        "confusion": { "values": names, "counts": counts, "no_prediction": vec![1; values] },
        "slices": [{ "by": name, "key": name, "records": 3, "metrics": { "accuracy": null } }],
        "gates": [{ "require": name, "measured": 0.2, "met": false }],
    });
    let mut lengths = Histogram::default();
    (5..90).for_each(|length| lengths.add(length));
    RunFiles {
        name: name.to_owned(),
        dataset: name.to_owned(),
        provenance: json!({
            "data": { "records": 10, "tokens": { "train": lengths } },
            "settings": { "steps": 500, "length": 64, "task": name },
        }),
        metrics: metrics.collect(),
        evaluations: vec![(name.to_owned(), figures)],
    }
}

#[test]
fn a_page_is_well_formed_and_fetches_nothing() {
    for name in ["shop", HOSTILE, "", &"long_name".repeat(40)] {
        for (values, records) in [(0, 0), (1, 1), (7, 12), (77, u64::MAX / 200)] {
            let (manifest, statistics) = data_set(name, values, records);
            let run = run(name, values);
            let page = page(&manifest, Some(&statistics), std::slice::from_ref(&run));
            check(&page);
            check(&run_page(&run));
        }
    }
    let empty = page(&Manifest::default(), None, &[]);
    check(&empty);
    assert!(empty.contains("The sources hold no rows."));
}

#[test]
fn a_page_says_what_was_found() {
    let (manifest, statistics) = data_set("shop", 77, 13_083);
    let page = page(&manifest, Some(&statistics), &[run("sorter", 77)]);
    for said in ["13,083", "77 values", "shop76", "The most frequent confusions", "✗ not met"] {
        assert!(page.contains(said), "{said}");
    }
    assert_eq!(page.matches("<title>shop · report</title>").count(), 1);
    // A table names its columns, and a section its heading.
    assert_eq!(page.matches("<table").count(), page.matches("<thead").count());
    assert_eq!(page.matches("<section").count(), page.matches("<h2 id=").count());
}
