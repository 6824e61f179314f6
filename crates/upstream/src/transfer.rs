//! A blob's bytes on their way, never ending cleanly unless they are all there.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Stream, stream::BoxStream};
use reqwest::Response;
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, Sleep},
};

use crate::{Error, Phase, failure::classify, way::Witness};

/// The body of a blob's answer. Gives its permit back when it is dropped.
pub(crate) struct Transfer {
    body: BoxStream<'static, reqwest::Result<Bytes>>,
    host: Arc<str>,
    /// How many bytes the headers promised, where they did.
    promised: Option<u64>,
    received: u64,
    idle: Duration,
    deadline: Pin<Box<Sleep>>,
    is_waiting: bool,
    is_over: bool,
    witness: Option<Witness>,
    _permit: OwnedSemaphorePermit,
}

impl Transfer {
    pub(crate) fn new(
        response: Response,
        host: Arc<str>,
        promised: Option<u64>,
        idle: Duration,
        permit: OwnedSemaphorePermit,
        witness: Option<Witness>,
    ) -> Self {
        Self {
            body: Box::pin(response.bytes_stream()),
            host,
            promised,
            received: 0,
            idle,
            deadline: Box::pin(tokio::time::sleep(idle)),
            is_waiting: false,
            is_over: false,
            witness,
            _permit: permit,
        }
    }

    /// Waits for the next part, not longer than allowed.
    fn poll_part(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        if let Poll::Ready(part) = self.body.as_mut().poll_next(context) {
            self.is_waiting = false;
            let failed = |error| classify(error, &self.host, &self.host, self.idle);
            return Poll::Ready(part.map(|part| part.map_err(failed)));
        }
        if !self.is_waiting {
            self.is_waiting = true;
            self.deadline.as_mut().reset(Instant::now() + self.idle);
        }
        ready!(self.deadline.as_mut().poll(context));
        let host = self.host.to_string();
        Poll::Ready(Some(Err(Error::Timeout { host, phase: Phase::Idle, after: self.idle })))
    }

    /// Compares what came with what was promised.
    fn check(&mut self, part: Option<&Bytes>) -> Result<(), Error> {
        let host = || self.host.to_string();
        match (part, self.promised) {
            (None, Some(promised)) if self.received < promised => {
                let source = format!("{} of {promised} bytes came", self.received).into();
                Err(Error::Transport { host: host(), action: "transfer", source })
            }
            (Some(part), promised) => {
                self.received += part.len() as u64;
                if promised.is_some_and(|promised| self.received > promised) {
                    let reason = "more bytes came than promised".to_owned();
                    return Err(Error::Invalid { host: host(), reason });
                }
                Ok(())
            }
            (None, _) => Ok(()),
        }
    }
}

impl Stream for Transfer {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let part = match ready!(self.poll_part(context)) {
            Some(Ok(part)) => self.check(Some(&part)).map(|()| Some(part)),
            Some(Err(error)) => Err(error),
            None => self.check(None).map(|()| None),
        };
        self.is_over = !matches!(part, Ok(Some(_)));
        if let (Err(_), Some(witness)) = (&part, &self.witness) {
            witness.failed();
        }
        Poll::Ready(part.transpose())
    }
}
