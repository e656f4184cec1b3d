//! What stands in a right file is offered at its place, and what is asked for while a statement is half written.

use std::str::FromStr;

use lsp_types::{
    CompletionItem, CompletionParams, CompletionResponse, InitializeParams, TextDocumentIdentifier,
    TextDocumentPositionParams, Uri,
};

use super::complete;
use crate::lsp::client::Client;
use crate::lsp::position::{Encoding, Places};
use crate::lsp::workspace::Workspace;
use crate::syntax::shape::shape;
use crate::syntax::{Block, Kind};

/// A file with most of what the language has.
const EXAMPLE: &str = include_str!("../../semantic/cases/example.annot");

/// The rest of it.
const MORE: &str = r#"annot 1
source tickets {
  path "tickets/*.jsonl"
  format jsonl
  license "MIT"
  on_bad_row quarantine
  fields {
    text: string @personal(email)
    lang: string?
    group: int
    history: list<{ role: string, content: string }>
  }
}
let shortest = 3
fn plain(s: string) = s |> nfc |> lowercase
label topic: choice {
  card
  loan
}
clean tidy {
  set text = plain(text)
  drop "short" when chars(text) < shortest and not (lang is null)
  drop "other" when lang in ["de", "en"] or text matches /x/
}
policy house {
  redact text: email, phone
  allow personal text because "it is public"
  forbid "internal" when text matches /corp/ else drop
}
template ask: chat {
  system "Answer {{ lang | default('de') }}."
  turns history
  user "{{ text|upper }} {% if lang == 'de' %}{{ topic.title }}{% endif %}"
  mute assistant "{{ text }}"
  assistant "{{ topic }}"
}
dataset all {
  from tickets
  clean tidy
  label topic = lang match { "d" => card; else => drop }
  policy house
  split train 80%, validation 10%, test 10% stratify topic seed 7
  write messages from ask as chats
  write jsonl
}
model tiny { new encoder { layers 2; hidden 32; heads 2; vocab 100 } }
train router {
  model tiny
  data all
  task classify topic from text
  tune lora { base int4 }
  epochs 1
  optimizer adamw { weight_decay 0.01 }
  shuffle off
  validate every 5 steps by f1.macro
}
evaluate router on all.test {
  report accuracy, f1
  by group at [1]
  require recall[card] >= 0.5
}
test tidy "one" {
  given { text: "a b", lang: "de" }
  expect { lang: "de" }
}
"#;

/// A workspace with one open text.
fn opened(text: &str) -> (Workspace, Uri) {
    let uri = Uri::from_str("file:///nowhere/all.annot").expect("it is an address");
    let mut workspace = Workspace::new(Client::new(&InitializeParams::default()), None);
    workspace.open(uri.clone(), 1, text.to_owned());
    (workspace, uri)
}

/// What is offered at a place.
fn offered(text: &str, offset: usize) -> Vec<CompletionItem> {
    let (mut workspace, uri) = opened(text);
    let position = Places::new(text, Encoding::Utf16).position(offset);
    let place = TextDocumentPositionParams { text_document: TextDocumentIdentifier { uri }, position };
    let params = CompletionParams {
        text_document_position: place,
        work_done_progress_params: Default::default(),
        partial_result_params: Default::default(),
        context: None,
    };
    match complete(&mut workspace, params) {
        Ok(Some(CompletionResponse::Array(items))) => items,
        Ok(_) => Vec::new(),
        Err(refusal) => panic!("{refusal:?}"),
    }
}

/// The words of a text that are not its author's own: each with its place.
fn words(text: &str) -> Vec<(usize, usize)> {
    let (mut workspace, _) = opened(text);
    let path = workspace.documents.keys().next().cloned().expect("a text is open");
    let analysis = workspace.analysis(&path).expect("the text is open");
    let defined = |start: usize| {
        analysis.index.references.iter().any(|name| {
            // A part of a split is the author's, and `train` is the word that most choose.
            name.defines && name.span.start as usize == start
        })
    };
    let shape = shape(text);
    let is_new = |at: usize| {
        let block = shape.area_at(shape.tokens[at].start).block;
        let statement = shape.statement_at(shape.tokens[at].start);
        let head = statement.map_or("", |statement| shape.tokens[statement.head].text(text));
        let before = at.checked_sub(1).map_or("", |before| shape.tokens[before].text(text));
        block == Block::Fields && matches!(before, "{" | ",") || before == "as" || head == "annot" || head == "seed"
    };
    let tokens = shape.tokens.iter().enumerate();
    let words = tokens.filter(|(at, token)| token.kind == Kind::Word && !defined(token.start) && !is_new(*at));
    words.map(|(_, token)| (token.start, token.end)).collect()
}

