//! The elements and the flag attributes that HTML knows, and what each element leaves behind.

/// What separates the texts before and after a tag; a greater one wins over a lesser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Break {
    /// Nothing: the tag is inside a line.
    None,
    /// A space: a table cell.
    Space,
    /// A line break: a block.
    Line,
}

/// What the tag of the element `name` (small letters) leaves behind.
pub(in super::super) fn break_around(name: &[u8]) -> Break {
    let Ok(name) = std::str::from_utf8(name) else { return Break::None };
    if CELLS.contains(&name) {
        Break::Space
    } else if BLOCKS.binary_search(&name).is_ok() {
        Break::Line
    } else {
        Break::None
    }
}

/// Whether `name`, in small letters, is an element of HTML, of today or before.
pub(super) fn is_element(name: &str) -> bool {
    CELLS.contains(&name) || BLOCKS.binary_search(&name).is_ok() || INLINE.binary_search(&name).is_ok()
}

/// Whether `name`, in small letters, is an attribute that stands without a value.
pub(super) fn is_flag(name: &str) -> bool {
    name.starts_with("data-") || name.starts_with("aria-") || FLAGS.binary_search(&name).is_ok()
}

const CELLS: [&str; 2] = ["td", "th"];

const BLOCKS: [&str; 65] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "br",
    "caption",
    "center",
    "dd",
    "details",
    "dialog",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "frameset",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hgroup",
    "hr",
    "html",
    "iframe",
    "legend",
    "li",
    "listing",
    "main",
    "menu",
    "nav",
    "noframes",
    "noscript",
    "o:p",
    "ol",
    "optgroup",
    "option",
    "p",
    "plaintext",
    "pre",
    "script",
    "search",
    "section",
    "select",
    "style",
    "summary",
    "table",
    "tbody",
    "template",
    "textarea",
    "tfoot",
    "thead",
    "title",
    "tr",
    "ul",
    "video",
    "xmp",
];

const INLINE: [&str; 81] = [
    "a", "abbr", "acronym", "applet", "area", "audio", "b", "base", "basefont", "bdi", "bdo", "big", "blink", "button",
    "canvas", "circle", "cite", "code", "col", "colgroup", "data", "datalist", "defs", "del", "dfn", "ellipse", "em",
    "embed", "font", "frame", "g", "i", "img", "input", "ins", "kbd", "keygen", "label", "line", "link", "map", "mark",
    "marquee", "math", "meta", "meter", "nobr", "object", "output", "param", "path", "picture", "polygon", "polyline",
    "progress", "q", "rect", "rp", "rt", "ruby", "s", "samp", "slot", "small", "source", "spacer", "span", "strike",
    "strong", "sub", "sup", "svg", "symbol", "time", "track", "tspan", "tt", "u", "use", "var", "wbr",
];

const FLAGS: [&str; 34] = [
    "allowfullscreen",
    "alt",
    "async",
    "autofocus",
    "autoplay",
    "border",
    "checked",
    "compact",
    "contenteditable",
    "controls",
    "crossorigin",
    "declare",
    "default",
    "defer",
    "disabled",
    "download",
    "draggable",
    "formnovalidate",
    "hidden",
    "inert",
    "ismap",
    "itemscope",
    "loop",
    "multiple",
    "muted",
    "nomodule",
    "noshade",
    "novalidate",
    "nowrap",
    "open",
    "playsinline",
    "readonly",
    "required",
    "reversed",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted_for_the_binary_search() {
        for list in [BLOCKS.as_slice(), INLINE.as_slice(), FLAGS.as_slice()] {
            assert!(list.is_sorted(), "{list:?}");
        }
    }
}
