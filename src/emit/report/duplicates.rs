//! What the deduplications found: clusters by their size, the largest by name.

use super::html::Element;
use super::parts::{Cell, Section, counted, heading, heads, id, paragraph, place, table};
use crate::emit::statistics::{ClusterEntry, DuplicatesEntry, Statistics};

pub(super) fn section(statistics: &Statistics) -> Option<Section> {
    if statistics.duplicates.is_empty() {
        return None;
    }
    let content = statistics.duplicates.iter().flat_map(of_rule).collect();
    Some(Section { id: "duplicates", title: "Duplicates", content })
}

fn of_rule(found: &DuplicatesEntry) -> Vec<Element> {
    let words = format!(
        "{} repeated by {}, which were dropped. A cluster is a record with all that repeat it.",
        if found.clusters == 1 {
            "1 record is".to_owned()
        } else {
            format!("{} are", counted(found.clusters, "record"))
        },
        if found.repeats == 1 {
            "1 other".to_owned()
        } else {
            format!("{} others", super::parts::count(found.repeats))
        },
    );
    let size = |(from, to, clusters): (u64, u64, u64)| {
        let size = if from == to { counted(from, "record") } else { format!("{from} to {}", counted(to, "record")) };
        vec![Cell::Text(size), Cell::count(clusters)]
    };
    let cluster = |cluster: &ClusterEntry| {
        let at = place(&cluster.file, cluster.line);
        vec![Cell::Node(id(&cluster.id)), Cell::Node(at), Cell::count(cluster.records)]
    };
    vec![
        heading(&found.rule),
        paragraph(words),
        table("Clusters by size", heads(&["Size"], &["Clusters"]), found.sizes.bins().map(size)),
        table(
            "The largest clusters, by the record that stays",
            heads(&["Record", "Where it was read"], &["Records"]),
            found.largest.iter().map(cluster),
        ),
    ]
}
