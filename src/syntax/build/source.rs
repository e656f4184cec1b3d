//! `source` declarations, fields and types.

use super::{Builder, Pair, Rule, all, child, must, only};
use crate::syntax::ast::source::{
    Attribute, AttributeArg, Field, Source, SourceItem, SourceItemKind, TypeExpr, TypeExprKind,
};

impl Builder<'_> {
    pub(super) fn source(&mut self, doc: Option<String>, pair: &Pair) -> Source {
        let items = all(pair, Rule::source_item).map(|item| self.source_item(&only(&item))).collect();
        Source { doc, name: self.name_in(pair), items, span: self.span(pair) }
    }

    fn source_item(&mut self, pair: &Pair) -> SourceItem {
        let kind = match pair.as_rule() {
            Rule::source_path => SourceItemKind::Path(self.texts(&must(pair, Rule::texts))),
            Rule::source_annotations => SourceItemKind::Annotations(self.texts(&must(pair, Rule::texts))),
            Rule::source_format => SourceItemKind::Format(self.name_in(pair), self.settings_in(pair)),
            Rule::source_license => SourceItemKind::License(self.text_in(pair)),
            Rule::source_origin => SourceItemKind::Origin(self.text_in(pair)),
            Rule::source_consent => SourceItemKind::Consent(self.text_in(pair)),
            Rule::source_bad_row => SourceItemKind::OnBadRow(self.name_in(pair)),
            Rule::source_row => SourceItemKind::Row(self.quantity(&must(pair, Rule::quantity))),
            Rule::source_fields => SourceItemKind::Fields(self.fields_in(pair)),
            rule => unreachable!("the grammar has no statement {rule:?} of a source"),
        };
        SourceItem { kind, span: self.span(pair) }
    }

    /// The fields in the block of a pair.
    pub(super) fn fields_in(&mut self, pair: &Pair) -> Vec<Field> {
        all(&must(pair, Rule::fields), Rule::field).map(|field| self.field(&field)).collect()
    }

    fn field(&mut self, pair: &Pair) -> Field {
        Field {
            doc: self.doc(pair),
            name: self.name_in(pair),
            ty: self.type_of(&must(pair, Rule::type_of)),
            attributes: all(pair, Rule::attribute).map(|attribute| self.attribute(&attribute)).collect(),
            span: self.span(pair),
        }
    }

    fn attribute(&mut self, pair: &Pair) -> Attribute {
        let args = pair
            .clone()
            .into_inner()
            .skip(1)
            .filter(|arg| arg.as_rule() != Rule::sep)
            .map(|arg| match arg.as_rule() {
                Rule::text => AttributeArg::Text(self.text(&arg)),
                _ => AttributeArg::Name(self.name(&arg)),
            })
            .collect();
        Attribute { name: self.name_in(pair), args, span: self.span(pair) }
    }

    pub(super) fn type_of(&mut self, pair: &Pair) -> TypeExpr {
        let inner = only(pair);
        let kind = match inner.as_rule() {
            Rule::name => TypeExprKind::Name(self.name(&inner)),
            Rule::type_list => TypeExprKind::List(Box::new(self.type_of(&must(&inner, Rule::type_of)))),
            Rule::type_record => TypeExprKind::Record(
                all(&inner, Rule::type_entry)
                    .map(|entry| (self.name_in(&entry), self.type_of(&must(&entry, Rule::type_of))))
                    .collect(),
            ),
            rule => unreachable!("the grammar has no type {rule:?}"),
        };
        TypeExpr { kind, nullable: child(pair, Rule::nullable).is_some(), span: self.span(pair) }
    }
}
