//! A TCP proxy in front of an upstream that stops in the middle of a body until it is told to go on.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;

use crate::wait::DEADLINE;

/// A loopback proxy; each connection passes some bytes of the upstream's answers, then waits.
#[derive(Debug)]
pub struct StallingProxy {
    address: SocketAddr,
    gate: Arc<Gate>,
}

/// Whether bytes beyond the allowance may pass.
#[derive(Debug)]
struct Gate {
    /// `release` opens it; pumps note their stall in it and wait on it.
    state: Mutex<GateState>,
    changed: Condvar,
    allowance_bytes: usize,
}

#[derive(Debug, Default)]
struct GateState {
    open: bool,
    stalled: bool,
}

impl StallingProxy {
    /// Listens for clients of `upstream` (`127.0.0.1:PORT`). A connection stalls once it has carried
    /// `allowance_bytes` back to its client.
    ///
    /// # Panics
    /// When no loopback port can be bound.
    #[must_use]
    pub fn start(upstream: &str, allowance_bytes: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port can be bound");
        let address = listener.local_addr().expect("a bound listener has an address");
        let (state, changed) = (Mutex::default(), Condvar::new());
        let gate = Arc::new(Gate { state, changed, allowance_bytes });
        let (upstream, gate_of_clients) = (upstream.to_owned(), gate.clone());
        // The thread ends with the test's process: nothing can wake an `accept`.
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(&upstream) else { continue };
                let (Ok(from_client), Ok(to_server)) = (client.try_clone(), server.try_clone())
                else {
                    continue;
                };
                let gate = gate_of_clients.clone();
                thread::spawn(move || pump(from_client, to_server, |_| ()));
                thread::spawn(move || pump(server, client, |sent| gate.pass(sent)));
            }
        });
        Self { address, gate }
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until a transfer hangs in the middle.
    ///
    /// # Panics
    /// When none does before the deadline.
    pub fn wait_for_stall(&self) {
        let state = self.gate.lock();
        let (state, waited) = self
            .gate
            .changed
            .wait_timeout_while(state, DEADLINE, |state| !state.stalled)
            .expect("no pump panics");
        drop(state);
        assert!(!waited.timed_out(), "no transfer reached the stalling proxy's allowance");
    }

    /// Lets everything through from now on.
    ///
    /// # Panics
    /// When a pump panicked before.
    pub fn release(&self) {
        self.gate.lock().open = true;
        self.gate.changed.notify_all();
    }
}

impl Gate {
    /// Waits while `sent` bytes are beyond the allowance and the gate is shut.
    fn pass(&self, sent: usize) {
        if sent > self.allowance_bytes {
            let mut state = self.lock();
            state.stalled = true;
            self.changed.notify_all();
            drop(self.changed.wait_while(state, |state| !state.open).expect("no pump panics"));
        }
    }

    fn lock(&self) -> MutexGuard<'_, GateState> {
        self.state.lock().expect("no pump panics")
    }
}

/// Copies one direction; `before_sending` learns the total including the piece that is to go out.
pub(crate) fn pump(mut from: TcpStream, mut to: TcpStream, before_sending: impl Fn(usize)) {
    let mut buffer = vec![0; 64 * 1024];
    let mut sent = 0;
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        sent += length;
        before_sending(sent);
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    // Either side may be gone already.
    let _ = to.shutdown(Shutdown::Write);
}
