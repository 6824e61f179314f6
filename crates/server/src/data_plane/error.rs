//! Errors of the data plane: the envelope, and the one table from what happened to what is said.
//!
//! OCI distribution-spec 1.1, "Error Codes"; the texts are ECR's where it has some. What is said
//! never holds an address, a path or a credential; what happened goes to the log, once, with the
//! request's id.

mod push;
mod storage;
mod upstream;

use std::borrow::Cow;

use http::{HeaderName, HeaderValue, Response, StatusCode, header, request::Parts};
use metadata::RegistryId;
use oci::{ErrorCode, Reference, RepositoryName};
use registry::{Denied, DescribeError, FillError, PullError, StaleReason};
use serde_json::{Value, json};

pub(super) use self::push::push;
use crate::{
    auth::Refusal,
    body::{self, Body, Cause},
    doors::{self, Doors, Exchange},
    rule_policy,
};

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Manifest,
    Blob,
}

impl Subject {
    /// The code for "the upstream does not have it".
    fn unknown(self) -> ErrorCode {
        match self {
            Self::Manifest => ErrorCode::ManifestUnknown,
            Self::Blob => ErrorCode::BlobUnknown,
        }
    }
}

/// An answer that is an error.
#[derive(Debug)]
pub(super) struct Failure {
    code: ErrorCode,
    status: StatusCode,
    message: Cow<'static, str>,
    detail: Option<Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
    challenge: bool,
    /// Whether a look under another name would change nothing.
    is_final: bool,
    cause: Option<Cause>,
}

impl Failure {
    /// An error with a message of its own. `code.into()` gives one with the code's message.
    pub(super) fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        let status = StatusCode::from_u16(code.status()).expect("the table holds statuses");
        Self {
            code,
            status,
            message: message.into(),
            detail: None,
            headers: Vec::new(),
            challenge: code == ErrorCode::Unauthorized,
            is_final: false,
            cause: None,
        }
    }

    /// Tells whether it says that something is not there.
    pub(super) fn is_missing(&self) -> bool {
        self.status == StatusCode::NOT_FOUND
            && !self.is_final
            && matches!(
                self.code,
                ErrorCode::ManifestUnknown | ErrorCode::BlobUnknown | ErrorCode::NameUnknown
            )
    }

    /// Tells whether it says that an answer could not be found out.
    pub(super) fn is_failure(&self) -> bool {
        self.status.is_server_error()
    }

    pub(super) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    pub(super) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(super) fn with_detail(self, detail: Value) -> Self {
        Self { detail: Some(detail), ..self }
    }

    pub(super) fn with_cause(self, cause: impl Into<Cause>) -> Self {
        Self { cause: Some(cause.into()), ..self }
    }

    /// What it says, the hint included, for answers that are no answers of this door.
    pub(super) fn text(&self) -> String {
        let hint = self.detail.as_ref().and_then(|detail| detail["hint"].as_str());
        let message = self.message.trim_end_matches('.');
        hint.map_or_else(|| message.to_owned(), |hint| format!("{message}: {hint}"))
    }

    #[cfg(test)]
    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    /// Everything of it that a client sees.
    #[cfg(test)]
    pub(super) fn said(&self) -> String {
        format!("{} {:?}", self.message, self.detail)
    }

    /// Writes the answer, and the log line where the fault is not the client's.
    pub(super) fn render(
        self,
        doors: &Doors,
        head: &Parts,
        exchange: &mut Exchange,
    ) -> Response<Body> {
        exchange.outcome = Some(self.code.as_str().into());
        self.log(exchange);
        let mut error = json!({"code": self.code.as_str(), "message": self.message});
        if let Some(detail) = self.detail {
            error["detail"] = detail;
        }
        let envelope = json!({"errors": [error]}).to_string();
        let length = HeaderValue::from(envelope.len());
        let json = HeaderValue::from_static("application/json");
        let mut response = body::full(self.status, json, envelope);
        if head.method == http::Method::HEAD {
            *response.body_mut() = Body::empty();
            response.headers_mut().insert(header::CONTENT_LENGTH, length);
        }
        for (name, value) in self.headers {
            response.headers_mut().insert(name, value);
        }
        if self.challenge {
            let challenge = challenge(doors, head, exchange);
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }

    fn log(&self, exchange: &Exchange) {
        let Some(cause) = &self.cause else { return };
        let request_id = exchange.request_id.as_str();
        let error = registry::chain(&**cause);
        match self.status {
            StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => {
                tracing::warn!(request_id, error, "upstream failed and nothing is cached");
            }
            status if status.is_server_error() => {
                tracing::error!(request_id, error, "request failed");
            }
            _ => tracing::debug!(request_id, error, "request refused"),
        }
    }
}

