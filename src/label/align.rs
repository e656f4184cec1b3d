//! Where the characters of a text stand after something changed it.
//!
//! A text that was cleaned is compared with what it was by a shortest edit script (Myers, *An O(ND) difference algorithm*,
//! 1986), once from its front and once from its end. Where several scripts are equally short the two walks prefer other
//! ones, so a place that both give alike is taken, and any other is not known.

/// The edits beyond which two texts are not compared.
const MOST_EDITS: usize = 2048;

/// The places of a text in a changed one, in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alignment {
    /// For each character its place in the changed text, where it is still there: seen from the front and from the end.
    walks: [Vec<Option<usize>>; 2],
    changed: usize,
}

impl Alignment {
    /// Compares a text with what became of it; `None` where the two have too little in common.
    pub fn of(text: &str, changed: &str) -> Option<Self> {
        let (a, b): (Vec<char>, Vec<char>) = (text.chars().collect(), changed.chars().collect());
        let front = matches(&a, &b)?;
        let reversed = |text: &[char]| text.iter().rev().copied().collect::<Vec<char>>();
        let mut back = matches(&reversed(&a), &reversed(&b))?;
        back.reverse();
        back.iter_mut().flatten().for_each(|place| *place = b.len() - 1 - *place);
        Some(Self { walks: [front, back], changed: b.len() })
    }

    /// Where the stretch `start..end` stands, which is not empty; `None` where nothing is left of it, or where one of its
    /// ends was changed so that it cannot be told.
    pub fn stretch(&self, start: usize, end: usize) -> Option<(usize, usize)> {
        let [front, back] = [&self.walks[0], &self.walks[1]].map(|walk| {
            let walk = Walk { places: walk, changed: self.changed };
            (walk.start(start), walk.end(end))
        });
        match front {
            (Some(start), Some(end)) if front == back && start < end => Some((start, end)),
            _ => None,
        }
    }
}

/// One walk over a text. What stands between two characters that are still there is a gap: it was replaced by what stands
/// between them in the changed text.
struct Walk<'a> {
    places: &'a [Option<usize>],
    changed: usize,
}

impl Walk<'_> {
    /// Where the gap that ends before the character `at` begins in the changed text.
    fn gap_begins(&self, at: usize) -> usize {
        self.places[..at].iter().rev().flatten().next().map_or(0, |place| place + 1)
    }

    /// Where the gap that begins with the character `at` ends in the changed text.
    fn gap_ends(&self, at: usize) -> usize {
        self.places[at..].iter().flatten().next().copied().unwrap_or(self.changed)
    }

    fn start(&self, at: usize) -> Option<usize> {
        if let Some(place) = self.places[at] {
            return Some(place);
        }
        let begins = self.gap_begins(at);
        let at_its_begin = at == 0 || self.places[at - 1].is_some();
        // Inside of a gap no place is known but where all of it is gone.
        (at_its_begin || begins == self.gap_ends(at)).then_some(begins)
    }

    fn end(&self, at: usize) -> Option<usize> {
        if let Some(place) = self.places[at - 1] {
            return Some(place + 1);
        }
        let ends = self.gap_ends(at);
        let at_its_end = at == self.places.len() || self.places[at].is_some();
        (at_its_end || ends == self.gap_begins(at)).then_some(ends)
    }
}

/// For each character of `a` the character of `b` that it became, by a shortest edit script that takes what is alike as
/// early as it can. Letters that differ in case, and kinds of white space, are alike.
fn matches(a: &[char], b: &[char]) -> Option<Vec<Option<usize>>> {
    let alike = |x: usize, y: usize| x < a.len() && y < b.len() && same(a[x], b[y]);
    // In the row of d edits, `furthest[k + d]` is how far `a` is gone on the diagonal k = x − y.
    let mut rows: Vec<Vec<usize>> = Vec::new();
    for edits in 0..=(a.len() + b.len()).min(MOST_EDITS) {
        let mut furthest = vec![0; 2 * edits + 1];
        for at in (0..=2 * edits).step_by(2) {
            let mut x = match rows.last() {
                None => 0,
                Some(row) => stepped(row, at).0,
            };
            let y = |x: usize| (x + edits).checked_sub(at);
            while y(x).is_some_and(|y| alike(x, y)) {
                x += 1;
            }
            furthest[at] = x;
            if x >= a.len() && y(x).is_some_and(|y| y >= b.len()) {
                rows.push(furthest);
                return Some(walked_back(&rows, a.len(), at));
            }
        }
        rows.push(furthest);
    }
    None
}

