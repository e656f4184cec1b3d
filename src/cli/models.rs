//! The models that measures work with: found, read, and named in the program by their content.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;

use super::build::inputs::{NotFound, Roots};
use super::terminal::{Paint, Terminal};
use super::{Failure, RuntimeArgs};
use crate::emit::{Digest, EmitError};
use crate::eval::CausalModel;
use crate::hir::{
    DatasetId, DeviceWish, Expr, ExprKind, Keep, Literal, Model, ModelOrigin, Program, StepKind, Subject,
};
use crate::plan::functions::{ParameterKind, provide_language_model, provide_tokenizer};
use crate::runtime::{self, Options, Runtime};
use crate::train::tokenizer::Tokenizer;

/// The models that measures work with.
#[derive(Debug, Default)]
pub struct Provided {
    /// The names of all of them.
    pub names: BTreeSet<String>,
    /// The files of those that texts are run through, by the models' names: each file's name with its digest.
    pub files: BTreeMap<String, Vec<(String, Digest)>>,
}

/// What is done with models that texts are run through.
#[derive(Debug, Clone, Copy)]
pub enum Purpose<'r> {
    /// Texts are measured: the models are opened with this library, which was found if any needs it.
    Measure(Option<&'r Runtime>),
    /// It is told what would be done: the models are only named, for which the version of this library counts.
    Tell(Option<&'r Runtime>),
}

/// What a measure takes of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Taken {
    /// Its tokenizer.
    Tokenizer,
    /// All of it: texts are run through it.
    Whole,
}

/// Tells why a model cannot be had.
pub fn fail(terminal: &Terminal, missing: &NotFound) -> Failure {
    terminal.error(&missing.message, Some(&missing.help));
    Failure::World
}

/// The library for the measures of these data sets, looked for or fetched where one of them runs a model; the runs that come behind
/// share it, so it is one that can do what they wish for.
pub fn library(
    program: &mut Program,
    datasets: &[DatasetId],
    args: &RuntimeArgs,
    wish: DeviceWish,
    terminal: &Terminal,
) -> Result<Option<Runtime>, Failure> {
    if run_a_model(&of_datasets(program, datasets)) { open(args, wish, terminal).map(Some) } else { Ok(None) }
}

/// The same for the unit tests.
pub fn library_for_tests(
    program: &mut Program,
    args: &RuntimeArgs,
    terminal: &Terminal,
) -> Result<Option<Runtime>, Failure> {
    if run_a_model(&of_tests(program)) { open(args, DeviceWish::Cpu, terminal).map(Some) } else { Ok(None) }
}

/// The same for telling what would be done, which fetches no library.
pub fn library_at_hand(program: &mut Program, datasets: &[DatasetId], cache: Option<&Path>) -> Option<Runtime> {
    if !run_a_model(&of_datasets(program, datasets)) {
        return None;
    }
    let options = Options::from_environment(None, super::runtime::cache_folder(cache));
    Runtime::load(&runtime::find(&options).ok().flatten()?).ok()
}

fn run_a_model(expressions: &[&mut Expr]) -> bool {
    named(expressions).iter().any(|(_, taken)| *taken == Taken::Whole)
}

fn open(args: &RuntimeArgs, wish: DeviceWish, terminal: &Terminal) -> Result<Runtime, Failure> {
    let runtime = super::runtime::open(args, wish, terminal)?;
    terminal.status(Paint::Green, "Using", format_args!("onnxruntime {}", runtime.version()));
    Ok(runtime)
}

/// Reads the models that the measures of these data sets need, and puts the hash of each in the place of its name.
pub fn provide(
    program: &mut Program,
    datasets: &[DatasetId],
    roots: &Roots,
    purpose: Purpose<'_>,
) -> Result<Provided, NotFound> {
    let models = program.models.clone();
    put(of_datasets(program, datasets), &models, roots, purpose)
}

/// The same for the unit tests.
pub fn provide_for_tests(program: &mut Program, roots: &Roots, purpose: Purpose<'_>) -> Result<(), NotFound> {
    let models = program.models.clone();
    put(of_tests(program), &models, roots, purpose).map(|_| ())
}

