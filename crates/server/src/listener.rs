//! The listener: takes connections as long as there is room, and lets the last ones end in peace.
//!
//! It knows sockets, time-outs and the HTTP server, and nothing of what is asked. Invariants: a
//! connection never outlives its limits, nothing that happens on one ends the process, and an
//! exhausted system slows accepting down instead of spinning.

mod activity;
mod connection;
mod unread;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{Instant, sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

use crate::{config::Limits, doors::Doors};
use connection::Shared;

/// Connections that may wait to be accepted; the kernel cuts it to `net.core.somaxconn`.
const BACKLOG: u32 = 4096;

/// The first and the longest pause after a failed accept.
const PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// How often a full house is worth a line.
const WARN_EVERY: Duration = Duration::from_secs(10);

/// Why the address cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListenError {
    /// Somebody else has it.
    #[error(
        "{address} of {origin} is in use: stop what listens there, or choose another with \
         --listen (port 0 takes a free one)"
    )]
    InUse {
        /// The address.
        address: SocketAddr,
        /// Flag, variable or key that says so.
        origin: String,
    },
    /// The machine does not have it, or does not give it away.
    #[error("cannot listen on {address} of {origin}: choose another address with --listen")]
    Unavailable {
        /// The address.
        address: SocketAddr,
        /// Flag, variable or key that says so.
        origin: String,
        /// The cause.
        source: io::Error,
    },
}

/// An address that is taken and not yet listened on.
#[derive(Debug)]
pub(crate) struct Bound {
    socket: TcpSocket,
    origin: String,
}

impl Bound {
    /// Takes the first of `addresses` that can be had; `origin` says who wants it.
    pub(crate) fn take(addresses: &[SocketAddr], origin: String) -> Result<Self, ListenError> {
        let mut refused = None;
        for &address in addresses {
            match bind(address) {
                Ok(socket) => return Ok(Self { socket, origin }),
                Err(error) => refused = refused.or(Some((address, error))),
            }
        }
        let (address, error) = refused.expect("a checked configuration has an address");
        Err(refuse(address, origin, error))
    }

    /// Lets connections come.
    pub(crate) fn listen(self) -> Result<TcpListener, ListenError> {
        let address = self.socket.local_addr().unwrap_or_else(|_| ([0, 0, 0, 0], 0).into());
        self.socket.listen(BACKLOG).map_err(|error| refuse(address, self.origin, error))
    }

    /// Returns the address with its real port.
    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restart must not wait for the connections of the process before it.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

fn refuse(address: SocketAddr, origin: String, source: io::Error) -> ListenError {
    if source.kind() == io::ErrorKind::AddrInUse {
        ListenError::InUse { address, origin }
    } else {
        ListenError::Unavailable { address, origin, source }
    }
}

/// Serves connections until `stop` is ready, then lets them end until the drain time-out. Returns
/// how many had to be cut off.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    doors: Arc<Doors>,
    limits: &Limits,
    stop: impl Future<Output = ()>,
) -> usize {
    let (drain, draining) = watch::channel(false);
    let shared = Arc::new(Shared::new(Arc::clone(&doors), tls, limits));
    let room = Arc::new(Semaphore::new(limits.connections_max));
    tokio::select! {
        biased;
        () = stop => {}
        () = accept_forever(listener, &shared, &room, &draining) => {}
    }
    doors.drain();
    // Every connection has a receiver: none is left when all have ended.
    let _ = drain.send(true);
    let everybody = u32::try_from(limits.connections_max).unwrap_or(u32::MAX);
    match timeout(limits.drain_timeout, room.acquire_many(everybody)).await {
        Ok(_) => 0,
        Err(_) => limits.connections_max - room.available_permits(),
    }
}

/// Accepts connections, each in a task of its own. Dropping it closes the listening socket.
async fn accept_forever(
    listener: TcpListener,
    shared: &Arc<Shared>,
    room: &Arc<Semaphore>,
    draining: &watch::Receiver<bool>,
) {
    let mut pause = PAUSES.0;
    let mut warned = None;
    loop {
        let permit = make_room(room, &mut warned).await;
        match listener.accept().await {
            Ok((stream, peer)) => {
                pause = PAUSES.0;
                tokio::spawn(keep(Arc::clone(shared), stream, peer, draining.clone(), permit));
            }
            // Somebody knocked and left: no reason to wait (accept(2), "Error handling").
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                tracing::error!(error = %error, "cannot accept connections: pausing");
                sleep(pause).await;
                pause = (pause * 2).min(PAUSES.1);
            }
        }
    }
}

/// Waits for room for one more connection, and says so now and then.
async fn make_room(room: &Arc<Semaphore>, warned: &mut Option<Instant>) -> OwnedSemaphorePermit {
    if let Ok(permit) = Arc::clone(room).try_acquire_owned() {
        return permit;
    }
    if warned.is_none_or(|at| at.elapsed() > WARN_EVERY) {
        *warned = Some(Instant::now());
        tracing::warn!("as many connections as limits.connections allows: others wait");
    }
    Arc::clone(room).acquire_owned().await.expect("the semaphore is never closed")
}

async fn keep(
    shared: Arc<Shared>,
    stream: TcpStream,
    peer: SocketAddr,
    draining: watch::Receiver<bool>,
    _permit: OwnedSemaphorePermit,
) {
    if let Err(error) = shared.serve(stream, peer, draining).await {
        // Clients leave as they like: worth a line only to who looks for it.
        tracing::debug!(%peer, error = registry::chain(&*error), "connection ended");
    }
}

fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
