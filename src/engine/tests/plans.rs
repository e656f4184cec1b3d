//! The optimized physical plans: each function of a step once, and nothing that a pass can do without.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use datafusion::physical_plan::displayable;

use super::super::passes::{Workers, scan};
use super::super::read::{ChunkTable, Survey};
use super::super::site::Site;
use super::{TINY, program};
use crate::plan::stage::{Measures, measure_pass};
use crate::plan::{Prepared, first_pass, second_pass};

const SPEC: &str = r#"annot 1
source s { path "a.jsonl"; license "MIT"; fields { text: string @personal; other: string; n: int? } }
clean tidy {
  set text = text |> nfc |> collapse_whitespace
  drop "short" when words(text) < 3
  drop "foreign" when (language(text) ?? "en") != "en"
  drop "long" when chars(text) > 500 or words(text) > 90
  set other = lowercase(other)
  dedup text, other exactly
}
policy safe { redact @personal: email, phone }
dataset d { from s; clean tidy; policy safe; write jsonl }
"#;

/// What the rules of the specification measure of the text.
const TOGETHER: &str = r#"[["words"],["language"],["chars"]]"#;

fn shown(
    pass: impl Fn(
        &crate::hir::Program,
        datafusion::logical_expr::LogicalPlan,
    ) -> datafusion::common::Result<datafusion::logical_expr::LogicalPlan>,
    spec: &str,
) -> String {
    let program = program(spec);
    let survey = Survey { files: Vec::new(), chunks: Vec::new(), sizes: TINY };
    let cancel = Arc::new(AtomicBool::new(false));
    let table = ChunkTable::new(survey, &program.datasets[0].columns, |source| &program[source], Arc::clone(&cancel));
    let workers = Workers::start(NonZeroUsize::MIN, &Site::Here, cancel).unwrap();
    let plan = pass(&program, scan(Arc::new(table)).unwrap()).unwrap();
    displayable(workers.physical(&plan).unwrap().as_ref()).indent(false).to_string()
}

#[test]
fn each_function_is_computed_once() {
    let first = shown(|program, scan| first_pass(program, &program.datasets[0], &Prepared::default(), scan), SPEC);
    let calls = |plan: &str, name: &str| plan.matches(&format!("annotc.{name}(")).count();
    for name in ["nfc", "collapse_whitespace", "measures", "lowercase", "digest"] {
        assert_eq!(calls(&first, name), 1, "{name}\n{first}");
    }
    // What several rules measure of one text is computed together, each measure once.
    assert!(first.contains(TOGETHER) && calls(&first, "words") == 0, "{first}");
    // The first pass knows that a text is dropped before it is redacted, so it redacts none.
    assert_eq!(calls(&first, "redact"), 0, "{first}");
    assert!(!first.contains(", n, ") && first.contains("ChunkScan: columns=[c0, c1, _location"), "{first}");

    let second = shown(|program, scan| second_pass(&program.datasets[0], &Prepared::default(), &[], scan), SPEC);
    for name in ["nfc", "collapse_whitespace", "lowercase", "redact"] {
        assert_eq!(calls(&second, name), 1, "{name}\n{second}");
    }
    for name in ["measures", "words", "language", "digest"] {
        assert_eq!(calls(&second, name), 0, "{name}\n{second}");
    }
}

#[test]
fn measures_are_taken_once_and_verdicts_read_no_text() {
    let take = |spec: &str| {
        shown(
            |program, scan| {
                let measures = Measures::of(program, &program.datasets[0], &BTreeMap::new());
                measure_pass(program, &program.datasets[0], &measures, &Prepared::default(), scan)
            },
            spec,
        )
    };
    let plan = take(SPEC);
    let calls = |name: &str| plan.matches(&format!("annotc.{name}(")).count();
    for name in ["nfc", "collapse_whitespace", "measures", "lowercase", "digest"] {
        assert_eq!(calls(name), 1, "{name}\n{plan}");
    }
    assert!(plan.contains(TOGETHER) && calls("words") == 0, "{plan}");
    assert_eq!(calls("redact"), 0, "{plan}");
    let another = SPEC.replace("< 3", "< 5").replace("\"short\"", "\"too short\"");
    assert_eq!(take(&another), plan, "no threshold and no reason is part of it");
}

#[test]
fn a_redacted_text_that_a_rule_reads_is_redacted_once() {
    let spec = SPEC.replace(
        "phone }",
        "phone; forbid \"x\" when text matches /x/ else drop; forbid \"y\" when text matches /y/ else drop }",
    );
    let first = shown(|program, scan| first_pass(program, &program.datasets[0], &Prepared::default(), scan), &spec);
    assert_eq!(first.matches("annotc.redact(").count(), 1, "{first}");
    assert_eq!(first.matches("annotc.matches(").count(), 2, "{first}");
}