/// ECR's challenge: Basic, and no token endpoint.
fn challenge(doors: &Doors, head: &Parts, exchange: &Exchange) -> HeaderValue {
    let scheme = doors.address.scheme(exchange.connection.tls);
    let host = doors::host(head).unwrap_or("localhost");
    super::ascii(&format!("Basic realm=\"{scheme}://{host}/\",service=\"ecr.amazonaws.com\""))
}

impl From<ErrorCode> for Failure {
    fn from(code: ErrorCode) -> Self {
        Self::new(code, code.message())
    }
}

impl From<&Refusal> for Failure {
    fn from(refusal: &Refusal) -> Self {
        const LOG_IN: &str = "log in as user AWS with the password of `aws ecr get-login-password`";
        let message = match refusal {
            Refusal::Missing => format!("Authentication required: {LOG_IN}."),
            Refusal::NotBasic => {
                format!("The Authorization header does not hold Basic credentials: {LOG_IN}.")
            }
            Refusal::UnknownUser | Refusal::WrongSecret { .. } => format!(
                "The user name or the password is wrong: {LOG_IN}, or with an access key id and \
                 its secret access key."
            ),
            Refusal::TokenRequired => {
                format!("An access key is not accepted here (strict ECR mode): {LOG_IN}.")
            }
            Refusal::TokenInvalid => {
                format!("Your authorization token is not valid here: {LOG_IN}.")
            }
            Refusal::TokenExpired => format!(
                "Your authorization token has expired. Reauthenticate and try again: {LOG_IN}."
            ),
            Refusal::TokenOrphaned { .. } => format!(
                "The access key of your authorization token no longer exists: {LOG_IN}, with \
                 credentials that do."
            ),
            Refusal::RoleGone { role_arn } => format!(
                "The role {role_arn} of your authorization token no longer exists: {LOG_IN}, with \
                 credentials that do."
            ),
            Refusal::Unavailable => return ErrorCode::Unavailable.into(),
            Refusal::TicketInvalid => {
                return Self::new(ErrorCode::Denied, "The download address is not valid here.");
            }
            Refusal::TicketExpired => {
                let text = "The download address has expired: ask GetDownloadUrlForLayer again.";
                return Self::new(ErrorCode::Denied, text);
            }
            Refusal::UnknownAccount { account } => {
                let message = format!(
                    "The registry with id '{account}' does not exist here: the account is not \
                     declared in the configuration of this server."
                );
                return Self::new(ErrorCode::NameUnknown, message);
            }
        };
        Self::new(ErrorCode::Unauthorized, message)
    }
}

/// Anonymous callers are asked who they are; the others have been told no.
impl From<Denied> for Failure {
    fn from(denied: Denied) -> Self {
        if denied.principal == registry::Principal::Anonymous.to_string() {
            return Self::from(&Refusal::Missing);
        }
        let Denied { principal, action, resource } = denied;
        Self::new(
            ErrorCode::Denied,
            format!(
                "User: {principal} is not authorized to perform: {action} on resource: {resource}"
            ),
        )
    }
}

