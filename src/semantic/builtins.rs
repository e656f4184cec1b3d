//! Calls of the functions of the language: the text that they are about, and constants that are checked here.

use super::calls::{arity, fit_argument, plain_type};
use super::names::{self, Found, Kind};
use super::scope::View;
use super::types::{literal, resolve_expr, show};
use super::{Context, compare, index, suggest, values};
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::{Expr, ExprKind, FieldType, Literal, Type};
use crate::plan::functions::{Argument, Function, Parameter, ParameterKind};
use crate::source::Span;
use crate::syntax::ast::train::ModelItem;
use crate::syntax::ast::{self, Decl, Ident};

/// Resolves a call of a function of the language; `None` after a report. Constants that are left out are filled in.
pub(super) fn resolve_builtin(
    context: &mut Context<'_>,
    view: &View<'_>,
    (function, builtin): (&Ident, &'static Function),
    args: &[ast::Expr],
    piped: bool,
    span: Span,
) -> Option<Expr> {
    index::refer_to_builtin(context, function.span, builtin);
    let least = builtin.parameters.iter().filter(|parameter| parameter.default.is_none()).count();
    let (text, constants) = match args {
        [text, constants @ ..] => (resolve_expr(context, view, text, None), constants),
        [] => (None, args),
    };
    let accepted = least..=builtin.parameters.len();
    if !arity(context, function, args.len(), accepted, piped, span) {
        return None;
    }
    let resolved: Vec<Option<Expr>> = (0..)
        .zip(builtin.constants())
        .map(|(at, parameter)| match constants.get(at) {
            Some(argument) => resolve_constant(context, view, (function, parameter), argument),
            None => parameter.default.map(|default| of_default(default, span)),
        })
        .collect();
    let text = fit_argument(context, function, builtin.parameters[0].name, text?, &FieldType::plain(Type::String))?;
    let nullable = builtin.result.nullable || text.ty.nullable;
    let ty = FieldType { ty: plain_type(builtin.result.value), nullable };
    let arguments = std::iter::once(Some(text)).chain(resolved).collect::<Option<Vec<_>>>()?;
    Some(Expr { kind: ExprKind::Call(builtin, arguments), ty, span })
}

fn of_default(default: Argument<'static>, span: Span) -> Expr {
    match default {
        Argument::Whole(number) => literal(Literal::Int(number), Type::Int, span),
        Argument::Text(text) => literal(Literal::String(text.to_owned()), Type::String, span),
    }
}

fn resolve_constant(
    context: &mut Context<'_>,
    view: &View<'_>,
    (function, parameter): (&Ident, &Parameter),
    argument: &ast::Expr,
) -> Option<Expr> {
    match parameter.kind {
        ParameterKind::Whole { least, most } => {
            let value = constant(context, view, (function, parameter), argument, Type::Int)?;
            let Literal::Int(number) = value else { return None };
            check_range(context, (function, parameter), number, least..=most, argument.span)?;
            Some(literal(value, Type::Int, argument.span))
        }
        ParameterKind::Literal => {
            let value = constant(context, view, (function, parameter), argument, Type::String)?;
            Some(literal(value, Type::String, argument.span))
        }
        ParameterKind::Pattern => {
            let pattern = resolve_pattern(context, view, (function, parameter), argument)?;
            Some(literal(Literal::String(pattern), Type::String, argument.span))
        }
        ParameterKind::Word(words) => {
            let word = resolve_word(context, (function, parameter), words, argument)?;
            Some(literal(Literal::String(word.to_owned()), Type::String, argument.span))
        }
        ParameterKind::Model | ParameterKind::LanguageModel => {
            let model = resolve_model(context, (function, parameter), argument)?;
            Some(literal(Literal::String(model), Type::String, argument.span))
        }
        ParameterKind::Text => unreachable!("only the first parameter is the text"),
    }
}

/// A constant of a plain type.
fn constant(
    context: &mut Context<'_>,
    view: &View<'_>,
    (function, parameter): (&Ident, &Parameter),
    argument: &ast::Expr,
    needed: Type,
) -> Option<Literal> {
    let resolved = resolve_expr(context, view, argument, None)?;
    let needed = FieldType::plain(needed);
    if resolved.ty.ty != needed.ty {
        fit_argument(context, function, parameter.name, resolved, &needed);
        return None;
    }
    match resolved.kind {
        ExprKind::Literal(value) if value != Literal::Null => Some(value),
        _ => {
            let wanted = show(context, &needed);
            context.error(
                Code::NotConstant,
                format!("`{}` of `{}` is a constant", parameter.name, function.name),
                argument.span,
                "depends on the record",
                format!("write a `{wanted}` out, or name it with `let`"),
            );
            None
        }
    }
}

fn check_range(
    context: &mut Context<'_>,
    (function, parameter): (&Ident, &Parameter),
    number: i64,
    range: std::ops::RangeInclusive<i64>,
    span: Span,
) -> Option<()> {
    if range.contains(&number) {
        return Some(());
    }
    let (least, most) = range.into_inner();
    context.error(
        Code::NumberOutOfRange,
        format!("`{}` of `{}` is at least {least} and at most {most}", parameter.name, function.name),
        span,
        "out of range",
        format!("give a number from {least} to {most}"),
    );
    None
}

fn resolve_pattern(
    context: &mut Context<'_>,
    view: &View<'_>,
    (function, parameter): (&Ident, &Parameter),
    argument: &ast::Expr,
) -> Option<String> {
    let pattern = values::through_constants(context, view, argument);
    let ast::ExprKind::Regex { pattern: regex, flags } = &pattern.kind else {
        context.error(
            Code::WrongType,
            format!("`{}` of `{}` is a regex", parameter.name, function.name),
            argument.span,
            "is no regex",
            "write the pattern between slashes: `/refund|money back/i`",
        );
        return None;
    };
    compare::check_regex(context, regex, flags, pattern.span)
}

/// The program's name of a declared model that comes from a folder.
fn resolve_model(
    context: &mut Context<'_>,
    (function, parameter): (&Ident, &Parameter),
    argument: &ast::Expr,
) -> Option<String> {
    let ast::ExprKind::Name(name) = &argument.kind else {
        context.error(
            Code::WrongType,
            format!("`{}` of `{}` is a declared `model`", parameter.name, function.name),
            argument.span,
            "is no name of a model",
            "name the model: `model base { onnx \"models/base\" }` is `base`",
        );
        return None;
    };
    let Found::Declared(Decl::Model(model)) = names::look_up(context, name, Kind::Model) else { return None };
    let new = model.items.iter().find_map(|item| match item {
        ModelItem::New { span, .. } => Some(*span),
        ModelItem::Onnx(..) | ModelItem::Setting(_) => None,
    });
    if let Some(new) = new {
        let (learnt, lacks) = match parameter.kind {
            ParameterKind::LanguageModel => ("learns what it knows", "knows no language yet"),
            ParameterKind::Model
            | ParameterKind::Text
            | ParameterKind::Whole { .. }
            | ParameterKind::Literal
            | ParameterKind::Pattern
            | ParameterKind::Word(_) => ("its tokenizer is learnt", "has no tokenizer yet"),
        };
        context.report(
            Diagnostic::new(
                Code::NotSupported,
                format!("`{}` is new, and {learnt} when it is trained", name.name),
                name.span,
                lacks,
            )
            .label(new, "is made anew here")
            .help("name a model that comes from a folder: `onnx \"models/base\"`"),
        );
        return None;
    }
    Some(context.names.title(&model.name))
}

fn resolve_word(
    context: &mut Context<'_>,
    (function, parameter): (&Ident, &Parameter),
    words: &'static [&'static str],
    argument: &ast::Expr,
) -> Option<&'static str> {
    let written = match &argument.kind {
        ast::ExprKind::Name(name) => name.name.as_str(),
        ast::ExprKind::Text(text) => text.as_str(),
        _ => "",
    };
    if let Some(word) = words.iter().find(|word| **word == written) {
        return Some(word);
    }
    let help = suggest(written, words.iter().copied(), "words");
    context.report(
        Diagnostic::new(
            Code::UnknownWord,
            format!("`{}` of `{}` is one of the words `{}`", parameter.name, function.name, words.join("`, `")),
            argument.span,
            "is none of them",
        )
        .help(help),
    );
    None
}
