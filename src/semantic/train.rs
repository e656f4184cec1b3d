//! Training runs: their statements, defaults and ranges.

mod lora;
mod selection;

use super::names::{self, Found, Kind};
use super::quantities::{
    Bounds, Once, known_settings, missing, number, setting_quantity, setting_word, share, small, whole, word,
    wrong_value,
};
use super::{Context, index, task};
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::{self, LabelId, ModelId, Overflow, Schedule, TrainId, TrainLength, Tune, Warmup};
use crate::syntax::ast::train::{Train, TrainItem, TrainItemKind};
use crate::syntax::ast::{Decl, Ident, Quantity, Setting, SettingValue};

pub(super) use lora::OPTIONS as LORA;

/// The options of the optimizer.
pub(super) const OPTIMIZER: [&str; 3] = ["weight_decay", "betas", "head_rate"];

/// A training run as later passes see it, in the program or not.
pub(super) struct Run {
    pub(super) id: Option<TrainId>,
    /// The word of its task; `None` when that is wrong.
    pub(super) task: Option<&'static str>,
    /// The label that it learns.
    pub(super) label: Option<LabelId>,
    /// The field that it reads.
    pub(super) text: Option<String>,
}

/// Resolves all training runs, in order.
pub(super) fn resolve_trains(context: &mut Context<'_>, decls: &[&Decl]) {
    for decl in decls {
        if let Decl::Train(train) = decl {
            resolve_train(context, train);
        }
    }
}

/// What the statements of a run say, before it is known whether it is whole.
struct Draft {
    model: Option<ModelId>,
    data: Option<usize>,
    task: Option<task::Resolved>,
    tune: Option<Tune>,
    length: TrainLength,
    epochs: Option<f64>,
    steps: Option<u64>,
    batch: u32,
    accumulate: u32,
    schedule: Schedule,
    rate: f64,
    head_rate: Option<f64>,
    warmup: Warmup,
    floor: f64,
    weight_decay: f64,
    betas: (f64, f64),
    clip: Option<f64>,
    shuffle: bool,
    seed: u64,
}

impl Draft {
    /// What holds of a run that says no more than it must: AdamW as its paper has it, and a rate that is usual for
    /// fine-tuning.
    fn new() -> Self {
        Self {
            model: None,
            data: None,
            task: None,
            tune: Some(Tune::All),
            length: TrainLength { tokens: 512, overflow: Overflow::Error },
            epochs: None,
            steps: None,
            batch: 32,
            accumulate: 1,
            schedule: Schedule::Linear,
            rate: 5e-5,
            head_rate: None,
            warmup: Warmup::Steps(0),
            floor: 0.0,
            weight_decay: 0.01,
            betas: (0.9, 0.999),
            clip: None,
            shuffle: true,
            seed: 0,
        }
    }
}

fn resolve_train(context: &mut Context<'_>, train: &Train) {
    let mut draft = Draft::new();
    let mut once = Once::default();
    // The data set first: a task is checked against its record wherever it stands.
    for item in &train.items {
        if let TrainItemKind::Data(name) = &item.kind
            && once.place("data").is_none()
            && let Found::Declared(_) = names::look_up(context, name, Kind::Dataset)
        {
            draft.data = context.id_of(name).map(|index| index as usize);
        }
        if matches!(item.kind, TrainItemKind::Data(_)) {
            once.first(context, "data", item.span);
        }
    }
    if let Some(data) = draft.data
        && context.recorder.is_some()
    {
        let record = context.datasets[data].record.clone();
        index::enter(context, train.span, &record);
    }
    for item in &train.items {
        let what = statement_word(&item.kind);
        if what != "data" && once.first(context, what, item.span) {
            resolve_item(context, item, &mut draft);
        }
    }
    check_whole(context, train, &once);
    check_new_model(context, train, &draft);
    let task = draft.task.take();
    let mut run = Run { id: None, task: None, label: None, text: None };
    if let Some(task) = &task {
        (run.task, run.label, run.text) = (Some(task.word), task.label, task.text.clone());
    }
    let lowered = task.and_then(|task| task.lowered);
    run.id = finish(context, train, draft, lowered);
    context.ids.insert(train.name.span, context.runs.len() as u32);
    context.runs.push(run);
}

fn statement_word(kind: &TrainItemKind) -> &'static str {
    match kind {
        TrainItemKind::Model(_) => "model",
        TrainItemKind::Data(_) => "data",
        TrainItemKind::Task(_) => "task",
        TrainItemKind::Tune(..) => "tune",
        TrainItemKind::Length { .. } => "length",
        TrainItemKind::Epochs(_) => "epochs",
        TrainItemKind::Steps(_) => "steps",
        TrainItemKind::Batch { .. } => "batch",
        TrainItemKind::Rate { .. } => "rate",
        TrainItemKind::Optimizer(..) => "optimizer",
        TrainItemKind::Validate { .. } => "validate",
        TrainItemKind::Stop(_) => "stop",
        TrainItemKind::KeepBest(_) => "keep best",
        TrainItemKind::Device(..) => "device",
        TrainItemKind::Setting(setting) => match setting.name.name.as_str() {
            "clip" => "clip",
            "seed" => "seed",
            "smooth" => "smooth",
            "shuffle" => "shuffle",
            "pack" => "pack",
            "weights" => "weights",
            _ => "",
        },
    }
}

