//! Columns: what neighbouring lines have in common is written below each other.

use unicode_width::UnicodeWidthStr;

use super::WIDTH;

/// A line of the formatted text.
pub(super) struct Line {
    /// Columns before it.
    pub indent: usize,
    /// What it holds.
    pub text: String,
    /// The comment at its end.
    pub comment: Option<String>,
    /// Blank lines before it.
    pub blanks: usize,
}

/// What is aligned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// What follows the first word of a statement.
    Head,
    /// The type of a field.
    Type,
    /// The title of a label's value.
    Title,
    /// The key of a label's value.
    Key,
    /// The arrow of an arm.
    Arrow,
    /// The `=` of neighbouring `set`s.
    SetEquals,
    /// The `when` of neighbouring `drop`s.
    DropWhen,
    /// The `when` of neighbouring `forbid`s.
    ForbidWhen,
}

impl Stop {
    /// In the order in which they follow each other in a line.
    const ALL: [Self; 8] = [
        Self::Head,
        Self::Type,
        Self::Title,
        Self::Key,
        Self::Arrow,
        Self::SetEquals,
        Self::DropWhen,
        Self::ForbidWhen,
    ];

    /// Whether a line without it ends its column.
    fn needs_neighbours(self) -> bool {
        match self {
            Self::Head | Self::Type | Self::Title | Self::Key | Self::Arrow => false,
            Self::SetEquals | Self::DropWhen | Self::ForbidWhen => true,
        }
    }
}

/// A statement that stands on one line.
pub(super) struct Row {
    /// Which line.
    pub line: usize,
    /// What may be aligned in it, and the bytes before it.
    pub stops: Vec<(Stop, usize)>,
}

/// Aligns the statements of a run. A line that would become longer than [`WIDTH`] by that is left out.
pub(super) fn align(lines: &mut [Line], rows: &[Row]) {
    let all: Vec<&Row> = rows.iter().collect();
    let padded = pad(lines, &all);
    let width = |line: &Line, text: &str| line.indent + text.width();
    let short: Vec<(&Row, String)> = rows
        .iter()
        .zip(padded)
        .filter(|(row, text)| {
            let line = &lines[row.line];
            width(line, text) <= WIDTH || width(line, &line.text) > WIDTH
        })
        .collect();
    let texts = if short.len() == rows.len() {
        short.into_iter().map(|(row, text)| (row.line, text)).collect::<Vec<_>>()
    } else {
        let short: Vec<&Row> = short.into_iter().map(|(row, _)| row).collect();
        short.iter().map(|row| row.line).zip(pad(lines, &short)).collect()
    };
    for (line, text) in texts {
        lines[line].text = text;
    }
}

/// The text of each row with all its columns.
fn pad(lines: &[Line], rows: &[&Row]) -> Vec<String> {
    let mut texts: Vec<String> = rows.iter().map(|row| lines[row.line].text.clone()).collect();
    let mut added = vec![0; rows.len()];
    for stop in Stop::ALL {
        let place = |row: &&Row| row.stops.iter().find(|(kind, _)| *kind == stop).map(|(_, bytes)| *bytes);
        let mut members: Vec<(usize, usize)> = Vec::new();
        for (number, row) in rows.iter().enumerate() {
            match place(row) {
                Some(bytes) => members.push((number, bytes)),
                None if stop.needs_neighbours() => pad_column(&mut texts, &mut added, &std::mem::take(&mut members)),
                None => {}
            }
        }
        pad_column(&mut texts, &mut added, &members);
    }
    texts
}

/// Pads some texts at one stop each, given with the bytes before it where nothing was `added` yet.
fn pad_column(texts: &mut [String], added: &mut [usize], members: &[(usize, usize)]) {
    let places: Vec<(usize, usize, usize)> = members
        .iter()
        .map(|&(number, bytes)| {
            let bytes = bytes + added[number];
            (number, bytes, texts[number][..bytes].width())
        })
        .collect();
    let column = places.iter().map(|(.., width)| *width).max().unwrap_or(0);
    for (number, bytes, width) in places {
        let spaces = column - width;
        texts[number].insert_str(bytes, &" ".repeat(spaces));
        added[number] += spaces;
    }
}

/// The whole text: the comments at line ends stand below each other up to the next blank line or another indentation.
pub(super) fn join(mut lines: Vec<Line>) -> String {
    let mut first = 0;
    while first < lines.len() {
        let goes_on = |line: &&Line| line.blanks == 0 && line.indent == lines[first].indent;
        let run = first..first + 1 + lines[first + 1..].iter().take_while(goes_on).count();
        let commented = lines[run.clone()].iter().filter(|line| line.comment.is_some());
        let column = commented.map(|line| line.text.width()).max().unwrap_or(0) + 2;
        for line in &mut lines[run.clone()] {
            if let Some(comment) = line.comment.take() {
                let spaces = column - line.text.width();
                line.text.push_str(&" ".repeat(spaces));
                line.text.push_str(&comment);
            }
        }
        first = run.end;
    }
    let mut out = String::new();
    for line in lines {
        out.extend(std::iter::repeat_n('\n', line.blanks));
        out.extend(std::iter::repeat_n(' ', line.indent));
        out.push_str(&line.text);
        out.push('\n');
    }
    out
}
