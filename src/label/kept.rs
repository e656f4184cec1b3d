//! What the first pass keeps of a label whose raw value is a list: the names of its values, or why it is none. No text of
//! the record stands in it, for names are those that the label lists.

use crate::hir::LabelValue;

/// Begins what is kept of a raw value that is none of the label's.
const FAULT: char = '!';

/// Names in the order of the label's values, each once.
pub fn keep_names<'a>(values: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = values.into_iter().collect();
    serde_json::to_string(&names).expect("texts are JSON")
}

/// Why a raw value is none of the label's.
pub fn keep_fault(fault: &str) -> String {
    format!("{FAULT}{fault}")
}

/// What was kept: names of values, or a fault.
///
/// # Errors
/// The fault.
pub fn read_kept(kept: &str) -> Result<Vec<String>, &str> {
    match kept.strip_prefix(FAULT) {
        Some(fault) => Err(fault),
        None => Ok(serde_json::from_str(kept).expect("what was kept is a list of names")),
    }
}

/// The names of a list that has so many of the label's values, each once, or why it is none.
pub fn keep_choices(given: &[Option<&str>], values: &[String], least: usize, most: usize) -> String {
    let mut chosen = vec![false; values.len()];
    for name in given {
        let Some(name) = name else { return keep_fault("a value is null") };
        match values.iter().position(|value| value == name) {
            None => return keep_fault("a value is unknown"),
            Some(at) if chosen[at] => return keep_fault("a value stands twice"),
            Some(at) => chosen[at] = true,
        }
    }
    let count = given.len();
    if !(least..=most).contains(&count) {
        return keep_fault(&format!("{count} values, and it takes {least} to {most}"));
    }
    keep_names(values.iter().zip(chosen).filter(|(_, chosen)| *chosen).map(|(name, _)| name.as_str()))
}

/// The names of a label's values.
pub fn names_of(values: &[LabelValue]) -> Vec<String> {
    values.iter().map(|value| value.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_kept_in_the_labels_order_or_told_why_it_is_none() {
        let values = ["card", "fees", "transfer"].map(str::to_owned);
        type Case<'c> = (&'c [Option<&'c str>], Result<&'c [&'c str], &'c str>);
        let cases: [Case<'_>; 7] = [
            (&[Some("transfer"), Some("card")], Ok(&["card", "transfer"])),
            (&[Some("fees")], Ok(&["fees"])),
            (&[Some("fees"), Some("Card")], Err("a value is unknown")),
            (&[Some("fees"), Some("fees")], Err("a value stands twice")),
            (&[Some("fees"), None], Err("a value is null")),
            (&[], Err("0 values, and it takes 1 to 2")),
            (&[Some("fees"), Some("card"), Some("transfer")], Err("3 values, and it takes 1 to 2")),
        ];
        for (given, expected) in cases {
            let kept = keep_choices(given, &values, 1, 2);
            let expected = expected.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
            assert_eq!(read_kept(&kept), expected, "{given:?}");
        }
    }
}
