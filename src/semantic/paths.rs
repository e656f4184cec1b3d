//! Paths of sources: what their looks say of them.

use super::{Context, formats};
use crate::diagnostics::Code;
use crate::hir::{self, Compression, SourceFormat, extension};
use crate::remote::{Address, has_secret};
use crate::source::Span;
use crate::syntax::ast::Text;

/// What is wrong with a path by its looks alone: nothing in it, or credentials. Whether nothing is.
pub(super) fn check_path(context: &mut Context<'_>, path: &Text) -> bool {
    if path.node.trim().is_empty() {
        context.error(
            Code::BadPath,
            "this path is empty",
            path.span,
            "names no file",
            "name a file or a pattern: `\"data/*.jsonl\"`",
        );
        return false;
    }
    if let Some(Err(form)) = Address::parse(&path.node) {
        context.error(Code::BadPath, "this address cannot be read", path.span, "not an address of a file", form);
    }
    if has_secret(&path.node) {
        context.error(
            Code::CredentialsInPath,
            "this address carries credentials",
            path.span,
            "a secret stands in the specification",
            "take it out: credentials come from the environment alone",
        );
        return false;
    }
    true
}

/// The format that all paths' endings say; reported when they say none, or several.
pub(super) fn format_of_paths(context: &mut Context<'_>, paths: &[String], span: Span) -> Option<SourceFormat> {
    let mut endings: Vec<Option<String>> = paths.iter().map(|path| extension(path)).collect();
    // Two endings may say the same: `.jsonl`, `.ndjson`.
    endings.dedup_by(|a, b| {
        let format = |ending: &Option<String>| ending.as_deref().and_then(SourceFormat::of_ending);
        a == b || format(a).is_some() && format(a) == format(b)
    });
    let list = formats::words().collect::<Vec<_>>().join(", ");
    if paths.iter().any(|path| path.trim().is_empty()) {
        return None;
    }
    match endings.as_slice() {
        [Some(ending)] => {
            if let Some(format) = SourceFormat::of_ending(ending) {
                return Some(format);
            }
            context.error(
                Code::UnknownFormat,
                format!("no format has the ending `.{ending}`"),
                span,
                "the format cannot be told from the ending",
                format!("say it: `format jsonl`; there are {list}"),
            );
        }
        [None] => context.error(
            Code::UnknownFormat,
            "this path has no ending that says the format",
            span,
            "the format cannot be told",
            format!("say it: `format jsonl`; there are {list}"),
        ),
        [] => {}
        _ => context.error(
            Code::UnknownFormat,
            "the paths of one source have several formats",
            span,
            "different endings",
            "declare one source for each format, or say `format` if they all are of one",
        ),
    }
    None
}

/// Reports an archive of a format that packs its own bytes.
pub(super) fn check_archives(context: &mut Context<'_>, source: &hir::Source) {
    let is_archive = |path: &&String| Compression::of_name(path) != Compression::None;
    if let Some(path) = source.paths.iter().find(is_archive).filter(|_| !source.format.is_text()) {
        let word = source.format.word();
        context.error(
            Code::BadPath,
            format!("a `{word}` file is not read out of an archive"),
            source.path_span,
            format!("`{path}` is an archive"),
            format!("unpack it: a `{word}` file is compressed inside, where at all"),
        );
    }
}
