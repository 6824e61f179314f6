//! Secrets.

use super::{
    ROUNDS, assert_refused,
    samples::{home, new_secret, secret, three_registries, version},
};
use crate::{Error, MetadataStore, NewSecret, PageRequest, Secret, SecretId, Timestamp};

const NOW: Timestamp = Timestamp(5_000);

fn by_name(name: &str) -> SecretId {
    SecretId::Name(name.into())
}

/// Everything comes back, in order and to the byte.
pub async fn come_back_as_sealed(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let bare = Secret { versions: Vec::new(), ..secret("bare") };
    let mut full = Secret {
        description: Some("token of the mirror".into()),
        kms_key_id: Some("alias/own".into()),
        tags: vec![("z".into(), "1".into()), ("a".into(), String::new())],
        resource_policy: Some(r#"{ "Statement": [] }"#.into()),
        versions: vec![version("v1", "AWSCURRENT", &[0, 255, 10, 0])],
        ..secret("ecr-pullthroughcache/full")
    };
    one.create_secret(&home(), &NewSecret { secret: bare.clone() }).await.expect("a secret");
    one.create_secret(&home(), &NewSecret { secret: full.clone() }).await.expect("another");
    assert_eq!(other.secret(&home(), &by_name("bare"), NOW).await.expect("a secret"), bare);
    let held = other.secret(&home(), &by_name(&full.name), NOW).await.expect("a secret");
    assert_eq!(held, full);

    // Version ids are in no order of their own: only their place tells the oldest.
    full.versions = vec![version("z", "AWSPREVIOUS", b""), version("a", "AWSCURRENT", b"new")];
    full.versions[1].stages.push("mine".into());
    full.resource_policy = None;
    full.changed_at = Timestamp(2_000);
    full.delete_after = Some(Timestamp(9_000));
    full.deleted_at = Some(Timestamp(2_000));
    other.replace_secret(&home(), &held, &full).await.expect("the secret as expected");
    assert_eq!(one.secret(&home(), &by_name(&full.name), NOW).await.expect("a secret"), full);
}

/// A suffix must be the secret's own.
pub async fn are_found_by_name_and_suffix(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    one.create_secret(&home(), &new_secret("token")).await.expect("a secret");
    let suffixed = |name: &str, suffix: &str| SecretId::NameAndSuffix(name.into(), suffix.into());
    let found = other.secret(&home(), &suffixed("token", "AbCdEf"), NOW).await;
    assert_eq!(found.expect("the secret"), secret("token"));
    for (name, suffix) in [("token", "abcdef"), ("token", ""), ("token-AbCdEf", "AbCdEf")] {
        let found = other.secret(&home(), &suffixed(name, suffix), NOW).await;
        assert_refused!(found, Error::NotFound);
    }
    let found = one.secret(&home(), &by_name("token-AbCdEf"), NOW).await;
    assert_refused!(found, Error::NotFound);
}

/// A secret scheduled for deletion holds its name until the moment has come, and not longer.
pub async fn are_gone_when_their_time_has_come(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    one.create_secret(&home(), &new_secret("token")).await.expect("a secret");
    let again = other.create_secret(&home(), &new_secret("token")).await;
    assert_refused!(again, Error::AlreadyExists);
    let doomed = Secret {
        delete_after: Some(Timestamp(3_000)),
        deleted_at: Some(Timestamp(2_000)),
        versions: vec![version("v1", "AWSPREVIOUS", b"1"), version("v2", "AWSCURRENT", b"2")],
        ..secret("token")
    };
    other.replace_secret(&home(), &secret("token"), &doomed).await.expect("the secret");

    let found = |at| async move { one.secret(&home(), &by_name("token"), Timestamp(at)).await };
    assert_eq!(found(2_999).await.expect("a secret not yet gone"), doomed);
    assert_refused!(found(3_000).await, Error::NotFound);
    let listed = |at| async move {
        let page = other.secrets(&home(), &PageRequest::first(10), Timestamp(at)).await;
        page.expect("a page").items.len()
    };
    assert_eq!((listed(2_999).await, listed(3_000).await), (1, 0));

    let successor = |at| Secret { created_at: Timestamp(at), ..secret("token") };
    let early = one.create_secret(&home(), &NewSecret { secret: successor(2_999) }).await;
    assert_refused!(early, Error::AlreadyExists);
    let new = NewSecret { secret: successor(3_000) };
    other.create_secret(&home(), &new).await.expect("a name that is free");
    assert_eq!(found(4_000).await.expect("the successor"), new.secret);
    assert_refused!(one.create_secret(&home(), &new).await, Error::AlreadyExists);
}

/// A purge takes what is gone, of every registry, with its versions; and nothing else.
pub async fn are_purged_when_their_time_has_come(
    one: &dyn MetadataStore,
    other: &dyn MetadataStore,
) {
    let doomed = |name| Secret {
        delete_after: Some(Timestamp(3_000)),
        deleted_at: Some(NOW),
        ..secret(name)
    };
    for registry in three_registries() {
        let new = NewSecret { secret: doomed("doomed") };
        one.create_secret(&registry, &new).await.expect("a secret");
        one.create_secret(&registry, &new_secret("live")).await.expect("another");
    }
    let later = NewSecret { secret: Secret { delete_after: Some(NOW), ..secret("later") } };
    one.create_secret(&home(), &later).await.expect("one more");
    let purge = |at| async move { other.purge_secrets(Timestamp(at)).await.expect("a purge") };
    assert_eq!((purge(2_999).await, purge(3_000).await, purge(3_000).await), (0, 3, 0));
    // The moment that would find it, had it only been hidden.
    let early = Timestamp(2_000);
    let found = one.secret(&home(), &by_name("doomed"), early).await;
    assert_refused!(found, Error::NotFound);
    let found = one.secret(&home(), &by_name("later"), early).await;
    assert_eq!(found.expect("not gone yet"), later.secret);
    for registry in three_registries() {
        let found = other.secret(&registry, &by_name("live"), NOW).await;
        assert_eq!(found.expect("a live secret"), secret("live"));
        let bare = NewSecret { secret: Secret { versions: Vec::new(), ..secret("doomed") } };
        one.create_secret(&registry, &bare).await.expect("a name that is free");
        let found = other.secret(&registry, &by_name("doomed"), NOW).await;
        assert_eq!(found.expect("the successor"), bare.secret, "without old versions");
    }
}

/// Who read before the other wrote loses, and can read again.
pub async fn are_swapped_only_as_expected(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let held = secret("token");
    let absent = one.replace_secret(&home(), &held, &held).await;
    assert_refused!(absent, Error::NotFound);
    one.create_secret(&home(), &new_secret("token")).await.expect("a secret");

    let first = Secret { versions: vec![version("v2", "AWSCURRENT", b"first")], ..held.clone() };
    let second = Secret { versions: vec![version("v2", "AWSCURRENT", b"second")], ..held.clone() };
    one.replace_secret(&home(), &held, &first).await.expect("the secret as expected");
    let late = other.replace_secret(&home(), &held, &second).await;
    assert_refused!(late, Error::NotFound);
    // The two differ in nothing but a sealed value.
    let stale = other.replace_secret(&home(), &second, &held).await;
    assert_refused!(stale, Error::NotFound);
    let read = other.secret(&home(), &by_name("token"), NOW).await.expect("the secret");
    assert_eq!(read, first);
    other.replace_secret(&home(), &read, &second).await.expect("the secret as read again");
    assert_eq!(one.secret(&home(), &by_name("token"), NOW).await.expect("the secret"), second);
}

/// Two that add versions at the same time, reading again whenever they lose, lose none.
pub async fn are_swapped_by_two_at_once_without_loss(
    one: &dyn MetadataStore,
    other: &dyn MetadataStore,
) {
    one.create_secret(&home(), &new_secret("token")).await.expect("a secret");
    let add = |store: &'static str, handle| async move {
        let handle: &dyn MetadataStore = handle;
        for round in 0..ROUNDS {
            loop {
                let held = handle.secret(&home(), &by_name("token"), NOW).await.expect("a secret");
                let mut next = held.clone();
                next.versions.push(version(&format!("{store}-{round}"), "AWSPENDING", b"sealed"));
                match handle.replace_secret(&home(), &held, &next).await {
                    Ok(()) => break,
                    Err(Error::NotFound) => tokio::task::yield_now().await,
                    Err(error) => panic!("{error:?}"),
                }
            }
        }
    };
    tokio::join!(add("one", one), add("other", other));
    let held = one.secret(&home(), &by_name("token"), NOW).await.expect("the secret");
    assert_eq!(held.versions.len(), 1 + 2 * ROUNDS);
}

