//! Windows-1252 as software reads it: the five bytes that it leaves undefined are C1 control characters, as in Latin-1.

/// The byte, 0x80 or greater, that a sloppy reader of Windows-1252 or a reader of Latin-1 shows as `character`.
pub(super) fn byte(character: char) -> Option<u8> {
    if let '\u{80}'..='\u{ff}' = character {
        return u8::try_from(u32::from(character)).ok();
    }
    let position = WINDOWS_1252.iter().position(|&other| other == character)?;
    u8::try_from(0x80 + position).ok()
}

/// The character that Windows-1252 has at the place of a C1 control character; any other character as it is.
pub(super) fn without_c1(character: char) -> char {
    let position = u32::from(character).wrapping_sub(0x80) as usize;
    WINDOWS_1252.get(position).copied().unwrap_or(character)
}

/// The characters of the bytes 0x80 to 0x9F, as the WHATWG Encoding Standard indexes windows-1252.
const WINDOWS_1252: [char; 32] = [
    '\u{20ac}', '\u{81}', '\u{201a}', '\u{192}', '\u{201e}', '\u{2026}', '\u{2020}', '\u{2021}', '\u{2c6}', '\u{2030}',
    '\u{160}', '\u{2039}', '\u{152}', '\u{8d}', '\u{17d}', '\u{8f}', '\u{90}', '\u{2018}', '\u{2019}', '\u{201c}',
    '\u{201d}', '\u{2022}', '\u{2013}', '\u{2014}', '\u{2dc}', '\u{2122}', '\u{161}', '\u{203a}', '\u{153}', '\u{9d}',
    '\u{17e}', '\u{178}',
];
