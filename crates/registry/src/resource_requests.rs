//! Requests to change resources: one at a time for each resource, carried out whether or not the
//! caller waits, and kept for seven days.
//!
//! AWS Cloud Control API user guide, "Managing resource operation requests". What a request does is
//! the caller's; that it is recorded before it begins, and how it ended, is this room's.

use std::{future::Future, time::Duration};

use metadata::{
    Begun, ClientToken, Page, PageRequest, RequestHorizon, RequestStatus, ResourceOperation,
    ResourceRequest, Timestamp,
};
use sha2::{Digest as _, Sha256};

use crate::{Action, Caller, Denied, Registry, Resource, StorageError, random, registry::Inner};

/// "Resource operation requests expire after seven days" (user guide).
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// "A client token is valid for 36 hours once used" (API reference of CreateResource).
const CLIENT_TOKENS_VALID: Duration = Duration::from_secs(36 * 60 * 60);
/// How long a request may take. Each comes down to a few transactions of the metadata store.
const WORK_MAX: Duration = Duration::from_secs(30);
/// After what time a request that is still open was left behind by a process that ended.
const OPEN_MAX: Duration = Duration::from_secs(60);
/// How long a caller waits for the end of its request before it is told that there is none yet.
const ANSWER_AFTER: Duration = Duration::from_secs(2);
/// How many requests are read at a time where only some are wanted.
const READ_AT_ONCE: usize = 100;

/// The code of a request that took too long, or whose process ended.
const TIMEOUT: &str = "ServiceTimeout";

/// What is asked for, as it was sent.
#[derive(Clone, Debug)]
pub struct AskedRequest {
    /// The type of the resource.
    pub type_name: &'static str,
    /// What is to be done.
    pub operation: ResourceOperation,
    /// The caller's own name for the request.
    pub client_token: Option<String>,
    /// Everything else that tells the request from another of the same client token.
    pub document: String,
}

/// A request that can be carried out.
#[derive(Clone, Debug)]
pub struct NewResourceRequest {
    /// What is asked for.
    pub asked: AskedRequest,
    /// What names the resource whatever the spelling of its identifier, where that is known.
    pub subject: Option<String>,
    /// Its identifier, where that is known.
    pub identifier: Option<String>,
}

/// A resource after a request was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoneRequest {
    /// Its identifier, where the request did not know it.
    pub identifier: Option<String>,
    /// What it is now, as JSON; `None` where it is gone.
    pub model: Option<String>,
}

/// Why a request was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedRequest {
    /// The reason in a word (Cloud Control's `HandlerErrorCode`).
    pub code: &'static str,
    /// The reason in a sentence.
    pub message: String,
    /// The identifier of the resource it is about, where it became known.
    pub identifier: Option<String>,
}

/// Which requests are listed; an empty list stands for all.
#[derive(Clone, Debug, Default)]
pub struct RequestFilter {
    /// What they ask for.
    pub operations: Vec<ResourceOperation>,
    /// How far they have come.
    pub statuses: Vec<RequestStatus>,
}

/// Why there is no answer about a request.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// Not allowed.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// There is none of this token.
    #[error("there is no request {request_token}")]
    NotFound {
        /// The token.
        request_token: String,
    },
    /// Another request has this client token.
    #[error("the client token {client_token} names another request")]
    ClientTokenConflict {
        /// The client token.
        client_token: String,
    },
    /// The resource is being changed.
    #[error("request {} is open for the same resource", request.request_token)]
    Concurrent {
        /// The request that is under way.
        request: Box<ResourceRequest>,
    },
    /// The request has ended.
    #[error("request {request_token} has ended as {}", status.as_str())]
    Ended {
        /// The token.
        request_token: String,
        /// How it ended.
        status: RequestStatus,
    },
    /// A store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<metadata::Error> for RequestError {
    fn from(error: metadata::Error) -> Self {
        Self::Storage(error.into())
    }
}

