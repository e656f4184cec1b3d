//! The table of requests.

use std::panic::{AssertUnwindSafe, catch_unwind};

use lsp_server::{ErrorCode, Request, Response};
use lsp_types::request::{
    CodeActionRequest, Completion, DocumentHighlightRequest, DocumentSymbolRequest, FoldingRangeRequest, Formatting,
    GotoDefinition, HoverRequest, PrepareRenameRequest, References, Rename, Request as _, SelectionRangeRequest,
    SemanticTokensFullRequest, SemanticTokensRangeRequest,
};
use serde_json::Value;

use super::workspace::Workspace;
use super::{actions, complete, format, hover, navigate, outline, rename, tokens, transport};

/// Why a request has no result.
#[derive(Debug)]
pub struct Refusal {
    code: ErrorCode,
    message: String,
}

impl Refusal {
    /// A request that is well-formed and cannot be met; editors show the reason.
    pub fn new(message: impl Into<String>) -> Self {
        Self { code: ErrorCode::RequestFailed, message: message.into() }
    }
}

/// Answers a request.
pub fn answer(workspace: &mut Workspace, request: Request) -> Response {
    let Request { id, method, params } = request;
    let result = match method.as_str() {
        HoverRequest::METHOD => call::<HoverRequest>(workspace, params, hover::hover),
        Completion::METHOD => call::<Completion>(workspace, params, complete::complete),
        GotoDefinition::METHOD => call::<GotoDefinition>(workspace, params, navigate::definition),
        References::METHOD => call::<References>(workspace, params, navigate::references),
        DocumentHighlightRequest::METHOD => call::<DocumentHighlightRequest>(workspace, params, navigate::highlights),
        PrepareRenameRequest::METHOD => call::<PrepareRenameRequest>(workspace, params, rename::prepare),
        Rename::METHOD => call::<Rename>(workspace, params, rename::rename),
        Formatting::METHOD => call::<Formatting>(workspace, params, format::format),
        DocumentSymbolRequest::METHOD => call::<DocumentSymbolRequest>(workspace, params, outline::symbols),
        FoldingRangeRequest::METHOD => call::<FoldingRangeRequest>(workspace, params, outline::folds),
        SelectionRangeRequest::METHOD => call::<SelectionRangeRequest>(workspace, params, outline::selections),
        CodeActionRequest::METHOD => call::<CodeActionRequest>(workspace, params, actions::actions),
        SemanticTokensFullRequest::METHOD => call::<SemanticTokensFullRequest>(workspace, params, tokens::full),
        SemanticTokensRangeRequest::METHOD => call::<SemanticTokensRangeRequest>(workspace, params, tokens::range),
        _ => Err(Refusal { code: ErrorCode::MethodNotFound, message: format!("there is no request `{method}`") }),
    };
    match result {
        Ok(result) => Response::new_ok(id, result),
        Err(refusal) => transport::error(id, refusal.code, refusal.message),
    }
}

/// Calls the function behind a request. A bug of ours costs the one answer, not the session in which somebody works.
fn call<R: lsp_types::request::Request>(
    workspace: &mut Workspace,
    params: Value,
    answer: impl FnOnce(&mut Workspace, R::Params) -> Result<R::Result, Refusal>,
) -> Result<Value, Refusal> {
    let invalid = |error: serde_json::Error| Refusal { code: ErrorCode::InvalidParams, message: error.to_string() };
    let params: R::Params = serde_json::from_value(params).map_err(invalid)?;
    let failed = |message: &str| Refusal { code: ErrorCode::InternalError, message: message.to_owned() };
    let result = guarded(|| answer(workspace, params));
    let result = result.ok_or_else(|| failed("the answer failed; this is a mistake of annotc"))??;
    serde_json::to_value(result).map_err(|_| failed("the answer is no JSON"))
}

/// Does something in which a bug of ours may show; `None` where it did. What was found about a text is whole or not there,
/// so that nothing is left half done.
pub fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}
