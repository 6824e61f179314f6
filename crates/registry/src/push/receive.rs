//! Bytes from a client into a staged blob.

use std::{error::Error, fmt};

use blobs::StagedBlob;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream::BoxStream};

use super::PushError;

/// Why the bytes of a client stopped coming.
pub type BodyError = Box<dyn Error + Send + Sync>;

/// How many bytes are collected before they are hashed and written together.
const BATCH_BYTES: usize = 1 << 20;

/// Bytes that a client sends for a blob.
pub struct Chunk<'a> {
    /// Where in the blob they begin, where the client says.
    pub first_byte: Option<u64>,
    /// How many there are, where the client says.
    pub size_bytes: Option<u64>,
    /// The bytes.
    pub bytes: BoxStream<'a, Result<Bytes, BodyError>>,
}

impl Chunk<'_> {
    /// No bytes.
    pub fn empty() -> Self {
        Self { first_byte: None, size_bytes: None, bytes: futures_util::stream::empty().boxed() }
    }

    /// Bytes that are there.
    pub fn of(bytes: Bytes) -> Self {
        let bytes = futures_util::stream::iter([Ok(bytes)]).boxed();
        Self { first_byte: None, size_bytes: None, bytes }
    }
}

impl fmt::Debug for Chunk<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chunk")
            .field("first_byte", &self.first_byte)
            .field("size_bytes", &self.size_bytes)
            .finish_non_exhaustive()
    }
}

/// A chunk on its way into a staged blob.
pub(super) struct Receiver<'a> {
    chunk: Chunk<'a>,
    /// Bytes of this chunk that were appended.
    received_bytes: u64,
    /// Bytes the blob may have in all.
    limit_bytes: u64,
}

impl<'a> Receiver<'a> {
    pub(super) fn new(chunk: Chunk<'a>, limit_bytes: u64) -> Self {
        Self { chunk, received_bytes: 0, limit_bytes }
    }

    /// Appends a batch of what comes next; tells whether more may come.
    ///
    /// # Errors
    /// [`PushError::TooLarge`], [`PushError::LengthMismatch`], or what the store says.
    pub(super) async fn batch(
        &mut self,
        staged: StagedBlob,
    ) -> Result<(StagedBlob, Step), PushError> {
        let (mut pieces, mut batch_bytes) = (Vec::new(), 0);
        let mut step = Step::More;
        while batch_bytes < BATCH_BYTES {
            match self.chunk.bytes.next().await {
                Some(Ok(piece)) => {
                    batch_bytes += piece.len();
                    pieces.push(piece);
                }
                Some(Err(error)) => {
                    step = Step::BrokenOff(error);
                    break;
                }
                None => {
                    step = Step::Ended;
                    break;
                }
            }
        }
        self.received_bytes += batch_bytes as u64;
        self.check(&step, &staged, batch_bytes as u64)?;
        Ok((append(staged, pieces).await?, step))
    }

    fn check(&self, step: &Step, staged: &StagedBlob, batch_bytes: u64) -> Result<(), PushError> {
        if staged.size_bytes() + batch_bytes > self.limit_bytes {
            return Err(PushError::TooLarge { limit_bytes: self.limit_bytes });
        }
        let actual = self.received_bytes;
        match self.chunk.size_bytes {
            Some(expected)
                if actual > expected || (matches!(step, Step::Ended) && actual < expected) =>
            {
                Err(PushError::LengthMismatch { expected, actual })
            }
            _ => Ok(()),
        }
    }
}

/// What a batch came to.
#[derive(Debug)]
pub(super) enum Step {
    /// More may come.
    More,
    /// That was all.
    Ended,
    /// The client broke off; what came was appended.
    BrokenOff(BodyError),
}

/// Hashes and writes off the runtime.
async fn append(mut staged: StagedBlob, pieces: Vec<Bytes>) -> Result<StagedBlob, PushError> {
    if pieces.is_empty() {
        return Ok(staged);
    }
    let append = move || {
        pieces.iter().try_for_each(|piece| staged.append(piece))?;
        Ok::<_, blobs::Error>(staged)
    };
    Ok(tokio::task::spawn_blocking(append).await.map_err(|_| PushError::Abandoned)??)
}