impl Registry {
    /// Checks that the caller may use Cloud Control for `action`; what is done to the resource is
    /// checked again by its own name.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn admit_resource_call(&self, caller: &Caller, action: &'static str) -> Result<(), Denied> {
        self.inner.authorize(caller, Action::Operation(action), Resource::CloudControl)
    }

    /// Returns the request that was made before with the same client token and asks for the same.
    /// A caller looks for it first: what was carried out may not make sense a second time.
    ///
    /// # Errors
    /// [`RequestError::ClientTokenConflict`].
    pub async fn repeated_request(
        &self,
        caller: &Caller,
        asked: &AskedRequest,
    ) -> Result<Option<ResourceRequest>, RequestError> {
        self.admit_resource_call(caller, action(asked.operation))?;
        let Some(token) = &asked.client_token else { return Ok(None) };
        let now = self.inner.clock.now();
        let since = before(now, CLIENT_TOKENS_VALID);
        let metadata = &self.inner.metadata;
        let held = metadata.resource_request_of_client_token(&caller.registry, token, since);
        match held.await {
            Ok(held) => self.inner.repeated(held, &fingerprint(asked), now).map(Some),
            Err(metadata::Error::NotFound) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Records a request and has `work` carry it out. Returns the request: ended, or as far as it
    /// has come where that takes longer. A repeated one is returned as it is, and not carried out
    /// again. `work` goes on when the caller is gone.
    ///
    /// # Errors
    /// [`RequestError::ClientTokenConflict`], [`RequestError::Concurrent`].
    pub async fn carry_out(
        &self,
        caller: &Caller,
        new: NewResourceRequest,
        work: impl Future<Output = Result<DoneRequest, FailedRequest>> + Send + 'static,
    ) -> Result<ResourceRequest, RequestError> {
        self.admit_resource_call(caller, action(new.asked.operation))?;
        let now = self.inner.clock.now();
        let fingerprint = fingerprint(&new.asked);
        let request = self.inner.request(&new, &fingerprint, now);
        let horizon = RequestHorizon {
            kept_since: before(now, KEPT),
            client_tokens_since: before(now, CLIENT_TOKENS_VALID),
            open_since: before(now, OPEN_MAX),
        };
        let metadata = &self.inner.metadata;
        match metadata.begin_resource_request(&caller.registry, &request, &horizon).await? {
            Begun::New => {}
            Begun::Repeated(held) => return self.inner.repeated(held, &fingerprint, now),
            Begun::Concurrent(request) => {
                return Err(RequestError::Concurrent { request: Box::new(request) });
            }
        }
        let (registry, caller) = (self.clone(), caller.clone());
        let begun = request.clone();
        let ending = tokio::spawn(async move {
            let outcome = finish_in_time(work).await;
            registry.inner.end(&caller, begun, outcome).await
        });
        match tokio::time::timeout(ANSWER_AFTER, ending).await {
            Ok(Ok(ended)) => ended,
            // The request stands as it was recorded.
            Ok(Err(_)) | Err(_) => Ok(request),
        }
    }

    /// Returns a request.
    ///
    /// # Errors
    /// [`RequestError::NotFound`].
    pub async fn resource_request(
        &self,
        caller: &Caller,
        request_token: &str,
    ) -> Result<ResourceRequest, RequestError> {
        self.admit_resource_call(caller, "cloudformation:GetResourceRequestStatus")?;
        self.inner.find_request(caller, request_token).await
    }

    /// Lists the requests of the last seven days, the newest first.
    ///
    /// # Errors
    /// [`RequestError::Denied`], [`RequestError::Storage`].
    pub async fn resource_requests(
        &self,
        caller: &Caller,
        filter: &RequestFilter,
        page: &PageRequest,
    ) -> Result<Page<ResourceRequest>, RequestError> {
        self.admit_resource_call(caller, "cloudformation:ListResourceRequests")?;
        let now = self.inner.clock.now();
        let since = before(now, KEPT);
        let mut read = PageRequest { after: page.after.clone(), limit: READ_AT_ONCE };
        let mut items: Vec<ResourceRequest> = Vec::new();
        loop {
            let metadata = &self.inner.metadata;
            let held = metadata.resource_requests(&caller.registry, &read, since).await?;
            for request in held.items {
                let request = as_of(request, now);
                if !filter.matches(&request) {
                    continue;
                }
                if items.len() == page.limit {
                    let next = items.last().map(ResourceRequest::page_key);
                    return Ok(Page { items, next });
                }
                items.push(request);
            }
            read.after = held.next;
            if read.after.is_none() {
                return Ok(Page { items, next: None });
            }
        }
    }

    /// Asks that a request is not carried out any more. A step that is under way is not torn
    /// apart: the request ends as canceled where nothing was done, and as what it did otherwise.
    ///
    /// # Errors
    /// [`RequestError::NotFound`], [`RequestError::Ended`].
    pub async fn cancel_resource_request(
        &self,
        caller: &Caller,
        request_token: &str,
    ) -> Result<ResourceRequest, RequestError> {
        self.admit_resource_call(caller, "cloudformation:CancelResourceRequest")?;
        loop {
            let request = self.inner.find_request(caller, request_token).await?;
            let status = request.status;
            if status == RequestStatus::CancelInProgress {
                return Ok(request);
            }
            if !status.is_open() {
                let request_token = request.request_token;
                return Err(RequestError::Ended { request_token, status });
            }
            let canceling = ResourceRequest { status: RequestStatus::CancelInProgress, ..request };
            let metadata = &self.inner.metadata;
            match metadata.replace_resource_request(&caller.registry, status, &canceling).await {
                Ok(()) => return Ok(canceling),
                // It has just come further: look again. It does so at most twice.
                Err(metadata::Error::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl RequestFilter {
    fn matches(&self, request: &ResourceRequest) -> bool {
        (self.operations.is_empty() || self.operations.contains(&request.operation))
            && (self.statuses.is_empty() || self.statuses.contains(&request.status))
    }
}

impl Inner {
    fn request(
        &self,
        new: &NewResourceRequest,
        fingerprint: &[u8],
        now: Timestamp,
    ) -> ResourceRequest {
        let client_token = new.asked.client_token.as_ref().map(|token| ClientToken {
            token: token.clone(),
            sealed_fingerprint: self.keyring.seal(&fingerprint_context(token), fingerprint),
        });
        ResourceRequest {
            request_token: random::uuid(),
            client_token,
            type_name: new.asked.type_name.to_owned(),
            operation: new.asked.operation,
            subject: new.subject.clone(),
            identifier: new.identifier.clone(),
            status: RequestStatus::InProgress,
            error_code: None,
            status_message: None,
            resource_model: None,
            requested_at: now,
        }
    }

    /// A request of the same client token is the same request only if it asks for the same.
    fn repeated(
        &self,
        held: ResourceRequest,
        fingerprint: &[u8],
        now: Timestamp,
    ) -> Result<ResourceRequest, RequestError> {
        let client_token = held.client_token.as_ref();
        let opened = client_token.map(|ClientToken { token, sealed_fingerprint }| {
            self.keyring.open(&fingerprint_context(token), sealed_fingerprint)
        });
        match opened {
            Some(Ok(opened)) if opened == fingerprint => Ok(as_of(held, now)),
            _ => {
                let token = client_token.map(|client_token| client_token.token.clone());
                let client_token = token.unwrap_or_default();
                Err(RequestError::ClientTokenConflict { client_token })
            }
        }
    }

    async fn find_request(
        &self,
        caller: &Caller,
        request_token: &str,
    ) -> Result<ResourceRequest, RequestError> {
        let now = self.clock.now();
        let since = before(now, KEPT);
        match self.metadata.resource_request(&caller.registry, request_token, since).await {
            Ok(request) => Ok(as_of(request, now)),
            Err(metadata::Error::NotFound) => {
                Err(RequestError::NotFound { request_token: request_token.to_owned() })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Writes down how a request ended.
    async fn end(
        &self,
        caller: &Caller,
        begun: ResourceRequest,
        outcome: Result<DoneRequest, FailedRequest>,
    ) -> Result<ResourceRequest, RequestError> {
        for (expected, is_canceled) in
            [(RequestStatus::InProgress, false), (RequestStatus::CancelInProgress, true)]
        {
            let ended = ended(begun.clone(), outcome.clone(), is_canceled);
            let registry = &caller.registry;
            match self.metadata.replace_resource_request(registry, expected, &ended).await {
                Ok(()) => return Ok(ended),
                Err(metadata::Error::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(RequestError::NotFound { request_token: begun.request_token })
    }
}

fn ended(
    request: ResourceRequest,
    outcome: Result<DoneRequest, FailedRequest>,
    is_canceled: bool,
) -> ResourceRequest {
    match outcome {
        Ok(DoneRequest { identifier, model }) => ResourceRequest {
            identifier: identifier.or_else(|| request.identifier.clone()),
            status: RequestStatus::Success,
            status_message: is_canceled
                .then(|| "The request was carried out before it could be canceled.".to_owned()),
            resource_model: model,
            ..request
        },
        Err(FailedRequest { code, message, identifier }) => ResourceRequest {
            identifier: identifier.or_else(|| request.identifier.clone()),
            status: match is_canceled {
                true => RequestStatus::CancelComplete,
                false => RequestStatus::Failed,
            },
            error_code: (!is_canceled).then(|| code.to_owned()),
            status_message: Some(message),
            ..request
        },
    }
}

/// Lets `work` end, but not take for ever, nor take the process down.
async fn finish_in_time(
    work: impl Future<Output = Result<DoneRequest, FailedRequest>> + Send + 'static,
) -> Result<DoneRequest, FailedRequest> {
    let failed = |code, message: &str| {
        Err(FailedRequest { code, message: message.to_owned(), identifier: None })
    };
    let mut work = tokio::spawn(work);
    match tokio::time::timeout(WORK_MAX, &mut work).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => failed("InternalFailure", "The request ended in an unexpected way."),
        Err(_) => {
            work.abort();
            failed(TIMEOUT, "The request took too long; parts of it may have been carried out.")
        }
    }
}

/// What a request is by now: open no longer where whoever carried it out must be gone.
fn as_of(request: ResourceRequest, now: Timestamp) -> ResourceRequest {
    if !request.status.is_open() || request.requested_at >= before(now, OPEN_MAX) {
        return request;
    }
    let message = "The server ended before the request did; parts of it may have been carried out.";
    ResourceRequest {
        status: RequestStatus::Failed,
        error_code: Some(TIMEOUT.to_owned()),
        status_message: Some(message.to_owned()),
        ..request
    }
}

fn before(now: Timestamp, duration: Duration) -> Timestamp {
    let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    Timestamp(now.0.saturating_sub(millis))
}

/// What a sealed fingerprint is bound to.
fn fingerprint_context(client_token: &str) -> String {
    format!("resource-request:{client_token}")
}

fn fingerprint(asked: &AskedRequest) -> Vec<u8> {
    let mut hash = Sha256::new();
    for part in [asked.operation.as_str(), asked.type_name, &asked.document] {
        hash.update(part);
        hash.update([0]);
    }
    hash.finalize().to_vec()
}

/// The IAM name of what is asked.
fn action(operation: ResourceOperation) -> &'static str {
    match operation {
        ResourceOperation::Create => "cloudformation:CreateResource",
        ResourceOperation::Update => "cloudformation:UpdateResource",
        ResourceOperation::Delete => "cloudformation:DeleteResource",
    }
}
