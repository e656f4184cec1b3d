//! Training runs: their statements, defaults and ranges.

mod fits;
mod lora;
mod optimizer;
mod rate;
mod selection;

use super::names::{self, Found, Kind};
use super::quantities::{
    Bounds, Once, known_settings, missing, number, setting_quantity, setting_word, small, whole, word,
};
use super::{Context, index, task};
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::{
    self, DeviceWish, Every, LabelId, ModelId, Optimizer, Overflow, Precision, Schedule, Selection, Stretch, TrainId,
    TrainLength, Tune,
};
use crate::source::Span;
use crate::syntax::ast::train::{Train, TrainItem, TrainItemKind};
use crate::syntax::ast::{Decl, Ident, Quantity, Setting};

use fits::{check_model, check_negatives, check_recompute, needs_answers, needs_values, not_smoothed, prefers};

pub(super) use lora::OPTIONS as LORA;

pub(super) use optimizer::options as optimizer_options;

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
    warmup: Stretch,
    /// Where the last of warmup and decay is said: whether both are too long is told when the run's length is known.
    stretches: Option<Span>,
    floor: f64,
    optimizer: Optimizer,
    clip: Option<f64>,
    smooth: f64,
    balanced: bool,
    pack: bool,
    recompute: bool,
    precision: Precision,
    shuffle: bool,
    seed: u64,
    selection: Selection,
    checkpoint: Option<Every>,
    device: DeviceWish,
    beta: Option<f64>,
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
            warmup: Stretch::Steps(0),
            stretches: None,
            floor: 0.0,
            optimizer: optimizer::ADAMW,
            clip: None,
            smooth: 0.0,
            balanced: false,
            pack: false,
            recompute: false,
            precision: Precision::F32,
            shuffle: true,
            seed: 0,
            selection: Selection { every: Every::Epochs(1), by: None, patience: None, keep_best: None },
            checkpoint: None,
            device: DeviceWish::Cpu,
            beta: None,
        }
    }
}

fn resolve_train(context: &mut Context<'_>, train: &Train) {
    let mut draft = Draft::new();
    let mut once = Once::default();
    // The data set first and the task behind it: wherever they stand, a task is checked against the record, and what else
    // is said against the task.
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
    let (task, others): (Vec<_>, Vec<_>) =
        train.items.iter().partition(|item| matches!(item.kind, TrainItemKind::Task(_)));
    for item in task.into_iter().chain(others) {
        let what = statement_word(&item.kind);
        if what != "data" && once.first(context, what, item.span) {
            resolve_item(context, item, &mut draft);
        }
    }
    check_whole(context, train, &once);
    check_model(context, train, &draft);
    let task = draft.task.take();
    let mut run = Run { id: None, task: None, label: None, text: None };
    if let Some(task) = &task {
        (run.task, run.label, run.text) = (Some(task.word), task.label, task.text.clone());
    }
    let mut lowered = task.and_then(|task| task.lowered);
    if let (Some(hir::Task::Prefer { beta, .. }), Some(said)) = (&mut lowered, draft.beta) {
        *beta = said;
    }
    check_negatives(context, train, run.task, &draft);
    check_recompute(context, train, &draft);
    rate::check_stretches(context, &draft);
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
        TrainItemKind::Checkpoint(_) => "checkpoint",
        TrainItemKind::Device(..) => "device",
        TrainItemKind::Setting(setting) => match setting.name.name.as_str() {
            "clip" => "clip",
            "seed" => "seed",
            "smooth" => "smooth",
            "beta" => "beta",
            "shuffle" => "shuffle",
            "pack" => "pack",
            "recompute" => "recompute",
            "precision" => "precision",
            "weights" => "weights",
            _ => "",
        },
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
        TrainItemKind::Rate { .. } => rate::resolve_rate(context, item, draft),
        TrainItemKind::Optimizer(name, settings) => {
            optimizer::resolve_optimizer(context, draft, name, settings);
        }
        TrainItemKind::Validate { .. } | TrainItemKind::Stop(_) | TrainItemKind::KeepBest(_) => {
            selection::resolve_selection(context, item, draft);
        }
        TrainItemKind::Checkpoint(every) => {
            let distance = selection::every(context, every, "the distance of checkpoints");
            draft.checkpoint = distance.or(draft.checkpoint);
        }
        TrainItemKind::Device(first, second) => {
            draft.device = resolve_device(context, first, second.as_ref()).unwrap_or(draft.device);
        }
        TrainItemKind::Setting(setting) => resolve_setting(context, draft, setting),
    }
}

