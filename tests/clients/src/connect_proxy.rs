//! An HTTP proxy that leads every host to one address: how a test gives AWS's own names to a server
//! of its own, without a say in how this machine resolves names.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::stalling_proxy::pump;

/// What a client may say before its tunnel stands.
const HEAD_BYTES_MAX: usize = 8 * 1024;

/// A loopback proxy for `CONNECT`.
#[derive(Debug)]
pub struct ConnectProxy {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl ConnectProxy {
    /// Listens for clients; whatever host they ask for, they reach `target` (`127.0.0.1:PORT`).
    ///
    /// # Panics
    /// When no loopback port can be bound.
    #[must_use]
    pub fn start(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port can be bound");
        let address = listener.local_addr().expect("a bound listener has an address");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (target, noted) = (target.to_owned(), asked.clone());
        // The thread ends with the test's process: nothing can wake an `accept`.
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (target, noted) = (target.clone(), noted.clone());
                thread::spawn(move || tunnel(client, &target, &noted));
            }
        });
        Self { address, asked }
    }

    /// `http://127.0.0.1:PORT`, for `HTTPS_PROXY`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The `HOST:PORT`s that clients asked for, in order, each once.
    ///
    /// # Panics
    /// When a tunnel panicked.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no tunnel panics").clone()
    }
}

/// Reads one `CONNECT`, notes its host and joins the client with the target. What is no `CONNECT`, or
/// breaks off, ends the connection.
fn tunnel(mut client: TcpStream, target: &str, noted: &Mutex<Vec<String>>) -> Option<()> {
    let host = asked_host(&mut client)?;
    {
        let mut noted = noted.lock().expect("no tunnel panics");
        if !noted.contains(&host) {
            noted.push(host);
        }
    }
    let server = TcpStream::connect(target).ok()?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").ok()?;
    let (from_client, to_server) = (client.try_clone().ok()?, server.try_clone().ok()?);
    thread::spawn(move || pump(from_client, to_server, |_| ()));
    pump(server, client, |_| ());
    Some(())
}

/// The host of a `CONNECT`, whose head is read to its end and no byte further.
fn asked_host(client: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
        if head.len() > HEAD_BYTES_MAX {
            return None;
        }
    }
    let head = String::from_utf8(head).ok()?;
    let mut words = head.split(' ');
    (words.next() == Some("CONNECT")).then(|| words.next().map(str::to_owned))?
}
