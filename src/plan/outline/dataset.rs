//! The steps of a data set: its sources, its rules in their order of effect, its split, what must hold of it and its outputs.

use super::{Kept, Node, NodeKind, Outline, Pass};
use crate::hir::{
    ColumnId, Dataset, DatasetId, Expr, Keep, LabelSchema, LabelValues, Output, Personal, Program, SplitRule, Step,
    StepBlock, StepKind,
};
use crate::plan::personal::personal_before;
use crate::plan::template_fields;

/// Adds the steps of a data set, and gives the index of its split, which runs and evaluations read from.
pub(super) fn add(outline: &mut Outline, program: &Program, id: DatasetId) -> usize {
    let dataset = &program[id];
    let view = View { program, dataset };
    let mut last: Vec<usize> = dataset.sources.iter().map(|source| outline.push(view.source(*source))).collect();
    for at in 0..dataset.steps.len() {
        // What a writer asks of a record belongs to the writer.
        if !matches!(dataset.steps[at].kind, StepKind::Pair { .. }) {
            last = vec![follow(outline, &last, view.step(at))];
        }
    }
    let split = follow(outline, &last, view.split());
    let mut end = split;
    for requirement in &dataset.requirements {
        let reads = requirement.per.map(|column| view.name(column)).into_iter().collect();
        let node = view.node(NodeKind::Require, requirement.rule.clone(), requirement.span, reads);
        end = follow(outline, &[end], Node { passes: vec![Pass::Between], ..node });
    }
    for output in &dataset.outputs {
        follow(outline, &[end], view.output(output));
    }
    split
}

fn follow(outline: &mut Outline, before: &[usize], node: Node) -> usize {
    let index = outline.push(node);
    before.iter().for_each(|from| outline.connect(*from, index));
    index
}

/// The columns that say which of several records stays.
fn asked(keep: &Keep) -> Vec<ColumnId> {
    let mut columns = Vec::new();
    if let Keep::Best(by) = keep {
        by.visit_columns(&mut |column| columns.push(column));
    }
    columns
}

struct View<'p> {
    program: &'p Program,
    dataset: &'p Dataset,
}

