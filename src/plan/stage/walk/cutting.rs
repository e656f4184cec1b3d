//! Steps that cut out of texts what occurred before: what is measured for them, and behind them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::{Cutting, Measures, Taken, node};
use super::{Walk, walked};
use crate::hir::{ColumnId, Dataset, Program, StepKind};
use crate::plan::cleaning;
use crate::plan::scalar::pieces::written;

/// The version of how texts are cut into pieces and of which of these go.
const PIECES: &str = "pieces 1";

/// What the first pass of a data set measures, and the pieces that a step behind it compares, where they are measured.
pub(in crate::plan::stage) fn walk_before(
    program: &Program,
    dataset: &Dataset,
    cutting: &Cutting<'_>,
    against: &BTreeMap<usize, String>,
) -> Measures {
    let mut walk = walked(program, dataset, against);
    if cutting.is_measured() {
        let (form, reads) = walk.compared(cutting, "pieces");
        let what = format!("the pieces that `{}` compares", cutting.rule);
        let node = node(&form, what, BTreeMap::new(), reads);
        walk.add(node, Taken::Pieces(cutting.column, cutting.pieces));
    }
    walk.measures
}

/// What a step behind the data set cuts out, and nothing else.
pub(in crate::plan::stage) fn walk_cut(
    program: &Program,
    dataset: &Dataset,
    cutting: &Cutting<'_>,
    against: &BTreeMap<usize, String>,
) -> Measures {
    let walk = walked(program, dataset, against);
    let (form, reads) = walk.compared(cutting, "cut");
    let node = node(&form, format!("what `{}` cuts out", cutting.rule), BTreeMap::new(), reads);
    Measures { measures: vec![node], taken: Vec::new(), named: Vec::new(), ..walk.measures }
}

impl Walk<'_> {
    /// A text without what is cut out of it. What that is depends on other records: it is part of a chunk's name, and so
    /// the value says only which of the steps that cut it is.
    pub(super) fn cut(&mut self, at: usize, id: ColumnId) {
        let (rule, before) = (&self.dataset.steps[at].rule, &self.dataset.steps[..at]);
        let earlier = before.iter().filter(|step| matches!(step.kind, StepKind::DedupPieces { .. })).count();
        let now = self.now(id);
        let rest = node(&json!(["rest", now, earlier, PIECES]), rule.clone(), BTreeMap::new(), vec![now.clone()]);
        let reads = vec![now, rest.digest.clone()];
        let what = format!("whether `{rule}` changes the record");
        self.name_measure(cleaning::changed(at), node(&json!(["changed", reads]), what, BTreeMap::new(), reads));
        let (what, reads) = (format!("whether `{rule}` leaves nothing of the record"), vec![rest.digest.clone()]);
        self.name_measure(cleaning::verdict(at), node(&json!(["emptied", reads]), what, BTreeMap::new(), reads));
        self.assign(id, rest);
    }

    /// The form of what follows from the pieces that a step behind all others compares, and what it is computed from.
    fn compared(&self, cutting: &Cutting<'_>, what: &str) -> (Value, Vec<String>) {
        let now = self.now(cutting.column);
        (json!([what, now, written(cutting.pieces), PIECES]), vec![now])
    }
}
