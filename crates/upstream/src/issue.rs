//! What a token endpoint answers.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderMap;
use serde::Deserialize;

use crate::answer::sent_at;

/// "If not specified, the token lifetime is 60 seconds" (Token Authentication Specification).
const DEFAULT_LIFETIME: Duration = Duration::from_secs(60);

/// No token is trusted for longer: one that is refused earlier is replaced anyway.
const LIFETIME_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// A token and how long it is good for from now on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TokenAnswer {
    pub(crate) token: String,
    pub(crate) lifetime: Duration,
}

#[derive(Deserialize)]
struct Wire {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<f64>,
    issued_at: Option<String>,
}

impl TokenAnswer {
    /// Reads the answer; `None` where it holds no token. A token that was issued a while ago, by
    /// the endpoint's own clock, lives so much shorter.
    pub(crate) fn parse(body: &[u8], headers: &HeaderMap) -> Option<Self> {
        let wire: Wire = serde_json::from_slice(body).ok()?;
        let token = wire.token.or(wire.access_token).filter(|token| !token.is_empty())?;
        let given = wire.expires_in.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let issued_at = wire.issued_at.as_deref().and_then(parse_rfc3339);
        let age = issued_at
            .zip(sent_at(headers))
            .and_then(|(issued, sent)| sent.duration_since(issued).ok())
            .unwrap_or_default();
        let lifetime = given.unwrap_or(DEFAULT_LIFETIME).saturating_sub(age).min(LIFETIME_MAX);
        Some(Self { token, lifetime })
    }
}

/// Reads an RFC 3339 date to the second; fractions are passed over.
pub(crate) fn parse_rfc3339(text: &str) -> Option<SystemTime> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<i64>().ok();
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    let rest = text.get(19..)?.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let offset_minutes = match rest.as_bytes() {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let minutes = rest[1..3].parse::<i64>().ok()? * 60 + rest[4..6].parse::<i64>().ok()?;
            if *sign == b'-' { -minutes } else { minutes }
        }
        _ => return None,
    };
    let seconds = days_from_civil(year, month, day)? * 86_400 + hour * 3600 + minute * 60 + second
        - offset_minutes * 60;
    UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(seconds).ok()?))
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar, counted in years that begin in March.
fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    Some(year * 365 + leap_days + day_of_year - 719_468)
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, header};

    use super::*;

    #[test]
    fn answers_of_the_field() {
        for (body, expected) in [
            (r#"{"token":"t","expires_in":300}"#, Some(("t", 300))),
            (r#"{"access_token":"a","expires_in":300.0,"scope":"x"}"#, Some(("a", 300))),
            (r#"{"token":"t","access_token":"a"}"#, Some(("t", 60))),
            (r#"{"token":"t","expires_in":-5}"#, Some(("t", 60))),
            (r#"{"token":"t","expires_in":1e300}"#, Some(("t", 60))),
            (r#"{"token":"t","expires_in":99999999}"#, Some(("t", 86_400))),
            (
                r#"{"token":"t","expires_in":300,"issued_at":"1994-11-06T08:48:37.25Z"}"#,
                Some(("t", 240)),
            ),
            (
                r#"{"token":"t","expires_in":300,"issued_at":"1994-11-06T09:48:37+01:00"}"#,
                Some(("t", 240)),
            ),
            (
                r#"{"token":"t","expires_in":300,"issued_at":"1994-11-07T00:00:00Z"}"#,
                Some(("t", 300)),
            ),
            (r#"{"token":"t","expires_in":300,"issued_at":"yesterday"}"#, Some(("t", 300))),
            (r#"{"token":""}"#, None),
            ("{}", None),
            ("<html>", None),
        ] {
            let date = HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT");
            let headers = HeaderMap::from_iter([(header::DATE, date)]);
            let found = TokenAnswer::parse(body.as_bytes(), &headers);
            let expected = expected.map(|(token, seconds)| TokenAnswer {
                token: token.to_owned(),
                lifetime: Duration::from_secs(seconds),
            });
            assert_eq!(found, expected, "{body}");
        }
    }

    #[test]
    fn dates() {
        let seconds = |text| Some(parse_rfc3339(text)?.duration_since(UNIX_EPOCH).ok()?.as_secs());
        assert_eq!(seconds("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(seconds("2000-02-29T12:00:00Z"), Some(951_825_600));
        assert_eq!(seconds("2024-12-31T23:59:59.999999999-05:00"), Some(1_735_707_599));
        assert_eq!(seconds("2024-13-01T00:00:00Z"), None);
        assert_eq!(seconds("2024-01-01T00:00:00"), None);
        assert_eq!(seconds("2024-01-01"), None);
        assert_eq!(seconds("éééééééééé"), None);
    }
}
