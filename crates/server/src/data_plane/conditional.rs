//! Conditional requests: content is named by its digest, and so is its entity tag.
//!
//! RFC 9110 8.8.3 and 13.1.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use metadata::{Named, Precondition};
use oci::Digest;

/// The entity tag of content.
pub(super) fn etag(digest: &Digest) -> HeaderValue {
    let text = digest.as_str();
    let mut tag = Vec::with_capacity(text.len() + 2);
    tag.push(b'"');
    tag.extend_from_slice(text.as_bytes());
    tag.push(b'"');
    HeaderValue::from_maybe_shared(bytes::Bytes::from(tag)).expect("a digest is printable ASCII")
}

/// Tells whether the client has this content already (`If-None-Match`, compared weakly).
pub(super) fn not_modified(headers: &HeaderMap, digest: &Digest) -> bool {
    headers.get_all(header::IF_NONE_MATCH).iter().any(|value| {
        value.to_str().is_ok_and(|list| {
            list.split(',').map(str::trim).any(|tag| tag == "*" || names(tag, digest))
        })
    })
}

fn names(tag: &str, digest: &Digest) -> bool {
    bare(tag.strip_prefix("W/").unwrap_or(tag)) == digest.as_str()
}

/// Quotes belong to a tag, but not every client of registries knows.
fn bare(tag: &str) -> &str {
    tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).unwrap_or(tag)
}

/// What a push wants its tag to name before it is set: `If-Match`, compared strongly, and
/// `If-None-Match`, compared weakly. "The client MAY use conditional HTTP requests to prevent
/// overwriting a referrers list" (OCI distribution-spec 1.1, "Pushing Manifests with Subject").
pub(super) fn precondition(headers: &HeaderMap) -> Precondition {
    let strongly = |tag: &str| Digest::parse(bare(tag)).ok();
    let weakly = |tag: &str| Digest::parse(bare(tag.strip_prefix("W/").unwrap_or(tag))).ok();
    Precondition {
        matches: named(headers, &header::IF_MATCH, strongly),
        matches_none: named(headers, &header::IF_NONE_MATCH, weakly),
    }
}

/// Reads a list of entity tags; one that is no digest's names nothing here.
fn named(
    headers: &HeaderMap,
    name: &HeaderName,
    read: impl Fn(&str) -> Option<Digest>,
) -> Option<Named> {
    let mut digests = headers.contains_key(name).then(Vec::new)?;
    for value in headers.get_all(name) {
        for tag in value.to_str().unwrap_or_default().split(',').map(str::trim) {
            if tag == "*" {
                return Some(Named::Anything);
            }
            digests.extend(read(tag));
        }
    }
    Some(Named::OneOf(digests))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_compared() {
        let digest = Digest::of(b"x");
        let other = Digest::of(b"y");
        for (value, expected) in [
            (format!("\"{digest}\""), true),
            (format!("W/\"{digest}\""), true),
            (format!("\"{other}\", \"{digest}\""), true),
            (digest.to_string(), true),
            ("*".to_owned(), true),
            (format!("\"{other}\""), false),
            (String::new(), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, value.parse().unwrap());
            assert_eq!(not_modified(&headers, &digest), expected, "{value}");
        }
        for (value, strong, weak) in [
            (format!("\"{digest}\""), 1, 1),
            (format!("W/\"{digest}\""), 0, 1),
            (format!("\"x\", \"{other}\", {digest}"), 2, 2),
            (String::new(), 0, 0),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_MATCH, value.parse().unwrap());
            headers.insert(header::IF_NONE_MATCH, value.parse().unwrap());
            let Precondition { matches, matches_none } = precondition(&headers);
            let count =
                |named| matches!(named, Some(Named::OneOf(digests)) if digests.len() == strong);
            assert!(count(matches), "{value}");
            let count =
                |named| matches!(named, Some(Named::OneOf(digests)) if digests.len() == weak);
            assert!(count(matches_none), "{value}");
        }
        let headers = HeaderMap::from_iter([(header::IF_MATCH, HeaderValue::from_static("*"))]);
        let any = Precondition { matches: Some(Named::Anything), matches_none: None };
        assert_eq!(precondition(&headers), any);
        assert_eq!(precondition(&HeaderMap::new()), Precondition::default());
        assert!(!not_modified(&HeaderMap::new(), &digest));
        assert_eq!(etag(&digest), format!("\"{digest}\""));
    }
}
