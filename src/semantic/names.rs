//! The one namespace of declarations: who declares what, who refers to it, what is never used.

mod kind;

use std::collections::{BTreeMap, BTreeSet};

use super::uses::Parsed;
use super::{Context, index, suggest};
use crate::diagnostics::{Code, Diagnostic, Diagnostics};
use crate::source::{FileId, Span};
use crate::syntax::ast::{self, Decl, Ident};

pub(super) use kind::Kind;

/// What a name means in one file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Declared<'a> {
    pub(super) kind: Kind,
    /// Where the name stands in this file: at its declaration, or in the `use` that brings it.
    pub(super) span: Span,
    /// Where the name stands in the file that declares it: what identifies the declaration in the whole program.
    pub(super) place: Span,
    /// Whether the `use` that brings it gives it another name.
    pub(super) renamed: bool,
    pub(super) decl: &'a Decl,
}

impl Declared<'_> {
    /// The place that an editor takes the name for: a new name that `use` gives is a thing of its own.
    pub(super) fn symbol(&self) -> Span {
        if self.renamed { self.span } else { self.place }
    }
}

/// All declared names, file by file: what a name means depends on the file that it stands in.
#[derive(Debug, Default)]
pub(super) struct Names<'a> {
    files: BTreeMap<FileId, BTreeMap<&'a str, Declared<'a>>>,
    /// The names that something refers to, by [`Declared::span`].
    used: BTreeSet<Span>,
    /// Declarations that were lost, or that lack a statement, because their text could not be read.
    damaged: BTreeSet<(FileId, &'a str)>,
    /// What the program calls a declaration, by [`Declared::place`], where that is not its own name.
    titles: BTreeMap<Span, String>,
}

impl<'a> Names<'a> {
    /// The declaration that a name means in its file, without counting as a use.
    pub(super) fn get(&self, name: &Ident) -> Option<Declared<'a>> {
        self.files.get(&name.span.file)?.get(name.name.as_str()).copied()
    }

    /// The names of one kind that a file can use, in byte order.
    pub(super) fn of_kind(&self, file: FileId, kind: Kind) -> impl Iterator<Item = &'a str> {
        let names = self.files.get(&file).into_iter().flatten();
        names.filter(move |(_, declared)| declared.kind == kind).map(|(name, _)| *name)
    }

    /// Whether the declaration of this name could not be read as a whole: what follows from that is silent.
    pub(super) fn is_damaged(&self, name: &Ident) -> bool {
        let declared = self.get(name).map_or(name.span.file, |declared| declared.place.file);
        // An import may rename: the declaration is damaged under its own name.
        let own = self.get(name).and_then(|declared| declares(declared.decl)).map_or(&name.name, |(_, own)| &own.name);
        self.damaged.contains(&(declared, own.as_str()))
    }

    /// Counts a use.
    pub(super) fn mark_used(&mut self, name: &Ident) {
        if let Some(declared) = self.get(name) {
            self.used.insert(declared.span);
        }
    }

    /// What the program calls the declaration with this name: its name, or another where two files share one.
    pub(super) fn title(&self, name: &Ident) -> String {
        self.titles.get(&name.span).unwrap_or(&name.name).clone()
    }
}

/// The kind and the name that a declaration declares; `evaluate`, `test` and `use` declare none of their own.
pub(super) fn declares(decl: &Decl) -> Option<(Kind, &Ident)> {
    match decl {
        Decl::Source(source) => Some((Kind::Source, &source.name)),
        Decl::Label(label) => Some((Kind::Label, &label.name)),
        Decl::Clean(clean) => Some((Kind::Clean, &clean.name)),
        Decl::Policy(policy) => Some((Kind::Policy, &policy.name)),
        Decl::Template(template) => Some((Kind::Template, &template.name)),
        Decl::Dataset(dataset) => Some((Kind::Dataset, &dataset.name)),
        Decl::Model(model) => Some((Kind::Model, &model.name)),
        Decl::Train(train) => Some((Kind::Train, &train.name)),
        Decl::Let(constant) => Some((Kind::Constant, &constant.name)),
        Decl::Fn(function) => Some((Kind::Function, &function.name)),
        Decl::Evaluate(_) | Decl::Test(_) | Decl::Use(_) => None,
    }
}

