//! The steps of a data set in order: what each column is computed from by then, and what is measured of it.

mod cutting;
mod spans;

pub(super) use cutting::{walk_before, walk_cut};

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use super::cut::{Cut, cut};
use super::{Measures, Node, Taken, evaluated, measured, node, uses, version};
use crate::hir::{
    Choices, ColumnId, Dataset, Expr, ExprKind, Keep, LabelForm, LabelSchema, LabelValues, Personal, Program, Spans,
    SplitRule, StepKind,
};
use crate::label::kept::names_of;
use crate::plan::dataset::first_of_policy;
use crate::plan::labels::{deciding, found_column, found_fields};
use crate::plan::normal::{Canon, named, shown};
use crate::plan::{cleaning, personal, split};
use spans::Carried;

/// What the first pass of a data set measures.
pub(super) fn walk(program: &Program, dataset: &Dataset, against: &BTreeMap<usize, String>) -> Measures {
    walked(program, dataset, against).measures
}

fn walked<'p>(program: &'p Program, dataset: &'p Dataset, against: &'p BTreeMap<usize, String>) -> Walk<'p> {
    let mut walk = Walk::begin(program, dataset, against);
    walk.groups();
    walk.found();
    let policy = first_of_policy(&dataset.steps);
    for at in 0..policy {
        walk.step(at);
    }
    walk.by();
    walk.judged();
    for at in policy..dataset.steps.len() {
        walk.step(at);
    }
    walk.kept_spans();
    walk.split();
    walk
}

struct Walk<'p> {
    program: &'p Program,
    dataset: &'p Dataset,
    /// For each step that holds records against something, the digest of that.
    against: &'p BTreeMap<usize, String>,
    /// The digest of each column's value by now.
    current: Vec<String>,
    personal: Vec<Option<Personal>>,
    /// The positions of the measures, by digest.
    positions: HashMap<String, usize>,
    measures: Measures,
    /// The labels of spans so far.
    spans: Vec<Carried>,
}

/// The version of how texts are held against what is evaluated on.
const DECONTAMINATED: &str = "decontaminate 1";

impl<'p> Walk<'p> {
    fn begin(program: &'p Program, dataset: &'p Dataset, against: &'p BTreeMap<usize, String>) -> Self {
        let measures = Measures {
            values: Vec::new(),
            measures: Vec::new(),
            taken: Vec::new(),
            named: Vec::new(),
            conditions: BTreeMap::new(),
            withheld: None,
        };
        let personal = dataset.columns.iter().map(|column| column.personal.clone()).collect();
        let (current, positions, spans) = (Vec::new(), HashMap::new(), Vec::new());
        let mut walk = Self { program, dataset, against, current, personal, positions, measures, spans };
        let canon = Canon { program, dataset, values: None };
        for column in &dataset.columns {
            let form = json!(["read", column.name, canon.ty(&column.ty)]);
            let node = node(&form, format!("{} as it was read", named(&column.name)), BTreeMap::new(), Vec::new());
            walk.current.push(node.digest.clone());
            walk.measures.values.push(node);
        }
        walk
    }

    fn name(&self, id: ColumnId) -> String {
        named(&self.dataset.columns[id.0 as usize].name)
    }

    fn now(&self, id: ColumnId) -> String {
        self.current[id.0 as usize].clone()
    }

    /// The normal form of an expression over the columns by now.
    fn form(&self, expr: &Expr) -> Value {
        Canon { program: self.program, dataset: self.dataset, values: Some(&self.current) }.expr(expr)
    }

    fn reads(&self, expr: &Expr) -> Vec<String> {
        let mut reads = Vec::new();
        expr.visit_columns(&mut |id| {
            let now = self.now(id);
            if !reads.contains(&now) {
                reads.push(now);
            }
        });
        reads
    }

    /// Adds a measure, or finds that it is taken already.
    fn add(&mut self, node: Node, taken: Taken) -> usize {
        if let Some(&known) = self.positions.get(&node.digest) {
            return known;
        }
        let position = self.measures.measures.len();
        self.positions.insert(node.digest.clone(), position);
        self.measures.measures.push(node);
        self.measures.taken.push(taken);
        position
    }

