//! The grouping of digits in telephone numbers, apart from the words around them.

use std::ops::Range;

/// A group of digits.
#[derive(Debug, Clone)]
pub(super) struct Group {
    /// Its bytes in the text, without parentheses.
    pub(super) range: Range<usize>,
    /// The end in the text, with the parenthesis that closes it.
    pub(super) end: usize,
    /// Whether it stands in parentheses.
    pub(super) parenthesised: bool,
    /// The character that separates it from the group before, if there is one.
    pub(super) separator: Option<char>,
}

/// What the digits of a run are taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A telephone number whatever the text around it says.
    Certain,
    /// A telephone number where the text speaks of one.
    Possible,
    /// No telephone number.
    Other,
}

/// More groups than any number is written in.
const MOST_GROUPS: usize = 8;

/// The groups of digits from byte `at` on, which single separators part; the second of the pair is whether `+` goes before.
pub(super) fn groups(text: &str, at: usize) -> (Vec<Group>, bool) {
    let plus = text[at..].starts_with('+');
    let mut groups: Vec<Group> = Vec::new();
    let mut position = at + usize::from(plus);
    let mut separator = None;
    while groups.len() < MOST_GROUPS {
        let used = groups.iter().any(|group| group.parenthesised);
        let Some(mut group) = group_at(text, position, !used) else { break };
        group.separator = separator;
        position = group.end;
        groups.push(group);
        separator = text[position..].chars().next().filter(|&c| is_separator(c));
        position += separator.map_or(0, char::len_utf8);
    }
    (groups, plus)
}

fn is_separator(character: char) -> bool {
    matches!(character, ' ' | '-' | '.' | '/' | '\u{a0}' | '\u{2010}' | '\u{2011}' | '\u{2013}')
}

