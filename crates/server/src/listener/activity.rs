//! Whether anything happens on a connection: what the idle time-out asks.
//!
//! Two relaxed stores per request, instead of a timer that is set and cancelled for each.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What happened on a connection since somebody last asked. Bytes that a client sends do not
/// count: one that sends its headers a byte at a time does nothing.
#[derive(Debug, Default)]
pub(super) struct Activity {
    happened: AtomicBool,
    running: AtomicUsize,
}

/// A request that is being decided. Dropping it ends that.
#[derive(Debug)]
pub(super) struct Running(Arc<Activity>);

impl Activity {
    /// Notes that a request has begun.
    pub(super) fn begin(self: &Arc<Self>) -> Running {
        self.happened.store(true, Relaxed);
        self.running.fetch_add(1, Relaxed);
        Running(Arc::clone(self))
    }

    /// Tells whether a request began, is being decided, or bytes were taken since the last call.
    pub(super) fn take(&self) -> bool {
        self.happened.swap(false, Relaxed) || self.running.load(Relaxed) > 0
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.happened.store(true, Relaxed);
        self.0.running.fetch_sub(1, Relaxed);
    }
}

/// A stream whose written bytes are noted.
#[derive(Debug)]
pub(super) struct Watched<S> {
    stream: S,
    activity: Arc<Activity>,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, activity: Arc<Activity>) -> Self {
        Self { stream, activity }
    }

    fn note<T>(&self, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if matches!(written, Poll::Ready(Ok(_))) {
            self.activity.happened.store(true, Relaxed);
        }
        written
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.note(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
