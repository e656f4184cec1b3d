//! The life of a session: who is spoken to, in which order, and when findings are published.
//!
//! One thread reads messages, the other answers them in order. What waits is looked at before anything is done: a request
//! that was cancelled meanwhile is not begun, and of several changes only the last is analysed.

use std::collections::VecDeque;
use std::io::{self, BufRead, Write};
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use lsp_server::{ErrorCode, Message, Notification, Request, RequestId, Response};
use lsp_types::notification::{Cancel, Exit, Initialized, Notification as _, PublishDiagnostics};
use lsp_types::request::{Initialize, RegisterCapability, Request as _, Shutdown};
use lsp_types::{InitializeParams, NumberOrString};
use serde_json::Value;

use super::client::Client;
use super::transport::{self, Incoming};
use super::workspace::Workspace;
use super::{capabilities, notifications, publish, requests};

/// How long the last change rests before findings are published: less than a person notices, more than lies between
/// two keys of somebody who types fast.
const REST: Duration = Duration::from_millis(40);

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The client said `shutdown`, then `exit`.
    InOrder,
    /// It did not say `shutdown` before.
    Abruptly,
}

/// Serves one client until it leaves. The files of sources are looked for beside their specification, then below
/// `data_root`.
///
/// # Errors
/// The output cannot be written.
pub fn serve(
    input: impl BufRead + Send + 'static,
    output: &mut dyn Write,
    data_root: Option<PathBuf>,
) -> io::Result<Ended> {
    let (sender, receiver) = mpsc::channel();
    // The thread ends with the input; at the end of the process it may still wait for a client that says nothing more.
    std::thread::Builder::new().name("reader".to_owned()).spawn(move || read_all(input, &sender))?;
    let mut server = Server { output, receiver, waiting: VecDeque::new(), phase: Phase::New, data_root };
    server.run()
}

fn read_all(mut input: impl BufRead, sender: &mpsc::Sender<Incoming>) {
    // An input that cannot be read any more has ended.
    while let Ok(Some(incoming)) = transport::read(&mut input) {
        if sender.send(incoming).is_err() {
            return;
        }
    }
}

struct Server<'o> {
    output: &'o mut dyn Write,
    receiver: Receiver<Incoming>,
    /// What came in and was not looked at yet.
    waiting: VecDeque<Incoming>,
    phase: Phase,
    data_root: Option<PathBuf>,
}

enum Phase {
    /// Before `initialize`.
    New,
    /// At work.
    Running(Box<Workspace>),
    /// After `shutdown`.
    ShutDown,
}

