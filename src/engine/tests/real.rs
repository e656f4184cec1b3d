//! The whole way over real data.

use std::path::Path;

use super::{InputFile, Sizes, SourceFiles, SourceId, program, run};

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
    let left = run(&program, sources(), Sizes::default(), 1, one.path(), Vec::new()).unwrap();
    let outcome = &left.built.outcome;
    assert_eq!(outcome.violations, []);
    assert_eq!(outcome.sources.iter().map(|source| source.files[0].records).collect::<Vec<_>>(), [10_003, 3_080]);
    assert_eq!((outcome.rows(), outcome.labels[0].values.len()), (13_083, 77));
    assert_eq!((outcome.certificate.shared_keys, outcome.certificate.near_pairs), (0, Some(0)));
    assert_eq!(outcome.parts[2].records + outcome.missing.len() as u64, 3_080);
    let again = run(&program, sources(), Sizes { chunk: 64 << 10, ..Sizes::default() }, 2, two.path(), Vec::new());
    assert!(left.files == again.unwrap().files, "the same bytes");
}

/// A text of some hundred words, the same on every machine.
fn text(seed: u64) -> String {
    const WORDS: [&str; 24] = [
        "the", "customer", "asked", "whether", "card", "payment", "was", "charged", "twice", "and", "we", "answered",
        "that", "our", "bank", "returns", "money", "within", "five", "days", "of", "notice", "please", "transfer",
    ];
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut text = format!("Record {seed}:");
    for _ in 0..120 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        text.push(' ');
        text.push_str(WORDS[(state % 24) as usize]);
    }
    if seed.is_multiple_of(50) {
        text.push_str(" write to ann@example.org");
    }
    text
}

#[test]
#[ignore = "a measurement, run by hand: it writes 200 MB"]
fn throughput() {
    let folder = tempfile::tempdir().unwrap();
    let location = folder.path().join("a.jsonl");
    let mut data = std::io::BufWriter::new(std::fs::File::create(&location).unwrap());
    let (mut records, mut bytes) = (0_u64, 0);
    while bytes < 200 << 20 {
        let row = serde_json::json!({"text": text(records - records / 20), "category": format!("c{}", records % 20)});
        let line = row.to_string() + "\n";
        std::io::Write::write_all(&mut data, line.as_bytes()).unwrap();
        bytes += line.len();
        records += 1;
    }
    drop(data);
    let megabytes = bytes as f64 / 1e6;
    let measured = std::env::var("ANNOTC_MEASURE").unwrap_or_default();
    let near = measured.contains("near");
    let spec = SPEC.replace("train.csv", "a.jsonl").replace("from questions, heldout", "from questions");
    let spec = spec.replace("test from heldout, ", "").replace("fix_encoding |> nfc |> strip_html |> ", "nfc |> ");
    let spec = if near { spec } else { spec.replace("by text near 0.85 ", "") };
    let language = "  drop \"not English\" when (language(text) ?? \"en\") != \"en\"\n";
    let spec = if measured.contains("language") { spec } else { spec.replace(language, "") };
    let program = program(&spec);
    let files = vec![InputFile { location, name: "a.jsonl".to_owned() }];
    let sources = vec![SourceFiles { source: SourceId(0), files, looked_for: Vec::new() }];
    for jobs in [1, 2] {
        let out = tempfile::tempdir().unwrap();
        let begin = std::time::Instant::now();
        let left = run(&program, sources.clone(), Sizes::default(), jobs, out.path(), Vec::new()).unwrap();
        let seconds = begin.elapsed().as_secs_f64();
        let peak = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let peak = peak.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default().to_owned();
        eprintln!(
            "{jobs} jobs: {seconds:.1} s, {:.1} MB/s, {:.0} records/s, {} of {records} emitted, {peak}",
            megabytes / seconds,
            records as f64 / seconds,
            left.built.outcome.records(),
        );
    }
}
