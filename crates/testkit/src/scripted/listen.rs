//! Connections of a scripted upstream.

use std::sync::Arc;

use hyper::service::service_fn;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

use super::{State, answer, socket::Socket};

/// Takes connections until it is dropped, and ends them then.
pub(super) async fn accept(
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    state: Arc<State>,
) {
    // Connections end with this task: a JoinSet aborts what it holds when it is dropped.
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        while connections.try_join_next().is_some() {}
        connections.spawn(serve(stream, acceptor.clone(), Arc::clone(&state)));
    }
}

/// Serves one connection. That a client leaves or a script breaks it is no failure of the test.
async fn serve(stream: TcpStream, acceptor: Option<TlsAcceptor>, state: Arc<State>) {
    let _ = stream.set_nodelay(true);
    let (socket, line) = Socket::new(stream);
    let answer =
        service_fn(move |request| answer::answer(Arc::clone(&state), Arc::clone(&line), request));
    let builder = auto::Builder::new(TokioExecutor::new());
    let _ = match acceptor {
        None => builder.serve_connection(TokioIo::new(socket), answer).await,
        Some(acceptor) => {
            let Ok(stream) = acceptor.accept(socket).await else { return };
            builder.serve_connection(TokioIo::new(stream), answer).await
        }
    };
}
