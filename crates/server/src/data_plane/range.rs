//! Which bytes of a blob are wanted (RFC 9110 14.1 and 14.2).

use std::ops::Range;

use http::{HeaderMap, HeaderValue, header};

/// What a client wants of a blob whose size is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of it.
    Whole,
    /// These bytes, at least one.
    Part(Range<u64>),
    /// Bytes that are not there.
    Unsatisfiable,
}

/// Reads `Range` and `If-Range`. What is malformed, of another unit, or more than one range is
/// answered with the whole, as a server may.
pub(super) fn wanted(headers: &HeaderMap, etag: &HeaderValue, size_bytes: u64) -> Wanted {
    let Some(value) = headers.get(header::RANGE) else { return Wanted::Whole };
    // A date can never be the validator of content without one.
    if headers.get(header::IF_RANGE).is_some_and(|validator| validator != etag) {
        return Wanted::Whole;
    }
    value.to_str().ok().and_then(|text| single(text, size_bytes)).unwrap_or(Wanted::Whole)
}

fn single(text: &str, size_bytes: u64) -> Option<Wanted> {
    let (unit, set) = text.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") || set.contains(',') {
        return None;
    }
    let (first, last) = set.trim().split_once('-')?;
    if first.is_empty() {
        let length = number(last)?.min(size_bytes);
        return Some(part(size_bytes - length..size_bytes));
    }
    let first = number(first)?;
    let end = match last {
        "" => size_bytes,
        last => {
            let last = number(last)?;
            if last < first {
                return None;
            }
            last.saturating_add(1).min(size_bytes)
        }
    };
    Some(part(first..end))
}

fn part(range: Range<u64>) -> Wanted {
    if range.is_empty() { Wanted::Unsatisfiable } else { Wanted::Part(range) }
}

/// Reads digits; a number too large for any blob is as good as the largest.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(range: &str, if_range: Option<&str>, size_bytes: u64) -> Wanted {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_str(range).unwrap());
        if let Some(validator) = if_range {
            headers.insert(header::IF_RANGE, validator.parse().unwrap());
        }
        wanted(&headers, &HeaderValue::from_static("\"e\""), size_bytes)
    }

    #[test]
    fn ranges() {
        for (range, expected) in [
            ("bytes=0-0", Wanted::Part(0..1)),
            ("bytes=2-5", Wanted::Part(2..6)),
            ("BYTES=2-5", Wanted::Part(2..6)),
            ("bytes=2-", Wanted::Part(2..10)),
            ("bytes=9-99999999999999999999999", Wanted::Part(9..10)),
            ("bytes=-3", Wanted::Part(7..10)),
            ("bytes=-30", Wanted::Part(0..10)),
            ("bytes=-0", Wanted::Unsatisfiable),
            ("bytes=10-", Wanted::Unsatisfiable),
            ("bytes=10-20", Wanted::Unsatisfiable),
            ("bytes=99999999999999999999999-", Wanted::Unsatisfiable),
            ("bytes=5-2", Wanted::Whole),
            ("bytes=0-1,4-5", Wanted::Whole),
            ("bytes=-", Wanted::Whole),
            ("bytes=a-b", Wanted::Whole),
            ("bytes=+1-2", Wanted::Whole),
            ("bytes", Wanted::Whole),
            ("lines=1-2", Wanted::Whole),
            ("", Wanted::Whole),
        ] {
            assert_eq!(read(range, None, 10), expected, "{range}");
        }
        assert_eq!(read("bytes=0-", None, 0), Wanted::Unsatisfiable);
        assert_eq!(read("bytes=1-2", Some("\"e\""), 10), Wanted::Part(1..3));
        for validator in ["W/\"e\"", "\"f\"", "Sun, 06 Nov 1994 08:49:37 GMT"] {
            assert_eq!(read("bytes=1-2", Some(validator), 10), Wanted::Whole, "{validator}");
        }
    }

    proptest! {
        #[test]
        fn a_part_is_inside_and_not_empty(range in "bytes=[0-9]{0,21}-[0-9]{0,21}", size in 0_u64..100) {
            if let Wanted::Part(part) = read(&range, None, size) {
                prop_assert!(part.start < part.end && part.end <= size);
            }
        }
    }
}
