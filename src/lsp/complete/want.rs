//! What a place needs, told by the block and the words before the cursor alone: it holds also while the statement is
//! half written.

use super::expression::value;
use super::gathering::{decontaminate, dedup, sample};
use super::place::Place;
use crate::semantic::SymbolKind;
use crate::semantic::vocabulary::{self, Row};
use crate::syntax::Block;

/// One kind of thing that may stand at a place.
#[derive(Debug, Clone, PartialEq)]
pub enum Want {
    /// A word that begins a statement of a block.
    Statement(Block),
    /// The name of a declaration of one of these kinds.
    Declared(&'static [SymbolKind]),
    /// A field of the record.
    Field,
    /// A field of a source, by the source's name.
    FieldOf(String),
    /// What has a value: fields, constants, functions.
    Value,
    /// A function, which takes what stands before it.
    Function,
    /// A value of the label that a name has: a label's own name, or a field's.
    ValueOf(String),
    /// A value of the label that a run learns.
    LearntBy(String),
    /// A part of a data set's split.
    PartOf(String),
    /// A name that another file declares.
    ExportOf(String),
    /// A row of one of the language's lists.
    Rows(Vec<Row>),
    /// One of these words.
    Words(&'static [&'static str]),
}

use Want::{Declared, Field, FieldOf, PartOf, Rows, Statement, Value, ValueOf, Words};

/// What may stand at a place.
pub fn wanted(place: &Place<'_>) -> Vec<Want> {
    let words = place.words();
    match place.block {
        Block::File => file(&words),
        Block::Source => source(&words),
        Block::Fields => field(&words),
        Block::Values => values(&words),
        Block::Constraints | Block::Clean => clean(place.block, &words),
        Block::Policy => policy(&words),
        Block::Template => template(&words),
        Block::Dataset => dataset(&words),
        Block::LabelSources => label_source(&words, &place.owner(0)),
        Block::Model => model(&words),
        Block::Train => train(&words),
        Block::Evaluate => evaluate(&words, &place.owner(0)),
        Block::Test => test(&words),
        Block::Arms => arm(&words, &place.owner(0), &place.owner(1)),
        Block::Settings if matches!(words[..], ["rslora" | "dora"]) => vec![Words(&["on", "off"])],
        Block::Settings if words == ["base"] && place.owner(0).get(1) == Some(&"lora") => {
            vec![Words(&["float32", "int8", "int4"])]
        }
        Block::Settings if words.is_empty() => {
            let owner = place.owner(0);
            vec![Rows(vocabulary::options(owner.first().unwrap_or(&""), owner.get(1).unwrap_or(&"")))]
        }
        Block::Settings => Vec::new(),
    }
}