/// Collects the declarations of all files and what each file takes from others; a second declaration of a name is reported
/// and the first one stands.
pub(super) fn collect(parsed: &Parsed) -> (Names<'_>, Diagnostics) {
    let mut names = Names::default();
    let mut found = Vec::new();
    for (file, tree) in parsed.files() {
        names.damaged.extend(tree.damaged.iter().map(|name| (file, name.name.as_str())));
        for decl in &tree.decls {
            if let Some((kind, name)) = declares(decl) {
                declare(
                    &mut names,
                    &mut found,
                    name,
                    Declared { kind, span: name.span, place: name.span, renamed: false, decl },
                );
            }
        }
    }
    let own = names.files.clone();
    for (_, tree) in parsed.files() {
        for decl in &tree.decls {
            if let Decl::Use(import) = decl {
                let from = parsed.used_file(import).map(|file| (file, own.get(&file)));
                take(&mut names, &mut found, parsed, import, decl, from);
            }
        }
    }
    entitle(&mut names, parsed);
    (names, found)
}

fn declare<'a>(names: &mut Names<'a>, found: &mut Diagnostics, name: &'a Ident, declared: Declared<'a>) {
    if matches!(declared.kind, Kind::Dataset | Kind::Train) {
        found.extend(bad_file_name(name, declared.kind.described()));
    }
    if let Some(first) = names.get(name) {
        let imported = declared.span != declared.place || first.span != first.place;
        let help = if imported {
            format!("take it under another name: `use \"…\": {0} as other_{0}`", name.name)
        } else {
            "all declarations share one namespace: give one of them another name".to_owned()
        };
        found.push(
            Diagnostic::new(
                Code::DuplicateDeclaration,
                format!("`{}` is declared twice", name.name),
                name.span,
                "declared again here",
            )
            .label(first.span, format!("first declared here, as {}", first.kind.described()))
            .help(help),
        );
        return;
    }
    names.files.entry(name.span.file).or_default().insert(&name.name, declared);
}

/// Brings the names of one `use` into its file. Only what the other file declares itself can be taken.
fn take<'a>(
    names: &mut Names<'a>,
    found: &mut Diagnostics,
    parsed: &'a Parsed,
    import: &'a ast::Use,
    decl: &'a Decl,
    from: Option<(FileId, Option<&BTreeMap<&'a str, Declared<'a>>>)>,
) {
    for (name, renamed) in &import.names {
        let here = renamed.as_ref().unwrap_or(name);
        let unknown = Declared { kind: Kind::Imported, span: here.span, place: here.span, renamed: false, decl };
        let declared = match from {
            None => unknown,
            Some((file, own)) => match own.and_then(|own| own.get(name.name.as_str())) {
                Some(there) => {
                    // Where files use each other in a circle, what another one takes is not unused.
                    names.used.insert(there.span);
                    Declared { span: here.span, renamed: renamed.is_some(), ..*there }
                }
                None => {
                    if !names.damaged.contains(&(file, name.name.as_str())) {
                        found.push(not_declared_there(parsed, import, name, file, own));
                    }
                    unknown
                }
            },
        };
        declare(names, found, here, declared);
    }
}

fn not_declared_there(
    parsed: &Parsed,
    import: &ast::Use,
    name: &Ident,
    file: FileId,
    own: Option<&BTreeMap<&str, Declared<'_>>>,
) -> Diagnostic {
    let decls = parsed.tree(file).map(|tree| tree.decls.as_slice()).unwrap_or_default();
    let passed_on = decls.iter().find_map(|decl| match decl {
        Decl::Use(other) => {
            let brings = |(own, renamed): &&(Ident, Option<Ident>)| renamed.as_ref().unwrap_or(own).name == name.name;
            other.names.iter().find(brings).map(|_| &other.path.node)
        }
        _ => None,
    });
    let help = match passed_on {
        Some(path) => format!("that file takes it from `{path}`: take it from there too").into(),
        None => suggest(&name.name, own.into_iter().flatten().map(|(name, _)| *name), "declarations"),
    };
    Diagnostic::new(
        Code::UnknownName,
        format!("`{}` declares no `{}`", import.path.node, name.name),
        name.span,
        "not declared in that file",
    )
    .label(import.path.span, "the file")
    .help(help)
}

/// Gives each declaration a name of its own in the program: those of the first file keep theirs, those that it takes get
/// the name that it gives them, and of others that clash the file's name goes before: `pii.tidy`.
fn entitle(names: &mut Names<'_>, parsed: &Parsed) {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut titles: BTreeMap<Span, String> = BTreeMap::new();
    let entry = parsed.entry();
    for (name, declared) in names.files.get(&entry).into_iter().flatten() {
        taken.insert((*name).to_owned());
        titles.entry(declared.place).or_insert_with(|| (*name).to_owned());
    }
    for (file, own) in &names.files {
        for (name, declared) in own {
            if declared.place != declared.span || titles.contains_key(&declared.place) {
                continue;
            }
            let stem = parsed.stem(*file);
            let candidates = std::iter::once((*name).to_owned())
                .chain((1_u32..).map(|times| format!("{stem}.{}{name}", "_".repeat(times as usize - 1))));
            let title = candidates.into_iter().find(|title| !taken.contains(title)).unwrap_or_default();
            taken.insert(title.clone());
            titles.insert(declared.place, title);
        }
    }
    names.titles = titles;
}

