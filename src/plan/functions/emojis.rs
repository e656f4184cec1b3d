//! Emoji in a text.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// The possible emoji of Unicode's UTS #51, without the characters that are text by default: a flag, a keycap, or a picture
/// with its modifiers, joined to others or not.
static EMOJI: LazyLock<Regex> = LazyLock::new(|| {
    let picture = r"(?:\p{Emoji_Modifier_Base}\x{FE0F}?\p{Emoji_Modifier}|\p{Emoji_Presentation}\x{FE0F}?|[\p{Emoji}--[0-9\#*]]\x{FE0F})[\x{E0020}-\x{E007F}]*";
    let joined = r"\p{Extended_Pictographic}\x{FE0F}?\p{Emoji_Modifier}?";
    Regex::new(&format!(
        r"\p{{Regional_Indicator}}{{2}}|[0-9\#*]\x{{FE0F}}?\x{{20E3}}|{picture}(?:\x{{200D}}(?:{picture}|{joined}))*"
    ))
    .expect("the pattern is a regex")
});

/// The places of the emoji of a text.
pub(super) fn emojis(text: &str) -> impl Iterator<Item = Range<usize>> {
    let found = (!text.is_ascii()).then(|| EMOJI.find_iter(text));
    found.into_iter().flatten().map(|one| one.range())
}
