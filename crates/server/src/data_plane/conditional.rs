//! Conditional requests: content is named by its digest, and so is its entity tag.
//!
//! RFC 9110 8.8.3 and 13.1.

use http::{HeaderMap, HeaderValue, header};
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
    let tag = tag.strip_prefix("W/").unwrap_or(tag);
    // Quotes belong to a tag, but not every client of registries knows.
    let bare = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).unwrap_or(tag);
    bare == digest.as_str()
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
        assert!(!not_modified(&HeaderMap::new(), &digest));
        assert_eq!(etag(&digest), format!("\"{digest}\""));
    }
}
