//! A small program with its outcome, and its data set's files.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};

use crate::emit::*;
use crate::engine::{
    AuditRow, Certificate, FileOutcome, LabelOutcome, MissingRecord, Outcome, PartOutcome, PersonalFound,
    QuarantineRow, RecordId, SourceOutcome, SourceUse, StepOutcome, StepOutcomeKind, Verdict,
};
use crate::hir::{
    Column, ColumnId, Dataset, Expr, ExprKind, FieldType, Label, LabelId, LabelSchema, LabelValue, LabelValues,
    Literal, OnBadRow, Output, OutputFormat, Personal, PersonalStatement, Program, ReadOptions, Source, SourceFormat,
    SourceId, Split, SplitRule, Step, StepBlock, StepKind, Template, TemplateId, TemplateKind, Turn, Type,
};
use crate::label::{LabelTable, LabelTables};
use crate::source::{FileId, Span};

/// A name that would end a table's cell, a list, a code span, a front matter and a heading.
pub(super) const HOSTILE: &str = "a|b`c`\n---\n# <img src=x> [x](y): \"z\"";

pub(super) fn span(at: usize) -> Span {
    Span::new(FileId(0), at, at + 1)
}

fn values() -> Vec<LabelValue> {
    let value = |name: &str, title: &str| LabelValue {
        name: name.to_owned(),
        title: title.to_owned(),
        guideline: Some(format!("What is {name}.")),
    };
    vec![value("now", "Right now"), value("later", "Can | wait"), value(HOSTILE, HOSTILE)]
}

/// The values of the fixture's label.
pub(in crate::emit) fn tables() -> LabelTables {
    LabelTables(vec![LabelTable::new(LabelId(0), values(), false)])
}

/// A program with one source, one label, one template and one data set of three outputs.
pub(in crate::emit) fn fixture() -> Program {
    let turns = [("user", "{{ text }}"), ("assistant", "{{ urgency }}")];
    let turn = |(role, content): (&str, &str)| Turn::Text {
        role: role.to_owned(),
        content: content.to_owned(),
        trained: role == "assistant",
    };
    Program {
        sources: vec![Source {
            name: "questions".to_owned(),
            doc: Some("What people asked.\n\nSince | 2020.".to_owned()),
            paths: vec!["q.csv".to_owned()],
            folder: String::new(),
            format: SourceFormat::Csv,
            options: ReadOptions::of(SourceFormat::Csv),
            longest_row: None,
            fields: Vec::new(),
            license: Some("CC-BY-4.0".to_owned()),
            origin: Some("https://example.org/q_1".to_owned()),
            consent: None,
            on_bad_row: OnBadRow::Quarantine,
            span: span(0),
            path_span: span(0),
        }],
        labels: vec![Label {
            name: "urgency".to_owned(),
            doc: Some("How soon.".to_owned()),
            schema: LabelSchema::Choice(LabelValues::Listed(values())),
            span: span(1),
        }],
        templates: vec![Template {
            name: "route".to_owned(),
            kind: TemplateKind::Chat(turns.into_iter().map(turn).collect()),
            span: span(2),
        }],
        datasets: vec![dataset()],
        ..Program::default()
    }
}

fn dataset() -> Dataset {
    let column = |name: &str, ty, label| Column {
        name: name.to_owned(),
        ty: FieldType::plain(ty),
        label,
        hidden: false,
        personal: None,
        key: false,
        group: false,
    };
    let turn = FieldType::plain(Type::Record(vec![
        ("role".to_owned(), FieldType::plain(Type::String)),
        ("content".to_owned(), FieldType::plain(Type::String)),
    ]));
    let mut text = column("text", Type::String, None);
    text.personal = Some(Personal::Any);
    let output = |name: &str, format, template| Output { name: name.to_owned(), format, template, span: span(9) };
    let condition =
        Expr { kind: ExprKind::Literal(Literal::Bool(false)), ty: FieldType::plain(Type::Bool), span: span(3) };
    let step = |block, block_name: &str, kind, rule: &str, line| Step {
        block,
        block_name: block_name.to_owned(),
        kind,
        rule: rule.to_owned(),
        pack: None,
        span: span(4),
        line,
    };
    Dataset {
        name: "desk".to_owned(),
        doc: Some("A desk's questions.".to_owned()),
        sources: vec![SourceId(0)],
        columns: vec![
            text,
            column("history", Type::List(Box::new(turn)), None),
            column("urgency", Type::Label(LabelId(0)), Some(LabelId(0))),
        ],
        steps: vec![
            step(StepBlock::Clean, "tidy", StepKind::Drop { condition }, "too short", 12),
            step(
                StepBlock::Policy,
                "bank",
                StepKind::Redact { columns: vec![ColumnId(0)], detectors: crate::pii::all().iter().take(2).collect() },
                "redact text",
                14,
            ),
        ],
        requirements: Vec::new(),
        split: Split {
            parts: vec!["train".to_owned(), "test".to_owned(), "empty".to_owned()],
            rule: SplitRule::AllTrain,
            check: None,
        },
        outputs: vec![
            output("chat", OutputFormat::Messages, Some(TemplateId(0))),
            output("parquet", OutputFormat::Parquet, None),
            output("lines", OutputFormat::Jsonl, None),
        ],
        personal: vec![PersonalStatement { column: ColumnId(0), because: None }],
        license: Some("CC-BY-4.0".to_owned()),
        terms: None,
        span: span(5),
    }
}

