//! The account of staging space: what is being staged reserves bytes as it grows.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use crate::Error;

/// How much may be staged at once, and how much is.
#[derive(Debug)]
pub(crate) struct StagingSpace {
    limit_bytes: u64,
    used_bytes: AtomicU64,
}

impl StagingSpace {
    pub(crate) fn new(limit_bytes: u64) -> Arc<Self> {
        Arc::new(Self { limit_bytes, used_bytes: AtomicU64::new(0) })
    }

    pub(crate) fn used_bytes(&self) -> u64 {
        self.used_bytes.load(Relaxed)
    }

    /// Starts a reservation of no bytes.
    pub(crate) fn reserve(self: &Arc<Self>) -> Reservation {
        Reservation { space: Arc::clone(self), bytes: 0 }
    }
}

/// Bytes taken from the staging space, given back on drop.
#[derive(Debug)]
pub(crate) struct Reservation {
    space: Arc<StagingSpace>,
    bytes: u64,
}

impl Reservation {
    /// Takes `bytes` more, or none where they do not fit.
    pub(crate) fn grow(&mut self, bytes: u64) -> Result<(), Error> {
        let limit_bytes = self.space.limit_bytes;
        let fits = |used: u64| used.checked_add(bytes).filter(|&total| total <= limit_bytes);
        match self.space.used_bytes.fetch_update(Relaxed, Relaxed, fits) {
            Ok(_) => self.bytes += bytes,
            Err(_) => return Err(Error::StagingFull { limit_bytes }),
        }
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.space.used_bytes.fetch_sub(self.bytes, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_is_shared_and_given_back() {
        let space = StagingSpace::new(10);
        let (mut one, mut other) = (space.reserve(), space.reserve());
        one.grow(7).unwrap();
        assert!(matches!(other.grow(4), Err(Error::StagingFull { limit_bytes: 10 })));
        other.grow(3).unwrap();
        assert_eq!(space.used_bytes(), 10);
        drop(one);
        assert_eq!(space.used_bytes(), 3);
        other.grow(7).unwrap();
        assert!(other.grow(u64::MAX).is_err());
    }
}