/// A deletion takes the secret and every version.
pub async fn are_deleted_at_once(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    assert_refused!(other.delete_secret(&home(), "token").await, Error::NotFound);
    one.create_secret(&home(), &new_secret("token")).await.expect("a secret");
    one.create_secret(&home(), &new_secret("token2")).await.expect("its neighbour");
    other.delete_secret(&home(), "token").await.expect("the secret");
    assert_refused!(one.secret(&home(), &by_name("token"), NOW).await, Error::NotFound);
    assert_refused!(one.delete_secret(&home(), "token").await, Error::NotFound);
    let bare = Secret { versions: Vec::new(), ..secret("token") };
    one.create_secret(&home(), &NewSecret { secret: bare.clone() }).await.expect("a new secret");
    assert_eq!(other.secret(&home(), &by_name("token"), NOW).await.expect("the secret"), bare);
    let neighbour = other.secret(&home(), &by_name("token2"), NOW).await;
    assert_eq!(neighbour.expect("the neighbour"), secret("token2"));
}

/// Pages are by name, skip what is gone, and say where the next one starts.
pub async fn come_in_pages_by_name(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    for name in ["e", "b", "d", "a", "c"] {
        let delete_after = (name == "b").then_some(Timestamp(4_000));
        let secret = Secret { delete_after, ..secret(name) };
        one.create_secret(&home(), &NewSecret { secret }).await.expect("a secret");
    }
    let mut page = PageRequest::first(2);
    let mut seen = Vec::new();
    loop {
        let found = other.secrets(&home(), &page, NOW).await.expect("a page");
        for held in &found.items {
            assert_eq!(*held, secret(&held.name), "with its versions");
        }
        seen.push(found.items.into_iter().map(|secret| secret.name).collect::<String>());
        page.after = found.next;
        if page.after.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["ac", "de"]);
    let single = other.secrets(&home(), &PageRequest::first(1), NOW).await.expect("a page");
    assert_eq!(single.items, [secret("a")]);
}
