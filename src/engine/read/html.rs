//! What a page of HTML holds: its text, its title, and what its `meta` elements name.

use html5gum::{StartTag, Token, Tokenizer};
use serde_json::{Map, Value};

use super::document::without_markup;

/// The members of a page: those that `<meta name="…" content="…">` names, `title`, `html`, which is the page as it stands,
/// and `text`, which is all behind the head without markup.
pub(super) fn page(html: &str) -> Map<String, Value> {
    let mut members = Map::new();
    let mut title: Option<String> = None;
    let mut in_title = false;
    // The tokenizer recovers from whatever it meets, as browsers do.
    for token in Tokenizer::new(html).flatten() {
        match token {
            Token::StartTag(tag) => {
                in_title = title.is_none() && **tag.name == *b"title";
                if **tag.name == *b"meta"
                    && let (Some(name), Some(content)) = (attribute(&tag, b"name"), attribute(&tag, b"content"))
                {
                    members.entry(name).or_insert(content.into());
                }
                // What a page says of itself stands in its head.
                if **tag.name == *b"body" {
                    break;
                }
            }
            Token::String(text) if in_title => {
                title.get_or_insert_default().push_str(&String::from_utf8_lossy(&text.value));
            }
            Token::EndTag(_) => in_title = false,
            Token::String(_) | Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
        }
    }
    if let Some(title) = title {
        members.insert("title".to_owned(), title.split_whitespace().collect::<Vec<_>>().join(" ").into());
    }
    members.insert("text".to_owned(), without_markup(behind_head(html)).trim().into());
    members.insert("html".to_owned(), html.into());
    members
}

fn attribute(tag: &StartTag<()>, name: &[u8]) -> Option<String> {
    let value = tag.attributes.iter().find(|(found, _)| ***found == *name)?.1;
    Some(String::from_utf8_lossy(value).into_owned())
}

/// The page behind its head; all of it where it has none.
fn behind_head(html: &str) -> &str {
    let end = b"</head";
    let at = html.as_bytes().windows(end.len()).position(|window| window.eq_ignore_ascii_case(end));
    let behind = at.and_then(|at| html[at..].find('>').map(|close| at + close + 1));
    behind.map_or(html, |at| &html[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_read() {
        let cases = [
            (
                "<html><head><title>A &amp;\n B</title><META name=\"author\" content='Ann'></HEAD ><body><p>x<p>y",
                "A & B",
                "x\ny",
                "Ann",
            ),
            ("<h1>No head</h1>", "", "No head", ""),
            ("<title>open", "open", "open", ""),
            ("", "", "", ""),
            ("<head><title>a</title></head><svg><title>b</title></svg>c", "a", "b\nc", ""),
        ];
        for (html, title, text, author) in cases {
            let found = page(html);
            let member = |name: &str| found.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            assert_eq!(
                (member("title"), member("text"), member("author")),
                (title.into(), text.into(), author.into()),
                "{html}"
            );
        }
    }
}
