//! What an expression can see: the record's columns as they are at a step, arguments, constants.

use super::taint::Taint;
use crate::hir::{self, ColumnId, FieldType, LabelId};
use crate::source::Span;

/// A column of the record while its steps are resolved.
#[derive(Debug, Clone)]
pub(super) struct ScopeColumn {
    pub(super) name: String,
    /// `None`: its type is unknown, which was reported where it is declared.
    pub(super) ty: Option<FieldType>,
    pub(super) label: Option<LabelId>,
    /// Hidden by a label, or by `@drop`: it is not written.
    pub(super) hidden: bool,
    /// Whether the steps so far have proved that it holds no null.
    pub(super) not_null: bool,
    pub(super) personal: Option<hir::Personal>,
    pub(super) taint: Option<Taint>,
    pub(super) key: bool,
    pub(super) group: bool,
    /// Where it was declared, once for each source that has it.
    pub(super) declared: Vec<Span>,
}

impl ScopeColumn {
    /// A column without attributes.
    pub(super) fn new(name: &str, ty: Option<FieldType>, declared: Span) -> Self {
        Self {
            name: name.to_owned(),
            ty,
            label: None,
            hidden: false,
            not_null: false,
            personal: None,
            taint: None,
            key: false,
            group: false,
            declared: vec![declared],
        }
    }

    /// The column of the resolved program. A column without a type stands in no program that is used.
    pub(super) fn to_hir(&self) -> hir::Column {
        hir::Column {
            name: self.name.clone(),
            ty: self.ty.clone().unwrap_or(FieldType::or_null(hir::Type::String)),
            label: self.label,
            hidden: self.hidden,
            personal: self.personal.clone(),
            key: self.key,
            group: self.group,
        }
    }

    /// Its type at this step, narrowed.
    pub(super) fn current(&self) -> Option<FieldType> {
        self.ty.as_ref().map(|ty| FieldType { ty: ty.ty.clone(), nullable: ty.nullable && !self.not_null })
    }
}

/// The record of a data set or of a unit test.
#[derive(Debug, Clone, Default)]
pub(super) struct Record {
    pub(super) columns: Vec<ScopeColumn>,
    /// Whether all its fields are known; else an unknown name is not reported.
    pub(super) complete: bool,
}

impl Record {
    /// The index of the column that a name means: the label where one hides a field.
    pub(super) fn find(&self, name: &str) -> Option<ColumnId> {
        let index = self
            .columns
            .iter()
            .rposition(|column| column.name == name && column.label.is_some())
            .or_else(|| self.columns.iter().position(|column| column.name == name))?;
        Some(ColumnId(u32::try_from(index).ok()?))
    }

    pub(super) fn column(&self, id: ColumnId) -> &ScopeColumn {
        &self.columns[id.0 as usize]
    }

    pub(super) fn column_mut(&mut self, id: ColumnId) -> &mut ScopeColumn {
        &mut self.columns[id.0 as usize]
    }

    /// The names that can be written here, for suggestions.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }
}

/// What one expression can see.
#[derive(Debug, Clone)]
pub(super) struct View<'s> {
    pub(super) record: &'s Record,
    /// The arguments of the `fn` whose body this is; `None` for one that is wrong and was reported.
    pub(super) arguments: Vec<(&'s str, Option<hir::Expr>)>,
    /// The constants and functions that are being expanded, against cycles.
    pub(super) open: Vec<&'s str>,
    /// Whether this is the body of a `fn` or `let`, which sees no field.
    pub(super) closed: bool,
}

impl<'s> View<'s> {
    /// The view of a rule: all columns.
    pub(super) fn of(record: &'s Record) -> Self {
        Self { record, arguments: Vec::new(), open: Vec::new(), closed: false }
    }
}
