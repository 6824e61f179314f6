//! `POST /`: the AWS protocols. ECR, Secrets Manager and Cistern's own operations in JSON 1.1, Cloud
//! Control in JSON 1.0, STS and IAM in the query protocol.
//!
//! A request is read to a limit, its signature is verified on the very bytes, and then one
//! function per operation does three things: parse the shape, apply it to the registry, render
//! the answer. Whatever fails is an exception of the service that was asked, in its protocol.

mod call;
mod cistern;
mod cloud_control;
mod error;
mod identity;
mod images;
mod labels;
mod lifecycle;
mod policies;
mod registry_settings;
mod repositories;
mod roles;
mod rule_failure;
mod rules;
mod scanning;
mod secrets;
mod setting_failure;
mod settings;
mod templates;
mod token;
mod unoffered;
mod validate;

use std::time::Duration;

use aws::{
    Exception, Service, ecr,
    exception::CommonException,
    json::{self, Target},
    query::{self, Form, QueryService},
    secrets_manager, sigv4, sts,
};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{CONTENT_TYPE, HOST},
    request::Parts,
};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use crate::{
    body::{self, Body, Cause},
    doors::{self, Doors, Exchange},
};
use call::Call;
use error::Failure;

/// How long a client may take to send a body.
const BODY_DEADLINE: Duration = Duration::from_secs(30);

/// How many bytes a second of content must come on average, beyond that.
const BODY_BYTES_PER_SECOND_MIN: u64 = 64 << 10;

/// What an operation comes to: the body of its answer.
type Outcome = Result<Vec<u8>, Failure>;

/// Which protocol a request speaks, and so how its answer is written.
#[derive(Clone, Copy, Debug)]
enum Protocol {
    Json(Service),
    Query(QueryService),
}

/// Answers a request.
pub(crate) async fn serve<B>(
    doors: &Doors,
    head: &Parts,
    body: B,
    exchange: &mut Exchange,
) -> Response<Body>
where
    B: http_body::Body<Data = Bytes> + Send,
    B::Error: Into<Cause>,
{
    // The protocol is known by the headers alone, so that every failure can be written in it.
    let target = head.headers.get("x-amz-target").map(|target| target.to_str().unwrap_or_default());
    let (protocol, target) = match target.map(Target::parse) {
        Some(Ok(target)) => (Protocol::Json(target.service), Ok(Some(target))),
        Some(Err(unknown)) => (Protocol::Json(Service::Ecr), Err(unknown)),
        None if is_form(&head.headers) => {
            (Protocol::Query(scoped(head).unwrap_or(QueryService::Sts)), Ok(None))
        }
        None => (Protocol::Json(Service::Ecr), Ok(None)),
    };
    let outcome = match target {
        Ok(target) => answer(doors, head, body, target, exchange).await,
        Err(unknown) => Err(Exception::new(
            CommonException::UnknownOperation,
            format!("The target '{}' is not known here.", unknown.target),
        )
        .into()),
    };
    match outcome {
        Ok(bytes) => body::full(StatusCode::OK, protocol.content_type(), bytes),
        Err(failure) => protocol.refuse(failure, exchange),
    }
}

async fn answer<B>(
    doors: &Doors,
    head: &Parts,
    body: B,
    target: Option<Target<'_>>,
    exchange: &mut Exchange,
) -> Outcome
where
    B: http_body::Body<Data = Bytes> + Send,
    B::Error: Into<Cause>,
{
    let (bytes_max, deadline) = body_bounds(doors, head, target);
    let body = read(body, bytes_max, deadline).await?;
    match target {
        Some(target) => {
            let call =
                Call::verify(doors, head, &body, target.service.signing_name(), exchange).await?;
            match target.service {
                Service::Ecr => ecr(&call, target.operation, exchange).await,
                Service::SecretsManager => secrets_manager(&call, target.operation, exchange).await,
                Service::CloudControl => {
                    cloud_control::answer(&call, target.operation, exchange).await
                }
                Service::Cistern => cistern::answer(&call, target.operation, exchange).await,
            }
        }
        None => answer_query(doors, head, &body, exchange).await,
    }
}