    /// Adds a measure that is a column of the first pass.
    fn name_measure(&mut self, column: String, node: Node) {
        let position = self.add(node, Taken::Column(column.clone()));
        self.measures.named.push((column, position));
    }

    /// Adds a measure that is a text column of the first pass, of which only some values are told apart.
    fn list_measure(&mut self, column: String, values: Vec<String>, node: Node) {
        let position = self.add(node, Taken::Listed(column.clone(), values));
        self.measures.named.push((column, position));
    }

    fn withhold(&mut self, why: String) {
        self.measures.withheld.get_or_insert(why);
    }

    /// A column has a new value.
    fn assign(&mut self, id: ColumnId, node: Node) {
        self.current[id.0 as usize].clone_from(&node.digest);
        self.measures.values.push(node);
    }

    fn groups(&mut self) {
        for id in split::groups(self.dataset) {
            let node = self.key_of(id, format!("the key of {}, which is `@group`", self.name(id)));
            self.name_measure(split::group(id), node);
        }
    }

    fn key_of(&self, id: ColumnId, what: String) -> Node {
        node(&json!(["key", self.now(id)]), what, BTreeMap::new(), vec![self.now(id)])
    }

    fn found(&mut self) {
        for (at, found) in found_fields(self.program, self.dataset).into_iter().enumerate() {
            let field = &self.program[found.source].fields[found.field];
            let column = self.dataset.columns.iter().position(|one| one.label.is_none() && one.name == field.name);
            let (true, Some(column)) = (self.dataset.sources.contains(&found.source), column) else { continue };
            // The values are no personal data: the lock lists them, and a program where they are is refused.
            let now = self.current[column].clone();
            let what = format!("the values of {}", named(&field.name));
            self.name_measure(found_column(at), node(&json!(["value", now]), what, BTreeMap::new(), vec![now]));
        }
    }

    fn step(&mut self, at: usize) {
        let dataset = self.dataset;
        match &dataset.steps[at].kind {
            StepKind::Set { column, value } => {
                let name = self.name(*column);
                let what = format!("set {name} = {}", shown(dataset, value));
                let fresh = node(&json!(["set", self.form(value)]), what, uses(value), self.reads(value));
                let reads = vec![self.now(*column), fresh.digest.clone()];
                let what = format!("whether `set {name}` changes the record");
                let changed = node(&json!(["changed", reads]), what, BTreeMap::new(), reads);
                self.name_measure(cleaning::changed(at), changed);
                self.assign(*column, fresh);
            }
            StepKind::Drop { condition } | StepKind::Forbid { condition, .. } => self.condition(at, condition),
            StepKind::DedupExact { columns, keep } => {
                self.score(at, keep);
                let reads: Vec<String> = columns.iter().map(|id| self.now(*id)).collect();
                let names: Vec<String> = columns.iter().map(|id| self.name(*id)).collect();
                let what = format!("the key of {}", names.join(", "));
                let key = node(&json!(["digest", reads]), what, BTreeMap::new(), reads);
                self.name_measure(cleaning::dedup_key(at), key);
            }
            StepKind::Label { column, label, value, form, drop_when, .. } => {
                if let Some(condition) = drop_when {
                    self.condition(at, condition);
                }
                self.label(*column, (&self.program[*label].schema, form, deciding(at, *column, form)), value);
            }
            StepKind::Redact { columns, detectors } => {
                self.carry_spans(columns, detectors);
                for id in columns {
                    let names: Vec<&str> = detectors.iter().map(|detector| detector.name).collect();
                    let what = format!("redact {}: {}", self.name(*id), names.join(", "));
                    let versions: BTreeMap<String, u32> = detectors.iter().map(|one| version(one)).collect();
                    let form = json!(["redact", self.now(*id), names, versions]);
                    let reads = vec![self.now(*id)];
                    self.assign(*id, node(&form, what, versions, reads));
                }
            }
            StepKind::DedupPieces { column, .. } => self.cut(at, *column),
            StepKind::Decontaminate { column, words, .. } => {
                let against = self.against.get(&at).expect("what records are held against is hashed before");
                let now = self.now(*column);
                let what = format!("whether {} shares {words} words with what is evaluated on", self.name(*column));
                let (form, reads) = (json!([DECONTAMINATED, now, words, against]), vec![now, against.clone()]);
                self.measures.values.push(evaluated(against));
                self.name_measure(cleaning::verdict(at), node(&form, what, BTreeMap::new(), reads));
            }
            StepKind::Sample { taken, .. } => {
                if let Some(id) = taken.by() {
                    let now = self.now(id);
                    let what = format!("the key of {}, by which records are taken", self.name(id));
                    let node = node(&json!(["digest", [&now]]), what, BTreeMap::new(), vec![now]);
                    self.name_measure(cleaning::sampled_by(at), node);
                }
            }
            // Texts are compared when they are read again, and so is what an output cannot hold.
            StepKind::DedupNear { .. } | StepKind::Pair { .. } => {}
        }
        personal::pass(self.program, &dataset.steps[at].kind, &mut self.personal);
    }

