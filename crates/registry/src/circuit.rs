//! Which upstreams are left alone for a while.
//!
//! A circuit decides only whether a caller *waits* for an upstream although a cached answer is
//! there. It never refuses a miss: a miss always tries, and its success closes the circuit. Any
//! 4xx counts as alive.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use metadata::Timestamp;

/// How many upstreams are remembered; the rest are forgotten, which only costs a wait.
const REMEMBERED_MAX: usize = 4096;
/// The longest time that an upstream is left alone because it said so.
const TOLD_MAX: Duration = Duration::from_secs(60 * 60);
/// A cooldown doubles with each failure after the first, up to this many times.
const DOUBLINGS_MAX: u32 = 3;

/// The circuits of every upstream, by address.
#[derive(Debug)]
pub(crate) struct Circuits {
    cooldown: Duration,
    open: Mutex<HashMap<String, Open>>,
}

#[derive(Debug)]
struct Open {
    failures: u32,
    probe_at: Timestamp,
}

/// What a caller with something cached should do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Advice {
    /// The upstream is fine: wait for it, up to the deadline.
    Wait,
    /// It failed; ask it again, but serve what is cached at once.
    Probe,
    /// It failed a moment ago: serve what is cached and leave it alone.
    Leave,
}

impl Circuits {
    pub(crate) fn new(cooldown: Duration) -> Self {
        Self { cooldown, open: Mutex::default() }
    }

    /// Says what to do; where the answer is [`Advice::Probe`], the next callers are told to leave
    /// it alone until another cooldown has passed.
    pub(crate) fn advice(&self, upstream: &str, now: Timestamp) -> Advice {
        let mut circuits = self.lock();
        let Some(open) = circuits.get_mut(upstream) else { return Advice::Wait };
        if now < open.probe_at {
            return Advice::Leave;
        }
        open.probe_at = self.after_cooldown(now, open.failures);
        Advice::Probe
    }

    /// Returns until when an upstream is left alone, where it is; changes nothing.
    pub(crate) fn open_until(&self, upstream: &str) -> Option<Timestamp> {
        self.lock().get(upstream).map(|open| open.probe_at)
    }

    /// The upstream answered.
    pub(crate) fn succeeded(&self, upstream: &str) {
        if self.lock().remove(upstream).is_some() {
            tracing::info!(upstream, "upstream {upstream} answers again, circuit closed");
        }
    }

    /// The upstream failed, or was slower than a cached answer may wait. `told` is how long it wants
    /// to be left alone, where it said so (503 with `Retry-After`).
    pub(crate) fn failed(&self, upstream: &str, now: Timestamp, told: Option<Duration>) {
        let mut circuits = self.lock();
        if !circuits.contains_key(upstream) {
            if circuits.len() >= REMEMBERED_MAX {
                circuits.clear();
            }
            tracing::warn!(upstream, "upstream {upstream} fails, circuit opened");
        }
        let open =
            circuits.entry(upstream.to_owned()).or_insert(Open { failures: 0, probe_at: now });
        // Several callers may report one outage: only the first after a cooldown counts.
        if now >= open.probe_at {
            open.failures = (open.failures + 1).min(DOUBLINGS_MAX + 1);
            open.probe_at = self.after_cooldown(now, open.failures);
        }
        if let Some(told) = told {
            open.probe_at = open.probe_at.max(after(now, told.min(TOLD_MAX)));
        }
    }

    fn after_cooldown(&self, now: Timestamp, failures: u32) -> Timestamp {
        let doublings = failures.saturating_sub(1).min(DOUBLINGS_MAX);
        after(now, self.cooldown * 2u32.pow(doublings))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn after(now: Timestamp, time: Duration) -> Timestamp {
    Timestamp(now.0.saturating_add(i64::try_from(time.as_millis()).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HUB: &str = "registry-1.docker.io";

    #[test]
    fn open_at_the_first_failure_one_probe_per_cooldown_closed_by_success() {
        let circuits = Circuits::new(Duration::from_millis(10));
        let advice = |at| circuits.advice(HUB, Timestamp(at));
        assert_eq!(advice(0), Advice::Wait);
        circuits.failed(HUB, Timestamp(0), None);
        assert_eq!(advice(9), Advice::Leave);
        assert_eq!(advice(10), Advice::Probe);
        assert_eq!(advice(11), Advice::Leave);
        circuits.failed(HUB, Timestamp(20), None);
        assert_eq!(advice(39), Advice::Leave);
        assert_eq!(advice(40), Advice::Probe);
        circuits.succeeded(HUB);
        assert_eq!(advice(41), Advice::Wait);
    }

    #[test]
    fn who_wants_to_be_left_alone_for_longer_is() {
        let circuits = Circuits::new(Duration::from_millis(10));
        let advice = |at| circuits.advice(HUB, Timestamp(at));
        circuits.failed(HUB, Timestamp(0), Some(Duration::from_millis(100)));
        circuits.failed(HUB, Timestamp(5), Some(Duration::from_millis(1)));
        assert_eq!(advice(99), Advice::Leave);
        assert_eq!(advice(100), Advice::Probe);
        circuits.failed(HUB, Timestamp(200), Some(Duration::MAX));
        assert_eq!(advice(200 + 3_600_000 - 1), Advice::Leave);
        assert_eq!(advice(200 + 3_600_000), Advice::Probe);
    }

    #[test]
    fn upstreams_do_not_share_a_circuit() {
        let circuits = Circuits::new(Duration::from_secs(1));
        circuits.failed(HUB, Timestamp(0), None);
        assert_eq!(circuits.advice("quay.io", Timestamp(0)), Advice::Wait);
    }
}
