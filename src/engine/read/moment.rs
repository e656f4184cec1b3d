//! Days and moments as texts: ISO 8601 days, RFC 3339 moments.

use std::ops::RangeInclusive;

/// The days since 1970-01-01 of the years 0000 to 9999, which are those that ISO 8601 writes without further agreement.
const DAYS: RangeInclusive<i32> = -719_528..=2_932_896;

/// A day, where it lies in a year that can be written.
pub fn writable_day(day: i32) -> Option<i32> {
    DAYS.contains(&day).then_some(day)
}

/// A moment in microseconds, where it lies in a year that can be written.
pub fn writable_moment(micros: i64) -> Option<i64> {
    let day = i32::try_from(micros.div_euclid(86_400_000_000)).ok()?;
    writable_day(day).map(|_| micros)
}

/// Days since 1970-01-01 of a `YYYY-MM-DD`.
pub fn parse_date(text: &str) -> Option<i32> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let (year, month, day) = (digits(&bytes[..4])?, digits(&bytes[5..7])?, digits(&bytes[8..])?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => return None,
    };
    (1..=longest).contains(&day).then(|| days_from_civil(year, month, day))
}

/// Microseconds since 1970-01-01T00:00:00Z of a moment with its offset: `2024-05-01T12:00:00.5+02:00`. Digits behind
/// the sixth of a fraction are cut off; a leap second counts as the first of the next minute.
pub fn parse_timestamp(text: &str) -> Option<i64> {
    if !text.is_ascii() || text.len() < 20 {
        return None;
    }
    let days = i64::from(parse_date(&text[..10])?);
    let bytes = text.as_bytes();
    if !matches!(bytes[10], b'T' | b't' | b' ') || bytes[13] != b':' || bytes[16] != b':' {
        return None;
    }
    let (hour, minute, second) = (digits(&bytes[11..13])?, digits(&bytes[14..16])?, digits(&bytes[17..19])?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (micros, zone) = fraction(&bytes[19..])?;
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - zone_seconds(zone)?;
    // An offset may lead out of the calendar's first or last day.
    writable_moment(seconds * 1_000_000 + micros)
}

/// A moment as RFC 3339 has it, in UTC, with a fraction where it has one.
pub fn moment_text(micros: i64) -> String {
    let (days, of_day) = (micros.div_euclid(86_400_000_000), micros.rem_euclid(86_400_000_000));
    let (year, month, day) = civil_from_days(days);
    let (seconds, fraction) = (of_day / 1_000_000, of_day % 1_000_000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let fraction = if fraction == 0 { String::new() } else { format!(".{fraction:06}") };
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

/// The day that lies so many days after 1970-01-01, in the Gregorian calendar (Hinnant, `civil_from_days`).
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// The microseconds of `.123456…` and what follows it.
fn fraction(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let Some(rest) = bytes.strip_prefix(b".") else { return Some((0, bytes)) };
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let kept = digits(&rest[..length.min(6)])?;
    Some((kept * 10_i64.pow(6 - length.min(6) as u32), &rest[length..]))
}

fn zone_seconds(zone: &[u8]) -> Option<i64> {
    match zone {
        b"Z" | b"z" => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (digits(&[*h1, *h2])?, digits(&[*m1, *m2])?);
            let seconds = hours * 3600 + minutes * 60;
            (hours < 24 && minutes < 60).then_some(if *sign == b'-' { -seconds } else { seconds })
        }
        _ => None,
    }
}

/// A run of one to six digits as a number.
fn digits(bytes: &[u8]) -> Option<i64> {
    let all = !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit);
    all.then(|| bytes.iter().fold(0, |value, byte| value * 10 + i64::from(byte - b'0')))
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar (Howard Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms").
fn days_from_civil(year: i64, month: i64, day: i64) -> i32 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    i32::try_from(era * 146_097 + day_of_era - 719_468).expect("a year of four digits lies within 32 bits of days")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_they_are_read() {
        for text in [
            "1970-01-01T00:00:00Z",
            "2024-02-29T23:59:59.000001Z",
            "1969-12-31T23:59:59Z",
            "0001-03-01T00:00:00Z",
            "2000-12-31T12:00:00.500000Z",
        ] {
            assert_eq!(moment_text(parse_timestamp(text).unwrap()), text);
        }
    }

    #[test]
    fn days_and_moments_are_read() {
        let days = [
            ("1970-01-01", Some(0)),
            ("2024-02-29", Some(19_782)),
            ("2023-02-29", None),
            ("0000-01-01", Some(-719_528)),
        ];
        for (text, expected) in days {
            assert_eq!(parse_date(text), expected, "{text}");
        }
        let moments = [
            ("1970-01-01T00:00:01Z", Some(1_000_000)),
            ("1970-01-01T02:00:00.25+02:00", Some(250_000)),
            ("1970-01-01T00:00:00.1234567Z", Some(123_456)),
            ("1970-01-01T00:00:00", None),
            ("1970-01-01T24:00:00Z", None),
            ("1970-01-01T00:00:00.Z", None),
        ];
        for (text, expected) in moments {
            assert_eq!(parse_timestamp(text), expected, "{text}");
        }
    }
}
