//! `annotc plan`: what a build would do, as text or as a graph, before any data is read.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::json;

use super::Failure;
use super::build::inputs::Roots;
use super::build::targets::Targets;
use super::context::Spec;
use super::models::{self, Purpose};
use super::out::{Files, Out};
use super::terminal::{Paint, Terminal};
use crate::emit::{Manifest, file_name};
use crate::hir::{Dataset, Program};
use crate::plan::outline::{Node, NodeKind, Outline, outline, to_dot, to_mermaid};
use crate::syntax::one_line;

/// Options of `annotc plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// The specification
    #[arg(value_name = "SPEC")]
    spec: PathBuf,
    /// Data sets and training runs, with what they stand on [default: all]
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    /// Draw it: as Mermaid for Markdown pages, or as DOT for Graphviz
    #[arg(long, value_name = "LANGUAGE")]
    graph: Option<Graph>,
    /// The folder that was built into, or its address in an object store [default: build/ beside the spec]
    #[arg(long, value_name = "DIR")]
    out: Option<Out>,
    /// Where relative paths are looked for after the spec's own folder
    #[arg(long, value_name = "DIR", env = "ANNOTC_DATA")]
    data_root: Option<PathBuf>,
    /// The folder that a fetched onnxruntime lies in: its version is part of what a model measures [default: the user's
    /// cache folder]
    #[arg(long, value_name = "DIR", env = "ANNOTC_CACHE")]
    cache: Option<PathBuf>,
}

/// The languages of pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Graph {
    /// Mermaid's flowchart
    Mermaid,
    /// Graphviz's DOT
    Dot,
}

/// Prints the plan. What a build would refuse is no part of it and is reported.
pub fn run(args: &PlanArgs, terminal: &Terminal) -> Result<(), Failure> {
    let (mut spec, targets) = Targets::load(&args.spec, &args.targets, terminal)?;
    let roots = Roots { spec: spec.folder(), data: args.data_root.clone() };
    // A plan needs no model: without it a data set that measures with it is said to be made anew.
    let runtime = models::library_at_hand(&mut spec.program, &targets.datasets, args.cache.as_deref());
    let _ = models::provide(&mut spec.program, &targets.datasets, &roots, Purpose::Tell(runtime.as_ref()));
    let program = &spec.program;
    let plan = outline(program, &targets.datasets, &targets.trains, &targets.evaluates);
    match args.graph {
        Some(Graph::Mermaid) => terminal.answer(to_mermaid(&plan).trim_end()),
        Some(Graph::Dot) => terminal.answer(to_dot(&plan).trim_end()),
        None => {
            let out = args.out.clone().unwrap_or_else(|| Out::Folder(spec.out()));
            let reached = out.reach(Files::Figures, args.cache.as_deref(), terminal)?;
            let states: Vec<(String, State)> = targets
                .datasets
                .iter()
                .map(|id| (program[*id].name.clone(), state(program, &program[*id], reached.folder())))
                .collect();
            if terminal.json() {
                answer_json(&plan, &spec, &states, terminal)
            } else {
                answer_text(&plan, &spec, &states, terminal)
            }
        }
    }
    Ok(())
}

/// Whether a build would keep a data set that was built before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing was built.
    NotBuilt,
    /// The rules are not those that it was built by.
    Changed,
    /// The rules are the same: it is kept unless a file has changed, which a build finds out by reading it.
    Same,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::NotBuilt => "not built",
            Self::Changed => "changed",
            Self::Same => "same",
        }
    }

    fn told(self) -> &'static str {
        match self {
            Self::NotBuilt => "not built yet",
            Self::Changed => "built by other rules: all of it is made anew",
            Self::Same => "built by these rules: kept as it is, unless a file of its sources has changed",
        }
    }
}

/// Compares what was built with what would be, with the files as they were then: no data is read.
pub fn state(program: &Program, dataset: &Dataset, out: &Path) -> State {
    let folder = out.join(file_name(&dataset.name));
    let Ok(Some(manifest)) = Manifest::read(&folder) else { return State::NotBuilt };
    if manifest.is_made_by(program, dataset) { State::Same } else { State::Changed }
}

fn answer_json(plan: &Outline, spec: &Spec, states: &[(String, State)], terminal: &Terminal) {
    let steps: Vec<_> = plan
        .nodes
        .iter()
        .map(|node| {
            let passes: Vec<&str> = node.passes.iter().map(|pass| pass.word()).collect();
            let mut step = json!({
                "kind": node.kind.word(), "target": node.target, "block": node.block, "rule": node.rule,
                "path": spec.sources.path(node.span.file), "line": spec.sources.line(node.span),
                "reads": node.reads, "writes": node.writes, "personal": node.personal,
                "passes": passes, "kept": node.kept.words(), "note": node.note,
            });
            if let Some(statement) = &node.statement {
                step["statement"] = json!(statement);
            }
            step
        })
        .collect();
    let edges: Vec<_> =
        plan.edges.iter().map(|edge| json!({ "from": edge.from, "to": edge.to, "personal": edge.personal })).collect();
    let datasets: Vec<_> = states.iter().map(|(name, state)| json!({ "name": name, "state": state.word() })).collect();
    terminal.answer(json!({ "schema": "annotc.plan/1", "datasets": datasets, "steps": steps, "edges": edges }));
}