impl View<'_> {
    fn name(&self, column: ColumnId) -> String {
        self.dataset.columns[column.0 as usize].name.clone()
    }

    fn names(&self, columns: impl IntoIterator<Item = ColumnId>) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for column in columns {
            let name = self.name(column);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    fn read_by<'e>(&self, exprs: impl IntoIterator<Item = &'e Expr>) -> Vec<String> {
        let mut columns = Vec::new();
        exprs.into_iter().for_each(|expr| expr.visit_columns(&mut |column| columns.push(column)));
        self.names(columns)
    }

    /// A step behind all rules.
    fn node(&self, kind: NodeKind, rule: String, span: crate::source::Span, reads: Vec<String>) -> Node {
        Node {
            kind,
            target: self.dataset.name.clone(),
            block: None,
            rule,
            statement: None,
            span,
            reads,
            writes: Vec::new(),
            personal: self.personal(self.dataset.steps.len()),
            passes: Vec::new(),
            kept: Kept::Nothing,
            note: None,
        }
    }

    /// The fields that may hold personal data before a step. What a policy allows to stay counts too, with the word `allowed`
    /// behind all rules.
    fn personal(&self, step: usize) -> Vec<String> {
        let columns = personal_before(self.program, self.dataset, step);
        let named = columns.iter().zip(&self.dataset.columns).enumerate().filter_map(|(at, (personal, column))| {
            let kinds = match personal.as_ref()? {
                Personal::Any => String::new(),
                Personal::Kinds(kinds) => format!(" ({})", kinds.join(", ")),
            };
            let said = self.dataset.personal.iter().any(|said| said.column.0 as usize == at && said.because.is_some());
            let allowed = if said && step == self.dataset.steps.len() { ", allowed" } else { "" };
            Some(format!("{}{kinds}{allowed}", column.name))
        });
        named.collect()
    }

    fn source(&self, id: crate::hir::SourceId) -> Node {
        let source = &self.program[id];
        let personal = source.fields.iter().filter_map(|field| match field.personal.as_ref()? {
            Personal::Any => Some(field.name.clone()),
            Personal::Kinds(kinds) => Some(format!("{} ({})", field.name, kinds.join(", "))),
        });
        Node {
            personal: personal.collect(),
            writes: source.fields.iter().map(|field| field.name.clone()).collect(),
            passes: vec![Pass::Survey, Pass::First, Pass::Second],
            ..self.node(
                NodeKind::Source,
                format!("{}: {}", source.name, source.paths.join(", ")),
                source.span,
                Vec::new(),
            )
        }
    }

    fn step(&self, at: usize) -> Node {
        let step = &self.dataset.steps[at];
        let (kind, reads, writes) = self.flow(step);
        let block = match step.block {
            StepBlock::Clean => {
                let pack = step.pack.as_ref().map(|from| format!(", pack {}", from.pack)).unwrap_or_default();
                Some(format!("clean {}{pack}", step.block_name))
            }
            StepBlock::Policy => Some(format!("policy {}", step.block_name)),
            StepBlock::Label | StepBlock::Write | StepBlock::Dataset => None,
        };
        let (passes, kept) = self.runs(at);
        let personal = self.personal(at + 1);
        let node = self.node(kind, step.rule.clone(), step.span, reads);
        let statement = step.pack.as_ref().map(|from| from.statement.clone());
        let note = match &step.kind {
            StepKind::DedupNear { scheme, .. } => Some(scheme.to_string()),
            _ => None,
        };
        Node { block, statement, writes, passes, kept, personal, note, ..node }
    }

    fn flow(&self, step: &Step) -> (NodeKind, Vec<String>, Vec<String>) {
        match &step.kind {
            StepKind::Set { column, value } => (NodeKind::Set, self.read_by([value]), vec![self.name(*column)]),
            StepKind::Drop { condition } => (NodeKind::Drop, self.read_by([condition]), Vec::new()),
            StepKind::DedupExact { columns, keep } => {
                (NodeKind::Dedup, self.names(columns.iter().copied().chain(asked(keep))), Vec::new())
            }
            StepKind::DedupNear { column, keep, .. } => {
                (NodeKind::Dedup, self.names([*column].into_iter().chain(asked(keep))), Vec::new())
            }
            StepKind::DedupPieces { column, .. } => {
                (NodeKind::Dedup, vec![self.name(*column)], vec![self.name(*column)])
            }
            StepKind::Decontaminate { column, .. } => (NodeKind::Decontaminate, vec![self.name(*column)], Vec::new()),
            StepKind::Sample { taken, .. } => (NodeKind::Sample, self.names(taken.by()), Vec::new()),
            StepKind::Label { column, value, form, constraints, drop_when, .. } => {
                let mut reads = self.read_by(std::iter::once(value).chain(constraints).chain(drop_when));
                let over = form.over().map(|over| self.name(over));
                reads.extend(over.filter(|over| !reads.contains(over)));
                (NodeKind::Label, reads, vec![self.name(*column)])
            }
            StepKind::Redact { columns, .. } => {
                let names = self.names(columns.iter().copied());
                (NodeKind::Redact, names.clone(), names)
            }
            StepKind::Forbid { condition, .. } => (NodeKind::Forbid, self.read_by([condition]), Vec::new()),
            StepKind::Pair { output } => {
                (NodeKind::Output, self.output_reads(&self.dataset.outputs[*output]), Vec::new())
            }
        }
    }

    /// When a step runs, and what of it is kept: a text never outlives its pass, a verdict, key or label value does.
    fn runs(&self, at: usize) -> (Vec<Pass>, Kept) {
        match &self.dataset.steps[at].kind {
            StepKind::Set { .. } => (vec![Pass::First, Pass::Second], Kept::Nothing),
            StepKind::Redact { columns, .. } if self.is_asked_later(at, columns) => {
                (vec![Pass::First, Pass::Second], Kept::Nothing)
            }
            StepKind::Redact { .. } => (vec![Pass::Second], Kept::Nothing),
            StepKind::Drop { .. } | StepKind::Forbid { .. } => (vec![Pass::First], Kept::ToTheEnd),
            StepKind::DedupExact { .. } => (vec![Pass::First, Pass::Between], Kept::ToTheEnd),
            StepKind::DedupNear { .. } => (vec![Pass::Compare, Pass::Between], Kept::ToTheEnd),
            StepKind::DedupPieces { .. } => (vec![Pass::Compare, Pass::First, Pass::Second], Kept::ToTheEnd),
            StepKind::Decontaminate { .. } => (vec![Pass::Compare, Pass::First], Kept::ToTheEnd),
            StepKind::Sample { .. } => (vec![Pass::Between], Kept::ToTheEnd),
            StepKind::Label { label, .. } => {
                let found = matches!(self.program[*label].schema, LabelSchema::Choice(LabelValues::Found { .. }));
                let mut passes = vec![Pass::First, Pass::Second];
                if found {
                    passes.insert(1, Pass::Between);
                }
                (passes, Kept::ToTheEnd)
            }
            StepKind::Pair { .. } => (vec![Pass::Compare, Pass::Between], Kept::ToTheEnd),
        }
    }

    /// Whether a later rule decides by one of these columns.
    fn is_asked_later(&self, at: usize, columns: &[ColumnId]) -> bool {
        let asks = |step: &Step| {
            let mut asked = false;
            if let StepKind::Forbid { condition, .. } = &step.kind {
                condition.visit_columns(&mut |column| asked |= columns.contains(&column));
            }
            asked
        };
        // Spans of a text that a redaction changes are held against it in the first pass.
        let is_marked = self.dataset.steps[..at].iter().any(|step| match &step.kind {
            StepKind::Label { form, .. } => form.over().is_some_and(|over| columns.contains(&over)),
            _ => false,
        });
        is_marked
            || self.dataset.steps[at + 1..].iter().any(asks)
            || self.dataset.requirements.iter().any(|one| one.per.is_some_and(|column| columns.contains(&column)))
    }

    fn split(&self) -> Node {
        let split = &self.dataset.split;
        let near = split.near();
        let reads: Vec<ColumnId> = match &split.rule {
            SplitRule::AllTrain => Vec::new(),
            SplitRule::ByField(column) => vec![*column],
            SplitRule::Shares { by, stratify, time, .. } => {
                by.iter().chain(stratify).copied().chain(time.as_ref().map(|time| time.column)).collect()
            }
        };
        let compared = near.map(|(column, _)| column);
        let groups = (0..).zip(&self.dataset.columns).filter(|(_, column)| column.group).map(|(at, _)| ColumnId(at));
        let reads = self.names(compared.into_iter().chain(reads).chain(groups));
        let mut passes = vec![Pass::Between];
        if near.is_some() {
            passes.insert(0, Pass::Compare);
        }
        let rule = format!("split {}", split.parts.join(", "));
        let note = near.map(|(_, scheme)| scheme.to_string());
        Node { note, passes, kept: Kept::ToTheEnd, ..self.node(NodeKind::Split, rule, self.dataset.span, reads) }
    }

    fn output_reads(&self, output: &Output) -> Vec<String> {
        match output.template {
            Some(template) => {
                let mut names = Vec::new();
                for name in template_fields(&self.program[template].kind) {
                    if !names.contains(&name) {
                        names.push(name);
                    }
                }
                names
            }
            None => self.dataset.columns.iter().filter(|column| !column.hidden).map(|one| one.name.clone()).collect(),
        }
    }

    fn output(&self, output: &Output) -> Node {
        let template = output.template.map(|id| format!(" from {}", self.program[id].name)).unwrap_or_default();
        let format = crate::emit::formats::row(output.format).name;
        let renamed = if output.name == format { String::new() } else { format!(" as {}", output.name) };
        let reads = self.output_reads(output);
        let all = self.personal(self.dataset.steps.len());
        let is_read = |name: &String| reads.iter().any(|read| name.split([' ', ',']).next() == Some(read.as_str()));
        let node =
            self.node(NodeKind::Output, format!("write {format}{template}{renamed}"), output.span, reads.clone());
        let mut passes = vec![Pass::Second];
        let position = self.dataset.outputs.iter().position(|one| std::ptr::eq(one, output));
        let asks = |step: &Step| matches!(step.kind, StepKind::Pair { output } if Some(output) == position);
        if self.dataset.steps.iter().any(asks) {
            passes.insert(0, Pass::Compare);
        }
        Node { passes, kept: Kept::BetweenBuilds, personal: all.into_iter().filter(is_read).collect(), ..node }
    }
}