fn file(words: &[&str]) -> Vec<Want> {
    const TESTED: &[SymbolKind] = &[SymbolKind::Clean, SymbolKind::Policy, SymbolKind::Template, SymbolKind::Label];
    match words {
        [] => vec![Statement(Block::File)],
        ["label", _, ":"] => vec![Rows(vocabulary::label_schemas())],
        ["label", _, ":", "choice" | "choices"] | ["label", _, ":", "choices", .., ")"] => vec![Words(&["from"])],
        ["label", _, ":", "spans"] => vec![Words(&["over"])],
        ["label", _, ":", "spans", "over"] => vec![Field],
        ["label", .., "from", source, "."] => vec![FieldOf(plain(source))],
        ["label", .., "from"] => vec![Declared(&[SymbolKind::Source])],
        ["template", _, ":"] => vec![Rows(vocabulary::template_kinds())],
        ["evaluate"] => vec![Declared(&[SymbolKind::Train])],
        ["evaluate", _] => vec![Words(&["on"])],
        ["evaluate", _, "on"] => vec![Declared(&[SymbolKind::Dataset])],
        ["evaluate", _, "on", dataset, "."] => vec![PartOf(plain(dataset))],
        ["test"] => vec![Declared(TESTED)],
        ["use", path, .., ":" | ","] => vec![Want::ExportOf(path.trim_matches('"').to_owned())],
        ["use", _, ":", .., _] => vec![Words(&["as"])],
        ["let", _, "=", rest @ ..] => value(rest),
        ["fn", ..] => match words.iter().position(|word| *word == "=") {
            Some(at) => value(&words[at + 1..]),
            None if words.last() == Some(&":") => vec![Rows(vocabulary::types()), Declared(&[SymbolKind::Label])],
            None => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn source(words: &[&str]) -> Vec<Want> {
    match words {
        [] => vec![Statement(Block::Source)],
        ["format"] => vec![Rows(vocabulary::source_formats())],
        ["on_bad_row"] => vec![Words(&["quarantine", "fail"])],
        ["row"] => vec![Words(&["at"])],
        ["row", "at"] => vec![Words(&["most"])],
        ["row", "at", "most", _] => vec![Words(&["KiB", "MiB", "GiB"])],
        ["license"] => vec![Rows(vocabulary::licences())],
        _ => Vec::new(),
    }
}

fn field(words: &[&str]) -> Vec<Want> {
    match words {
        [.., "@"] => vec![Rows(vocabulary::attributes())],
        _ if words.windows(3).any(|three| three == ["@", "personal", "("]) && words.last() != Some(&")") => {
            vec![Rows(vocabulary::personal_kinds())]
        }
        [.., ":" | "<"] => vec![Rows(vocabulary::types()), Declared(&[SymbolKind::Label])],
        _ => Vec::new(),
    }
}

fn values(words: &[&str]) -> Vec<Want> {
    match words {
        [] | [_, .., "key"] => Vec::new(),
        _ => vec![Words(&["key"])],
    }
}

fn clean(block: Block, words: &[&str]) -> Vec<Want> {
    match words {
        [] => vec![Statement(block)],
        ["set"] => vec![Field],
        ["dedup"] => vec![Field, Words(&["lines of", "sentences of", "substrings of"])],
        ["dedup", rest @ ..] => dedup(rest),
        ["decontaminate", rest @ ..] => decontaminate(rest),
        ["set", _, "=", rest @ ..] => value(rest),
        ["drop", _] => vec![Words(&["when"])],
        ["drop", _, "when", rest @ ..] => value(rest),
        ["pack"] => vec![Rows(vocabulary::packs())],
        ["pack", _] => vec![Words(&["of"])],
        ["pack", _, "of"] => vec![Field],
        ["when", rest @ ..] => match rest.iter().rposition(|word| *word == "require") {
            Some(at) => value(&rest[at + 1..]),
            None => [value(rest), vec![Words(&["require"])]].concat(),
        },
        _ => Vec::new(),
    }
}

fn policy(words: &[&str]) -> Vec<Want> {
    match words {
        [] => vec![Statement(Block::Policy)],
        ["redact", rest @ ..] if rest.contains(&":") => vec![Rows(vocabulary::detectors())],
        ["redact", .., "@"] => vec![Words(&["personal"])],
        ["redact"] | ["redact", .., ","] => vec![Field, Words(&["@personal"])],
        ["forbid", _] => vec![Words(&["when"])],
        ["forbid", .., "else"] => vec![Words(&["drop"])],
        ["forbid", _, "when", rest @ ..] => [value(rest), vec![Words(&["else drop"])]].concat(),
        ["allow"] => vec![Words(&["license", "personal"])],
        ["allow", "license"] => vec![Words(&["in"])],
        ["allow", "license", "in", ..] => vec![Rows(vocabulary::licences())],
        ["allow", "personal"] | ["allow", "personal", .., ","] => vec![Field],
        ["allow", "personal", ..] => vec![Words(&["because"])],
        ["require", .., "per"] => vec![Field],
        ["require"] => vec![Rows(vocabulary::aggregates())],
        ["require", ..] => vec![Words(&["per"])],
        ["keep"] => vec![Words(&["for"])],
        ["keep", "for", _] => vec![Words(&["days", "weeks", "months", "years"])],
        ["keep", "for", _, _] => vec![Words(&["from"])],
        ["keep", .., "from"] => vec![Field],
        ["k_anonymous", _] => vec![Words(&["over"])],
        ["k_anonymous", _, "over", "(", ..] => vec![Field],
        _ => Vec::new(),
    }
}

fn template(words: &[&str]) -> Vec<Want> {
    match words {
        [] => vec![Statement(Block::Template)],
        ["turns"] | ["mute", "turns"] => vec![Field],
        ["mute"] => vec![Words(&["assistant", "turns"])],
        _ => Vec::new(),
    }
}

fn dataset(words: &[&str]) -> Vec<Want> {
    match words {
        [] => vec![Statement(Block::Dataset)],
        ["from"] | ["from", .., ","] => vec![Declared(&[SymbolKind::Source])],
        ["clean"] | ["clean", .., ","] => vec![Declared(&[SymbolKind::Clean])],
        ["policy"] | ["policy", .., ","] => vec![Declared(&[SymbolKind::Policy])],
        ["label"] => vec![Declared(&[SymbolKind::Label])],
        ["label", .., "else"] => vec![Words(&["drop"])],
        ["label", label, "=", rest @ ..] => labelled(label, rest),
        ["split", rest @ ..] => split(rest),
        ["sample" | "take" | "balance" | "mix" | "weight", ..] => sample(words),
        ["purpose"] => vec![Rows(vocabulary::purposes())],
        ["write"] => vec![Rows(vocabulary::written_formats())],
        ["write", .., "from"] => vec![Declared(&[SymbolKind::Template])],
        ["write", .., "as"] => Vec::new(),
        ["write", _] => vec![Words(&["from", "as"])],
        ["write", _, "from", _] => vec![Words(&["as"])],
        _ => Vec::new(),
    }
}

fn split(words: &[&str]) -> Vec<Want> {
    const PARTS: Want = Words(&["train", "validation", "test"]);
    match words {
        [] => vec![PARTS, Words(&["as"])],
        ["as"] | [.., "by", "time"] => vec![Field],
        [.., "by"] => vec![Field, Words(&["time"])],
        [.., "check"] => vec![Field],
        [.., "check", _] => vec![Words(&["near"])],
        [.., "like"] => vec![Rows(vocabulary::near_presets())],
        [.., "stratify"] => vec![Field, Declared(&[SymbolKind::Label])],
        [.., "from"] => vec![Declared(&[SymbolKind::Source])],
        [.., ","] => vec![PARTS, Declared(&[SymbolKind::Source])],
        [.., "near" | "seed"] => Vec::new(),
        [.., "by", _] => vec![Words(&["near", "check", "stratify", "seed"])],
        [.., last] if last.ends_with('%') || words.contains(&"from") => {
            vec![Words(&["stratify", "seed", "by", "check"])]
        }
        [_] => vec![Words(&["from", "before"])],
        _ => vec![Words(&["from", "stratify", "seed", "near"])],
    }
}

/// The right side of a label: a raw value, or a mapping.
fn labelled(label: &str, rest: &[&str]) -> Vec<Want> {
    match rest {
        [] => vec![Value, ValueOf(plain(label))],
        // A `match` whose block is not closed yet.
        [.., "=>"] => vec![ValueOf(plain(label)), Words(&["drop"]), Value],
        _ => [value(rest), vec![Words(&["else drop"])]].concat(),
    }
}

fn label_source(words: &[&str], owner: &[&str]) -> Vec<Want> {
    let label = owner.get(1).map(|name| plain(name)).unwrap_or_default();
    match words {
        [] => vec![Statement(Block::LabelSources)],
        ["from"] => vec![Words(&["annotations", "rule", "model"]), Value],
        ["from", "annotations", ..] => Vec::new(),
        ["from" | "resolve", .., "else"] => vec![Words(&["drop"])],
        ["from", "rule", _] => vec![Words(&["when"])],
        ["from", "rule", .., "=>"] => vec![ValueOf(label)],
        ["from", "rule", _, "when", rest @ ..] => value(rest),
        ["from", "model"] => vec![Declared(&[SymbolKind::Train])],
        ["from", "model", _] => vec![Words(&["when", "vote"])],
        ["from", "model", _, "when", rest @ ..] => [value(rest), vec![Words(&["vote"])]].concat(),
        ["from", rest @ ..] => value(rest),
        ["resolve"] => vec![Rows(vocabulary::resolutions())],
        ["resolve", _] => vec![Words(&["else drop"])],
        ["require"] => vec![Words(&["alpha"])],
        _ => Vec::new(),
    }
}

fn model(words: &[&str]) -> Vec<Want> {
    match words {
        [] => vec![Statement(Block::Model)],
        ["new"] => vec![Words(&["encoder", "decoder"])],
        ["pooling"] => vec![Words(&["mean", "cls"])],
        _ => Vec::new(),
    }
}

fn train(words: &[&str]) -> Vec<Want> {
    match words {
        [] => vec![Statement(Block::Train)],
        ["model"] => vec![Declared(&[SymbolKind::Model])],
        ["data"] => vec![Declared(&[SymbolKind::Dataset])],
        ["task"] => vec![Rows(vocabulary::tasks())],
        ["task", "classify" | "regress" | "tag"] => vec![Declared(&[SymbolKind::Label])],
        ["task", "generate" | "prefer" | "embed", "from"] => vec![Declared(&[SymbolKind::Template])],
        ["task", _, .., "from"] => vec![Field],
        ["task", "generate" | "prefer" | "embed"] | ["task", _, _] => vec![Words(&["from"])],
        ["tune"] => vec![Words(&["all", "head", "lora"])],
        ["length", _] => vec![Words(&["tokens"])],
        ["length", _, _] => vec![Words(&["else"])],
        ["length", .., "else"] => vec![Words(&["keep", "drop"])],
        ["length", .., "keep"] => vec![Words(&["start", "end"])],
        ["batch", _] => vec![Words(&["accumulate"])],
        ["rate", _] => vec![Words(&["constant", "linear", "cosine", "wsd", "warmup", "decay", "floor"])],
        ["rate", _, .., "warmup" | "decay" | "floor"] => Vec::new(),
        ["rate", _, ..] => vec![Words(&["warmup", "decay", "floor"])],
        ["optimizer"] => vec![Words(&["adamw", "sgd", "lion", "adafactor"])],
        ["shuffle" | "pack" | "recompute"] => vec![Words(&["on", "off"])],
        ["precision"] => vec![Words(&["f32", "f16", "bf16"])],
        ["weights"] => vec![Words(&["balanced"])],
        ["device"] | ["device", _, "else"] => vec![Words(&["cuda", "cpu"])],
        ["device", _] => vec![Words(&["else"])],
        ["checkpoint"] => vec![Words(&["every"])],
        ["checkpoint", "every", _] => vec![Words(&["steps", "epochs"])],
        ["validate"] => vec![Words(&["every", "by"])],
        ["validate", "every", _] => vec![Words(&["steps", "epochs"])],
        ["validate", "every", _, _] => vec![Words(&["by"])],
        ["validate", .., "by"] => vec![Rows(vocabulary::metrics())],
        ["validate", .., "by", _, "."] => vec![Rows(vocabulary::averages())],
        ["stop"] => vec![Words(&["after"])],
        ["stop", "after", _] => vec![Words(&["validations", "epochs"])],
        ["stop", .., "without"] => vec![Words(&["gain"])],
        ["stop", "after", _, _] => vec![Words(&["without gain"])],
        ["keep"] => vec![Words(&["best"])],
        _ => Vec::new(),
    }
}

fn evaluate(words: &[&str], owner: &[&str]) -> Vec<Want> {
    let run = owner.get(1).map(|name| plain(name)).unwrap_or_default();
    match words {
        [] => vec![Statement(Block::Evaluate)],
        ["report"] | ["report", .., ","] => vec![Rows(vocabulary::metrics())],
        ["by"] => value(&[]),
        ["by", rest @ ..] if rest.contains(&"at") => Vec::new(),
        ["by", rest @ ..] => [value(rest), vec![Words(&["at"])]].concat(),
        ["generate"] => vec![Words(&["greedy", "sampled"])],
        ["require"] => vec![Rows(vocabulary::gates())],
        ["require", "gap", "("] => vec![Rows(vocabulary::metrics())],
        ["require", .., _, "."] => vec![Rows(vocabulary::averages())],
        ["require", .., _, "["] => vec![Want::LearntBy(run)],
        ["require", .., "by"] => vec![Value],
        ["require", .., ","] => vec![Words(&["by"])],
        _ => Vec::new(),
    }
}

fn test(words: &[&str]) -> Vec<Want> {
    match words {
        [] => vec![Statement(Block::Test)],
        ["given", "{"] | ["given" | "expect", .., ","] | ["expect", "{"] => vec![Field],
        ["expect"] => vec![Words(&["drop"])],
        ["given" | "expect", .., field, ":"] => vec![ValueOf(plain(field)), Words(&["null", "true", "false"])],
        _ => Vec::new(),
    }
}

/// An arm of a `match`: `owner` is the statement that the block stands in, or an arm around it.
fn arm(words: &[&str], owner: &[&str], outer: &[&str]) -> Vec<Want> {
    let subject = owner.iter().rposition(|word| *word == "match").and_then(|at| owner[..at].last());
    match words {
        [] => {
            let mut found: Vec<Want> = subject.map(|name| ValueOf(plain(name))).into_iter().collect();
            found.push(Words(&["else"]));
            found
        }
        [.., ","] => subject.map(|name| ValueOf(plain(name))).into_iter().collect(),
        _ => match words.iter().rposition(|word| *word == "=>") {
            None => Vec::new(),
            Some(at) if at + 1 < words.len() => value(&words[at + 1..]),
            Some(_) => {
                // The value is the label's where the whole `match` is, or what the statement sets.
                let target = [owner, outer].into_iter().find_map(|statement| match statement {
                    ["label" | "set", name, ..] => Some(plain(name)),
                    ["from", ..] => outer.get(1).map(|name| plain(name)),
                    _ => None,
                });
                let mut found: Vec<Want> = target.map(ValueOf).into_iter().collect();
                found.extend([Words(&["drop"]), Value]);
                found
            }
        },
    }
}

/// A name without backticks and quotes.
pub fn plain(word: &str) -> String {
    word.trim_matches(['`', '"']).to_owned()
}