/// A new encoder has a head for classes and none for words.
fn check_new_model(context: &mut Context<'_>, train: &Train, draft: &Draft) {
    let is_new = draft.model.is_some_and(|model| matches!(context.program[model].origin, hir::ModelOrigin::New(_)));
    let task = train.items.iter().find_map(|item| match &item.kind {
        TrainItemKind::Task(task) => Some(task),
        _ => None,
    });
    let named = train.items.iter().find_map(|item| match &item.kind {
        TrainItemKind::Model(name) => Some(name),
        _ => None,
    });
    if let (true, Some(task), Some(model)) = (is_new, task, named)
        && matches!(task.kind.name.as_str(), "generate" | "prefer")
    {
        context.report(
            Diagnostic::new(
                Code::TaskDoesNotFit,
                format!("a new encoder cannot learn to `{}`", task.kind.name),
                task.kind.span,
                "needs a decoder",
            )
            .label(model.span, "is a new encoder")
            .help("start from a decoder's folder: `model base { onnx \"models/base\" }`"),
        );
    }
}

fn check_whole(context: &mut Context<'_>, train: &Train, once: &Once) {
    let needed = [("model", "model minilm"), ("data", "data banking"), ("task", "task classify intent from text")];
    for (statement, example) in needed {
        if once.place(statement).is_none() {
            missing(context, "run", &train.name, statement, example);
        }
    }
    match (once.place("epochs"), once.place("steps")) {
        (None, None) => missing(context, "run", &train.name, "epochs", "epochs 3`, or `steps 2000"),
        (Some(epochs), Some(steps)) => context.report(
            Diagnostic::new(Code::DuplicateStatement, "a run's length is said twice", steps, "said again in steps")
                .label(epochs, "first said in epochs")
                .help("keep one of them"),
        ),
        (Some(_), None) | (None, Some(_)) => {}
    }
}

fn resolve_item(context: &mut Context<'_>, item: &TrainItem, draft: &mut Draft) {
    match &item.kind {
        TrainItemKind::Model(name) => {
            if let Found::Declared(_) = names::look_up(context, name, Kind::Model) {
                draft.model = context.id_of(name).map(ModelId);
            }
        }
        TrainItemKind::Data(_) => {}
        TrainItemKind::Task(task) => draft.task = task::resolve_task(context, task, draft.data, item.span),
        TrainItemKind::Tune(kind, settings) => draft.tune = lora::resolve_tune(context, kind, settings),
        TrainItemKind::Length { limit, otherwise } => resolve_length(context, draft, limit, otherwise.as_ref()),
        TrainItemKind::Epochs(quantity) => {
            draft.epochs =
                number(context, quantity, Bounds { high: 100_000.0, ..Bounds::positive("the number of epochs") });
        }
        TrainItemKind::Steps(quantity) => {
            draft.steps = whole(context, quantity, Bounds::between("the number of steps", 1.0, 1e12));
        }
        TrainItemKind::Batch { size, accumulate } => {
            if let Some(size) = small(context, size, Bounds::between("the batch", 1.0, 1e6)) {
                draft.batch = size;
            }
            if let Some(accumulate) = accumulate
                && let Some(count) =
                    small(context, accumulate, Bounds::between("the number of micro-batches", 1.0, 1e6))
            {
                draft.accumulate = count;
            }
        }
        TrainItemKind::Rate { peak, schedule, warmup, floor } => {
            resolve_rate(context, draft, peak, schedule.as_ref(), warmup.as_ref(), floor.as_ref());
        }
        TrainItemKind::Optimizer(name, settings) => resolve_optimizer(context, draft, name, settings),
        TrainItemKind::Validate { .. } | TrainItemKind::Stop(_) | TrainItemKind::KeepBest(_) => {
            selection::resolve_selection(context, item, draft);
        }
        TrainItemKind::Device(first, second) => {
            for name in [Some(first), second.as_ref()].into_iter().flatten() {
                word(context, name, "device", &[("cpu", ()), ("cuda", ())]);
            }
        }
        TrainItemKind::Setting(setting) => resolve_setting(context, draft, setting),
    }
}

fn resolve_length(context: &mut Context<'_>, draft: &mut Draft, limit: &Quantity, otherwise: Option<&Ident>) {
    let bounds = Bounds::between("the length", 4.0, 1e6).unit(&["tokens"]);
    if let Some(tokens) = small(context, limit, bounds) {
        draft.length.tokens = tokens;
    }
    let words = [("start", Overflow::KeepStart), ("end", Overflow::KeepEnd), ("drop", Overflow::Drop)];
    let chosen = otherwise.and_then(|name| word(context, name, "way to shorten", &words));
    draft.length.overflow = chosen.unwrap_or(Overflow::Error);
}

