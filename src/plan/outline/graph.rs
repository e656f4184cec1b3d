//! An outline as the text of a picture: Mermaid for Markdown pages, DOT for Graphviz. Fields that may hold personal data are
//! named on thick edges; steps that clear them are drawn apart.

use std::fmt::Write;

use super::{Node, NodeKind, Outline};

/// The outline in Mermaid's flowchart language.
pub fn to_mermaid(outline: &Outline) -> String {
    let mut out = String::from("flowchart TD\n");
    for (group, target) in groups(outline).iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "  subgraph g{group}[\"{}\"]", mermaid_text(target));
        for (index, node) in outline.nodes.iter().enumerate().filter(|(_, node)| group_of(node) == *target) {
            let (open, close) = match node.kind {
                NodeKind::Source | NodeKind::Model => ("[(\"", "\")]"),
                NodeKind::Output | NodeKind::Evaluate => ("([\"", "\"])"),
                NodeKind::Drop
                | NodeKind::Dedup
                | NodeKind::Decontaminate
                | NodeKind::Forbid
                | NodeKind::Require
                | NodeKind::Sample => ("{{\"", "\"}}"),
                NodeKind::Set | NodeKind::Label | NodeKind::Redact | NodeKind::Split | NodeKind::Train => {
                    ("[\"", "\"]")
                }
            };
            let _ = writeln!(out, "    n{index}{open}{}{close}", mermaid_text(&title(node)));
        }
        out.push_str("  end\n");
    }
    for edge in &outline.edges {
        if edge.personal.is_empty() {
            let _ = writeln!(out, "  n{} --> n{}", edge.from, edge.to);
        } else {
            let fields = mermaid_text(&edge.personal.join(", "));
            let _ = writeln!(out, "  n{} ==>|\"{fields}\"| n{}", edge.from, edge.to);
        }
    }
    out.push_str("  classDef personal stroke:#b45309,stroke-width:3px\n");
    let personal: Vec<String> = numbered(outline, |node| !node.personal.is_empty());
    if !personal.is_empty() {
        let _ = writeln!(out, "  class {} personal", personal.join(","));
    }
    out
}

/// The outline in Graphviz's language.
pub fn to_dot(outline: &Outline) -> String {
    let mut out = String::from("digraph plan {\n  rankdir=TB;\n  node [shape=box, fontname=\"sans-serif\"];\n");
    for (group, target) in groups(outline).iter().enumerate() {
        let _ = writeln!(out, "  subgraph cluster_{group} {{\n    label=\"{}\";", dot_text(target));
        for (index, node) in outline.nodes.iter().enumerate().filter(|(_, node)| group_of(node) == *target) {
            let shape = match node.kind {
                NodeKind::Source | NodeKind::Model => "cylinder",
                NodeKind::Output | NodeKind::Evaluate => "note",
                NodeKind::Drop
                | NodeKind::Dedup
                | NodeKind::Decontaminate
                | NodeKind::Forbid
                | NodeKind::Require
                | NodeKind::Sample => "hexagon",
                NodeKind::Set | NodeKind::Label | NodeKind::Redact | NodeKind::Split | NodeKind::Train => "box",
            };
            let color = if node.personal.is_empty() { "" } else { ", color=\"#b45309\", penwidth=3" };
            let _ = writeln!(out, "    n{index} [label=\"{}\", shape={shape}{color}];", dot_text(&title(node)));
        }
        out.push_str("  }\n");
    }
    for edge in &outline.edges {
        let label = match edge.personal.as_slice() {
            [] => String::new(),
            fields => format!(" [label=\"{}\", color=\"#b45309\", penwidth=3]", dot_text(&fields.join(", "))),
        };
        let _ = writeln!(out, "  n{} -> n{}{label};", edge.from, edge.to);
    }
    out.push_str("}\n");
    out
}

/// What a picture says of a step: what it is, and what it reads and gives.
fn title(node: &Node) -> String {
    let named = [NodeKind::Drop, NodeKind::Forbid, NodeKind::Source, NodeKind::Model, NodeKind::Train];
    let word = if named.contains(&node.kind) { format!("{} ", node.kind.word()) } else { String::new() };
    let passes: Vec<&str> = node.passes.iter().map(|pass| pass.word()).collect();
    format!("{word}{}\n{}", node.rule, passes.join(", "))
}

fn numbered(outline: &Outline, is_one: impl Fn(&Node) -> bool) -> Vec<String> {
    let nodes = outline.nodes.iter().enumerate();
    nodes.filter(|(_, node)| is_one(node)).map(|(index, _)| format!("n{index}")).collect()
}

/// The boxes around steps: one for each data set, run and model, in order.
fn groups(outline: &Outline) -> Vec<String> {
    let mut groups: Vec<String> = Vec::new();
    for node in &outline.nodes {
        let group = group_of(node);
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    groups
}

fn group_of(node: &Node) -> String {
    match node.kind {
        NodeKind::Model => format!("model {}", node.target),
        NodeKind::Train => format!("train {}", node.target),
        NodeKind::Evaluate => format!("evaluate {}", node.target),
        NodeKind::Source
        | NodeKind::Set
        | NodeKind::Drop
        | NodeKind::Dedup
        | NodeKind::Decontaminate
        | NodeKind::Sample
        | NodeKind::Label
        | NodeKind::Redact
        | NodeKind::Forbid
        | NodeKind::Split
        | NodeKind::Require
        | NodeKind::Output => format!("dataset {}", node.target),
    }
}

/// A text of a spec between quotes: Mermaid would read its signs as markup, so all but letters, digits and a few signs stand
/// as numbers.
fn mermaid_text(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\n' => out.push_str("<br>"),
            c if c.is_alphanumeric()
                || matches!(c, ' ' | '_' | '.' | ',' | ':' | '/' | '-' | '(' | ')' | '@' | '%') =>
            {
                out.push(c);
            }
            c => {
                let _ = write!(out, "#{};", c as u32);
            }
        }
    }
    out
}

/// A text of a spec between quotes in DOT, where a backslash begins an escape.
fn dot_text(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