pub(super) fn id(at: u8) -> RecordId {
    RecordId([at; 16])
}

/// Five rows: three kept (two in `train`, one in `test`), one dropped, one unreadable.
pub(super) fn outcome() -> Outcome {
    let step = |kind, rule: &str, line, figures: [u64; 5]| StepOutcome {
        kind,
        rule: rule.to_owned(),
        line,
        records_in: figures[0],
        records_out: figures[1],
        dropped: figures[2],
        changed: figures[3],
        quarantined: figures[4],
        cut: None,
    };
    let part = |name: &str, records, labels: [u64; 3]| PartOutcome {
        name: name.to_owned(),
        records,
        copies: 0,
        labels: vec![labels.to_vec()],
    };
    Outcome {
        dataset: "desk".to_owned(),
        sources: vec![SourceOutcome {
            name: "questions".to_owned(),
            files: vec![FileOutcome {
                path: "q.csv".to_owned(),
                location: "/elsewhere/q.csv".into(),
                blake3: "0".repeat(64),
                bytes: 100,
                records: 5,
            }],
            license: Some("CC-BY-4.0".to_owned()),
            used: SourceUse::Records,
        }],
        steps: vec![
            step(StepOutcomeKind::Read, "read", 0, [5, 4, 0, 0, 1]),
            step(StepOutcomeKind::Step(0), "too short", 12, [4, 3, 1, 0, 0]),
            step(StepOutcomeKind::Step(1), "redact text", 14, [3, 3, 0, 2, 0]),
        ],
        parts: vec![part("train", 2, [1, 0, 1]), part("test", 1, [0, 1, 0]), part("empty", 0, [0, 0, 0])],
        labels: vec![LabelOutcome {
            label: LabelId(0),
            name: "urgency".to_owned(),
            column: "urgency".to_owned(),
            values: values().into_iter().map(|value| value.name).collect(),
            found: false,
            several: false,
        }],
        personal: vec![PersonalFound { step: 1, column: "text".to_owned(), kind: "email".to_owned(), found: 3 }],
        certificate: Certificate {
            by: "record".to_owned(),
            method: "every record once".to_owned(),
            shared_keys: 0,
            near_pairs: None,
            times: Vec::new(),
        },
        violations: Vec::new(),
    }
}

pub(super) fn batch(rows: &[(RecordId, &str, &str)]) -> RecordBatch {
    let strings = |values: Vec<String>| Arc::new(StringArray::from(values)) as ArrayRef;
    RecordBatch::try_from_iter([
        ("id", strings(rows.iter().map(|row| row.0.to_string()).collect())),
        ("text", strings(rows.iter().map(|row| row.1.to_owned()).collect())),
        ("urgency", strings(rows.iter().map(|row| row.2.to_owned()).collect())),
    ])
    .expect("columns of one length")
}

/// Writes the files of the fixture's data set; `each` is the number of rows in a chunk.
pub(super) fn staged(out: &Path, each: usize) -> Result<Finished, EmitError> {
    let program = fixture();
    let dataset = &program.datasets[0];
    let rows = [(id(1), "one", "now"), (id(3), "three", HOSTILE)];
    let test = [(id(2), "two", "later")];
    let mut staging = Staging::create(out, &program, dataset, &batch(&[]).schema())?;
    for (at, output) in dataset.outputs.iter().enumerate() {
        let renderer = Renderer::new(&program, dataset, output, &tables())?;
        for rows in rows.chunks(each) {
            staging.append(at, 0, renderer.render(&batch(rows)).expect("rendered"))?;
        }
        staging.append(at, 1, renderer.render(&batch(&test)).expect("rendered"))?;
    }
    let row = |at: u8, verdict, rule, step, split| AuditRow {
        id: id(at),
        source: "questions",
        file: "q.csv",
        line: u64::from(at),
        location: u64::from(at),
        verdict,
        rule,
        rule_line: None,
        step,
        duplicate_of: None,
        similarity: None,
        split,
        copies: split.map(|_| 1),
        cut_bytes: None,
    };
    let audit = [
        row(1, Verdict::Kept, None, None, Some("train")),
        row(2, Verdict::Kept, None, None, Some("test")),
        row(3, Verdict::Kept, None, None, Some("train")),
        row(0xab, Verdict::Dropped, Some("too short"), Some(1), None),
        row(0xac, Verdict::Quarantined, Some("read"), Some(0), None),
    ];
    for rows in audit.chunks(each) {
        staging.audit(rows)?;
    }
    let bad = QuarantineRow {
        id: id(0xac),
        source: "questions",
        file: "q.csv",
        line: 0xac,
        offset: 90,
        error: "3 fields where the header has 2",
    };
    staging.quarantine(&[bad])?;
    staging.training("router", "train", &batch(&rows))?;
    let lost = MissingRecord {
        id: id(0xab),
        source: "questions".to_owned(),
        file: "q.csv".to_owned(),
        line: 4,
        part: 1,
        verdict: Verdict::Dropped,
        rule: "too short".to_owned(),
        gold: vec![Some(crate::engine::Gold::One("now".to_owned()))],
    };
    staging.missing(dataset, &outcome().labels, &[lost])?;
    let stamp = Stamp {
        spec: "5".repeat(64),
        declared: crate::plan::normal::parts(&program, dataset),
        fingerprint: fingerprint(&program, dataset, &outcome().sources),
    };
    staging.finish(&program, dataset, &outcome(), &stamp)
}
