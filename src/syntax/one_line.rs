//! A statement on one line, the same for every layout of its tokens: what rules are called in reports.

use super::scan::scan;
use super::token::{CLAUSE_WORDS, HARD_WORDS, Kind, Token};
use crate::source::FileId;

/// The tokens of a statement or an expression on one line, spaced as the canonical look spaces them, without comments and
/// without a comma before a bracket that closes.
pub fn one_line(text: &str) -> String {
    let tokens: Vec<Token> = scan(FileId(0), text).tokens;
    let mut tokens: Vec<Token> = tokens.into_iter().filter(|token| token.is_significant()).collect();
    let closes = |at: usize, tokens: &[Token]| matches!(tokens.get(at + 1), Some(Token { kind: Kind::Close(_), .. }));
    let trailing: Vec<bool> =
        (0..tokens.len()).map(|at| tokens[at].kind == Kind::Comma && closes(at, &tokens)).collect();
    let mut keep = trailing.iter();
    tokens.retain(|_| !keep.next().expect("one for each token"));
    let mut line = String::with_capacity(text.len());
    for (at, token) in tokens.iter().enumerate() {
        if at > 0 && is_parted(text, &tokens[..at], *token) {
            line.push(' ');
        }
        // A string of several lines stays readable.
        let written = token.text(text);
        if written.contains('\n') {
            line.push_str(&written.split_whitespace().collect::<Vec<_>>().join(" "));
        } else {
            line.push_str(written);
        }
    }
    line
}

/// Whether a space stands before a token.
fn is_parted(text: &str, before: &[Token], token: Token) -> bool {
    let Some(last) = before.last() else { return false };
    let (last_text, token_text) = (last.text(text), token.text(text));
    match (last.kind, token.kind) {
        (_, Kind::Comma | Kind::Semicolon | Kind::Close(b')' | b']')) | (Kind::Open(b'(' | b'['), _) => false,
        (Kind::Symbol, _) if matches!(last_text, "." | "@" | "..") => false,
        (_, Kind::Symbol) if matches!(token_text, "." | ":" | ".." | "?") => false,
        // A sign belongs to its number.
        (Kind::Symbol, _) if last_text == "-" => is_operand_end(text, before.iter().rev().nth(1)),
        (_, Kind::Open(b'(' | b'[')) => !is_operand_end(text, Some(last)),
        _ => true,
    }
}

/// Whether a value may end with a token, so that a bracket after it belongs to it and a `-` takes away from it.
fn is_operand_end(text: &str, token: Option<&Token>) -> bool {
    let Some(token) = token else { return false };
    match token.kind {
        Kind::Word => {
            let word = token.text(text);
            !HARD_WORDS.contains(&word) && !CLAUSE_WORDS.contains(&word) || matches!(word, "true" | "false" | "null")
        }
        Kind::Quoted | Kind::Number | Kind::Text | Kind::Close(b')' | b']') => true,
        Kind::Regex | Kind::Doc | Kind::Newline | Kind::Open(_) | Kind::Close(_) => false,
        Kind::Comma | Kind::Semicolon | Kind::Symbol => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::format;

    #[test]
    fn a_statement_stands_on_one_line_whatever_its_layout() {
        let cases = [
            ("set  text = text   // tidy\n  |> nfc", "set text = text |> nfc"),
            ("drop \"see // http://a\" when a // b", "drop \"see // http://a\" when a"),
            ("require count( )>=20 per intent", "require count() >= 20 per intent"),
            ("redact @personal :email,phone", "redact @personal: email, phone"),
            ("allow license in [\n  \"MIT\",\n  \"CC0-1.0\",\n]", "allow license in [\"MIT\", \"CC0-1.0\"]"),
            ("x>-1 and a - 1<b [0] . c", "x > -1 and a - 1 < b[0].c"),
            ("words( text )", "words(text)"),
            ("k_anonymous 5 over(age,region)", "k_anonymous 5 over (age, region)"),
            ("f1 . macro>=0.8", "f1.macro >= 0.8"),
        ];
        for (written, expected) in cases {
            assert_eq!(one_line(written), expected);
            assert_eq!(one_line(expected), expected, "a second time");
        }
    }

    /// The rules of the specifications here are called as they are written in the canonical look.
    #[test]
    fn statements_of_the_canonical_look_stay_as_they_are() {
        let mut seen = 0;
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("specs");
        for entry in std::fs::read_dir(folder).expect("the specs are there").flatten() {
            for file in std::fs::read_dir(entry.path()).into_iter().flatten().flatten() {
                if file.path().extension().is_none_or(|extension| extension != "annot") {
                    continue;
                }
                let text = std::fs::read_to_string(file.path()).expect("a text");
                let text = format(&text).expect("a spec without mistakes");
                let words = ["dedup", "redact", "require", "allow", "drop", "set", "forbid"];
                let lines =
                    text.lines().filter(|line| words.contains(&line.split_whitespace().next().unwrap_or_default()));
                for line in lines.filter(|line| !line.contains("//") && !line.trim_end().ends_with(['{', '('])) {
                    let spaced = line.split_whitespace().collect::<Vec<_>>().join(" ");
                    assert_eq!(one_line(line), spaced);
                    seen += 1;
                }
            }
        }
        assert!(seen > 20, "{seen}");
    }
}
