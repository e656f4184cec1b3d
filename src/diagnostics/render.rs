//! Diagnostics for people: the header, the lines with what points at them, and the help.

use std::fmt;

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan,
    SpanContents, ThemeCharacters, ThemeStyles,
};

use super::{Diagnostic, Label, Severity};
use crate::source::{FileId, SourceFile, SourceMap};

/// The longest line that is shown whole, in bytes; of a longer one the part around the labels is shown.
const LONGEST_LINE: usize = 240;

/// How diagnostics look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Whether ANSI colours are used.
    pub color: bool,
    /// Whether lines are drawn with box characters; ASCII otherwise.
    pub unicode: bool,
    /// The columns that a help text is wrapped at.
    pub width: usize,
}

/// How many diagnostics are shown to people. Nobody reads more of them before the first are mended, and a file that is no
/// specification at all has one for each line.
const SHOWN: usize = 100;

/// The diagnostics in the order of the text, each followed by an empty line. Of more than a hundred the errors go first, and
/// the others are counted.
pub fn render(diagnostics: &[Diagnostic], sources: &SourceMap, look: Look) -> String {
    let mut sorted = sorted(diagnostics);
    let hidden = sorted.len().saturating_sub(SHOWN);
    if hidden > 0 {
        let mut most: Vec<usize> = (0..sorted.len()).collect();
        most.sort_by_key(|&at| sorted[at].severity() != Severity::Error);
        most.truncate(SHOWN);
        most.sort_unstable();
        sorted = most.into_iter().map(|at| sorted[at]).collect();
    }
    let mut text: String = sorted.into_iter().map(|diagnostic| render_one(diagnostic, sources, look) + "\n").collect();
    if hidden > 0 {
        text += &format!("… and {hidden} more, which `--format json` shows too\n\n");
    }
    text
}

/// `3 errors, 1 warning`; `no errors` where there is nothing to count.
pub fn summary(diagnostics: &[Diagnostic]) -> String {
    let count = |severity| diagnostics.iter().filter(|diagnostic| diagnostic.severity() == severity).count();
    let phrase = |count: usize, word: &str| match count {
        0 => None,
        1 => Some(format!("1 {word}")),
        _ => Some(format!("{count} {word}s")),
    };
    let parts: Vec<String> = [phrase(count(Severity::Error), "error"), phrase(count(Severity::Warning), "warning")]
        .into_iter()
        .flatten()
        .collect();
    if parts.is_empty() { "no errors".to_owned() } else { parts.join(", ") }
}

/// Diagnostics by file and place; what stands at one place stays in the order it was found in.
pub(super) fn sorted(diagnostics: &[Diagnostic]) -> Vec<&Diagnostic> {
    let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
    sorted.sort_by_key(|diagnostic| diagnostic.labels.first().map(|label| label.span));
    sorted
}

/// One diagnostic, ending in a newline.
pub fn render_one(diagnostic: &Diagnostic, sources: &SourceMap, look: Look) -> String {
    let mut out = header(diagnostic, look);
    let mut files: Vec<FileId> = Vec::new();
    for label in &diagnostic.labels {
        if !files.contains(&label.span.file) {
            files.push(label.span.file);
        }
    }
    for file in files {
        let labels: Vec<&Label> = diagnostic.labels.iter().filter(|label| label.span.file == file).collect();
        for excerpt in Excerpt::all_of(sources.file(file), &labels) {
            out += &draw(&Snippet { excerpt, help: None }, diagnostic.severity(), look);
        }
    }
    if let Some(help) = &diagnostic.help {
        let excerpt = Excerpt::default();
        out += &draw(&Snippet { excerpt, help: Some(visible(help)) }, diagnostic.severity(), look);
    }
    out
}

