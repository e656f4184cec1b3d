//! Fragments as whole specifications: what the reader knows from the page, the test must write out.

use annotc::source::FileId;
use annotc::syntax::ast::{Decl, File};

const PREAMBLE: &str = include_str!("preamble.annot");

/// The declarations of a fragment; `block` says which block its statements stand in, if it is not the file.
pub fn declarations(fragment: &str, block: Option<&str>) -> String {
    let Some(block) = block else { return fragment.to_owned() };
    // What must stand in the block and the fragment does not say, in the order of the statements.
    let (head, needed, tail): (&str, &[(&str, &str)], &str) = match block {
        "source" => ("source example", &[("path", "path \"a.jsonl\""), ("fields", "fields { text: string }")], ""),
        "fields" => ("source example { path \"a.jsonl\"; fields", &[], "}"),
        "clean" => ("clean example", &[], ""),
        "policy" => ("policy example", &[], ""),
        "chat" => ("template example: chat", &[], ""),
        "dataset" => (
            "dataset example",
            &[
                ("from", "from tickets"),
                ("label", "label intent = topic"),
                ("policy", "policy house"),
                ("split", "split train 80%, validation 10%, test 10%"),
            ],
            "",
        ),
        "model" => ("model example", &[], ""),
        "train" => (
            "train example",
            &[("model", "model small"), ("data", "data shop"), ("task", "task classify intent from text")],
            "",
        ),
        "evaluate" => ("evaluate sorter on shop.test", &[], ""),
        other => panic!("no fragment stands in `{other}`"),
    };
    // A statement of the block itself begins its line: what is indented stands deeper.
    let says = |word: &str| fragment.lines().any(|line| line.split(' ').next() == Some(word));
    let mut missing: Vec<&str> =
        needed.iter().filter(|(word, _)| !says(word)).map(|(_, statement)| *statement).collect();
    if block == "train" && !says("epochs") && !says("steps") {
        missing.push("epochs 3");
    }
    format!("{head} {{\n{fragment}\n{}\n}}{tail}\n", missing.join("\n"))
}

/// A whole specification around declarations: the preamble, and a data set that uses what they declare.
pub fn complete(declarations: &str) -> String {
    let (own, _) = annotc::syntax::parse(FileId(0), &format!("annot 1\n{declarations}"));
    let names: Vec<&str> = own.decls.iter().filter_map(name).collect();
    let preamble: Vec<&str> = PREAMBLE
        .split("\n\n")
        .filter(|paragraph| {
            let mut words = paragraph.split_whitespace();
            !words.nth(1).is_some_and(|name| names.contains(&name.trim_end_matches(':')))
        })
        .collect();
    format!("annot 1\n\n{declarations}\n{}\n{}", using(&own), preamble.join("\n\n"))
}

/// A data set with the blocks that are declared and that nothing uses yet, so that they are checked against a record.
fn using(own: &File) -> String {
    let of = |kind: fn(&Decl) -> bool| -> Vec<&str> {
        own.decls.iter().filter(|decl| kind(decl)).filter_map(name).collect()
    };
    if own.decls.iter().any(|decl| matches!(decl, Decl::Dataset(_))) {
        return String::new();
    }
    let or = |names: Vec<&str>, else_name: &str| {
        if names.is_empty() { else_name.to_owned() } else { names.join(", ") }
    };
    let sources = of(|decl| matches!(decl, Decl::Source(_)));
    let mut statements = vec![format!("from {}", or(sources.clone(), "tickets"))];
    let cleans = of(|decl| matches!(decl, Decl::Clean(_)));
    if !cleans.is_empty() {
        statements.push(format!("clean {}", cleans.join(", ")));
    }
    let policies = of(|decl| matches!(decl, Decl::Policy(_)));
    if sources.is_empty() || !policies.is_empty() {
        statements.push(format!("policy {}", or(policies, "house")));
    }
    if sources.is_empty() {
        statements.push("label intent = topic else drop".to_owned());
    }
    for decl in &own.decls {
        if let Decl::Template(template) = decl {
            let format = match template.kind.name.as_str() {
                "chat" => "messages",
                "completion" => "prompt_completion",
                "preference" => "preference",
                other => panic!("a data set must use the `{other}` template `{}` by itself", template.name.name),
            };
            statements.push(format!("write {format} from {0} as {0}", template.name.name));
        }
    }
    statements.push("split train 80%, validation 10%, test 10%".to_owned());
    format!("dataset the_example {{\n  {}\n}}\n", statements.join("\n  "))
}

fn name(decl: &Decl) -> Option<&str> {
    match decl {
        Decl::Source(source) => Some(&source.name.name),
        Decl::Label(label) => Some(&label.name.name),
        Decl::Clean(clean) => Some(&clean.name.name),
        Decl::Policy(policy) => Some(&policy.name.name),
        Decl::Template(template) => Some(&template.name.name),
        Decl::Dataset(dataset) => Some(&dataset.name.name),
        Decl::Model(model) => Some(&model.name.name),
        Decl::Train(train) => Some(&train.name.name),
        Decl::Let(constant) => Some(&constant.name.name),
        Decl::Fn(function) => Some(&function.name.name),
        Decl::Evaluate(_) | Decl::Test(_) | Decl::Use(_) => None,
    }
}
