//! Ids of requests: shaped like a UUID, unique in this process, cheap to make.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use http::HeaderValue;

const LENGTH: usize = 36;

/// The id of one request, as it stands in its answer and in its log lines.
#[derive(Clone, Copy)]
pub(crate) struct RequestId([u8; LENGTH]);

/// A source of ids.
#[derive(Debug)]
pub(super) struct RequestIds {
    seed: u64,
    count: AtomicU64,
}

impl RequestIds {
    /// Starts a series; two processes with different seeds hardly ever share an id.
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, count: AtomicU64::new(0) }
    }

    /// Makes the next id.
    pub(super) fn next(&self) -> RequestId {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let high = scramble(self.seed.wrapping_add(count));
        let low = scramble(high ^ self.seed.rotate_left(32));
        // Version 4 and variant 1 of RFC 9562: clients that parse the id expect a random UUID.
        let high = high & !0xf000 | 0x4000;
        let low = low & !(0b11 << 62) | 0b10 << 62;
        RequestId(write(high, low))
    }
}

/// A step of SplitMix64: one to one, and neighbours end far apart.
fn scramble(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}

fn write(high: u64, low: u64) -> [u8; LENGTH] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [b'-'; LENGTH];
    let mut rest = u128::from(high) << 64 | u128::from(low);
    for at in (0..LENGTH).rev() {
        if !matches!(at, 8 | 13 | 18 | 23) {
            text[at] = DIGITS[(rest & 0xf) as usize];
            rest >>= 4;
        }
    }
    text
}

impl RequestId {
    /// Returns the id as text.
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("hexadecimal digits and hyphens")
    }

    /// Returns the id as the value of a header.
    pub(crate) fn to_header(self) -> HeaderValue {
        HeaderValue::from_maybe_shared(Bytes::copy_from_slice(&self.0))
            .expect("hexadecimal digits and hyphens")
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_differ_and_look_like_uuids() {
        let ids = RequestIds::new(7);
        let mut seen = HashSet::new();
        for _ in 0..10_000 {
            let id = ids.next();
            let text = id.as_str();
            let groups: Vec<usize> = text.split('-').map(str::len).collect();
            assert_eq!(groups, [8, 4, 4, 4, 12], "{text}");
            assert_eq!(&text[14..15], "4");
            assert!("89ab".contains(&text[19..20]), "{text}");
            assert!(seen.insert(text.to_owned()));
            assert_eq!(id.to_header(), text);
        }
    }
}