#[test]
fn what_stands_in_a_right_file_is_offered_at_its_place() {
    let mut missing = Vec::new();
    for text in [EXAMPLE, MORE] {
        for (start, end) in words(text) {
            let word = &text[start..end];
            let cut = format!("{}{}", &text[..start], &text[end..]);
            let items = offered(&cut, start);
            // `else drop` and the like are offered as a whole.
            let is_it = |item: &CompletionItem| item.label.trim_start_matches('@').split(' ').any(|part| part == word);
            if !items.iter().any(is_it) {
                let line = text[..start].lines().count();
                let labels: Vec<&str> = items.iter().map(|item| item.label.as_str()).take(6).collect();
                let written = text[..end].lines().last().unwrap_or_default();
                missing.push(format!("line {line}: {written}¦ offers {labels:?}"));
            }
        }
    }
    assert!(missing.is_empty(), "{} words are not offered:\n{}", missing.len(), missing.join("\n"));
}

/// The first labels that are offered at `¦` in the place of a statement of [`MORE`].
fn at(statement: &str, marked: &str) -> Vec<String> {
    assert!(MORE.contains(statement), "`{statement}` stands in the file");
    let text = MORE.replacen(statement, marked, 1);
    let offset = text.find('¦').expect("the cursor is marked");
    offered(&text.replacen('¦', "", 1), offset).into_iter().map(|item| item.label).collect()
}

#[test]
fn half_a_statement_has_completions() {
    for (statement, marked, expected, unwanted) in [
        ("clean tidy\n", "clean ¦\n", "tidy", "house"),
        ("policy house\n  split", "policy h¦\n  split", "house", "tidy"),
        ("from tickets", "from ¦", "tickets", "topic"),
        ("set text = plain(text)", "set text = text |> ¦", "collapse_whitespace", "text"),
        ("set text = plain(text)", "set text = text |> ¦", "plain", "tickets"),
        ("set text = plain(text)", "set ¦", "lang", "topic"),
        ("redact text: email, phone", "redact text: ¦", "iban", "text"),
        ("redact text: email, phone", "redact @personal: email, ¦", "card_number", "text"),
        ("lang: string?", "lang: ¦", "timestamp", "lang"),
        ("@personal(email)", "@¦", "column", "email"),
        ("@personal(email)", "@personal(¦)", "birth_date", "column"),
        ("license \"MIT\"", "license \"¦\"", "CC0-1.0", "MITT"),
        ("on_bad_row quarantine", "on_bad_row ¦", "fail", "jsonl"),
        ("\"d\" => card", "\"d\" => ¦", "loan", "tickets"),
        ("match { \"d\" => card; else => drop }", "match { \"d\" => ¦", "loan", "tickets"),
        ("report accuracy, f1", "report accuracy, ¦", "recall", "text"),
        ("f1.macro", "f1.¦", "weighted", "f1"),
        ("recall[card]", "recall[¦]", "loan", "text"),
        ("all.test", "all.¦", "validation", "text"),
        ("write jsonl", "write ¦", "parquet", "ask"),
        ("messages from ask", "messages from ¦", "ask", "tickets"),
        ("task classify topic from text", "task ¦", "generate", "topic"),
        ("task classify topic from text", "task classify topic from ¦", "text", "tickets"),
        ("layers 2; hidden 32", "¦", "layers", "adamw"),
        ("weight_decay 0.01", "¦", "betas", "layers"),
        ("{{ topic }}", "{{ ¦ }}", "topic", "words"),
        ("{{ text|upper }}", "{{ text|¦ }}", "trim", "text"),
        ("{{ topic.title }}", "{{ topic.¦ }}", "guideline", "text"),
        ("  write jsonl", "  ¦", "purpose", "redact"),
        ("lang in [\"de\", \"en\"]", "topic == ¦", "lang", "tickets"),
        ("given { text: \"a b\", lang: \"de\" }", "given { ¦ }", "history", "words"),
        ("s |> nfc |> lowercase", "¦", "s", "text"),
    ] {
        let labels = at(statement, marked);
        assert!(labels.iter().any(|label| label == expected), "{marked}: {expected} in {labels:?}");
        assert!(!labels.iter().any(|label| label == unwanted), "{marked}: no {unwanted} in {labels:?}");
    }
}

#[test]
fn nothing_is_offered_where_nothing_fits() {
    for (statement, marked) in [
        ("let shortest = 3", "let shortest = 3¦"),
        ("let shortest = 3", "// a ¦"),
        ("system \"Answer {{ lang | default('de') }}.\"", "system \"Ans¦wer\""),
        ("text matches /corp/", "text matches /co¦rp/"),
    ] {
        assert_eq!(at(statement, marked), Vec::<String>::new(), "{marked}");
    }
}

#[test]
fn a_name_is_offered_as_it_is_written() {
    let text = MORE.replace("card", "`no card?`").replacen("\"d\" => `no card?`", "\"d\" => ", 1);
    let offset = text.find("\"d\" => ").expect("it is there") + 7;
    let item = offered(&text, offset).into_iter().find(|item| item.label == "no card?").expect("it is offered");
    let edit = serde_json::to_value(item.text_edit).expect("it is JSON");
    assert_eq!(edit["newText"], "`no card?`");
}
