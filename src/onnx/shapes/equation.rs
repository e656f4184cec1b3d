//! The equations of `Einsum`.

/// An equation such as `bij,bjk->bik`, each axis a letter, ellipses written out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Equation {
    /// The axes of each operand.
    pub operands: Vec<Vec<char>>,
    /// The axes of the result.
    pub output: Vec<char>,
}

impl Equation {
    /// Reads an equation for operands of these ranks; `None` where the two do not fit. An ellipsis stands for the axes
    /// that have no letter; the last of them belong together. Without an arrow the result has the ellipsis and then, in
    /// the order of the alphabet, every letter that occurs once.
    pub fn parse(text: &str, ranks: &[usize]) -> Option<Self> {
        let text: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
        let (left, right) = match text.split_once("->") {
            Some((left, right)) => (left, Some(right)),
            None => (text.as_str(), None),
        };
        let terms: Vec<&str> = left.split(',').collect();
        if terms.len() != ranks.len() {
            return None;
        }
        let hidden = |(term, &rank): (&&str, &usize)| match term.contains("...") {
            true => rank.checked_sub(term.len() - 3),
            false => (term.len() == rank).then_some(0),
        };
        let hidden: Vec<usize> = terms.iter().zip(ranks).map(hidden).collect::<Option<_>>()?;
        let widest = hidden.iter().copied().max().unwrap_or(0);
        let unused = ('A'..='Z').chain('a'..='z').filter(|&letter| !text.contains(letter));
        let spare: Vec<char> = unused.take(widest).collect();
        if spare.len() < widest {
            return None;
        }
        let written = |term: &str, hidden: usize| -> Option<Vec<char>> {
            let axes = match term.split_once("...") {
                Some((before, after)) => {
                    before.chars().chain(spare[widest - hidden..].iter().copied()).chain(after.chars()).collect()
                }
                None => term.chars().collect::<Vec<_>>(),
            };
            axes.iter().all(char::is_ascii_alphabetic).then_some(axes)
        };
        let operands: Vec<Vec<char>> =
            terms.iter().zip(&hidden).map(|(term, &hidden)| written(term, hidden)).collect::<Option<_>>()?;
        let output = match right {
            Some(right) => written(right, widest)?,
            None => implicit(&operands, &spare),
        };
        output
            .iter()
            .all(|letter| operands.iter().any(|axes| axes.contains(letter)))
            .then_some(Self { operands, output })
    }
}

fn implicit(operands: &[Vec<char>], spare: &[char]) -> Vec<char> {
    let all = || operands.iter().flatten();
    let mut single: Vec<char> = all()
        .copied()
        .filter(|letter| !spare.contains(letter) && all().filter(|other| *other == letter).count() == 1)
        .collect();
    single.sort_unstable();
    spare.iter().copied().chain(single).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ellipses_and_missing_results_are_written_out() {
        let read = |text: &str, ranks: &[usize]| {
            let equation = Equation::parse(text, ranks)?;
            let words =
                |axes: &[Vec<char>]| axes.iter().map(|axes| axes.iter().collect::<String>()).collect::<Vec<_>>();
            Some(format!("{}->{}", words(&equation.operands).join(","), words(&[equation.output]).concat()))
        };
        for (text, ranks, expected) in [
            ("bij, bjk -> bik", &[3, 3][..], Some("bij,bjk->bik")),
            ("...i,ij", &[3, 2], Some("ABi,ij->ABj")),
            ("...ij,...jk->...ik", &[4, 3], Some("ABij,Bjk->ABik")),
            ("ba", &[2], Some("ba->ab")),
            ("ij,ij->", &[2, 2], Some("ij,ij->")),
            ("ij", &[3], None),
            ("ij->k", &[2], None),
        ] {
            assert_eq!(read(text, ranks).as_deref(), expected, "{text}");
        }
    }
}