impl Server<'_> {
    fn run(&mut self) -> io::Result<Ended> {
        while let Some(incoming) = self.next()? {
            match incoming {
                Incoming::Malformed(malformed) => transport::refuse(self.output, &malformed)?,
                Incoming::Message(Message::Request(request)) => {
                    let response = self.answer(request);
                    self.send(Message::Response(response))?;
                }
                Incoming::Message(Message::Notification(notification)) => {
                    if notification.method == Exit::METHOD {
                        return Ok(self.ended());
                    }
                    self.notice(notification)?;
                }
                // The only request of the server, for watching files, has no answer that matters.
                Incoming::Message(Message::Response(_)) => {}
            }
        }
        Ok(self.ended())
    }

    fn ended(&self) -> Ended {
        match self.phase {
            Phase::ShutDown => Ended::InOrder,
            Phase::New | Phase::Running(_) => Ended::Abruptly,
        }
    }

    fn send(&mut self, message: Message) -> io::Result<()> {
        transport::write(self.output, message)
    }

    /// The next message; `None` when the input has ended. Findings are published as soon as the last change has rested.
    fn next(&mut self) -> io::Result<Option<Incoming>> {
        let mut publish_at = None;
        loop {
            self.look_at_all()?;
            if let Some(incoming) = self.waiting.pop_front() {
                return Ok(Some(incoming));
            }
            let received = if self.has_unpublished() {
                let until = *publish_at.get_or_insert_with(|| Instant::now() + REST);
                self.receiver.recv_timeout(until.saturating_duration_since(Instant::now()))
            } else {
                self.receiver.recv().map_err(|_| RecvTimeoutError::Disconnected)
            };
            match received {
                Ok(incoming) => self.waiting.push_back(incoming),
                Err(RecvTimeoutError::Timeout) => self.publish()?,
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
            }
        }
    }

    /// Takes in what has arrived, and answers the requests that are cancelled before they were begun.
    fn look_at_all(&mut self) -> io::Result<()> {
        self.waiting.extend(self.receiver.try_iter());
        let cancelled: Vec<RequestId> = self.waiting.iter().filter_map(cancelled_by).collect();
        for id in cancelled {
            let is_it = |incoming: &Incoming| matches!(incoming, Incoming::Message(Message::Request(request)) if request.id == id);
            if let Some(at) = self.waiting.iter().position(is_it) {
                self.waiting.remove(at);
                let response = transport::error(id, ErrorCode::RequestCanceled, "the request was cancelled");
                self.send(Message::Response(response))?;
            }
        }
        self.waiting.retain(|incoming| cancelled_by(incoming).is_none());
        Ok(())
    }

    fn has_unpublished(&self) -> bool {
        match &self.phase {
            Phase::Running(workspace) => !workspace.unpublished.is_empty(),
            Phase::New | Phase::ShutDown => false,
        }
    }

    fn publish(&mut self) -> io::Result<()> {
        let Phase::Running(workspace) = &mut self.phase else { return Ok(()) };
        // A bug of ours costs these findings, not the session.
        for params in requests::guarded(|| publish::publish(workspace)).unwrap_or_default() {
            let message = Notification::new(PublishDiagnostics::METHOD.to_owned(), params);
            transport::write(self.output, Message::Notification(message))?;
        }
        Ok(())
    }

    fn answer(&mut self, request: Request) -> Response {
        let id = request.id.clone();
        match &mut self.phase {
            Phase::New if request.method == Initialize::METHOD => self.initialize(id, request.params),
            Phase::New => transport::error(id, ErrorCode::ServerNotInitialized, "`initialize` comes first"),
            Phase::ShutDown => transport::error(id, ErrorCode::InvalidRequest, "nothing follows `shutdown` but `exit`"),
            Phase::Running(_) if request.method == Initialize::METHOD => {
                transport::error(id, ErrorCode::InvalidRequest, "`initialize` was said already")
            }
            Phase::Running(_) if request.method == Shutdown::METHOD => {
                self.phase = Phase::ShutDown;
                Response::new_ok(id, Value::Null)
            }
            Phase::Running(workspace) => requests::answer(workspace, request),
        }
    }

    fn initialize(&mut self, id: RequestId, params: Value) -> Response {
        let params: InitializeParams = match serde_json::from_value(params) {
            Ok(params) => params,
            Err(error) => return transport::error(id, ErrorCode::InvalidParams, error.to_string()),
        };
        let client = Client::new(&params);
        let result = capabilities::offer(&client);
        self.phase = Phase::Running(Box::new(Workspace::new(client, self.data_root.take())));
        Response::new_ok(id, result)
    }

    fn notice(&mut self, notification: Notification) -> io::Result<()> {
        let Phase::Running(workspace) = &mut self.phase else { return Ok(()) };
        if notification.method == Initialized::METHOD {
            if workspace.client.watches {
                let id = RequestId::from("watch".to_owned());
                let request = Request::new(id, RegisterCapability::METHOD.to_owned(), capabilities::watch());
                return self.send(Message::Request(request));
            }
            return Ok(());
        }
        notifications::take(workspace, notification);
        Ok(())
    }
}

/// The request that a message cancels.
fn cancelled_by(incoming: &Incoming) -> Option<RequestId> {
    let Incoming::Message(Message::Notification(notification)) = incoming else { return None };
    if notification.method != Cancel::METHOD {
        return None;
    }
    let params: lsp_types::CancelParams = serde_json::from_value(notification.params.clone()).ok()?;
    Some(match params.id {
        NumberOrString::Number(id) => id.into(),
        NumberOrString::String(id) => id.into(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_request_that_is_cancelled_while_it_waits_is_not_begun() {
        let request = |id: i32| Message::Request(Request::new(id.into(), Shutdown::METHOD.to_owned(), Value::Null));
        let cancel = |id: i32| Message::Notification(Notification::new(Cancel::METHOD.to_owned(), json!({ "id": id })));
        let (sender, receiver) = mpsc::channel();
        // All of it waits before the server looks; the second is cancelled, and so is one that nobody asked.
        for message in [request(1), request(2), cancel(2), cancel(9), request(3)] {
            sender.send(Incoming::Message(message)).expect("the receiver is below");
        }
        drop(sender);
        let mut output = Vec::new();
        let waiting = VecDeque::new();
        let mut server = Server { output: &mut output, receiver, waiting, phase: Phase::New, data_root: None };
        assert_eq!(server.run().expect("memory can be written"), Ended::Abruptly);
        let mut written = output.as_slice();
        let mut answers = Vec::new();
        while let Some(Incoming::Message(Message::Response(response))) =
            transport::read(&mut written).expect("memory can be read")
        {
            answers.push((response.id, response.response_result.expect_err("nothing was initialised").code));
        }
        let (early, cancelled) = (ErrorCode::ServerNotInitialized as i32, ErrorCode::RequestCanceled as i32);
        assert_eq!(answers, [(2.into(), cancelled), (1.into(), early), (3.into(), early)]);
    }
}
