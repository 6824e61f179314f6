//! Sightings.

use super::samples::{digest, home, three_registries};
use crate::{MetadataStore, Revision, Timestamp};

const DAY: i64 = 24 * 60 * 60 * 1000;

/// The first one counts, for each registry and digest; nobody is told of it.
pub async fn are_of_the_first_time(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let at = |day: i64| Timestamp(day * DAY);
    let [_, elsewhere, _] = three_registries();
    let (image, another) = (digest("image"), digest("another"));
    let before = one.changes_since(Revision(0)).await.expect("changes").revision;
    for (registry, digest, now, expected) in [
        (home(), &image, 1_000, 1_000),
        (home(), &image, 1_001, 1_000),
        (home(), &another, 1_001, 1_001),
        (elsewhere, &image, 1_002, 1_002),
        (home(), &image, 1_400, 1_000),
        // What was seen too long ago was forgotten.
        (home(), &image, 1_401, 1_401),
        (home(), &another, 1_401, 1_001),
    ] {
        let store = if now % 2 == 0 { one } else { other };
        let seen = store.sight_manifest(&registry, digest, at(now)).await.expect("a sighting");
        assert_eq!(seen, at(expected), "{registry} {digest} {now}");
    }
    let after = one.changes_since(Revision(0)).await.expect("changes").revision;
    assert_eq!(before, after);
}