fn resolve_device(context: &mut Context<'_>, first: &Ident, second: Option<&Ident>) -> Option<DeviceWish> {
    let devices = [("cpu", DeviceWish::Cpu), ("cuda", DeviceWish::Cuda)];
    let wish = word(context, first, "device", &devices)?;
    let Some(second) = second else { return Some(wish) };
    match (wish, word(context, second, "device", &devices)?) {
        (DeviceWish::Cuda, DeviceWish::Cpu) => Some(DeviceWish::CudaElseCpu),
        (DeviceWish::Cpu | DeviceWish::Cuda | DeviceWish::CudaElseCpu, _) => {
            let message = format!("`else {}` after `{}` says nothing", second.name, first.name);
            let help = "the processor is always there: write `device cuda else cpu`, or one device alone";
            context.error(Code::UnknownWord, message, second.span, "never comes to it", help);
            None
        }
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

fn resolve_setting(context: &mut Context<'_>, draft: &mut Draft, setting: &Setting) {
    let known = ["clip", "seed", "smooth", "beta", "shuffle", "pack", "recompute", "precision", "weights"];
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
            let quantity = setting_quantity(context, setting);
            let smooth =
                quantity.and_then(|quantity| number(context, quantity, Bounds::between("the smoothing", 0.0, 0.999)));
            draft.smooth = smooth.unwrap_or(draft.smooth);
            if draft.smooth > 0.0 {
                not_smoothed(context, draft, setting.span);
            }
        }
        "beta" => {
            prefers(context, draft, setting.span);
            let quantity = setting_quantity(context, setting);
            let bounds = Bounds { high: 100.0, ..Bounds::positive("the weight of the reference") };
            draft.beta = quantity.and_then(|quantity| number(context, quantity, bounds));
        }
        "shuffle" => {
            let chosen = setting_word(context, setting).and_then(|name| word(context, name, "switch", &switch));
            draft.shuffle = chosen.unwrap_or(draft.shuffle);
        }
        "pack" => {
            let chosen = setting_word(context, setting).and_then(|name| word(context, name, "switch", &switch));
            draft.pack = chosen.unwrap_or(draft.pack);
            if draft.pack {
                needs_answers(context, draft, setting.span);
            }
        }
        "recompute" => {
            let chosen = setting_word(context, setting).and_then(|name| word(context, name, "switch", &switch));
            draft.recompute = chosen.unwrap_or(draft.recompute);
        }
        "precision" => {
            let words = [("f32", Precision::F32), ("f16", Precision::F16), ("bf16", Precision::Bf16)];
            let chosen = setting_word(context, setting).and_then(|name| word(context, name, "precision", &words));
            draft.precision = chosen.unwrap_or(draft.precision);
        }
        _ => {
            let words = [("balanced", true), ("none", false)];
            let chosen = setting_word(context, setting).and_then(|name| word(context, name, "weighting", &words));
            draft.balanced = chosen.unwrap_or(draft.balanced);
            if draft.balanced {
                needs_values(context, draft, setting.span);
            }
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
        optimizer: draft.optimizer,
        clip: draft.clip,
        smooth: draft.smooth,
        balanced: draft.balanced,
        pack: draft.pack,
        recompute: draft.recompute,
        precision: draft.precision,
        shuffle: draft.shuffle,
        seed: draft.seed,
        selection: draft.selection,
        checkpoint: draft.checkpoint,
        device: draft.device,
        span: train.span,
    };
    context.program.trains.push(resolved);
    Some(TrainId(context.program.trains.len() as u32 - 1))
}
