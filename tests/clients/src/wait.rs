//! Waiting for a condition of another process, with a deadline.

use std::time::{Duration, Instant};

/// How long any program or condition may take before the test fails. Generous, because two cores may
/// be running several scenarios at once; nothing waits for it when all is well.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// Polls `condition` until it yields a value.
///
/// # Panics
/// When [`DEADLINE`] passes first; the message names `what`.
pub fn until<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(started.elapsed() < DEADLINE, "waited {DEADLINE:?} in vain for {what}");
        pause();
    }
}

/// The pause between two looks at something that cannot signal us.
#[expect(
    clippy::disallowed_methods,
    reason = "the polling step of `until`: other processes offer no signal to await"
)]
fn pause() {
    std::thread::sleep(Duration::from_millis(5));
}
