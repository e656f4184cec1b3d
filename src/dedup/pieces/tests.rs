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
    let mut repeats = Repeats::of(pieces);
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
        // The second window of the same bytes overlaps the first by one.
        (Length { count: 4, unit: Unit::Bytes }, vec!["\u{20ac}\u{20ac}\u{20ac}"], vec!["\u{20ac}\u{20ac}\u{20ac}"]),
        // The last byte of one character and the first of the next repeat; no character is cut.
        (Length { count: 2, unit: Unit::Bytes }, vec!["\u{e9}\u{e8}", "\u{c9}x"], vec!["\u{e9}\u{e8}", "\u{c9}x"]),
    ] {
        assert_eq!(rest(&texts, Pieces::Windows(length)), expected, "{texts:?}");
    }
}

/// What a text is made of for an oracle: units that are compared, each with its bytes.
type Units = Vec<(char, Range<usize>)>;

/// How long the runs of units from these two places on are the same.
fn common(one: &[(char, Range<usize>)], other: &[(char, Range<usize>)]) -> usize {
    one.iter().zip(other).take_while(|((one, _), (other, _))| one == other).count()
}

/// The passages of each text that occurred before, by looking at every pair of places: as long as the two are the same from
/// there on, where that is the length at least. Passages of exactly the length that overlap do not repeat each other.
fn by_every_pair(texts: &[Units], length: usize) -> Vec<Vec<Range<usize>>> {
    let of_text = |(later, text): (usize, &Units)| {
        let mut passages = Vec::new();
        for at in 0..text.len() {
            for (earlier, other) in texts[..=later].iter().enumerate() {
                let before = if earlier == later { (at + 1).saturating_sub(length) } else { other.len() };
                let longest = (0..before).map(|before| common(&other[before..], &text[at..])).max();
                passages.extend(longest.filter(|same| *same >= length).map(|same| at..at + same));
            }
        }
        passages
    };
    texts.iter().enumerate().map(of_text).collect()
}

/// The passages that the program of Lee et al. names: all suffixes in their order; where two neighbours begin with the same
/// units, as many as the length, both do. It names the first occurrence of a passage as it names the others.
fn by_suffixes(texts: &[Units], length: usize) -> Vec<Vec<Range<usize>>> {
    let places = texts.iter().enumerate().flat_map(|(number, text)| (0..text.len()).map(move |at| (number, at)));
    let mut places: Vec<(usize, usize)> = places.collect();
    places.sort_by_key(|&(number, at)| texts[number][at..].iter().map(|(unit, _)| *unit).collect::<Vec<_>>());
    let mut named = vec![Vec::new(); texts.len()];
    for pair in places.windows(2) {
        if common(&texts[pair[0].0][pair[0].1..], &texts[pair[1].0][pair[1].1..]) >= length {
            pair.iter().for_each(|&(number, at)| named[number].push(at..at + length));
        }
    }
    named
}

/// Which units lie in one of the passages.
fn covered(text: &Units, passages: &[Range<usize>]) -> Vec<bool> {
    (0..text.len()).map(|at| passages.iter().any(|passage| passage.contains(&at))).collect()
}

/// Fails unless what is cut are the passages of the oracle, all of which the program of Lee et al. names as well; and unless
/// what that names beyond them stands there for the first time, or overlaps a passage that does.
fn check_passages(texts: &[String], length: Length, units: impl Fn(&str) -> Units) -> Result<(), TestCaseError> {
    let all: Vec<Units> = texts.iter().map(|text| units(text)).collect();
    let (gone, named) = (by_every_pair(&all, length.count), by_suffixes(&all, length.count));
    let slices: Vec<&str> = texts.iter().map(String::as_str).collect();
    for (number, rest) in rest(&slices, Pieces::Windows(length)).into_iter().enumerate() {
        let (text, units) = (&texts[number], &all[number]);
        let bytes = |passage: &Range<usize>| units[passage.start].1.start..units[passage.end - 1].1.end;
        // A character stays where no passage has all of it.
        let goes = |at: usize, one: char| {
            gone[number].iter().map(bytes).any(|passage| passage.start <= at && at + one.len_utf8() <= passage.end)
        };
        let expected: String = text.char_indices().filter(|(at, one)| !goes(*at, *one)).map(|(_, one)| one).collect();
        prop_assert_eq!(rest, expected, "{:?} of {:?}", text, texts);

        let is_first = |at: usize| {
            let same = |other: &Units, before: usize| common(&other[before..], &units[at..]) >= length.count;
            let earlier = all[..number].iter().any(|other| (0..other.len()).any(|before| same(other, before)));
            let apart = 0..(at + 1).saturating_sub(length.count);
            at + length.count <= units.len() && !earlier && !apart.into_iter().any(|before| same(units, before))
        };
        let firsts: Vec<Range<usize>> =
            (0..units.len()).filter(|at| is_first(*at)).map(|at| at..at + length.count).collect();
        let (gone, named, first) =
            (covered(units, &gone[number]), covered(units, &named[number]), covered(units, &firsts));
        for at in 0..units.len() {
            prop_assert!(named[at] || !gone[at], "unit {} of {:?}", at, text);
            prop_assert!(gone[at] || !named[at] || first[at], "unit {} of {:?}", at, text);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn characters_of_every_repeated_passage_go(texts in prop::collection::vec("[ab\u{e9}]{0,14}", 0..5), count in 1_usize..5) {
        let units = |text: &str| text.char_indices().map(|(at, one)| (one, at..at + one.len_utf8())).collect();
        check_passages(&texts, Length { count, unit: Unit::Characters }, units)?;
    }

    /// The longest character here has three bytes. One that is longer than the passages stays.
    #[test]
    fn bytes_of_every_repeated_passage_go(texts in prop::collection::vec("[a\u{e9}\u{e8}\u{c9}\u{20ac}]{0,9}", 0..5), count in 3_usize..8) {
        let units = |text: &str| text.bytes().enumerate().map(|(at, byte)| (char::from(byte), at..at + 1)).collect();
        check_passages(&texts, Length { count, unit: Unit::Bytes }, units)?;
    }

    /// What stands between the words of a passage goes with them.
    #[test]
    fn words_of_every_repeated_passage_go(texts in prop::collection::vec("([aAbBc](, | |\\? - )){0,12}", 0..5), count in 2_usize..5) {
        let units = |text: &str| {
            let letters = text.char_indices().filter(|(_, one)| one.is_alphabetic());
            letters.map(|(at, one)| (one.to_ascii_lowercase(), at..at + 1)).collect()
        };
        check_passages(&texts, Length { count, unit: Unit::Words }, units)?;
    }
}