/// What is said when a pull served nothing.
pub(super) fn pull(error: PullError, subject: Subject) -> Failure {
    let failure = match &error {
        PullError::Denied(denied) => return denied.clone().into(),
        PullError::NotLetIn { rule, subject, reason } => Failure::new(
            ErrorCode::Denied,
            format!("The {subject} may not be pulled through the rule {rule}: {reason}."),
        ),
        PullError::TooYoung { rule, repository, reference, minimum, until } => Failure::new(
            ErrorCode::Denied,
            rule_policy::too_young(rule, repository, reference, *minimum, *until),
        ),
        PullError::NameUnknown { registry, repository, rule_in } => {
            let failure = name_unknown(registry, repository);
            return match rule_in {
                Some(region) => failure.with_detail(json!({
                    "region": region.as_str(),
                    "hint": format!(
                        "a pull through cache rule matches in region {region}, this is {}: log in \
                         with a token of that region, or use its host name",
                        registry.region
                    ),
                })),
                None => failure.with_detail(json!({
                    "region": registry.region.as_str(),
                    "hint": "no pull through cache rule matches the name",
                })),
            };
        }
        PullError::ManifestUnknown { reference, upstream, .. } => Failure::from(
            ErrorCode::ManifestUnknown,
        )
        .with_detail(missing("reference", reference.as_str(), upstream.as_deref())),
        PullError::Archived { repository, reference } => archived(subject, repository, reference),
        PullError::BlobUnknown { digest, upstream, .. } => Failure::from(ErrorCode::BlobUnknown)
            .with_detail(missing("digest", digest.as_str(), upstream.as_deref())),
        PullError::Upstream(error) => upstream::failure(error, subject),
        PullError::BadManifest { host, source } => Failure::new(
            ErrorCode::BadGateway,
            format!("The upstream registry {host} sent a manifest that cannot be kept: {source}"),
        ),
        PullError::Credentials { prefix, source } => storage::credentials(prefix, source),
        PullError::Template { registry, repository, prefix, fault } => {
            name_unknown(registry, repository).with_detail(json!({
                "repositoryCreationTemplate": prefix,
                "hint": format!(
                    "the repository was not created: the repository creation template cannot be \
                     applied: {fault}"
                ),
            }))
        }
        PullError::Storage(error) => storage::failure(error),
        PullError::Fill(error) => match &**error {
            FillError::Upstream(error) => upstream::failure(error, subject),
            FillError::Storage(error) => storage::failure(error),
            FillError::Abandoned => ErrorCode::Unavailable.into(),
        },
        PullError::Abandoned => ErrorCode::Unavailable.into(),
    };
    failure.with_cause(error)
}

/// What is archived. "Requests to pull the archived image will fail with a 404 error" (User Guide,
/// "Archiving an image"); the text is ours.
fn archived(subject: Subject, repository: &RepositoryName, reference: &Reference) -> Failure {
    let (what, kind) = match subject {
        Subject::Manifest => ("The image", "reference"),
        Subject::Blob => ("The layer, with every image that has it,", "digest"),
    };
    let text =
        format!("{what} '{reference}' in the repository with name '{repository}' is archived.");
    let failure = Failure::new(subject.unknown(), text).with_detail(json!({
        kind: reference.as_str(),
        "hint": "restore it with UpdateImageStorageClass, or push it again",
    }));
    Failure { is_final: true, ..failure }
}

/// A repository that is not there and does not come into being. The text is ECR's.
fn name_unknown(registry: &RegistryId, repository: &RepositoryName) -> Failure {
    Failure::new(
        ErrorCode::NameUnknown,
        format!(
            "The repository with name '{repository}' does not exist in the registry with id '{}'",
            registry.account
        ),
    )
}

/// What is said when a listing failed.
pub(super) fn describe(error: DescribeError) -> Failure {
    let failure = match &error {
        DescribeError::Denied(denied) => return denied.clone().into(),
        DescribeError::RepositoryNotFound { .. } => ErrorCode::NameUnknown.into(),
        DescribeError::ImageNotFound { .. } => ErrorCode::ManifestUnknown.into(),
        DescribeError::Storage(error) => storage::failure(error),
    };
    failure.with_cause(error)
}

/// What a stale answer says of its reason, in words that are safe to show.
pub(super) fn stale_text(reason: &StaleReason) -> Cow<'static, str> {
    match reason {
        StaleReason::Revalidating => "the upstream is being asked".into(),
        StaleReason::CircuitOpen => "the upstream failed a moment ago".into(),
        StaleReason::Backoff => "the upstream refused a moment ago".into(),
        StaleReason::Budget => "the upstream limits requests".into(),
        StaleReason::Deadline => "the upstream did not answer in time".into(),
        StaleReason::Failed(error) => pull(error.clone(), Subject::Manifest).message,
    }
}

fn missing(kind: &str, name: &str, upstream: Option<&str>) -> Value {
    match upstream {
        Some(upstream) => json!({kind: name, "upstream": upstream}),
        None => json!({kind: name}),
    }
}
