//! What an upstream's refusal says: the status becomes an [`Error`] of the same meaning.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, StatusCode, header};
use secrecy::ExposeSecret as _;
use serde::Deserialize;

use crate::{Credentials, Error, challenge::Challenges};

/// The longest reason that is passed on, in characters.
const REASON_CHARS_MAX: usize = 200;

/// OCI distribution-spec 1.1, "Error Codes". Token endpoints answer `details` or `message`.
#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    errors: Vec<EnvelopeError>,
    details: Option<String>,
    message: Option<String>,
}

#[derive(Deserialize)]
struct EnvelopeError {
    code: Option<String>,
    message: Option<String>,
}

/// Says what a status that is not success means. `body` is the beginning of what came with it.
pub(crate) fn refusal(
    host: &str,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    credentials: Option<&Credentials>,
) -> Error {
    let host = host.to_owned();
    let reason = || reason(status, headers, body, credentials);
    match status {
        StatusCode::NOT_FOUND => Error::NotFound { host },
        StatusCode::UNAUTHORIZED => Error::Unauthorized { host, reason: reason() },
        StatusCode::FORBIDDEN => Error::Denied { host, reason: reason() },
        StatusCode::TOO_MANY_REQUESTS => {
            let retry_after = retry_after(headers, SystemTime::now());
            Error::RateLimited { host, retry_after, was_asked: true }
        }
        // RFC 5842 7.2.
        StatusCode::LOOP_DETECTED => Error::Circle { host, reason: reason() },
        _ => {
            let retry_after = retry_after(headers, SystemTime::now());
            Error::Status { host, status: status.as_u16(), retry_after }
        }
    }
}

/// Reads `Retry-After`: seconds, or a date, which is counted from the answer's own `Date` where
/// there is one, for that clock wrote both.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(text).ok()?;
    Some(until.duration_since(sent_at(headers).unwrap_or(now)).unwrap_or_default())
}

/// Returns the answer's `Date`.
pub(crate) fn sent_at(headers: &HeaderMap) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(header::DATE)?.to_str().ok()?).ok()
}

fn reason(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    credentials: Option<&Credentials>,
) -> String {
    let text = from_envelope(body)
        .or_else(|| Challenges::parse(headers).error)
        .map(|text| shorten(&text))
        .filter(|text| !text.is_empty());
    let fallback = || status.canonical_reason().unwrap_or("refused").to_lowercase();
    conceal(text.unwrap_or_else(fallback), credentials)
}

fn from_envelope(body: &[u8]) -> Option<String> {
    let envelope: Envelope = serde_json::from_slice(body).ok()?;
    let first = envelope.errors.into_iter().next();
    let said =
        first.and_then(|error| error.message.filter(|message| !message.is_empty()).or(error.code));
    said.or(envelope.details).or(envelope.message)
}

/// Makes one short line of it; what follows a question mark in a URL may be a signature.
pub(crate) fn shorten(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let words = words.filter(|word| !word.is_empty()).map(|word| match word.split_once("://") {
        Some((_, rest)) => &word[..word.len() - rest.len() + rest.find('?').unwrap_or(rest.len())],
        None => word,
    });
    let line = words.collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(REASON_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// An upstream that repeats what it was sent does not make us repeat it.
fn conceal(text: String, credentials: Option<&Credentials>) -> String {
    match credentials.map(|credentials| credentials.secret.expose_secret()) {
        Some(secret) if !secret.is_empty() && text.contains(secret) => text.replace(secret, "…"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn said(status: u16, body: &str) -> String {
        let credentials = Credentials { username: "u".into(), secret: "hunter2".into() };
        let status = StatusCode::from_u16(status).unwrap();
        match refusal("h", status, &HeaderMap::new(), body.as_bytes(), Some(&credentials)) {
            Error::Unauthorized { reason, .. } | Error::Denied { reason, .. } => reason,
            other => other.to_string(),
        }
    }

    #[test]
    fn reasons_are_short_and_safe() {
        let envelope = |text: &str| format!(r#"{{"errors":[{{"code":"X","message":"{text}"}}]}}"#);
        for (status, body, expected) in [
            (401, envelope("authentication required"), "authentication required"),
            (403, r#"{"errors":[{"code":"DENIED"}]}"#.to_owned(), "DENIED"),
            (
                401,
                r#"{"details":"incorrect username or password"}"#.to_owned(),
                "incorrect username or password",
            ),
            (401, "<html>go away</html>".to_owned(), "unauthorized"),
            (403, String::new(), "forbidden"),
            (403, envelope("a\\u0007b\\n c"), "a b c"),
            (
                403,
                envelope("see https://s3.example/x?X-Amz-Signature=1 now"),
                "see https://s3.example/x now",
            ),
            (401, envelope("no hunter2 here"), "no … here"),
            (404, envelope("x"), "upstream h does not have it"),
            (418, envelope("x"), "upstream h answered 418"),
        ] {
            assert_eq!(said(status, &body), expected);
        }
        assert_eq!(said(403, &envelope(&"é".repeat(300))).chars().count(), 201);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:00 GMT").unwrap();
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        for (value, sent, expected) in [
            ("120", None, Some(120)),
            (" 0 ", None, Some(0)),
            (date, None, Some(37)),
            (date, Some("Sun, 06 Nov 1994 08:49:30 GMT"), Some(7)),
            (date, Some("Sun, 06 Nov 1994 09:00:00 GMT"), Some(0)),
            ("soon", None, None),
            ("-1", None, None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(value));
            if let Some(sent) = sent {
                headers.insert(header::DATE, HeaderValue::from_static(sent));
            }
            assert_eq!(retry_after(&headers, now), expected.map(Duration::from_secs), "{value}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