/// `error[E0201 unknown-field]: unknown field `txt``
fn header(diagnostic: &Diagnostic, look: Look) -> String {
    let (word, color) = match diagnostic.severity() {
        Severity::Error => ("error", "31"),
        Severity::Warning => ("warning", "33"),
    };
    let code = format!("{word}[{} {}]", diagnostic.code.id(), diagnostic.code.name());
    let message = visible(&diagnostic.message);
    if look.color {
        format!("\u{1b}[1;{color}m{code}\u{1b}[0m\u{1b}[1m: {message}\u{1b}[0m\n")
    } else {
        format!("{code}: {message}\n")
    }
}

/// What miette draws of a snippet, without the line that it gives to the message.
fn draw(snippet: &Snippet, severity: Severity, look: Look) -> String {
    let mut styles = if look.color { ThemeStyles::ansi() } else { ThemeStyles::none() };
    if look.color {
        let primary = match severity {
            Severity::Error => styles.error,
            Severity::Warning => styles.warning,
        };
        let others = styles.advice;
        styles.highlights =
            snippet.excerpt.labels.iter().map(|(_, is_primary)| if *is_primary { primary } else { others }).collect();
    }
    let characters = if look.unicode { ThemeCharacters::unicode() } else { ThemeCharacters::ascii() };
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme { characters, styles })
        .with_width(look.width.max(40))
        .with_context_lines(0)
        .with_break_words(false)
        .without_primary_span_start()
        .without_syntax_highlighting();
    let mut out = String::new();
    handler.render_report(&mut out, snippet).expect("a string takes every character, and each label lies in its text");
    out.lines().skip(1).map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// A part of a text with labels, as miette takes it.
struct Snippet {
    excerpt: Excerpt,
    help: Option<String>,
}

impl fmt::Debug for Snippet {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.excerpt.name)
    }
}

impl fmt::Display for Snippet {
    fn fmt(&self, _: &mut fmt::Formatter) -> fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Snippet {}

impl miette::Diagnostic for Snippet {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        (!self.excerpt.labels.is_empty()).then_some(&self.excerpt as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.excerpt.labels.iter().map(|(label, _)| label.clone())))
    }
}

/// Neighbouring lines of a text that its labels lie in.
#[derive(Default)]
struct Excerpt {
    /// The file's path.
    name: String,
    /// The lines, in which every character can be seen.
    text: String,
    /// How many lines of the text come before.
    first_line: usize,
    /// The labels by place, with bytes of `text`; the flag marks the primary one.
    labels: Vec<(LabeledSpan, bool)>,
    /// The line and the column in the file of each label.
    places: Vec<(usize, usize)>,
}

/// A label with the bytes of its text that are pointed at; the flag marks the primary one.
struct Pointed<'l> {
    start: usize,
    end: usize,
    line: usize,
    label: &'l Label,
    is_primary: bool,
}

impl Excerpt {
    /// The excerpts that show the labels of one file. Lines between two labels are not shown, so nothing waits for them.
    fn all_of(file: &SourceFile, labels: &[&Label]) -> Vec<Self> {
        let mut places: Vec<Pointed<'_>> = labels
            .iter()
            .enumerate()
            .map(|(number, label)| {
                let start = floor(&file.text, label.span.start as usize);
                // A label over several lines points at the first of them: the rest can be read there.
                let line_end = file.line_bytes(start).end;
                let end = floor(&file.text, label.span.end as usize).clamp(start, line_end);
                let line = file.line_column(start as u32).0;
                Pointed { start, end, line, label, is_primary: number == 0 }
            })
            .collect();
        places.sort_by_key(|place| (place.start, place.end));
        places.chunk_by(|first, second| second.line <= first.line + 1).map(|places| Self::new(file, places)).collect()
    }

