//! Ctrl-C while something long is done: it is stopped where it leaves nothing half done, and says
//! what is there.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::Error;

/// The signals that stop a command. While it is there none of them ends the process by itself.
pub(crate) struct Interrupt {
    interrupt: Signal,
    terminate: Signal,
}

impl Interrupt {
    /// Takes the signals over; one that comes from here on is not lost.
    ///
    /// # Errors
    /// The process has no signals left.
    pub(crate) fn take() -> Result<Self, Error> {
        let failed = |source| Error::Process { what: "take over signals", source };
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).map_err(failed)?,
            terminate: signal(SignalKind::terminate()).map_err(failed)?,
        })
    }

    /// Waits for one.
    pub(crate) async fn comes(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