fn of_datasets<'p>(program: &'p mut Program, datasets: &[DatasetId]) -> Vec<&'p mut Expr> {
    let mut expressions: Vec<&mut Expr> = Vec::new();
    for (at, dataset) in (0..).zip(&mut program.datasets) {
        if datasets.contains(&DatasetId(at)) {
            expressions.extend(dataset.steps.iter_mut().flat_map(|step| of_step(&mut step.kind)));
        }
    }
    let evaluates = program.evaluates.iter_mut().filter(|evaluate| datasets.contains(&evaluate.dataset));
    expressions.extend(evaluates.flat_map(|evaluate| &mut evaluate.slices).map(|slice| &mut slice.value));
    expressions
}

fn of_tests(program: &mut Program) -> Vec<&mut Expr> {
    let uses = program.tests.iter_mut().flat_map(|test| &mut test.uses);
    let steps = uses.flat_map(|one| match &mut one.subject {
        Subject::Steps(steps) => steps.as_mut_slice(),
        Subject::Template(_) => &mut [],
    });
    steps.flat_map(|step| of_step(&mut step.kind)).collect()
}

fn of_step(kind: &mut StepKind) -> Vec<&mut Expr> {
    match kind {
        StepKind::Set { value, .. } => vec![value],
        StepKind::Drop { condition } | StepKind::Forbid { condition, .. } => vec![condition],
        StepKind::Label { value, constraints, drop_when, .. } => {
            std::iter::once(value).chain(constraints).chain(drop_when).collect()
        }
        StepKind::DedupExact { keep, .. } | StepKind::DedupNear { keep, .. } => match keep {
            Keep::First => Vec::new(),
            Keep::Best(by) => vec![by],
        },
        StepKind::DedupPieces { .. }
        | StepKind::Decontaminate { .. }
        | StepKind::Sample { .. }
        | StepKind::Redact { .. }
        | StepKind::Pair { .. } => Vec::new(),
    }
}

/// The models that expressions name, each once for what is taken of it.
fn named(expressions: &[&mut Expr]) -> Vec<(String, Taken)> {
    let mut named: Vec<(String, Taken)> = Vec::new();
    for expression in expressions {
        expression.visit(&mut |part| named.extend(model_of(part).map(|(name, taken)| (name.to_owned(), taken))));
    }
    named.sort();
    named.dedup();
    named
}

fn put(
    expressions: Vec<&mut Expr>,
    models: &[Model],
    roots: &Roots,
    purpose: Purpose<'_>,
) -> Result<Provided, NotFound> {
    let (mut hashes, mut provided) = (BTreeMap::new(), Provided::default());
    for (name, taken) in named(&expressions) {
        let model = models.iter().find(|model| model.name == name).expect("a checked program has the model");
        let folder = folder_of(model, roots)?;
        let hash = match taken {
            Taken::Tokenizer => read_tokenizer(&folder)?,
            Taken::Whole => {
                let found = model_files(&folder).map_err(|error| NotFound {
                    message: error.to_string(),
                    help: format!("model `{name}` is read from `{}`", folder.display()),
                })?;
                let hash = read_whole(&folder, &found, purpose)?;
                provided.files.insert(name.clone(), found);
                hash
            }
        };
        provided.names.insert(name.clone());
        hashes.insert((name, taken), hash);
    }
    if !hashes.is_empty() {
        for expression in expressions {
            *expression = expression.map(&mut |part| with_hash(part, &hashes));
        }
    }
    Ok(provided)
}

/// The model that a call measures with, and what it takes of it.
fn model_of(expr: &Expr) -> Option<(&str, Taken)> {
    let ExprKind::Call(function, arguments) = &expr.kind else { return None };
    let (argument, taken) = arguments
        .iter()
        .zip(function.parameters)
        .find_map(|(argument, parameter)| Some((argument, taken(parameter.kind)?)))?;
    match &argument.kind {
        ExprKind::Literal(Literal::String(name)) => Some((name, taken)),
        _ => None,
    }
}

