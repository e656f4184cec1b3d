//! Models: a folder, or sizes of a new one.

use super::Context;
use super::quantities::{Bounds, Once, known_settings, missing, setting_quantity, setting_word, small, word};
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::{self, Architecture, ModelOrigin, Pooling};
use crate::source::Span;
use crate::syntax::ast::train::{Model, ModelItem};
use crate::syntax::ast::{Decl, Ident, Setting};

/// The sizes of a new model.
pub(super) const SIZES: [&str; 4] = ["layers", "hidden", "heads", "vocab"];

/// Resolves all models, in order; each gets an id, also one with mistakes.
pub(super) fn resolve_models(context: &mut Context<'_>, decls: &[&Decl]) {
    for decl in decls {
        if let Decl::Model(model) = decl {
            let resolved = resolve_model(context, model);
            context.ids.insert(model.name.span, context.program.models.len() as u32);
            context.program.models.push(resolved);
        }
    }
}

fn resolve_model(context: &mut Context<'_>, model: &Model) -> hir::Model {
    let mut origin = None;
    let mut pooling = None;
    let mut once = Once::default();
    for item in &model.items {
        match item {
            ModelItem::Onnx(path, span) => {
                if once.first(context, "onnx", *span) {
                    origin = Some(ModelOrigin::Folder {
                        path: path.node.clone(),
                        base: context.folder_at(path.span),
                        span: path.span,
                    });
                }
            }
            ModelItem::New { architecture, settings, span } => {
                if once.first(context, "new", *span) {
                    let kinds = [("encoder", false), ("decoder", true)];
                    let decodes = word(context, architecture, "architecture", &kinds).unwrap_or_default();
                    let sizes = resolve_architecture(context, architecture, decodes, settings);
                    origin = Some(ModelOrigin::New(sizes));
                }
            }
            ModelItem::Setting(setting) => {
                let known = known_settings(context, std::slice::from_ref(setting), "a model", &["pooling"]);
                if !known.is_empty() && once.first(context, "pooling", setting.span) {
                    let words = [("mean", Pooling::Mean), ("cls", Pooling::Cls)];
                    let chosen = setting_word(context, setting).and_then(|name| word(context, name, "pooling", &words));
                    pooling = chosen;
                }
            }
        }
    }
    match (once.place("onnx"), once.place("new")) {
        (Some(first), Some(second)) => context.report(
            Diagnostic::new(
                Code::DuplicateStatement,
                "a model comes from a folder or is new",
                second,
                "and this one is new",
            )
            .label(first, "comes from a folder")
            .help("keep one of them"),
        ),
        (None, None) => {
            missing(context, "model", &model.name, "onnx", "onnx \"models/minilm\"`, or `new encoder { … }")
        }
        (Some(_), None) | (None, Some(_)) => {}
    }
    let origin = origin.unwrap_or(ModelOrigin::Folder { path: String::new(), base: String::new(), span: model.span });
    hir::Model { name: context.names.title(&model.name), origin, pooling, span: model.span }
}

fn resolve_architecture(
    context: &mut Context<'_>,
    architecture: &Ident,
    decodes: bool,
    settings: &[Setting],
) -> Architecture {
    let known = known_settings(context, settings, &format!("`new {}`", architecture.name), &SIZES);
    let mut size = |name: &'static str, low: f64, high: f64, example: &str| -> Option<(u32, Span)> {
        let Some(setting) = known.iter().find(|setting| setting.name.name == name) else {
            // A misspelt option was reported already; it is likely the one that is missing.
            if known.len() == settings.len() {
                missing(context, "architecture", architecture, name, &format!("{name} {example}"));
            }
            return None;
        };
        let quantity = setting_quantity(context, setting)?;
        Some((small(context, quantity, Bounds::between(name, low, high))?, quantity.span))
    };
    let layers = size("layers", 1.0, 96.0, "2");
    let hidden = size("hidden", 8.0, 16_384.0, "128");
    let heads = size("heads", 1.0, 256.0, "4");
    let vocab = size("vocab", 16.0, 1_000_000.0, "8000");
    if let (Some((hidden, hidden_span)), Some((heads, heads_span))) = (hidden, heads)
        && hidden % heads != 0
    {
        context.report(
            Diagnostic::new(
                Code::HeadsDoNotDivide,
                format!("{heads} heads do not divide {hidden}"),
                heads_span,
                "each head has an equal part of `hidden`",
            )
            .label(hidden_span, "not a multiple of it")
            .help(format!("make `hidden` {}", hidden.div_ceil(heads) * heads)),
        );
    }
    let value = |size: Option<(u32, Span)>| size.map_or(1, |(value, _)| value);
    Architecture { decodes, layers: value(layers), hidden: value(hidden), heads: value(heads), vocab: value(vocab) }
}
