//! `model`, `train` and `evaluate` declarations.

use super::{Builder, Pair, Rule, all, child, must, only};
use crate::syntax::ast::Ident;
use crate::syntax::ast::train::{Evaluate, EvaluateItem, Model, ModelItem, Task, Train, TrainItem, TrainItemKind};

impl Builder<'_> {
    pub(super) fn model(&mut self, doc: Option<String>, pair: &Pair) -> Model {
        let items = all(pair, Rule::model_item).map(|item| self.model_item(&only(&item))).collect();
        Model { doc, name: self.name_in(pair), items, span: self.span(pair) }
    }

    fn model_item(&mut self, pair: &Pair) -> ModelItem {
        let span = self.span(pair);
        match pair.as_rule() {
            Rule::model_onnx => ModelItem::Onnx(self.text_in(pair), span),
            Rule::model_new => {
                ModelItem::New { architecture: self.name_in(pair), settings: self.settings_in(pair), span }
            }
            Rule::setting => ModelItem::Setting(self.setting(pair)),
            rule => unreachable!("the grammar has no statement {rule:?} of a model"),
        }
    }

    pub(super) fn train(&mut self, doc: Option<String>, pair: &Pair) -> Train {
        let items = all(pair, Rule::train_item)
            .map(|item| {
                let inner = only(&item);
                TrainItem { kind: self.train_item(&inner), span: self.span(&inner) }
            })
            .collect();
        Train { doc, name: self.name_in(pair), items, span: self.span(pair) }
    }

    fn train_item(&mut self, pair: &Pair) -> TrainItemKind {
        match pair.as_rule() {
            Rule::train_model => TrainItemKind::Model(self.name_in(pair)),
            Rule::train_data => TrainItemKind::Data(self.name_in(pair)),
            Rule::task => TrainItemKind::Task(self.task(&must_task(pair))),
            Rule::tune => TrainItemKind::Tune(self.name_in(pair), self.settings_in(pair)),
            Rule::length => TrainItemKind::Length {
                limit: self.quantity_in(pair),
                otherwise: child(pair, Rule::length_else).map(|otherwise| self.length_else(&otherwise)),
            },
            Rule::epochs => TrainItemKind::Epochs(self.amount_in(pair)),
            Rule::steps => TrainItemKind::Steps(self.amount_in(pair)),
            Rule::batch => TrainItemKind::Batch {
                size: self.amount_in(pair),
                accumulate: child(pair, Rule::accumulate).map(|accumulate| self.amount_in(&accumulate)),
            },
            Rule::rate => self.rate(pair),
            Rule::optimizer => TrainItemKind::Optimizer(self.name_in(pair), self.settings_in(pair)),
            Rule::validate => TrainItemKind::Validate {
                every: child(pair, Rule::validate_every).map(|every| self.quantity_in(&every)),
                by: child(pair, Rule::validate_by).map(|by| self.expr_in(&by)),
            },
            Rule::stop => TrainItemKind::Stop(self.quantity_in(pair)),
            Rule::keep_best => TrainItemKind::KeepBest(child(pair, Rule::amount).map(|best| self.quantity(&best))),
            Rule::checkpoint => TrainItemKind::Checkpoint(self.quantity_in(pair)),
            Rule::device => TrainItemKind::Device(
                self.name_in(pair),
                child(pair, Rule::device_else).map(|otherwise| self.name_in(&otherwise)),
            ),
            Rule::setting => TrainItemKind::Setting(self.setting(pair)),
            rule => unreachable!("the grammar has no statement {rule:?} of a run"),
        }
    }

    fn rate(&mut self, pair: &Pair) -> TrainItemKind {
        self.check_once(pair, Rule::warmup, "warmup");
        self.check_once(pair, Rule::decay, "decay");
        self.check_once(pair, Rule::floor, "floor");
        TrainItemKind::Rate {
            peak: self.amount_in(pair),
            schedule: child(pair, Rule::schedule).map(|schedule| self.name_in(&schedule)),
            warmup: child(pair, Rule::warmup).map(|warmup| self.quantity_in(&warmup)),
            decay: child(pair, Rule::decay).map(|decay| self.quantity_in(&decay)),
            floor: child(pair, Rule::floor).map(|floor| self.amount_in(&floor)),
        }
    }

    /// `start` or `end` of `else keep …`; `drop` of `else drop`.
    fn length_else(&self, pair: &Pair) -> Ident {
        match child(pair, Rule::name) {
            Some(end) => self.name(&end),
            None => {
                let action = must(pair, Rule::k_drop);
                Ident { name: action.as_str().to_owned(), span: self.span(&action) }
            }
        }
    }

    fn task(&mut self, pair: &Pair) -> Task {
        let mut names = self.all_names(pair).into_iter();
        let (label, from) = match pair.as_rule() {
            Rule::task_pair => (names.next(), names.next()),
            Rule::task_label => (names.next(), None),
            _ => (None, names.next()),
        };
        Task { kind: self.keyword_in(pair), label, from }
    }

    pub(super) fn evaluate(&mut self, doc: Option<String>, pair: &Pair) -> Evaluate {
        let mut names = self.all_names(pair).into_iter();
        let run = names.next().expect("an evaluation names the run");
        let dataset = names.next().expect("an evaluation names the data set");
        let part = names.next().expect("an evaluation names the part");
        let items = all(pair, Rule::evaluate_item).map(|item| self.evaluate_item(&only(&item))).collect();
        Evaluate { doc, run, dataset, part, items, span: self.span(pair) }
    }

    fn evaluate_item(&mut self, pair: &Pair) -> EvaluateItem {
        let span = self.span(pair);
        match pair.as_rule() {
            Rule::report => EvaluateItem::Report(self.names_in(pair), span),
            Rule::by => EvaluateItem::By {
                value: self.expr_in(pair),
                at: child(pair, Rule::at).map(|at| self.quantities(&must(&at, Rule::quantity_list))),
                span,
            },
            Rule::generate => {
                EvaluateItem::Generate { method: self.name_in(pair), settings: self.settings_in(pair), span }
            }
            Rule::evaluate_require => EvaluateItem::Require(self.expr_in(pair), span),
            rule => unreachable!("the grammar has no statement {rule:?} of an evaluation"),
        }
    }
}

/// The form of a `task` statement, after its word.
fn must_task<'i>(pair: &Pair<'i>) -> Pair<'i> {
    pair.clone().into_inner().nth(1).expect("a task has a form")
}
