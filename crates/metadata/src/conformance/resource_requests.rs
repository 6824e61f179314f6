//! Requests to change resources.

use super::{
    ROUNDS, assert_refused,
    samples::{home, three_registries},
};
use crate::{
    Begun, ClientToken, Error, MetadataStore, PageRequest, RequestHorizon, RequestStatus,
    ResourceOperation, ResourceRequest, Timestamp,
};

const EVER: Timestamp = Timestamp(0);
/// Everything counts, however old.
const ALL: RequestHorizon =
    RequestHorizon { kept_since: EVER, client_tokens_since: EVER, open_since: EVER };

/// A request in progress, made at `at`.
fn request(request_token: &str, subject: Option<&str>, at: i64) -> ResourceRequest {
    ResourceRequest {
        request_token: request_token.into(),
        client_token: None,
        type_name: "AWS::ECR::PullThroughCacheRule".into(),
        operation: ResourceOperation::Create,
        subject: subject.map(Into::into),
        identifier: None,
        status: RequestStatus::InProgress,
        error_code: None,
        status_message: None,
        resource_model: None,
        requested_at: Timestamp(at),
    }
}

fn of_client(token: &str, request: ResourceRequest) -> ResourceRequest {
    let client_token = ClientToken { token: token.into(), sealed_fingerprint: vec![0, 255, 7] };
    ResourceRequest { client_token: Some(client_token), ..request }
}

async fn begin(store: &dyn MetadataStore, request: &ResourceRequest) -> Begun {
    store.begin_resource_request(&home(), request, &ALL).await.expect("a store that answers")
}

