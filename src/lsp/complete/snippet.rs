//! Statements to fill in, made of the examples of the table of words.

use crate::syntax::shape::shape;
use crate::syntax::{CLAUSE_WORDS, HARD_WORDS, Kind, Token, WORDS, Word};

/// Words that stay as they are where an example is filled in, beside those that begin statements and clauses.
const FIXED: [&str; 13] =
    ["from", "as", "on", "license", "personal", "tokens", "every", "after", "without", "gain", "best", "for", "keep"];

/// The example of a word as a snippet: numbers, texts and names are places to fill in, a block takes lines of its own.
pub fn snippet(word: &Word) -> String {
    let example = word.example;
    let shape = shape(example);
    let mut places = 0;
    let mut depth = 0;
    let mut out = String::new();
    let mut from = 0;
    let opens = word.opens.is_some();
    for (at, token) in shape.tokens.iter().enumerate() {
        out += &escape(&example[from..token.start]);
        from = token.end;
        let text = token.text(example);
        let mut place = |inside: &str| {
            places += 1;
            format!("${{{places}:{}}}", escape(inside))
        };
        match token.kind {
            Kind::Open(b'{') if depth == 0 && opens => {
                depth += 1;
                out += "{\n\t";
                from = after_space(example, token.end);
            }
            Kind::Close(b'}') if depth == 1 && opens => {
                depth = 0;
                out.truncate(out.trim_end().len());
                out += "\n\\}";
            }
            Kind::Semicolon if depth == 1 && opens => {
                out += "\n\t";
                from = after_space(example, token.end);
            }
            Kind::Open(_) => {
                depth += usize::from(depth > 0);
                out += &escape(text);
            }
            Kind::Close(_) => {
                depth -= usize::from(depth > 1);
                out += &escape(text);
            }
            Kind::Text => {
                let inside = text.trim_matches('"');
                out += &format!("\"{}\"", place(inside));
            }
            Kind::Number => out += &place(text),
            Kind::Word | Kind::Quoted if at > 0 && !is_fixed(&shape.tokens, at, example) => out += &place(text),
            Kind::Word
            | Kind::Quoted
            | Kind::Regex
            | Kind::Doc
            | Kind::Newline
            | Kind::Comma
            | Kind::Semicolon
            | Kind::Symbol => out += &escape(text),
        }
    }
    out += &escape(&example[from..]);
    out
}

/// Whether a word of an example is one of the language's, not one of the author's.
fn is_fixed(tokens: &[Token], at: usize, example: &str) -> bool {
    let word = tokens[at].text(example);
    let before = tokens[at - 1];
    let is_key = tokens.get(at + 1).is_some_and(|next| next.text(example) == ":");
    let begins = !is_key
        && matches!(before.kind, Kind::Open(b'{') | Kind::Semicolon)
        && WORDS.iter().any(|row| row.word == word);
    begins
        || before.text(example) == "@"
        || [CLAUSE_WORDS, HARD_WORDS, &FIXED].iter().any(|words| words.contains(&word))
}

fn after_space(text: &str, at: usize) -> usize {
    text.len() - text[at..].trim_start().len()
}

/// A text in which nothing is a place to fill in.
fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('$', "\\$").replace('}', "\\}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::Block;

    fn of(block: Block, word: &str) -> String {
        snippet(block.words().find(|row| row.word == word).expect("the word is in the table"))
    }

    #[test]
    fn names_numbers_and_texts_are_filled_in() {
        for (block, word, expected) in [
            (Block::File, "source", "source ${1:questions} {\n\tpath \"${2:questions.csv}\"\n\\}"),
            (Block::File, "template", "template ${1:route}: ${2:chat} {\n\tuser \"${3:{{ text \\}\\}}\"\n\\}"),
            (Block::Clean, "drop", "drop \"${1:too short}\" when ${2:words}(${3:text}) < ${4:3}"),
            (Block::Policy, "redact", "redact @personal: ${1:email}, ${2:phone}"),
            (Block::Train, "length", "length ${1:64} tokens else keep ${2:start}"),
            (Block::Test, "given", "given { ${1:text}: \"${2:a}\" \\}"),
        ] {
            assert_eq!(of(block, word), expected);
        }
    }

    #[test]
    fn every_snippet_is_its_example() {
        for word in WORDS {
            let filled = filled(&snippet(word));
            let plain = |text: &str| text.replace(['\n', '\t', ';', ' '], "");
            assert_eq!(plain(&filled), plain(word.example), "{}", word.word);
        }
    }

    /// A snippet as it stands when nothing is filled in.
    fn filled(snippet: &str) -> String {
        let mut out = String::new();
        let mut chars = snippet.chars().peekable();
        let mut inside = false;
        while let Some(c) = chars.next() {
            match c {
                '\\' => out.extend(chars.next()),
                '$' => {
                    chars.by_ref().find(|c| *c == ':');
                    inside = true;
                }
                '}' if inside => inside = false,
                c => out.push(c),
            }
        }
        out
    }
}
