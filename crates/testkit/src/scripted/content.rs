//! What a scripted upstream has, and how it leaves: with the faults its script asks for.

use std::{convert::Infallible, io, ops::Range, sync::Arc};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, stream};
use http_body_util::{BodyExt as _, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::Frame;

use super::{
    script::{Cut, Script},
    socket::Line,
};
use crate::Pattern;

/// A body as hyper sends it; an error breaks the connection.
pub(super) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// Largest part of a body handed over at once.
const PART_BYTES: usize = 64 * 1024;

/// Something that can be asked for.
#[derive(Clone, Debug)]
pub(super) struct Resource {
    pub(super) content: Content,
    pub(super) content_type: String,
    pub(super) digest: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    Bytes(Bytes),
    Pattern(Pattern),
}

impl Content {
    pub(super) fn size_bytes(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Pattern(pattern) => pattern.size_bytes(),
        }
    }

    fn read(&self, offset: u64, max: usize) -> Bytes {
        match self {
            Self::Pattern(pattern) => pattern.read(offset, max),
            Self::Bytes(bytes) => {
                let start = usize::try_from(offset).expect("inside the content");
                bytes.slice(start..bytes.len().min(start.saturating_add(max)))
            }
        }
    }
}

pub(super) fn full(bytes: impl Into<Bytes>) -> Body {
    http_body_util::Full::new(bytes.into())
        .map_err(|never: Infallible| match never {})
        .boxed_unsync()
}

/// Sends `range` of `content` as `script` has it.
pub(super) fn body(content: Content, range: Range<u64>, script: Script, line: Arc<Line>) -> Body {
    let sending = Sending { at: range.start, content, range, script, line };
    StreamBody::new(frames(sending)).boxed_unsync()
}

struct Sending {
    content: Content,
    range: Range<u64>,
    at: u64,
    script: Script,
    line: Arc<Line>,
}

impl Sending {
    fn sent(&self) -> u64 {
        self.at - self.range.start
    }

    /// Returns the next part, up to where the script wants something.
    fn part(&mut self) -> Bytes {
        let stops = [self.script.cut.as_ref().map(|cut| cut.0), self.script.stall_at()];
        let sent = self.sent();
        let limit = stops.into_iter().flatten().filter(|&stop| stop > sent).min();
        let room = limit.unwrap_or(u64::MAX).min(self.range.end - self.range.start) - sent;
        let max = usize::try_from(room).unwrap_or(usize::MAX).min(PART_BYTES);
        let mut part = self.content.read(self.at, max);
        if let Some(index) = self.script.wrong_byte.and_then(|wrong| wrong.checked_sub(sent))
            && index < part.len() as u64
        {
            let mut altered = BytesMut::from(&part[..]);
            altered[usize::try_from(index).expect("inside the part")] ^= 0x20;
            part = altered.freeze();
        }
        self.at += part.len() as u64;
        part
    }
}

impl Script {
    fn stall_at(&self) -> Option<u64> {
        self.stall.as_ref().map(|stall| stall.0)
    }
}

fn frames(sending: Sending) -> impl Stream<Item = io::Result<Frame<Bytes>>> {
    stream::unfold(Some(sending), |sending| async {
        let mut sending = sending?;
        if sending.script.stall_at() == Some(sending.sent())
            && let Some((_, gate)) = sending.script.stall.take()
        {
            gate.pass().await;
        }
        match sending.script.cut {
            Some((bytes, cut)) if bytes == sending.sent() => {
                // What was handed over before has to leave first.
                sending.line.flushed().await;
                sending.line.break_off(cut == Cut::Reset);
                Some((Err(io::Error::other("cut off by the script")), None))
            }
            _ if sending.at >= sending.range.end => None,
            _ => Some((Ok(Frame::data(sending.part())), Some(sending))),
        }
    })
}
