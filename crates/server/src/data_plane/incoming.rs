//! Bodies of requests, as the registry takes them.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{
    StreamExt as _, TryStreamExt as _,
    stream::{self, BoxStream},
};
use http_body_util::BodyDataStream;
use registry::BodyError;

use crate::body::Cause;

/// Why a body ended early.
#[derive(Debug, thiserror::Error)]
#[error("no byte of the body came for {} s", pause_max.as_secs())]
struct Stalled {
    pause_max: Duration,
}

/// The bytes of a body as they come. One that stops coming for longer than `pause_max` is broken.
pub(super) fn pieces<'a, B>(body: B, pause_max: Duration) -> BoxStream<'a, Result<Bytes, BodyError>>
where
    B: http_body::Body<Data = Bytes> + Send + 'a,
    B::Error: Into<Cause>,
{
    let pieces = BodyDataStream::new(body).map_err(Into::into).boxed();
    let next = move |pieces: Option<BoxStream<'a, Result<Bytes, BodyError>>>| async move {
        let mut pieces = pieces?;
        match tokio::time::timeout(pause_max, pieces.next()).await {
            Ok(Some(piece)) => {
                let rest = piece.is_ok().then_some(pieces);
                Some((piece, rest))
            }
            Ok(None) => None,
            Err(_) => Some((Err(Stalled { pause_max }.into()), None)),
        }
    };
    stream::unfold(Some(pieces), next).boxed()
}

/// Reads a body that is small; `None` where it is larger than `bytes_max`.
pub(super) async fn collect(
    mut pieces: BoxStream<'_, Result<Bytes, BodyError>>,
    bytes_max: u64,
) -> Result<Option<Bytes>, BodyError> {
    let mut all = Vec::new();
    while let Some(piece) = pieces.next().await {
        let piece = piece?;
        if (all.len() + piece.len()) as u64 > bytes_max {
            return Ok(None);
        }
        all.extend_from_slice(&piece);
    }
    Ok(Some(all.into()))
}
