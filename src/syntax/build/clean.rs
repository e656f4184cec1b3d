//! `clean` declarations.

use super::{Builder, Pair, Rule, all, child, must, only};
use crate::syntax::ast::Expr;
use crate::syntax::ast::clean::{
    Clean, DedupHow, Evaluation, Kept, KeptWhich, Near, NearScheme, Pieces, Rule as CleanRule, RuleKind,
};

impl Builder<'_> {
    pub(super) fn clean(&mut self, doc: Option<String>, pair: &Pair) -> Clean {
        let rules = all(pair, Rule::clean_rule).map(|rule| self.clean_rule(&only(&rule))).collect();
        Clean { doc, name: self.name_in(pair), rules, span: self.span(pair) }
    }

    fn clean_rule(&mut self, pair: &Pair) -> CleanRule {
        let kind = match pair.as_rule() {
            Rule::set => RuleKind::Set { field: self.name_in(pair), value: self.expr_in(pair) },
            Rule::drop => RuleKind::Drop { reason: self.reason_in(pair), condition: self.when_in(pair) },
            Rule::dedup => self.dedup(pair),
            Rule::decontaminate => RuleKind::Decontaminate {
                field: self.name_in(pair),
                against: all(pair, Rule::evaluation).map(|evaluation| self.evaluation(&evaluation)).collect(),
                by: self.quantity_in(&must(pair, Rule::contaminated_by)),
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

    fn dedup(&mut self, pair: &Pair) -> RuleKind {
        if let Some(substrings) = child(pair, Rule::dedup_substrings) {
            return self.pieces(&substrings, Pieces::Substrings);
        }
        if let Some(pieces) = child(pair, Rule::dedup_pieces) {
            let lines = child(&pieces, Rule::k_lines).is_some();
            return self.pieces(&pieces, if lines { Pieces::Lines } else { Pieces::Sentences });
        }
        RuleKind::Dedup {
            fields: self.names_in(pair),
            how: match child(pair, Rule::near) {
                Some(near) => DedupHow::Near(self.near(&near)),
                None => DedupHow::Exactly(self.span(&must(pair, Rule::k_exactly))),
            },
            keep: child(pair, Rule::kept).map(|kept| self.kept(&kept)),
        }
    }

    fn pieces(&mut self, pair: &Pair, pieces: Pieces) -> RuleKind {
        let at_least = child(pair, Rule::at_least).map(|at_least| self.quantity_in(&at_least));
        RuleKind::DedupPieces { pieces, field: self.name_in(pair), at_least }
    }

    pub(super) fn near(&mut self, pair: &Pair) -> Near {
        let over = child(pair, Rule::near_over).map(|over| NearScheme::Over(self.quantity_in(&over)));
        let scheme = over.or_else(|| child(pair, Rule::near_like).map(|like| NearScheme::Like(self.name_in(&like))));
        Near { threshold: self.amount_in(pair), scheme, span: self.span(pair) }
    }

    fn kept(&mut self, pair: &Pair) -> Kept {
        let which = match child(pair, Rule::kept_best) {
            Some(best) => KeptWhich::Best(self.expr_in(&best)),
            None if child(pair, Rule::k_longest).is_some() => KeptWhich::Longest,
            None => KeptWhich::First,
        };
        Kept { which, span: self.span(pair) }
    }

    fn evaluation(&self, pair: &Pair) -> Evaluation {
        if child(pair, Rule::text).is_some() {
            return Evaluation::Files(self.text_in(pair));
        }
        let [source, field] = <[_; 2]>::try_from(self.all_names(pair)).expect("a field of a source has two names");
        Evaluation::Field(source, field)
    }

    /// The condition after `when`.
    pub(super) fn when_in(&mut self, pair: &Pair) -> Expr {
        self.expr_in(&must(pair, Rule::when))
    }
}