/// The best way to a diagonal from the row with one edit less: how far `a` is gone, and the place that it comes from.
fn stepped(row: &[usize], at: usize) -> (usize, usize) {
    // Place `at` of a row with one edit more is the diagonal of place `at − 1`, so its neighbours are `at − 2` and `at`.
    let out = at.checked_sub(2).map(|from| (row[from] + 1, from));
    let inserted = row.get(at).map(|x| (*x, at));
    match (out, inserted) {
        (Some(out), Some(inserted)) => {
            if out.0 > inserted.0 {
                out
            } else {
                inserted
            }
        }
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => unreachable!("a diagonal has a neighbour in the row before"),
    }
}

fn walked_back(rows: &[Vec<usize>], length: usize, mut at: usize) -> Vec<Option<usize>> {
    let mut places = vec![None; length];
    for edits in (0..rows.len()).rev() {
        let reached = rows[edits][at];
        let (begun, from) = match edits.checked_sub(1) {
            None => (0, 0),
            Some(before) => stepped(&rows[before], at),
        };
        for (x, place) in places.iter_mut().enumerate().take(reached).skip(begun) {
            *place = Some(x + edits - at);
        }
        at = from;
    }
    places
}

fn same(a: char, b: char) -> bool {
    a == b || (a.is_whitespace() && b.is_whitespace()) || a.to_lowercase().eq(b.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The marked stretch of `text` in `changed`; `[` and `]` stand around it.
    fn check(marked: &str, changed: &str, expected: Option<&str>) {
        let start = marked.chars().position(|one| one == '[').expect("a start");
        let end = marked.chars().position(|one| one == ']').expect("an end") - 1;
        let text: String = marked.chars().filter(|one| !"[]".contains(*one)).collect();
        let stretch = Alignment::of(&text, changed).and_then(|alignment| alignment.stretch(start, end));
        let found = stretch.map(|(start, end)| changed.chars().skip(start).take(end - start).collect::<String>());
        assert_eq!(found.as_deref(), expected, "{marked} in {changed}");
    }

    #[test]
    fn a_stretch_is_found_again_or_not_at_all() {
        check("see [Ann] today", "see Ann today", Some("Ann"));
        check("<b>[Found]</b>: keys", "Found: keys", Some("Found"));
        check("the   [Wednesday   Walkers]   meet", "the Wednesday Walkers meet", Some("Wednesday Walkers"));
        check("[CafÃ© Meridian] opens", "Café Meridian opens", Some("Café Meridian"));
        check("to [CafÃ©] now", "to Café now", Some("Café"));
        check("[Dray &amp; Daughters] need", "Dray & Daughters need", Some("Dray & Daughters"));
        check("I saw [ANN] there", "i saw ann there", Some("ann"));
        check("[Cafe\u{301}] one", "Caf\u{e9} one", Some("Caf\u{e9}"));
        check("see [Ann] today", "see today", None);
        check("[a] a b", "a b", None);
        check("x [a]", "something else that shares nothing 12345", None);
        // An end inside of what was replaced is not known.
        check("to Caf[Ã]© now", "to Café now", None);
        check("http://x.example [Zoë] said", "Zoë said", Some("Zoë"));
        check("🎉 [Zoë] 🎉", "Zoë", Some("Zoë"));
    }

    #[test]
    fn every_script_is_a_shortest_one() {
        // By exhaustion over short texts: what is kept is as long as a longest common subsequence.
        let texts: Vec<Vec<char>> = (0..3_usize.pow(5))
            .map(|code| (0..5).map(|at| ['a', 'b', 'c'][code / 3_usize.pow(at) % 3]).collect::<Vec<char>>())
            .step_by(7)
            .collect();
        for a in &texts {
            for b in &texts {
                let places = matches(a, &b[..4]).expect("short texts are compared");
                let kept: Vec<usize> = places.iter().flatten().copied().collect();
                assert!(kept.windows(2).all(|pair| pair[0] < pair[1]), "{a:?} {b:?} {places:?}");
                assert!(places.iter().zip(a).all(|(place, one)| place.is_none_or(|place| b[place] == *one)));
                assert_eq!(kept.len(), longest(a, &b[..4]), "{a:?} {b:?}");
            }
        }
    }

    fn longest(a: &[char], b: &[char]) -> usize {
        match (a, b) {
            ([], _) | (_, []) => 0,
            ([x, a @ ..], [y, b @ ..]) if x == y => 1 + longest(a, b),
            ([_, rest @ ..], [_, others @ ..]) => longest(rest, b).max(longest(a, others)),
        }
    }
}
