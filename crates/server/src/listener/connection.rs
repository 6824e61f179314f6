//! One connection: TLS where it is served, then HTTP/1.1 or HTTP/2, until it ends, is still for too
//! long, or is asked to end.

use std::{
    convert::Infallible,
    net::SocketAddr,
    panic::AssertUnwindSafe,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use blobs::Access;
use futures_util::FutureExt as _;
use http::{Request, Response, StatusCode};
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    net::TcpStream,
    sync::watch,
    time::{Instant, sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

use super::{
    activity::{Activity, Watched},
    unread,
};
use crate::{
    body::{self, Body},
    config::Limits,
    doors::{Connection, Doors},
};

/// Requests of one HTTP/2 connection that are answered at the same time.
const STREAMS_MAX: u32 = 250;

/// How long a connection that was still for too long has to end by itself (a GOAWAY and its
/// answer) before it is dropped.
const LAST_CHANCE: Duration = Duration::from_secs(2);

/// What ended a connection early.
pub(super) type Ended = Box<dyn std::error::Error + Send + Sync>;

/// What all connections share.
pub(super) struct Shared {
    doors: Arc<Doors>,
    tls: Option<TlsAcceptor>,
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
    handshake_timeout: Duration,
    idle_timeout: Duration,
}

impl Shared {
    pub(super) fn new(doors: Arc<Doors>, tls: Option<TlsAcceptor>, limits: &Limits) -> Self {
        let mut http1 = http1::Builder::new();
        http1
            // Bodies are never copied into one buffer: mapped bytes are for the kernel's eyes.
            .writev(true)
            // A client may say that it has sent all it has, and still wait for the answer.
            .half_close(true)
            .max_header_size(limits.header_bytes_max)
            // [`Activity`] watches the clock, without a timer per request.
            .header_read_timeout(None);
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        http2
            .max_header_list_size(u32::try_from(limits.header_bytes_max).unwrap_or(u32::MAX))
            .max_concurrent_streams(STREAMS_MAX);
        Self {
            doors,
            tls,
            http1,
            http2,
            handshake_timeout: limits.tls_handshake_timeout,
            idle_timeout: limits.client_idle_timeout,
        }
    }

    /// Serves one connection to its end.
    pub(super) async fn serve(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        draining: watch::Receiver<bool>,
    ) -> Result<(), Ended> {
        // An answer's last segment must not wait for the client's acknowledgement.
        stream.set_nodelay(true)?;
        let activity = Arc::new(Activity::default());
        let Some(tls) = &self.tls else {
            let connection = Connection { access: Access::Kernel, tls: false, peer };
            let stream = TokioIo::new(Watched::new(stream, Arc::clone(&activity)));
            let service = self.service(connection, &activity);
            let running = self.http1.serve_connection(stream, service);
            let shut_down = http1::Connection::graceful_shutdown;
            return self.attend(pin!(running), shut_down, &activity, draining).await;
        };
        let stream = timeout(self.handshake_timeout, tls.accept(stream)).await??;
        let speaks_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let connection = Connection { access: Access::User, tls: true, peer };
        let stream = TokioIo::new(Watched::new(stream, Arc::clone(&activity)));
        let service = self.service(connection, &activity);
        if speaks_http2 {
            let running = self.http2.serve_connection(stream, service);
            let shut_down = http2::Connection::graceful_shutdown;
            self.attend(pin!(running), shut_down, &activity, draining).await
        } else {
            let running = self.http1.serve_connection(stream, service);
            let shut_down = http1::Connection::graceful_shutdown;
            self.attend(pin!(running), shut_down, &activity, draining).await
        }
    }

    fn service(
        &self,
        connection: Connection,
        activity: &Arc<Activity>,
    ) -> impl hyper::service::Service<
        Request<Incoming>,
        Response = Response<Body>,
        Error = Infallible,
        Future: Send + 'static,
    > + use<> {
        let (doors, activity) = (Arc::clone(&self.doors), Arc::clone(activity));
        service_fn(move |request: Request<Incoming>| {
            let (doors, running) = (Arc::clone(&doors), activity.begin());
            let (head, body) = request.into_parts();
            let (body, unread) = unread::watch(&head, body);
            async move {
                let mut answer = or_500(doors.serve(&head, body, connection)).await;
                unread.settle(&mut answer).await;
                drop(running);
                Ok(answer)
            }
        })
    }

    /// Waits for the end of a connection. When all connections are to end, or nothing happens on
    /// this one for too long, it finishes what it is doing and takes nothing more; where nothing
    /// happens even then, it is dropped.
    async fn attend<C: Future<Output = hyper::Result<()>>>(
        &self,
        mut connection: Pin<&mut C>,
        shut_down: fn(Pin<&mut C>),
        activity: &Activity,
        mut draining: watch::Receiver<bool>,
    ) -> Result<(), Ended> {
        let mut is_ending = false;
        let mut idle = pin!(sleep(self.idle_timeout));
        loop {
            tokio::select! {
                biased;
                ended = &mut connection => return ended.map_err(Into::into),
                _ = draining.wait_for(|&is_draining| is_draining), if !is_ending => {
                    is_ending = true;
                    shut_down(connection.as_mut());
                }
                () = &mut idle => {
                    if activity.take() {
                        idle.as_mut().reset(Instant::now() + self.idle_timeout);
                    } else if is_ending {
                        return Err("nothing happened for too long".into());
                    } else {
                        is_ending = true;
                        shut_down(connection.as_mut());
                        idle.as_mut().reset(Instant::now() + LAST_CHANCE);
                    }
                }
            }
        }
    }
}

/// A panic while a request is answered costs that request alone. The panic hook writes the line.
fn or_500(answer: impl Future<Output = Response<Body>>) -> impl Future<Output = Response<Body>> {
    AssertUnwindSafe(answer).catch_unwind().map(|answer| {
        answer.unwrap_or_else(|_| body::text(StatusCode::INTERNAL_SERVER_ERROR, "internal error\n"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_becomes_an_answer() {
        let answer = or_500(async { panic!("this test wants a panic") }).await;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let answer = or_500(async { body::text(StatusCode::OK, "fine\n") }).await;
        assert_eq!(answer.status(), StatusCode::OK);
    }
}
