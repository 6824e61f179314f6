//! Work that may wait for the medium, kept off the threads of the runtime.

use std::{io, ops::Deref};

use tokio::{runtime::Handle, task::spawn_blocking};

use crate::Error;

/// Runs `work` on the blocking pool. It runs to its end even if the caller goes away.
pub(crate) async fn blocking<T: Send + 'static>(
    action: &'static str,
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let lost = |cause| Err(Error::Io { action, source: io::Error::other(cause) });
    spawn_blocking(work).await.unwrap_or_else(lost)
}

/// A value whose drop may wait for the medium: unlinking a file, releasing the pages of one that
/// was unlinked, unmapping. Dropped on the blocking pool where there is a runtime, else in place.
pub(crate) struct DropOffRuntime<T: Send + 'static>(Option<T>);

impl<T: Send + 'static> DropOffRuntime<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Some(value))
    }

    /// Takes the value out, for a thread that may wait.
    pub(crate) fn into_inner(mut self) -> T {
        self.0.take().expect("taken only at its end")
    }
}

impl<T: Send + 'static> Deref for DropOffRuntime<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("taken only at its end")
    }
}

impl<T: Send + 'static> Drop for DropOffRuntime<T> {
    fn drop(&mut self) {
        let Some(value) = self.0.take() else { return };
        // A runtime that is shutting down drops the closure unrun, and the value with it.
        if let Ok(runtime) = Handle::try_current() {
            drop(runtime.spawn_blocking(move || drop(value)));
        }
    }
}
