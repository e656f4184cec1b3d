use proptest::prelude::*;

use super::*;

fn words(count: usize) -> Length {
    Length { count, unit: Unit::Words }
}

/// The texts without what occurred before.
fn rest(texts: &[&str], pieces: Pieces) -> Vec<String> {
    let mut all = Vec::new();
    for (number, text) in (0..).zip(texts) {
        pieces.cut_into(number, text, &mut all);
    }
    all.sort_unstable();
    let mut places: Vec<Vec<Range<u32>>> = vec![Vec::new(); texts.len()];
    let mut repeats = Repeats::default();
    for one in all {
        if repeats.next(&one) {
            places[one.text as usize].push(one.start..one.end);
        }
    }
    texts.iter().zip(places).map(|(text, places)| without(text, &join_places(places))).collect()
}

#[test]
fn lines_that_occurred_before_are_cut() {
    let lines = Pieces::Lines(words(0));
    for (texts, expected) in [
        (vec!["a\nb", "b\nc"], vec!["a\nb", "c"]),
        (vec!["a\nb", "c\n b "], vec!["a\nb", "c"]),
        (vec!["a\n\nb", "c\n\nd"], vec!["a\n\nb", "c\n\nd"]),
        (vec!["x\nx\ny"], vec!["x\ny"]),
        (vec!["a", "a"], vec!["a", ""]),
        (vec!["a\r\nb\r\n", "b\r\nA"], vec!["a\r\nb\r\n", "A"]),
        (vec![], vec![]),
    ] {
        assert_eq!(rest(&texts, lines), expected, "{texts:?}");
    }
    let long = Pieces::Lines(words(3));
    assert_eq!(rest(&["yes\none two three", "yes\none two three"], long), ["yes\none two three", "yes"]);
}

#[test]
fn sentences_that_occurred_before_are_cut() {
    let sentences = Pieces::Sentences(words(0));
    let texts = ["One is. Two is.", "Three is. Two is. Four is.", "Two is."];
    assert_eq!(rest(&texts, sentences), ["One is. Two is.", "Three is. Four is.", ""]);
    let long = Pieces::Sentences(Length { count: 8, unit: Unit::Characters });
    assert_eq!(rest(&["Yes. One two.", "Yes. One two."], long), ["Yes. One two.", "Yes. "]);
}

#[test]
fn passages_that_occurred_before_are_cut() {
    for (length, texts, expected) in [
        (words(3), vec!["a b c d e", "x B, c d y"], vec!["a b c d e", "x  y"]),
        (words(3), vec!["a b c d e", "x b c y"], vec!["a b c d e", "x b c y"]),
        (words(2), vec!["a b c", "b c d", "c d a b"], vec!["a b c", " d", " "]),
        (Length { count: 3, unit: Unit::Characters }, vec!["abcdef", "xcdey"], vec!["abcdef", "xy"]),
        (Length { count: 4, unit: Unit::Characters }, vec!["aaaaaaaaaa"], vec!["aaaa"]),
        (Length { count: 2, unit: Unit::Bytes }, vec!["\u{e9}a", "x\u{e9}"], vec!["\u{e9}a", "x"]),
        // The last byte of one character and the first of the next repeat; no character is cut.
        (Length { count: 2, unit: Unit::Bytes }, vec!["\u{e9}\u{e8}", "\u{c9}x"], vec!["\u{e9}\u{e8}", "\u{c9}x"]),
    ] {
        assert_eq!(rest(&texts, Pieces::Windows(length)), expected, "{texts:?}");
    }
}

/// Which characters of the texts stand in a passage of this length that occurred before, by looking at every place.
fn by_every_place(texts: &[String], length: usize) -> Vec<String> {
    let all: Vec<Vec<char>> = texts.iter().map(|text| text.chars().collect()).collect();
    let mut rest = Vec::new();
    for (at, text) in all.iter().enumerate() {
        let mut gone = vec![false; text.len()];
        for start in 0..(text.len() + 1).saturating_sub(length) {
            let window = &text[start..start + length];
            let earlier = all[..at].iter().any(|other| other.windows(length).any(|one| one == window));
            let here = (0..(start + 1).saturating_sub(length)).any(|before| &text[before..before + length] == window);
            if earlier || here {
                gone[start..start + length].fill(true);
            }
        }
        rest.push(text.iter().zip(&gone).filter(|(_, gone)| !**gone).map(|(one, _)| one).collect());
    }
    rest
}

proptest! {
    #[test]
    fn windows_find_every_repeated_passage(texts in prop::collection::vec("[ab\u{e9}]{0,14}", 0..5), length in 1_usize..5) {
        let pieces = Pieces::Windows(Length { count: length, unit: Unit::Characters });
        let slices: Vec<&str> = texts.iter().map(String::as_str).collect();
        prop_assert_eq!(rest(&slices, pieces), by_every_place(&texts, length));
    }
}
