//! Roles.

use super::{
    ROUNDS, assert_refused,
    samples::{home, role, three_registries},
};
use crate::{Error, MetadataStore, PageRequest, Role, Timestamp};

/// As many as any check makes.
const MANY: u32 = 1_000;

/// Everything comes back, in order and as typed.
pub async fn come_back_as_typed(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let full = Role {
        path: "/service-role/".into(),
        description: Some("pulls from elsewhere".into()),
        max_session_secs: 43_200,
        permissions_boundary: Some("arn:aws:iam::aws:policy/ReadOnlyAccess".into()),
        tags: vec![("z".into(), "1".into()), ("a".into(), String::new())],
        inline_policies: vec![("a".into(), "{ }".into()), ("b".into(), "{}".into())],
        attached_policies: vec!["arn:b".into(), "arn:a".into()],
        ..role("Full")
    };
    one.create_role(&home(), &full, MANY).await.expect("a role");
    one.create_role(&home(), &role("bare"), MANY).await.expect("another");
    assert_eq!(other.role(&home(), "Full").await.expect("the role"), full);
    assert_eq!(other.role(&home(), "bare").await.expect("the role"), role("bare"));

    let changed = Role { tags: Vec::new(), description: None, ..full.clone() };
    other.replace_role(&home(), &full, &changed).await.expect("the role as expected");
    assert_eq!(one.role(&home(), "Full").await.expect("the role"), changed);
}

/// One name is one role, whatever the case of its letters.
pub async fn are_told_apart_without_case(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    one.create_role(&home(), &role("PullThrough"), MANY).await.expect("a role");
    let again = other.create_role(&home(), &role("pullTHROUGH"), MANY).await;
    assert_refused!(again, Error::AlreadyExists);
    let found = other.role(&home(), "pullthrough").await.expect("the role");
    assert_eq!(found.name, "PullThrough");
    assert_refused!(one.role(&home(), "pull").await, Error::NotFound);
}

/// The limit holds for each account.
pub async fn are_limited(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let [home, _, account] = three_registries();
    one.create_role(&home, &role("a"), 2).await.expect("the first");
    other.create_role(&home, &role("b"), 2).await.expect("the second");
    let third = one.create_role(&home, &role("c"), 2).await;
    assert_refused!(third, Error::LimitExceeded { limit: 2 });
    assert_refused!(other.role(&home, "c").await, Error::NotFound);
    other.create_role(&account, &role("c"), 2).await.expect("the first of another account");
    assert_refused!(one.role(&home, "c").await, Error::NotFound);
}

/// Who read before the other wrote loses, and nothing is deleted that was not seen.
pub async fn are_swapped_and_deleted_only_as_expected(
    one: &dyn MetadataStore,
    other: &dyn MetadataStore,
) {
    let held = role("r");
    let changed = Role { attached_policies: vec!["arn:a".into()], ..held.clone() };
    assert_refused!(one.replace_role(&home(), &held, &changed).await, Error::NotFound);
    assert_refused!(one.delete_role(&home(), &held).await, Error::NotFound);
    one.create_role(&home(), &held, MANY).await.expect("a role");
    one.replace_role(&home(), &held, &changed).await.expect("the role as expected");
    assert_refused!(other.replace_role(&home(), &held, &held).await, Error::NotFound);
    assert_refused!(other.delete_role(&home(), &held).await, Error::NotFound);
    other.delete_role(&home(), &changed).await.expect("the role as it is");
    assert_refused!(one.role(&home(), "r").await, Error::NotFound);
    one.create_role(&home(), &held, MANY).await.expect("a name that is free");
}

/// Two that tag at the same time, reading again whenever they lose, lose none.
pub async fn are_swapped_by_two_at_once_without_loss(
    one: &dyn MetadataStore,
    other: &dyn MetadataStore,
) {
    one.create_role(&home(), &role("r"), MANY).await.expect("a role");
    let add = |store: &'static str, handle| async move {
        let handle: &dyn MetadataStore = handle;
        for round in 0..ROUNDS {
            loop {
                let held = handle.role(&home(), "r").await.expect("the role");
                let mut next = held.clone();
                next.tags.push((format!("{store}-{round}"), String::new()));
                match handle.replace_role(&home(), &held, &next).await {
                    Ok(()) => break,
                    Err(Error::NotFound) => tokio::task::yield_now().await,
                    Err(error) => panic!("{error:?}"),
                }
            }
        }
    };
    tokio::join!(add("one", one), add("other", other));
    let held = one.role(&home(), "r").await.expect("the role");
    assert_eq!(held.tags.len(), 2 * ROUNDS);
}

/// Pages are by name in lower case, and say where the next one starts.
pub async fn come_in_pages_by_name(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    for name in ["e", "B", "d", "A", "c"] {
        let role = Role { created_at: Timestamp(7), ..role(name) };
        one.create_role(&home(), &role, MANY).await.expect("a role");
    }
    let mut page = PageRequest::first(2);
    let mut seen = Vec::new();
    loop {
        let found = other.roles(&home(), &page).await.expect("a page");
        seen.push(found.items.into_iter().map(|role| role.name).collect::<String>());
        page.after = found.next;
        if page.after.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["AB", "cd", "e"]);
    let [_, region, _] = three_registries();
    let elsewhere = other.roles(&region, &PageRequest::first(2)).await.expect("a page");
    assert_eq!((elsewhere.items, elsewhere.next), (Vec::new(), None));
}
