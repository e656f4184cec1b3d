//! `label` declarations.

use super::{Builder, Pair, Rule, all, child, must, only};
use crate::syntax::ast::Ident;
use crate::syntax::ast::label::{Constraint, Label, Schema, Value, Values};

impl Builder<'_> {
    pub(super) fn label(&mut self, doc: Option<String>, pair: &Pair) -> Label {
        let schema = self.schema(&only(&must(pair, Rule::schema)));
        Label { doc, name: self.name_in(pair), schema, span: self.span(pair) }
    }

    fn schema(&mut self, pair: &Pair) -> Schema {
        match pair.as_rule() {
            Rule::choice => Schema::Choice(self.values_in(pair)),
            Rule::choices => Schema::Choices {
                count: child(pair, Rule::count).map(|count| self.range_in(&count)),
                values: self.values_in(pair),
            },
            Rule::spans => Schema::Spans {
                field: self.name_in(pair),
                values: self.values_in(pair),
                overlap: child(pair, Rule::overlap).map(|overlap| self.name_in(&overlap)),
            },
            Rule::scale => {
                let (low, high) = self.range_in(pair);
                let constraints = all(pair, Rule::constraint).map(|constraint| self.constraint(&constraint)).collect();
                Schema::Scale { low, high, constraints }
            }
            Rule::json => Schema::Json(self.fields_in(pair)),
            Rule::simple_schema => Schema::Simple(self.keyword_in(pair)),
            rule => unreachable!("the grammar has no label schema {rule:?}"),
        }
    }

    fn constraint(&mut self, pair: &Pair) -> Constraint {
        let mut parts = all(pair, Rule::expr);
        let (when, require) = (parts.next(), parts.next());
        let when = when.expect("a constraint says when it applies");
        let require = require.expect("a constraint says what must hold");
        Constraint { when: self.expr(&when), require: self.expr(&require), span: self.span(pair) }
    }

    fn values_in(&mut self, pair: &Pair) -> Values {
        let values = must(pair, Rule::values);
        if let Some(list) = child(&values, Rule::value_list) {
            return Values::Listed(self.value_list(&list));
        }
        match child(&values, Rule::values_field) {
            Some(place) => {
                let mut names = self.all_names(&place).into_iter();
                let source = names.next().expect("a source stands before the point");
                let field = names.next().expect("a field stands after the point");
                Values::Field { source, field }
            }
            None => Values::File(self.text_in(&values)),
        }
    }

    fn value_list(&mut self, list: &Pair) -> Vec<Value> {
        all(list, Rule::value).map(|value| self.value(&value)).collect()
    }

    fn value(&mut self, pair: &Pair) -> Value {
        let name = only(&must(pair, Rule::value_name));
        let name = match name.as_rule() {
            Rule::text => {
                let text = self.text(&name);
                Ident { name: text.node, span: text.span }
            }
            _ => self.name(&name),
        };
        Value {
            doc: self.doc(pair),
            name,
            title: child(pair, Rule::value_title).map(|title| self.text_in(&title)),
            key: child(pair, Rule::value_key).map(|key| self.text_in(&key)),
            children: child(pair, Rule::value_list).map(|list| self.value_list(&list)).unwrap_or_default(),
            span: self.span(pair),
        }
    }
}
