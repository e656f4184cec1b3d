//! The whole way over real data.

use std::path::Path;

use super::{InputFile, MemoryLimit, Sizes, SourceFiles, SourceId, program, run, table};

const SPEC: &str = r#"annot 1
source questions { path "train.csv"; license "CC-BY-4.0"; fields { text: string @personal; category: string } }
source heldout { path "test.csv"; license "CC-BY-4.0"; fields { text: string @personal; category: string } }
label intent: choice from questions.category
clean tidy {
  set text = text |> fix_encoding |> nfc |> strip_html |> collapse_whitespace
  drop "too short" when words(text) < 3
  drop "not English" when (language(text) ?? "en") != "en"
  dedup text exactly
}
policy bank {
  redact @personal: email, phone, iban, card_number, ip_address
  require count() >= 20 per intent
  require share() <= 40% per intent
}
template route: chat { system "You route questions."; user "{{ text }}"; assistant "{{ intent }}" }
dataset banking {
  from questions, heldout
  clean tidy
  label intent = category
  policy bank
  split test from heldout, train 90%, validation 10% by text near 0.85 stratify intent seed 7
  write messages from route
  write parquet
}
"#;

#[test]
fn bank_customers_questions() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/banking77");
    if !data.exists() {
        assert_ne!(std::env::var("ANNOTC_REQUIRE_SHARED").as_deref(), Ok("1"), "{} is missing", data.display());
        eprintln!("skipped: {} is missing", data.display());
        return;
    }
    let program = program(SPEC);
    let source = |source, name: &str| SourceFiles {
        source: SourceId(source),
        files: vec![InputFile { location: data.join(name), name: name.to_owned() }],
        looked_for: Vec::new(),
    };
    let sources = || vec![source(0, "train.csv"), source(1, "test.csv")];
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let left = run(&program, sources(), Sizes::default(), 1, one.path(), vec![table()], MemoryLimit::DEFAULT).unwrap();
    let outcome = &left.built.outcome;
    assert_eq!(outcome.violations, []);
    assert_eq!(outcome.sources.iter().map(|source| source.files[0].records).collect::<Vec<_>>(), [10_003, 3_080]);
    assert_eq!((outcome.rows(), outcome.labels[0].values.len()), (13_083, 77));
    assert_eq!((outcome.certificate.shared_keys, outcome.certificate.near_pairs), (0, Some(0)));
    assert_eq!(outcome.parts[2].records + left.missing().len() as u64, 3_080);
    let again =
        run(&program, sources(), Sizes { chunk: 64 << 10, ..Sizes::default() }, 2, two.path(), vec![table()], 0);
    assert!(left.files == again.unwrap().files, "the same bytes");
}
