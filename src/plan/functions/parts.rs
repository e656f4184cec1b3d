//! A text with the parts that several measures of it share: found when they are first asked for, and once.

mod grams;
mod pieces;
pub(super) mod words;

use std::cell::OnceCell;
use std::collections::HashSet;

use whatlang::Info;

use grams::Grams;
use pieces::Piece;

/// A text and what measures of it share.
pub struct Parts<'t> {
    text: &'t str,
    chars: OnceCell<usize>,
    words: OnceCell<usize>,
    pieces: OnceCell<Vec<Piece<'t>>>,
    grams: OnceCell<Grams>,
    language: OnceCell<Option<Info>>,
}

impl<'t> Parts<'t> {
    /// A text of which nothing is known yet.
    pub fn of(text: &'t str) -> Self {
        Self {
            text,
            chars: OnceCell::new(),
            words: OnceCell::new(),
            pieces: OnceCell::new(),
            grams: OnceCell::new(),
            language: OnceCell::new(),
        }
    }

    pub(super) fn text(&self) -> &'t str {
        self.text
    }

    /// The number of code points.
    pub(super) fn chars(&self) -> usize {
        *self.chars.get_or_init(|| self.text.chars().count())
    }

    /// The number of words by Unicode's word boundaries.
    pub(super) fn words(&self) -> usize {
        *self.words.get_or_init(|| words::count_words(self.text))
    }

    /// The words and marks as the filters of web data cut them.
    pub(super) fn pieces(&self) -> &[Piece<'t>] {
        self.pieces.get_or_init(|| pieces::pieces(self.text))
    }

    /// What the detector says of the language, sure or not.
    pub(super) fn language(&self) -> Option<&Info> {
        self.language.get_or_init(|| whatlang::detect(self.text)).as_ref()
    }

    /// How often the most frequent run of `n` pieces occurs and how many characters it has, the first of several such; `None`
    /// where there are fewer pieces.
    pub(super) fn top_run(&self, n: usize) -> Option<(usize, usize)> {
        self.grams().top(self.pieces(), n)
    }

    /// The characters of the runs of `n` pieces that stood in the text before.
    pub(super) fn repeated_runs(&self, n: usize) -> usize {
        self.grams().repeated(self.pieces(), n)
    }

    fn grams(&self) -> &Grams {
        self.grams.get_or_init(|| Grams::of(self.pieces()))
    }

    /// The lines, a CR before the line feed left out. The end of the text ends the last one.
    pub(super) fn lines(&self) -> impl Iterator<Item = &'t str> + use<'t> {
        self.text.lines()
    }

    /// The lines that are not blank.
    pub(super) fn full_lines(&self) -> impl Iterator<Item = &'t str> + use<'t> {
        self.text.lines().filter(|line| !line.trim_start().is_empty())
    }

    /// A number of characters as a share of the text's; null of the empty text.
    pub(super) fn share_of_chars(&self, part: usize) -> Option<f64> {
        (!self.text.is_empty()).then(|| part as f64 / self.chars() as f64)
    }
}

/// How many of a row of texts there are, how many of them stood in it before, and how many characters these have.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Repeats {
    pub(super) all: usize,
    pub(super) repeated: usize,
    pub(super) repeated_chars: usize,
}

impl Repeats {
    pub(super) fn among<'t>(texts: impl Iterator<Item = &'t str>) -> Self {
        let mut seen: HashSet<&str> = HashSet::new();
        let mut repeats = Self::default();
        for text in texts {
            repeats.all += 1;
            if !seen.insert(text) {
                repeats.repeated += 1;
                repeats.repeated_chars += text.chars().count();
            }
        }
        repeats
    }

    /// The share of those that stood there before; null where there are none at all.
    pub(super) fn share(self) -> Option<f64> {
        (self.all > 0).then(|| self.repeated as f64 / self.all as f64)
    }
}

/// What stands between runs of at least `least` line feeds, also the empty text before one at the start and after one at the
/// end.
pub(super) fn between_breaks(text: &str, least: usize) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let open = rest?;
        let mut from = 0;
        while let Some(offset) = memchr::memchr(b'\n', &open.as_bytes()[from..]) {
            let start = from + offset;
            let length = open.as_bytes()[start..].iter().take_while(|&&byte| byte == b'\n').count();
            if length >= least {
                rest = Some(&open[start + length..]);
                return Some(&open[..start]);
            }
            from = start + length;
        }
        rest = None;
        Some(open)
    })
}
