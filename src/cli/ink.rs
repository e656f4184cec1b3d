//! Texts on a terminal: wrapped, with runs of one colour, and without characters that would steer it.

use super::terminal::{Paint, Terminal};
use crate::diff::words::{Piece, compare};
use crate::shown::{printable, shortened};

/// The most lines of one text; a program reads it whole.
const MOST_LINES: usize = 40;

/// What a character is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// As any other.
    Plain,
    /// Trained on, or new.
    New,
    /// Gone.
    Gone,
    /// About the text, not of it.
    Remark,
}

/// A text of several inks.
#[derive(Debug, Default, Clone)]
pub struct Inked(Vec<(char, Ink)>);

impl Inked {
    /// Adds a text. Control characters but the line end become `\u{fffd}`, and so do marks that turn a line around.
    pub fn push(&mut self, text: &str, ink: Ink) {
        let shown = |c: char| match c {
            '\n' => '\n',
            '\t' => ' ',
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            c if c.is_control() => '\u{fffd}',
            c => c,
        };
        self.0.extend(text.chars().map(|c| (shown(c), ink)));
    }

    /// Adds a text between marks where there are no colours.
    pub fn push_marked(&mut self, text: &str, ink: Ink, marks: (&str, &str), terminal: &Terminal) {
        let (begin, end) = if terminal.paints_answers() { ("", "") } else { marks };
        self.push(begin, ink);
        self.push(text, ink);
        self.push(end, ink);
    }

    /// Adds what became of a text, word by word. Where spaces alone came or went, marks say it also in colour.
    pub fn push_change(&mut self, before: &str, after: &str, terminal: &Terminal) {
        for piece in compare(before, after) {
            let (text, ink, marks) = match &piece {
                Piece::Same(same) => {
                    self.push(same, Ink::Plain);
                    continue;
                }
                Piece::Out(gone) => (gone, Ink::Gone, ("[-", "-]")),
                Piece::In(new) => (new, Ink::New, ("{+", "+}")),
            };
            if text.trim().is_empty() {
                self.push(&format!("{}{text}{}", marks.0, marks.1), ink);
            } else {
                self.push_marked(text, ink, marks, terminal);
            }
        }
    }

    /// The text behind a margin, in lines of at most `width` columns.
    pub fn lines(&self, margin: &Margin<'_>, width: usize, terminal: &Terminal) -> Vec<String> {
        let begin = margin.width + margin.gap;
        let mut wrapped = wrap(&self.0, width.saturating_sub(begin).max(20));
        let more = wrapped.len().saturating_sub(MOST_LINES);
        wrapped.truncate(MOST_LINES);
        let name = format!("{:>width$}", shortened(&printable(margin.name), margin.width), width = margin.width);
        let name = format!("{}{:gap$}", terminal.paint_answer(margin.paint, &name), "", gap = margin.gap);
        let mut lines: Vec<String> = Vec::new();
        for (at, line) in wrapped.into_iter().enumerate() {
            let line = painted(line, terminal);
            let line = if at == 0 { format!("{name}{line}") } else { format!("{:begin$}{line}", "") };
            lines.push(line.trim_end().to_owned());
        }
        if more > 0 {
            let remark = format!("{:begin$}… {more} more lines: `--format json` has them", "");
            lines.push(terminal.paint_answer(Paint::Dim, &remark));
        }
        lines
    }
}

/// What stands to the left of a text.
pub struct Margin<'m> {
    /// A word or a sign, at the right end of the margin in the first line.
    pub name: &'m str,
    /// How it is painted.
    pub paint: Paint,
    /// The columns that it has.
    pub width: usize,
    /// The columns between it and the text.
    pub gap: usize,
}

/// Lines broken at spaces; what is longer than a line is broken anywhere.
fn wrap(text: &[(char, Ink)], width: usize) -> Vec<&[(char, Ink)]> {
    let mut lines = Vec::new();
    for line in text.split(|(c, _)| *c == '\n') {
        let mut rest = line;
        while rest.len() > width {
            let space = rest[..=width].iter().rposition(|(c, _)| *c == ' ').filter(|&at| at > 0);
            let (line, after) = rest.split_at(space.unwrap_or(width));
            lines.push(line);
            rest = if space.is_some() { &after[1..] } else { after };
        }
        lines.push(rest);
    }
    lines
}

fn painted(line: &[(char, Ink)], terminal: &Terminal) -> String {
    let runs = line.chunk_by(|(_, a), (_, b)| a == b);
    let run = |run: &[(char, Ink)]| {
        let text: String = run.iter().map(|(c, _)| *c).collect();
        match run[0].1 {
            Ink::Plain => text,
            Ink::New => terminal.paint_answer(Paint::Green, &text),
            Ink::Gone => terminal.paint_answer(Paint::Red, &text),
            Ink::Remark => terminal.paint_answer(Paint::Dim, &text),
        }
    };
    runs.map(run).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_at_spaces_and_lose_nothing_else() {
        let broken = |text: &str, width| {
            let mut inked = Inked::default();
            inked.push(text, Ink::Plain);
            let lines = wrap(&inked.0, width);
            lines.iter().map(|line| line.iter().map(|(c, _)| *c).collect::<String>()).collect::<Vec<_>>()
        };
        assert_eq!(broken("one two three", 7), ["one two", "three"]);
        assert_eq!(broken("abcdefghij k", 4), ["abcd", "efgh", "ij k"]);
        assert_eq!(broken("a\n\nb\u{1b}[2J", 10), ["a", "", "b\u{fffd}[2J"]);
    }
}