/// The digits at byte `at`, in parentheses or not.
fn group_at(text: &str, at: usize, may_open: bool) -> Option<Group> {
    let opened = may_open && text[at..].starts_with('(');
    let start = at + usize::from(opened);
    let length = text.as_bytes()[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let end = start + length;
    let closed = text[end..].starts_with(')');
    (length > 0 && (closed || !opened)).then(|| Group {
        range: start..end,
        end: end + usize::from(opened),
        parenthesised: opened,
        separator: None,
    })
}

/// What the first groups of a run, all of `groups`, are taken for.
pub(super) fn shape(text: &str, groups: &[Group], plus: bool) -> Shape {
    let digits = |groups: &[Group]| groups.iter().map(|group| &text[group.range.clone()]).collect::<String>();
    let all = digits(groups);
    // "+44 (0)20": the trunk prefix that a caller from abroad leaves out.
    let dialled = |groups: &[Group]| {
        let kept = groups.iter().filter(|group| !(group.parenthesised && &text[group.range.clone()] == "0"));
        kept.map(|group| &text[group.range.clone()]).collect::<String>()
    };
    if plus {
        return if is_international(&dialled(groups)) { Shape::Certain } else { Shape::Other };
    }
    if is_date_or_amount(text, groups) || !(7..=17).contains(&all.len()) {
        return Shape::Other;
    }
    if let Some(abroad) = dialled(groups).strip_prefix("00") {
        let shape = if groups.len() > 1 { Shape::Certain } else { Shape::Possible };
        return if is_international(abroad) { shape } else { Shape::Other };
    }
    if is_north_american(text, groups) || is_national(text, groups, &all) {
        return Shape::Certain;
    }
    let sizes_fit = match groups {
        [single] => (8..=13).contains(&single.range.len()),
        [first, others @ ..] => {
            first.range.len() <= 5 && others.iter().all(|group| (2..=8).contains(&group.range.len()))
        }
        [] => false,
    };
    // Round numbers and quotients are arithmetic.
    let round = groups.iter().all(|group| text[group.range.clone()].ends_with("00"));
    let quotient = groups.iter().any(|group| group.separator == Some('/'));
    let fits = sizes_fit && all.len() <= 15 && !round && !quotient;
    if fits { Shape::Possible } else { Shape::Other }
}

/// A country calling code (ITU-T E.164, list of assigned codes) and a national number of a length that occurs with it.
pub(super) fn is_international(digits: &str) -> bool {
    let code = match digits.get(..2) {
        Some("20" | "27" | "30" | "31" | "32" | "33" | "34" | "36" | "39" | "40" | "41") => 2,
        Some("43" | "44" | "45" | "46" | "47" | "48" | "49") => 2,
        Some("51" | "52" | "53" | "54" | "55" | "56" | "57" | "58") => 2,
        Some("60" | "61" | "62" | "63" | "64" | "65" | "66" | "81" | "82" | "84" | "86") => 2,
        Some("90" | "91" | "92" | "93" | "94" | "95" | "98") => 2,
        Some("21" | "22" | "23" | "24" | "25" | "26" | "29" | "35" | "37" | "38" | "42" | "50" | "59") => 3,
        Some("67" | "68" | "69" | "80" | "85" | "87" | "88" | "96" | "97" | "99") => 3,
        Some(two) if two.starts_with(['1', '7']) => 1,
        _ => return false,
    };
    let Some(national) = digits.get(code..) else { return false };
    let zero = national.starts_with('0') && !digits.starts_with("39");
    let fits = if code == 1 { national.len() == 10 } else { (6..=15 - code).contains(&national.len()) };
    fits && !zero
}

/// `415-555-0132`, `(415) 555-0132`, `1-415-555-0132`: the grouping of the North American Numbering Plan, in which neither
/// the area code nor the exchange begins with 0 or 1; also after another country's code.
fn is_north_american(text: &str, groups: &[Group]) -> bool {
    let (code, rest) = match groups {
        [area, exchange, line] => (None, [area, exchange, line]),
        [code, area, exchange, line] => (Some(code), [area, exchange, line]),
        _ => return false,
    };
    let digits = |group: &Group| &text[group.range.clone()];
    let sizes = rest.map(|group| group.range.len()) == [3, 3, 4];
    let leads = rest[..2].iter().all(|group| !digits(group).starts_with(['0', '1']));
    let uniform = rest[2].separator == rest[1].separator || rest[0].parenthesised;
    let coded = code.is_none_or(|code| {
        let same = rest[0].separator == rest[1].separator || rest[0].parenthesised;
        same && code.range.len() <= 3 && is_international(&format!("{}{}", digits(code), rest.map(digits).concat()))
    });
    sizes && leads && uniform && coded && rest[1..].iter().all(|group| !group.parenthesised)
}

/// `020 7946 0958`, `(07) 5331 0577`, `01 42 68 53 00`: a trunk prefix 0 and the rest in groups.
fn is_national(text: &str, groups: &[Group], all: &str) -> bool {
    let [first, others @ ..] = groups else { return false };
    let (trunk, second) = (all.starts_with('0'), all.as_bytes().get(1));
    let grouped = (2..=5).contains(&first.range.len())
        && !others.is_empty()
        && others.iter().all(|group| (2..=8).contains(&group.range.len()) && !group.parenthesised);
    let pairs = groups.iter().all(|group| group.range.len() == 2);
    let separators_fit = others.windows(2).all(|pair| pair[0].separator == pair[1].separator) || others.len() == 2;
    let points = others.iter().all(|group| group.separator == Some('.')) && others.len() == 3;
    let quad = points && groups.iter().all(|group| text[group.range.clone()].parse::<u8>().is_ok());
    trunk
        && second != Some(&b'0')
        && grouped
        && separators_fit
        && (9..=12).contains(&all.len())
        && !quad
        && (!pairs || all.len() == 10)
}

/// A date in digits, a range of years, or an amount with its thousands parted.
fn is_date_or_amount(text: &str, groups: &[Group]) -> bool {
    let value = |group: &Group| text[group.range.clone()].parse::<u32>().unwrap_or(u32::MAX);
    let is_year = |group: &Group| group.range.len() == 4 && (1900..=2099).contains(&value(group));
    let is_day = |group: &Group| group.range.len() <= 2 && (1..=31).contains(&value(group));
    let is_month = |group: &Group| group.range.len() <= 2 && (1..=12).contains(&value(group));
    let date = match groups {
        [a, b, year, ..] if is_year(year) => is_day(a) && is_day(b) && (is_month(a) || is_month(b)),
        [year, a, b, ..] if is_year(year) => is_day(a) && is_day(b) && (is_month(a) || is_month(b)),
        [from, to] => is_year(from) && is_year(to),
        _ => false,
    };
    let amount = match groups {
        [first, others @ ..] => {
            first.range.len() <= 3
                && !others.is_empty()
                && others.iter().all(|group| group.range.len() == 3 && group.separator == others[0].separator)
                && groups.last().is_some_and(|group| &text[group.range.clone()] == "000")
        }
        [] => false,
    };
    date || amount
}
