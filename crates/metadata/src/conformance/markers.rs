//! Markers.

use super::{ROUNDS, assert_refused};
use crate::{Error, MetadataStore};

/// A marker is created once, by one of two at the same time too, and keeps its bytes.
pub async fn are_created_once(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    assert_eq!(one.marker("keyring").await.expect("no marker"), None);
    one.create_marker("keyring", &[0, 255, 1]).await.expect("a marker");
    other.create_marker("empty", &[]).await.expect("an empty marker");
    assert_refused!(other.create_marker("keyring", &[2]).await, Error::AlreadyExists);
    assert_eq!(other.marker("keyring").await.expect("a marker"), Some(vec![0, 255, 1]));
    assert_eq!(one.marker("empty").await.expect("a marker"), Some(Vec::new()));
    for round in 0..ROUNDS {
        let name = format!("race-{round}");
        let results =
            tokio::join!(one.create_marker(&name, b"one"), other.create_marker(&name, b"other"));
        let winner = match results {
            (Ok(()), Err(Error::AlreadyExists)) => b"one".to_vec(),
            (Err(Error::AlreadyExists), Ok(())) => b"other".to_vec(),
            both => panic!("round {round}: {both:?}"),
        };
        assert_eq!(one.marker(&name).await.expect("a marker"), Some(winner));
    }
}
