//! The right and the duty to run one fill.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use async_trait::async_trait;
use blobs::{Access, Content};
use bytes::Bytes;
use tokio::sync::watch;

use super::{FillError, FillSource, LinkWish, Progress};

/// What the task of a fill and its readers share.
#[derive(Debug)]
struct Shared {
    /// The task writes, readers wait.
    progress: watch::Sender<Progress>,
    /// Set once, before the first byte is published.
    content: OnceLock<Arc<dyn Content>>,
    /// Collected until the links are written, then `None`.
    wishes: Mutex<Option<Vec<LinkWish>>>,
    /// Whether the lease is gone.
    over: watch::Sender<bool>,
}

/// The right to run a fill. Dropping it ends the fill: readers of one that is neither verified nor
/// failed are told that it was abandoned, and the directory forgets it.
pub struct Lease {
    shared: Arc<Shared>,
    release: Option<Box<dyn FnOnce() + Send + Sync>>,
}

impl Lease {
    /// Makes a lease; `release` takes it out of its directory.
    pub fn new(release: impl FnOnce() + Send + Sync + 'static) -> Self {
        let (progress, _) = watch::channel(Progress::Connecting);
        let wishes = Mutex::new(Some(Vec::new()));
        let over = watch::Sender::new(false);
        let shared = Arc::new(Shared { progress, content: OnceLock::new(), wishes, over });
        Self { shared, release: Some(Box::new(release)) }
    }

    /// Returns the readers' side.
    pub fn source(&self) -> Arc<dyn FillSource> {
        Arc::<Shared>::clone(&self.shared)
    }

    /// Publishes that the upstream answered: headers can go out.
    pub(super) fn start(&self, content: Arc<dyn Content>, size_bytes: Option<u64>) {
        let first = self.shared.content.set(content).is_ok();
        debug_assert!(first, "a fill streams once");
        self.publish(Progress::Streaming { size_bytes, readable_bytes: 0 });
    }

    /// Returns what the writing thread publishes with.
    pub(super) fn publisher(&self) -> Publisher {
        Publisher(Arc::clone(&self.shared))
    }

    pub(super) fn verified(&self, size_bytes: u64) {
        self.publish(Progress::Verified { size_bytes });
    }

    /// Ends the fill with a failure. It is published unless every byte was verified: readers then
    /// have what they need.
    pub(super) fn failed(mut self, error: FillError) {
        self.end(error);
    }

    /// Returns the links asked for since the last call. Where there are none, no more can be asked
    /// for: the fill is over.
    pub(super) fn next_wishes(&self) -> Vec<LinkWish> {
        let mut wishes = self.shared.lock_wishes();
        match wishes.as_mut() {
            Some(some) if !some.is_empty() => std::mem::take(some),
            _ => {
                *wishes = None;
                Vec::new()
            }
        }
    }

    fn publish(&self, progress: Progress) {
        self.shared.progress.send_replace(progress);
    }

    fn end(&mut self, error: FillError) {
        // Forgotten first: a reader that sees the end and comes again must not find this fill.
        if let Some(release) = self.release.take() {
            release();
        }
        self.shared.progress.send_if_modified(|progress| {
            let over = matches!(progress, Progress::Verified { .. } | Progress::Failed(_));
            if !over {
                *progress = Progress::Failed(Arc::new(error));
            }
            !over
        });
        self.shared.over.send_replace(true);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.end(FillError::Abandoned);
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("shared", &self.shared).finish_non_exhaustive()
    }
}

/// The writing thread's side: how many bytes are there.
pub(super) struct Publisher(Arc<Shared>);

impl Publisher {
    /// Publishes that `written` bytes are in the staged blob; the last one of the blob, or of what
    /// is there while the size is unknown, stays withheld.
    pub(super) fn advance(&self, written: u64) {
        self.0.progress.send_if_modified(|progress| match progress {
            Progress::Streaming { size_bytes, readable_bytes } => {
                let limit = size_bytes.unwrap_or(written).saturating_sub(1);
                let advanced = written.min(limit) > *readable_bytes;
                *readable_bytes = written.min(limit).max(*readable_bytes);
                advanced
            }
            _ => false,
        });
    }
}

impl Shared {
    fn lock_wishes(&self) -> MutexGuard<'_, Option<Vec<LinkWish>>> {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl FillSource for Shared {
    fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    async fn read(&self, offset: u64, max: usize, access: Access) -> Result<Bytes, blobs::Error> {
        let content = self.content.get().expect("bytes are published after the content is set");
        content.read(offset, max, access).await
    }

    fn want_link(&self, wish: LinkWish) -> bool {
        match self.lock_wishes().as_mut() {
            Some(wishes) => {
                if !wishes.contains(&wish) {
                    wishes.push(wish);
                }
                true
            }
            None => false,
        }
    }

    async fn ended(&self) {
        // An error would mean that the sender is gone, which `self` holds.
        let _ = self.over.subscribe().wait_for(|over| *over).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fill_is_forgotten_before_its_end_is_told() {
        for end in [|lease: Lease| lease.failed(FillError::Abandoned), drop::<Lease>] {
            let source = Arc::new(OnceLock::<Arc<dyn FillSource>>::new());
            let told_at_release = Arc::new(OnceLock::new());
            let (known, told) = (Arc::clone(&source), Arc::clone(&told_at_release));
            let lease = Lease::new(move || {
                let progress = known.get().unwrap().progress();
                told.set(matches!(*progress.borrow(), Progress::Failed(_))).unwrap();
            });
            source.set(lease.source()).unwrap();
            let progress = lease.source().progress();
            end(lease);
            assert_eq!(told_at_release.get(), Some(&false));
            assert!(matches!(*progress.borrow(), Progress::Failed(_)));
        }
    }
}
