//! What a client is still sending when its answer is ready.
//!
//! RFC 9112 9.6: a connection that is closed under a client that sends is reset, and the answer may
//! be lost with it; one that is closed without a word costs the client its next request. So the
//! rest of a body is read and dropped. What comes at once keeps the connection; with more, the
//! answer says that it closes, and the connection stays until the client has seen that. Of HTTP/1
//! only: a stream of HTTP/2 ends alone.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Response, Version, header, request::Parts};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::time::timeout;

/// How much is read before the answer leaves, in bytes: as much as Go's server does.
const BEFORE_BYTES_MAX: u64 = 256 << 10;

/// How long the answer waits for that.
const BEFORE_TIMEOUT: Duration = Duration::from_millis(500);

/// How much is read once the answer has left, in bytes: more than lies in the buffers between.
const AFTER_BYTES_MAX: u64 = 64 << 20;

/// How long that may take.
const AFTER_TIMEOUT: Duration = Duration::from_secs(5);

/// A body that nobody read to its end.
#[derive(Debug)]
struct Left<B> {
    body: B,
    /// Whether somebody asked for its bytes: then the client was told to send them.
    is_begun: bool,
}

type Slot<B> = Arc<Mutex<Option<Left<B>>>>;

/// The body of a request. Dropped before its end, it goes back to [`Unread`].
#[derive(Debug)]
pub(super) struct Given<B: Body> {
    /// There until its end.
    left: Option<Left<B>>,
    slot: Option<Slot<B>>,
}

/// Gets what is left of the body of a request that is answered.
#[derive(Debug)]
pub(super) struct Unread<B> {
    slot: Option<Slot<B>>,
    expects_continue: bool,
}

/// Hands the body of a request out, and keeps an eye on it.
pub(super) fn watch<B: Body>(head: &Parts, body: B) -> (Given<B>, Unread<B>) {
    let is_watched = head.version < Version::HTTP_2 && !body.is_end_stream();
    let slot = is_watched.then(Slot::default);
    let expects_continue = is_watched && head.headers.contains_key(header::EXPECT);
    let unread = Unread { slot: slot.clone(), expects_continue };
    (Given { left: Some(Left { body, is_begun: false }), slot }, unread)
}

impl<B> Body for Given<B>
where
    B: Body + Unpin,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let Some(left) = &mut self.left else { return Poll::Ready(None) };
        left.is_begun = true;
        let frame = ready!(Pin::new(&mut left.body).poll_frame(context));
        if !matches!(frame, Some(Ok(_))) {
            self.left = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.left.as_ref().is_none_or(|left| left.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.left.as_ref().map_or(SizeHint::with_exact(0), |left| left.body.size_hint())
    }
}

impl<B: Body> Drop for Given<B> {
    fn drop(&mut self) {
        if let (Some(left), Some(slot)) = (self.left.take(), &self.slot)
            && !left.body.is_end_stream()
        {
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(left);
        }
    }
}

impl<B> Unread<B>
where
    B: Body<Data = Bytes> + Unpin + Send + 'static,
    B::Error: Send,
{
    /// Reads what is left before `answer` leaves, or lets it say that the connection ends.
    pub(super) async fn settle<A>(self, answer: &mut Response<A>) {
        let left =
            self.slot.and_then(|slot| slot.lock().unwrap_or_else(PoisonError::into_inner).take());
        let Some(Left { mut body, is_begun }) = left else { return };
        // RFC 9110 10.1.1: whoever waits for "100 Continue" sends nothing after another answer.
        let is_sent = is_begun || !self.expects_continue;
        if is_sent {
            let rest = discard(&mut body, BEFORE_BYTES_MAX);
            if timeout(BEFORE_TIMEOUT, rest).await == Ok(true) {
                return;
            }
        }
        answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        if is_sent {
            tokio::spawn(async move {
                let _ = timeout(AFTER_TIMEOUT, discard(&mut body, AFTER_BYTES_MAX)).await;
            });
        }
    }
}

/// Reads a body and drops the bytes; tells whether it came to its end.
async fn discard<B: Body<Data = Bytes> + Unpin>(body: &mut B, bytes_max: u64) -> bool {
    let mut read = 0;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return false };
        read += frame.data_ref().map_or(0, |bytes| bytes.len() as u64);
        if read > bytes_max {
            return false;
        }
    }
    true
}
