//! Several ranges of one blob in one body: `multipart/byteranges` (RFC 9110 14.6).
//!
//! The parts come in the order that they were asked for, none merged with another: clients count
//! them. Invariant: the length is known before the first byte, and the body ends there or with an
//! error.

use std::{
    ops::Range,
    task::{Context, Poll, ready},
    vec,
};

use bytes::Bytes;
use http::HeaderValue;
use oci::media_type;

use super::{BlobBody, Error};
use crate::doors::RequestId;

/// What stands between the parts. Its boundary is the request's id, which nobody knew when the
/// blob was made.
#[derive(Clone, Copy)]
struct Delimiters {
    boundary: RequestId,
    /// Size of the whole blob in bytes.
    size_bytes: u64,
}

/// The body.
pub(super) struct PartsBody {
    blob: BlobBody,
    delimiters: Delimiters,
    parts: vec::IntoIter<Range<u64>>,
    is_first: bool,
    /// Bytes still to come, delimiters included.
    pub(super) remaining: u64,
}

impl Delimiters {
    fn before(&self, part: &Range<u64>, is_first: bool) -> Bytes {
        let line_end = if is_first { "" } else { "\r\n" };
        let boundary = self.boundary.as_str();
        let (first, last, size) = (part.start, part.end - 1, self.size_bytes);
        let kind = media_type::OCTET_STREAM;
        let text = format!(
            "{line_end}--{boundary}\r\nContent-Type: {kind}\r\n\
             Content-Range: bytes {first}-{last}/{size}\r\n\r\n"
        );
        text.into()
    }

    fn after_all(&self) -> Bytes {
        format!("\r\n--{}--\r\n", self.boundary.as_str()).into()
    }

    /// Returns how long a body of these parts is.
    fn length(&self, parts: &[Range<u64>]) -> u64 {
        let of_part = |(at, part): (usize, &Range<u64>)| {
            self.before(part, at == 0).len() as u64 + (part.end - part.start)
        };
        parts.iter().enumerate().map(of_part).sum::<u64>() + self.after_all().len() as u64
    }
}

/// Returns the `Content-Type` of the body of a request.
pub(crate) fn content_type(request_id: RequestId) -> HeaderValue {
    let text = format!("multipart/byteranges; boundary={}", request_id.as_str());
    HeaderValue::try_from(text).expect("hexadecimal digits and hyphens")
}

impl PartsBody {
    /// The parts, each inside the blob and not empty, from a reader that `blob` holds.
    pub(super) fn new(mut blob: BlobBody, parts: Vec<Range<u64>>, size_bytes: u64) -> Self {
        let delimiters = Delimiters { boundary: blob.request_id, size_bytes };
        let remaining = delimiters.length(&parts);
        blob.remaining = Some(0);
        Self { blob, delimiters, parts: parts.into_iter(), is_first: true, remaining }
    }

    pub(super) fn poll_piece(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Error>>> {
        if self.remaining == 0 {
            return Poll::Ready(None);
        }
        let piece = if self.blob.remaining != Some(0) {
            match ready!(self.blob.poll_piece(context)) {
                Some(Ok(piece)) => piece,
                other => return Poll::Ready(other),
            }
        } else if let Some(part) = self.parts.next() {
            let delimiter = self.delimiters.before(&part, self.is_first);
            self.is_first = false;
            self.blob.turn_to(part);
            delimiter
        } else {
            self.delimiters.after_all()
        };
        let remaining = self.remaining.checked_sub(piece.len() as u64);
        Poll::Ready(Some(match remaining {
            Some(remaining) => {
                self.remaining = remaining;
                Ok(piece)
            }
            None => Err(Error::Length),
        }))
    }
}
