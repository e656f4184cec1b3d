//! From a resolved training run to the plain settings of `train`.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::metrics::lower_metric;
use crate::emit::Manifest;
use crate::eval::Metric;
use crate::hir::{self, LabelSchema};
use crate::prompt::Template;
use crate::train::{
    Adafactor, AdamW, Decay, Every, Extent, Lion, Lora, MESSAGES_COLUMN, ModelSource, Optimizer, Overflow, Patience,
    Pooling, Precision, Schedule, Selection, Sgd, Stretch, Task, TrainRun, Tune, Width,
};

/// What of a run is known only on this machine.
pub struct Place<'a> {
    /// The data set's folder.
    pub data: &'a Path,
    /// The folder of the model to start from, where it has one.
    pub model: Option<&'a Path>,
    /// The folder to leave.
    pub output: &'a Path,
    /// Threads.
    pub threads: usize,
}

/// The name of the training table that a run reads: its own, since another run may need other columns.
pub fn table_name(train: &hir::Train) -> &str {
    &train.name
}

/// The Parquet file of one part of a run's table.
pub fn table_path(data: &Path, train: &hir::Train, part: &str) -> PathBuf {
    use crate::emit::file_name;
    data.join("training").join(file_name(table_name(train))).join(format!("{}.parquet", file_name(part)))
}

/// The settings of a run; `values` are those of the label that it classifies, in order.
pub fn lower_train(
    program: &hir::Program,
    train: &hir::Train,
    values: Vec<String>,
    place: &Place<'_>,
    provenance: Map<String, Value>,
) -> TrainRun {
    let dataset = &program[train.data];
    let column = |id: hir::ColumnId| dataset.columns[id.0 as usize].name.clone();
    let part = |name: &str| table_path(place.data, train, name);
    let model = match (&program[train.model].origin, place.model) {
        (hir::ModelOrigin::Folder { path, .. }, folder) => {
            ModelSource::Folder(folder.map_or_else(|| PathBuf::from(path), Path::to_path_buf))
        }
        (hir::ModelOrigin::New(sizes), _) => ModelSource::NewEncoder {
            layers: sizes.layers as usize,
            hidden: sizes.hidden as usize,
            heads: sizes.heads as usize,
            vocab: sizes.vocab as usize,
        },
    };
    let has_validation = dataset.split.parts.iter().any(|name| name == "validation");
    TrainRun {
        model,
        pooling: program[train.model].pooling.map(|pooling| match pooling {
            hir::Pooling::Mean => Pooling::Mean,
            hir::Pooling::Cls => Pooling::Cls,
        }),
        task: match &train.task {
            hir::Task::Classify { label, label_column, text } => {
                let (text, label_column) = (column(*text), column(*label_column));
                match program[*label].schema {
                    LabelSchema::Choices(_) => Task::Choose { text, label: label_column, values },
                    LabelSchema::Choice(_)
                    | LabelSchema::Spans(_)
                    | LabelSchema::Scalar(_)
                    | LabelSchema::Declared(_) => Task::Classify { text, label: label_column, values },
                }
            }
            hir::Task::Tag { label_column, text, .. } => {
                Task::Tag { text: column(*text), label: column(*label_column), kinds: values }
            }
            hir::Task::Regress { label_column, text, .. } => {
                Task::Regress { text: column(*text), label: column(*label_column) }
            }
            hir::Task::Prefer { beta, .. } => Task::Prefer { messages: MESSAGES_COLUMN.to_string(), beta: *beta },
            hir::Task::Embed { .. } => Task::Embed { messages: MESSAGES_COLUMN.to_string() },
            hir::Task::Generate { .. } => Task::Generate { messages: MESSAGES_COLUMN.to_string() },
        },
        answers: answer_label(program, train).map(column),
        train: part("train"),
        validation: has_validation.then(|| part("validation")),
        extent: match (train.epochs, train.steps) {
            (Some(epochs), _) => Extent::Epochs(epochs),
            (None, steps) => Extent::Steps(steps.expect("a run says epochs or steps")),
        },
        batch: train.batch as usize,
        accumulate: train.accumulate as usize,
        schedule: Schedule {
            rate: train.rate,
            decay: match train.schedule {
                hir::Schedule::Constant => Decay::Constant,
                hir::Schedule::Linear => Decay::Linear,
                hir::Schedule::Cosine => Decay::Cosine,
                hir::Schedule::WarmupStableDecay(fall) => Decay::Late(stretch(fall)),
            },
            warmup: stretch(train.warmup),
            floor: train.floor,
        },
        optimizer: optimizer(train.optimizer),
        head_rate: train.head_rate,
        clip: train.clip,
        smooth: train.smooth,
        balanced: train.balanced,
        pack: train.pack,
        recompute: train.recompute,
        precision: match train.precision {
            hir::Precision::F32 => Precision::F32,
            hir::Precision::F16 => Precision::F16,
            hir::Precision::Bf16 => Precision::Bf16,
        },
        shuffle: train.shuffle,
        seed: train.seed,
        length: Some(train.length.tokens as usize),
        overflow: overflow(train),
        tune: match &train.tune {
            hir::Tune::All => Tune::All,
            hir::Tune::Head => Tune::Head,
            hir::Tune::Lora(lora) => Tune::Lora(Lora {
                rank: lora.rank as usize,
                alpha: lora.alpha,
                targets: lora.targets.clone(),
                rank_stabilized: lora.rank_stabilized,
                has_magnitude: lora.has_magnitude,
                dropout: lora.dropout,
                base: match lora.base {
                    hir::Base::Float32 => None,
                    hir::Base::Int8 => Some(Width::Int8),
                    hir::Base::Int4 => Some(Width::Int4),
                },
            }),
        },
        threads: place.threads,
        selection: selection(&train.selection),
        checkpoints: None,
        kept_tokens: None,
        memory: None,
        output: place.output.to_path_buf(),
        held: false,
        provenance,
    }
}

