//! What the sections are made of: tables, facts, bars.

use std::fmt::Display;

use super::html::{Element, element};
pub(super) use crate::emit::card::count;

/// A part of the page with its heading.
pub struct Section {
    /// Its anchor.
    pub id: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// What is in it.
    pub content: Vec<Element>,
}

impl Section {
    /// The section as an element that its heading names.
    pub fn element(self) -> Element {
        let heading = format!("{}-heading", self.id);
        let title = element("h2").with("id", &heading).text(self.title);
        element("section").with("id", self.id).with("aria-labelledby", heading).child(title).children(self.content)
    }
}

/// A cell of a table.
#[derive(Debug, Clone)]
pub enum Cell {
    /// Words.
    Text(String),
    /// A figure, set to the right.
    Number(String),
    /// A hash, an id, a path.
    Code(String),
    /// A figure with something under it, set to the right.
    Figure(Element),
    /// Anything.
    Node(Element),
}

impl Cell {
    /// A count; 0 is of less weight.
    pub fn count(number: u64) -> Self {
        if number == 0 { Self::Figure(element("span").class("zero").text("0")) } else { Self::Number(count(number)) }
    }

    fn element(self, tag: &'static str) -> Element {
        match self {
            Self::Text(text) => element(tag).name(text),
            Self::Number(text) => element(tag).class("number").text(text),
            Self::Code(text) => element(tag).child(element("code").name(text)),
            Self::Figure(node) => element(tag).class("number").child(node),
            Self::Node(node) => element(tag).child(node),
        }
    }
}

/// A column's head.
#[derive(Debug, Clone)]
pub enum Head {
    /// Of words.
    Text(String),
    /// Of figures, set to the right.
    Number(String),
}

/// Heads of words, then heads of figures.
pub fn heads(words: &[&str], figures: &[&str]) -> Vec<Head> {
    let words = words.iter().map(|name| Head::Text((*name).to_owned()));
    words.chain(figures.iter().map(|name| Head::Number((*name).to_owned()))).collect()
}

/// A table with its caption; the first cell of a row names it. Where the screen is too narrow it scrolls by itself.
pub fn table(caption: &str, heads: Vec<Head>, rows: impl IntoIterator<Item = Vec<Cell>>) -> Element {
    let head = |head: Head| match head {
        Head::Text(name) => element("th").with("scope", "col").text(name),
        Head::Number(name) => element("th").with("scope", "col").class("number").text(name),
    };
    let row = |cells: Vec<Cell>| {
        let cells = cells.into_iter().enumerate().map(|(at, cell)| match at {
            0 => cell.element("th").with("scope", "row"),
            _ => cell.element("td"),
        });
        element("tr").children(cells)
    };
    let head = element("thead").child(element("tr").children(heads.into_iter().map(head)));
    let body = element("tbody").children(rows.into_iter().map(row));
    scrolled(caption, element("table").child(head).child(body))
}

/// A table with its caption, which scrolls where there is no room, by the keyboard too, while the caption stays.
pub fn scrolled(caption: &str, table: Element) -> Element {
    let scroll = element("div").class("scroll").with("tabindex", 0).with("role", "group").with("aria-label", caption);
    let table = table.with("aria-label", caption);
    element("figure").class("table").child(element("figcaption").text(caption)).child(scroll.child(table))
}

/// The same with a class for the whole.
pub fn of_class(class: &'static str, content: Element) -> Element {
    element("div").class(class).child(content)
}

/// A paragraph of plain words.
pub fn paragraph(words: impl Display) -> Element {
    element("p").text(words)
}

/// A paragraph of less weight.
pub fn note(words: impl Display) -> Element {
    element("p").class("note").text(words)
}

/// A heading below that of the section.
pub fn heading(words: impl Display) -> Element {
    element("h3").text(words)
}

/// Terms with what is said of them.
pub fn facts(pairs: impl IntoIterator<Item = (String, Element)>) -> Element {
    let pairs = pairs.into_iter();
    pairs.fold(element("dl").class("facts"), |list, (term, said)| {
        list.child(element("dt").text(term)).child(element("dd").child(said))
    })
}

/// The great figures at the top of a page.
pub fn figures(pairs: impl IntoIterator<Item = (String, String)>) -> Element {
    let pair = |(name, figure): (String, String)| {
        element("div").child(element("dt").text(name)).child(element("dd").text(figure))
    };
    element("dl").class("figures").children(pairs.into_iter().map(pair))
}

/// A hash.
pub fn hash(hash: &str) -> Element {
    element("code").class("hash").text(hash)
}

/// A place in a file.
pub fn place(file: &str, line: u64) -> Element {
    element("code").name(format!("{file}:{line}"))
}

/// The first digits of an id, which `annotc trace` takes.
pub fn id(id: &str) -> Element {
    element("code").with("title", id).text(id.chars().take(12).collect::<String>())
}

/// A bar whose pieces, each of a class, are shares of `whole`. What is there is seen, however small.
pub fn bar(class: &'static str, pieces: &[(&'static str, u64)], whole: u64) -> Element {
    const WIDTH: f64 = 1000.0;
    const LEAST: f64 = 4.0;
    let mut at = 0.0;
    let mut rects = Vec::new();
    for &(piece, records) in pieces.iter().filter(|(_, records)| *records > 0) {
        let width = (records as f64 / whole.max(1) as f64 * WIDTH).clamp(LEAST, WIDTH);
        let x = f64::min(at, WIDTH - width);
        rects.push(rect(x, 0.0, width, 10.0).class(piece));
        at = x + width;
    }
    element("svg")
        .class(class)
        .with("viewBox", "0 0 1000 10")
        .with("preserveAspectRatio", "none")
        .with("aria-hidden", "true")
        .children(rects)
}

/// A rectangle.
pub fn rect(x: f64, y: f64, width: f64, height: f64) -> Element {
    let at = element("rect").with("x", short(x)).with("y", short(y));
    at.with("width", short(width)).with("height", short(height))
}

/// A straight line.
pub fn stroke(from: (f64, f64), to: (f64, f64)) -> Element {
    let begin = element("line").with("x1", short(from.0)).with("y1", short(from.1));
    begin.with("x2", short(to.0)).with("y2", short(to.1))
}

/// A word in a drawing; `anchor` is `start`, `middle` or `end`.
pub fn word(x: f64, y: f64, anchor: &'static str, words: impl Display) -> Element {
    element("text").with("x", short(x)).with("y", short(y)).with("text-anchor", anchor).text(words)
}

/// A coordinate with one decimal at most.
pub fn short(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// A share in per cent with one decimal.
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 { "–".to_owned() } else { format!("{:.1} %", part as f64 * 100.0 / whole as f64) }
}

/// `1 record`, `12,345 records`.
pub fn counted(number: u64, noun: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{} {noun}{s}", count(number))
}

/// A size for people: `3.1 MB`.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut size = bytes as f64 / 1000.0;
    let mut unit = 0;
    while size >= 1000.0 && unit + 1 < UNITS.len() {
        size /= 1000.0;
        unit += 1;
    }
    format!("{size:.1} {}", UNITS[unit])
}

/// A figure with as many digits as say something.
pub fn figure(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        let grouped = count(number.abs() as u64);
        return if number < 0.0 { format!("−{grouped}") } else { grouped };
    }
    match number.abs() {
        0.01..1000.0 => format!("{number:.2}"),
        1000.0..1e15 => count(number.abs().round() as u64),
        _ => format!("{number:.2e}"),
    }
}
