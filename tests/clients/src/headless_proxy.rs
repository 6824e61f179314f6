//! A proxy in front of an upstream that takes no HEAD, as some put before their registries.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use crate::stalling_proxy::pump;

const REFUSAL: &[u8] = b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\
                         Connection: close\r\n\r\n";

/// A loopback proxy that answers 405 to every HEAD and passes everything else on.
#[derive(Debug)]
pub struct HeadlessProxy {
    address: SocketAddr,
}

impl HeadlessProxy {
    /// Listens for clients of `upstream` (`127.0.0.1:PORT`).
    ///
    /// # Panics
    /// When no loopback port can be bound.
    #[must_use]
    pub fn start(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port can be bound");
        let address = listener.local_addr().expect("a bound listener has an address");
        let upstream = upstream.to_owned();
        // The thread ends with the test's process: nothing can wake an `accept`.
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let upstream = upstream.clone();
                thread::spawn(move || serve(client, &upstream));
            }
        });
        Self { address }
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Serves the one request of a connection.
fn serve(mut client: TcpStream, upstream: &str) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    if head.starts_with(b"HEAD ") {
        return client.write_all(REFUSAL).ok();
    }
    let mut server = TcpStream::connect(upstream).ok()?;
    // Each request has its own connection, so that each is looked at.
    head.truncate(head.len() - 2);
    head.extend_from_slice(b"Connection: close\r\n\r\n");
    server.write_all(&head).ok()?;
    pump(server, client, |_| ());
    Some(())
}
