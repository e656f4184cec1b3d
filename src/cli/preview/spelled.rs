//! Tokens on a terminal: what each stands for, its number below it, and below that a line under what is learnt or cut.

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

use crate::cli::terminal::{Paint, Terminal};
use crate::train::{Piece, TokenView, ViewedToken};

/// The most bands of lines of one record; a program reads it whole.
const MOST_BANDS: usize = 24;

/// Lines with their names: bands of at most `width` columns.
pub fn rows(view: &TokenView, width: usize, terminal: &Terminal) -> Vec<(&'static str, String)> {
    let cells: Vec<Cell<'_>> = view.tokens.iter().map(Cell::of).collect();
    let bands = bands(&cells, width);
    let mut rows = Vec::new();
    let hidden = bands.len().saturating_sub(MOST_BANDS);
    // What is cut and what ends an answer often stands at the end: the middle is left out.
    let first = if hidden > 0 { MOST_BANDS / 2 } else { bands.len() };
    for (at, band) in bands.iter().enumerate() {
        if at == first {
            let left_out: usize = bands[first..first + hidden].iter().map(|band| band.len()).sum();
            let remark = format!("… {left_out} more tokens: `--format json` has them");
            rows.push(("", terminal.paint_answer(Paint::Dim, &remark)));
        }
        if at < first || at >= first + hidden {
            draw(band, terminal, &mut rows);
        }
    }
    rows
}

/// The tokens of a text as programs read them. Places are told in characters, the unit of all places that annotc writes: `text[start:end]`
/// of Python is the token's own. A token of some bytes of a character has the place of that character.
pub fn facts(view: &TokenView) -> Value {
    let mut begins: Vec<usize> = view.text.char_indices().map(|(at, _)| at).collect();
    begins.push(view.text.len());
    view.tokens.iter().map(|token| facts_of(token, &begins)).collect()
}

/// `begins` is where each character of the text begins, in bytes, and where the last one ends.
fn facts_of(token: &ViewedToken, begins: &[usize]) -> Value {
    let start = begins.partition_point(|begin| *begin <= token.place.start).saturating_sub(1);
    let end = begins.partition_point(|begin| *begin < token.place.end).max(start);
    let Piece { entry, bytes, is_special } = &token.piece;
    let mut facts = json!({
        "id": token.id,
        "token": entry,
        "text": std::str::from_utf8(bytes).ok(),
        "start": start,
        "end": end,
        "special": is_special,
        "learnt": token.learnt,
        "cut": token.lost,
    });
    if std::str::from_utf8(bytes).is_err() {
        facts["bytes"] = json!(bytes);
    }
    facts
}

struct Cell<'t> {
    token: &'t ViewedToken,
    text: String,
    number: String,
    width: usize,
}

impl<'t> Cell<'t> {
    fn of(token: &'t ViewedToken) -> Self {
        let (text, number) = (visible(&token.piece), token.id.to_string());
        let width = text.width().max(number.len());
        Self { token, text, number, width }
    }
}

/// Cells line by line, with a space between two.
fn bands<'c, 't>(cells: &'c [Cell<'t>], width: usize) -> Vec<&'c [Cell<'t>]> {
    let mut bands = Vec::new();
    let (mut begin, mut used) = (0, 0);
    for (at, cell) in cells.iter().enumerate() {
        if at > begin && used + 1 + cell.width > width {
            bands.push(&cells[begin..at]);
            (begin, used) = (at, 0);
        }
        used += cell.width + usize::from(at > begin);
    }
    if begin < cells.len() {
        bands.push(&cells[begin..]);
    }
    bands
}

fn draw(band: &[Cell<'_>], terminal: &Terminal, rows: &mut Vec<(&'static str, String)>) {
    let text = |cell: &Cell<'_>| {
        let painted = match cell.token {
            token if token.lost => terminal.paint_answer(Paint::Red, &cell.text),
            token if token.learnt => terminal.paint_answer(Paint::Green, &cell.text),
            token if token.piece.is_special => terminal.paint_answer(Paint::Yellow, &cell.text),
            _ => cell.text.clone(),
        };
        (painted, cell.text.width())
    };
    let number = |cell: &Cell<'_>| (terminal.paint_answer(Paint::Dim, &cell.number), cell.number.len());
    rows.push(("text", line(band, &text)));
    rows.push(("token", line(band, &number)));
    let mut mark = |name, paint, of: fn(&ViewedToken) -> bool, sign: &str| {
        let marked = |cell: &Cell<'_>| match of(cell.token) {
            true => (terminal.paint_answer(paint, &sign.repeat(cell.width)), cell.width),
            false => (String::new(), 0),
        };
        if band.iter().any(|cell| of(cell.token)) {
            rows.push((name, line(band, &marked)));
        }
    };
    mark("learnt", Paint::Green, |token| token.learnt && !token.lost, "━");
    mark("cut", Paint::Red, |token| token.lost, "×");
}

