//! The Jinja before a cursor in the text of a template.

use crate::syntax::is_name_char;

/// What may stand at a place of a template's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jinja {
    /// What it is.
    pub kind: JinjaKind,
    /// The bytes of the word that is being written.
    pub replaced: (usize, usize),
}

/// The kinds of thing that may stand in a template's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JinjaKind {
    /// A field of the record.
    Variable,
    /// A filter, after `|`.
    Filter,
    /// A member of the value with this name.
    Member(String),
    /// The first word of `{% … %}`.
    Tag,
}

/// The words that begin `{% … %}` in a template of the language.
pub const TAGS: [&str; 8] = ["if", "elif", "else", "endif", "for", "endfor", "set", "raw"];

/// What may stand at `offset` of a text whose literal begins at `start`; `None` outside of `{{ … }}` and `{% … %}`.
pub fn jinja(text: &str, start: usize, offset: usize) -> Option<Jinja> {
    let before = &text[start..offset];
    let (open, is_tag) = match (before.rfind("{{"), before.rfind("{%")) {
        (Some(print), Some(tag)) => (print.max(tag), tag > print),
        (Some(print), None) => (print, false),
        (None, Some(tag)) => (tag, true),
        (None, None) => return None,
    };
    let inside = &before[open + 2..];
    if inside.contains("}}") || inside.contains("%}") || in_quotes(inside) {
        return None;
    }
    let inside = inside.trim_start_matches('-');
    let word = inside.len() - inside.trim_end_matches(is_name_char).len();
    let head = inside[..inside.len() - word].trim_end();
    let rest = text[offset..].find(|c| !is_name_char(c)).unwrap_or(text.len() - offset);
    let kind = if is_tag && head.is_empty() {
        JinjaKind::Tag
    } else if head.ends_with('|') {
        JinjaKind::Filter
    } else if let Some(path) = head.strip_suffix('.') {
        let name = &path[path.trim_end_matches(is_name_char).len()..];
        JinjaKind::Member(name.to_owned())
    } else {
        JinjaKind::Variable
    };
    Some(Jinja { kind, replaced: (offset - word, offset + rest) })
}

/// Whether a text of Jinja stands open.
fn in_quotes(inside: &str) -> bool {
    let mut open = None;
    for c in inside.chars().filter(|c| matches!(c, '"' | '\'')) {
        match open {
            None => open = Some(c),
            Some(quote) if quote == c => open = None,
            Some(_) => {}
        }
    }
    open.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_word_is_told_by_what_stands_before() {
        for (marked, expected) in [
            ("\"{{ ¦ }}\"", Some((JinjaKind::Variable, ""))),
            ("\"a {{ x }} b {{ te¦xt }}\"", Some((JinjaKind::Variable, "text"))),
            ("\"{{ text | up¦ }}\"", Some((JinjaKind::Filter, "up"))),
            ("\"{{ text|¦ }}\"", Some((JinjaKind::Filter, ""))),
            ("\"{{ intent.ti¦ }}\"", Some((JinjaKind::Member("intent".to_owned()), "ti"))),
            ("\"{% ¦ %}\"", Some((JinjaKind::Tag, ""))),
            ("\"{%- if a¦ %}\"", Some((JinjaKind::Variable, "a"))),
            ("\"{{ x|default('¦') }}\"", None),
            ("\"{{ x }} ¦\"", None),
            ("\"¦\"", None),
        ] {
            let offset = marked.find('¦').expect("the cursor is marked");
            let text = marked.replacen('¦', "", 1);
            let found = jinja(&text, 0, offset);
            let found = found.map(|found| (found.kind, text[found.replaced.0..found.replaced.1].to_owned()));
            assert_eq!(found, expected.map(|(kind, word)| (kind, word.to_owned())), "{marked}");
        }
    }
}
