//! `dataset` declarations.

use super::{Builder, Pair, Rule, all, child, must, only};
use crate::syntax::ast::Quantity;
use crate::syntax::ast::dataset::{
    Dataset, Item, ItemKind, LabelBody, LabelItem, LabelItemKind, Part, PartKind, Split, SplitBy,
};

impl Builder<'_> {
    pub(super) fn dataset(&mut self, doc: Option<String>, pair: &Pair) -> Dataset {
        let items = all(pair, Rule::dataset_item).map(|item| self.dataset_item(&only(&item))).collect();
        Dataset { doc, name: self.name_in(pair), items, span: self.span(pair) }
    }

    fn dataset_item(&mut self, pair: &Pair) -> Item {
        let kind = match pair.as_rule() {
            Rule::dataset_from => ItemKind::From(self.names_in(pair)),
            Rule::dataset_purpose => ItemKind::Purpose(self.text_in(pair)),
            Rule::dataset_clean => ItemKind::Clean(self.names_in(pair)),
            Rule::dataset_policy => ItemKind::Policy(self.names_in(pair)),
            Rule::dataset_label => ItemKind::Label { name: self.name_in(pair), body: self.label_body(pair) },
            Rule::sample => ItemKind::Sample { share: self.amount_in(pair), seed: self.seed_in(pair) },
            Rule::take => {
                self.check_once(pair, Rule::per, "per");
                let per = child(pair, Rule::per).map(|per| self.name_in(&per));
                ItemKind::Take { count: self.amount_in(pair), per, seed: self.seed_in(pair) }
            }
            Rule::balance => {
                self.check_once(pair, Rule::at_most, "at most");
                let at_most = child(pair, Rule::at_most).map(|at_most| self.quantity_in(&at_most));
                ItemKind::Balance { field: self.name_in(pair), at_most, seed: self.seed_in(pair) }
            }
            Rule::mix => ItemKind::Mix {
                shares: all(pair, Rule::mixed).map(|mixed| (self.name_in(&mixed), self.amount_in(&mixed))).collect(),
                seed: self.seed_in(pair),
            },
            Rule::weight => {
                ItemKind::Weight { source: self.name_in(pair), weight: self.amount_in(pair), seed: self.seed_in(pair) }
            }
            Rule::split => ItemKind::Split(self.split(pair)),
            Rule::write => ItemKind::Write {
                format: self.name_in(pair),
                template: child(pair, Rule::write_template).map(|from| self.name_in(&from)),
                name: child(pair, Rule::write_name).map(|name| self.name_in(&name)),
                settings: self.settings_in(pair),
            },
            rule => unreachable!("the grammar has no statement {rule:?} of a data set"),
        };
        Item { kind, span: self.span(pair) }
    }

    fn label_body(&mut self, pair: &Pair) -> LabelBody {
        match child(pair, Rule::label_value) {
            Some(value) => {
                LabelBody::Value { value: self.expr_in(&value), else_drop: self.place_of(&value, Rule::else_drop) }
            }
            None => {
                let block = must(pair, Rule::label_block);
                LabelBody::Block(all(&block, Rule::label_item).map(|item| self.label_item(&only(&item))).collect())
            }
        }
    }

    fn label_item(&mut self, pair: &Pair) -> LabelItem {
        let kind = match pair.as_rule() {
            Rule::from_value => {
                LabelItemKind::From { value: self.expr_in(pair), else_drop: self.place_of(pair, Rule::else_drop) }
            }
            Rule::from_annotations => LabelItemKind::FromAnnotations(self.texts(&must(pair, Rule::texts))),
            Rule::from_rule => LabelItemKind::FromRule {
                name: self.text_in(pair),
                condition: self.when_in(pair),
                value: self.expr_in(&must(pair, Rule::rule_value)),
            },
            Rule::from_model => LabelItemKind::FromModel {
                model: self.name_in(pair),
                condition: child(pair, Rule::when).map(|when| self.expr_in(&when)),
                vote: self.place_of(pair, Rule::vote),
            },
            Rule::resolve => {
                LabelItemKind::Resolve { method: self.name_in(pair), else_drop: self.place_of(pair, Rule::else_drop) }
            }
            Rule::label_require => LabelItemKind::Require(self.expr_in(pair)),
            rule => unreachable!("the grammar has no statement {rule:?} of a label"),
        };
        LabelItem { kind, span: self.span(pair) }
    }

    fn split(&mut self, pair: &Pair) -> Split {
        let parts = all(pair, Rule::part).map(|part| self.part(&part)).collect();
        let by_field = child(pair, Rule::split_field).map(|field| self.name_in(&field));
        for (rule, word) in [(Rule::split_by, "by"), (Rule::split_check, "check"), (Rule::stratify, "stratify")] {
            self.check_once(pair, rule, word);
        }
        Split {
            by_field,
            parts,
            by: child(pair, Rule::split_by).map(|by| self.split_by(&by)),
            check: child(pair, Rule::split_check)
                .map(|check| Box::new((self.name_in(&check), self.near(&must(&check, Rule::near))))),
            stratify: child(pair, Rule::stratify).map(|stratify| self.name_in(&stratify)),
            seed: self.seed_in(pair),
        }
    }

    fn split_by(&mut self, pair: &Pair) -> SplitBy {
        if let Some(time) = child(pair, Rule::split_time) {
            return SplitBy::Time(self.name_in(&time));
        }
        match child(pair, Rule::near) {
            Some(near) => SplitBy::Near(self.name_in(pair), self.near(&near)),
            None => SplitBy::Field(self.name_in(pair)),
        }
    }

    /// The number after `seed`; a second one is reported.
    fn seed_in(&mut self, pair: &Pair) -> Option<Quantity> {
        self.check_once(pair, Rule::seed, "seed");
        child(pair, Rule::seed).map(|seed| self.amount_in(&seed))
    }

    /// Reports a clause that stands in a statement more than once.
    pub(super) fn check_once(&mut self, pair: &Pair, rule: Rule, word: &str) {
        let places: Vec<_> = all(pair, rule).map(|clause| self.span(&clause)).collect();
        if let [first, again, ..] = places[..] {
            self.said_twice(word, first, again);
        }
    }

    fn part(&mut self, pair: &Pair) -> Part {
        let what = match (child(pair, Rule::part_from), child(pair, Rule::part_period)) {
            (Some(from), _) => PartKind::From(self.all_names(&from)),
            (None, Some(period)) => PartKind::Period {
                from: child(&period, Rule::period_from).map(|from| self.text_in(&from)),
                before: child(&period, Rule::period_before).map(|before| self.text_in(&before)),
            },
            (None, None) => PartKind::Share(self.amount_in(&must(pair, Rule::part_share))),
        };
        Part { name: self.name_in(pair), what, span: self.span(pair) }
    }
}
