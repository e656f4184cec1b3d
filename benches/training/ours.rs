//! Trains a model on records of one length, as many steps at a time as it is told:
//! `training MODEL classify|generate all|lora|lora-int8|lora-int4 BATCH LENGTH THREADS [recompute] [f16|bf16]`.
//!
//! It is a whole run of the library, whose every step begins when the one before is reported. Each line of standard input is a
//! number of steps to do; the loss of the last is printed when they are done. At the end of the input the run stops.

use std::fs::File;
use std::io::{BufRead, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use annotc::runtime::{self, Options};
use annotc::train::{
    AdamW, Decay, Event, Extent, ID_COLUMN, Lora, ModelSource, Optimizer, Overflow, Precision, Schedule, Selection,
    Stretch, Task, Tokenizer, TrainError, TrainRun, Tune, Width, train,
};
use arrow::array::{ArrayRef, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;

type Failure = Box<dyn std::error::Error>;

const CLASSES: usize = 16;

const USAGE: &str = "usage: training MODEL classify|generate all|lora|lora-int8|lora-int4 BATCH LENGTH THREADS \
                     [recompute] [f16|bf16]";

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [model, task, tune, batch, length, threads, more @ ..] = arguments.as_slice() else {
        return Err(USAGE.into());
    };
    let (tune, base) = match tune.as_str() {
        "all" => ("all", None),
        "lora" => ("lora", None),
        "lora-int8" => ("lora", Some(Width::Int8)),
        "lora-int4" => ("lora", Some(Width::Int4)),
        _ => return Err(USAGE.into()),
    };
    let says = |word: &str| more.iter().any(|more| more == word);
    let folder = tempfile::tempdir()?;
    let run = TrainRun {
        model: ModelSource::Folder(PathBuf::from(model)),
        pooling: None,
        task: task_of(task, Path::new(model), length.parse()?, &folder.path().join("train.parquet"))?,
        train: folder.path().join("train.parquet"),
        answers: None,
        validation: None,
        extent: Extent::Steps(1_000_000),
        batch: batch.parse()?,
        accumulate: 1,
        schedule: Schedule { rate: 1e-5, decay: Decay::Constant, warmup: Stretch::Steps(0), floor: 0.0 },
        optimizer: Optimizer::AdamW(AdamW::default()),
        head_rate: None,
        clip: Some(1.0),
        smooth: 0.0,
        balanced: false,
        pack: false,
        recompute: says("recompute"),
        precision: match (says("f16"), says("bf16")) {
            (true, _) => Precision::F16,
            (false, true) => Precision::Bf16,
            (false, false) => Precision::F32,
        },
        shuffle: true,
        seed: 1,
        length: Some(length.parse()?),
        overflow: Overflow::KeepStart,
        tune: match tune {
            "all" => Tune::All,
            _ => Tune::Lora(Lora {
                rank: 8,
                alpha: 16.0,
                targets: Vec::new(),
                rank_stabilized: false,
                has_magnitude: false,
                dropout: 0.0,
                base,
            }),
        },
        threads: threads.parse()?,
        selection: Selection::default(),
        checkpoints: None,
        kept_tokens: None,
        memory: None,
        output: folder.path().join("model"),
        held: false,
        provenance: serde_json::Map::new(),
    };
    step_as_told(&run)
}

/// Writes the records, which fill the length, and says what is learnt from them: all of a text that is generated, so that the loss of
/// every token is computed.
fn task_of(task: &str, model: &Path, length: usize, path: &Path) -> Result<Task, Failure> {
    let words =
        |record: usize| (0..1000).map(move |word| ["river", "stone", "lamp", "cloud"][(record + word * word) % 4]);
    let texts: Vec<String> = (0..64).map(|record| words(record).collect::<Vec<_>>().join(" ")).collect();
    let ids: Vec<String> = (0..texts.len()).map(|record| format!("{record:032x}")).collect();
    let values: Vec<String> = (0..CLASSES).map(|class| format!("class {class}")).collect();
    let (columns, task) = match task {
        "classify" => {
            let labels = (0..texts.len()).map(|record| values[record % CLASSES].clone()).collect();
            let task = Task::Classify { text: "text".to_owned(), label: "label".to_owned(), values };
            (vec![(ID_COLUMN, ids), ("text", texts), ("label", labels)], task)
        }
        "generate" => {
            let texts = texts.iter().map(|text| cut(text, model, length)).collect::<Result<Vec<_>, _>>()?;
            let message =
                |text: &String| serde_json::json!([{"role": "completion", "content": text, "train": true}]).to_string();
            let messages = texts.iter().map(message).collect();
            (vec![(ID_COLUMN, ids), ("messages", messages)], Task::Generate { messages: "messages".to_owned() })
        }
        _ => return Err("the task is `classify` or `generate`".into()),
    };
    let arrays = columns.into_iter().map(|(name, values)| (name, Arc::new(StringArray::from(values)) as ArrayRef));
    let table = RecordBatch::try_from_iter(arrays)?;
    let mut writer = ArrowWriter::try_new(File::create(path)?, table.schema(), None)?;
    writer.write(&table)?;
    writer.close()?;
    Ok(task)
}

/// As many words of a text as make so many tokens with those of its begin and end, the last ones a letter each.
fn cut(text: &str, model: &Path, length: usize) -> Result<String, Failure> {
    let tokenizer = Tokenizer::load(model)?;
    let mut kept = String::new();
    for word in text.split(' ').chain(["a"; 8]) {
        let longer = format!("{kept} {word}");
        if tokenizer.encode(longer.trim(), true)?.ids.len() < length {
            kept = longer;
        }
    }
    Ok(kept.trim().to_owned())
}

fn step_as_told(run: &TrainRun) -> Result<(), Failure> {
    let cache = std::env::var_os("ANNOTC_CACHE").ok_or("ANNOTC_CACHE names the folder that holds the library")?;
    let library = runtime::open(&Options::from_environment(None, cache.into()), &mut |_| {})?;
    let mut orders = std::io::stdin().lock().lines();
    let mut next = move || orders.next()?.ok()?.trim().parse::<usize>().ok();
    let mut left = 0;
    let trained = train(run, &library, &mut |event| {
        match event {
            Event::Prepared(_) => answer("ready"),
            Event::Step(report) => {
                left -= 1;
                if left > 0 {
                    return ControlFlow::Continue(());
                }
                answer(&report.loss.to_string());
            }
            _ => return ControlFlow::Continue(()),
        }
        match next() {
            Some(steps) => {
                left = steps;
                ControlFlow::Continue(())
            }
            None => ControlFlow::Break(()),
        }
    });
    match trained {
        Err(TrainError::Interrupted { .. }) | Ok(_) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn answer(text: &str) {
    println!("{text}");
    std::io::stdout().flush().expect("standard output is open");
}
