//! What a specification says of a data set, in one form: the resolved program without places, so that comments and layout
//! do not count, with the versions of the functions and detectors used.

use serde_json::{Value, json};

use crate::dedup::Scheme;
use crate::hir::{
    Choices, Column, ColumnId, Credit, Dataset, Dialect, Evaluate, Evaluated, Expr, ExprKind, FieldType, FixedPart,
    Keep, Label, LabelSchema, LabelValue, LabelValues, Literal, OnBadRow, Output, Period, Personal, PersonalStatement,
    Program, ReadOptions, RequireSubject, Requirement, ScalarSchema, Slice, Source, SourceField, SourceFormat,
    SourceId, Spans, Split, SplitRule, Step, StepBlock, StepKind, Taken, Task, Template, TemplateKind, Terms, TextUnit,
    TimeOrder, Train, Turn, Type,
};

/// Gives each part of a data set a canonical form. Every field of the resolved program is named, so that a new one must be
/// decided about here.
pub(in crate::plan) struct Canon<'a> {
    pub(in crate::plan) program: &'a Program,
    pub(in crate::plan) dataset: &'a Dataset,
    /// What stands for each column in an expression, where that is not its name: what it was computed from.
    pub(in crate::plan) values: Option<&'a [String]>,
}

impl Canon<'_> {
    pub(super) fn dataset(&self) -> Value {
        let Dataset {
            name,
            doc,
            sources,
            columns,
            steps,
            requirements,
            split,
            outputs,
            personal,
            license,
            terms,
            span: _,
        } = self.dataset;
        let sources: Vec<Value> = sources.iter().map(|&id| self.source(&self.program[id])).collect();
        let columns: Vec<Value> = columns.iter().map(|column| self.column(column)).collect();
        let steps: Vec<Value> = steps.iter().map(|step| self.step(step)).collect();
        let requirements: Vec<Value> = requirements.iter().map(|requirement| self.requirement(requirement)).collect();
        let outputs: Vec<Value> = outputs.iter().map(|output| self.output(output)).collect();
        let personal: Vec<Value> =
            personal.iter().map(|PersonalStatement { column, because }| json!([self.name(*column), because])).collect();
        let split = self.split(split);
        let mut all = vec![
            json!(name),
            json!(doc),
            json!(sources),
            json!(columns),
            json!(steps),
            json!(requirements),
            split,
            json!(outputs),
            json!(personal),
            json!(license),
        ];
        // What states no purpose has the form that it had before there were any.
        all.extend(terms.as_ref().map(|terms| self.terms(terms)));
        json!(all)
    }

    pub(super) fn terms(&self, Terms { purposes, credits }: &Terms) -> Value {
        let purposes: Vec<&str> = purposes.iter().map(|purpose| purpose.word()).collect();
        let credits: Vec<Value> = credits
            .iter()
            .map(|Credit { source, license, duty }| json!([self.program[*source].name, license, duty]))
            .collect();
        json!([purposes, credits])
    }

    /// What the runs and evaluations that read this data set take from it.
    pub(super) fn readers(&self) -> Value {
        let reads = |id: crate::hir::DatasetId| self.program[id].name == self.dataset.name;
        let trains = self.program.trains.iter().filter(|train| reads(train.data));
        let mut trains: Vec<Value> = trains.map(|train| self.train(train)).collect();
        let evaluates = self.program.evaluates.iter().filter(|evaluate| reads(evaluate.dataset));
        let mut evaluates: Vec<Value> = evaluates
            .map(|Evaluate { train, dataset: _, part, report: _, slices, generation: _, gates: _, span: _ }| {
                let slices: Vec<Value> =
                    slices.iter().map(|Slice { name, value, at }| json!([name, self.expr(value), at])).collect();
                json!([self.program[*train].name, part, slices])
            })
            .collect();
        // The order of declarations means nothing.
        trains.sort_by_cached_key(Value::to_string);
        evaluates.sort_by_cached_key(Value::to_string);
        json!([trains, evaluates])
    }

    /// Of a run only its task reads the data set's records; the rest is the weights' business.
    fn train(&self, train: &Train) -> Value {
        let task = match &train.task {
            Task::Prefer { template, beta } => json!(["prefer", self.program[*template].name, beta]),
            Task::Embed { template } => json!(["embed", self.program[*template].name]),
            Task::Regress { label, label_column, text } => {
                json!(["regress", self.program[*label].name, self.name(*label_column), self.name(*text)])
            }
            Task::Classify { label, label_column, text } => {
                json!(["classify", self.program[*label].name, self.name(*label_column), self.name(*text)])
            }
            Task::Tag { label, label_column, text } => {
                json!(["tag", self.program[*label].name, self.name(*label_column), self.name(*text)])
            }
            Task::Generate { template } => json!(["generate", self.template(&self.program[*template])]),
        };
        json!([train.name, task])
    }

    pub(super) fn source(&self, source: &Source) -> Value {
        let Source {
            name,
            doc,
            paths,
            // The files that were found count, by their names and hashes.
            folder: _,
            format,
            options,
            longest_row,
            fields,
            license,
            origin,
            consent,
            on_bad_row,
            span: _,
            path_span: _,
        } = source;
        let format = read_as(*format, options, *longest_row);
        let on_bad_row = match on_bad_row {
            OnBadRow::Quarantine => "quarantine",
            OnBadRow::Fail => "fail",
        };
        let fields: Vec<Value> = fields
            .iter()
            .map(|SourceField { name, doc, column, ty, personal, key, group, span: _ }| {
                json!([name, doc, column, self.ty(ty), personal_kinds(personal.as_ref()), key, group])
            })
            .collect();
        json!([name, doc, paths, format, fields, license, origin, consent, on_bad_row])
    }

    pub(super) fn column(&self, Column { name, ty, label, hidden, personal, key, group }: &Column) -> Value {
        let label = label.map(|id| self.label(&self.program[id]));
        json!([name, self.ty(ty), label, hidden, personal_kinds(personal.as_ref()), key, group])
    }

    fn label(&self, Label { name, doc, schema, span: _ }: &Label) -> Value {
        let schema = match schema {
            LabelSchema::Choice(LabelValues::Listed(values)) => json!(["listed", values_form(values)]),
            LabelSchema::Choices(Choices { values, least, most }) => {
                json!(["choices", least, most, values_form(values)])
            }
            LabelSchema::Spans(Spans { values, may_overlap }) => json!(["spans", may_overlap, values_form(values)]),
            LabelSchema::Choice(LabelValues::Found { source, field }) => {
                let source = &self.program[*source];
                json!(["found", source.name, source.fields[*field].name])
            }
            LabelSchema::Scalar(ScalarSchema::Scale { low, high }) => json!(["scale", low, high]),
            LabelSchema::Scalar(schema @ (ScalarSchema::Number | ScalarSchema::Flag)) => json!([schema.word()]),
            LabelSchema::Declared(schema) => json!(["declared", schema.word()]),
        };
        json!([name, doc, schema])
    }

    // That a rule stands in a pack changes nothing of what it does.
    pub(super) fn step(&self, Step { block, block_name, kind, rule, pack: _, span: _, line: _ }: &Step) -> Value {
        let block = match block {
            StepBlock::Clean => "clean",
            StepBlock::Label => "label",
            StepBlock::Policy => "policy",
            StepBlock::Write => "write",
            StepBlock::Dataset => "dataset",
        };
        let kind = match kind {
            StepKind::Set { column, value } => json!(["set", self.name(*column), self.expr(value)]),
            StepKind::Drop { condition } => json!(["drop", self.expr(condition)]),
            StepKind::DedupExact { columns, keep } => {
                json!(["dedup exactly", self.names(columns), self.keep(keep)])
            }
            StepKind::DedupNear { column, scheme, keep } => {
                json!(["dedup near", self.name(*column), near_scheme(scheme), self.keep(keep)])
            }
            StepKind::DedupPieces { column, pieces } => {
                json!(["dedup pieces", self.name(*column), format!("{pieces:?}")])
            }
            StepKind::Decontaminate { column, against, words } => {
                let against: Vec<Value> = against.iter().map(|evaluated| self.evaluated(evaluated)).collect();
                json!(["decontaminate", self.name(*column), against, words])
            }
            StepKind::Sample { taken, seed } => json!(["sample", self.taken(taken), seed]),
            // Of its form the label's own says all but the text of spans.
            StepKind::Label { column, label, value, form, constraints, drop_when, null_drops } => {
                let drop_when = drop_when.as_ref().map(|value| self.expr(value));
                let (column, label) = (self.name(*column), &self.program[*label].name);
                let mut said =
                    vec![json!("label"), column, json!(label), self.expr(value), json!(drop_when), json!(null_drops)];
                said.extend(form.over().map(|over| self.name(over)));
                said.extend(constraints.iter().map(|constraint| self.expr(constraint)));
                Value::Array(said)
            }
            StepKind::Redact { columns, detectors } => {
                let detectors: Vec<Value> =
                    detectors.iter().map(|detector| json!([detector.name, detector.version])).collect();
                json!(["redact", self.names(columns), detectors])
            }
            StepKind::Forbid { condition, else_drop } => json!(["forbid", self.expr(condition), else_drop]),
            StepKind::Pair { output } => json!(["pair", output]),
        };
        json!([block, block_name, kind, rule])
    }

    pub(super) fn requirement(&self, requirement: &Requirement) -> Value {
        let Requirement { subject, comparison, bound, per, rule, span: _, line: _ } = requirement;
        let subject = match subject {
            RequireSubject::Count => "count",
            RequireSubject::Share => "share",
        };
        json!([subject, format!("{comparison:?}"), bound, per.map(|column| self.name(column)), rule])
    }

    pub(super) fn split(&self, Split { parts, rule, check }: &Split) -> Value {
        let mut all = vec![json!(parts), self.split_rule(rule)];
        // A split that checks nothing has the form that it had before there was a check.
        all.extend(check.map(|(column, scheme)| json!([self.name(column), near_scheme(&scheme)])));
        json!(all)
    }

    fn split_rule(&self, rule: &SplitRule) -> Value {
        match rule {
            SplitRule::AllTrain => json!(["all"]),
            SplitRule::ByField(column) => json!(["field", self.name(*column)]),
            SplitRule::Shares { fixed, shares, near, by, stratify, time, seed } => {
                let fixed: Vec<Value> = fixed
                    .iter()
                    .map(|FixedPart { part, sources }| {
                        json!([part, sources.iter().map(|&id| &self.program[id].name).collect::<Vec<_>>()])
                    })
                    .collect();
                let near = near.map(|(column, scheme)| json!([self.name(column), near_scheme(&scheme)]));
                let period = |&Period { part, before }: &Period| json!([part, before]);
                let time = time.as_ref().map(|TimeOrder { column, periods }| {
                    json!([self.name(*column), periods.iter().map(period).collect::<Vec<_>>()])
                });
                let name = |column: &Option<ColumnId>| column.map(|column| self.name(column));
                json!(["shares", fixed, shares, near, name(by), name(stratify), time, seed])
            }
        }
    }

    fn keep(&self, keep: &Keep) -> Value {
        match keep {
            Keep::First => json!("first"),
            Keep::Best(by) => json!(["best", self.expr(by)]),
        }
    }

    fn evaluated(&self, evaluated: &Evaluated) -> Value {
        match evaluated {
            Evaluated::Files { path, folder } => json!(["files", path, folder]),
            Evaluated::Field { source, field } => {
                let source = &self.program[*source];
                json!(["field", source.name, source.fields[*field].name])
            }
        }
    }

    fn taken(&self, taken: &Taken) -> Value {
        let source = |id: SourceId| self.program[id].name.clone();
        match taken {
            Taken::Share(share) => json!(["share", share]),
            Taken::Count { count, per } => json!(["count", count, per.map(|column| self.name(column))]),
            Taken::Balanced { column, times } => json!(["balanced", self.name(*column), times]),
            Taken::Mixed(shares) => {
                json!(["mixed", shares.iter().map(|(id, share)| json!([source(*id), share])).collect::<Vec<_>>()])
            }
            Taken::Weighted { source: id, weight } => json!(["weighted", source(*id), weight]),
        }
    }

    pub(super) fn output(&self, Output { name, format, template, span: _ }: &Output) -> Value {
        json!([name, crate::emit::formats::row(*format).name, template.map(|id| self.template(&self.program[id]))])
    }

    fn template(&self, Template { name, kind, span: _ }: &Template) -> Value {
        let kind = match kind {
            TemplateKind::Chat(turns) => {
                let turn = |turn: &Turn| match turn {
                    Turn::Text { role, content, trained } => json!(["text", role, content, trained]),
                    Turn::Field { field, trained } => json!(["field", field, trained]),
                };
                json!(["chat", turns.iter().map(turn).collect::<Vec<_>>()])
            }
            TemplateKind::Completion { prompt, completion } => json!(["completion", prompt, completion]),
            TemplateKind::Text(text) => json!(["text", text]),
            TemplateKind::Preference { prompt, chosen, rejected } => json!(["preference", prompt, chosen, rejected]),
        };
        json!([name, kind])
    }

    pub(in crate::plan) fn ty(&self, FieldType { ty, nullable }: &FieldType) -> Value {
        let ty = match ty {
            Type::String => json!("string"),
            Type::Int => json!("int"),
            Type::Float => json!("float"),
            Type::Bool => json!("bool"),
            Type::Date => json!("date"),
            Type::Timestamp => json!("timestamp"),
            Type::List(item) => json!(["list", self.ty(item)]),
            Type::Record(members) => {
                json!(["record", members.iter().map(|(name, ty)| json!([name, self.ty(ty)])).collect::<Vec<_>>()])
            }
            Type::Label(label) => json!(["label", self.program[*label].name]),
        };
        json!([ty, nullable])
    }

    pub(in crate::plan) fn expr(&self, Expr { kind, ty, span: _ }: &Expr) -> Value {
        let kind = match kind {
            ExprKind::Literal(value) => json!(["literal", literal(value)]),
            ExprKind::Column(column) => json!(["column", self.name(*column)]),
            ExprKind::Call(function, arguments) => {
                json!(["call", function.name, function.version, self.exprs(arguments)])
            }
            ExprKind::Negate(value) => json!(["negate", self.expr(value)]),
            ExprKind::Not(value) => json!(["not", self.expr(value)]),
            ExprKind::Binary(operator, left, right) => {
                json!(["binary", format!("{operator:?}"), self.expr(left), self.expr(right)])
            }
            ExprKind::ToFloat(value) => json!(["float", self.expr(value)]),
            ExprKind::IsNull { value, negated } => json!(["null", self.expr(value), negated]),
            ExprKind::In { value, list, negated } => {
                json!(["in", self.expr(value), list.iter().map(literal).collect::<Vec<_>>(), negated])
            }
            ExprKind::Matches { value, pattern } => json!(["matches", self.expr(value), pattern]),
            ExprKind::Match { subject, arms, otherwise } => {
                let arm = |(patterns, body): &(Vec<Literal>, Expr)| {
                    json!([patterns.iter().map(literal).collect::<Vec<_>>(), self.expr(body)])
                };
                let arms: Vec<Value> = arms.iter().map(arm).collect();
                json!(["match", self.expr(subject), arms, otherwise.as_ref().map(|body| self.expr(body))])
            }
            ExprKind::Member(value, name) => json!(["member", self.expr(value), name]),
            ExprKind::Element(value, place) => json!(["element", self.expr(value), place]),
        };
        json!([kind, self.ty(ty)])
    }

    fn exprs(&self, exprs: &[Expr]) -> Vec<Value> {
        exprs.iter().map(|expr| self.expr(expr)).collect()
    }

    /// A column's place and name: the place tells apart a field and the label that hides it.
    fn name(&self, column: ColumnId) -> Value {
        match self.values {
            Some(values) => json!(values[column.0 as usize]),
            None => json!([column.0, self.dataset.columns[column.0 as usize].name]),
        }
    }

    fn names(&self, columns: &[ColumnId]) -> Vec<Value> {
        columns.iter().map(|&column| self.name(column)).collect()
    }
}

