//! When an image was created, as its config says.
//!
//! OCI image-spec, "Image Configuration": `created`, "formatted as defined by RFC 3339, section
//! 5.6". It is the publisher's word: builds that are to be reproducible write a fixed one.

use serde::Deserialize;

#[derive(Deserialize)]
struct Config {
    created: Option<String>,
}

/// Returns when the image of a config was created, in milliseconds since the Unix epoch; none where
/// the config does not say, or not in RFC 3339.
pub fn created_at(config: &[u8]) -> Option<i64> {
    let config: Config = serde_json::from_slice(config).ok()?;
    rfc3339(&config.created?)
}

/// Reads `2024-02-29T12:34:56.789Z`, or with an offset such as `+02:00`.
fn rfc3339(text: &str) -> Option<i64> {
    let (date, time) = text.split_at_checked(10)?;
    let time = time.strip_prefix(['T', 't', ' '])?;
    let (clock, rest) = time.split_at_checked(8)?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    let (millis, zone) = fraction(rest)?;
    let in_range = (1..=12).contains(&month)
        && (1..=days_of(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        // A leap second is counted as the one before it.
        && second <= 60;
    if !in_range {
        return None;
    }
    let minutes = (days(year, month, day) * 24 + hour) * 60 + minute - offset_minutes(zone)?;
    Some((minutes * 60 + second.min(59)) * 1000 + millis)
}

/// Reads three numbers of fixed widths with something between them.
fn numbers(text: &str, between: char, widths: [usize; 3]) -> Option<[i64; 3]> {
    let mut found = [0; 3];
    let mut parts = text.split(between);
    for (number, width) in found.iter_mut().zip(widths) {
        let digits = parts.next()?;
        if digits.len() != width || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        *number = digits.parse().ok()?;
    }
    parts.next().is_none().then_some(found)
}

/// Reads `.789` into milliseconds and returns what follows.
fn fraction(text: &str) -> Option<(i64, &str)> {
    let Some(rest) = text.strip_prefix('.') else { return Some((0, text)) };
    let length = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, zone) = rest.split_at(length);
    let millis: String = digits.chars().chain("000".chars()).take(3).collect();
    (length > 0).then_some((millis.parse().ok()?, zone))
}

/// Reads `Z` or `+02:00`.
fn offset_minutes(zone: &str) -> Option<i64> {
    if matches!(zone, "Z" | "z") {
        return Some(0);
    }
    let sign = match zone.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let (hours, minutes) = zone[1..].split_once(':')?;
    let number = |digits: &str, below: i64| {
        let is_number = digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
        digits.parse::<i64>().ok().filter(|number| is_number && *number < below)
    };
    Some(sign * (number(hours, 24)? * 60 + number(minutes, 60)?))
}

fn days_of(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from the Unix epoch to a date. The year is counted from March, so that a leap day is the
/// last of its year.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 719,468 days lie between March 1 of year 0 and the epoch.
    year * 365 + leaps + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_configs() {
        for (text, millis) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2024-02-29T12:34:56.789Z", 1_709_210_096_789),
            ("2024-02-29T12:34:56.7891234567Z", 1_709_210_096_789),
            ("2024-02-29T14:34:56.7+02:00", 1_709_210_096_700),
            ("2024-02-29T07:04:56-05:30", 1_709_210_096_000),
            ("2016-12-31T23:59:60Z", 1_483_228_799_000),
            ("0001-01-01T00:00:00Z", -62_135_596_800_000),
            ("1969-12-31t23:59:59.999z", -1),
            ("9999-12-31T23:59:59Z", 253_402_300_799_000),
        ] {
            assert_eq!(rfc3339(text), Some(millis), "{text}");
        }
        for text in [
            "",
            "2024-02-29",
            "2024-02-30T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "2024-13-01T00:00:00Z",
            "2024-01-01T24:00:00Z",
            "2024-01-01T00:00:00",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00:00:00+2:00",
            "2024-01-01T00:00:00+0200",
            "+024-01-01T00:00:00Z",
            "ä024-01-01T00:00:00Z",
            "2024-01-01T00:00:00Zx",
        ] {
            assert_eq!(rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn a_config_says_when_or_not() {
        let config = br#"{"architecture":"amd64","created":"1970-01-01T00:00:01Z"}"#;
        assert_eq!(created_at(config), Some(1_000));
        for config in ["{}", "[]", "", r#"{"created":null}"#, r#"{"created":5}"#] {
            assert_eq!(created_at(config.as_bytes()), None, "{config}");
        }
    }
}
