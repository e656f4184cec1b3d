//! Ages as they are typed, sizes and ages as they are printed.

use std::time::Duration;

/// The units of an age with their seconds.
const AGES: &[(&str, u64)] = &[("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400), ("w", 604_800)];

/// An age: `30d`, `12 h`.
pub fn parse_age(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let number = text[..text.len() - unit.len()].parse::<u64>().ok();
    let seconds = AGES.iter().find(|(name, _)| *name == unit.trim()).map(|(_, seconds)| *seconds);
    let age = number.zip(seconds).and_then(|(number, seconds)| number.checked_mul(seconds));
    age.map(Duration::from_secs).ok_or_else(|| "an age is written as 30d, 12h, 45m or 2w".to_string())
}

/// A size for people: `12.3 MiB`.
pub fn size(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut number, mut unit) = (bytes as f64, 0);
    while number >= 1024.0 && unit + 1 < units.len() {
        number /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{number:.1} {}", units[unit]) }
}

/// An age for people, in its largest unit: `3 days`.
pub fn age(age: Duration) -> String {
    let seconds = age.as_secs();
    let (number, unit) = match seconds {
        0..60 => return "less than a minute".to_string(),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    crate::cli::check::counted(number as usize, unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_ages_are_read_and_printed() {
        let ages = [("30d", Some(2_592_000)), ("12 h", Some(43_200)), ("3 days", None), ("-1d", None)];
        for (text, expected) in ages {
            assert_eq!(parse_age(text).ok(), expected.map(Duration::from_secs), "{text}");
        }
        assert_eq!([size(0), size(1023), size(1536), size(5 << 30)], ["0 B", "1023 B", "1.5 KiB", "5.0 GiB"]);
        let ages = [5, 60, 7_200, 86_400 * 3].map(|seconds| age(Duration::from_secs(seconds)));
        assert_eq!(ages, ["less than a minute", "1 minute", "2 hours", "3 days"]);
    }
}