/// Answers a form. Its service is the one that the signature is for, else the one whose API has
/// the version: the signature is then refused in that service's words.
async fn answer_query(
    doors: &Doors,
    head: &Parts,
    body: &[u8],
    exchange: &mut Exchange,
) -> Outcome {
    let Some(form) = Form::parse(head.uri.query().unwrap_or_default(), body) else {
        return Err(Exception::new(
            CommonException::UnknownOperation,
            "The request has neither an X-Amz-Target header nor a form with an Action.",
        )
        .into());
    };
    let service = scoped(head)
        .or_else(|| QueryService::of_version(form.version()))
        .unwrap_or(QueryService::Sts);
    let call = Call::verify(doors, head, body, service.signing_name(), exchange).await?;
    match service {
        QueryService::Sts => sts(&call, &form, exchange).await,
        QueryService::Iam => roles::answer(&call, &form, exchange).await,
    }
}

async fn ecr(call: &Call<'_>, name: &str, exchange: &mut Exchange) -> Outcome {
    use ecr::Operation;
    let operation = Operation::parse(name).ok_or_else(|| error::no_such_operation(name))?;
    exchange.operation = Some(operation.name());
    match operation {
        Operation::CreatePullThroughCacheRule => rules::create(call).await,
        Operation::DescribePullThroughCacheRules => rules::describe(call).await,
        Operation::UpdatePullThroughCacheRule => rules::update(call).await,
        Operation::ValidatePullThroughCacheRule => rules::validate(call).await,
        Operation::DeletePullThroughCacheRule => rules::delete(call).await,
        Operation::CreateRepositoryCreationTemplate => templates::create(call).await,
        Operation::DescribeRepositoryCreationTemplates => templates::describe(call).await,
        Operation::UpdateRepositoryCreationTemplate => templates::update(call).await,
        Operation::DeleteRepositoryCreationTemplate => templates::delete(call).await,
        Operation::GetAuthorizationToken => token::get(call),
        Operation::CreateRepository => repositories::create(call).await,
        Operation::DescribeRepositories => repositories::describe(call).await,
        Operation::DeleteRepository => repositories::delete(call).await,
        Operation::PutImageTagMutability => repositories::put_tag_mutability(call).await,
        Operation::PutImageScanningConfiguration => repositories::put_scanning(call).await,
        Operation::TagResource => labels::tag(call).await,
        Operation::UntagResource => labels::untag(call).await,
        Operation::ListTagsForResource => labels::list(call).await,
        Operation::SetRepositoryPolicy => policies::set(call).await,
        Operation::GetRepositoryPolicy => policies::get(call).await,
        Operation::DeleteRepositoryPolicy => policies::delete(call).await,
        Operation::PutLifecyclePolicy => policies::put_lifecycle(call).await,
        Operation::GetLifecyclePolicy => policies::get_lifecycle(call).await,
        Operation::DeleteLifecyclePolicy => policies::delete_lifecycle(call).await,
        Operation::StartLifecyclePolicyPreview => lifecycle::start_preview(call).await,
        Operation::GetLifecyclePolicyPreview => lifecycle::get_preview(call).await,
        Operation::PutRegistryPolicy => policies::put_registry(call).await,
        Operation::GetRegistryPolicy => policies::get_registry(call).await,
        Operation::DeleteRegistryPolicy => policies::delete_registry(call).await,
        Operation::DescribeRegistry => registry_settings::describe(call).await,
        Operation::PutReplicationConfiguration => registry_settings::put_replication(call).await,
        Operation::GetAccountSetting => registry_settings::get_account_setting(call).await,
        Operation::PutAccountSetting => registry_settings::put_account_setting(call).await,
        Operation::GetRegistryScanningConfiguration => scanning::get(call).await,
        Operation::PutRegistryScanningConfiguration => scanning::put(call).await,
        Operation::BatchGetRepositoryScanningConfiguration => scanning::batch_get(call).await,
        Operation::DescribeImages => images::describe(call).await,
        Operation::ListImages => images::list(call).await,
        Operation::BatchGetImage => images::batch_get(call).await,
        Operation::BatchCheckLayerAvailability => images::layers::check(call).await,
        Operation::GetDownloadUrlForLayer => images::layers::download_url(call).await,
        Operation::PutImage => images::put(call).await,
        Operation::UpdateImageStorageClass => images::update_storage_class(call).await,
        Operation::BatchDeleteImage => images::batch_delete(call).await,
        Operation::ListImageReferrers => images::referrers(call).await,
        Operation::InitiateLayerUpload => images::uploads::initiate(call).await,
        Operation::UploadLayerPart => images::uploads::part(call).await,
        Operation::CompleteLayerUpload => images::uploads::complete(call).await,
        operation => Err(unoffered::unoffered(operation)),
    }
}

