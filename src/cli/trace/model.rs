//! `annotc trace --model`: when a finished run was trained on a record.

use serde_json::{Value, json};

use crate::cli::Failure;
use crate::cli::check::counted;
use crate::cli::out::Reached;
use crate::cli::terminal::{Paint, Terminal};
use crate::emit::trace::Wanted;
use crate::shown::printable;
use crate::train::{Custody, RecordUse, RecordUses};

/// Records told at most; a prefix that more records share is too short to be of use.
const LIMIT: usize = 20;

/// The digits of another record's id that are shown.
const ID_DIGITS: usize = 12;

/// Prints when the records that are meant were trained on; none is a failure.
pub fn run(model: &Reached, wanted: &Wanted, terminal: &Terminal) -> Result<(), Failure> {
    let Wanted::Id(id) = wanted else {
        let help = "`annotc trace FILE:LINE` says which id a row has";
        terminal.error("a model knows records by their ids", Some(help));
        return Err(Failure::Usage);
    };
    let custody = Custody::open(model.folder()).map_err(|error| {
        terminal.error(error, None);
        Failure::World
    })?;
    let found = custody.uses(id);
    if found.is_empty() {
        let records = counted(custody.len(), "record");
        terminal.error(
            format_args!("no record whose id begins with {id} was trained on in `{}`", model.named(model.folder()).display()),
            Some(&format!("it was trained on {records}, which `records.parquet` lists; `annotc trace {id}` says what became of one")),
        );
        return Err(Failure::Spec);
    }
    for record in found.iter().take(LIMIT) {
        if terminal.json() {
            terminal.answer(facts(&custody, record));
        } else {
            tell(&custody, record, terminal);
        }
    }
    if found.len() > LIMIT && !terminal.json() {
        terminal.answer(format_args!("{} more records have an id that begins so", found.len() - LIMIT));
    }
    Ok(())
}

fn tell(custody: &Custody, record: &RecordUses, terminal: &Terminal) {
    let id = terminal.paint_answer(Paint::Bold, &printable(&record.id));
    let run = printable(custody.provenance["run"].as_str().unwrap_or_default());
    let times = counted(record.uses.len(), "time");
    terminal
        .answer(format_args!("{id}: {run} was trained on it {times}, {}", counted(record.tokens as usize, "token")));
    for one in &record.uses {
        let RecordUse { epoch, step, micro_batch, row, beside, in_weights } = one;
        let others: Vec<String> =
            beside.iter().map(|id| printable(&id.chars().take(ID_DIGITS).collect::<String>())).collect();
        let others = if others.is_empty() { String::new() } else { format!(", beside {}", others.join(", ")) };
        let line = format!("  epoch {epoch}, step {step}, micro-batch {micro_batch}, row {row}{others}");
        if *in_weights {
            terminal.answer(line);
        } else {
            terminal.answer(terminal.paint_answer(Paint::Dim, &format!("{line} (behind the weights that were kept)")));
        }
    }
    let weights = custody.provenance["weights"].as_str().unwrap_or_default();
    let shown: String = weights.chars().take(ID_DIGITS).collect();
    let line = format!("  the weights {shown} are those of step {}; every link to them holds", custody.weights_step());
    terminal.answer(terminal.paint_answer(Paint::Dim, &line));
}

fn facts(custody: &Custody, record: &RecordUses) -> Value {
    let one = |one: &RecordUse| {
        json!({
            "epoch": one.epoch,
            "step": one.step,
            "micro_batch": one.micro_batch,
            "row": one.row,
            "beside": one.beside,
            "in_weights": one.in_weights,
        })
    };
    json!({
        "schema": "annotc.uses/1",
        "run": custody.provenance["run"],
        "id": record.id,
        "tokens": record.tokens,
        "weights": custody.provenance["weights"],
        "weights_step": custody.weights_step(),
        "uses": record.uses.iter().map(one).collect::<Vec<_>>(),
    })
}
