//! Requests to change resources: recorded before they begin, carried out whoever waits.

use metadata::{
    PageRequest, RequestHorizon, RequestStatus, ResourceOperation, ResourceRequest,
    ResourceRequestStore as _, Timestamp,
};
use registry::{
    AskedRequest, Caller, DoneRequest, FailedRequest, NewResourceRequest, Principal, RequestError,
    RequestFilter,
};
use testkit::Gate;

use crate::world::{BEGINNING, Setup, World, registry_id, until, within};

const REGION: &str = crate::world::REGION;

fn asked(client_token: Option<&str>, document: &str) -> AskedRequest {
    AskedRequest {
        type_name: "AWS::ECR::PullThroughCacheRule",
        operation: ResourceOperation::Create,
        client_token: client_token.map(str::to_owned),
        document: document.to_owned(),
    }
}

fn new(subject: &str) -> NewResourceRequest {
    NewResourceRequest {
        asked: asked(None, subject),
        subject: Some(subject.to_owned()),
        identifier: Some(subject.to_owned()),
    }
}

fn done() -> Result<DoneRequest, FailedRequest> {
    Ok(DoneRequest { identifier: None, model: Some("{}".to_owned()) })
}

fn failed() -> Result<DoneRequest, FailedRequest> {
    let message = "there is one".to_owned();
    Err(FailedRequest { code: "AlreadyExists", message, identifier: Some("it/".to_owned()) })
}

impl World {
    /// Begins a request whose work waits at `gate`, and returns what its caller will be told.
    fn begin(
        &self,
        new: NewResourceRequest,
        gate: &Gate,
        outcome: Result<DoneRequest, FailedRequest>,
    ) -> tokio::task::JoinHandle<Result<ResourceRequest, RequestError>> {
        let (registry, caller, gate) = (self.registry.clone(), self.caller.clone(), gate.clone());
        tokio::spawn(async move {
            let work = async move {
                gate.pass().await;
                outcome
            };
            registry.carry_out(&caller, new, work).await
        })
    }

    async fn requests(&self) -> Vec<ResourceRequest> {
        let filter = RequestFilter::default();
        let page = PageRequest::first(100);
        self.registry.resource_requests(&self.caller, &filter, &page).await.unwrap().items
    }
}

#[tokio::test]
async fn a_request_is_in_progress_while_it_is_carried_out() {
    let world = Setup::new().world().await;
    let gate = Gate::shut();
    let first = world.begin(new("my-app"), &gate, done());
    within(gate.arrived(1)).await;
    let [request] = &world.requests().await[..] else { panic!("one") };
    assert_eq!(request.status, RequestStatus::InProgress);
    assert_eq!(request.identifier.as_deref(), Some("my-app"));

    // Another for the same resource is told which one is in its way; one for another is not.
    let second = world.registry.carry_out(&world.caller, new("my-app"), async { done() }).await;
    let Err(RequestError::Concurrent { request: in_the_way }) = second else {
        panic!("{second:?}")
    };
    assert_eq!(in_the_way.request_token, request.request_token);
    let other = world.registry.carry_out(&world.caller, new("other"), async { failed() }).await;
    let other = other.unwrap();
    assert_eq!(other.status, RequestStatus::Failed);
    assert_eq!(other.error_code.as_deref(), Some("AlreadyExists"));
    assert_eq!(other.identifier.as_deref(), Some("it/"));

    gate.open();
    let ended = within(first).await.unwrap().unwrap();
    assert_eq!(ended.status, RequestStatus::Success);
    assert_eq!(ended.resource_model.as_deref(), Some("{}"));
    let found = world.registry.resource_request(&world.caller, &ended.request_token).await;
    assert_eq!(found.unwrap(), ended);
    let again = world.registry.carry_out(&world.caller, new("my-app"), async { done() }).await;
    assert_eq!(again.unwrap().status, RequestStatus::Success);
}

#[tokio::test]
async fn a_request_goes_on_when_its_caller_is_gone() {
    let world = Setup::new().world().await;
    let gate = Gate::shut();
    let caller = world.begin(new("my-app"), &gate, done());
    within(gate.arrived(1)).await;
    caller.abort();
    assert!(within(caller).await.unwrap_err().is_cancelled());
    gate.open();
    until("the request has ended", || async {
        world.requests().await[0].status == RequestStatus::Success
    })
    .await;
}

#[tokio::test]
async fn a_request_that_takes_long_is_told_as_it_stands() {
    let world = Setup::new().world().await;
    let gate = Gate::shut();
    let told = within(world.begin(new("my-app"), &gate, done())).await.unwrap().unwrap();
    assert_eq!(told.status, RequestStatus::InProgress);
    gate.open();
    until("the request has ended", || async {
        let found = world.registry.resource_request(&world.caller, &told.request_token).await;
        found.unwrap().status == RequestStatus::Success
    })
    .await;
}

