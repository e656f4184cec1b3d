//! Which words of a text changed: the longest common subsequence of the words of two texts.

/// Pairs of words up to which two texts are compared; beyond, the middle counts as replaced.
const MOST_PAIRS: usize = 1 << 22;

/// A run of characters in both texts or in one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'t> {
    /// In both.
    Same(&'t str),
    /// In the text before.
    Out(String),
    /// In the text behind.
    In(String),
}

/// The pieces that make `before` without those that came in, and `after` without those that went out.
pub fn compare<'t>(before: &'t str, after: &'t str) -> Vec<Piece<'t>> {
    let (old, new) = (split(before), split(after));
    let start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let most = old.len().min(new.len()) - start;
    let end = old.iter().rev().zip(new.iter().rev()).take(most).take_while(|(a, b)| a == b).count();
    let mut pieces: Vec<Piece<'t>> = old[..start].iter().map(|word| Piece::Same(word)).collect();
    pieces.extend(middle(&old[start..old.len() - end], &new[start..new.len() - end]));
    pieces.extend(old[old.len() - end..].iter().map(|word| Piece::Same(word)));
    joined(pieces)
}

/// Words and what stands between them, in order.
fn split(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let space = first.is_whitespace();
        let end = rest.find(|c: char| c.is_whitespace() != space).unwrap_or(rest.len());
        pieces.push(&rest[..end]);
        rest = &rest[end..];
    }
    pieces
}

fn middle<'t>(old: &[&'t str], new: &[&'t str]) -> Vec<Piece<'t>> {
    if old.len() * new.len() > MOST_PAIRS {
        return vec![Piece::Out(old.concat()), Piece::In(new.concat())];
    }
    // lengths[i][j] is the length of the longest common subsequence of old[i..] and new[j..].
    let width = new.len() + 1;
    let mut lengths = vec![0_u32; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            lengths[i * width + j] = if old[i] == new[j] {
                lengths[(i + 1) * width + j + 1] + 1
            } else {
                lengths[(i + 1) * width + j].max(lengths[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j, mut pieces) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        let out = || lengths[(i + 1) * width + j] >= lengths[i * width + j + 1];
        if i < old.len() && j < new.len() && old[i] == new[j] {
            pieces.push(Piece::Same(old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && out()) {
            pieces.push(Piece::Out(old[i].to_owned()));
            i += 1;
        } else {
            pieces.push(Piece::In(new[j].to_owned()));
            j += 1;
        }
    }
    pieces
}

/// Joins what went out between two pieces that stay, and what came in; a space that stays alone between changed words
/// belongs to both, so that a changed phrase reads as one.
fn joined(pieces: Vec<Piece<'_>>) -> Vec<Piece<'_>> {
    let changed = |piece: Option<&Piece<'_>>| matches!(piece, Some(Piece::Out(_) | Piece::In(_)));
    let mut joined = Vec::new();
    let (mut out, mut came) = (String::new(), String::new());
    for (at, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Out(text) => out.push_str(text),
            Piece::In(text) => came.push_str(text),
            Piece::Same(text)
                if text.trim().is_empty() && at > 0 && changed(pieces.get(at - 1)) && changed(pieces.get(at + 1)) =>
            {
                out.push_str(text);
                came.push_str(text);
            }
            Piece::Same(text) => {
                flush(&mut out, &mut came, &mut joined);
                joined.push(Piece::Same(text));
            }
        }
    }
    flush(&mut out, &mut came, &mut joined);
    joined
}

fn flush(out: &mut String, came: &mut String, joined: &mut Vec<Piece<'_>>) {
    if !out.is_empty() {
        joined.push(Piece::Out(std::mem::take(out)));
    }
    if !came.is_empty() {
        joined.push(Piece::In(std::mem::take(came)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(before: &str, after: &str) -> String {
        let pieces = compare(before, after);
        let piece = |piece: &Piece<'_>| match piece {
            Piece::Same(text) => (*text).to_owned(),
            Piece::Out(text) => format!("[-{text}-]"),
            Piece::In(text) => format!("{{+{text}+}}"),
        };
        pieces.iter().map(piece).collect()
    }

    #[test]
    fn the_words_that_differ_are_found() {
        let cases = [
            ("the same", "the same", "the same"),
            (
                "write to ann@example.org please",
                "write to [EMAIL] please",
                "write to [-ann@example.org-]{+[EMAIL]+} please",
            ),
            ("a  b", "a b", "a[-  -]{+ +}b"),
            ("", "new", "{+new+}"),
            ("one two three four", "one 2 3 four", "one [-two three-]{+2 3+} four"),
            ("x a b", "a b y", "[-x -]a b{+ y+}"),
        ];
        for (before, after, expected) in cases {
            assert_eq!(marked(before, after), expected);
        }
    }

    #[test]
    fn the_pieces_give_back_both_texts() {
        for (before, after) in
            [("a b c d", "b c a d"), ("  x\ny ", "y\n x"), ("", ""), ("über den Wolken", "unter den  Wolken!")]
        {
            let pieces = compare(before, after);
            let side = |wanted: fn(&Piece<'_>) -> bool| -> String {
                pieces
                    .iter()
                    .filter(|piece| wanted(piece))
                    .map(|piece| match piece {
                        Piece::Same(text) => (*text).to_owned(),
                        Piece::Out(text) | Piece::In(text) => text.clone(),
                    })
                    .collect()
            };
            assert_eq!(side(|piece| !matches!(piece, Piece::In(_))), before);
            assert_eq!(side(|piece| !matches!(piece, Piece::Out(_))), after);
        }
    }
}
