//! Uploads.

use super::{
    ROUNDS, assert_refused,
    samples::{home, pushed, registry, repository},
};
use crate::{Error, MetadataStore, Timestamp, Upload};

fn upload(id: &str, at: i64) -> Upload {
    Upload {
        id: id.to_owned(),
        repository: repository("team/app"),
        size_bytes: 0,
        origin: pushed(),
        started_at: Timestamp(at),
        moved_at: Timestamp(at),
    }
}

/// An upload is found by registry, repository and id, advances, and is forgotten.
pub async fn advance_and_end(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let (home, new) = (home(), upload("a-1", 1_000));
    one.create_upload(&home, &new, None).await.expect("an upload");
    assert_refused!(other.create_upload(&home, &new, None).await, Error::AlreadyExists);
    let name = &new.repository;
    assert_eq!(other.upload(&home, name, "a-1").await.expect("the upload"), new);
    let elsewhere = registry("111122223333", "us-east-1");
    assert_refused!(other.upload(&elsewhere, name, "a-1").await, Error::NotFound);
    assert_refused!(other.upload(&home, &repository("other"), "a-1").await, Error::NotFound);
    assert_refused!(other.upload(&home, name, "a-2").await, Error::NotFound);

    other.advance_upload(&home, &new, 10, Timestamp(2_000)).await.expect("an advance");
    let late = one.advance_upload(&home, &new, 20, Timestamp(3_000)).await;
    assert_refused!(late, Error::NotFound);
    let held = one.upload(&home, name, "a-1").await.expect("the upload");
    let expected = Upload { size_bytes: 10, moved_at: Timestamp(2_000), ..new.clone() };
    assert_eq!(held, expected);
    one.delete_upload(&home, name, "a-1").await.expect("the end");
    assert_refused!(other.delete_upload(&home, name, "a-1").await, Error::NotFound);
    assert_refused!(other.advance_upload(&home, &held, 30, Timestamp(9)).await, Error::NotFound);
}

/// A registry has no more uploads at once than it may; others have their own.
pub async fn are_limited_per_registry(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let elsewhere = registry("111122223333", "us-east-1");
    for (store, id) in [(one, "a-1"), (other, "a-2")] {
        store.create_upload(&home(), &upload(id, 1), Some(2)).await.expect("an upload");
    }
    let third = one.create_upload(&home(), &upload("a-3", 1), Some(2)).await;
    assert_refused!(third, Error::LimitExceeded { limit: 2 });
    other.create_upload(&elsewhere, &upload("a-3", 1), Some(2)).await.expect("an upload");
    other.delete_upload(&home(), &repository("team/app"), "a-1").await.expect("the end");
    one.create_upload(&home(), &upload("a-4", 1), Some(2)).await.expect("room for one more");
}

/// Those that nobody goes on with are told, longest idle first, of every registry.
pub async fn that_are_idle_are_found(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let elsewhere = registry("111122223333", "us-east-1");
    one.create_upload(&home(), &upload("a-1", 2_000), None).await.expect("an upload");
    one.create_upload(&elsewhere, &upload("a-2", 1_000), None).await.expect("an upload");
    one.create_upload(&home(), &upload("a-3", 3_000), None).await.expect("an upload");
    let found = other.idle_uploads(Timestamp(3_000), 10).await.expect("uploads");
    let expected = [(elsewhere, upload("a-2", 1_000)), (home(), upload("a-1", 2_000))];
    assert_eq!(found, expected);
    let found = other.idle_uploads(Timestamp(3_000), 1).await.expect("uploads");
    assert_eq!(found, expected[..1]);
    assert_eq!(one.idle_uploads(Timestamp(1_000), 10).await.expect("uploads"), []);
}

/// Of two that go on with one upload at the same time, one learns that it was too late.
pub async fn are_advanced_by_one_of_two_at_once(
    one: &dyn MetadataStore,
    other: &dyn MetadataStore,
) {
    for round in 0..ROUNDS {
        let (registry, new) = (home(), upload(&format!("a-{round}"), 1));
        one.create_upload(&registry, &new, None).await.expect("an upload");
        let results = tokio::join!(
            one.advance_upload(&registry, &new, 1, Timestamp(2)),
            other.advance_upload(&registry, &new, 2, Timestamp(2)),
        );
        let held = other.upload(&registry, &new.repository, &new.id).await.expect("the upload");
        match results {
            (Ok(()), Err(Error::NotFound)) => assert_eq!(held.size_bytes, 1, "round {round}"),
            (Err(Error::NotFound), Ok(())) => assert_eq!(held.size_bytes, 2, "round {round}"),
            results => panic!("round {round}: {results:?}"),
        }
    }
}
