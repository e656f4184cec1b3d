//! Where a plan runs: the survey of the files, the reader, the two passes, and what was found.

mod assign;
mod build;
mod changes;
#[cfg(feature = "cluster")]
pub mod cluster;
mod copies;
mod error;
mod evaluated;
mod explained;
mod faults;
mod leaf;
mod lost;
mod narrow;
mod near;
pub mod outcome;
mod partition;
mod passes;
mod pieces;
pub mod preview;
pub mod read;
pub mod replay;
mod report;
mod require;
mod resolve;
mod samples;
mod site;
mod spool;
pub mod stage;
mod stages;
#[cfg(test)]
mod tests;
mod training;
mod unit_test;
mod write;

pub use build::{BuildInputs, Built, Destination, Progress, SourceFiles, Stage as BuildStage, Surveyed, build_dataset};
pub use error::EngineError;
pub use evaluated::{EvaluatedFiles, foreign_sources};
pub use explained::{CutsExplained, DatasetExplained, explain_dataset};
pub use outcome::{
    AuditRow, Certificate, CutOutcome, FileOutcome, Gold, LabelOutcome, Measured, MissingRecord, Outcome, PartOutcome,
    PartTimes, PersonalFound, Place, QuarantineRow, RecordId, SourceOutcome, SourceUse, StepOutcome, StepOutcomeKind,
    Verdict, Violation,
};
pub use partition::largest_remainder;
pub use read::moment::{moment_text, parse_date, parse_timestamp};
pub use read::survey::InputFile;
pub use site::Site;
pub use spool::{Folder as PrivateFolder, MemoryLimit};
pub use training::{TrainingTable, slice_groups};
pub use unit_test::{
    Arm, CaseFailure, Difference, Ending, Mismatch, Part, Rule, RuleId, RuleRef, TestOutcome, Wanted, rules, run_tests,
};
