//! Names, strings, numbers and options.

use super::{Builder, Pair, Rule, all, child, must};
use crate::diagnostics::{Code, Diagnostic};
use crate::source::Spanned;
use crate::syntax::ast::{Ident, Quantity, Setting, SettingValue, Text};
use crate::syntax::literal;

impl Builder<'_> {
    pub(super) fn name(&self, pair: &Pair) -> Ident {
        Ident { name: pair.as_str().trim_matches('`').to_owned(), span: self.span(pair) }
    }

    pub(super) fn text(&self, pair: &Pair) -> Text {
        Spanned::new(literal::string_text(pair.as_str()), self.span(pair))
    }

    pub(super) fn text_in(&self, pair: &Pair) -> Text {
        self.text(&must(pair, Rule::text))
    }

    /// The strings of a `texts` or a `text_list`.
    pub(super) fn texts(&self, pair: &Pair) -> Vec<Text> {
        all(pair, Rule::text).map(|text| self.text(&text)).collect()
    }

    /// The reason of a rule.
    pub(super) fn reason_in(&self, pair: &Pair) -> Text {
        self.text_in(&must(pair, Rule::reason))
    }

    /// The value of a `number` or `percent`; one that no machine number holds is reported.
    pub(super) fn float(&mut self, pair: &Pair) -> f64 {
        let digits = pair.as_str().trim_end_matches('%').replace('_', "");
        let value = digits.parse::<f64>().unwrap_or(f64::INFINITY);
        if value.is_finite() {
            return value;
        }
        self.too_large(pair);
        0.0
    }

    pub(super) fn too_large(&mut self, pair: &Pair) {
        let message = format!("the number `{}` is too large", crate::syntax::statement::shorten(pair.as_str()));
        let error = Diagnostic::new(Code::BadNumber, message, self.span(pair), "too large");
        self.errors.push(error.help("whole numbers reach up to 9_223_372_036_854_775_807, others up to 1.7e308"));
    }

    /// An `amount`, or a `quantity` with its unit.
    pub(super) fn quantity(&mut self, pair: &Pair) -> Quantity {
        let amount = if pair.as_rule() == Rule::quantity { must(pair, Rule::amount) } else { pair.clone() };
        let unit = child(pair, Rule::unit).map(|unit| self.name_in(&unit));
        let percent = child(&amount, Rule::percent);
        let number = percent
            .clone()
            .unwrap_or_else(|| child(&amount, Rule::number).expect("an amount is a number or a percentage"));
        let sign = if amount.as_str().starts_with('-') { -1.0 } else { 1.0 };
        Quantity {
            value: sign * self.float(&number),
            integer: !number.as_str().contains(['.', 'e', 'E']),
            percent: percent.is_some(),
            unit,
            span: self.span(pair),
        }
    }

    /// The `amount` inside a pair.
    pub(super) fn amount_in(&mut self, pair: &Pair) -> Quantity {
        self.quantity(&must(pair, Rule::amount))
    }

    /// The `quantity` inside a pair.
    pub(super) fn quantity_in(&mut self, pair: &Pair) -> Quantity {
        self.quantity(&must(pair, Rule::quantity))
    }

    /// The two ends of the `range` inside a pair.
    pub(super) fn range_in(&mut self, pair: &Pair) -> (Quantity, Quantity) {
        let range = must(pair, Rule::range);
        let mut ends = all(&range, Rule::amount);
        let (low, high) = (ends.next(), ends.next());
        let low = low.expect("a range has a lower end");
        let high = high.expect("a range has an upper end");
        (self.quantity(&low), self.quantity(&high))
    }

    pub(super) fn quantities(&mut self, list: &Pair) -> Vec<Quantity> {
        all(list, Rule::quantity).map(|quantity| self.quantity(&quantity)).collect()
    }

    /// The options in the block of a pair, none where it has no block.
    pub(super) fn settings_in(&mut self, pair: &Pair) -> Vec<Setting> {
        let Some(block) = child(pair, Rule::settings) else { return Vec::new() };
        all(&block, Rule::setting).map(|setting| self.setting(&setting)).collect()
    }

    pub(super) fn setting(&mut self, pair: &Pair) -> Setting {
        let value = pair.clone().into_inner().nth(1).map(|value| match value.as_rule() {
            Rule::quantity => SettingValue::Quantity(self.quantity(&value)),
            Rule::quantity_list => SettingValue::List(self.quantities(&value)),
            Rule::text => SettingValue::Text(self.text(&value)),
            Rule::text_list => SettingValue::Texts(self.texts(&value)),
            Rule::setting_word => SettingValue::Word(self.name_in(&value)),
            rule => unreachable!("the grammar has no value {rule:?} of an option"),
        });
        Setting { name: self.name_in(pair), value, span: self.span(pair) }
    }
}
