//! Where a plan runs: the survey of the files, the reader, the two passes, and what was found.

pub mod outcome;

pub use outcome::{
    AuditRow, Certificate, FileOutcome, LabelOutcome, Measured, MissingRecord, Outcome, PartOutcome, PersonalFound, Place,
    QuarantineRow, RecordId, SourceOutcome, StepOutcome, StepOutcomeKind, Verdict, Violation,
};
