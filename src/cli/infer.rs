//! `annotc infer`: a `source` block for files that are there already.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::check::counted;
use super::terminal::{Paint, Terminal};
use super::{Failure, context};
use crate::emit::count as grouped;
use crate::engine::EngineError;
use crate::engine::read::{RawRecords, Sizes, each_object};
use crate::hir::{Compression, ReadOptions, SourceFormat, extension};
use crate::infer::{Field, Inference, Inferred, Role, write_block, write_type};
use crate::syntax::written_name;

/// Bad rows of a file whose places are told.
const PLACES: usize = 3;

/// Options of `annotc infer`.
#[derive(Debug, Args)]
#[command(after_help = "\
The block reads every row that could be read: a build with it quarantines none of them. Types, nulls, nested records \
and lists are those of the data; `@key` stands only at a field that differs in every row and is named like an identity; \
`@personal` names the kinds that annotc's own detectors found. No value of the data is printed. Paths are written as they \
were given: a spec in another folder needs them from there.

  annotc infer data/tickets.jsonl                 one file
  annotc infer data/2024.csv data/2025.csv        their union, as one source
  annotc infer data/tickets.jsonl >> shop.annot   at the end of a spec

Exit status: 0 done · 2 usage · 4 a file cannot be read, or holds nothing that can be declared")]
pub struct InferArgs {
    /// JSON, CSV, Parquet, Arrow, Avro or SQLite files of one format; several are read as one source
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The source's name [default: that of the first file]
    #[arg(long, value_name = "NAME", value_parser = parse_name)]
    name: Option<String>,
    /// Read the first N rows of each file [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    rows: Option<u64>,
    /// The table or view of a database that has several
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
    /// The folder for what can be made again [default: the user's cache folder]
    #[arg(long, value_name = "DIR", env = "ANNOTC_CACHE")]
    cache: Option<PathBuf>,
}

/// What became of one file's rows.
struct Read {
    path: String,
    rows: u64,
    unreadable: u64,
    /// Whether rows were left unread because of `--rows`.
    cut: bool,
}

/// Reads the files and prints the block.
pub fn run(args: &InferArgs, terminal: &Terminal) -> Result<(), Failure> {
    let formats = args.files.iter().map(|file| format_of(file, terminal)).collect::<Result<Vec<_>, _>>()?;
    let (format, says_format) = formats[0];
    if let Some((other, _)) = args.files.iter().zip(&formats).find(|(_, (one, _))| *one != format) {
        terminal.error(
            format_args!("`{}` and `{}` are of two formats", args.files[0].display(), other.display()),
            Some("one source has one format: infer a source for each"),
        );
        return Err(Failure::Usage);
    }
    let mut inference = Inference::new(format);
    inference.of_table(args.table.clone().filter(|_| format == SourceFormat::Sqlite));
    let mut reads = Vec::new();
    for file in &args.files {
        reads.push(match format.is_text() {
            true => read(file, format, args.rows, &mut inference, terminal)?,
            false => read_table(file, format, args, &mut inference, terminal)?,
        });
    }
    let name = args.name.clone().unwrap_or_else(|| source_name(&args.files[0]));
    let inferred = inference.finish(&name);
    if inferred.fields.is_empty() {
        let what = if inferred.rows == 0 { "no row that can be read" } else { "no field that can be declared" };
        terminal.error(
            format_args!("{what} in {}", shown(&reads)),
            Some("is it what its ending says: objects, or rows under a header?"),
        );
        return Err(Failure::World);
    }
    let paths: Vec<String> = reads.iter().map(|read| glob::Pattern::escape(&read.path)).collect();
    let says_format = says_format || formats.iter().any(|(_, says)| *says);
    let block = write_block(&inferred, &paths, says_format);
    if terminal.json() {
        terminal.answer(facts(&inferred, &reads, &block));
    } else {
        report(&inferred, &reads, terminal);
        terminal.answer(block.trim_end());
    }
    Ok(())
}

