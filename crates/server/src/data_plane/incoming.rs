//! Bodies of requests, as the registry takes them.

use std::{pin::Pin, time::Duration};

use bytes::Bytes;
use futures_util::{
    StreamExt as _, TryStreamExt as _,
    stream::{self, BoxStream},
};
use http::{header, request::Parts};
use http_body_util::{BodyDataStream, BodyExt as _};
use registry::BodyError;

use crate::body::Cause;

/// How much of a body is read, and for how long, after its request was refused.
const DISCARDED_BYTES_MAX: u64 = 64 << 20;
const DISCARDED_FOR: Duration = Duration::from_secs(5);

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

/// Reads on what a client is sending although it was refused, so that it sees the answer: a
/// connection that is closed with bytes unread is reset, and the reset may overtake the answer (RFC
/// 9112 9.6). A client that waits to be told to go on is not told.
pub(super) async fn discard<B>(head: &Parts, mut body: Pin<&mut B>)
where
    B: http_body::Body<Data = Bytes>,
{
    let announced = head.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let announced = announced.and_then(|length| length.parse().ok());
    let is_untouched = announced.is_none() || body.size_hint().exact() == announced;
    if is_untouched && head.headers.contains_key(header::EXPECT) {
        return;
    }
    let mut room = Some(DISCARDED_BYTES_MAX);
    let read = async {
        while let (Some(left), Some(Ok(frame))) = (room, body.as_mut().frame().await) {
            room = left.checked_sub(frame.data_ref().map_or(0, Bytes::len) as u64);
        }
    };
    // Whatever comes of it, the answer is the same.
    let _ = tokio::time::timeout(DISCARDED_FOR, read).await;
}
