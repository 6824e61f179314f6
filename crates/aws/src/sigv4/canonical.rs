//! The canonical request: the one text that both sides hash.

use http::HeaderMap;

use super::Request;
use crate::query;

/// The query parameter that holds a presigned request's signature, and so is not covered by it.
pub(super) const SIGNATURE_PARAMETER: &str = "X-Amz-Signature";

/// What a signature covers of a request.
pub(super) struct Coverage<'a> {
    /// Lower-case names in the order the signature gives them. One that the request lacks counts
    /// as empty.
    pub(super) signed_headers: &'a [String],
    /// The last line: the body's hash, or what stands for it.
    pub(super) payload_hash: &'a str,
    /// Whether the signature itself travels in the query, and so cannot cover all of it.
    pub(super) presigned: bool,
}

/// Writes the canonical request, in bytes because headers need not be UTF-8.
pub(super) fn request(request: &Request<'_>, coverage: &Coverage<'_>) -> Vec<u8> {
    let mut text = Vec::with_capacity(512);
    text.extend_from_slice(request.method.as_bytes());
    text.push(b'\n');
    push_path(&mut text, request.path);
    text.push(b'\n');
    push_query(&mut text, request.query, coverage.presigned);
    text.push(b'\n');
    for name in coverage.signed_headers {
        push_header(&mut text, request.headers, name);
    }
    text.push(b'\n');
    text.extend_from_slice(coverage.signed_headers.join(";").as_bytes());
    text.push(b'\n');
    text.extend_from_slice(coverage.payload_hash.as_bytes());
    text
}

/// The path without dot segments and doubled slashes, and encoded once more than it travelled.
fn push_path(text: &mut Vec<u8>, path: &str) {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            other => segments.push(other),
        }
    }
    for segment in &segments {
        text.push(b'/');
        query::encode_into(text, segment.as_bytes());
    }
    if segments.is_empty() || path.ends_with('/') {
        text.push(b'/');
    }
}

/// Decoded, encoded again in AWS's way, and sorted by name, then value.
fn push_query(text: &mut Vec<u8>, raw: &str, presigned: bool) {
    let encoded = |bytes: &[u8]| {
        let mut part = Vec::with_capacity(bytes.len());
        query::encode_into(&mut part, bytes);
        part
    };
    let mut pairs: Vec<(Vec<u8>, Vec<u8>)> = query::pairs(raw.as_bytes())
        .filter(|(name, _)| !presigned || name != SIGNATURE_PARAMETER.as_bytes())
        .map(|(name, value)| (encoded(&name), encoded(&value)))
        .collect();
    pairs.sort();
    for (index, (name, value)) in pairs.iter().enumerate() {
        if index > 0 {
            text.push(b'&');
        }
        text.extend_from_slice(name);
        text.push(b'=');
        text.extend_from_slice(value);
    }
}

/// `name:value,value\n`, each value trimmed and its runs of spaces made one.
fn push_header(text: &mut Vec<u8>, headers: &HeaderMap, name: &str) {
    text.extend_from_slice(name.as_bytes());
    text.push(b':');
    for (index, value) in headers.get_all(name).iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
        let words = value.as_bytes().split(blank).filter(|word| !word.is_empty());
        for (index, word) in words.enumerate() {
            if index > 0 {
                text.push(b' ');
            }
            text.extend_from_slice(word);
        }
    }
    text.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(raw: &str) -> String {
        let mut text = Vec::new();
        push_path(&mut text, raw);
        String::from_utf8(text).unwrap()
    }

    fn canonical_query(raw: &str, presigned: bool) -> String {
        let mut text = Vec::new();
        push_query(&mut text, raw, presigned);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn paths() {
        for (raw, canonical) in [
            ("/", "/"),
            ("", "/"),
            ("//", "/"),
            ("/./", "/"),
            ("/a/", "/a/"),
            ("/a//b", "/a/b"),
            ("/a/./b/../c", "/a/c"),
            ("/../..", "/"),
            ("/ሴ", "/%E1%88%B4"),
            ("/%E1%88%B4", "/%25E1%2588%25B4"),
            ("/a-b_c~d.e", "/a-b_c~d.e"),
            ("/a:b@c", "/a%3Ab%40c"),
        ] {
            assert_eq!(path(raw), canonical, "{raw:?}");
        }
    }

    #[test]
    fn queries() {
        for (raw, canonical) in [
            ("", ""),
            ("b=2&a=1", "a=1&b=2"),
            ("a=2&a=1", "a=1&a=2"),
            ("a-b=1&a=2", "a=2&a-b=1"),
            ("a", "a="),
            ("a=b=c", "a=b%3Dc"),
            ("a=%2f%2F&b=+", "a=%2F%2F&b=%20"),
            (
                "Action=CreateResource&Version=2021-09-30",
                "Action=CreateResource&Version=2021-09-30",
            ),
        ] {
            assert_eq!(canonical_query(raw, false), canonical, "{raw:?}");
        }
    }

    #[test]
    fn only_a_presigned_query_is_not_covered_whole() {
        let raw = "a=1&X-Amz-Signature=00&b=2";
        assert_eq!(canonical_query(raw, true), "a=1&b=2");
        assert_eq!(canonical_query(raw, false), "X-Amz-Signature=00&a=1&b=2");
    }

    #[test]
    fn headers() {
        let mut headers = HeaderMap::new();
        headers.append("x-one", "  a   b\t c ".parse().unwrap());
        headers.append("x-one", "d".parse().unwrap());
        headers.append("x-two", http::HeaderValue::from_bytes(b"\xff").unwrap());
        let mut text = Vec::new();
        for name in ["x-one", "x-two", "x-three"] {
            push_header(&mut text, &headers, name);
        }
        assert_eq!(text, b"x-one:a b c,d\nx-two:\xff\nx-three:\n");
    }
}
