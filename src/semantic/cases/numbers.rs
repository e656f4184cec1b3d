//! Numbers that are refused: what the help advises instead is taken.

use super::{all_shown, check};

const BASE: &str = include_str!("base.annot");

/// Statements of a run with a wrong number, and what is advised; a number that is advised is put in the wrong one's place.
const CASES: &[(&str, &str, &str)] = &[
    ("seed 99999999999999999999", "99999999999999999999", "give a whole number of at most `9007199254740991`"),
    ("seed 9007199254740992", "9007199254740992", "give a whole number of at most `9007199254740991`"),
    ("seed 0.5", "0.5", "round it: `1`"),
    ("seed 50%", "50%", "give a number that is at least 0, without `%`"),
    ("seed 700%", "700%", "write `7`"),
    ("smooth 100%", "100%", "give a number that is at least 0 and at most 0.999, without `%`"),
    ("smooth 10%", "10%", "write `0.1`"),
    ("batch 1.2", "1.2", "round it: `1`"),
];

#[test]
fn what_is_advised_is_taken() {
    for (statement, number, advice) in CASES {
        let base = BASE.replace("  batch 32\n", "");
        let with = |statement: &str| check(&base.replace("  epochs 3\n", &format!("  epochs 3\n  {statement}\n")));
        let checked = with(statement);
        let shown = all_shown(&checked, &checked.found);
        assert!(shown.contains(&format!("{number:?}")) && shown.contains(&format!("help: {advice}")), "{shown}");
        if let Some(advised) = advice.split('`').nth(1).filter(|advised| *advised != "%") {
            let mended = with(&statement.replace(number, advised));
            assert!(mended.found.is_empty(), "{}", all_shown(&mended, &mended.found));
        }
    }
}
