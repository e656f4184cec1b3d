//! `annotc new`: a folder with a spec that builds, and a little data for it.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::json;

use super::terminal::{Paint, Terminal};
use super::{Failure, context};

/// Stands in the templates where the spec's name belongs.
const NAME: &str = "NAME";

/// Options of `annotc new`.
#[derive(Debug, Args)]
#[command(after_help = "\
Nothing is asked and no file is replaced. The spec is written to be read from top to bottom; it checks, passes its own \
tests and builds as it is. The data beside it was written for it and is in the public domain.

  annotc new tickets                a folder `tickets` with tickets.annot
  annotc new tickets --kind chat    instruction data, without training
  annotc new .                      into this folder, named after it")]
pub struct NewArgs {
    /// The folder to make; its last part names the spec
    #[arg(value_name = "NAME|DIR", default_value = "my-dataset")]
    folder: PathBuf,
    /// What the spec is about
    #[arg(long, value_enum, default_value = "classify")]
    kind: Kind,
}

/// The specs to begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Texts with one label each, and a small encoder that is trained on them in seconds
    Classify,
    /// Questions with answers as instruction data for a chat model, without training
    Chat,
}

/// A file of a kind: its path with `NAME` for the spec's name, and its text likewise.
type Template = (&'static str, &'static str);

const IGNORE: Template = (".gitignore", include_str!("gitignore"));
const CLASSIFY: &[Template] = &[
    ("NAME.annot", include_str!("classify/spec.annot")),
    ("data/tickets.jsonl", include_str!("classify/tickets.jsonl")),
    IGNORE,
];
const CHAT: &[Template] = &[
    ("NAME.annot", include_str!("chat/spec.annot")),
    ("data/questions.jsonl", include_str!("chat/questions.jsonl")),
    IGNORE,
];

impl Kind {
    fn templates(self) -> &'static [Template] {
        match self {
            Self::Classify => CLASSIFY,
            Self::Chat => CHAT,
        }
    }
}

/// Writes the files and says what to do next.
pub fn run(args: &NewArgs, terminal: &Terminal) -> Result<(), Failure> {
    let Some(name) = name_of(&args.folder) else {
        terminal.error(
            format_args!("`{}` names no spec", args.folder.display()),
            Some("name a folder whose name has a letter or a digit: `annotc new tickets`"),
        );
        return Err(Failure::Usage);
    };
    let files: Vec<(PathBuf, String)> = args
        .kind
        .templates()
        .iter()
        .map(|(path, text)| (args.folder.join(path.replace(NAME, &name)), text.replace(NAME, &name)))
        .collect();
    if let Some((path, _)) = files.iter().find(|(path, _)| path.symlink_metadata().is_ok()) {
        terminal.error(
            format_args!("`{}` is there already, and no file is replaced", path.display()),
            Some("name another folder"),
        );
        return Err(Failure::Usage);
    }
    for (path, text) in &files {
        write(path, text).map_err(|error| {
            terminal.error(format_args!("cannot write `{}`: {}", path.display(), context::plain(&error)), None);
            Failure::World
        })?;
    }
    tell(args, &files, terminal);
    Ok(())
}

/// The spec's name: the folder's own, also of `.` and `..`. It becomes a file's name and stands in comments.
fn name_of(folder: &Path) -> Option<String> {
    let named = match folder.file_name() {
        Some(name) => name.to_owned(),
        None => fs::canonicalize(folder).ok()?.file_name()?.to_owned(),
    };
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name: String = named.to_string_lossy().chars().map(|c| if fits(c) { c } else { '-' }).collect();
    let name = name.trim_matches(['-', '.']).to_string();
    name.contains(char::is_alphanumeric).then_some(name)
}

/// A file that was not there before, even if somebody makes one meanwhile.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    match file.write_all(text.as_bytes()) {
        Err(error) if error.kind() == ErrorKind::WriteZero => Err(ErrorKind::StorageFull.into()),
        written => written,
    }
}

fn tell(args: &NewArgs, files: &[(PathBuf, String)], terminal: &Terminal) {
    let spec = files[0].0.display();
    if terminal.json() {
        let files: Vec<_> = files.iter().map(|(path, _)| path).collect();
        terminal.answer(json!({ "folder": args.folder, "spec": files[0], "files": files }));
        return;
    }
    for (path, _) in files {
        terminal.status(Paint::Green, "Wrote", path.display());
    }
    let built = match args.kind {
        Kind::Classify => "the data set, a small model trained on it, and its figures",
        Kind::Chat => "the data set, in two formats",
    };
    let next = [
        ("check", "what is wrong with it, before any data is read"),
        ("test", "its own tests of single rules"),
        ("preview", "some records as they will be written"),
        ("build", built),
    ];
    terminal.answer("Next:");
    let width = next.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
    for (command, what) in next {
        let line = format!("  annotc {command:width$} {spec}");
        terminal.answer(format_args!("{line}  {}", terminal.paint_answer(Paint::Dim, &format!("# {what}"))));
    }
}