    /// The number by which the kept record is chosen.
    fn score(&mut self, at: usize, keep: &Keep) {
        let Keep::Best(by) = keep else { return };
        let mut may_be_personal = false;
        by.visit_columns(&mut |id| may_be_personal |= self.personal[id.0 as usize].is_some());
        if may_be_personal {
            self.withhold(format!(
                "the numbers by which `{}` keeps a record may be personal",
                self.dataset.steps[at].rule
            ));
        }
        let what = format!("the value of `{}`", shown(self.dataset, by));
        self.name_measure(cleaning::score(at), node(&json!(["score", self.form(by)]), what, uses(by), self.reads(by)));
    }

    fn condition(&mut self, at: usize, condition: &Expr) {
        let Cut { condition, parts } = cut(self.dataset, condition, &self.personal);
        let mut places = Vec::new();
        for part in parts {
            let what = shown(self.dataset, &part);
            let node = node(&json!(["part", self.form(&part)]), what, uses(&part), self.reads(&part));
            places.push(self.add(node, Taken::Before(at, part)));
        }
        let first = super::cut::first_part(self.dataset);
        let condition = placed(&condition, &|id| measured(self.dataset, places[(id.0 - first) as usize]));
        self.measures.conditions.insert(at, condition);
    }

    fn label(&mut self, column: ColumnId, (schema, form, name): (&LabelSchema, &LabelForm, String), value: &Expr) {
        let what = format!("label {} = {}", self.name(column), shown(self.dataset, value));
        let fresh = node(&json!(["set", self.form(value)]), what.clone(), uses(value), self.reads(value));
        let reads = vec![fresh.digest.clone()];
        match schema {
            LabelSchema::Choice(LabelValues::Listed(values)) => {
                let names = names_of(values);
                let form = json!(["listed", names, fresh.digest]);
                let what = format!("`{what}` among {} values", names.len());
                self.list_measure(name, names, node(&form, what, BTreeMap::new(), reads));
            }
            // Of a list the names of known values are kept, or what is wrong with it.
            LabelSchema::Choices(Choices { values, least, most }) => {
                let form = json!(["choices", names_of(values), least, most, fresh.digest]);
                let what = format!("`{what}` among {} values", values.len());
                self.name_measure(name, node(&form, what, BTreeMap::new(), reads));
            }
            // It is judged when every label stands in the record.
            LabelSchema::Scalar(_) => {}
            LabelSchema::Spans(Spans { values, may_overlap }) => {
                let over = form.over().expect("spans are of a text");
                let names = json!([names_of(values), may_overlap]);
                return self.spans_of(Carried { column, over, name, what }, &names, fresh);
            }
            LabelSchema::Choice(LabelValues::Found { .. }) | LabelSchema::Declared(_) => {
                let mut may_be_personal = false;
                value.visit_columns(&mut |id| may_be_personal |= self.personal[id.0 as usize].is_some());
                if may_be_personal {
                    let label = self.name(column);
                    self.withhold(format!("the values of label {label}, which are found in the data, may be personal"));
                }
                let form = json!(["value", fresh.digest]);
                self.name_measure(name, node(&form, format!("the value of `{what}`"), BTreeMap::new(), reads));
            }
        }
        self.assign(column, fresh);
    }

