//! A page of HTML as the blocks of text that a reader sees.

use crate::plan::functions::html::{Break, Event, break_around, text_of_bytes, visit_events};

/// A block of text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Block {
    /// Its text on one line.
    pub(super) text: String,
    pub(super) words: usize,
    /// Those of its words that are links.
    pub(super) link_words: usize,
    /// Whether it is a heading.
    pub(super) heading: bool,
    /// Whether it stands in what the page marks as its content.
    pub(super) marked: bool,
}

impl Block {
    /// The share of its words that are links.
    pub(super) fn link_share(&self) -> f64 {
        if self.words == 0 { 0.0 } else { self.link_words as f64 / self.words as f64 }
    }
}

/// Elements that hold no content.
const ASIDE: [&[u8]; 13] = [
    b"nav",
    b"aside",
    b"form",
    b"button",
    b"select",
    b"dialog",
    b"menu",
    b"noscript",
    b"template",
    b"head",
    b"iframe",
    b"figure",
    b"svg",
];

/// The blocks of a page in order, without those that hold no content.
pub(super) fn blocks(html: &str) -> Vec<Block> {
    let mut reader = Reader::default();
    visit_events(html, |event| match event {
        Event::Start(name) => reader.tag(name, true),
        Event::End(name) => reader.tag(name, false),
        Event::Text(value) => reader.text(value),
    });
    reader.end_block();
    reader.blocks
}

/// Where a page is being read.
#[derive(Default)]
struct Reader {
    blocks: Vec<Block>,
    /// The text of the block at hand: what is no link, and what is, in turns.
    runs: Vec<(Vec<u8>, bool)>,
    /// How many elements of each sort are open.
    links: usize,
    aside: usize,
    edges: usize,
    marked: usize,
    headings: usize,
}

impl Reader {
    fn tag(&mut self, name: &[u8], start: bool) {
        match break_around(name) {
            Break::None => {}
            Break::Space => self.text(b" "),
            Break::Line => self.end_block(),
        }
        let depth = match name {
            b"a" => &mut self.links,
            b"main" | b"article" => &mut self.marked,
            b"header" | b"footer" => &mut self.edges,
            b"h1" | b"h2" | b"h3" | b"h4" | b"h5" | b"h6" => &mut self.headings,
            _ if ASIDE.contains(&name) => &mut self.aside,
            _ => return,
        };
        // An end tag too many closes nothing.
        *depth = if start { *depth + 1 } else { depth.saturating_sub(1) };
        if name == b"a" {
            // Links are not nested: a start tag ends the one before.
            self.links = self.links.min(1);
        }
    }

    fn text(&mut self, value: &[u8]) {
        if self.aside > 0 || self.edges > 0 && self.marked == 0 {
            return;
        }
        let link = self.links > 0;
        match self.runs.last_mut() {
            Some((bytes, same)) if *same == link => bytes.extend_from_slice(value),
            _ => self.runs.push((value.to_vec(), link)),
        }
    }

    /// Ends the block at hand; one without text is none.
    fn end_block(&mut self) {
        let mut block = Block { heading: self.headings > 0, marked: self.marked > 0, ..Block::default() };
        let mut open = false;
        for (bytes, link) in self.runs.drain(..) {
            let run = text_of_bytes(bytes);
            let starts_anew = run.starts_with(char::is_whitespace);
            for (at, word) in run.split_whitespace().enumerate() {
                if at > 0 || starts_anew || !open {
                    if !block.text.is_empty() {
                        block.text.push(' ');
                    }
                    block.words += 1;
                    block.link_words += usize::from(link);
                }
                block.text.push_str(word);
                open = true;
            }
            open &= !run.ends_with(char::is_whitespace);
        }
        if block.words > 0 {
            self.blocks.push(block);
        }
    }
}