/// The format of a file, and whether a spec has to say it: by the ending, else by the first character.
fn format_of(file: &Path, terminal: &Terminal) -> Result<(SourceFormat, bool), Failure> {
    let refuse = |what: &str, help: &str| {
        terminal.error(format_args!("`{}` {what}", file.display()), Some(help));
        Err(Failure::Usage)
    };
    let ending = extension(&file.to_string_lossy());
    match ending.as_deref().and_then(SourceFormat::of_ending) {
        // An export may be called `.txt` whatever it holds.
        Some(SourceFormat::Text) | None => {}
        Some(SourceFormat::Conll | SourceFormat::Markdown | SourceFormat::Html) => {
            return refuse("has the fields of its format", "the page of sources says which: there is nothing to infer");
        }
        Some(format) if !format.is_text() && Compression::of_name(&file.to_string_lossy()) != Compression::None => {
            return refuse("is an archive", "unpack it first: such a file is compressed inside, where at all");
        }
        Some(format) => return Ok((format, false)),
    }
    if matches!(ending.as_deref(), Some("bz2" | "xz" | "zip")) {
        return refuse(
            "is compressed in a way that is not read",
            "unpack it first; `.gz` and `.zst` are read as they are",
        );
    }
    match first_character(file, terminal)? {
        Some(b'{') => Ok((SourceFormat::Jsonl, true)),
        Some(b'[') => Ok((SourceFormat::Json, true)),
        _ => refuse(
            "has no ending that says its format",
            "name a file such as `data.jsonl`, `data.csv` or `data.parquet`",
        ),
    }
}

/// The first character that is no space.
fn first_character(file: &Path, terminal: &Terminal) -> Result<Option<u8>, Failure> {
    use std::io::Read;
    let mut begin = Vec::new();
    let read = std::fs::File::open(file).and_then(|open| open.take(4096).read_to_end(&mut begin));
    read.map_err(|error| {
        terminal.error(format_args!("cannot read `{}`: {}", file.display(), context::plain(&error)), None);
        Failure::World
    })?;
    let text = begin.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&begin);
    Ok(text.iter().copied().find(|byte| !byte.is_ascii_whitespace()))
}

/// Gives all rows of a file, or the first ones, to the inference.
fn read(
    file: &Path,
    format: SourceFormat,
    limit: Option<u64>,
    inference: &mut Inference,
    terminal: &Terminal,
) -> Result<Read, Failure> {
    let world = |error: crate::engine::EngineError| {
        terminal.error(error, None);
        Failure::World
    };
    let (header, mut records) =
        RawRecords::open(file, format, &ReadOptions::of(format), Sizes::default().row).map_err(world)?;
    inference.begin_file(header);
    let path = file.to_string_lossy().replace('\\', "/");
    let mut read = Read { path, rows: 0, unreadable: 0, cut: false };
    while let Some(record) = records.next_record().map_err(world)? {
        if limit.is_some_and(|limit| read.rows == limit) {
            read.cut = true;
            break;
        }
        read.rows += 1;
        let line = record.line;
        if let Err(reason) = record.text.and_then(|text| inference.take(text)) {
            read.unreadable += 1;
            if read.unreadable as usize <= PLACES && !terminal.json() {
                terminal.status(Paint::Yellow, "Unreadable", format_args!("{}:{line}: {reason}", file.display()));
            }
        }
    }
    Ok(read)
}

