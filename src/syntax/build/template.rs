//! `template` declarations.

use super::{Builder, Pair, Rule, all, must, only};
use crate::source::Span;
use crate::syntax::ast::Ident;
use crate::syntax::ast::template::{Item, ItemBody, Template};

impl Builder<'_> {
    pub(super) fn template(&mut self, doc: Option<String>, pair: &Pair) -> Template {
        let mut names = self.all_names(pair).into_iter();
        let name = names.next().expect("a template has a name");
        let kind = names.next().expect("a template has a kind");
        let items = all(pair, Rule::template_item).map(|item| self.template_item(&only(&item))).collect();
        Template { doc, name, kind, items, span: self.span(pair) }
    }

    fn template_item(&mut self, pair: &Pair) -> Item {
        let span = self.span(pair);
        match pair.as_rule() {
            Rule::turns => {
                let word = must(pair, Rule::k_turns);
                let slot = Ident { name: word.as_str().trim_end().to_owned(), span: self.span(&word) };
                Item { mute: self.place_of(pair, Rule::mute), slot, body: ItemBody::Field(self.name_in(pair)), span }
            }
            _ => Item {
                mute: self.place_of(pair, Rule::mute),
                slot: self.keyword_in(&must(pair, Rule::slot_name)),
                body: self.slot_text(&must(pair, Rule::text)),
                span,
            },
        }
    }

    fn slot_text(&mut self, pair: &Pair) -> ItemBody {
        let text = self.text(pair);
        let quotes = if pair.as_str().starts_with("\"\"\"") { 3 } else { 1 };
        let literal = pair.as_str();
        let as_written = literal.get(quotes..literal.len() - quotes) == Some(text.node.as_str());
        let inside =
            Span { file: text.span.file, start: text.span.start + quotes as u32, end: text.span.end - quotes as u32 };
        ItemBody::Text { text, raw: as_written.then_some(inside) }
    }
}
