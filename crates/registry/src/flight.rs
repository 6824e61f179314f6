//! Work that is done once for everybody who asks for it at the same time.
//!
//! The work runs in a task of its own: nobody who waits can cancel it. A waiter who leaves changes
//! nothing; a task that panics or is shut down gives every waiter `None`.

use std::{
    collections::{HashMap, hash_map::Entry},
    fmt,
    future::Future,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::watch;

/// The flights under way, by key.
pub(crate) struct Flights<K, V> {
    under_way: Arc<Mutex<HashMap<K, watch::Receiver<Option<V>>>>>,
}

impl<K, V> Default for Flights<K, V> {
    fn default() -> Self {
        Self { under_way: Arc::default() }
    }
}

impl<K, V> fmt::Debug for Flights<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Flights")
    }
}

/// A waiter's view of a flight.
pub(crate) struct Flight<V>(watch::Receiver<Option<V>>);

impl<V: Clone> Flight<V> {
    /// Waits for the result; `None` where the task is gone without one.
    pub(crate) async fn landed(mut self) -> Option<V> {
        self.0.wait_for(Option::is_some).await.ok()?.clone()
    }
}

/// Takes the key out when the task ends, however it ends.
struct Landing<K: Hash + Eq, V> {
    under_way: Arc<Mutex<HashMap<K, watch::Receiver<Option<V>>>>>,
    key: K,
}

impl<K: Hash + Eq, V> Drop for Landing<K, V> {
    fn drop(&mut self) {
        lock(&self.under_way).remove(&self.key);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<K, V> Flights<K, V>
where
    K: Hash + Eq + Clone + Send + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Joins the flight of `key`, and starts it with `work` where there is none.
    pub(crate) fn join<F>(&self, key: K, work: impl FnOnce() -> F) -> Flight<V>
    where
        F: Future<Output = V> + Send + 'static,
    {
        match lock(&self.under_way).entry(key) {
            Entry::Occupied(entry) => Flight(entry.get().clone()),
            Entry::Vacant(entry) => {
                let (sender, receiver) = watch::channel(None);
                let landing =
                    Landing { under_way: Arc::clone(&self.under_way), key: entry.key().clone() };
                entry.insert(receiver.clone());
                let work = work();
                tokio::spawn(async move {
                    let value = work.await;
                    // Out of the table first: who comes later starts anew.
                    drop(landing);
                    sender.send_replace(Some(value));
                });
                Flight(receiver)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn many_waiters_share_one_flight_and_leaving_changes_nothing() {
        let flights = Flights::<u8, usize>::default();
        let (runs, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let join = || {
            flights.join(1, || {
                let (runs, gate) = (Arc::clone(&runs), Arc::clone(&gate));
                async move {
                    gate.notified().await;
                    runs.fetch_add(1, Ordering::SeqCst) + 1
                }
            })
        };
        let first = join();
        let waiters: Vec<_> = (0..10).map(|_| join()).collect();
        drop(first);
        gate.notify_one();
        for waiter in waiters {
            assert_eq!(waiter.landed().await, Some(1));
        }
        gate.notify_one();
        assert_eq!(join().landed().await, Some(2));
    }

    #[tokio::test]
    async fn a_panic_ends_the_wait() {
        let flights = Flights::<u8, ()>::default();
        let flight = flights.join(1, || async { panic!("as the test wants") });
        assert_eq!(flight.landed().await, None);
        assert_eq!(flights.join(1, || async {}).landed().await, Some(()));
    }
}
