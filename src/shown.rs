//! Names and figures as they stand in tables for people: on one line, of a width that can be read.

/// The columns that a table gives a name at most.
pub const NAME_WIDTH: usize = 40;

/// From this size on a figure is written with an exponent: more digits than these tell nobody anything.
const GREAT: f64 = 1e7;

/// A name without characters that would steer a terminal or turn a line around: `\n`, `\u{1b}` stand in their place.
#[must_use]
pub fn printable(name: &str) -> String {
    let mut shown = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' => {
                shown.extend(character.escape_unicode());
            }
            character if character.is_control() => shown.extend(character.escape_default()),
            character => shown.push(character),
        }
    }
    shown
}

/// The beginning of a text that is too long, with an ellipsis.
#[must_use]
pub fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// A name in a cell of a table.
#[must_use]
pub fn cell(name: &str) -> String {
    shortened(&printable(name), NAME_WIDTH)
}

/// A figure with so many digits behind its point, and with an exponent where it is great.
#[must_use]
pub fn figure(value: f64, digits: usize) -> String {
    if value.is_finite() && value.abs() >= GREAT { format!("{value:.digits$e}") } else { format!("{value:.digits$}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_on_its_line_and_in_its_column() {
        let check = |name: &str, shown: &str| assert_eq!(cell(name), shown);
        check("O'Neil & <b> é", "O'Neil & <b> é");
        check("a\nb\tc", "a\\nb\\tc");
        check("\u{1b}[2J\u{202e}", "\\u{1b}[2J\\u{202e}");
        check(&"é".repeat(40), &"é".repeat(40));
        check(&"é".repeat(41), &format!("{}…", "é".repeat(39)));
    }

    #[test]
    fn a_great_figure_has_an_exponent() {
        let check = |value: f64, shown: &str| assert_eq!(figure(value, 3), shown);
        check(0.6543, "0.654");
        check(-9_999_999.0, "-9999999.000");
        check(908_401_019_409_287_390_496_519_172_279_369_728.0, "9.084e35");
        check(-1e7, "-1.000e7");
        check(f64::INFINITY, "inf");
        check(f64::NAN, "NaN");
    }
}
