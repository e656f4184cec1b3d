//! What a person or a program sees: status lines and progress on standard error, answers on standard output.

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Color, Format, Global};
use crate::diagnostics::{self, Diagnostic, Severity};
use crate::source::SourceMap;

/// The two streams with what was settled about them.
pub struct Terminal {
    format: Format,
    /// Whether standard error is painted.
    paint_messages: bool,
    /// Whether standard output is painted.
    paint_answers: bool,
    /// Whether a person watches standard error.
    watched: bool,
}

/// The few colours that are used, each with one meaning.
#[derive(Debug, Clone, Copy)]
pub enum Paint {
    /// Done.
    Green,
    /// Wrong.
    Red,
    /// To be looked at.
    Yellow,
    /// Of less weight.
    Dim,
    /// Of more weight.
    Bold,
    /// What differs in a text; spaces too are seen.
    Differing,
}

impl Terminal {
    /// Settles colours by the options, `NO_COLOR` and what the streams are.
    pub fn new(global: &Global) -> Self {
        let wanted = |is_terminal: bool| match global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        };
        let watched = std::io::stderr().is_terminal();
        Self {
            format: global.format,
            paint_messages: wanted(watched),
            paint_answers: wanted(std::io::stdout().is_terminal()),
            watched,
        }
    }

    /// Whether answers are JSON.
    pub fn json(&self) -> bool {
        self.format == Format::Json
    }

    /// How a build's summary is set.
    pub fn summary_style(&self) -> crate::emit::Style {
        if self.paint_messages { crate::emit::Style::Ansi } else { crate::emit::Style::Plain }
    }

    /// A status line on standard error: a verb in a right-aligned column, then what it is about.
    pub fn status(&self, paint: Paint, verb: &str, about: impl Display) {
        let verb = self.painted(self.paint_messages, paint, &format!("{verb:>12}"));
        // Nobody reads a closed standard error; the work goes on.
        let _ = writeln!(std::io::stderr(), "{verb} {about}");
    }

    /// A line under a status line.
    pub fn note(&self, text: impl Display) {
        for line in text.to_string().lines() {
            let _ = writeln!(std::io::stderr(), "{:>12} {line}", "");
        }
    }

    /// An error of the world: what failed, why, and a way out.
    pub fn error(&self, message: impl Display, help: Option<&str>) {
        if self.json() {
            self.answer(serde_json::json!({
                "severity": "error", "message": message.to_string(), "help": help,
            }));
            return;
        }
        let head = self.painted(self.paint_messages, Paint::Red, "error");
        let _ = writeln!(std::io::stderr(), "{head}: {message}");
        if let Some(help) = help {
            let head = self.painted(self.paint_messages, Paint::Green, "help");
            let _ = writeln!(std::io::stderr(), " {head}: {help}");
        }
    }

    /// What became of a target, for programs: nothing is printed for people, who read the status lines.
    pub fn target(&self, kind: &str, name: &str, status: &str, folder: &std::path::Path) {
        self.target_with(kind, name, status, folder, serde_json::Map::new());
    }

    /// The same with more to say.
    pub fn target_with(
        &self,
        kind: &str,
        name: &str,
        status: &str,
        folder: &std::path::Path,
        more: serde_json::Map<String, serde_json::Value>,
    ) {
        if self.json() {
            let answer = serde_json::json!({ "target": name, "kind": kind, "status": status, "folder": folder });
            let entries = answer.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), value.clone()));
            self.answer(serde_json::Value::Object(entries.chain(more).collect()));
        }
    }

    /// An answer on standard output. A closed pipe ends the program quietly, as other tools do.
    pub fn answer(&self, text: impl Display) {
        if writeln!(std::io::stdout(), "{text}").is_err() {
            std::process::exit(0);
        }
    }

    /// Shows findings; gives whether one of them is an error.
    pub fn report(&self, sources: &SourceMap, findings: &[Diagnostic]) -> bool {
        if self.json() {
            for line in diagnostics::render_json(findings, sources).lines() {
                self.answer(line);
            }
        } else if !findings.is_empty() {
            let look = diagnostics::Look { color: self.paint_messages, unicode: true, width: self.width() };
            let text = diagnostics::render(findings, sources, look);
            let _ = writeln!(std::io::stderr(), "{text}{}", diagnostics::summary(findings));
        }
        findings.iter().any(|finding| finding.severity() == Severity::Error)
    }

    /// A progress line on standard error that is drawn only where a person watches, with `total` units of work.
    pub fn progress(&self, verb: &str, total: u64, template: &str) -> ProgressBar {
        let target = if self.watched && !self.json() {
            ProgressDrawTarget::stderr_with_hz(8)
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(total), target);
        let style = ProgressStyle::with_template(template)
            .expect("the templates are constants of this crate")
            .progress_chars("━╸─");
        bar.set_style(style);
        bar.set_prefix(format!("{verb:>12}"));
        if self.watched {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        bar
    }

    /// Whether a person watches standard error.
    pub fn watched(&self) -> bool {
        self.watched
    }

    /// `text` painted for standard output.
    pub fn paint_answer(&self, paint: Paint, text: &str) -> String {
        self.painted(self.paint_answers, paint, text)
    }

    /// Whether what is printed on standard output is painted.
    pub fn paints_answers(&self) -> bool {
        self.paint_answers
    }

    /// The columns of the terminal that answers go to, 80 where there is none.
    pub fn answer_width(&self) -> usize {
        let columns = terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| usize::from(width.0));
        // COLUMNS is what a shell says of a terminal that is not asked itself.
        let said = || std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        columns.or_else(said).unwrap_or(80).clamp(40, 160)
    }

    fn painted(&self, on: bool, paint: Paint, text: &str) -> String {
        let code = match paint {
            Paint::Green => "1;32",
            Paint::Red => "1;31",
            Paint::Yellow => "1;33",
            Paint::Dim => "2",
            Paint::Bold => "1",
            Paint::Differing => "1;7;33",
        };
        if on { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }

    /// The columns of the terminal, 100 where there is none.
    fn width(&self) -> usize {
        let columns = terminal_size::terminal_size_of(std::io::stderr()).map_or(100, |(width, _)| usize::from(width.0));
        columns.clamp(60, 120)
    }
}
