//! Calls: the functions of the language and those that the file declares.

use std::ops::RangeInclusive;

use super::foreign::{Meant, suggest_meant};
use super::index::{self, SymbolKind};
use super::scope::{Record, ScopeColumn, View};
use super::types::{MOST_OPEN, resolve_expr, resolve_type, show, too_large};
use super::{Context, builtins, compare, names, taint};
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::{Expr, FieldType, Type};
use crate::plan::functions::{self, ValueType};
use crate::source::Span;
use crate::syntax::ast::{self, Ident};

/// The names that count over the whole set, which only `require` of a policy may call.
pub(super) const AGGREGATES: [&str; 2] = ["count", "share"];

/// Operations that a call may become when it is written out: functions that double their argument grow fast.
const LARGEST: usize = 4096;

/// Resolves `f(a, b)`; `None` after a report.
pub(super) fn resolve_call(
    context: &mut Context<'_>,
    view: &View<'_>,
    function: &Ident,
    args: &[ast::Expr],
    piped: bool,
    span: Span,
) -> Option<Expr> {
    if let Some(builtin) = functions::lookup(&function.name) {
        return builtins::resolve_builtin(context, view, (function, builtin), args, piped, span);
    }
    let resolved: Vec<Option<Expr>> = args.iter().map(|argument| resolve_expr(context, view, argument, None)).collect();
    let known = context.names.get(function);
    if let Some((known, ast::Decl::Fn(declared))) = known.map(|known| (known, known.decl)) {
        context.names.mark_used(function);
        index::refer_to_declaration(context, function, known);
        return expand(context, view, function, declared, resolved, piped, span);
    }
    unknown_function(context, function);
    None
}

/// The type of the language that functions call so.
pub(super) fn plain_type(value: ValueType) -> Type {
    match value {
        ValueType::String => Type::String,
        ValueType::Int => Type::Int,
        ValueType::Float => Type::Float,
        ValueType::Bool => Type::Bool,
    }
}

fn unknown_function(context: &mut Context<'_>, function: &Ident) {
    if context.names.get(function).is_some_and(|declared| declared.kind == names::Kind::Imported) {
        context.names.mark_used(function);
        return;
    }
    let help = if AGGREGATES.contains(&function.name.as_str()) {
        "it counts over the whole set: write it in `require` of a policy".into()
    } else {
        let declared: Vec<&str> = context.names.of_kind(function.span.file, names::Kind::Function).collect();
        let known = functions::all().iter().map(|row| row.name).chain(declared);
        suggest_meant(Meant::Function, &function.name, known, "functions")
    };
    context.error(
        Code::UnknownFunction,
        format!("there is no function `{}`", function.name),
        function.span,
        "unknown function",
        help,
    );
}

/// Whether as many arguments are given as a function takes; reports others.
pub(super) fn arity(
    context: &mut Context<'_>,
    function: &Ident,
    given: usize,
    accepted: RangeInclusive<usize>,
    piped: bool,
    span: Span,
) -> bool {
    if accepted.contains(&given) {
        return true;
    }
    let takes = match (accepted.start(), accepted.end()) {
        (1, 1) => "1 argument".to_owned(),
        (least, most) if least == most => format!("{most} arguments"),
        (least, most) => format!("{least} to {most} arguments"),
    };
    let note = if piped { ", the one before `|>` included" } else { "" };
    context.error(
        Code::WrongArgumentCount,
        format!("`{}` takes {takes}, and {given} {} given{note}", function.name, if given == 1 { "is" } else { "are" }),
        span,
        format!("takes {takes}"),
        match functions::lookup(&function.name) {
            Some(builtin) if accepted != (1..=1) => format!("it is `{}`", builtin.signature()),
            _ => format!("`x |> {0}` is `{0}(x)`", function.name),
        },
    );
    false
}

/// The argument as what a parameter takes; `None` after a report.
pub(super) fn fit_argument(
    context: &mut Context<'_>,
    function: &Ident,
    parameter: &str,
    argument: Expr,
    needed: &FieldType,
) -> Option<Expr> {
    if let Some(argument) = compare::convert(argument.clone(), &needed.ty) {
        return Some(argument);
    }
    let (shown, wanted) = (show(context, &argument.ty), show(context, needed));
    context.report(
        Diagnostic::new(
            Code::WrongType,
            format!("`{}` needs a `{wanted}`, and this is `{shown}`", function.name),
            argument.span,
            format!("is `{shown}`"),
        )
        .label(function.span, format!("its parameter `{parameter}` is `{wanted}`"))
        .help(format!("give it a `{wanted}`; the only conversion is from `int` to `float`")),
    );
    None
}