fn stretch(stretch: hir::Stretch) -> Stretch {
    match stretch {
        hir::Stretch::Steps(steps) => Stretch::Steps(steps),
        hir::Stretch::Share(share) => Stretch::Share(share),
    }
}

fn optimizer(optimizer: hir::Optimizer) -> Optimizer {
    match optimizer {
        hir::Optimizer::AdamW { weight_decay, betas } => {
            Optimizer::AdamW(AdamW { weight_decay, betas: betas.into(), ..AdamW::default() })
        }
        hir::Optimizer::Sgd { momentum, nesterov, weight_decay } => {
            Optimizer::Sgd(Sgd { momentum, nesterov, weight_decay })
        }
        hir::Optimizer::Lion { weight_decay, betas } => Optimizer::Lion(Lion { weight_decay, betas: betas.into() }),
        hir::Optimizer::Adafactor { weight_decay } => Optimizer::Adafactor(Adafactor { weight_decay }),
    }
}

fn selection(selection: &hir::Selection) -> Selection {
    Selection {
        every: every(selection.every),
        by: selection.by.as_ref().map_or(Metric::Loss, lower_metric),
        patience: selection.patience.map(|patience| match patience {
            hir::Patience::Validations(count) => Patience::Validations(count),
            hir::Patience::Epochs(count) => Patience::Epochs(count),
        }),
        keep: selection.keep_best.unwrap_or(0) as usize,
    }
}

/// A distance between two moments of a run.
pub fn every(every: hir::Every) -> Every {
    match every {
        hir::Every::Steps(steps) => Every::Steps(steps),
        hir::Every::Epochs(epochs) => Every::Epochs(epochs),
    }
}

/// What a record of this run gives up when it is too long.
pub fn overflow(train: &hir::Train) -> Overflow {
    match train.length.overflow {
        hir::Overflow::Error => Overflow::Refuse,
        hir::Overflow::KeepStart => Overflow::KeepStart,
        hir::Overflow::KeepEnd => Overflow::KeepEnd,
        hir::Overflow::Drop => Overflow::Drop,
    }
}