    /// The excerpt of labels in neighbouring lines, in order.
    fn new(file: &SourceFile, places: &[Pointed<'_>]) -> Self {
        let mut excerpt = Self {
            name: visible(&file.path.to_string_lossy()),
            text: String::new(),
            first_line: places.first().map_or(0, |place| place.line - 1),
            labels: Vec::new(),
            places: places.iter().map(|place| file.line_column(place.start as u32)).collect(),
        };
        for inside in places.chunk_by(|first, second| first.line == second.line) {
            let bytes = file.line_bytes(inside[0].start);
            excerpt.push_line(&file.text[bytes.clone()], bytes.start, inside);
        }
        excerpt
    }

    /// `path:line:column` of the primary label, or of the first one, within some bytes of the text.
    fn name_of(&self, bytes: std::ops::Range<usize>) -> String {
        let inside = || (0..self.labels.len()).filter(|at| bytes.contains(&self.labels[*at].0.offset()));
        let shown = inside().find(|at| self.labels[*at].1).or_else(|| inside().next());
        let (line, column) = shown.map_or((1, 1), |at| self.places[at]);
        format!("{}:{line}:{column}", self.name)
    }

    /// Adds a line that begins at byte `start` of its text, and the labels that lie in it, one at least.
    fn push_line(&mut self, line: &str, start: usize, inside: &[Pointed<'_>]) {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let (from, to) = if line.len() <= LONGEST_LINE {
            (0, line.len())
        } else {
            let (first, last) = (&inside[0], &inside[inside.len() - 1]);
            let from = floor(line, (first.start - start).saturating_sub(LONGEST_LINE / 4));
            (from, floor(line, (last.end - start + LONGEST_LINE / 4).min(from + LONGEST_LINE).max(from)))
        };
        let before = if from > 0 { "… " } else { "" };
        let base = self.text.len() + before.len();
        self.text += before;
        self.text += &same_width(&line[from..to]);
        self.text += if to < line.len() { " …\n" } else { " \n" };
        for Pointed { start: label_start, end: label_end, label, is_primary, .. } in inside {
            let within = |at: usize| (at - start).clamp(from, to) - from + base;
            let (label_start, label_end) = (within(*label_start), within(*label_end));
            let message = (!label.message.is_empty()).then(|| visible(&label.message));
            let place = (label_start, label_end - label_start);
            let label = match is_primary {
                true => LabeledSpan::new_primary_with_span(message, place),
                false => LabeledSpan::new_with_span(message, place),
            };
            self.labels.push((label, *is_primary));
        }
    }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        // What is shown are whole lines, also where no line around them is asked for.
        let bytes = self.text.as_bytes();
        let end = (span.offset() + span.len()).min(bytes.len());
        let from = memchr::memrchr(b'\n', &bytes[..span.offset().min(end)]).map_or(0, |newline| newline + 1);
        let to = memchr::memchr(b'\n', &bytes[end..]).map_or(bytes.len(), |newline| end + newline + 1);
        let lines = SourceSpan::from(from..to);
        let inner = self.text.as_str().read_span(&lines, lines_before, lines_after)?;
        let count = memchr::memchr_iter(b'\n', inner.data()).count();
        Ok(Box::new(MietteSpanContents::new_named(
            self.name_of(from..to),
            inner.data(),
            *inner.span(),
            inner.line() + self.first_line,
            inner.column(),
            count,
        )))
    }
}

/// The character boundary at a byte or before it.
fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at.min(text.len()))
}

/// Whether a character would act on the terminal, or hide, instead of being shown.
fn is_unseen(c: char) -> bool {
    (c.is_control() && c != '\t')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{61c}' | '\u{feff}')
}

/// A text in which every character can be seen.
fn visible(text: &str) -> String {
    text.chars().map(|c| if is_unseen(c) && c != '\n' { '\u{fffd}' } else { c }).collect()
}

/// A line in which every character can be seen, each with as many bytes as before, so that places stay.
fn same_width(line: &str) -> String {
    line.chars()
        .map(|c| match c.len_utf8() {
            _ if !is_unseen(c) => c,
            1 => '?',
            2 => '¿',
            _ => '\u{fffd}',
        })
        .collect()
}

#[cfg(test)]
mod tests;
