//! `annotc predict`: what a trained model says of texts.

use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value};

use super::out::{Files, Out};
use super::terminal::Terminal;
use super::{DeviceArgs, Failure, RuntimeArgs, build, context, runtime};
use crate::emit::MANIFEST;
use crate::eval;
use crate::train::{TrainError, check_readings};

/// Records predicted at once: enough to batch texts of similar length, few enough to show results early.
const WINDOW: usize = 512;

/// Options of `annotc predict`.
#[derive(Debug, Args)]
pub struct PredictArgs {
    /// The folder of a model, or its address in an object store: one that classifies texts, finds spans in them, or gives a number or a vector for each
    #[arg(value_name = "MODEL")]
    model: Out,
    /// A file of JSON Lines or of texts, one a line [default: standard input]
    #[arg(value_name = "FILE", conflicts_with = "text")]
    file: Option<PathBuf>,
    /// A text to predict; may be given several times
    #[arg(long, short, value_name = "TEXT")]
    text: Vec<String>,
    /// The field of a JSON record that holds the text
    #[arg(long, value_name = "NAME", default_value = "text")]
    field: String,
    /// Threads [default: the machine's cores]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    #[command(flatten)]
    device: DeviceArgs,
    #[command(flatten)]
    runtime: RuntimeArgs,
}

/// Prints each record with `predicted` and, of a classifier, `probability`, or with `vector`: one JSON object a line, in the
/// order given.
pub fn run(args: &PredictArgs, terminal: &Terminal) -> Result<(), Failure> {
    let world = |error: &dyn std::fmt::Display| {
        terminal.error(error, None);
        Failure::World
    };
    let model = args.model.reach(Files::All, args.runtime.cache.as_deref(), terminal)?;
    if !model.folder().is_dir() {
        terminal.error(
            format_args!("there is no model folder `{}`", args.model),
            Some("name a folder that `annotc build` left, such as `build/router`"),
        );
        return Err(Failure::World);
    }
    holds_model(args, model.folder(), terminal)?;
    check_readings(model.folder()).map_err(|error| world(&error))?;
    let library = runtime::open(&args.runtime, args.device.device.unwrap_or_default(), terminal)?;
    let predictor = eval::Predictor::open(&library, model.folder(), build::jobs(args.jobs));
    let mut predictor = predictor.map_err(|error| {
        terminal.error(&error, help(&error));
        Failure::World
    })?;
    let mut window = Window { records: Vec::new(), first: 1 };
    let mut flush = |window: &mut Window| -> Result<(), Failure> {
        let names = window.names();
        let texts: Vec<&str> = window.records.iter().map(|(_, text)| text.as_str()).collect();
        let predicted = predictor.predict(&names, &texts).map_err(|error| world(&error))?;
        for ((mut record, _), predicted) in window.records.drain(..).zip(predicted) {
            record.extend(predicted);
            terminal.answer(Value::Object(record));
        }
        window.first += names.len();
        Ok(())
    };
    for text in &args.text {
        window.push(record_of(text.clone()), text.clone());
    }
    if args.text.is_empty() {
        for (number, line) in lines(args, terminal)?.enumerate() {
            let line = line.map_err(|error| world(&format_args!("line {}: {}", number + 1, context::plain(&error))))?;
            if line.trim().is_empty() {
                continue;
            }
            let parsed = parse(&line, &args.field);
            if parsed.is_err() {
                // What was read before the bad line is not lost.
                flush(&mut window)?;
            }
            let (record, text) = parsed.map_err(|reason| {
                terminal.error(
                    format_args!("line {}: {reason}", number + 1),
                    Some("give JSON objects with the text's field (`--field`), or plain texts"),
                );
                Failure::World
            })?;
            window.push(record, text);
            if window.records.len() == WINDOW {
                flush(&mut window)?;
            }
        }
    }
    if window.records.is_empty() { Ok(()) } else { flush(&mut window) }
}

/// Fails where a folder is none of a model.
fn holds_model(args: &PredictArgs, folder: &Path, terminal: &Terminal) -> Result<(), Failure> {
    if folder.join("model.onnx").is_file() {
        return Ok(());
    }
    if folder.join(MANIFEST).is_file() {
        terminal.error(
            format_args!("`{}` is the folder of a data set, and holds no model", args.model),
            Some("name the folder of a run beside it, such as `build/router`"),
        );
    } else {
        terminal.error(
            format_args!("`{}` holds no `model.onnx`", args.model),
            Some("name a folder that `annotc build` left for a run, such as `build/router`"),
        );
    }
    Err(Failure::World)
}

/// What to do about a model that cannot be opened.
fn help(error: &TrainError) -> Option<&'static str> {
    match error {
        TrainError::Generates { .. } => Some(
            "`predict` is for models that classify texts, find spans in them, or give a number or a vector for each; let \
             this one answer in an `evaluate`, with `generate greedy { answers on }`",
        ),
        TrainError::Unusable { .. } => Some(
            "put back the `model.onnx` that was there, or remove the folder and build the run again; one of your own is \
             exported with `optimum-cli export onnx`",
        ),
        _ => None,
    }
}

/// Records that are predicted together.
struct Window {
    records: Vec<(Map<String, Value>, String)>,
    /// The number of the first one, from 1.
    first: usize,
}

impl Window {
    fn push(&mut self, record: Map<String, Value>, text: String) {
        self.records.push((record, text));
    }

    /// How errors name the records: by their number, never by their text.
    fn names(&self) -> Vec<String> {
        (0..self.records.len()).map(|at| format!("number {}", self.first + at)).collect()
    }
}

fn lines(
    args: &PredictArgs,
    terminal: &Terminal,
) -> Result<Box<dyn Iterator<Item = std::io::Result<String>>>, Failure> {
    match &args.file {
        Some(path) => {
            let file = std::fs::File::open(path).map_err(|error| {
                terminal.error(format_args!("cannot read `{}`: {}", path.display(), context::plain(&error)), None);
                Failure::World
            })?;
            Ok(Box::new(std::io::BufReader::new(file).lines()))
        }
        None => {
            let input = std::io::stdin();
            if input.is_terminal() && terminal.watched() {
                terminal.note("one text a line; Ctrl-D ends");
            }
            Ok(Box::new(input.lock().lines()))
        }
    }
}

/// A line as a record and its text: a JSON object with the field, else the line itself.
fn parse(line: &str, field: &str) -> Result<(Map<String, Value>, String), String> {
    if !line.trim_start().starts_with('{') {
        return Ok((record_of(line.to_string()), line.to_string()));
    }
    let record: Map<String, Value> = match serde_json::from_str(line) {
        Ok(record) => record,
        Err(_) => return Err("this is no JSON object".to_string()),
    };
    match record.get(field) {
        Some(Value::String(text)) => {
            let text = text.clone();
            Ok((record, text))
        }
        Some(_) => Err(format!("field `{field}` is no string")),
        None => Err(format!("there is no field `{field}`")),
    }
}

fn record_of(text: String) -> Map<String, Value> {
    Map::from_iter([("text".to_string(), Value::String(text))])
}
