//! Formatting: the whole text, as an edit of the lines that change.

use lsp_types::{DocumentFormattingParams, TextEdit};

use super::requests::Refusal;
use super::workspace::Workspace;
use crate::syntax;

/// The edit that formats a text; none where it is formatted, or where it has mistakes that the editor shows already.
pub fn format(workspace: &mut Workspace, params: DocumentFormattingParams) -> Result<Option<Vec<TextEdit>>, Refusal> {
    let Some(document) = workspace.document(&params.text_document) else { return Ok(None) };
    let text = &document.text;
    // A refusal would open a window at each save of a text that is being written.
    let Ok(formatted) = syntax::format(text) else { return Ok(None) };
    // A file keeps its line ends: its editor says what they are.
    let formatted =
        if text.contains("\r\n") { formatted.replace("\r\n", "\n").replace('\n', "\r\n") } else { formatted };
    let Some((start, end, replacement)) = difference(text, &formatted) else { return Ok(Some(Vec::new())) };
    let range = workspace.places(document).range(start, end);
    Ok(Some(vec![TextEdit { range, new_text: replacement.to_owned() }]))
}

/// The lines that differ: their bytes in the old text, and the new ones.
fn difference<'n>(old: &str, new: &'n str) -> Option<(usize, usize, &'n str)> {
    if old == new {
        return None;
    }
    let same = |(a, b): &(&str, &str)| a == b;
    let first: usize =
        old.split_inclusive('\n').zip(new.split_inclusive('\n')).take_while(same).map(|(line, _)| line.len()).sum();
    let (old_rest, new_rest) = (&old[first..], &new[first..]);
    let lines = |text: &'n str| text.split_inclusive('\n').rev();
    let last: usize = old_rest
        .split_inclusive('\n')
        .rev()
        .zip(lines(new_rest))
        .take_while(|(a, b)| a == b && a.ends_with('\n'))
        .map(|(line, _)| line.len())
        .sum();
    Some((first, old.len() - last, &new_rest[..new_rest.len() - last]))
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn only_the_lines_that_differ_are_replaced() {
        let cases = [
            ("a\nb\nc\n", "a\nx\nc\n", (2, 4, "x\n")),
            ("a\nb", "a\nb\n", (2, 3, "b\n")),
            ("a\n\n\nb\n", "a\n\nb\n", (3, 4, "")),
            ("a\na\n", "a\na\na\n", (4, 4, "a\n")),
            ("", "a\n", (0, 0, "a\n")),
        ];
        for (old, new, expected) in cases {
            let (start, end, text) = difference(old, new).expect("they differ");
            assert_eq!((start, end, text), expected, "{old:?} {new:?}");
            assert_eq!(format!("{}{text}{}", &old[..start], &old[end..]), new);
        }
        assert_eq!(difference("a\n", "a\n"), None);
    }
}
