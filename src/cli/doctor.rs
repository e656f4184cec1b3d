//! `annotc doctor`: what is missing on this machine and how to get it.

use clap::Args;
use serde_json::json;

use super::terminal::{Paint, Terminal};
use super::{Failure, RuntimeArgs, runtime};
use crate::runtime::{Health, doctor};

/// Options of `annotc doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    #[command(flatten)]
    runtime: RuntimeArgs,
}

/// Checks the machine; something that training cannot do without is a failure of the world.
pub fn run(args: &DoctorArgs, terminal: &Terminal) -> Result<(), Failure> {
    let checks = doctor(&runtime::options(&args.runtime));
    for check in &checks {
        let (paint, mark) = match check.health {
            Health::Good => (Paint::Green, "ok"),
            Health::Warning => (Paint::Yellow, "note"),
            Health::Bad => (Paint::Red, "missing"),
        };
        if terminal.json() {
            terminal.answer(json!({
                "check": check.name, "health": mark, "found": check.found, "way_out": check.way_out,
            }));
            continue;
        }
        let mark = terminal.paint_answer(paint, &format!("{mark:>8}"));
        terminal.answer(format_args!("{mark}  {}: {}", check.name, check.found));
        if let Some(way_out) = &check.way_out {
            terminal.answer(format_args!("{:>8}  → {way_out}", ""));
        }
    }
    if checks.iter().any(|check| check.health == Health::Bad) { Err(Failure::World) } else { Ok(()) }
}
