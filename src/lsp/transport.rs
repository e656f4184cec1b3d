//! Frames of the base protocol: a header with a length, an empty line, a message as JSON.
//!
//! What a client sends wrong costs that message and nothing else: a header that cannot be read is skipped up to the next
//! one, a message that is no JSON is answered as the protocol says.

use std::io::{self, BufRead, Read, Write};

use lsp_server::{ErrorCode, Message, Response};
use serde_json::{Value, json};

/// The longest message that is read, in bytes. A longer one is skipped.
const LONGEST: u64 = 256 << 20;

/// The longest line of a header.
const LONGEST_HEADER: u64 = 4096;

/// What came in.
#[derive(Debug)]
pub enum Incoming {
    /// A message.
    Message(Message),
    /// A message that is none, with what is wrong with it.
    Malformed(Malformed),
}

/// What is wrong with a message.
#[derive(Debug)]
pub struct Malformed {
    /// The protocol's number for it.
    code: ErrorCode,
    /// In words.
    message: String,
    /// The id, when the message is an object that has one: the request is answered.
    id: Value,
}

/// Reads the next message; `None` at the end of the input.
///
/// # Errors
/// The input cannot be read.
pub fn read(input: &mut impl BufRead) -> io::Result<Option<Incoming>> {
    let Some(length) = read_header(input)? else { return Ok(None) };
    if length > LONGEST {
        io::copy(&mut input.by_ref().take(length), &mut io::sink())?;
        let message = format!("the message has {length} bytes, and at most {LONGEST} are read");
        return Ok(Some(Incoming::Malformed(Malformed { code: ErrorCode::InvalidRequest, message, id: Value::Null })));
    }
    let mut body = Vec::new();
    if input.by_ref().take(length).read_to_end(&mut body)? as u64 != length {
        return Ok(None);
    }
    Ok(Some(parse(&body)))
}

/// The length that the next header gives; lines that are none are skipped.
fn read_header(input: &mut impl BufRead) -> io::Result<Option<u64>> {
    let mut length = None;
    loop {
        let mut line = Vec::new();
        if input.by_ref().take(LONGEST_HEADER).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end_matches(['\r', '\n']);
        if line.is_empty() {
            if length.is_some() {
                return Ok(length);
            }
            continue;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.trim().eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok();
        }
    }
}

fn parse(body: &[u8]) -> Incoming {
    let malformed = |code, message, id| Incoming::Malformed(Malformed { code, message, id });
    let value: Value = match serde_json::from_slice(body) {
        Ok(value) => value,
        Err(error) => return malformed(ErrorCode::ParseError, format!("this is no JSON: {error}"), Value::Null),
    };
    let id = value.get("id").filter(|id| id.is_string() || id.is_number()).cloned().unwrap_or(Value::Null);
    match serde_json::from_value(value) {
        Ok(message) => Incoming::Message(message),
        Err(_) => malformed(ErrorCode::InvalidRequest, "this is no message of the protocol".to_owned(), id),
    }
}

/// Writes a message.
///
/// # Errors
/// The output cannot be written.
pub fn write(output: &mut dyn Write, message: Message) -> io::Result<()> {
    message.write(&mut io::BufWriter::new(output))
}

/// Answers what is no message.
///
/// # Errors
/// The output cannot be written.
pub fn refuse(output: &mut dyn Write, malformed: &Malformed) -> io::Result<()> {
    let error = json!({ "code": malformed.code as i32, "message": malformed.message });
    let body = json!({ "jsonrpc": "2.0", "id": malformed.id, "error": error }).to_string();
    write!(output, "Content-Length: {}\r\n\r\n{body}", body.len())?;
    output.flush()
}

/// An answer that says why there is none.
pub fn error(id: lsp_server::RequestId, code: ErrorCode, message: impl Into<String>) -> Response {
    Response::new_err(id, code as i32, message.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The methods of what is read, and the codes of what is refused.
    fn read_all(input: &str) -> Vec<String> {
        let mut input = input.as_bytes();
        let mut found = Vec::new();
        while let Some(incoming) = read(&mut input).expect("memory can be read") {
            found.push(match incoming {
                Incoming::Message(Message::Request(request)) => request.method,
                Incoming::Message(Message::Notification(notification)) => notification.method,
                Incoming::Message(Message::Response(response)) => format!("answer {}", response.id),
                Incoming::Malformed(malformed) => format!("{} {}", malformed.code as i32, malformed.id),
            });
        }
        found
    }

    fn frame(body: &str) -> String {
        format!("Content-Length: {}\r\n\r\n{body}", body.len())
    }

    #[test]
    fn what_is_wrong_costs_one_message() {
        let exit = frame(r#"{"jsonrpc":"2.0","method":"exit"}"#);
        let cases: [(String, &[&str]); 8] = [
            (exit.clone(), &["exit"]),
            (format!("Content-Type: x\r\n{exit}"), &["exit"]),
            (format!("{}{exit}", frame("{")), &["-32700 null", "exit"]),
            (format!("{}{exit}", frame("[1, 2]")), &["-32600 null", "exit"]),
            (format!("{}{exit}", frame(r#"{"id":7,"method":3}"#)), &["-32600 7", "exit"]),
            (format!("garbage\r\n\r\nContent-Length: many\r\n\r\n{exit}"), &["exit"]),
            ("Content-Length: 50\r\n\r\n{}".to_owned(), &[]),
            ("Content-Length: 99999999999999\r\n\r\n{}".to_owned(), &["-32600 null"]),
        ];
        for (input, expected) in cases {
            assert_eq!(read_all(&input), expected, "{input}");
        }
    }
}
