//! A recorded exchange: what an editor says and what it is answered, as readable text.

use serde_json::{Value, json};

use super::client::Editor;
use crate::support::Project;

const SPEC: &str = "annot 1
/// What people wrote, 😀 and all.
source notes {
  path    \"notes.jsonl\"
  license \"CC0-1.0\"
  fields  { text: string @personal; topic: string }
}
label topic: choice { card; loan }
policy house { redact @personal: email }
dataset all {
  from   notes
  label  topic = topic
  policy house
  split  train 90%, test 10%
  write  jsonl
}
";

#[test]
fn an_exchange_goes_as_it_was_recorded() {
    let data = b"{\"text\":\"write to ann@example.org\",\"topic\":\"card\"}\n";
    let mut editor = Editor::start(Project::new(&[("all.annot", SPEC.as_bytes()), ("notes.jsonl", data)]));
    // What is offered is looked at by other tests.
    editor.record.clear();
    editor.open("all.annot", SPEC);
    editor.ask_at("textDocument/hover", "all.annot", SPEC, "topic\n  policy");
    editor.ask_at("textDocument/hover", "all.annot", SPEC, "text: string");
    editor.ask_after("textDocument/completion", "all.annot", SPEC, "redact @personal: ");
    editor.rename("all.annot", SPEC, "text: string", "body").expect("it can be renamed");
    editor.rename("all.annot", SPEC, "notes {", "all").expect_err("the name is taken");
    let wrong = SPEC.replace("from   notes", "from   ntes");
    let found = editor.change("all.annot", &wrong);
    let params = json!({
        "textDocument": { "uri": editor.uri("all.annot") },
        "range": found[0]["range"],
        "context": { "diagnostics": [] },
    });
    editor.ask("textDocument/codeAction", params);
    let root = editor.uri("");
    let mut shown = String::new();
    for (sender, message) in &editor.record {
        let mut message = message.clone();
        shorten(&mut message);
        let id = message.get("id").map(|id| format!(" {id}")).unwrap_or_default();
        let (what, body) = match (message.get("method"), message.get("error")) {
            (Some(method), _) => (method.as_str().unwrap_or_default(), &message["params"]),
            (None, Some(error)) => ("error", error),
            (None, None) => ("result", &message["result"]),
        };
        let text = pretty(body, 0).replace(&root, "file:///project/");
        shown += &format!("{sender}{sender}{sender}{id} {what}\n{text}\n\n");
    }
    editor.close();
    insta::assert_snapshot!(shown);
}

/// JSON with what is short on one line.
fn pretty(value: &Value, depth: usize) -> String {
    let line = value.to_string();
    if line.len() + 2 * depth <= 100 {
        return line;
    }
    let indent = "  ".repeat(depth + 1);
    let (open, items, close) = match value {
        Value::Array(items) => ('[', items.iter().map(|item| pretty(item, depth + 1)).collect::<Vec<_>>(), ']'),
        Value::Object(fields) => {
            ('{', fields.iter().map(|(name, field)| format!("\"{name}\": {}", pretty(field, depth + 1))).collect(), '}')
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return line,
    };
    let items: Vec<String> = items.iter().map(|item| format!("{indent}{item}")).collect();
    format!("{open}\n{}\n{}{close}", items.join(",\n"), "  ".repeat(depth))
}

/// Leaves out what is long and looked at elsewhere: the whole text of the file.
fn shorten(message: &mut Value) {
    match message {
        Value::String(text) if text.starts_with("annot 1") => *text = "annot 1 …".to_owned(),
        Value::Array(items) => items.iter_mut().for_each(shorten),
        Value::Object(fields) => fields.values_mut().for_each(shorten),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