#[tokio::test]
async fn a_canceled_request_ends_as_what_it_did() {
    let world = Setup::new().world().await;
    for (subject, outcome, expected) in [
        ("done", done(), RequestStatus::Success),
        ("failed", failed(), RequestStatus::CancelComplete),
    ] {
        let gate = Gate::shut();
        let caller = world.begin(new(subject), &gate, outcome);
        within(gate.arrived(1)).await;
        let token = world.requests().await[0].request_token.clone();
        for _ in 0..2 {
            let canceled = world.registry.cancel_resource_request(&world.caller, &token).await;
            assert_eq!(canceled.unwrap().status, RequestStatus::CancelInProgress);
        }
        gate.open();
        let ended = within(caller).await.unwrap().unwrap();
        assert_eq!((ended.status, ended.error_code), (expected, None));
        assert!(ended.status_message.is_some(), "it says what happened");
        let late = world.registry.cancel_resource_request(&world.caller, &token).await;
        assert!(matches!(late, Err(RequestError::Ended { .. })), "{late:?}");
        // The list is of one moment: the next request must be the newest.
        world.clock.advance(1);
    }
    let none = world.registry.cancel_resource_request(&world.caller, "none").await;
    assert!(matches!(none, Err(RequestError::NotFound { .. })), "{none:?}");
}

#[tokio::test]
async fn work_that_panics_is_a_request_that_failed() {
    let world = Setup::new().world().await;
    let panics = async { panic!("on purpose") };
    let ended = world.registry.carry_out(&world.caller, new("my-app"), panics).await.unwrap();
    assert_eq!(ended.status, RequestStatus::Failed);
    assert_eq!(ended.error_code.as_deref(), Some("InternalFailure"));
}

#[tokio::test]
async fn what_an_ended_process_left_open_is_not_in_the_way_for_ever() {
    let world = Setup::new().world().await;
    let left = ResourceRequest {
        request_token: "left".to_owned(),
        client_token: None,
        type_name: asked(None, "").type_name.to_owned(),
        operation: ResourceOperation::Create,
        subject: Some("my-app".to_owned()),
        identifier: None,
        status: RequestStatus::InProgress,
        error_code: None,
        status_message: None,
        resource_model: None,
        requested_at: Timestamp(BEGINNING),
    };
    let ever = Timestamp(0);
    let horizon = RequestHorizon { kept_since: ever, client_tokens_since: ever, open_since: ever };
    let registry = registry_id(REGION);
    world.metadata.begin_resource_request(&registry, &left, &horizon).await.unwrap();
    let begin = || world.registry.carry_out(&world.caller, new("my-app"), async { done() });
    assert!(matches!(begin().await, Err(RequestError::Concurrent { .. })));

    world.clock.advance(61_000);
    let found = world.registry.resource_request(&world.caller, "left").await.unwrap();
    assert_eq!(found.status, RequestStatus::Failed);
    assert_eq!(found.error_code.as_deref(), Some("ServiceTimeout"));
    let late = world.registry.cancel_resource_request(&world.caller, "left").await;
    assert!(matches!(late, Err(RequestError::Ended { .. })), "{late:?}");
    assert_eq!(begin().await.unwrap().status, RequestStatus::Success);
}

#[tokio::test]
async fn a_client_token_is_bound_to_what_was_asked() {
    let mut world = Setup::new().world().await;
    let new = |document: &str| NewResourceRequest {
        asked: asked(Some("mine"), document),
        subject: None,
        identifier: None,
    };
    let look = asked(Some("mine"), "secret");
    assert_eq!(world.registry.repeated_request(&world.caller, &look).await.unwrap(), None);
    let first = world.registry.carry_out(&world.caller, new("secret"), async { done() }).await;
    let first = first.unwrap();
    let never = async { panic!("it is not carried out again") };
    let again = world.registry.carry_out(&world.caller, new("secret"), never).await.unwrap();
    assert_eq!(again, first);
    let found = world.registry.repeated_request(&world.caller, &look).await.unwrap();
    assert_eq!(found.as_ref(), Some(&first));
    let other = world.registry.carry_out(&world.caller, new("other"), async { done() }).await;
    assert!(matches!(other, Err(RequestError::ClientTokenConflict { .. })), "{other:?}");
    // Nothing in the store tells what was asked without the keyring.
    let held = first.client_token.unwrap().sealed_fingerprint;
    assert!(!held.windows(6).any(|part| part == b"secret"));

    world.restart(|_| {}).await;
    let found = world.registry.repeated_request(&world.caller, &look).await.unwrap();
    assert_eq!(found.map(|found| found.request_token), Some(first.request_token));
}

#[tokio::test]
async fn nobody_in_particular_may_do_nothing() {
    let world = Setup::new().world().await;
    let nobody = Caller { registry: registry_id(REGION), principal: Principal::Anonymous };
    let made = world.registry.carry_out(&nobody, new("my-app"), async { done() }).await;
    let Err(RequestError::Denied(denied)) = made else { panic!("{made:?}") };
    assert_eq!(denied.action, "cloudformation:CreateResource");
    assert_eq!(denied.resource, "arn:aws:cloudformation:us-east-1:000000000000:resource/*");
    let told = world.registry.resource_request(&nobody, "x").await;
    assert!(matches!(told, Err(RequestError::Denied(_))));
    let canceled = world.registry.cancel_resource_request(&nobody, "x").await;
    assert!(matches!(canceled, Err(RequestError::Denied(_))));
    let looked = world.registry.repeated_request(&nobody, &asked(None, "")).await;
    assert!(matches!(looked, Err(RequestError::Denied(_))));
    assert_eq!(world.requests().await, []);
}
