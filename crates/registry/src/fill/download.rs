//! A blob's bytes from its upstream, taken up again where the connection breaks.

use std::time::Duration;

use bytes::{Buf as _, Bytes};
use futures_util::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use oci::Digest;
use upstream::{BlobBody, Error, Target};

use crate::{Counter, chain, registry::Inner};

/// Breaks in a row, none of which brought a byte, after which the upstream is given up.
const BARREN_MAX: u32 = 3;
/// How long the second resumption after a barren break waits; each further one twice as long.
const PAUSE: Duration = Duration::from_millis(100);
/// How long the first one waits after a 429 without a time; each further one twice as long.
const LIMITED_PAUSE: Duration = Duration::from_secs(1);

/// The bytes of one blob, in order and each once, over as many requests as it takes. A digest is
/// one representation for ever, so that parts of different answers fit together; the digest of the
/// whole is checked before anything is committed.
pub(super) struct Download<'a> {
    inner: &'a Inner,
    target: &'a Target,
    digest: &'a Digest,
    bytes: BoxStream<'static, Result<Bytes, Error>>,
    /// Size of the blob, where the first answer told it.
    size_bytes: Option<u64>,
    received_bytes: u64,
    /// Bytes to come that are here already: the upstream does not speak Range.
    repeated_bytes: u64,
    breaks: u32,
    barren_breaks: u32,
    /// Time spent in pauses since the last byte.
    paused: Duration,
}

impl<'a> Download<'a> {
    /// Goes on with the first answer.
    pub(super) fn new(
        inner: &'a Inner,
        target: &'a Target,
        digest: &'a Digest,
        body: BlobBody,
    ) -> Self {
        Self {
            inner,
            target,
            digest,
            size_bytes: body.size_bytes,
            bytes: body.bytes,
            received_bytes: 0,
            repeated_bytes: 0,
            breaks: 0,
            barren_breaks: 0,
            paused: Duration::ZERO,
        }
    }

    /// Returns the next piece, none at the end. A break is bridged here; nobody notices but by
    /// the time it takes.
    ///
    /// # Errors
    /// What a resumption would not change, and what broke once too often.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            match self.bytes.next().await {
                Some(Ok(piece)) => {
                    if let Some(piece) = self.take(piece) {
                        return Ok(Some(piece));
                    }
                }
                Some(Err(error)) => self.resume(error).await?,
                None => return Ok(None),
            }
        }
    }

    /// Returns what of a piece is new.
    fn take(&mut self, mut piece: Bytes) -> Option<Bytes> {
        self.inner.counters.add(Counter::FillBytes, piece.len() as u64);
        let repeated = piece.len().min(usize::try_from(self.repeated_bytes).unwrap_or(usize::MAX));
        self.repeated_bytes -= repeated as u64;
        piece.advance(repeated);
        if piece.is_empty() {
            return None;
        }
        self.received_bytes += piece.len() as u64;
        (self.barren_breaks, self.paused) = (0, Duration::ZERO);
        Some(piece)
    }

    /// Asks for what is missing, anew from the registry on: a redirect's signature may have
    /// expired, and a token too.
    async fn resume(&mut self, mut error: Error) -> Result<(), Error> {
        // Gives the transfer back that the next request needs.
        self.bytes = stream::empty().boxed();
        loop {
            self.breaks += 1;
            self.barren_breaks += 1;
            let is_spent = self.breaks > self.inner.settings.fill_resumes_max
                || self.barren_breaks > BARREN_MAX;
            let Some(pause) = self.pause(&error).filter(|_| !is_spent) else { return Err(error) };
            self.note(&error, pause);
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
                self.paused += pause;
            }
            let upstream = &self.inner.upstream;
            match upstream.fetch_blob(self.target, self.digest, self.received_bytes).await {
                Ok(body) => return self.go_on(body),
                Err(next) => error = next,
            }
        }
    }

    /// Says how long to wait before the next try, as the upstream wants it. None where a try would
    /// not help, or where readers would stand still for longer than they do for an upstream that
    /// falls silent: they had better be told.
    fn pause(&self, error: &Error) -> Option<Duration> {
        let doublings = self.barren_breaks.saturating_sub(2);
        let own = match error {
            Error::RateLimited { .. } => LIMITED_PAUSE * 2u32.pow(self.barren_breaks - 1),
            error if !error.is_transient() => return None,
            _ if self.barren_breaks > 1 => PAUSE * 2u32.pow(doublings),
            _ => Duration::ZERO,
        };
        let pause = error.retry_after().unwrap_or(own);
        let paused = self.paused.checked_add(pause)?;
        (paused <= self.inner.settings.fill_pause_max).then_some(pause)
    }

    fn go_on(&mut self, body: BlobBody) -> Result<(), Error> {
        if let (Some(before), Some(now)) = (self.size_bytes, body.size_bytes)
            && before != now
        {
            let host = self.target.registry_url.to_string();
            let reason = format!("{} had {before} bytes and now has {now}", self.digest);
            return Err(Error::Invalid { host, reason });
        }
        self.repeated_bytes = self.received_bytes - body.offset;
        self.bytes = body.bytes;
        Ok(())
    }

    fn note(&self, error: &Error, pause: Duration) {
        self.inner.counters.increment(Counter::FillsResumed);
        tracing::info!(
            digest = %self.digest,
            upstream = %self.target.registry_url,
            received_bytes = self.received_bytes,
            pause_millis = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
            error = chain(error),
            "fill of {} broke off and goes on at byte {}", self.digest, self.received_bytes
        );
    }
}
