//! A third-party crate has one door: the folders that may name it.

use std::path::Path;

use crate::support::repository;

/// Crates and the places below `src/` that may name them.
const DOORS: &[(&str, &[&str])] = &[
    ("pest", &["syntax/"]),
    ("pest_derive", &["syntax/"]),
    ("miette", &["diagnostics/", "cli/"]),
    ("datafusion", &["plan/", "engine/"]),
    ("ort", &["runtime/"]),
    ("gemm", &["runtime/operators/dense"]),
    ("gemm_common", &["runtime/operators/dense"]),
    ("tokenizers", &["train/tokenizer"]),
    ("safetensors", &["train/adapter/"]),
    ("minijinja", &["prompt/", "train/chat"]),
    ("ballista_core", &["engine/cluster/"]),
    ("ballista_executor", &["engine/cluster/"]),
    ("ballista_scheduler", &["engine/cluster/"]),
    ("datafusion_proto", &["engine/cluster/"]),
    ("arrow_flight", &["engine/cluster/"]),
    ("tonic", &["engine/cluster/"]),
    ("axum", &["engine/cluster/"]),
    ("clap", &["cli/"]),
    ("indicatif", &["cli/"]),
    ("similar", &["cli/"]),
    ("prost", &["onnx/", "train/board"]),
    ("zip", &["runtime/"]),
    ("ureq", &["remote/http"]),
    ("object_store", &["remote/cloud"]),
    ("rusqlite", &["engine/read/sqlite", "engine/tests/"]),
    ("arrow_avro", &["engine/read/avro", "engine/tests/"]),
    ("encoding_rs", &["engine/read/encoding"]),
    ("flate2", &["engine/read/unpack", "engine/tests/"]),
    ("zstd", &["engine/read/unpack", "engine/tests/"]),
    ("html5gum", &["engine/read/html", "plan/functions/"]),
    ("lsp_server", &["lsp/"]),
    ("lsp_types", &["lsp/"]),
];

#[test]
fn each_crate_has_one_door() {
    let mut strangers = Vec::new();
    visit(&repository().join("src"), &mut |name, text| {
        for (crate_name, doors) in DOORS {
            let named = text.lines().any(|line| names(line, crate_name));
            if named && !doors.iter().any(|door| name.starts_with(door)) {
                strangers.push(format!("{name} names {crate_name}, whose door is {}", doors.join(", ")));
            }
        }
    });
    assert!(strangers.is_empty(), "{}", strangers.join("\n"));
}

#[test]
fn only_the_command_line_prints() {
    let mut printers = Vec::new();
    visit(&repository().join("src"), &mut |name, text| {
        let code = text.split("#[cfg(test)]").next().unwrap_or(text);
        // A file of tests may say why it skips something.
        if code.contains("#[test]") || code.contains("proptest!") {
            return;
        }
        let prints = ["println!(", "eprintln!(", "print!(", "eprint!(", "dbg!("]
            .iter()
            .any(|word| code.lines().any(|line| line.trim_start().starts_with(word)));
        if prints && !name.starts_with("cli/") {
            printers.push(name.to_string());
        }
    });
    assert!(printers.is_empty(), "these print: {}", printers.join(", "));
}

/// Whether a line of code names a crate in a path: `use pest::…`, `datafusion::common::…`.
fn names(line: &str, crate_name: &str) -> bool {
    let code = line.trim_start();
    if code.starts_with("//") {
        return false;
    }
    let path = format!("{crate_name}::");
    code.match_indices(&path).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
    })
}

fn visit(folder: &Path, check: &mut dyn FnMut(&str, &str)) {
    fn walk(root: &Path, folder: &Path, check: &mut dyn FnMut(&str, &str)) {
        for entry in std::fs::read_dir(folder).expect("the sources can be read").flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(root, &path, check);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).expect("it lies below").to_string_lossy().into_owned();
                check(&name, &std::fs::read_to_string(&path).expect("a source is text"));
            }
        }
    }
    walk(folder, folder, check);
}
