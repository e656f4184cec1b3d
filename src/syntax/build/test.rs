//! `test` declarations.

use super::{Builder, Pair, Rule, all, child, must, only};
use crate::syntax::ast::test::{Expect, Test};

impl Builder<'_> {
    pub(super) fn test(&mut self, doc: Option<String>, pair: &Pair) -> Test {
        let mut test = Test {
            doc,
            target: self.name_in(pair),
            title: self.text_in(pair),
            given: Vec::new(),
            expect: Vec::new(),
            span: self.span(pair),
        };
        for item in all(pair, Rule::test_item) {
            let item = only(&item);
            match item.as_rule() {
                Rule::given => test.given.push(self.record_in(&item)),
                _ => test.expect.push(self.expect(&item)),
            }
        }
        test
    }

    fn expect(&mut self, pair: &Pair) -> Expect {
        if let Some(action) = child(pair, Rule::expect_drop) {
            Expect::Drop(child(&action, Rule::text).map(|text| self.text(&text)), self.span(&action))
        } else if let Some(place) = self.place_of(pair, Rule::expect_quarantine) {
            Expect::Quarantine(place)
        } else {
            Expect::Record(self.record_in(pair))
        }
    }

    fn record_in(&mut self, pair: &Pair) -> crate::syntax::ast::Expr {
        self.record(&must(pair, Rule::record))
    }
}
