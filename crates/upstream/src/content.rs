//! Reading an answer's headers: what it says about a manifest or a blob.

use std::ops::Range;

use http::{HeaderMap, StatusCode, header};
use oci::Digest;

use crate::{ManifestStat, answer::shorten, wire::content_length};

/// Which part of a blob an answer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Offset of its first byte.
    pub(crate) offset: u64,
    /// Size of the whole blob in bytes, where it is known.
    pub(crate) size_bytes: Option<u64>,
    /// How many bytes the body has, where it is known.
    pub(crate) length_bytes: Option<u64>,
}

/// Says what coding an answer has that was not asked for.
pub(crate) fn unwanted_coding(headers: &HeaderMap) -> Option<String> {
    let coding = headers.get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("?"));
    coding
        .filter(|coding| !coding.eq_ignore_ascii_case("identity"))
        .map(|coding| format!("content coding {} was not asked for", shorten(coding)))
}

/// Tells whether an answer is a page for people: a sign-in page, a captive portal. Asked of
/// manifests only: a blob may be anything, and its digest decides.
pub(crate) fn is_page(headers: &HeaderMap) -> bool {
    media_type(headers).is_some_and(|media_type| {
        matches!(media_type.as_str(), "text/html" | "application/xhtml+xml")
    })
}

/// Returns `Content-Type` in lower case, without parameters.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let essence = text.split(';').next().unwrap_or(text).trim();
    (!essence.is_empty()).then(|| essence.to_ascii_lowercase())
}

/// Reads what the headers say about a manifest.
pub(crate) fn manifest_stat(headers: &HeaderMap) -> ManifestStat {
    ManifestStat {
        digest: announced_digest(headers),
        media_type: media_type(headers),
        size_bytes: content_length(headers),
    }
}

/// Returns `Docker-Content-Digest` where it is one.
pub(crate) fn announced_digest(headers: &HeaderMap) -> Option<Digest> {
    Digest::parse(headers.get("docker-content-digest")?.to_str().ok()?.trim()).ok()
}

/// Reads which part of a blob came for a request from `asked` on; `Err` says what is wrong.
pub(crate) fn part(
    status: StatusCode,
    headers: &HeaderMap,
    asked: u64,
) -> Result<Part, &'static str> {
    let length_bytes = content_length(headers);
    if status != StatusCode::PARTIAL_CONTENT {
        return Ok(Part { offset: 0, size_bytes: length_bytes, length_bytes });
    }
    let range = headers.get(header::CONTENT_RANGE).and_then(|value| value.to_str().ok());
    let Some((first, last, size_bytes)) = range.and_then(parse_content_range) else {
        return Err("the content range cannot be read");
    };
    let reaches_end = size_bytes.is_none_or(|size| last.checked_add(1) == Some(size));
    if first != asked || last < first || !reaches_end {
        return Err("another range came than was asked for");
    }
    Ok(Part { offset: first, size_bytes, length_bytes: Some(last - first + 1) })
}

/// Tells whether an answer holds just this part of something of this size.
pub(crate) fn is_part(
    status: StatusCode,
    headers: &HeaderMap,
    part: &Range<u64>,
    size_bytes: u64,
) -> bool {
    let range = headers.get(header::CONTENT_RANGE).and_then(|value| value.to_str().ok());
    status == StatusCode::PARTIAL_CONTENT
        && range.and_then(parse_content_range)
            == Some((part.start, part.end.saturating_sub(1), Some(size_bytes)))
}

/// RFC 9110 14.4: `bytes first-last/size`, where the size may be `*`.
fn parse_content_range(text: &str) -> Option<(u64, u64, Option<u64>)> {
    let (range, size) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let size = if size == "*" { None } else { Some(size.parse().ok()?) };
    Some((first.parse().ok()?, last.parse().ok()?, size))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn ranges_are_what_was_asked_for() {
        let part_of = |offset, size_bytes, length: u64| {
            Ok(Part { offset, size_bytes, length_bytes: Some(length) })
        };
        for (range, expected) in [
            ("bytes 5-9/10", part_of(5, Some(10), 5)),
            ("bytes 5-9/*", part_of(5, None, 5)),
            ("bytes 0-9/10", Err("another range came than was asked for")),
            ("bytes 5-8/10", Err("another range came than was asked for")),
            ("bytes 5-4/5", Err("another range came than was asked for")),
            ("bytes 5-18446744073709551615/10", Err("another range came than was asked for")),
            ("bytes */10", Err("the content range cannot be read")),
            ("5-9/10", Err("the content range cannot be read")),
        ] {
            let value = HeaderValue::from_static(range);
            let headers = HeaderMap::from_iter([(header::CONTENT_RANGE, value)]);
            assert_eq!(part(StatusCode::PARTIAL_CONTENT, &headers, 5), expected, "{range}");
        }
        assert!(part(StatusCode::PARTIAL_CONTENT, &HeaderMap::new(), 5).is_err());
        let whole = Part { offset: 0, size_bytes: None, length_bytes: None };
        assert_eq!(part(StatusCode::OK, &HeaderMap::new(), 5), Ok(whole));
    }
}
