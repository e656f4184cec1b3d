//! What the functions that work line by line share.

use std::borrow::Cow;

/// The text with each line replaced by what `keep` gives of it, and without those of which it gives nothing. Lines are parted
/// by a line feed afterwards, and one ends the text where one did before. A text that stays the same is borrowed.
pub(super) fn map_lines<'t>(text: &'t str, keep: impl Fn(&'t str) -> Option<&'t str>) -> Cow<'t, str> {
    let mut same = 0;
    let mut changed: Option<String> = None;
    for whole in text.split_inclusive('\n') {
        let ended = whole.strip_suffix('\n');
        let line = ended.map_or(whole, |line| line.strip_suffix('\r').unwrap_or(line));
        let kept = keep(line);
        match &mut changed {
            None if kept == Some(line) && ended.unwrap_or(whole).len() == line.len() => same += whole.len(),
            None => {
                let mut begun = String::with_capacity(text.len());
                begun.push_str(&text[..same]);
                push_line(&mut begun, kept);
                changed = Some(begun);
            }
            Some(begun) => push_line(begun, kept),
        }
    }
    let Some(mut changed) = changed else { return Cow::Borrowed(text) };
    if !text.ends_with('\n') {
        changed.truncate(changed.len().saturating_sub(1));
    }
    Cow::Owned(changed)
}

fn push_line(text: &mut String, line: Option<&str>) {
    if let Some(line) = line {
        text.push_str(line);
        text.push('\n');
    }
}
