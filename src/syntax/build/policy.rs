//! `policy` declarations.

use super::{Builder, Pair, Rule, all, child, must, only};
use crate::syntax::ast::policy::{Policy, Rule as PolicyRule, RuleKind, Target};

impl Builder<'_> {
    pub(super) fn policy(&mut self, doc: Option<String>, pair: &Pair) -> Policy {
        let rules = all(pair, Rule::policy_rule).map(|rule| self.policy_rule(&only(&rule))).collect();
        Policy { doc, name: self.name_in(pair), rules, span: self.span(pair) }
    }

    fn policy_rule(&mut self, pair: &Pair) -> PolicyRule {
        let kind = match pair.as_rule() {
            Rule::redact => RuleKind::Redact {
                targets: all(pair, Rule::target).map(|target| self.target(&only(&target))).collect(),
                kinds: self.names_in(pair),
            },
            Rule::forbid => RuleKind::Forbid {
                reason: self.reason_in(pair),
                condition: self.when_in(pair),
                else_drop: self.place_of(pair, Rule::else_drop),
            },
            Rule::allow_license => RuleKind::AllowLicense(self.texts(&must(pair, Rule::text_list))),
            Rule::allow_personal => {
                RuleKind::AllowPersonal { fields: self.names_in(pair), because: self.text_in(pair) }
            }
            Rule::require => RuleKind::Require {
                condition: self.expr_in(pair),
                per: child(pair, Rule::per).map(|per| self.name_in(&per)),
            },
            Rule::keep_for => RuleKind::KeepFor { age: self.quantity_in(pair), field: self.name_in(pair) },
            Rule::k_anonymous => RuleKind::KAnonymous { k: self.amount_in(pair), fields: self.names_in(pair) },
            Rule::pack => RuleKind::Pack(self.all_names(pair)),
            rule => unreachable!("the grammar has no rule {rule:?} of a policy"),
        };
        PolicyRule { kind, span: self.span(pair) }
    }

    fn target(&mut self, pair: &Pair) -> Target {
        match pair.as_rule() {
            Rule::personal => Target::Personal(self.span(pair)),
            _ => Target::Field(self.name(pair)),
        }
    }
}
