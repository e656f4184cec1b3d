//! `annotc explain`: the page of a diagnostic code.

use clap::Args;

use super::Failure;
use super::terminal::{Paint, Terminal};
use crate::diagnostics::{Code, closest};

/// Options of `annotc explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A code or its name, `E0201` or `unknown-field`; without one, all codes are listed
    code: Option<String>,
}

/// Prints a code's page, or the list of codes.
pub fn run(args: &ExplainArgs, terminal: &Terminal) -> Result<(), Failure> {
    let Some(wanted) = &args.code else {
        for &code in Code::ALL {
            if terminal.json() {
                terminal.answer(serde_json::json!({ "code": code.id(), "name": code.name() }));
            } else {
                terminal.answer(format_args!("{}  {}", terminal.paint_answer(Paint::Bold, code.id()), code.name()));
            }
        }
        return Ok(());
    };
    let found = Code::ALL.iter().find(|code| code.id().eq_ignore_ascii_case(wanted) || code.name() == wanted.as_str());
    let Some(&code) = found else {
        let names = Code::ALL.iter().flat_map(|code| [code.id(), code.name()]);
        let help = match closest(wanted, names) {
            Some(name) => format!("did you mean `{name}`?"),
            None => "`annotc explain` lists all codes".to_string(),
        };
        terminal.error(format_args!("there is no code `{wanted}`"), Some(&help));
        return Err(Failure::Usage);
    };
    if terminal.json() {
        terminal.answer(serde_json::json!({ "code": code.id(), "name": code.name(), "page": code.page() }));
    } else {
        terminal.answer(code.page().trim_end());
    }
    Ok(())
}
