//! Rows in columns, with bars where the terminal has room for them.

use crate::cli::terminal::{Paint, Terminal};
use crate::shown::{printable, shortened};

/// The spaces before a row and between its cells.
const INDENT: usize = 2;
const GAP: usize = 2;
/// The columns of a bar: below the first a bar says nothing, above the last it says no more.
const LEAST_BAR: usize = 6;
const MOST_BAR: usize = 48;
/// The least columns of a name.
const LEAST_NAME: usize = 16;

/// A table for the terminal. The first cell of a row is its name, to the left; then comes a bar, if the rows have one, then
/// figures, to the right.
pub struct Grid {
    heads: Vec<String>,
    /// The columns of words, which are set to the left like the first.
    left: Vec<usize>,
    rows: Vec<(Vec<String>, Option<Bar>)>,
}

/// Shares of a whole that are drawn beside each other.
pub struct Bar {
    /// What is drawn full.
    pub full: u64,
    /// What is drawn lighter behind it.
    pub light: u64,
    /// The whole.
    pub whole: u64,
}

impl Grid {
    /// No rows below these heads.
    pub fn new(heads: &[&str]) -> Self {
        Self { heads: heads.iter().map(|head| (*head).to_owned()).collect(), left: Vec::new(), rows: Vec::new() }
    }

    /// With a column of words.
    pub fn left(mut self, column: usize) -> Self {
        self.left.push(column);
        self
    }

    /// Adds a row with as many cells as there are heads.
    pub fn row(&mut self, cells: Vec<String>, bar: Option<Bar>) {
        self.rows.push((cells.iter().map(|cell| printable(cell)).collect(), bar));
    }

    /// Prints the table.
    pub fn show(&self, terminal: &Terminal) {
        for line in self.lines(terminal.answer_width()).iter().enumerate() {
            match line {
                (0, head) => terminal.answer(terminal.paint_answer(Paint::Dim, head)),
                (_, row) => terminal.answer(row),
            }
        }
    }

    fn lines(&self, width: usize) -> Vec<String> {
        let widest = |at: usize| {
            let cells = self.rows.iter().map(|(cells, _)| cells[at].chars().count());
            cells.chain([self.heads[at].chars().count()]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.heads.len()).map(widest).collect();
        let figures: usize = widths[1..].iter().map(|width| width + GAP).sum();
        let room = width.saturating_sub(INDENT + figures);
        let has_bars = self.rows.iter().any(|(_, bar)| bar.is_some());
        // A name gives way to a bar down to a point, and a bar to a name below it.
        let name = widths[0].min(room).max(LEAST_NAME.min(widths[0]));
        let name =
            if has_bars { name.min(room.saturating_sub(LEAST_BAR + GAP)).max(LEAST_NAME.min(widths[0])) } else { name };
        let bar = room.saturating_sub(name + GAP).min(MOST_BAR);
        let bar = if has_bars && bar >= LEAST_BAR { bar } else { 0 };
        let line = |cells: &[String], drawn: String| {
            let mut line = format!("{:INDENT$}{:<name$}", "", shortened(&cells[0], name));
            if bar > 0 {
                line.push_str(&format!("{:GAP$}{drawn:<bar$}", ""));
            }
            for (at, (cell, width)) in cells.iter().zip(&widths).enumerate().skip(1) {
                if self.left.contains(&at) {
                    line.push_str(&format!("{:GAP$}{cell:<width$}", ""));
                } else {
                    line.push_str(&format!("{:GAP$}{cell:>width$}", ""));
                }
            }
            line.trim_end().to_owned()
        };
        let rows =
            self.rows.iter().map(|(cells, own)| line(cells, own.as_ref().map_or(String::new(), |own| own.draw(bar))));
        std::iter::once(line(&self.heads, String::new())).chain(rows).collect()
    }
}

impl Bar {
    /// A bar of so many columns, drawn in eighths; what is there is seen.
    fn draw(&self, columns: usize) -> String {
        let eighths = |part: u64| {
            let all = columns as u64 * 8;
            let exact = u128::from(part) * u128::from(all) / u128::from(self.whole.max(1));
            (exact as u64).max(u64::from(part > 0)).min(all) as usize
        };
        let full = eighths(self.full);
        let mut drawn = "█".repeat(full / 8);
        drawn.push_str(["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][full % 8]);
        let lighter = (eighths(self.light).div_ceil(8)).min(columns - drawn.chars().count());
        drawn + &"░".repeat(lighter)
    }
}

/// Counts as a line of small bars, neighbours joined until they fit.
pub fn sparkline(counts: &[u64], columns: usize) -> String {
    let each = counts.len().div_ceil(columns.max(1)).max(1);
    let joined: Vec<u64> = counts.chunks(each).map(|counts| counts.iter().sum()).collect();
    let most = joined.iter().copied().max().unwrap_or(0).max(1);
    let bar = |&count: &u64| match (u128::from(count) * 8).div_ceil(u128::from(most)) {
        0 => ' ',
        eighths => ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'][(eighths as usize - 1).min(7)],
    };
    joined.iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_fit_and_bars_give_way() {
        let mut grid = Grid::new(&["step", "in", "out"]);
        let long = "a rule with a name that is much longer than it should be";
        for (name, full) in [("read", 1000), (long, 1), ("\u{1b}[2J", 0)] {
            let bar = Bar { full, light: 1000 - full, whole: 1000 };
            grid.row(vec![name.to_owned(), "1,000".to_owned(), full.to_string()], Some(bar));
        }
        for width in [40, 80, 120, 200] {
            let lines = grid.lines(width);
            assert!(lines.iter().all(|line| line.chars().count() <= width), "{width}: {lines:#?}");
            assert!(lines[1].contains('█') && lines[2].contains("▏") && !lines[3].contains('\u{1b}'), "{lines:#?}");
        }
        assert!(grid.lines(200)[2].contains(long));
        assert_eq!(sparkline(&[0, 1, 4, 8], 10), " ▁▄█");
        assert_eq!(sparkline(&[1, 1, 2, 2], 2), "▄█");
        assert_eq!(sparkline(&[], 10), "");
    }
}