fn resolve_rate(
    context: &mut Context<'_>,
    draft: &mut Draft,
    peak: &Quantity,
    schedule: Option<&Ident>,
    warmup: Option<&Quantity>,
    floor: Option<&Quantity>,
) {
    if let Some(rate) = number(context, peak, Bounds { high: 100.0, ..Bounds::positive("the rate") }) {
        draft.rate = rate;
    }
    let words = [("constant", Schedule::Constant), ("linear", Schedule::Linear), ("cosine", Schedule::Cosine)];
    draft.schedule = schedule.and_then(|name| word(context, name, "schedule", &words)).unwrap_or(Schedule::Constant);
    if let Some(warmup) = warmup {
        let resolved = if warmup.percent {
            share(context, warmup, "the warmup").map(Warmup::Share)
        } else {
            whole(context, warmup, Bounds::between("the warmup", 0.0, 1e12).unit(&["steps", "step"])).map(Warmup::Steps)
        };
        draft.warmup = resolved.unwrap_or(draft.warmup);
    }
    if let Some(floor) = floor
        && let Some(value) = number(context, floor, Bounds::between("the floor", 0.0, draft.rate))
    {
        draft.floor = value;
    }
}

fn resolve_optimizer(context: &mut Context<'_>, draft: &mut Draft, name: &Ident, settings: &[Setting]) {
    word(context, name, "optimizer", &[("adamw", ())]);
    for setting in known_settings(context, settings, "the optimizer", &OPTIMIZER) {
        match (setting.name.name.as_str(), &setting.value) {
            ("betas", Some(SettingValue::List(betas))) if betas.len() == 2 => {
                let bounds = Bounds::between("a beta", 0.0, 0.999_999_9);
                let (first, second) = (number(context, &betas[0], bounds), number(context, &betas[1], bounds));
                draft.betas = first.zip(second).unwrap_or(draft.betas);
            }
            ("betas", _) => wrong_value(context, setting, "two numbers: `[0.9, 0.999]`"),
            ("weight_decay", _) => {
                let quantity = setting_quantity(context, setting);
                let value = quantity
                    .and_then(|quantity| number(context, quantity, Bounds::between("the weight decay", 0.0, 10.0)));
                draft.weight_decay = value.unwrap_or(draft.weight_decay);
            }
            (_, _) => {
                let bounds = Bounds { high: 100.0, ..Bounds::positive("the head's rate") };
                draft.head_rate =
                    setting_quantity(context, setting).and_then(|quantity| number(context, quantity, bounds));
            }
        }
    }
}

fn resolve_setting(context: &mut Context<'_>, draft: &mut Draft, setting: &Setting) {
    let known = ["clip", "seed", "smooth", "shuffle", "pack", "weights"];
    if known_settings(context, std::slice::from_ref(setting), "a run", &known).is_empty() {
        return;
    }
    let switch = [("on", true), ("off", false)];
    match setting.name.name.as_str() {
        "clip" => {
            let quantity = setting_quantity(context, setting);
            draft.clip = quantity.and_then(|quantity| number(context, quantity, Bounds::positive("the greatest norm")));
        }
        "seed" => {
            let quantity = setting_quantity(context, setting);
            let seed =
                quantity.and_then(|quantity| whole(context, quantity, Bounds::between("a seed", 0.0, f64::INFINITY)));
            draft.seed = seed.unwrap_or(draft.seed);
        }
        "smooth" => {
            if let Some(quantity) = setting_quantity(context, setting) {
                number(context, quantity, Bounds::between("the smoothing", 0.0, 0.999));
            }
        }
        "shuffle" => {
            let chosen = setting_word(context, setting).and_then(|name| word(context, name, "switch", &switch));
            draft.shuffle = chosen.unwrap_or(draft.shuffle);
        }
        "pack" => {
            setting_word(context, setting).and_then(|name| word(context, name, "switch", &switch));
        }
        _ => {
            setting_word(context, setting)
                .and_then(|name| word(context, name, "weighting", &[("balanced", ()), ("none", ())]));
        }
    }
}

/// The run of the program, when everything that it needs is there and can be represented.
fn finish(context: &mut Context<'_>, train: &Train, draft: Draft, task: Option<hir::Task>) -> Option<TrainId> {
    let resolved = hir::Train {
        name: context.names.title(&train.name),
        model: draft.model?,
        data: hir::DatasetId(draft.data? as u32),
        task: task?,
        tune: draft.tune?,
        length: draft.length,
        epochs: if draft.steps.is_some() { None } else { draft.epochs },
        steps: draft.steps,
        batch: draft.batch,
        accumulate: draft.accumulate,
        schedule: draft.schedule,
        rate: draft.rate,
        head_rate: draft.head_rate,
        warmup: draft.warmup,
        floor: draft.floor,
        weight_decay: draft.weight_decay,
        betas: draft.betas,
        clip: draft.clip,
        shuffle: draft.shuffle,
        seed: draft.seed,
        span: train.span,
    };
    context.program.trains.push(resolved);
    Some(TrainId(context.program.trains.len() as u32 - 1))
}