async fn secrets_manager(call: &Call<'_>, name: &str, exchange: &mut Exchange) -> Outcome {
    use secrets_manager::Operation;
    let operation = Operation::parse(name).ok_or_else(|| error::no_such_operation(name))?;
    exchange.operation = Some(operation.name());
    match operation {
        Operation::CreateSecret => secrets::create(call).await,
        Operation::GetSecretValue => secrets::get_value(call).await,
        Operation::DescribeSecret => secrets::describe(call).await,
        Operation::DeleteSecret => secrets::delete(call).await,
        Operation::RestoreSecret => secrets::restore(call).await,
        Operation::UpdateSecret => secrets::update(call).await,
        Operation::ListSecrets => secrets::list(call).await,
        Operation::PutSecretValue => secrets::put_value(call).await,
        Operation::ListSecretVersionIds => secrets::list_versions(call).await,
        Operation::UpdateSecretVersionStage => secrets::move_stage(call).await,
        Operation::TagResource => secrets::tag(call).await,
        Operation::UntagResource => secrets::untag(call).await,
        Operation::GetResourcePolicy => secrets::get_policy(call).await,
        Operation::PutResourcePolicy => secrets::put_policy(call).await,
        Operation::DeleteResourcePolicy => secrets::delete_policy(call).await,
        Operation::ValidateResourcePolicy => secrets::validate_policy(call).await,
        Operation::BatchGetSecretValue => secrets::get_values(call).await,
        Operation::GetRandomPassword => secrets::random_password(call),
        operation => Err(secrets::refusal(operation)),
    }
}

async fn sts(call: &Call<'_>, form: &Form, exchange: &mut Exchange) -> Outcome {
    use sts::Operation;
    let operation = sts::operation(form)?;
    exchange.operation = Some(operation.name());
    match operation {
        Operation::GetCallerIdentity => identity::get(call, exchange),
        Operation::AssumeRole => identity::assume_role(call, form, exchange).await,
        operation => Err(error::not_offered(operation.name())),
    }
}

/// The service of the query protocol that the credential scope of a signature names. A claim: who
/// signed, and whether, is for [`Call::verify`].
fn scoped(head: &Parts) -> Option<QueryService> {
    let request = sigv4::Request {
        method: head.method.as_str(),
        path: head.uri.path(),
        query: head.uri.query().unwrap_or_default(),
        headers: &head.headers,
        body: &[],
    };
    let presented = sigv4::Presented::parse(&request).ok()?;
    QueryService::of_signing_name(presented.service())
}

fn is_form(headers: &HeaderMap) -> bool {
    let form = "application/x-www-form-urlencoded";
    headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|value| {
        value.get(..form.len()).is_some_and(|start| start.eq_ignore_ascii_case(form))
    })
}

