//! Which bytes of a blob are wanted (RFC 9110 14.1 and 14.2).

use std::ops::Range;

use http::{HeaderMap, HeaderValue, header};

/// How many ranges one request may ask for: as many as clients of partial layers do
/// (containers/storage asks for at most 1024 at once).
const RANGES_MAX: usize = 1024;

/// How many ranges may hold the same byte. RFC 9110 14.2 calls more than two a mistake or an attack.
const OVERLAPS_MAX: usize = 2;

/// What a client wants of a blob whose size is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of it.
    Whole,
    /// These bytes, at least one.
    Part(Range<u64>),
    /// Several parts in this order, each at least one byte.
    Parts(Vec<Range<u64>>),
    /// Bytes that are not there.
    Unsatisfiable,
}

/// Reads `Range` and `If-Range`. What is malformed, of another unit, or more than is reasonable is
/// answered with the whole, and a range that ends before it begins is refused, as a server may
/// (RFC 9110 14.2).
pub(super) fn wanted(headers: &HeaderMap, etag: &HeaderValue, size_bytes: u64) -> Wanted {
    let Some(value) = headers.get(header::RANGE) else { return Wanted::Whole };
    // A date can never be the validator of content without one.
    if headers.get(header::IF_RANGE).is_some_and(|validator| validator != etag) {
        return Wanted::Whole;
    }
    value.to_str().ok().and_then(|text| read(text, size_bytes)).unwrap_or(Wanted::Whole)
}

fn read(text: &str, size_bytes: u64) -> Option<Wanted> {
    let (unit, set) = text.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    // Empty elements of a list count for nothing (RFC 9110 5.6.1.2).
    let specs = set.split(',').map(|spec| spec.trim_matches([' ', '\t']));
    let mut specs = specs.filter(|spec| !spec.is_empty());
    let mut ranges = vec![part(specs.next()?, size_bytes)?];
    for spec in specs {
        if ranges.len() == RANGES_MAX {
            return None;
        }
        ranges.push(part(spec, size_bytes)?);
    }
    if ranges.iter().any(|range| range.end < range.start) {
        return Some(Wanted::Unsatisfiable);
    }
    ranges.retain(|range| !range.is_empty());
    match ranges.as_slice() {
        [] => Some(Wanted::Unsatisfiable),
        [range] => Some(Wanted::Part(range.clone())),
        several => is_reasonable(several).then_some(Wanted::Parts(ranges)),
    }
}

/// Reads one range into the bytes that there are of it; one that is backwards stays so. `None`
/// where it is malformed.
fn part(spec: &str, size_bytes: u64) -> Option<Range<u64>> {
    let (first, last) = spec.split_once('-')?;
    if first.is_empty() {
        let length = number(last)?.min(size_bytes);
        return Some(size_bytes - length..size_bytes);
    }
    let first = number(first)?;
    let end = match last {
        "" => size_bytes.max(first),
        last => {
            let last = number(last)?;
            if last < first { last } else { last.saturating_add(1).min(size_bytes.max(first)) }
        }
    };
    Some(first..end)
}

/// Tells whether no byte is asked for too often, so that no answer is much larger than its blob.
fn is_reasonable(ranges: &[Range<u64>]) -> bool {
    // An end comes before a start at the same place: the two do not overlap.
    let steps = ranges.iter().flat_map(|range| [(range.start, true), (range.end, false)]);
    let mut steps: Vec<_> = steps.collect();
    steps.sort_unstable();
    let mut depth = 0;
    steps.into_iter().all(|(_, starts)| {
        if starts {
            depth += 1;
        } else {
            depth -= 1;
        }
        depth <= OVERLAPS_MAX
    })
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
            ("bytes=5-2", Wanted::Unsatisfiable),
            ("bytes=50-2", Wanted::Unsatisfiable),
            ("bytes=0-1,4-5", Wanted::Parts(vec![0..2, 4..6])),
            ("bytes= 4-5 ,\t0-1,, -1,", Wanted::Parts(vec![4..6, 0..2, 9..10])),
            ("bytes=0-5,2-3,3-9", Wanted::Whole),
            ("bytes=0-5,2-3,4-9", Wanted::Parts(vec![0..6, 2..4, 4..10])),
            ("bytes=0-0,0-0", Wanted::Parts(vec![0..1, 0..1])),
            ("bytes=0-0,0-0,0-0", Wanted::Whole),
            ("bytes=0-1,20-30", Wanted::Part(0..2)),
            ("bytes=10-,20-30,-0", Wanted::Unsatisfiable),
            ("bytes=0-1,5-2", Wanted::Unsatisfiable),
            ("bytes=0-1,x", Wanted::Whole),
            ("bytes=,,", Wanted::Whole),
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

    #[test]
    fn there_may_be_so_many_ranges_and_no_more() {
        let list = |count: usize| {
            let ranges: Vec<_> = (0..count).map(|at| format!("{0}-{0}", at * 2)).collect();
            read(&format!("bytes={}", ranges.join(",")), None, 10_000)
        };
        assert!(matches!(list(RANGES_MAX), Wanted::Parts(parts) if parts.len() == RANGES_MAX));
        assert_eq!(list(RANGES_MAX + 1), Wanted::Whole);
    }

    proptest! {
        #[test]
        fn a_part_is_inside_and_not_empty(
            range in "bytes=[0-9]{0,21}-[0-9]{0,21}(,[0-9]{0,2}-[0-9]{0,2}){0,4}",
            size in 0_u64..100,
        ) {
            let parts = match read(&range, None, size) {
                Wanted::Part(part) => vec![part],
                Wanted::Parts(parts) => parts,
                Wanted::Whole | Wanted::Unsatisfiable => Vec::new(),
            };
            for part in &parts {
                prop_assert!(part.start < part.end && part.end <= size);
            }
            prop_assert!(parts.iter().map(|part| part.end - part.start).sum::<u64>() <= 2 * size);
        }
    }
}
