//! Models, runs, evaluations and tests as named statements.

use super::entries::Entries;
use super::print::{expr, name, names, quantity, setting, settings, text};
use crate::syntax::ast::test::{Expect, Test};
use crate::syntax::ast::train::{Evaluate, EvaluateItem, Model, ModelItem, Train, TrainItemKind};

/// Adds the statements, and gives the name.
pub(super) fn model_entries(model: &Model, entries: &mut Entries) -> String {
    entries.doc(model.doc.as_ref());
    for item in &model.items {
        match item {
            ModelItem::Onnx(path, _) => entries.add("onnx", format!("onnx {}", text(path))),
            ModelItem::New { architecture, settings: sizes, .. } => {
                entries.add("new", format!("new {}{}", name(architecture), settings(sizes)));
            }
            ModelItem::Setting(option) => entries.add(option.name.name.clone(), setting(option)),
        }
    }
    model.name.name.clone()
}

/// Adds the statements, and gives the name.
pub(super) fn train_entries(train: &Train, entries: &mut Entries) -> String {
    entries.doc(train.doc.as_ref());
    for item in &train.items {
        let (key, statement) = train_entry(&item.kind);
        entries.add(key, statement);
    }
    train.name.name.clone()
}

fn train_entry(item: &TrainItemKind) -> (String, String) {
    let optional = |word: &str, value: Option<String>| value.map_or(String::new(), |value| format!(" {word}{value}"));
    let (key, value) = match item {
        TrainItemKind::Model(model) => ("model", name(model)),
        TrainItemKind::Data(data) => ("data", name(data)),
        TrainItemKind::Task(task) => {
            let label = task.label.as_ref().map_or(String::new(), |label| format!(" {}", name(label)));
            ("task", format!("{}{label}{}", name(&task.kind), optional("from ", task.from.as_ref().map(name))))
        }
        TrainItemKind::Tune(what, options) => ("tune", format!("{}{}", name(what), settings(options))),
        TrainItemKind::Length { limit, otherwise } => {
            let otherwise = otherwise.as_ref().map_or(String::new(), |word| match word.name.as_str() {
                "drop" => " else drop".to_owned(),
                kept => format!(" else keep {kept}"),
            });
            ("length", format!("{}{otherwise}", quantity(limit)))
        }
        TrainItemKind::Epochs(epochs) => ("epochs", quantity(epochs)),
        TrainItemKind::Steps(steps) => ("steps", quantity(steps)),
        TrainItemKind::Batch { size, accumulate } => {
            ("batch", format!("{}{}", quantity(size), optional("accumulate ", accumulate.as_ref().map(quantity))))
        }
        TrainItemKind::Rate { peak, schedule, warmup, decay, floor } => (
            "rate",
            format!(
                "{}{}{}{}{}",
                quantity(peak),
                optional("", schedule.as_ref().map(name)),
                optional("warmup ", warmup.as_ref().map(quantity)),
                optional("decay ", decay.as_ref().map(quantity)),
                optional("floor ", floor.as_ref().map(quantity)),
            ),
        ),
        TrainItemKind::Optimizer(which, options) => ("optimizer", format!("{}{}", name(which), settings(options))),
        TrainItemKind::Validate { every, by } => (
            "validate",
            format!(
                "{}{}",
                every.as_ref().map_or(String::new(), |every| format!("every {}", quantity(every))),
                optional("by ", by.as_ref().map(expr)),
            ),
        ),
        TrainItemKind::Stop(after) => ("stop", format!("after {} without gain", quantity(after))),
        TrainItemKind::KeepBest(best) => ("keep", format!("best{}", optional("", best.as_ref().map(quantity)))),
        TrainItemKind::Checkpoint(every) => ("checkpoint", format!("every {}", quantity(every))),
        TrainItemKind::Device(first, second) => {
            ("device", format!("{}{}", name(first), optional("else ", second.as_ref().map(name))))
        }
        TrainItemKind::Setting(option) => return (option.name.name.clone(), setting(option)),
    };
    (key.to_owned(), format!("{key} {}", value.trim_start()))
}

/// Adds the statements, and gives the name.
pub(super) fn evaluate_entries(evaluate: &Evaluate, entries: &mut Entries) -> String {
    entries.doc(evaluate.doc.as_ref());
    for item in &evaluate.items {
        match item {
            EvaluateItem::Report(metrics, _) => entries.add("report", format!("report {}", names(metrics))),
            EvaluateItem::By { value, at, .. } => {
                let at = at.as_ref().map_or(String::new(), |bounds| {
                    format!(" at [{}]", bounds.iter().map(quantity).collect::<Vec<_>>().join(", "))
                });
                let key = format!("by {}", expr(value));
                entries.add(key.clone(), format!("{key}{at}"));
            }
            EvaluateItem::Generate { method, settings: options, .. } => {
                entries.add("generate", format!("generate {}{}", name(method), settings(options)));
            }
            EvaluateItem::Require(condition, _) => {
                let statement = format!("require {}", expr(condition));
                entries.add(statement.clone(), statement);
            }
        }
    }
    format!("{} on {}.{}", name(&evaluate.run), name(&evaluate.dataset), name(&evaluate.part))
}

/// Adds the statements, and gives the name.
pub(super) fn test_entries(test: &Test, entries: &mut Entries) -> String {
    entries.doc(test.doc.as_ref());
    test.given.iter().for_each(|given| entries.in_order("given", format!("given {}", expr(given))));
    for expected in &test.expect {
        let expected = match expected {
            Expect::Record(record) => expr(record),
            Expect::Drop(None, _) => "drop".to_owned(),
            Expect::Drop(Some(reason), _) => format!("drop {}", text(reason)),
            Expect::Quarantine(_) => "quarantine".to_owned(),
        };
        entries.in_order("expect", format!("expect {expected}"));
    }
    format!("{} {}", name(&test.target), text(&test.title))
}
