//! Taking bytes that are here already, without a link: where the upstream proves that it has them.
//!
//! Whoever makes a rule chooses its upstream, and the bytes of every tenant of this server lie in
//! one store. An upstream that only had to say "I have it" could have anything linked whose digest
//! somebody knows. So it has to send a part that is drawn here at random, which only who has the
//! bytes can. ADR 0010 has the reasons and the limits of it.

use std::ops::Range;

use blobs::{Access, Blob, Claim};

use super::{
    FillError,
    task::{FillTask, stored},
};
use crate::{LinkWish, random};

/// How long a part is, in bytes. A blob that is no longer comes whole, which proves more.
const PART_BYTES: u64 = 64 << 10;
/// How many different bytes a part has at least. What compresses well could be guessed.
const DIFFERENT_MIN: usize = 128;
/// How many parts are drawn, to find one that nobody could guess.
const DRAWS: usize = 4;

impl FillTask {
    /// Takes bytes that are here, if the upstream shows this identity that it has them: one GET of
    /// a part.
    pub(super) async fn adopt(&self) -> Result<Option<(Blob, Claim)>, FillError> {
        let claim = self.blobs().claim(&self.digest).await.map_err(stored)?;
        if claim.stored_bytes().is_none() {
            return Ok(None);
        }
        let blob = match self.blobs().open(&self.digest).await {
            Ok(blob) => blob,
            Err(blobs::Error::NotFound(_)) => return Ok(None),
            Err(error) => return Err(stored(error)),
        };
        let LinkWish { registry, repository, .. } = &self.wish;
        match self.inner.linked_size(registry, repository, &self.digest).await {
            // By a fill that ended between the reader's look and this one.
            Ok(Some(size_bytes)) if size_bytes == blob.size_bytes => {
                return Ok(Some((blob, claim)));
            }
            _ => {}
        }
        let Some((part, here)) = draw(&blob).await.map_err(stored)? else { return Ok(None) };
        let (upstream, size_bytes) = (&self.inner.upstream, blob.size_bytes);
        match upstream.sample_blob(&self.target, &self.digest, part, size_bytes).await {
            Ok(Some(there)) if there == here => Ok(Some((blob, claim))),
            // What is here was cut off, or the upstream does not tell the truth, or it cannot send a
            // part: the bytes will show. Their commit replaces a stored blob of another length.
            Ok(_) => Ok(None),
            Err(error) => Err(FillError::Upstream(error.into())),
        }
    }
}

/// Draws a part of a stored blob that could not be guessed; none where there is none to be found.
async fn draw(blob: &Blob) -> Result<Option<(Range<u64>, Vec<u8>)>, blobs::Error> {
    let Some(room) = blob.size_bytes.checked_sub(PART_BYTES).filter(|room| *room > 0) else {
        return Ok(None);
    };
    for _ in 0..DRAWS {
        let start = random::below(room + 1);
        let part = start..start + PART_BYTES;
        let bytes = read(blob, &part).await?;
        if different(&bytes) >= DIFFERENT_MIN {
            return Ok(Some((part, bytes)));
        }
    }
    Ok(None)
}

async fn read(blob: &Blob, part: &Range<u64>) -> Result<Vec<u8>, blobs::Error> {
    let mut bytes = Vec::with_capacity(PART_BYTES as usize);
    let mut at = part.start;
    while at < part.end {
        let max = usize::try_from(part.end - at).unwrap_or(usize::MAX);
        let piece = blob.content.read(at, max, Access::User).await?;
        at += piece.len() as u64;
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

fn different(bytes: &[u8]) -> usize {
    let mut seen = [false; 256];
    bytes.iter().for_each(|byte| seen[usize::from(*byte)] = true);
    seen.into_iter().filter(|seen| *seen).count()
}