/// Gives all rows of a file that is a table, or the first ones, to the inference.
fn read_table(
    file: &Path,
    format: SourceFormat,
    args: &InferArgs,
    inference: &mut Inference,
    terminal: &Terminal,
) -> Result<Read, Failure> {
    let path = file.to_string_lossy().replace('\\', "/");
    let mut read = Read { path, rows: 0, unreadable: 0, cut: false };
    let scratch = super::runtime::cache_folder(args.cache.as_deref()).join("scratch");
    inference.begin_file(Vec::new());
    let limit = args.rows.unwrap_or(u64::MAX);
    let table = args.table.as_deref();
    let given = each_object(file, format, table, limit, &scratch, &mut |object| {
        read.rows += 1;
        read.unreadable += u64::from(inference.take(object).is_err());
    });
    let (untyped, cut) = given.map_err(|error| {
        let help = match &error {
            EngineError::Misread { .. } if format == SourceFormat::Sqlite && table.is_none() => {
                Some("`--table` names the table of a database")
            }
            EngineError::Misread { help, .. } => Some(*help),
            _ => None,
        };
        terminal.error(error, help);
        Failure::World
    })?;
    inference.leave_out(untyped);
    Ok(Read { cut, ..read })
}

/// What was read, on standard error.
fn report(inferred: &Inferred, reads: &[Read], terminal: &Terminal) {
    let rows: u64 = reads.iter().map(|read| read.rows).sum();
    let unreadable: u64 = reads.iter().map(|read| read.unreadable).sum();
    let mut about = format!("{} rows of {}", grouped(rows), shown(reads));
    if reads.iter().any(|read| read.cut) {
        about.push_str(", the first ones of each: what stands behind them may not fit");
    }
    terminal.status(Paint::Green, "Read", about);
    if unreadable > 0 {
        let rows = counted(unreadable as usize, "row");
        terminal.note(format_args!("{rows} could not be read: a build quarantines them"));
    }
    if !inferred.left_out.is_empty() {
        terminal
            .note(format_args!("{} could not be declared: see the block", counted(inferred.left_out.len(), "field")));
    }
}

fn shown(reads: &[Read]) -> String {
    match reads {
        [one] => format!("`{}`", one.path),
        several => counted(several.len(), "file"),
    }
}

/// The facts for programs. They hold names and counts, and no value.
fn facts(inferred: &Inferred, reads: &[Read], block: &str) -> Value {
    let files: Vec<Value> = reads
        .iter()
        .map(|read| json!({ "path": read.path, "rows": read.rows, "unreadable": read.unreadable, "cut": read.cut }))
        .collect();
    let left_out: Vec<Value> =
        inferred.left_out.iter().map(|left| json!({ "key": left.key, "why": left.why })).collect();
    json!({
        "source": inferred.name,
        "format": inferred.format.word(),
        "files": files,
        "rows": inferred.rows,
        "fields": inferred.fields.iter().map(field_facts).collect::<Vec<_>>(),
        "left_out": left_out,
        "block": block,
    })
}

fn field_facts(field: &Field) -> Value {
    let personal: serde_json::Map<String, Value> =
        field.personal.iter().map(|(kind, count)| ((*kind).to_string(), json!(count))).collect();
    let role = match field.role {
        Role::Plain => Value::Null,
        Role::Key => json!("key"),
        Role::Unique => json!("unique"),
        Role::Label => json!("label"),
        Role::Part(_) => json!("part"),
    };
    json!({
        "name": field.name,
        "column": field.column,
        "type": write_type(&field.ty),
        "nulls": field.nulls,
        "distinct": field.distinct,
        "personal": personal,
        "looks_like": role,
        "without": field.without,
    })
}

/// A source's name from a file's: `Contact form (2024).jsonl` is `contact_form_2024`.
fn source_name(file: &Path) -> String {
    let mut stem = file.file_stem().map(|stem| stem.to_string_lossy().to_lowercase()).unwrap_or_default();
    if Compression::of_name(&file.to_string_lossy()) != Compression::None {
        stem = Path::new(&stem).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    }
    let words: Vec<&str> = stem.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let name = words.join("_");
    let begins_well = name.starts_with(char::is_alphabetic);
    if begins_well { name } else { format!("source_{name}").trim_end_matches('_').to_string() }
}

fn parse_name(text: &str) -> Result<String, String> {
    match written_name(text) {
        Some(_) => Ok(text.to_string()),
        None => Err("a name is not empty and has no backtick".to_string()),
    }
}