/// One line of a band: each cell's text with its width, set to the cell's width.
fn line(band: &[Cell<'_>], of: &dyn Fn(&Cell<'_>) -> (String, usize)) -> String {
    let mut line = String::new();
    let mut owed = 0;
    for cell in band {
        let (text, width) = of(cell);
        if width > 0 {
            line.extend(std::iter::repeat_n(' ', owed));
            line.push_str(&text);
            owed = 0;
        }
        owed += cell.width - width + 1;
    }
    line
}

/// What a token stands for, with every character to be seen: a space is `␣`, a line end `↵`, a tab `⇥`, a character
/// without width its number, a byte that is no whole character or steers a terminal its value. What continues a word keeps its `##`.
fn visible(piece: &Piece) -> String {
    let continues = piece.entry.strip_prefix("##").is_some_and(|rest| rest.as_bytes() == piece.bytes);
    let mut text = if continues { "##".to_owned() } else { String::new() };
    for chunk in piece.bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            push_visible(&mut text, character);
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("<{byte:02X}>"));
        }
    }
    if text.is_empty() { "∅".to_owned() } else { text }
}

fn push_visible(text: &mut String, character: char) {
    let mut buffer = [0; 4];
    let width = character.encode_utf8(&mut buffer).width();
    match character {
        ' ' => text.push('␣'),
        '\n' => text.push('↵'),
        '\t' => text.push('⇥'),
        _ if character.is_ascii_control() => text.push_str(&format!("<{:02X}>", u32::from(character))),
        _ if character.is_control() || character.is_whitespace() || steers(character) => {
            text.push_str(&format!("<U+{:04X}>", u32::from(character)));
        }
        // A mark is drawn over what stands before it, which is another token's.
        _ if width == 0 && text.is_empty() => text.extend(['◌', character]),
        _ => text.push(character),
    }
}

/// Characters that are not drawn and change how others are: joiners, marks of direction, soft hyphens, tags.
fn steers(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    )
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;
    use crate::train::Fate;

    #[test]
    fn every_character_and_byte_is_seen() {
        let check = |entry: &str, bytes: &[u8], seen: &str| {
            let piece = Piece { entry: entry.to_owned(), bytes: bytes.to_vec(), is_special: false };
            assert_eq!(visible(&piece), seen, "{entry}");
        };
        check("Ġcard", b" card", "␣card");
        check("ĊĊ", b"\n\n", "↵↵");
        check("", b"\t\r\x1b", "⇥<0D><1B>");
        check("âĤ", &[0xE2, 0x82], "<E2><82>");
        check("##ing", b"ing", "##ing");
        check("", "\u{202e}a\u{301}\u{a0}".as_bytes(), "<U+202E>a\u{301}<U+00A0>");
        check("", "\u{301}".as_bytes(), "◌\u{301}");
        check("", "漢".as_bytes(), "漢");
    }

    #[test]
    fn places_are_told_in_characters() {
        let check = |place: Range<usize>, expected: [u64; 2]| {
            let token = ViewedToken {
                id: 0,
                piece: Piece { entry: String::new(), bytes: Vec::new(), is_special: false },
                place,
                learnt: false,
                lost: false,
            };
            // `é` has two bytes, `漢` three, `😀` four.
            let view = TokenView { text: "é漢 😀a".to_owned(), tokens: vec![token], fate: Fate::Whole };
            let told = &facts(&view)[0];
            assert_eq!([&told["start"], &told["end"]], [expected[0], expected[1]]);
        };
        check(0..2, [0, 1]);
        check(2..5, [1, 2]);
        check(5..10, [2, 4]);
        check(10..11, [4, 5]);
        check(0..11, [0, 5]);
        // Of bytes of one character: that character.
        check(6..8, [3, 4]);
        check(8..10, [3, 4]);
        // Of tokens that the tokenizer added: no character.
        check(0..0, [0, 0]);
        check(11..11, [5, 5]);
    }

    #[test]
    fn columns_stand_below_each_other_whatever_their_width() {
        let token = |text: &str, id, learnt| ViewedToken {
            id,
            piece: Piece { entry: text.to_owned(), bytes: text.as_bytes().to_vec(), is_special: false },
            place: 0..0,
            learnt,
            lost: false,
        };
        let tokens = [token("漢字", 7, false), token("a", 4096, true), token(" b", 1, true)];
        let cells: Vec<Cell<'_>> = tokens.iter().map(Cell::of).collect();
        assert_eq!(bands(&cells, 12).len(), 1);
        assert_eq!(bands(&cells, 11).iter().map(|band| band.len()).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(line(&cells, &|cell| (cell.text.clone(), cell.text.width())), "漢字 a    ␣b");
        assert_eq!(line(&cells, &|cell| (cell.number.clone(), cell.number.len())), "7    4096 1");
        let marked = |cell: &Cell<'_>| {
            if cell.token.learnt { ("━".repeat(cell.width), cell.width) } else { (String::new(), 0) }
        };
        assert_eq!(line(&cells, &marked), "     ━━━━ ━━");
    }
}