fn personal_kinds(personal: Option<&Personal>) -> Value {
    match personal {
        None => json!(null),
        Some(Personal::Any) => json!("any"),
        Some(Personal::Kinds(kinds)) => json!(kinds),
    }
}

fn values_form(values: &[LabelValue]) -> Vec<Value> {
    values.iter().map(|LabelValue { name, title, guideline }| json!([name, title, guideline])).collect()
}

/// A constant with its type; a number by its bits, since JSON has no infinity.
fn literal(value: &Literal) -> Value {
    match value {
        Literal::Null => json!("null"),
        Literal::Bool(value) => json!(value),
        Literal::Int(value) => json!(["int", value]),
        Literal::Float(value) => json!(["float", value.to_bits()]),
        Literal::String(value) => json!(["string", value]),
    }
}

/// How files are read.
pub(super) fn read_as(format: SourceFormat, options: &ReadOptions, longest_row: Option<u64>) -> Value {
    let ReadOptions { dialect, separator, unit, at, table, encoding } = options;
    let Dialect { delimiter, quote, escape, header } = dialect;
    let unit = match unit {
        TextUnit::Line => "line",
        TextUnit::Paragraph => "paragraph",
        TextUnit::File => "file",
    };
    let values = json!([delimiter, quote, escape, header, separator]);
    json!([format.word(), values, unit, at, table, encoding, longest_row])
}

fn near_scheme(Scheme { threshold, shingle, bands }: &Scheme) -> Value {
    json!([threshold.get(), shingle.to_string(), bands.bands, bands.rows])
}
