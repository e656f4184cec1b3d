//! `annotc eval`: what evaluations left, looked at again. No model is run.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::Failure;
use super::out::{Files, Out};
use super::terminal::Terminal;
use crate::emit::runs::{self, evaluations_of};
use crate::eval::{self, EXCHANGES, Predictions, REPLICATES, RunComparison};
use crate::train::check_readings;

/// Options of `annotc eval`.
#[derive(Debug, Args)]
#[command(after_help = "\
Two runs are compared on the records that both were evaluated on: the figures of both, a 95 % interval of the difference \
from a paired bootstrap, and the probability of such a difference between runs that are equally good. Shares of right \
records are tested by McNemar's exact test, all other figures by approximate randomization. A run whose tokenizer, chat template \
or labels are not those that it was trained with any more is refused, and so are predictions that are not those that its \
evaluation left.

  annotc eval --compare build/small build/large
  annotc eval --compare build/small build/large --on shop.test --format json")]
pub struct EvalArgs {
    /// Compare the evaluations of two runs, by their folders or their addresses in an object store
    #[arg(long, num_args = 2, value_names = ["RUN_A", "RUN_B"], required = true)]
    compare: Vec<Out>,
    /// The evaluation to compare, where the runs have several in common
    #[arg(long, value_name = "DATASET.PART")]
    on: Option<String>,
    /// Keys the draws of the bootstrap and of the tests
    #[arg(long, value_name = "N", default_value = "0")]
    seed: u64,
    /// The folder into which files of an address are fetched [default: the user's cache folder]
    #[arg(long, value_name = "DIR", env = "ANNOTC_CACHE")]
    cache: Option<PathBuf>,
}

/// Compares two runs.
pub fn run(args: &EvalArgs, terminal: &Terminal) -> Result<(), Failure> {
    let [first_out, second_out] = args.compare.as_slice() else { unreachable!("the command line takes two folders") };
    let reach = |out: &Out| out.reach(Files::AllButWeights, args.cache.as_deref(), terminal);
    let (first, second) = (reach(first_out)?, reach(second_out)?);
    let (first, second) = (first.folder(), second.folder());
    for folder in [first, second] {
        check_readings(folder).map_err(|error| {
            terminal.error(error, None);
            Failure::World
        })?;
    }
    let evaluation = common(first, second, args.on.as_deref(), terminal)?;
    let (a, b) = (predictions(first, &evaluation, terminal)?, predictions(second, &evaluation, terminal)?);
    let compared = eval::compare(&a, &b, args.seed).map_err(|error| {
        let help = "build both runs again on the same data set: `annotc build SPEC`";
        terminal.error(format_args!("{first_out} and {second_out}: {error}"), Some(help));
        Failure::World
    })?;
    if terminal.json() {
        terminal.answer(to_json(&compared, args.seed, &evaluation, [first_out, second_out]));
    } else {
        terminal.answer(format_args!("on {evaluation}"));
        let [first, second] = first_out.apart(second_out);
        terminal.answer(eval::comparison_table(&compared, &first, &second).trim_end());
    }
    Ok(())
}

/// The evaluation that both runs have: the one that is asked for, else the only one.
fn common(first: &Path, second: &Path, asked: Option<&str>, terminal: &Terminal) -> Result<String, Failure> {
    let names = |folder: &Path| {
        evaluations_of(folder).map_err(|error| {
            terminal.error(error, None);
            Failure::World
        })
    };
    let others = names(second)?;
    let mut common = names(first)?;
    common.retain(|name| others.contains(name) && asked.is_none_or(|asked| asked == name));
    match common.as_slice() {
        [one] => Ok(one.clone()),
        [] => {
            let message = match asked {
                Some(asked) => format!("`{asked}` is no evaluation of both runs"),
                None => "the runs have no evaluation in common".to_string(),
            };
            terminal.error(message, Some("evaluate both on the same part and build them: `annotc build SPEC`"));
            Err(Failure::World)
        }
        several => {
            let message = format!("the runs have {} evaluations in common", several.len());
            terminal.error(message, Some(&format!("name one: `--on {}`", several.join("`, `--on "))));
            Err(Failure::Usage)
        }
    }
}

fn predictions(folder: &Path, evaluation: &str, terminal: &Terminal) -> Result<Predictions, Failure> {
    let fail = |message: &dyn std::fmt::Display| {
        terminal.error(message, None);
        Failure::World
    };
    let text = runs::predictions(folder, evaluation).map_err(|error| fail(&error))?;
    let path = runs::predictions_path(folder, evaluation);
    eval::read_predictions(&text).map_err(|reason| fail(&format_args!("cannot read {}: {reason}", path.display())))
}

fn to_json(compared: &RunComparison, seed: u64, evaluation: &str, runs: [&Out; 2]) -> Value {
    let finite = |number: f64| Some(number).filter(|number| number.is_finite());
    let figure = |figure: &eval::ComparedFigure| {
        json!({
            "metric": figure.metric.to_string(),
            "first": finite(figure.first),
            "second": finite(figure.second),
            "difference": finite(figure.second - figure.first),
            "interval": figure.interval.map(|interval| [interval.low, interval.high]),
            "p": figure.p,
            "test": figure.test.name(),
            "higher_is_better": figure.metric.higher_is_better(),
        })
    };
    json!({
        "schema": "annotc.comparison/1",
        "evaluation": evaluation,
        "runs": runs.map(ToString::to_string),
        "records": compared.records,
        "seed": seed,
        "level": 0.95,
        "replicates": REPLICATES,
        "exchanges": EXCHANGES,
        "figures": compared.figures.iter().map(figure).collect::<Vec<_>>(),
    })
}
