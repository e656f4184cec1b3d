//! Labels that are spans: they are held against the text as it is where they are given, and carried along behind it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::{Node, node, version};
use super::Walk;
use crate::hir::ColumnId;
use crate::pii::Detector;

/// The version of how spans are held against texts and carried along.
const ALIGNED: &str = "spans 1";

/// A label of spans.
pub(super) struct Carried {
    pub(super) column: ColumnId,
    pub(super) over: ColumnId,
    /// The column of the first pass with what is kept of it.
    pub(super) name: String,
    pub(super) what: String,
}

impl Walk<'_> {
    /// Spans as they are given, of a label with these names.
    pub(super) fn spans_of(&mut self, given: Carried, names: &Value, fresh: Node) {
        let (read, now) = (self.measures.values[given.over.0 as usize].digest.clone(), self.now(given.over));
        let form = json!([ALIGNED, names[0], names[1], fresh.digest, read, now]);
        let reads = vec![fresh.digest.clone(), read, now];
        let carried = node(&form, format!("`{}` in the text as it is now", given.what), BTreeMap::new(), reads);
        self.measures.values.push(fresh);
        let column = given.column;
        self.spans.push(given);
        self.assign(column, carried);
    }

    /// The spans of texts that a `redact` changes have other offsets behind it.
    pub(super) fn carry_spans(&mut self, redacted: &[ColumnId], detectors: &[&'static Detector]) {
        let carried: Vec<(ColumnId, ColumnId)> = self.spans.iter().map(|spans| (spans.column, spans.over)).collect();
        for (column, over) in carried.into_iter().filter(|(_, over)| redacted.contains(over)) {
            let versions: BTreeMap<String, u32> = detectors.iter().map(|one| version(one)).collect();
            let reads = vec![self.now(column), self.now(over)];
            let form = json!(["carried", reads, versions]);
            let what = format!("{} behind a redaction", self.name(column));
            self.assign(column, node(&form, what, versions, reads));
        }
    }

    /// What decides over spans is known when all steps have carried them.
    pub(super) fn kept_spans(&mut self) {
        for Carried { column, name, what, .. } in std::mem::take(&mut self.spans) {
            let now = self.now(column);
            let node = node(&json!(["kinds", now]), format!("the kinds of `{what}`"), BTreeMap::new(), vec![now]);
            self.name_measure(name, node);
        }
    }
}