    /// Whether labels that are numbers or truth values are as their schemas say.
    fn judged(&mut self) {
        let dataset = self.dataset;
        for (at, step) in dataset.steps.iter().enumerate() {
            if let StepKind::Label { column, form: label @ LabelForm::Scalar(schema), constraints, .. } = &step.kind {
                let (now, name) = (self.now(*column), self.name(*column));
                let forms: Vec<Value> = constraints.iter().map(|constraint| self.form(constraint)).collect();
                let form = json!(["judged", format!("{schema:?}"), now, forms]);
                let mut reads = vec![now];
                reads.extend(constraints.iter().flat_map(|constraint| self.reads(constraint)));
                let functions = constraints.iter().flat_map(uses).collect();
                let what = format!("whether label {name} is as its `{}` says", schema.word());
                self.name_measure(deciding(at, *column, label), node(&form, what, functions, reads));
            }
        }
    }

    fn by(&mut self) {
        if let SplitRule::Shares { by: Some(id), .. } = self.dataset.split.rule {
            let node = self.key_of(id, format!("the key of {}, by which is split", self.name(id)));
            self.name_measure(split::BY.to_owned(), node);
        }
    }

    /// What the split and the requirements read of the columns as they are emitted.
    fn split(&mut self) {
        match &self.dataset.split.rule {
            SplitRule::AllTrain => {}
            SplitRule::ByField(id) => {
                let (now, parts) = (self.now(*id), self.dataset.split.parts.clone());
                let what = format!("the part that {} names", self.name(*id));
                let form = json!(["listed", parts, now]);
                self.list_measure(split::PART.to_owned(), parts, node(&form, what, BTreeMap::new(), vec![now]));
            }
            SplitRule::Shares { stratify: Some(id), .. } => {
                let now = self.now(*id);
                let what = format!("the key of {}, the stratum", self.name(*id));
                let form = json!(["digest", [&now]]);
                self.name_measure(split::STRATUM.to_owned(), node(&form, what, BTreeMap::new(), vec![now]));
            }
            SplitRule::Shares { stratify: None, .. } => {}
        }
        if let SplitRule::Shares { time: Some(time), .. } = &self.dataset.split.rule {
            if self.personal[time.column.0 as usize].is_some() {
                self.withhold(format!("the times of {} may be personal", self.name(time.column)));
            }
            let now = self.now(time.column);
            let what = format!("the moment of {}", self.name(time.column));
            self.name_measure(split::TIME.to_owned(), node(&json!(["moment", now]), what, BTreeMap::new(), vec![now]));
        }
        for (at, id) in split::pers(self.dataset) {
            let column = &self.dataset.columns[id.0 as usize];
            if column.personal.is_some() || self.personal[id.0 as usize].is_some() {
                self.withhold(format!(
                    "the values of {}, which a `require … per` counts, may be personal",
                    self.name(id)
                ));
            }
            let now = self.now(id);
            let what = format!("the value of {}", self.name(id));
            self.name_measure(split::per(at), node(&json!(["text", now]), what, BTreeMap::new(), vec![now]));
        }
    }
}

/// The same expression over other columns.
fn placed(expr: &Expr, column: &dyn Fn(ColumnId) -> ColumnId) -> Expr {
    match expr.kind {
        ExprKind::Column(id) => Expr { kind: ExprKind::Column(column(id)), ..expr.clone() },
        _ => expr.with_parts(&mut |part| Some(placed(part, column))).expect("each part has another"),
    }
}