/// The label that a run's answers tell the value of: its template learns one turn, and that turn reads nothing else.
pub fn answer_label(program: &hir::Program, train: &hir::Train) -> Option<hir::ColumnId> {
    let hir::Task::Generate { template } = &train.task else { return None };
    let texts = match &program[*template].kind {
        hir::TemplateKind::Chat(turns) => {
            let learnt = turns.iter().filter_map(|turn| match turn {
                hir::Turn::Text { content, trained, .. } => trained.then_some(Some(content)),
                hir::Turn::Field { trained, .. } => trained.then_some(None),
            });
            learnt.collect::<Option<Vec<&String>>>()?
        }
        hir::TemplateKind::Completion { completion, .. } => vec![completion],
        hir::TemplateKind::Text(_) | hir::TemplateKind::Preference { .. } => return None,
    };
    let [text] = texts.as_slice() else { return None };
    let parsed = Template::parse(text).expect("the texts of a checked program parse");
    // The value itself and its title are two variables of one name.
    let (variable, others) = parsed.variables().split_first()?;
    let is_label = |column: &hir::Column| !column.hidden && column.name == variable.name && column.label.is_some();
    let at = program[train.data].columns.iter().position(is_label);
    at.filter(|_| others.iter().all(|other| other.name == variable.name)).map(|at| hir::ColumnId(at as u32))
}

/// The values of the label that a run classifies, as the data set's manifest lists them: in the label's order.
pub fn label_values(program: &hir::Program, train: &hir::Train, manifest: &Manifest) -> Vec<String> {
    match &train.task {
        hir::Task::Classify { label_column, .. } | hir::Task::Tag { label_column, .. } => {
            let column = &program[train.data].columns[label_column.0 as usize].name;
            let parts = manifest.splits.iter().next();
            let counts = parts.and_then(|(_, part)| part.labels.get(column));
            counts.map(|counts| counts.iter().map(|(value, _)| value.to_string()).collect()).unwrap_or_default()
        }
        hir::Task::Regress { .. } | hir::Task::Prefer { .. } | hir::Task::Embed { .. } | hir::Task::Generate { .. } => {
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantic;
    use crate::source::{SourceFile, SourceMap};

    #[test]
    fn an_answer_that_reads_a_label_alone_is_one_of_its_values() {
        let check = |answer: &str, expected: Option<&str>| {
            let text = format!(
                "annot 1\nsource s {{ path \"a.jsonl\"; license \"MIT\"; fields {{ q: string; c: string }} }}\n\
                 label y: choice {{ a \"Same\"; b \"Same\" }}\nlabel messages: choice {{ a; b }}\n\
                 template ch: chat {{ user \"{{{{ q }}}}\"; assistant \"{answer}\" }}\n\
                 dataset d {{ from s; label y = c; label messages = c; split train 100%; write messages from ch }}\n\
                 model m {{ onnx \"m\" }}\ntrain g {{ model m; data d; task generate from ch; epochs 1 }}\n"
            );
            let mut map = SourceMap::default();
            let file = map.add(SourceFile::new("spec.annot", text));
            let (parsed, _) = semantic::load(&mut map, file, &mut semantic::NoFiles);
            let (program, found) = semantic::resolve(&map, &parsed, &mut semantic::NoFiles);
            assert!(!crate::diagnostics::has_errors(&found), "{answer}: {found:#?}");
            let found = answer_label(&program, &program.trains[0]);
            let name = found.map(|column| program.datasets[0].columns[column.0 as usize].name.as_str());
            assert_eq!(name, expected, "{answer}");
        };
        check("{{ y }}", Some("y"));
        check("{{ y | lower }}.", Some("y"));
        check("{{ y.title }}", Some("y"));
        check("{{ y }}: {{ y.title }}", Some("y"));
        check("{{ messages }}", Some("messages"));
        check("{{ y }} {{ q }}", None);
        check("{{ q }}", None);
    }
}
