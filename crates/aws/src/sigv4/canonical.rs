//! The canonical request: the one text that both sides hash.

use http::HeaderMap;

use super::Request;
use crate::query;

/// The query parameter that holds a presigned request's signature, and so is not covered by it.
pub(super) const SIGNATURE_PARAMETER: &str = "X-Amz-Signature";

/// Writes the canonical request. `signed_headers` are lower-case names in the order the signature
/// names them; one that the request lacks counts as empty.
pub(super) fn request(
    request: &Request<'_>,
    signed_headers: &[String],
    payload_hash: &str,
) -> String {
    let mut text = String::with_capacity(512);
    text.push_str(request.method);
    text.push('\n');
    push_path(&mut text, request.path);
    text.push('\n');
    push_query(&mut text, request.query);
    text.push('\n');
    for name in signed_headers {
        push_header(&mut text, request.headers, name);
    }
    text.push('\n');
    text.push_str(&signed_headers.join(";"));
    text.push('\n');
    text.push_str(payload_hash);
    text
}

/// The path without dot segments and doubled slashes, and encoded once more than it travelled.
fn push_path(text: &mut String, path: &str) {
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
        text.push('/');
        query::encode_into(text, segment.as_bytes(), b"");
    }
    if segments.is_empty() || path.ends_with('/') {
        text.push('/');
    }
}

/// Decoded, encoded again in AWS's way, and sorted by name, then value.
fn push_query(text: &mut String, raw: &str) {
    let encoded = |bytes: &[u8]| {
        let mut part = String::with_capacity(bytes.len());
        query::encode_into(&mut part, bytes, b"");
        part
    };
    let mut pairs: Vec<(String, String)> = query::pairs(raw.as_bytes())
        .map(|(name, value)| (encoded(&name), encoded(&value)))
        .filter(|(name, _)| name != SIGNATURE_PARAMETER)
        .collect();
    pairs.sort();
    for (index, (name, value)) in pairs.iter().enumerate() {
        if index > 0 {
            text.push('&');
        }
        text.push_str(name);
        text.push('=');
        text.push_str(value);
    }
}

/// `name:value,value\n`, each value trimmed and its runs of spaces made one. Bytes that are not
/// UTF-8 are percent-encoded so that two different values never look alike.
fn push_header(text: &mut String, headers: &HeaderMap, name: &str) {
    text.push_str(name);
    text.push(':');
    for (index, value) in headers.get_all(name).iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        match std::str::from_utf8(value.as_bytes()) {
            Ok(value) => push_collapsed(text, value),
            Err(_) => query::encode_into(text, value.as_bytes(), b""),
        }
    }
    text.push('\n');
}

fn push_collapsed(text: &mut String, value: &str) {
    let mut words = value.split([' ', '\t']).filter(|word| !word.is_empty());
    text.push_str(words.next().unwrap_or_default());
    for word in words {
        text.push(' ');
        text.push_str(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(raw: &str) -> String {
        let mut text = String::new();
        push_path(&mut text, raw);
        text
    }

    fn canonical_query(raw: &str) -> String {
        let mut text = String::new();
        push_query(&mut text, raw);
        text
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
            ("a=1&X-Amz-Signature=00&b=2", "a=1&b=2"),
            (
                "Action=CreateResource&Version=2021-09-30",
                "Action=CreateResource&Version=2021-09-30",
            ),
        ] {
            assert_eq!(canonical_query(raw), canonical, "{raw:?}");
        }
    }

    #[test]
    fn headers() {
        let mut headers = HeaderMap::new();
        headers.append("x-one", "  a   b\t c ".parse().unwrap());
        headers.append("x-one", "d".parse().unwrap());
        headers.append("x-two", http::HeaderValue::from_bytes(b"\xff").unwrap());
        let mut text = String::new();
        for name in ["x-one", "x-two", "x-three"] {
            push_header(&mut text, &headers, name);
        }
        assert_eq!(text, "x-one:a b c,d\nx-two:%FF\nx-three:\n");
    }
}
