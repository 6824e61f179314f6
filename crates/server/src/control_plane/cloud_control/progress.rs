//! Progress events, and how a failure of a service becomes one.

use std::time::Duration;

use aws::{
    Exception, Timestamp,
    cloud_control::{HandlerErrorCode, ProgressEvent, ProgressEventResponse},
    exception::CloudControlException,
    json,
};
use metadata::{RequestStatus, ResourceRequest};
use registry::{DoneRequest, FailedRequest, RequestError};

use super::{Failure, Held, Session, constraints::validation, kind::Kind};
use registry::chain;

/// `StatusMessage`: the longest text in characters.
const MESSAGE_CHARS_MAX: usize = 2048;
/// After what time it is worth asking again about a request that is open.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The answer that tells how far a request has come.
pub(super) fn render(request: ResourceRequest, now: metadata::Timestamp) -> Vec<u8> {
    json::render(&ProgressEventResponse { progress_event: event(request, now) })
}

/// How far a request has come.
pub(super) fn event(request: ResourceRequest, now: metadata::Timestamp) -> ProgressEvent {
    let moment = |at: metadata::Timestamp| Timestamp::from_milliseconds(at.0);
    ProgressEvent {
        type_name: Some(request.type_name),
        identifier: request.identifier,
        request_token: Some(request.request_token),
        operation: Some(request.operation.as_str().to_owned()),
        operation_status: Some(request.status.as_str().to_owned()),
        event_time: Some(moment(request.requested_at)),
        resource_model: request.resource_model.map(Into::into),
        status_message: request.status_message,
        error_code: request.error_code,
        retry_after: request.status.is_open().then(|| moment(now).plus(RETRY_AFTER)),
    }
}

/// A request that was carried out.
pub(super) fn done(held: Held) -> DoneRequest {
    let model = serde_json::Value::Object(held.model).to_string();
    DoneRequest { identifier: Some(held.identifier), model: Some(model) }
}

/// A request that a service refused. What the log should know is written here: nobody waits for
/// the request for certain.
pub(super) fn failed(
    session: &Session,
    kind: Kind,
    failure: &Failure,
    identifier: Option<String>,
) -> FailedRequest {
    log(session, failure);
    let code = HandlerErrorCode::of(&failure.exception);
    let message = message(kind, code, failure, identifier.as_deref());
    FailedRequest { code: code.name(), message, identifier }
}

/// A failure of a service as the exception of an operation that answers at once.
pub(super) fn refused(kind: Kind, identifier: Option<&str>, failure: Failure) -> Failure {
    let code = HandlerErrorCode::of(&failure.exception);
    let exception = code.to_exception(message(kind, code, &failure, identifier));
    Failure { exception, cause: failure.cause }
}

fn message(
    kind: Kind,
    code: HandlerErrorCode,
    failure: &Failure,
    identifier: Option<&str>,
) -> String {
    let name = kind.name();
    match (code, identifier) {
        (HandlerErrorCode::AlreadyExists, Some(identifier)) => {
            format!("Resource of type '{name}' with identifier '{identifier}' already exists.")
        }
        (HandlerErrorCode::NotFound, Some(identifier)) => {
            format!("Resource of type '{name}' with identifier '{identifier}' was not found.")
        }
        _ => failure.exception.message().chars().take(MESSAGE_CHARS_MAX).collect(),
    }
}

fn log(session: &Session, failure: &Failure) {
    let Some(cause) = &failure.cause else { return };
    let (request_id, error) = (session.request_id.as_str(), chain(&**cause));
    if failure.exception.status() >= 500 {
        tracing::error!(request_id, error, "a resource request failed");
    } else {
        tracing::debug!(request_id, error, "a resource request was refused");
    }
}

/// Why there is no progress event to tell.
pub(super) fn no_event(error: RequestError) -> Failure {
    let exception = match &error {
        RequestError::Denied(denied) => return denied.clone().into(),
        RequestError::NotFound { request_token } => Exception::new(
            CloudControlException::RequestTokenNotFound,
            format!("A resource request with the token {request_token} cannot be found."),
        ),
        RequestError::ClientTokenConflict { client_token } => Exception::new(
            CloudControlException::ClientTokenConflict,
            format!(
                "The client token {client_token} has already been used in another resource \
                 request."
            ),
        ),
        // Clients read the token of the other request out of the text.
        RequestError::Concurrent { request } => Exception::new(
            CloudControlException::ConcurrentOperation,
            format!(
                "Concurrent operation found for the resource of type '{}' with identifier '{}': \
                 RequestToken {}",
                request.type_name,
                request.identifier.as_deref().unwrap_or_default(),
                request.request_token
            ),
        ),
        RequestError::Ended { request_token, status } => validation(format!(
            "Only requests with a status of {} or {} can be canceled: the request with the token \
             {request_token} has the status {}.",
            RequestStatus::Pending.as_str(),
            RequestStatus::InProgress.as_str(),
            status.as_str()
        )),
        RequestError::Storage(error) => {
            let failure =
                Failure::from(Exception::from(CloudControlException::ServiceInternalError));
            return failure.with_cause(chain(error));
        }
    };
    Failure::from(exception).with_cause(error)
}