fn taken(kind: ParameterKind) -> Option<Taken> {
    match kind {
        ParameterKind::Model => Some(Taken::Tokenizer),
        ParameterKind::LanguageModel => Some(Taken::Whole),
        ParameterKind::Text
        | ParameterKind::Whole { .. }
        | ParameterKind::Literal
        | ParameterKind::Pattern
        | ParameterKind::Word(_) => None,
    }
}

fn with_hash(expr: Expr, hashes: &BTreeMap<(String, Taken), String>) -> Expr {
    let hash = model_of(&expr).and_then(|(name, taken)| hashes.get(&(name.to_owned(), taken)));
    let Some(hash) = hash else { return expr };
    let ExprKind::Call(function, arguments) = expr.kind else { return expr };
    let arguments =
        arguments.into_iter().zip(function.parameters).map(|(argument, parameter)| match taken(parameter.kind) {
            Some(_) => Expr { kind: ExprKind::Literal(Literal::String(hash.clone())), ..argument },
            None => argument,
        });
    Expr { kind: ExprKind::Call(function, arguments.collect()), ty: expr.ty, span: expr.span }
}

fn folder_of(model: &Model, roots: &Roots) -> Result<PathBuf, NotFound> {
    let ModelOrigin::Folder { path, base, .. } = &model.origin else {
        unreachable!("the check refuses a model that is new where a measure needs one")
    };
    roots.folder(base, path, &format!("model `{}`", model.name))
}

/// Reads a model's tokenizer and gives the hash of its content.
fn read_tokenizer(folder: &Path) -> Result<String, NotFound> {
    let tokenizer = Tokenizer::load(folder).map_err(|error| NotFound {
        message: error.to_string(),
        help: "`tokens` reads `tokenizer.json` in the model's folder".to_owned(),
    })?;
    let hash = tokenizer.hash().to_owned();
    provide_tokenizer(&hash, Arc::new(tokenizer));
    Ok(hash)
}

/// Opens a model where texts are measured, and gives the hash of all that decides its figures: its files and the library's
/// version, in place of which a library that does not tell one has the words about its build.
fn read_whole(folder: &Path, files: &[(String, Digest)], purpose: Purpose<'_>) -> Result<String, NotFound> {
    let (Purpose::Measure(runtime) | Purpose::Tell(runtime)) = purpose;
    let runtime = runtime.ok_or_else(|| NotFound {
        message: "no onnxruntime library was found, and a measure runs a model with it".to_owned(),
        help: "`annotc runtime install` fetches one; `annotc runtime` shows where it is looked for".to_owned(),
    })?;
    let version = match runtime.version() {
        "unknown" => runtime.build_info(),
        version => version,
    };
    let files: Vec<(&str, &str)> = files.iter().map(|(name, digest)| (name.as_str(), digest.blake3.as_str())).collect();
    let hash = blake3::hash(json!([files, version]).to_string().as_bytes()).to_hex().to_string();
    match purpose {
        Purpose::Tell(_) => {}
        Purpose::Measure(_) => {
            let opened = CausalModel::open(runtime, folder)
                .map_err(|error| NotFound { message: error.to_string(), help: error.help().to_owned() })?;
            provide_language_model(&hash, Arc::new(opened));
        }
    }
    Ok(hash)
}

/// The files that a model consists of, by their names in its folder.
pub fn model_files(folder: &Path) -> Result<Vec<(String, Digest)>, EmitError> {
    let mut names: Vec<PathBuf> = match std::fs::read_dir(folder) {
        Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_file()).collect(),
        Err(_) => vec![folder.to_path_buf()],
    };
    names.retain(|path| is_model_file(path));
    names.sort();
    let file = |path: PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok((name, Digest::of_file(&path)?))
    };
    names.into_iter().map(file).collect()
}

/// A README or an image beside a model changes nothing.
fn is_model_file(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    [".onnx", ".onnx_data", ".onnx.data", ".json", ".jinja", ".txt", ".model"]
        .iter()
        .any(|ending| name.ends_with(ending))
}
