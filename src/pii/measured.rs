//! What the detectors find of the cases in `../shared`, against floors that they have reached.

use std::path::PathBuf;

use serde_json::Value;

use super::lookup;

/// The file of the shared folder; `None`, said aloud, where the folder is not there and need not be.
fn shared(path: &str) -> Option<String> {
    let full = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared").join(path);
    match std::fs::read_to_string(&full) {
        Ok(text) => Some(text),
        Err(error) if std::env::var_os("ANNOTC_REQUIRE_SHARED").is_some_and(|value| value == "1") => {
            panic!("{path} is required: {error}")
        }
        Err(_) => {
            eprintln!("skipped: {path} is not there");
            None
        }
    }
}

/// Byte offsets counted in characters, as the cases have them.
fn in_chars(text: &str, byte: usize) -> u64 {
    text[..byte].chars().count() as u64
}

#[test]
fn presidio_cases() {
    let Some(cases) = shared("data/pii/presidio_recognizer_cases.jsonl") else { return };
    for (recognizer, detector, floor) in [
        ("email_recognizer", "email", 4),
        ("phone_recognizer", "phone", 11),
        ("iban_recognizer", "iban", 165),
        ("credit_card_recognizer", "card_number", 9),
        ("ip_recognizer", "ip_address", 54),
    ] {
        let detector = lookup(detector).expect("the table has the detector");
        let (mut right, mut total) = (0, 0);
        for line in cases.lines() {
            let case: Value = serde_json::from_str(line).expect("a case is JSON");
            if case["recognizer"] != recognizer {
                continue;
            }
            let text = case["text"].as_str().or(case["iban"].as_str()).expect("a case has a text");
            let places =
                if case["expected_positions"].is_array() { &case["expected_positions"] } else { &case["expected_res"] };
            let found: Vec<Value> = (detector.find)(text)
                .into_iter()
                .map(|range| Value::from(vec![in_chars(text, range.start), in_chars(text, range.end)]))
                .collect();
            let expected = places.as_array().expect("a case has positions");
            // Some cases give a number without the places.
            let same =
                if expected.is_empty() { case["expected_len"] == found.len() as u64 } else { *expected == found };
            total += 1;
            right += usize::from(same);
            if !same {
                println!("{recognizer}: {text:?} expected {places}, found {found:?}");
            }
        }
        println!("{recognizer}: {right} of {total}");
        assert!(right >= floor, "{recognizer}: {right} of {total}, once {floor}");
    }
}

#[test]
fn generated_texts() {
    let Some(file) = shared("data/pii/generated_small.json") else { return };
    let records: Vec<Value> = serde_json::from_str(&file).expect("the file is JSON");
    for (entity, detector, floor) in [
        ("EMAIL_ADDRESS", "email", 2),
        ("PHONE_NUMBER", "phone", 10),
        ("CREDIT_CARD", "card_number", 10),
        ("IP_ADDRESS", "ip_address", 2),
    ] {
        let detector = lookup(detector).expect("the table has the detector");
        let (mut hits, mut missed, mut extra) = (0, 0, 0);
        for record in &records {
            let text = record["full_text"].as_str().expect("a record has a text");
            let gold: Vec<(u64, u64)> = record["spans"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|span| span["entity_type"] == entity)
                .filter_map(|span| Some((span["start_position"].as_u64()?, span["end_position"].as_u64()?)))
                .collect();
            let found: Vec<(u64, u64)> = (detector.find)(text)
                .into_iter()
                .map(|range| (in_chars(text, range.start), in_chars(text, range.end)))
                .collect();
            hits += gold.iter().filter(|span| found.contains(span)).count();
            missed += gold.iter().filter(|span| !found.contains(span)).count();
            extra += found.iter().filter(|span| !gold.contains(span)).count();
            if gold != found
                && (gold.iter().any(|span| !found.contains(span)) || found.iter().any(|span| !gold.contains(span)))
            {
                println!("{entity}: {text:?} expected {gold:?}, found {found:?}");
            }
        }
        println!("{entity}: {hits} found, {missed} missed, {extra} beside the gold spans");
        assert!(hits >= floor && extra <= 1, "{entity}: {hits} hits, {extra} extra");
    }
}
