//! An editor for the tests: it starts the server, opens texts, asks and waits.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::Project;

/// Longer than any answer takes on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// A session with the server.
pub struct Editor {
    project: Project,
    child: Child,
    input: Option<ChildStdin>,
    messages: Receiver<Value>,
    /// What the server offered.
    pub capabilities: Value,
    next_id: u64,
    version: i64,
    /// What went over the wire, in order: the sender and the message.
    pub record: Vec<(char, Value)>,
}

impl Editor {
    /// Starts the server in a project and says nothing.
    pub fn launch(project: Project) -> Self {
        let mut command = project.command(&["lsp"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the server starts");
        let output = child.stdout.take().expect("its output is piped");
        let (sender, messages) = mpsc::channel();
        std::thread::spawn(move || {
            let mut output = BufReader::new(output);
            while let Some(message) = read(&mut output) {
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        let input = child.stdin.take();
        let capabilities = Value::Null;
        Self { project, child, input, messages, capabilities, next_id: 1, version: 1, record: Vec::new() }
    }

    /// Starts the server and greets it as most editors do.
    pub fn start(project: Project) -> Self {
        Self::start_with(project, &json!(null))
    }

    /// The same with encodings of positions.
    pub fn start_with(project: Project, encodings: &Value) -> Self {
        let mut editor = Self::launch(project);
        let params = json!({
            "processId": null,
            "rootUri": editor.uri(""),
            "capabilities": {
                "general": { "positionEncodings": encodings },
                "textDocument": {
                    "publishDiagnostics": { "relatedInformation": true },
                    "completion": { "completionItem": { "snippetSupport": true } },
                    "documentSymbol": { "hierarchicalDocumentSymbolSupport": true },
                },
            },
        });
        editor.capabilities = editor.ask("initialize", params)["capabilities"].clone();
        editor.notify("initialized", json!({}));
        editor
    }

    /// The address of a file of the project.
    pub fn uri(&self, name: &str) -> String {
        format!("file://{}", self.project.path(name).display())
    }

    /// Sends bytes as they are.
    pub fn send_raw(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().expect("the input is open");
        input.write_all(bytes).and_then(|()| input.flush()).expect("the server reads");
    }

    /// Sends messages in one write.
    pub fn send_all(&mut self, messages: &[Value]) {
        let mut bytes = Vec::new();
        for message in messages {
            let body = message.to_string();
            bytes.extend(format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes());
            self.record.push(('>', message.clone()));
        }
        self.send_raw(&bytes);
    }

    /// Tells the server something.
    pub fn notify(&mut self, method: &str, params: Value) {
        self.send_all(&[json!({ "jsonrpc": "2.0", "method": method, "params": params })]);
    }

    fn next(&mut self) -> Value {
        let message = self.messages.recv_timeout(PATIENCE).expect("the server says something");
        self.record.push(('<', message.clone()));
        message
    }

    /// The next answer, whatever was asked.
    pub fn next_answer(&mut self) -> Value {
        loop {
            let message = self.next();
            if message.get("method").is_none() {
                return message;
            }
        }
    }

    /// Asks and gives the result, or the error.
    pub fn try_ask(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        let id = self.next_id;
        self.next_id += 1;
        self.send_all(&[json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })]);
        loop {
            let answer = self.next_answer();
            if answer["id"] == id {
                return match answer.get("error") {
                    Some(error) => Err(error.clone()),
                    None => Ok(answer["result"].clone()),
                };
            }
        }
    }

    /// Asks what must have a result.
    #[track_caller]
    pub fn ask(&mut self, method: &str, params: Value) -> Value {
        self.try_ask(method, params).unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// A place in a text as parameters.
    pub fn place(&self, name: &str, text: &str, needle: &str) -> Value {
        json!({ "textDocument": { "uri": self.uri(name) }, "position": at(text, needle) })
    }

    /// Asks about the place where something stands for the first time.
    #[track_caller]
    pub fn ask_at(&mut self, method: &str, name: &str, text: &str, needle: &str) -> Value {
        let mut params = self.place(name, text, needle);
        params["context"] = json!({ "includeDeclaration": true });
        self.ask(method, params)
    }

    /// Asks about the place behind something.
    #[track_caller]
    pub fn ask_after(&mut self, method: &str, name: &str, text: &str, needle: &str) -> Value {
        let end = text.find(needle).expect("the text holds it") + needle.len();
        let params = json!({ "textDocument": { "uri": self.uri(name) }, "position": position(text, end) });
        self.ask(method, params)
    }

    /// Renames what stands at a place.
    pub fn rename(&mut self, name: &str, text: &str, needle: &str, new: &str) -> Result<Value, Value> {
        let mut params = self.place(name, text, needle);
        params["newName"] = json!(new);
        self.try_ask("textDocument/rename", params)
    }

    /// Opens a text and gives its findings.
    pub fn open(&mut self, name: &str, text: &str) -> Value {
        self.version += 1;
        let uri = self.uri(name);
        let item = json!({ "uri": uri, "languageId": "annot", "version": self.version, "text": text });
        self.notify("textDocument/didOpen", json!({ "textDocument": item }));
        self.findings(name)
    }

    fn replacement(&mut self, name: &str, change: &Value) -> Value {
        self.version += 1;
        let document = json!({ "uri": self.uri(name), "version": self.version });
        let params = json!({ "textDocument": document, "contentChanges": [change] });
        json!({ "jsonrpc": "2.0", "method": "textDocument/didChange", "params": params })
    }

    /// Replaces a text and does not wait.
    pub fn send_change(&mut self, name: &str, text: &str) {
        let message = self.replacement(name, &json!({ "text": text }));
        self.send_all(&[message]);
    }

    /// Replaces a text several times in one write.
    pub fn send_burst(&mut self, name: &str, texts: &[&str], last: &str) {
        let texts = texts.iter().copied().chain([last]);
        let messages: Vec<Value> = texts.map(|text| self.replacement(name, &json!({ "text": text }))).collect();
        self.send_all(&messages);
    }

    /// Replaces a text and gives its findings.
    pub fn change(&mut self, name: &str, text: &str) -> Value {
        self.send_change(name, text);
        self.findings(name)
    }

    /// Replaces a part of a text and gives its findings.
    pub fn change_range(&mut self, name: &str, range: Value, text: &str) -> Value {
        let message = self.replacement(name, &json!({ "range": range, "text": text }));
        self.send_all(&[message]);
        self.findings(name)
    }

    /// The next findings of a file.
    pub fn findings(&mut self, name: &str) -> Value {
        let uri = self.uri(name);
        loop {
            let message = self.next();
            if message["method"] == "textDocument/publishDiagnostics" && message["params"]["uri"] == uri {
                return message["params"]["diagnostics"].clone();
            }
        }
    }

    /// What is published until a version of a text.
    pub fn published_until(&mut self, version: i64) -> Vec<Value> {
        let mut found = Vec::new();
        loop {
            let message = self.next();
            if message["method"] == "textDocument/publishDiagnostics" {
                found.push(message["params"].clone());
                if message["params"]["version"].as_i64() >= Some(version) {
                    return found;
                }
            }
        }
    }

    /// Closes the input.
    pub fn hang_up(&mut self) {
        self.input = None;
    }

    /// Waits for the end and gives the exit status.
    pub fn status(&mut self) -> Option<i32> {
        self.child.wait().expect("the server ends").code()
    }

    /// Ends the session as the protocol says.
    #[track_caller]
    pub fn close(mut self) {
        self.ask("shutdown", Value::Null);
        self.notify("exit", Value::Null);
        assert_eq!(self.status(), Some(0));
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        // A test that failed leaves its server behind otherwise; one that has ended cannot be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(output: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => length = line.strip_prefix("Content-Length: ")?.parse().ok()?,
        }
    }
    let mut body = vec![0; length];
    output.read_exact(&mut body).ok()?;
    Some(serde_json::from_slice(&body).expect("each message is JSON"))
}

/// The place of a byte, in UTF-16 units.
fn position(text: &str, offset: usize) -> Value {
    let before = &text[..offset];
    let line = before.matches('\n').count();
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    json!({ "line": line, "character": before[start..].encode_utf16().count() })
}

/// The place where something stands for the first time.
#[track_caller]
pub fn at(text: &str, needle: &str) -> Value {
    position(text, text.find(needle).unwrap_or_else(|| panic!("`{needle}` does not stand in the text")))
}

/// The byte of a place.
fn offset(text: &str, position: &Value) -> usize {
    let number = |name: &str| position[name].as_u64().expect("a place has a line and a column") as usize;
    let start: usize = text.split_inclusive('\n').take(number("line")).map(str::len).sum();
    let mut units = 0;
    for (at, c) in text[start..].char_indices() {
        if units == number("character") {
            return start + at;
        }
        units += c.len_utf16();
    }
    text.len()
}

/// The characters of a range.
pub fn slice<'t>(text: &'t str, range: &Value) -> &'t str {
    &text[offset(text, &range["start"])..offset(text, &range["end"])]
}

/// A text after edits, which are given in any order and do not overlap.
pub fn edited(text: &str, edits: &Value) -> String {
    let edits = edits.as_array().expect("a list of edits");
    let mut edits: Vec<(usize, usize, &str)> = edits
        .iter()
        .map(|edit| {
            let range = &edit["range"];
            let new = edit["newText"].as_str().expect("an edit has a text");
            (offset(text, &range["start"]), offset(text, &range["end"]), new)
        })
        .collect();
    edits.sort_by_key(|(start, end, _)| (*start, *end));
    let mut out = text.to_owned();
    for (start, end, new) in edits.into_iter().rev() {
        out.replace_range(start..end, new);
    }
    out
}

/// The semantic tokens of a text: the characters, the type, the modifiers.
pub fn tokens(text: &str, legend: &Value, answer: &Value) -> Vec<(String, String, Vec<String>)> {
    let numbers: Vec<usize> = answer["data"]
        .as_array()
        .expect("a list of numbers")
        .iter()
        .map(|it| it.as_u64().expect("a number") as usize)
        .collect();
    let names = |list: &str| -> Vec<String> {
        legend[list].as_array().expect("a legend").iter().map(|it| it.as_str().unwrap_or_default().to_owned()).collect()
    };
    let (types, modifiers) = (names("tokenTypes"), names("tokenModifiers"));
    let (mut line, mut column) = (0, 0);
    let mut found = Vec::new();
    for token in numbers.chunks(5) {
        (line, column) = if token[0] > 0 { (line + token[0], token[1]) } else { (line, column + token[1]) };
        let start = json!({ "line": line, "character": column });
        let end = json!({ "line": line, "character": column + token[2] });
        let word = slice(text, &json!({ "start": start, "end": end })).to_owned();
        let set = modifiers.iter().enumerate().filter(|(bit, _)| token[4] & (1 << bit) != 0);
        found.push((word, types[token[3]].clone(), set.map(|(_, name)| name.clone()).collect()));
    }
    found
}
