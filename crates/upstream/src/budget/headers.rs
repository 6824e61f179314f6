//! Reading the headers that tell a budget.
//!
//! Docker Hub, "Pull usage and limits" (`ratelimit-limit: 100;w=21600`); GitHub, Quay and GitLab
//! (`X-RateLimit-*`, `RateLimit-*`); draft-ietf-httpapi-ratelimit-headers, in the form it has now
//! (`RateLimit: "x";r=50;t=30`, `RateLimit-Policy: "x";q=100;w=60`).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderMap;

use crate::answer::shorten;

/// A reset from here on is a moment, in seconds since 1970, and not a number of seconds to go.
const MOMENTS_FROM: u64 = 1_000_000_000;

/// What one answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) limit: Option<u64>,
    pub(super) remaining: u64,
    pub(super) window: Option<Duration>,
    pub(super) reset_after: Option<Duration>,
    pub(super) source: Option<String>,
}

/// Reads the headers; `None` where they do not say what remains.
pub(super) fn read(headers: &HeaderMap, now: SystemTime) -> Option<Said> {
    let first = |names: &[&str]| names.iter().find_map(|name| headers.get(*name)?.to_str().ok());
    let (limit, remaining) = (
        first(&["ratelimit-limit", "x-ratelimit-limit"]),
        first(&["ratelimit-remaining", "x-ratelimit-remaining"]),
    );
    let (state, policy) = (first(&["ratelimit"]), first(&["ratelimit-policy"]));
    let reset = first(&["ratelimit-reset", "x-ratelimit-reset"])
        .and_then(leading_number)
        .or_else(|| parameter(state?, "t"));
    let window = [limit, remaining, policy].into_iter().flatten().find_map(|t| parameter(t, "w"));
    let source = first(&["docker-ratelimit-source"]).map(shorten).filter(|text| !text.is_empty());
    Some(Said {
        limit: limit.and_then(leading_number).or_else(|| parameter(policy?, "q")),
        remaining: remaining.and_then(leading_number).or_else(|| parameter(state?, "r"))?,
        window: window.map(Duration::from_secs),
        reset_after: reset.map(|reset| until(reset, now)),
        source,
    })
}

fn until(reset: u64, now: SystemTime) -> Duration {
    if reset < MOMENTS_FROM {
        return Duration::from_secs(reset);
    }
    let moment = UNIX_EPOCH.checked_add(Duration::from_secs(reset));
    moment.and_then(|moment| moment.duration_since(now).ok()).unwrap_or_default()
}

/// Reads the number that a value begins with; a fraction is cut off.
fn leading_number(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    text[..digits].parse().ok()
}

/// Reads the first parameter of a name: `;w=60`.
fn parameter(text: &str, name: &str) -> Option<u64> {
    let mut parameters = text.split([';', ',']).skip(1);
    parameters.find_map(|part| {
        let (found, value) = part.trim().split_once('=')?;
        (found == name).then(|| leading_number(value))?
    })
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn said(limit: u64, remaining: u64, window: Option<u64>, reset: Option<u64>) -> Option<Said> {
        Some(Said {
            limit: Some(limit),
            remaining,
            window: window.map(Duration::from_secs),
            reset_after: reset.map(Duration::from_secs),
            source: None,
        })
    }

    #[test]
    fn budgets_of_the_field() {
        let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        for (headers, expected) in [
            // Docker Hub.
            (
                "ratelimit-limit: 100;w=21600\nratelimit-remaining: 76;w=21600",
                said(100, 76, Some(21_600), None),
            ),
            // GitHub.
            (
                "x-ratelimit-limit: 5000\nx-ratelimit-remaining: 0\nx-ratelimit-reset: 1700000090",
                said(5000, 0, None, Some(90)),
            ),
            // A reset that has passed.
            (
                "x-ratelimit-limit: 5\nx-ratelimit-remaining: 1\nx-ratelimit-reset: 1699999999",
                said(5, 1, None, Some(0)),
            ),
            // GitLab.
            (
                "ratelimit-limit: 60\nratelimit-remaining: 59\nratelimit-reset: 1700000030",
                said(60, 59, None, Some(30)),
            ),
            // The draft, before and now.
            (
                "ratelimit-limit: 100, 100;w=60\nratelimit-remaining: 3\nratelimit-reset: 7",
                said(100, 3, Some(60), Some(7)),
            ),
            (
                "ratelimit: \"pulls\";r=50;t=30\nratelimit-policy: \"pulls\";q=100;w=60",
                said(100, 50, Some(60), Some(30)),
            ),
            ("ratelimit-limit: 100;w=21600", None),
            ("ratelimit-remaining: many", None),
            ("ratelimit-remaining: -1", None),
            ("ratelimit-remaining: 99999999999999999999999", None),
        ] {
            let headers: HeaderMap = headers
                .lines()
                .map(|line| line.split_once(": ").unwrap())
                .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
                .collect();
            assert_eq!(read(&headers, now), expected, "{headers:?}");
        }
    }

    #[test]
    fn whom_it_counts_for() {
        let mut headers = HeaderMap::new();
        headers.insert("ratelimit-remaining", HeaderValue::from_static("9"));
        headers.insert("docker-ratelimit-source", HeaderValue::from_static("192.0.2.7"));
        let said = read(&headers, UNIX_EPOCH).unwrap();
        assert_eq!((said.source.as_deref(), said.limit), (Some("192.0.2.7"), None));
    }
}
