//! SIGTERM and SIGINT: the first asks the process to end in peace, the second ends it.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that end the process, from here on in our hands.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Takes the signals over.
    pub(crate) fn take() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next one and returns its number.
    pub(crate) async fn next(&mut self) -> i32 {
        tokio::select! {
            _ = self.terminate.recv() => SignalKind::terminate().as_raw_value(),
            _ = self.interrupt.recv() => SignalKind::interrupt().as_raw_value(),
        }
    }

    /// Ends the process at the next one, as if nobody had taken it over: 128 and its number.
    pub(crate) async fn exit_at_next(mut self) {
        let number = self.next().await;
        tracing::warn!("ended by a second signal");
        std::process::exit(128 + number);
    }
}
