//! `main_text`: what a page of HTML is about.

mod blocks;

use std::borrow::Cow;

use blocks::{Block, blocks};

use super::html::isolate;
use super::{Constants, Eval, Example, Function, TEXT};

pub(super) const FUNCTION: Function = Function {
    name: "main_text",
    summary: "keeps the main content of a page of HTML: no menus, headers, footers, lists of links",
    docs: "\
Leaves the main content of a page of HTML as text, a line for each block (paragraph, heading, list item \u{2026}), where `strip_html`
leaves all of its text. A text without markup stays as it is; what counts as markup, and how tags and character references are
read, stands at `strip_html`.

How it decides, in this order:

1. What stands in `nav`, `header` and `footer` of the page, `aside`, `form`, `button`, `select`, `dialog`, `menu`, `noscript`, `template`,
   `head`, `iframe`, `figure` or `svg` is left out; a `header` or `footer` inside of an `article` or `main` stays.
2. Where the page marks its content with `main` or `article` and this has at least 30 words, it is the content, without the blocks of
   which more than a third of the words are links.
3. Else each block is judged by its words and its links and those of its neighbours, by the decision tree of Kohlsch\u{fc}tter,
   Fankhauser and Nejdl (\u{201c}Boilerplate Detection using Shallow Text Features\u{201d}, WSDM 2010) as boilerpipe has it
   (`NumWordsRules`). A heading right before a block that is kept is kept too.
4. Where that leaves nothing, as it does of a few short lines, all blocks stay of which at most a third of the words are links.

It is a heuristic: it loses short paragraphs between lists of links, and keeps long disclaimers.",
    parameters: &[TEXT],
    result: Eval::Text(eval).result(),
    examples: &[
        Example::of(
            "<nav><a href=\"/\">Home</a> <a href=\"/news\">News</a></nav><h1>The card</h1><p>It arrived on Monday.</p><footer>\u{a9} 2024</footer>",
            "The card\nIt arrived on Monday.",
        ),
        Example::of(
            "<div><a href=\"/a\">One</a> | <a href=\"/b\">Two</a></div><p>Where is <b>my</b> card &amp; PIN?</p>",
            "Where is my card & PIN?",
        ),
        Example::of("a text without markup\nof two lines", "a text without markup\nof two lines"),
        Example::of("<nav>only a menu</nav>", ""),
        Example::of("", ""),
    ],
    version: 1,
    eval: Eval::Text(eval),
};

/// The words that marked content must have, so that an empty `main` hides nothing.
const MARKED: usize = 30;

/// The share of a block's words in links above which it is a list of links.
const MOST_LINKS: f64 = 1.0 / 3.0;

/// The same of the block before, whose text then says nothing of the one at hand.
const MOST_LINKS_BEFORE: f64 = 5.0 / 9.0;

fn eval<'t>(text: &'t str, _: &Constants) -> Cow<'t, str> {
    match isolate(text) {
        None => Cow::Borrowed(text),
        Some(html) => Cow::Owned(content(&blocks(&html))),
    }
}

/// The texts of the blocks that are content.
fn content(blocks: &[Block]) -> String {
    let marked: usize = blocks.iter().filter(|block| block.marked).map(|block| block.words).sum();
    let few_links = |block: &&Block| block.link_share() <= MOST_LINKS;
    let kept: Vec<&Block> = if marked >= MARKED {
        blocks.iter().filter(|block| block.marked).filter(few_links).collect()
    } else {
        let judged = judge(blocks);
        let kept: Vec<&Block> = blocks.iter().zip(judged).filter(|(_, keep)| *keep).map(|(block, _)| block).collect();
        if kept.is_empty() { blocks.iter().filter(few_links).collect() } else { kept }
    };
    kept.iter().map(|block| block.text.as_str()).collect::<Vec<_>>().join("\n")
}

/// Which blocks are content, by the decision tree, and the headings before them.
fn judge(blocks: &[Block]) -> Vec<bool> {
    let mut kept: Vec<bool> = (0..blocks.len())
        .map(|at| {
            let before = at.checked_sub(1).and_then(|before| blocks.get(before));
            is_content(before, &blocks[at], blocks.get(at + 1))
        })
        .collect();
    for at in (1..blocks.len()).rev() {
        kept[at - 1] |= kept[at] && blocks[at - 1].heading;
    }
    kept
}

fn is_content(before: Option<&Block>, block: &Block, after: Option<&Block>) -> bool {
    let words = |block: Option<&Block>| block.map_or(0, |block| block.words);
    if block.link_share() > MOST_LINKS {
        return false;
    }
    if before.is_some_and(|before| before.link_share() > MOST_LINKS_BEFORE) {
        return block.words > 40 || words(after) > 17;
    }
    block.words > 16 || words(after) > 15 || words(before) > 4
}
