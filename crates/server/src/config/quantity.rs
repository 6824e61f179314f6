//! Amounts as people write them: `24h`, `1m30s`, `500ms`; `4MiB`, `65536`.

use std::time::Duration;

/// Reads a duration: numbers with the units `ms`, `s`, `m`, `h`, `d`, one after another.
pub(crate) fn duration(text: &str) -> Result<Duration, &'static str> {
    const EXPECTED: &str = "expected a duration such as 500ms, 2s, 1m30s or 24h";
    let mut rest = text;
    let mut total_millis: u64 = 0;
    while !rest.is_empty() {
        let (number, after) = leading_number(rest).ok_or(EXPECTED)?;
        let unit_length = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_length);
        let unit_millis: u64 = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(EXPECTED),
        };
        let millis = number.checked_mul(unit_millis).ok_or("too long")?;
        total_millis = total_millis.checked_add(millis).ok_or("too long")?;
        rest = after;
    }
    if text.is_empty() { Err(EXPECTED) } else { Ok(Duration::from_millis(total_millis)) }
}

/// Reads a duration that is a deadline, so not zero.
pub(crate) fn deadline(text: &str) -> Result<Duration, &'static str> {
    let wait = duration(text)?;
    if wait.is_zero() { Err("expected more than zero") } else { Ok(wait) }
}

/// Reads a size in bytes: a number, alone or with `KiB`, `MiB`, `GiB` or `TiB`.
pub(crate) fn bytes(text: &str) -> Result<u64, &'static str> {
    const EXPECTED: &str = "expected a size such as 65536, 512KiB, 4MiB or 64GiB";
    let (number, unit) = leading_number(text).ok_or(EXPECTED)?;
    let shift = match unit.trim_start() {
        "" | "B" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        "TiB" => 40,
        _ => return Err(EXPECTED),
    };
    number.checked_mul(1 << shift).ok_or("too large")
}

/// Reads a whole number of at least one.
pub(crate) fn count(text: &str) -> Result<usize, &'static str> {
    text.parse().ok().filter(|&count| count > 0).ok_or("expected a whole number of at least 1")
}

fn leading_number(text: &str) -> Option<(u64, &str)> {
    let length = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(length);
    Some((digits.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, millis) in
            [("500ms", 500), ("2s", 2_000), ("1m30s", 90_000), ("24h", 86_400_000), ("0s", 0)]
        {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "2", "s", "2 s", "2w", "-1s", "1.5s", "99999999999999999999s"] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert!(deadline("0ms").is_err());
    }

    #[test]
    fn sizes_and_counts() {
        for (text, size) in [("65536", 65_536), ("4MiB", 4 << 20), ("64 GiB", 64 << 30)] {
            assert_eq!(bytes(text), Ok(size), "{text}");
        }
        for text in ["", "MiB", "4MB", "4m", "-1", "99999999TiB"] {
            assert!(bytes(text).is_err(), "{text}");
        }
        assert_eq!(count("7"), Ok(7));
        assert!(count("0").is_err() && count("many").is_err());
    }
}
