//! Figures that the field's own libraries computed, to hold ours against. `benches/peers/make_metrics.py` made the files.

use serde_json::Value;

/// A file of `tests/fixtures/metrics`.
pub fn fixture(name: &str) -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/metrics/{name}.json"));
    let text = std::fs::read_to_string(&path).expect("the fixture is there");
    serde_json::from_str(&text).expect("the fixture is JSON")
}

/// The cases of a file.
pub fn cases(name: &str) -> Vec<Value> {
    let cases = fixture(name)["cases"].as_array().cloned().expect("a list of cases");
    assert!(cases.len() >= 3, "{name}");
    cases
}

/// A list of numbers.
pub fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|number| number.as_f64().expect("a number")).collect()
}

/// A list of lists of texts.
pub fn texts(value: &Value) -> Vec<Vec<String>> {
    serde_json::from_value(value.clone()).expect("a list of lists of texts")
}

/// Whether a figure is the expected one to 1e-9, relative above 1.
pub fn close(found: f64, expected: &Value, what: &str) {
    let expected = expected.as_f64().unwrap_or_else(|| panic!("{what}: the fixture has no figure"));
    let off = (found - expected).abs() / expected.abs().max(1.0);
    assert!(off <= 1e-9, "{what}: {found} is not {expected}");
}

/// Whether precision, recall and F1 are the expected ones.
pub fn close_scores(found: super::Scores, expected: &Value, what: &str) {
    close(found.precision, &expected["precision"], &format!("{what}, precision"));
    close(found.recall, &expected["recall"], &format!("{what}, recall"));
    close(found.f1, &expected["f1"], &format!("{what}, F1"));
}
