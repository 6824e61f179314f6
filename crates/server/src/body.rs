//! Bodies of answers: nothing, bytes that are there, or a blob as it comes.
//!
//! Invariant: a body whose size is known says so, and ends there or with an error; the server
//! aborts the connection on an error, so that no client takes a part for the whole.

mod parts;

use std::{
    fmt,
    future::Future,
    ops::Range,
    pin::Pin,
    task::{Context, Poll, ready},
};

use blobs::Access;
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header::CONTENT_TYPE};
use http_body::{Frame, SizeHint};
use registry::{BlobReader, ReadError, chain};

use self::parts::PartsBody;
pub(crate) use self::parts::content_type as parts_content_type;
use crate::doors::{Exchange, RequestId};

/// What a body of a request may fail with.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a body ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The blob cannot be read on.
    #[error("the blob cannot be read on")]
    Read(#[from] ReadError),
    /// The reader gave more or fewer bytes than the head announced.
    #[error("the blob's length is not the one announced")]
    Length,
}

/// The body of an answer.
pub(crate) struct Body(Content);

/// Boxed where it is large: an answer is moved about a lot before it leaves.
enum Content {
    Full(Bytes),
    Unknown,
    Blob(Box<BlobBody>),
    Parts(Box<PartsBody>),
}

type Piece = Option<Result<Bytes, ReadError>>;
type Reading = Pin<Box<dyn Future<Output = (BlobReader, Piece)> + Send>>;

struct BlobBody {
    state: State,
    access: Access,
    /// Bytes still to come, where the size is known.
    remaining: Option<u64>,
    request_id: RequestId,
}

/// The reader, or the future that has borrowed it by moving it.
enum State {
    Idle(BlobReader),
    Reading(Reading),
    Done,
}

impl Body {
    /// Nothing.
    pub(crate) fn empty() -> Self {
        Self(Content::Full(Bytes::new()))
    }

    /// Nothing, where a GET would have something of unknown length: an empty body would make the
    /// server announce a length of zero.
    pub(crate) fn unknown() -> Self {
        Self(Content::Unknown)
    }

    /// Bytes that are there.
    pub(crate) fn full(bytes: impl Into<Bytes>) -> Self {
        Self(Content::Full(bytes.into()))
    }

    /// `size_bytes` from a blob, or all that the reader gives where that is not known yet.
    pub(crate) fn blob(reader: BlobReader, size_bytes: Option<u64>, exchange: &Exchange) -> Self {
        Self(Content::Blob(Box::new(BlobBody::new(reader, size_bytes, exchange))))
    }

    /// Several parts of a blob of `size_bytes`, each inside it and not empty, as
    /// `multipart/byteranges`.
    pub(crate) fn parts(
        reader: BlobReader,
        parts: Vec<Range<u64>>,
        size_bytes: u64,
        exchange: &Exchange,
    ) -> Self {
        let blob = BlobBody::new(reader, None, exchange);
        Self(Content::Parts(Box::new(PartsBody::new(blob, parts, size_bytes))))
    }
}

/// An answer of a few words.
pub(crate) fn text(status: StatusCode, text: &'static str) -> Response<Body> {
    full(status, HeaderValue::from_static("text/plain; charset=utf-8"), text)
}

/// An answer whose bytes are there.
pub(crate) fn full(
    status: StatusCode,
    content_type: HeaderValue,
    bytes: impl Into<Bytes>,
) -> Response<Body> {
    let mut response = Response::new(Body::full(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

impl BlobBody {
    fn new(reader: BlobReader, remaining: Option<u64>, exchange: &Exchange) -> Self {
        Self {
            state: State::Idle(reader),
            access: exchange.connection.access,
            remaining,
            request_id: exchange.request_id,
        }
    }

    /// Goes on with another part; nothing may be under way.
    fn turn_to(&mut self, part: Range<u64>) {
        if let State::Idle(reader) = &mut self.state {
            self.remaining = Some(part.end - part.start);
            reader.turn_to(part);
        }
    }

    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        if self.remaining == Some(0) {
            self.state = State::Done;
        }
        let mut reading = match std::mem::replace(&mut self.state, State::Done) {
            State::Done => return Poll::Ready(None),
            State::Reading(reading) => reading,
            State::Idle(mut reader) => {
                let access = self.access;
                Box::pin(async move {
                    let piece = reader.next(access).await;
                    (reader, piece)
                })
            }
        };
        let Poll::Ready((reader, piece)) = reading.as_mut().poll(context) else {
            self.state = State::Reading(reading);
            return Poll::Pending;
        };
        let outcome = match piece {
            Some(Ok(bytes)) => self.count(bytes),
            Some(Err(error)) => Err(Error::Read(error)),
            // Without a size the reader says where the end is.
            None if self.remaining.is_none() => return Poll::Ready(None),
            None => Err(Error::Length),
        };
        match &outcome {
            Ok(_) => self.state = State::Idle(reader),
            Err(error) => {
                let request_id = self.request_id.as_str();
                tracing::warn!(request_id, error = chain(error), "aborted an answer");
            }
        }
        Poll::Ready(Some(outcome))
    }

    fn count(&mut self, bytes: Bytes) -> Result<Bytes, Error> {
        if let Some(remaining) = &mut self.remaining {
            *remaining = remaining.checked_sub(bytes.len() as u64).ok_or(Error::Length)?;
        }
        Ok(bytes)
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match &mut self.0 {
            Content::Unknown => Poll::Ready(None),
            Content::Full(bytes) if bytes.is_empty() => Poll::Ready(None),
            Content::Full(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Content::Blob(blob) => {
                let piece = ready!(blob.poll_piece(context));
                Poll::Ready(piece.map(|outcome| outcome.map(Frame::data)))
            }
            Content::Parts(parts) => {
                let piece = ready!(parts.poll_piece(context));
                Poll::Ready(piece.map(|outcome| outcome.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Content::Full(bytes) => bytes.is_empty(),
            Content::Unknown => false,
            Content::Blob(blob) => blob.remaining == Some(0) || matches!(blob.state, State::Done),
            Content::Parts(parts) => parts.remaining == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Content::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Unknown => SizeHint::new(),
            Content::Blob(blob) => blob.remaining.map_or_else(SizeHint::new, SizeHint::with_exact),
            Content::Parts(parts) => SizeHint::with_exact(parts.remaining),
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Content::Full(bytes) => write!(f, "{} bytes", bytes.len()),
            Content::Unknown => f.write_str("nothing, of unknown length"),
            Content::Blob(blob) => write!(f, "a blob, {:?} bytes to come", blob.remaining),
            Content::Parts(parts) => write!(f, "parts, {} bytes to come", parts.remaining),
        }
    }
}