/// What a reference to a declaration of one kind gave.
pub(super) enum Found<'a> {
    /// The declaration.
    Declared(&'a Decl),
    /// Nothing that can be looked at; it was reported.
    Silent,
}

/// Looks up a name that must be of one kind; reports it when there is none, or when it is of another.
pub(super) fn look_up<'a>(context: &mut Context<'a>, name: &Ident, kind: Kind) -> Found<'a> {
    let Some(declared) = context.names.get(name) else {
        if context.names.is_damaged(name) {
            return Found::Silent;
        }
        let candidates: Vec<&str> = context.names.of_kind(name.span.file, kind).collect();
        let help = suggest(&name.name, candidates, kind.plural());
        context.error(
            Code::UnknownName,
            format!("no `{}` is named `{}`", kind.word(), name.name),
            name.span,
            format!("no `{}` of this name", kind.word()),
            help,
        );
        return Found::Silent;
    };
    context.names.mark_used(name);
    index::refer_to_declaration(context, name, declared);
    if declared.kind == Kind::Imported {
        return Found::Silent;
    }
    if declared.kind != kind {
        let candidates: Vec<&str> = context.names.of_kind(name.span.file, kind).collect();
        let help = suggest(&name.name, candidates, kind.plural());
        context.report(
            Diagnostic::new(
                Code::WrongKind,
                format!("`{}` is {}, and {} is needed here", name.name, declared.kind.described(), kind.described()),
                name.span,
                format!("must name {}", kind.described()),
            )
            .label(declared.span, format!("declared here as {}", declared.kind.described()))
            .help(help),
        );
        return Found::Silent;
    }
    Found::Declared(declared.decl)
}

/// Warns of blocks, labels, constants … of the file `entry` that nothing refers to. Data sets and runs are results of their
/// own, and what another file offers may be meant for others.
pub(super) fn check_unused(context: &mut Context<'_>, entry: FileId) {
    if !context.names.damaged.is_empty() || crate::diagnostics::has_errors(&context.diagnostics) {
        // What could not be read may have used them, and a misspelt name was meant for one of them.
        return;
    }
    let own = context.names.files.get(&entry).into_iter().flatten();
    if !own.into_iter().any(|(_, declared)| matches!(declared.kind, Kind::Dataset | Kind::Train)) {
        // A file without a result of its own is there for others to take from.
        return;
    }
    let unused: Vec<(String, Declared<'_>)> = context
        .names
        .files
        .get(&entry)
        .into_iter()
        .flatten()
        .filter(|(_, declared)| !context.names.used.contains(&declared.span) && must_be_used(declared))
        .map(|(name, declared)| ((*name).to_owned(), *declared))
        .collect();
    for (name, declared) in unused {
        let word = if declared.span == declared.place { declared.kind.word() } else { "use" };
        context.error(
            Code::UnusedDeclaration,
            format!("`{word}` `{name}` is never used"),
            declared.span,
            "nothing refers to it",
            "use it, or take it out",
        );
    }
}

fn must_be_used(declared: &Declared<'_>) -> bool {
    match declared.kind {
        Kind::Source
        | Kind::Label
        | Kind::Clean
        | Kind::Policy
        | Kind::Template
        | Kind::Model
        | Kind::Constant
        | Kind::Function
        | Kind::Imported => true,
        Kind::Dataset | Kind::Train => false,
    }
}

/// Reports a name that becomes a file's or a folder's and is not fit for it.
pub(super) fn check_file_name(context: &mut Context<'_>, name: &Ident, what: &str) {
    context.diagnostics.extend(bad_file_name(name, what));
}

fn bad_file_name(name: &Ident, what: &str) -> Option<Diagnostic> {
    let fit = name.name.chars().all(|character| character.is_alphanumeric() || matches!(character, '_' | '-' | '.'))
        && !name.name.starts_with('.')
        && !name.name.is_empty();
    (!fit).then(|| {
        Diagnostic::new(
            Code::BadFileName,
            format!("{what} becomes a file or a folder, and `{}` cannot be its name", name.name),
            name.span,
            "no file's name",
        )
        .help("use letters, digits, `_`, `-` and `.`")
    })
}
