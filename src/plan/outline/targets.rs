//! Models, training runs and evaluations, and the data sets that they read.

use super::{Kept, Node, NodeKind, Outline, Pass};
use crate::hir::{DatasetId, Evaluate, ModelId, ModelOrigin, Program, Task, Train, TrainId};
use crate::plan::template_fields;

/// Adds runs with their models, and evaluations; `ends` has the split of each data set.
pub(super) fn add(
    outline: &mut Outline,
    program: &Program,
    ends: &[(DatasetId, usize)],
    trains: &[TrainId],
    evaluates: &[usize],
) {
    let split = |id: DatasetId| ends.iter().find(|(known, _)| *known == id).map(|(_, split)| *split);
    let mut models: Vec<(ModelId, usize)> = Vec::new();
    let mut runs: Vec<(TrainId, usize)> = Vec::new();
    for id in trains {
        let train = &program[*id];
        let known = models.iter().find(|(known, _)| *known == train.model).map(|(_, index)| *index);
        let model = known.unwrap_or_else(|| outline.push(model(program, train.model)));
        models.push((train.model, model));
        let run = outline.push(run(program, train));
        outline.connect(model, run);
        if let Some(split) = split(train.data) {
            outline.connect(split, run);
        }
        runs.push((*id, run));
    }
    for at in evaluates {
        let evaluate = &program.evaluates[*at];
        let node = outline.push(evaluation(program, evaluate));
        if let Some((_, run)) = runs.iter().find(|(id, _)| *id == evaluate.train) {
            outline.connect(*run, node);
        }
        if let Some(split) = split(evaluate.dataset) {
            outline.connect(split, node);
        }
    }
}

fn node(kind: NodeKind, target: &str, rule: String, span: crate::source::Span) -> Node {
    Node {
        kind,
        target: target.to_owned(),
        block: None,
        rule,
        statement: None,
        span,
        reads: Vec::new(),
        writes: Vec::new(),
        personal: Vec::new(),
        passes: Vec::new(),
        kept: Kept::Nothing,
        note: None,
    }
}

fn model(program: &Program, id: ModelId) -> Node {
    let model = &program[id];
    let rule = match &model.origin {
        ModelOrigin::Folder { path, .. } => format!("onnx {path}"),
        ModelOrigin::New(sizes) => format!("new encoder, {} layers of {}", sizes.layers, sizes.hidden),
    };
    Node { passes: vec![Pass::Training], ..node(NodeKind::Model, &model.name, rule, model.span) }
}

fn run(program: &Program, train: &Train) -> Node {
    let dataset = &program[train.data];
    let name = |column: crate::hir::ColumnId| dataset.columns[column.0 as usize].name.clone();
    let (rule, reads) = match &train.task {
        Task::Classify { label_column, text, .. } => {
            let (label, text) = (name(*label_column), name(*text));
            (format!("classify {label} from {text}, part train"), vec![text, label])
        }
        Task::Tag { label_column, text, .. } => {
            let (label, text) = (name(*label_column), name(*text));
            (format!("tag {label} in {text}, part train"), vec![text, label])
        }
        Task::Regress { label_column, text, .. } => {
            let (label, text) = (name(*label_column), name(*text));
            (format!("regress {label} from {text}, part train"), vec![text, label])
        }
        Task::Prefer { template, .. } | Task::Embed { template } | Task::Generate { template } => {
            let word = match &train.task {
                Task::Prefer { .. } => "prefer",
                Task::Embed { .. } => "embed",
                Task::Classify { .. } | Task::Regress { .. } | Task::Tag { .. } | Task::Generate { .. } => "generate",
            };
            let template = &program[*template];
            (format!("{word} from {}, part train", template.name), template_fields(&template.kind))
        }
    };
    let node = node(NodeKind::Train, &train.name, rule, train.span);
    Node { reads, passes: vec![Pass::Training], kept: Kept::BetweenBuilds, ..node }
}

fn evaluation(program: &Program, evaluate: &Evaluate) -> Node {
    let train = &program[evaluate.train];
    let mut rule = format!("on {}.{}", program[evaluate.dataset].name, evaluate.part);
    if evaluate.generation.is_some() {
        rule.push_str(", generates answers");
    }
    let node = node(NodeKind::Evaluate, &train.name, rule, evaluate.span);
    Node { passes: vec![Pass::Evaluation], kept: Kept::BetweenBuilds, ..node }
}
