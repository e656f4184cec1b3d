//! Unit tests of blocks: records given, and what is expected of each.

use super::{Column, ColumnId, Literal, Step, TemplateId};
use crate::source::Span;

/// A unit test of one block.
#[derive(Debug, Clone)]
pub struct Test {
    /// The block's name.
    pub target: String,
    /// What the block is.
    pub kind: TestKind,
    /// What the test is about.
    pub title: String,
    /// The block against the records given: a label once for each data set that gives it a value, any other block once.
    pub uses: Vec<TestUse>,
    /// The declaration.
    pub span: Span,
}

/// The kinds of block that are tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TestKind {
    /// `clean`
    Clean,
    /// `policy`
    Policy,
    /// `template`
    Template,
    /// `label`
    Label,
}

impl TestKind {
    /// The word of the language for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Policy => "policy",
            Self::Template => "template",
            Self::Label => "label",
        }
    }
}

/// A block against the records of a [`Test`].
#[derive(Debug, Clone)]
pub struct TestUse {
    /// The data set whose statement is tested, where that matters.
    pub dataset: Option<String>,
    /// The record's columns, with the types that the block's data sets give them.
    pub columns: Vec<Column>,
    /// What is done with the records.
    pub subject: Subject,
    /// The records given with what is expected of them.
    pub cases: Vec<TestCase>,
}

/// What is tested.
#[derive(Debug, Clone)]
pub enum Subject {
    /// The steps of a `clean`, a `policy` or a label statement.
    Steps(Vec<Step>),
    /// A template.
    Template(TemplateId),
}

/// One record of a [`Test`].
#[derive(Debug, Clone)]
pub struct TestCase {
    /// A value for each column; null for one that is not given.
    pub given: Vec<Value>,
    /// What is expected.
    pub expect: Expect,
    /// What says so.
    pub span: Span,
}

/// What a test expects of a record.
#[derive(Debug, Clone)]
pub enum Expect {
    /// It is kept and these columns have these values.
    Record(Vec<(ColumnId, Value)>),
    /// It is dropped, by the rule with this reason if one is named.
    Drop(Option<String>),
    /// It is quarantined.
    Quarantine,
    /// These slots of a template have these texts; a role of a chat has one for each of its turns.
    Slots(Vec<(String, Vec<String>)>),
}

/// A value of a record, of the type of its column or member.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A value without parts, or null.
    Constant(Literal),
    /// The items of a list.
    List(Vec<Value>),
    /// The members of a record, in the order of its type.
    Record(Vec<Value>),
}

impl Value {
    /// No value.
    pub const NULL: Value = Value::Constant(Literal::Null);
}
