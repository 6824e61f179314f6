//! Content of any size that is never held in memory whole.

use std::sync::{Arc, OnceLock};

use bytes::{Bytes, BytesMut};
use oci::{Algorithm, Digest, Hasher};

/// Bytes between two markers. Large, so that making content costs little more than copying it.
const CELL_BYTES: usize = 64 * 1024;

/// Deterministic content: a cell of noise, repeated, each repetition marked with its number, so
/// that no two parts of it are alike. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Pattern {
    cell: Arc<[u8]>,
    size_bytes: u64,
    digest: Arc<OnceLock<Digest>>,
}

impl Pattern {
    /// Makes content of `size_bytes`; other seeds make other content.
    pub fn new(seed: u64, size_bytes: u64) -> Self {
        let mut state = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let cell = std::iter::repeat_with(|| next_noise(&mut state).to_le_bytes())
            .flatten()
            .take(CELL_BYTES)
            .collect();
        Self { cell, size_bytes, digest: Arc::default() }
    }

    /// Returns the size in bytes.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Returns the SHA-256 digest; the first call on any clone computes it.
    pub fn digest(&self) -> Digest {
        let compute = || {
            let mut hasher = Hasher::new(Algorithm::Sha256);
            let mut offset = 0;
            while offset < self.size_bytes {
                let part = self.read(offset, CELL_BYTES);
                hasher.update(&part);
                offset += part.len() as u64;
            }
            hasher.finish()
        };
        self.digest.get_or_init(compute).clone()
    }

    /// Returns at most `max` bytes from `offset` on: to the end of a cell or of the content.
    pub fn read(&self, offset: u64, max: usize) -> Bytes {
        let cell_bytes = CELL_BYTES as u64;
        let number = offset / cell_bytes;
        let start = usize::try_from(offset % cell_bytes).expect("smaller than a cell");
        let left = usize::try_from(self.size_bytes.saturating_sub(offset)).unwrap_or(usize::MAX);
        let length = max.min(left).min(CELL_BYTES - start);
        let mut part = BytesMut::from(&self.cell[start..start + length]);
        let marker = number.to_le_bytes();
        for (index, byte) in marker.iter().enumerate().skip(start).take(length) {
            part[index - start] = *byte;
        }
        part.freeze()
    }

    /// Tells whether `bytes` are what stands at `offset`.
    pub fn matches(&self, mut offset: u64, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() {
            let expected = self.read(offset, bytes.len());
            if expected.is_empty() || bytes[..expected.len()] != expected[..] {
                return false;
            }
            bytes = &bytes[expected.len()..];
            offset += expected.len() as u64;
        }
        true
    }
}

/// xorshift64*: noise that does not compress and needs no crate.
fn next_noise(state: &mut u64) -> u64 {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    state.wrapping_mul(0x2545_f491_4f6c_dd1d)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_cut_gives_the_same_bytes() {
        let pattern = Pattern::new(1, 200_000);
        let mut whole = Vec::new();
        while whole.len() < 200_000 {
            whole.extend_from_slice(&pattern.read(whole.len() as u64, usize::MAX));
        }
        assert_eq!(Digest::of(&whole), pattern.digest());
        assert!(pattern.matches(0, &whole));
        for offset in [0, 1, 7, 8, 65_535, 65_536, 65_537, 65_540, 131_071, 199_999] {
            let part = pattern.read(offset as u64, 5);
            assert_eq!(part, whole[offset..offset + part.len()], "{offset}");
            assert!(!part.is_empty());
        }
        assert!(pattern.read(200_000, 1).is_empty());
        whole[70_000] ^= 1;
        assert!(!pattern.matches(0, &whole));
    }

    #[test]
    fn seeds_make_other_content() {
        assert_ne!(Pattern::new(1, 100).digest(), Pattern::new(2, 100).digest());
    }
}
