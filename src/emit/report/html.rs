//! HTML that is well formed and escaped by construction: a tag and an attribute's name are constants of this program, and
//! whatever else goes in is text.

use std::fmt::{self, Display, Write};

/// Elements without content, which have no end tag.
const VOID: [&str; 2] = ["meta", "wbr"];

/// An element with all that is in it.
#[derive(Debug, Clone)]
pub struct Element {
    tag: &'static str,
    attributes: String,
    content: String,
}

/// An element without attributes and content.
pub fn element(tag: &'static str) -> Element {
    Element { tag, attributes: String::new(), content: String::new() }
}

impl Element {
    /// With an attribute.
    pub fn with(mut self, name: &'static str, value: impl Display) -> Self {
        let value = escaped(&value.to_string());
        write!(self.attributes, " {name}=\"{value}\"").expect("a string takes every write");
        self
    }

    /// With a class of the style sheet.
    pub fn class(self, name: &'static str) -> Self {
        self.with("class", name)
    }

    /// With a text behind what is in it.
    pub fn text(mut self, text: impl Display) -> Self {
        self.content.push_str(&escaped(&text.to_string()));
        self
    }

    /// With a name or a path behind what is in it, which may be broken where its words end.
    pub fn name(mut self, name: impl Display) -> Self {
        let name = name.to_string();
        let mut words = name.split_inclusive(['_', '/', '.', '-', ':']).peekable();
        while let Some(word) = words.next() {
            self.content.push_str(&escaped(word));
            if words.peek().is_some() {
                self.content.push_str("<wbr>");
            }
        }
        self
    }

    /// With an element behind what is in it.
    pub fn child(mut self, child: Self) -> Self {
        write!(self.content, "{child}").expect("a string takes every write");
        self
    }

    /// With elements behind what is in it.
    pub fn children(self, children: impl IntoIterator<Item = Self>) -> Self {
        children.into_iter().fold(self, Self::child)
    }
}

/// A `style` element. A sheet is a constant: nothing of a spec or of data is ever in it.
pub fn style(sheet: &'static str) -> Element {
    Element { tag: "style", attributes: String::new(), content: sheet.to_owned() }
}

/// A whole document.
pub fn document(root: &Element) -> String {
    format!("<!doctype html>\n{root}\n")
}

impl Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tag, attributes, content } = self;
        if VOID.contains(tag) {
            return write!(f, "<{tag}{attributes}>");
        }
        // A line for each block keeps the file readable and diffs small.
        let end =
            if matches!(*tag, "section" | "tr" | "p" | "li" | "div" | "table" | "figure" | "head") { "\n" } else { "" };
        write!(f, "<{tag}{attributes}>{content}</{tag}>{end}")
    }
}

/// A text in which no character means anything: neither to HTML nor to the order in which a line is read.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' | '\t' => safe.push(character),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => safe.push('\u{fffd}'),
            character if character.is_control() => safe.push('\u{fffd}'),
            character => safe.push(character),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_leaves_its_place() {
        let hostile = "</td><script>\"'&\u{202e}\0";
        let cell = element("td").with("title", hostile).text(hostile).child(element("b").text("x"));
        let escaped = "&lt;/td&gt;&lt;script&gt;&quot;&#39;&amp;\u{fffd}\u{fffd}";
        assert_eq!(cell.to_string(), format!("<td title=\"{escaped}\">{escaped}<b>x</b></td>"));
        assert_eq!(element("b").name("a_<b").to_string(), "<b>a_<wbr>&lt;b</b>");
        assert_eq!(element("meta").with("charset", "utf-8").to_string(), "<meta charset=\"utf-8\">");
    }
}