/// The columns of the text: where, what, when, which fields, what may be personal behind it.
const HEADS: [&str; 5] = ["line", "step", "runs in", "fields", "may be personal after it"];

fn answer_text(plan: &Outline, spec: &Spec, states: &[(String, State)], terminal: &Terminal) {
    let rows: Vec<[String; 5]> = plan.nodes.iter().map(|node| cells(node, spec)).collect();
    let widths: [usize; 5] = std::array::from_fn(|at| {
        rows.iter().map(|row| width(&row[at])).chain([width(HEADS[at])]).max().unwrap_or_default()
    });
    let mut group = String::new();
    let mut block: Option<&str> = None;
    for (node, row) in plan.nodes.iter().zip(&rows) {
        let here = heading(node);
        if here != group {
            if !group.is_empty() {
                terminal.answer("");
            }
            terminal.answer(terminal.paint_answer(Paint::Bold, &here));
            if let Some((_, state)) = states.iter().find(|(name, _)| is_of_dataset(node) && *name == node.target) {
                terminal.answer(terminal.paint_answer(Paint::Dim, &format!("  {}", state.told())));
            }
            if is_of_dataset(node) {
                terminal.answer(terminal.paint_answer(Paint::Dim, &line(&HEADS.map(str::to_owned), &widths)));
            }
            group = here;
            block = None;
        }
        if node.block.as_deref() != block {
            block = node.block.as_deref();
            if let Some(block) = block {
                terminal.answer(format_args!("  {block}"));
            }
        }
        let text = line(row, &widths);
        terminal.answer(if node.personal.is_empty() { text } else { terminal.paint_answer(Paint::Yellow, &text) });
        if let Some(note) = &node.note {
            let indent = " ".repeat(widths[0] + if node.block.is_some() { 8 } else { 6 });
            terminal.answer(terminal.paint_answer(Paint::Dim, &format!("{indent}{note}")));
        }
    }
    terminal.answer("");
    terminal.answer(terminal.paint_answer(
        Paint::Dim,
        "Kept between builds: what is written, the weights, the figures. Kept between the passes of a build: verdicts,\n\
         keys and label values, never texts; `set` and `redact` are computed anew in each pass that needs them.",
    ));
}

fn is_of_dataset(node: &Node) -> bool {
    !matches!(node.kind, NodeKind::Model | NodeKind::Train | NodeKind::Evaluate)
}

fn heading(node: &Node) -> String {
    match node.kind {
        NodeKind::Model => format!("model {}", node.target),
        NodeKind::Train => format!("train {}", node.target),
        NodeKind::Evaluate => format!("evaluate {}", node.target),
        _ => format!("dataset {}", node.target),
    }
}

fn cells(node: &Node, spec: &Spec) -> [String; 5] {
    let place = match node.kind {
        // A split that is not written has no line of its own.
        NodeKind::Split => String::new(),
        _ => spec.sources.line(node.span).to_string(),
    };
    let step = match node.kind {
        NodeKind::Source => format!("read {}", node.rule),
        NodeKind::Set
        | NodeKind::Drop
        | NodeKind::Dedup
        | NodeKind::Decontaminate
        | NodeKind::Label
        | NodeKind::Redact
        | NodeKind::Forbid
        | NodeKind::Sample => {
            let written = || one_line(spec.sources.text(node.span));
            shortened(&node.statement.clone().unwrap_or_else(written))
        }
        NodeKind::Split
        | NodeKind::Require
        | NodeKind::Output
        | NodeKind::Model
        | NodeKind::Train
        | NodeKind::Evaluate => node.rule.clone(),
    };
    let passes: Vec<&str> = node.passes.iter().map(|pass| pass.word()).collect();
    let fields = match (node.reads.join(", "), node.writes.join(", ")) {
        (reads, writes) if writes.is_empty() => reads,
        (reads, writes) if reads.is_empty() => format!("→ {writes}"),
        (reads, writes) => format!("{reads} → {writes}"),
    };
    let indent = if node.block.is_some() { "  " } else { "" };
    [place, format!("{indent}{step}"), passes.join(", "), fields, node.personal.join("; ")]
}

/// A statement, cut where it is long.
fn shortened(line: &str) -> String {
    match line.char_indices().nth(64) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// One line of the table; a cell that is wider than its column pushes the rest.
fn line(cells: &[String; 5], widths: &[usize; 5]) -> String {
    let padding = |at: usize| " ".repeat(widths[at].saturating_sub(width(&cells[at])));
    let first = format!("  {}{}", padding(0), cells[0]);
    let rest: String = (1..5).map(|at| format!("  {}{}", cells[at], padding(at))).collect();
    (first + &rest).trim_end().to_owned()
}