/// Everything comes back, before and after.
pub async fn come_back_as_recorded(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    assert_refused!(one.resource_request(&home(), "r1", EVER).await, Error::NotFound);
    let asked = of_client("mine", request("r1", Some("my-app"), 1_000));
    assert_eq!(begin(one, &asked).await, Begun::New);
    let found = other.resource_request(&home(), "r1", EVER).await;
    assert_eq!(found.expect("the request"), asked);
    for status in RequestStatus::ALL {
        let begun = ResourceRequest { status, ..request(status.as_str(), None, 2_000) };
        assert_eq!(begin(one, &begun).await, Begun::New);
        let ended = ResourceRequest {
            identifier: Some("my-app/".into()),
            status: RequestStatus::Failed,
            error_code: Some("AlreadyExists".into()),
            status_message: Some("it is there".into()),
            resource_model: Some(r#"{"a":"b"}"#.into()),
            ..begun
        };
        let token = &ended.request_token;
        let replaced = other.replace_resource_request(&home(), status, &ended).await;
        replaced.expect("a request of that status");
        let found = one.resource_request(&home(), token, EVER).await;
        assert_eq!(found.expect("the request"), ended);
    }
}

/// Who believes that a request is where it is no more changes nothing.
pub async fn go_on_only_from_the_status_expected(
    one: &dyn MetadataStore,
    other: &dyn MetadataStore,
) {
    let begun = request("r1", Some("my-app"), 1_000);
    let absent = one.replace_resource_request(&home(), begun.status, &begun).await;
    assert_refused!(absent, Error::NotFound);
    assert_eq!(begin(one, &begun).await, Begun::New);
    let canceled = ResourceRequest { status: RequestStatus::CancelInProgress, ..begun.clone() };
    let canceling = other.replace_resource_request(&home(), begun.status, &canceled).await;
    canceling.expect("a request in progress");
    let done = ResourceRequest { status: RequestStatus::Success, ..begun.clone() };
    let late = one.replace_resource_request(&home(), begun.status, &done).await;
    assert_refused!(late, Error::NotFound);
    let found = one.resource_request(&home(), "r1", EVER).await;
    assert_eq!(found.expect("the request"), canceled);
}

/// One at a time for each resource; those of unknown resources do not meet.
pub async fn of_a_resource_wait_for_one_another(
    one: &dyn MetadataStore,
    other: &dyn MetadataStore,
) {
    let first = request("r1", Some("my-app"), 1_000);
    assert_eq!(begin(one, &first).await, Begun::New);
    let second = request("r2", Some("my-app"), 2_000);
    assert_eq!(begin(other, &second).await, Begun::Concurrent(first.clone()));
    assert_refused!(one.resource_request(&home(), "r2", EVER).await, Error::NotFound);
    let elsewhere = ResourceRequest { type_name: "AWS::ECR::Repository".into(), ..second.clone() };
    assert_eq!(begin(other, &elsewhere).await, Begun::New);
    for token in ["r3", "r4"] {
        assert_eq!(begin(other, &request(token, None, 2_000)).await, Begun::New);
    }
    // Whoever carried it out is long gone.
    let late = RequestHorizon { open_since: Timestamp(1_001), ..ALL };
    let fifth = request("r5", Some("my-app"), 3_000);
    let begun = one.begin_resource_request(&home(), &fifth, &late).await;
    assert_eq!(begun.expect("a store that answers"), Begun::New);
    for (token, status) in [("r1", RequestStatus::Success), ("r5", RequestStatus::Failed)] {
        let ended = ResourceRequest { status, ..request(token, None, 0) };
        let expected = RequestStatus::InProgress;
        let replaced = one.replace_resource_request(&home(), expected, &ended).await;
        replaced.expect("a request in progress");
    }
    assert_eq!(begin(other, &request("r6", Some("my-app"), 4_000)).await, Begun::New);
}

/// Of two that begin at the same time one waits for the other.
pub async fn are_begun_once_for_a_resource_by_two_at_once(
    one: &dyn MetadataStore,
    other: &dyn MetadataStore,
) {
    for round in 0..ROUNDS {
        let subject = format!("subject-{round}");
        let mine = request(&format!("one-{round}"), Some(&subject), 1_000);
        let theirs = request(&format!("other-{round}"), Some(&subject), 1_000);
        let (mine, theirs) = tokio::join!(begin(one, &mine), begin(other, &theirs));
        let new = [&mine, &theirs].into_iter().filter(|begun| **begun == Begun::New).count();
        assert_eq!(new, 1, "{mine:?} {theirs:?}");
    }
}

/// A client token names one request for as long as it is remembered, whatever came of that.
pub async fn of_one_client_token_are_one(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let first = of_client("mine", request("r1", Some("a"), 1_000));
    assert_eq!(begin(one, &first).await, Begun::New);
    let again = of_client("mine", request("r2", Some("b"), 2_000));
    assert_eq!(begin(other, &again).await, Begun::Repeated(first.clone()));
    let theirs = of_client("theirs", request("r3", Some("c"), 2_000));
    assert_eq!(begin(other, &theirs).await, Begun::New);
    let found = |since| async move {
        one.resource_request_of_client_token(&home(), "mine", Timestamp(since)).await
    };
    assert_eq!(found(1_000).await.expect("the request"), first);
    assert_refused!(found(1_001).await, Error::NotFound);
    let forgotten = RequestHorizon { client_tokens_since: Timestamp(1_001), ..ALL };
    let begun = other.begin_resource_request(&home(), &again, &forgotten).await;
    assert_eq!(begun.expect("a store that answers"), Begun::New);
    let third = of_client("mine", request("r4", Some("d"), 3_000));
    assert_eq!(begin(one, &third).await, Begun::Repeated(again.clone()));
    assert_eq!(found(0).await.expect("the later one of that token"), again);
}

/// What is too old is neither found nor listed, and makes room.
pub async fn are_kept_as_long_as_they_count(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    assert_eq!(begin(one, &request("old", None, 1_000)).await, Begun::New);
    let since = Timestamp(1_001);
    assert_refused!(other.resource_request(&home(), "old", since).await, Error::NotFound);
    let page = other.resource_requests(&home(), &PageRequest::first(5), since).await;
    assert_eq!(page.expect("a page").items, []);
    assert!(other.resource_request(&home(), "old", Timestamp(1_000)).await.is_ok());
    let horizon = RequestHorizon { kept_since: since, ..ALL };
    let begun = one.begin_resource_request(&home(), &request("new", None, 2_000), &horizon).await;
    assert_eq!(begun.expect("a store that answers"), Begun::New);
    assert_refused!(other.resource_request(&home(), "old", EVER).await, Error::NotFound);
    assert!(other.resource_request(&home(), "new", EVER).await.is_ok());
}

/// The newest come first, those of one moment by token, and each page goes on where one ended.
pub async fn come_in_pages_the_newest_first(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    for (token, at) in [("b", 2_000), ("a", 1_000), ("d", 2_000), ("c", 2_000), ("e", 3_000)] {
        assert_eq!(begin(one, &request(token, None, at)).await, Begun::New);
    }
    let mut page = PageRequest::first(2);
    let mut seen = Vec::new();
    loop {
        let found = other.resource_requests(&home(), &page, EVER).await.expect("a page");
        seen.push(found.items.into_iter().map(|held| held.request_token).collect::<String>());
        page.after = found.next;
        if page.after.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["ed", "cb", "a"]);
    let nowhere = PageRequest { after: Some("nowhere".into()), limit: 2 };
    let found = other.resource_requests(&home(), &nowhere, EVER).await.expect("a page");
    assert_eq!(found.items, []);
}

/// Neither tokens nor resources of one registry are those of another.
pub async fn are_told_apart_by_registry(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let asked = of_client("mine", request("r1", Some("my-app"), 1_000));
    for registry in three_registries() {
        let begun = one.begin_resource_request(&registry, &asked, &ALL).await;
        assert_eq!(begun.expect("a store that answers"), Begun::New, "{registry}");
    }
    let [first, second, _] = three_registries();
    let done = ResourceRequest { status: RequestStatus::Success, ..asked.clone() };
    let replaced = one.replace_resource_request(&second, asked.status, &done).await;
    replaced.expect("a request in progress");
    let found = other.resource_request(&first, "r1", EVER).await;
    assert_eq!(found.expect("the request"), asked);
    let page = other.resource_requests(&second, &PageRequest::first(5), EVER).await;
    assert_eq!(page.expect("a page").items, [done]);
}