/// The body of a `fn` with the arguments in place of its parameters.
fn expand(
    context: &mut Context<'_>,
    view: &View<'_>,
    function: &Ident,
    declared: &ast::Fn,
    arguments: Vec<Option<Expr>>,
    piped: bool,
    span: Span,
) -> Option<Expr> {
    let accepted = declared.params.len()..=declared.params.len();
    if !arity(context, function, arguments.len(), accepted, piped, span) {
        return None;
    }
    if context.too_large.contains(&declared.name.span) {
        context.too_large.extend(view.open.first());
        return None;
    }
    if view.open.is_empty() {
        context.expansions = 0;
    }
    context.expansions += 1;
    if view.open.len() >= MOST_OPEN || context.expansions > LARGEST {
        too_large(context, function.span);
        return None;
    }
    if view.open.contains(&declared.name.span) {
        context.error(
            Code::RecursiveDefinition,
            format!("`{}` calls itself", function.name),
            function.span,
            "leads back to itself",
            "a constant or function may use only what does not use it",
        );
        return None;
    }
    let mut fitted = Vec::with_capacity(arguments.len());
    let mut whole = true;
    for ((parameter, ty), argument) in declared.params.iter().zip(arguments) {
        let needed = resolve_type(context, ty);
        let argument = match (needed, argument) {
            (Some(needed), Some(argument)) => fit_argument(context, function, &parameter.name, argument, &needed),
            _ => None,
        };
        whole &= argument.is_some();
        fitted.push((parameter.name.as_str(), argument));
    }
    if !whole {
        return None;
    }
    let mut open = view.open.clone();
    open.push(declared.name.span);
    let inner = View { record: view.record, arguments: fitted, open, closed: true };
    let body = resolve_expr(context, &inner, &declared.body, None)?;
    if taint::size(&body) > LARGEST {
        context.too_large.insert(declared.name.span);
        too_large(context, span);
        return None;
    }
    Some(Expr { span, ..body })
}

/// Checks each `fn` and `let` by itself, so that one that nobody uses is checked too.
pub(super) fn check_definitions(context: &mut Context<'_>, decls: &[&ast::Decl]) {
    for decl in decls {
        match decl {
            ast::Decl::Fn(function) => check_function(context, function),
            ast::Decl::Let(constant) => check_constant(context, constant),
            ast::Decl::Source(_)
            | ast::Decl::Label(_)
            | ast::Decl::Clean(_)
            | ast::Decl::Policy(_)
            | ast::Decl::Template(_)
            | ast::Decl::Dataset(_)
            | ast::Decl::Model(_)
            | ast::Decl::Train(_)
            | ast::Decl::Evaluate(_)
            | ast::Decl::Test(_)
            | ast::Decl::Use(_) => {}
        }
    }
}

fn check_function(context: &mut Context<'_>, function: &ast::Fn) {
    if functions::lookup(&function.name.name).is_some() {
        context.error(
            Code::DuplicateDeclaration,
            format!("`{}` is a function of the language", function.name.name),
            function.name.span,
            "this name is taken",
            "give your function another name",
        );
        return;
    }
    let mut record = Record { columns: Vec::new(), complete: true };
    for (parameter, ty) in &function.params {
        if record.find(&parameter.name).is_some() {
            context.error(
                Code::DuplicateName,
                format!("parameter `{}` stands twice", parameter.name),
                parameter.span,
                "named again here",
                "give each parameter a name of its own",
            );
        }
        let detail = format!("{}: {}", parameter.name, context.files.text(ty.span));
        index::define(context, parameter, SymbolKind::Parameter, None, detail);
        let ty = resolve_type(context, ty);
        record.columns.push(ScopeColumn::new(&parameter.name, ty, parameter.span, parameter.span));
    }
    context.expansions = 0;
    index::enter(context, function.span, &record);
    let view = View { record: &record, arguments: Vec::new(), open: vec![function.name.span], closed: false };
    resolve_expr(context, &view, &function.body, None);
    if context.expansions > LARGEST {
        context.too_large.insert(function.name.span);
    }
}

fn check_constant(context: &mut Context<'_>, constant: &ast::Let) {
    let record = Record { columns: Vec::new(), complete: true };
    let view = View { record: &record, arguments: Vec::new(), open: vec![constant.name.span], closed: true };
    match &constant.value.kind {
        ast::ExprKind::List(items) => {
            let mut first: Option<(Type, Span)> = None;
            for item in items {
                let literal = super::values::constant(context, &view, item, None);
                let ty = literal.as_ref().and_then(super::values::plain_type);
                match (&first, ty) {
                    (None, Some(ty)) => first = Some((ty, item.span)),
                    (Some((ty, place)), Some(other)) if *ty != other => {
                        let (place, shown) = (*place, show(context, &FieldType::plain(ty.clone())));
                        context.report(
                            Diagnostic::new(
                                Code::ComparisonOfTypes,
                                "the values of a list have one type",
                                item.span,
                                "another type",
                            )
                            .label(place, format!("the first one is `{shown}`"))
                            .help(format!("write a `{shown}`, or make two lists")),
                        );
                    }
                    _ => {}
                }
            }
        }
        ast::ExprKind::Regex { pattern, flags } => {
            compare::check_regex(context, pattern, flags, constant.value.span);
        }
        _ => {
            resolve_expr(context, &view, &constant.value, None);
        }
    }
}
