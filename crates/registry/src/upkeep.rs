//! Work that nobody asked for and that takes long: lifecycle policies carried out, space freed,
//! the quota kept.
//!
//! One piece of each at a time, in steps, every one of which leaves the stores whole: a process
//! that ends takes nothing with it, and the next begins where that left off.

use std::{
    future::Future,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::Mutex;

use crate::registry::Inner;

/// How often is looked for policies that are due, at the most.
const LOOK_EVERY: Duration = Duration::from_secs(5 * 60);

/// How long after the start is collected at the latest, and how long a collection pauses after a
/// step at the most.
const FIRST_COLLECTION: Duration = Duration::from_secs(15 * 60);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// How often what is stored is compared with the quota, at the most.
const MEASURE_EVERY: Duration = Duration::from_secs(60);

/// How many times as long as it took to measure is waited besides: of a large store, every blob
/// is looked at.
const MEASURE_REST: u32 = 20;

/// How long the end waits for a step that is running.
const LAST_STEP: Duration = Duration::from_secs(10);

/// What is running, and whether it should end.
#[derive(Debug, Default)]
pub(crate) struct Upkeep {
    is_closing: AtomicBool,
    /// Held by whoever carries out lifecycle policies.
    pub(crate) evaluation: Mutex<()>,
    /// Held by whoever collects everything, or evicts.
    pub(crate) collection: Mutex<()>,
}

impl Upkeep {
    /// Tells whether no further step is to be taken.
    pub(crate) fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::SeqCst)
    }

    /// Lets no further step be taken, and waits for those that are running.
    pub(crate) async fn close(&self) {
        self.is_closing.store(true, Ordering::SeqCst);
        let ended = async {
            drop(self.evaluation.lock().await);
            drop(self.collection.lock().await);
        };
        if tokio::time::timeout(LAST_STEP, ended).await.is_err() {
            tracing::warn!("upkeep is still running and is left behind");
        }
    }
}

/// Starts the tasks. They end with the registry.
pub(crate) fn spawn(inner: &Arc<Inner>) {
    let interval = inner.settings.lifecycle_interval;
    if !interval.is_zero() {
        let look = interval.min(LOOK_EVERY);
        repeat(look, look, inner, |inner| async move { inner.evaluate_due().await });
    }
    let interval = inner.settings.collect_interval;
    if !interval.is_zero() {
        let first = interval.min(FIRST_COLLECTION);
        repeat(first, interval, inner, |inner| async move { inner.collect_all(PAUSE_MAX).await });
    }
    if inner.settings.quota_bytes.is_some() {
        let every = MEASURE_EVERY;
        repeat(every, every, inner, |inner| async move {
            let took = inner.keep_quota().await;
            drop(inner);
            tokio::time::sleep(took * MEASURE_REST).await;
        });
    }
}

fn repeat<F>(first: Duration, every: Duration, inner: &Arc<Inner>, step: fn(Arc<Inner>) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let registry: Weak<Inner> = Arc::downgrade(inner);
    tokio::spawn(async move {
        let mut wait = first;
        loop {
            // Replicas that were started together do not look together.
            tokio::time::sleep(wait.mul_f64(rand::random_range(0.75..1.0))).await;
            let Some(inner) = registry.upgrade() else { return };
            if inner.upkeep.is_closing() {
                return;
            }
            step(inner).await;
            wait = every;
        }
    });
}
