//! `clean` declarations.

use super::{Builder, Pair, Rule, all, child, must, only};
use crate::syntax::ast::Expr;
use crate::syntax::ast::clean::{Clean, DedupHow, Rule as CleanRule, RuleKind};

impl Builder<'_> {
    pub(super) fn clean(&mut self, doc: Option<String>, pair: &Pair) -> Clean {
        let rules = all(pair, Rule::clean_rule).map(|rule| self.clean_rule(&only(&rule))).collect();
        Clean { doc, name: self.name_in(pair), rules, span: self.span(pair) }
    }

    fn clean_rule(&mut self, pair: &Pair) -> CleanRule {
        let kind = match pair.as_rule() {
            Rule::set => RuleKind::Set { field: self.name_in(pair), value: self.expr_in(pair) },
            Rule::drop => RuleKind::Drop { reason: self.reason_in(pair), condition: self.when_in(pair) },
            Rule::dedup => RuleKind::Dedup {
                fields: self.names_in(pair),
                how: match child(pair, Rule::near) {
                    Some(near) => DedupHow::Near(self.amount_in(&near)),
                    None => DedupHow::Exactly(self.span(&must(pair, Rule::k_exactly))),
                },
            },
            Rule::clean_pack => RuleKind::Pack {
                name: self.name_in(pair),
                field: child(pair, Rule::pack_of).map(|of| self.name_in(&of)),
                settings: self.settings_in(pair),
            },
            rule => unreachable!("the grammar has no rule {rule:?} of a clean block"),
        };
        CleanRule { kind, span: self.span(pair) }
    }

    /// The condition after `when`.
    pub(super) fn when_in(&mut self, pair: &Pair) -> Expr {
        self.expr_in(&must(pair, Rule::when))
    }
}
