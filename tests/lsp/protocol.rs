//! The protocol itself: positions, bursts, cancelled and broken messages, the end of a session.

use serde_json::{Value, json};

use super::client::Editor;
use super::{SPEC, codes, project};

#[test]
fn a_burst_of_changes_is_analysed_once() {
    let mut editor = Editor::start(project());
    editor.open("all.annot", SPEC);
    let wrong = SPEC.replace("topic = topic", "topic = topc");
    editor.send_burst("all.annot", &[SPEC; 20], &wrong);
    let published = editor.published_until(22);
    // A machine that is busy may rest between two messages; twenty changes are no twenty analyses.
    assert!(published.len() <= 2, "{} messages for the burst", published.len());
    assert_eq!(codes(&published[published.len() - 1]["diagnostics"]), ["E0201"]);
    editor.close();
}

#[test]
fn places_are_counted_in_the_units_that_were_agreed_on() {
    let spec = SPEC.replace("drop \"short\"", "drop \"😀 short\"").replace('\n', "\r\n");
    for (encodings, unit) in [(json!(null), 2), (json!(["utf-16"]), 2), (json!(["utf-8", "utf-16"]), 4)] {
        let mut editor = Editor::start_with(project(), &encodings);
        assert_eq!(editor.open("all.annot", &spec), json!([]));
        let line = spec.lines().position(|line| line.contains('😀')).expect("it is there");
        let before = "  drop \"".len() + unit + " short\" when words(".len();
        let place = json!({ "line": line, "character": before });
        let params = json!({ "textDocument": { "uri": editor.uri("all.annot") }, "position": place });
        let hover = editor.ask("textDocument/hover", params);
        assert!(hover["contents"]["value"].as_str().is_some_and(|it| it.contains("text: string")), "{hover}");
        assert_eq!(hover["range"]["start"], place);
        // The same place by an edit: `text` becomes `txt`.
        let end = json!({ "line": line, "character": before + 4 });
        let found = editor.change_range("all.annot", json!({ "start": place, "end": end }), "txt");
        assert_eq!(codes(&found), ["E0201"], "{found}");
        assert_eq!(found[0]["range"]["start"], place);
        editor.close();
    }
}

#[test]
fn messages_that_are_wrong_cost_nothing_but_themselves() {
    let mut editor = Editor::start(project());
    editor.send_raw(b"garbage\r\n\r\nContent-Length: 3\r\n\r\n{]}");
    assert_eq!(editor.next_answer()["error"]["code"], -32700);
    editor.send_raw(b"Content-Length: 2\r\n\r\n[]");
    assert_eq!(editor.next_answer()["error"]["code"], -32600);
    let unknown = editor.try_ask("annotc/nothing", json!({})).expect_err("there is no such request");
    assert_eq!(unknown["code"], -32601);
    let wrong = editor.try_ask("textDocument/hover", json!({ "textDocument": 3 })).expect_err("it lacks a place");
    assert_eq!(wrong["code"], -32602);
    let closed =
        json!({ "textDocument": { "uri": "file:///nowhere.annot" }, "position": { "line": 9, "character": 9 } });
    assert_eq!(editor.ask("textDocument/hover", closed), Value::Null);
    editor.notify("textDocument/didChange", json!({ "textDocument": { "uri": "file:///nowhere.annot" } }));
    editor.notify("$/whatever", json!(null));
    for text in
        ["", "annot", "annot 1\n{{{{{{", "source s { fields { \"", "\u{0}\u{feff}😀 = `", "label x: choice from"]
    {
        editor.open("odd.annot", text);
        for method in ["textDocument/hover", "textDocument/completion", "textDocument/definition"] {
            editor.ask_after(method, "odd.annot", text, text);
        }
        editor.ask("textDocument/semanticTokens/full", json!({ "textDocument": { "uri": editor.uri("odd.annot") } }));
    }
    editor.close();
}

#[test]
fn every_request_is_answered_once_and_the_end_has_its_status() {
    let mut editor = Editor::start(project());
    editor.open("all.annot", SPEC);
    let place = editor.place("all.annot", SPEC, "text |> collapse");
    // In one write; whether the cancellation is read before the request is begun is the machine's affair, and the protocol
    // allows both answers. What the server does when it is read in time is tested where its queue can be filled by hand.
    let request = json!({ "jsonrpc": "2.0", "id": 900, "method": "textDocument/hover", "params": place });
    let cancel = json!({ "jsonrpc": "2.0", "method": "$/cancelRequest", "params": { "id": 901 } });
    let second = json!({ "jsonrpc": "2.0", "id": 901, "method": "textDocument/hover", "params": place });
    editor.send_all(&[request, second, cancel]);
    let answers = [editor.next_answer(), editor.next_answer()];
    let of = |id: u64| answers.iter().find(|answer| answer["id"] == id).expect("each request is answered");
    assert!(of(900)["result"].is_object(), "{answers:?}");
    assert!(of(901)["result"].is_object() || of(901)["error"]["code"] == -32800, "{answers:?}");
    editor.ask("shutdown", Value::Null);
    let late = editor.try_ask("textDocument/hover", json!({})).expect_err("the server has shut down");
    assert_eq!(late["code"], -32600);
    editor.notify("exit", Value::Null);
    assert_eq!(editor.status(), Some(0));

    let mut editor = Editor::start(project());
    editor.notify("exit", Value::Null);
    assert_eq!(editor.status(), Some(1), "it left without `shutdown`");
    let mut editor = Editor::launch(project());
    let early = editor.try_ask("textDocument/hover", json!({})).expect_err("`initialize` comes first");
    assert_eq!(early["code"], -32002);
    editor.hang_up();
    assert_eq!(editor.status(), Some(1), "its input ended");
}
