//! Fills that run elsewhere: a reader follows whatever a directory's source publishes.

use std::sync::Arc;

use async_trait::async_trait;
use blobs::Access;
use bytes::Bytes;
use futures_util::FutureExt as _;
use oci::Digest;
use registry::{
    FillDirectory, FillError, FillKey, FillSource, Joined, LinkWish, Progress, ReadError,
};
use tokio::sync::watch;

use crate::world::{Setup, World, read_to_end, repository, within};

const BYTES: &[u8] = b"0123456789";

/// A source that publishes what a test says, and has ten bytes.
#[derive(Debug, Clone)]
struct Elsewhere(watch::Sender<Progress>);

#[async_trait]
impl FillSource for Elsewhere {
    fn progress(&self) -> watch::Receiver<Progress> {
        self.0.subscribe()
    }

    async fn read(&self, offset: u64, max: usize, _: Access) -> Result<Bytes, blobs::Error> {
        let start = usize::try_from(offset).unwrap();
        Ok(Bytes::from_static(&BYTES[start..start + max]))
    }

    fn want_link(&self, wish: LinkWish) -> bool {
        wish.repository == repository("hub/app")
    }

    async fn ended(&self) {
        let is_over = |progress: &Progress| matches!(progress, Progress::Failed(_));
        let _ = self.0.subscribe().wait_for(is_over).await;
    }
}

#[async_trait]
impl FillDirectory for Elsewhere {
    async fn join(&self, key: &FillKey) -> Joined {
        assert_eq!((key.repository.as_str(), key.identity.as_str()), ("app", "anonymous"));
        Joined::Waiting(Arc::new(self.clone()))
    }
}

impl Elsewhere {
    /// A world in which every fill is one that is in this state, somewhere else.
    async fn world(progress: Progress) -> (World, Self) {
        let elsewhere = Self(watch::Sender::new(progress));
        let mut setup = Setup::new();
        setup.fills = Arc::new(elsewhere.clone());
        (setup.world().await.and_hub().await, elsewhere)
    }

    fn fail(&self) {
        self.0.send_replace(Progress::Failed(Arc::new(FillError::Abandoned)));
    }
}

fn streaming(size_bytes: Option<u64>, readable_bytes: u64) -> Progress {
    Progress::Streaming { size_bytes, readable_bytes }
}

#[tokio::test]
async fn a_reader_waits_for_what_is_not_published_and_gets_what_is() {
    let (world, elsewhere) = Elsewhere::world(Progress::Connecting).await;
    let digest = Digest::of(BYTES);
    let open = world.open("hub/app", &digest);
    let publish = async {
        elsewhere.0.send_replace(streaming(Some(10), 0));
    };
    let (reader, ()) = tokio::join!(open, publish);
    let mut reader = reader.unwrap();
    assert!(reader.next(Access::User).now_or_never().is_none());
    for (readable, expected) in [(4, "0123"), (9, "45678")] {
        elsewhere.0.send_replace(streaming(Some(10), readable));
        assert_eq!(
            &within(reader.next(Access::User)).await.unwrap().unwrap()[..],
            expected.as_bytes()
        );
        assert!(reader.next(Access::User).now_or_never().is_none());
    }
    elsewhere.0.send_replace(Progress::Verified { size_bytes: 10 });
    assert_eq!(&read_to_end(&mut reader).await.unwrap()[..], b"9");
    assert!(world.upstream.requests().is_empty());
}

/// Of an empty blob there is no last byte to withhold.
#[tokio::test]
async fn a_blob_said_to_be_empty_ends_when_that_is_proven() {
    for proven in [true, false] {
        let (world, elsewhere) = Elsewhere::world(streaming(Some(0), 0)).await;
        let mut reader = world.open("hub/app", &Digest::of(BYTES)).await.unwrap();
        assert!(reader.next(Access::User).now_or_never().is_none());
        if proven {
            elsewhere.0.send_replace(Progress::Verified { size_bytes: 0 });
        } else {
            elsewhere.fail();
        }
        let end = within(reader.next(Access::User)).await;
        let is_error = matches!(end, Some(Err(ReadError::Fill(_))));
        assert!(is_error != proven && end.is_none() == proven, "{end:?}");
    }
}

/// While the size is unknown, a range can only be hoped for.
#[tokio::test]
async fn a_range_beyond_the_end_ends_there() {
    for (range, expected) in [(2..5, "234"), (5..20, "56789"), (10..20, ""), (30..31, "")] {
        let (world, elsewhere) = Elsewhere::world(streaming(None, 0)).await;
        let open = world.open_blob("hub/app", &Digest::of(BYTES)).await.unwrap();
        assert_eq!(open.size_bytes, None);
        let mut reader = open.read(Some(range.clone()));
        assert!(reader.next(Access::User).now_or_never().is_none());
        elsewhere.0.send_replace(Progress::Verified { size_bytes: 10 });
        let bytes = read_to_end(&mut reader).await.unwrap();
        assert_eq!(&bytes[..], expected.as_bytes(), "{range:?}");
    }
}

#[tokio::test]
async fn a_failure_ends_whoever_is_not_done() {
    let (world, elsewhere) = Elsewhere::world(streaming(Some(10), 5)).await;
    let digest = Digest::of(BYTES);
    let mut whole = world.open("hub/app", &digest).await.unwrap();
    let mut done = world.open_blob("hub/app", &digest).await.unwrap().read(Some(0..5));
    assert_eq!(&read_to_end(&mut done).await.unwrap()[..], b"01234");
    elsewhere.fail();
    assert!(read_to_end(&mut whole).await.is_err());
    assert!(within(done.next(Access::User)).await.is_none());
    assert!(world.open("hub/app", &digest).await.is_err());
}