/// How large the body of a request may be, and how long it may take to come. Three operations carry
/// content; they may only for one whose access key is known, so that others do not fill the memory.
fn body_bounds(doors: &Doors, head: &Parts, target: Option<Target<'_>>) -> (usize, Duration) {
    let usual = doors.settings.body_bytes_max;
    let content = match target {
        Some(target) if target.service == Service::Ecr => match target.operation {
            // In base64.
            "UploadLayerPart" => doors.settings.layer_part_bytes_max.div_ceil(3).saturating_mul(4),
            // In a JSON string, where quotes and line feeds take two bytes.
            "PutImage" => doors.registry.settings().manifest_bytes_max.saturating_mul(2),
            _ => 0,
        },
        Some(target)
            if target.service == Service::Cistern && target.operation == "ImportCacheImage" =>
        {
            doors.registry.settings().manifest_bytes_max.saturating_mul(2)
        }
        _ => 0,
    };
    if content == 0 || !doors.authenticator.names_key(&head.headers) {
        return (usual, BODY_DEADLINE);
    }
    let deadline = BODY_DEADLINE + Duration::from_secs(content / BODY_BYTES_PER_SECOND_MIN);
    (usual.saturating_add(usize::try_from(content).unwrap_or(usize::MAX)), deadline)
}

async fn read<B>(body: B, bytes_max: usize, deadline: Duration) -> Result<Bytes, Failure>
where
    B: http_body::Body<Data = Bytes> + Send,
    B::Error: Into<Cause>,
{
    let collected = Box::pin(Limited::new(body, bytes_max)).collect();
    let unreadable = |text| Exception::new(CommonException::Serialization, text);
    match tokio::time::timeout(deadline, collected).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Exception::new(
            CommonException::RequestEntityTooLarge,
            format!("The request body is larger than {bytes_max} bytes."),
        )
        .into()),
        Ok(Err(error)) => {
            let exception = unreadable("The request body could not be read to its end.");
            Err(Failure::from(exception).with_cause(error))
        }
        Err(_) => Err(unreadable("The request body did not arrive in time.").into()),
    }
}

impl Protocol {
    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json(service) => service.content_type(),
            Self::Query(_) => query::CONTENT_TYPE,
        })
    }

    /// Writes an exception, and the log line where the fault is ours.
    fn refuse(self, failure: Failure, exchange: &mut Exchange) -> Response<Body> {
        let Failure { exception, cause } = failure;
        exchange.outcome = Some(exception.kind().name().into());
        let (status, body) = match self {
            Self::Json(service) => {
                (exception.status(), json::render_exception(&exception, service))
            }
            Self::Query(service) => {
                let request_id = exchange.request_id.as_str();
                let (status, body) = query::render_exception(service, &exception, request_id);
                (status, body.into_bytes())
            }
        };
        let status = StatusCode::from_u16(status).expect("the table holds statuses");
        if let Some(cause) = cause {
            let (request_id, error) = (exchange.request_id.as_str(), registry::chain(&*cause));
            if status.is_server_error() {
                tracing::error!(
                    request_id,
                    error,
                    operation = exchange.operation,
                    "operation failed"
                );
            } else {
                tracing::debug!(
                    request_id,
                    error,
                    operation = exchange.operation,
                    "operation refused"
                );
            }
        }
        body::full(status, self.content_type(), body)
    }
}

/// The headers a signature covers: HTTP/2 carries the host elsewhere.
fn signed_headers(head: &Parts) -> std::borrow::Cow<'_, HeaderMap> {
    if !head.headers.contains_key(HOST)
        && let Some(authority) = head.uri.authority()
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        let mut headers = head.headers.clone();
        headers.insert(HOST, host);
        return std::borrow::Cow::Owned(headers);
    }
    std::borrow::Cow::Borrowed(&head.headers)
}

#[cfg(test)]
mod tests;
