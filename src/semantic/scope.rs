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
    /// Whether it held personal data at any step since it got its value: `redact @personal` works on it once more.
    pub(super) held_personal: bool,
    pub(super) key: bool,
    pub(super) group: bool,
    /// Where it was declared, once for each source that has it.
    pub(super) declared: Vec<Span>,
    /// Where its name stands in these declarations.
    pub(super) names: Vec<Span>,
}

impl ScopeColumn {
    /// A column without attributes, whose name stands at `name_span` in its declaration.
    pub(super) fn new(name: &str, ty: Option<FieldType>, declared: Span, name_span: Span) -> Self {
        Self {
            name: name.to_owned(),
            ty,
            label: None,
            hidden: false,
            not_null: false,
            personal: None,
            taint: None,
            held_personal: false,
            key: false,
            group: false,
            declared: vec![declared],
            names: vec![name_span],
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

    /// The column that holds a label's value.
    pub(super) fn of_label(&self, label: LabelId) -> Option<ColumnId> {
        let index = self.columns.iter().position(|column| column.label == Some(label))?;
        Some(ColumnId(u32::try_from(index).ok()?))
    }

    pub(super) fn column(&self, id: ColumnId) -> &ScopeColumn {
        &self.columns[id.0 as usize]
    }

    pub(super) fn column_mut(&mut self, id: ColumnId) -> &mut ScopeColumn {
        &mut self.columns[id.0 as usize]
    }

    /// Whether a label of the same name stands before this field.
    pub(super) fn is_hidden_by_label(&self, column: &ScopeColumn) -> bool {
        column.label.is_none() && self.columns.iter().any(|label| label.label.is_some() && label.name == column.name)
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
    /// The constants and functions that are being expanded, by the places of their names, against cycles.
    pub(super) open: Vec<Span>,
    /// Whether this is the body of a `fn` or `let`, which sees no field.
    pub(super) closed: bool,
}

impl<'s> View<'s> {
    /// The view of a rule: all columns.
    pub(super) fn of(record: &'s Record) -> Self {
        Self { record, arguments: Vec::new(), open: Vec::new(), closed: false }
    }
}
