//! `annotc explain`: the page of a diagnostic code, of a function or of a pack of rules.

use clap::Args;
use serde_json::json;

use super::Failure;
use super::terminal::{Paint, Terminal};
use crate::diagnostics::{Code, closest};
use crate::plan::functions::{self, Function};
use crate::plan::packs::{self, OptionKind, Pack, PackOption};

/// Options of `annotc explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A code or its name, `E0201` or `unknown-field`, a function or a pack of rules; without one, all codes are listed
    #[arg(value_name = "CODE")]
    code: Option<String>,
}

/// Prints a page, or the list of codes.
pub fn run(args: &ExplainArgs, terminal: &Terminal) -> Result<(), Failure> {
    let Some(wanted) = &args.code else {
        for &code in Code::ALL {
            if terminal.json() {
                terminal.answer(json!({ "code": code.id(), "name": code.name() }));
            } else {
                terminal.answer(format_args!("{}  {}", terminal.paint_answer(Paint::Bold, code.id()), code.name()));
            }
        }
        return Ok(());
    };
    let code = Code::ALL.iter().find(|code| code.id().eq_ignore_ascii_case(wanted) || code.name() == wanted.as_str());
    let (mut said, page) = if let Some(code) = code {
        (json!({ "code": code.id(), "name": code.name() }), code.page().to_owned())
    } else if let Some(function) = functions::lookup(wanted) {
        (json!({ "function": function.name, "signature": function.signature() }), function_page(function))
    } else if let Some(pack) = packs::lookup(wanted) {
        (json!({ "pack": pack.name, "rules": pack.written_out("text") }), pack_page(pack))
    } else {
        return Err(unknown(wanted, terminal));
    };
    if terminal.json() {
        said["page"] = json!(page);
        terminal.answer(said);
    } else {
        terminal.answer(page.trim_end());
    }
    Ok(())
}

fn unknown(wanted: &str, terminal: &Terminal) -> Failure {
    let codes = Code::ALL.iter().flat_map(|code| [code.id(), code.name()]);
    let functions = functions::all().iter().map(|function| function.name);
    let names = codes.chain(functions).chain(packs::all().iter().map(|pack| pack.name));
    let help = match closest(wanted, names) {
        Some(name) => format!("did you mean `{name}`?"),
        None => "`annotc explain` lists all codes".to_string(),
    };
    terminal.error(format_args!("there is no code, function or pack `{wanted}`"), Some(&help));
    Failure::Usage
}

fn function_page(function: &'static Function) -> String {
    let examples = function.examples.iter();
    let examples: String =
        examples.map(|example| format!("* `{}` is `{}`\n", function.call(example), example.output)).collect();
    format!("# `{}`\n\n{}\n\n{examples}", function.signature(), function.docs)
}

fn pack_page(pack: &'static Pack) -> String {
    let options: String = pack.options.iter().map(|option| format!("* {}\n", described(option))).collect();
    format!(
        "# `pack {}`\n\n{}\n\n## Options\n\n`off` takes out the rules that need an option.\n\n{options}\n## Rules\n\n```annot\n{}```\n",
        pack.name,
        pack.docs,
        pack.written_out("text")
    )
}

/// An option with its default, and what it is.
fn described(option: &PackOption) -> String {
    let default = match option.kind {
        OptionKind::Whole(default, ..) => default.to_string(),
        OptionKind::Number(default, ..) => default.to_string(),
        OptionKind::Switch => "on".to_owned(),
    };
    format!("`{} {default}`: {}", option.name, option.docs)
}
