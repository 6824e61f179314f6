//! `/v2/`: OCI distribution, with Amazon ECR's challenge and words.
//!
//! OCI distribution-spec 1.1. This is the hot path: from the socket to the registry and back there
//! is no router, no middleware and no JSON.

mod blobs;
mod conditional;
mod error;
mod incoming;
mod lists;
mod manifests;
mod query;
mod range;
mod uploads;

use std::sync::Arc;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header, request::Parts,
};
use oci::{Digest, ErrorCode, Route, RouteError};
use registry::{Principal, Served};

use crate::{
    auth::{Login, Refusal},
    body::{self, Body, Cause},
    doors::{self, Doors, Exchange},
};
use error::Failure;
use query::Query;

const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");
const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// What a URL with a digest names never changes; who may see it does.
const IMMUTABLE: HeaderValue = HeaderValue::from_static("private, max-age=31536000, immutable");

type Outcome = Result<Response<Body>, Failure>;

/// One request to the data plane, let in.
struct Call<'a> {
    doors: &'a Doors,
    head: &'a Parts,
    login: Arc<Login>,
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
    let outcome = match log_in(doors, head, exchange).await {
        Ok(login) => answer(Call { doors, head, login }, body, exchange).await,
        Err(refusal) => Err(Failure::from(&refusal)),
    };
    let mut response = outcome.unwrap_or_else(|failure| failure.render(doors, head, exchange));
    response.headers_mut().insert(API_VERSION, HeaderValue::from_static("registry/2.0"));
    response
}

/// Returns who asks, by the credentials of `head`.
///
/// # Errors
/// What is wrong with them.
pub(crate) async fn log_in(
    doors: &Doors,
    head: &Parts,
    exchange: &mut Exchange,
) -> Result<Arc<Login>, Refusal> {
    let login =
        doors.authenticator.log_in(head, doors::host(head), doors.registry.clock().now())?;
    let login = enrol(doors, login).await?;
    exchange.login = Some(Arc::clone(&login));
    Ok(login)
}

/// Looks up what a session of a role may do now; others are what they proved to be.
async fn enrol(doors: &Doors, login: Arc<Login>) -> Result<Arc<Login>, Refusal> {
    let Principal::AssumedRole(session) = &login.caller.principal else { return Ok(login) };
    match doors.registry.enrol(&login.caller).await {
        Ok(Some(caller)) => Ok(login.of(caller)),
        Ok(None) => Err(Refusal::RoleGone { role_arn: session.role_arn.clone() }),
        Err(error) => {
            tracing::error!(error = doors::chain(&error), "the role of a session cannot be read");
            Err(Refusal::Unavailable)
        }
    }
}

/// Answers a request whose credentials were refused.
pub(crate) fn refuse(
    doors: &Doors,
    head: &Parts,
    exchange: &mut Exchange,
    refusal: &Refusal,
) -> Response<Body> {
    Failure::from(refusal).render(doors, head, exchange)
}

async fn answer<B>(call: Call<'_>, body: B, exchange: &mut Exchange) -> Outcome
where
    B: http_body::Body<Data = Bytes> + Send,
    B::Error: Into<Cause>,
{
    let mut route = Route::parse(call.head.uri.path())?;
    if call.head.uri.query().is_some() && !call.doors.settings.strict_ecr {
        rename(&call, &mut route).await?;
    }
    let method = &call.head.method;
    match route {
        Route::Base if reads(method) => base(&call),
        Route::Manifest(name, reference) if reads(method) => {
            manifests::get(&call, &name, &reference, exchange).await
        }
        Route::Blob(name, digest) if method == Method::GET => {
            blobs::get(&call, &name, &digest, exchange).await
        }
        Route::Blob(name, digest) if method == Method::HEAD => {
            blobs::head(&call, &name, &digest, exchange).await
        }
        // Boxed: their state would otherwise make that of every request large.
        route => Box::pin(answer_others(&call, route, body, exchange)).await,
    }
}

/// Gives a repository the name it is kept under, where a node asks by the upstream's: containerd
/// names that in `ns`.
async fn rename(call: &Call<'_>, route: &mut Route) -> Result<(), Failure> {
    let query = Query::of(call.head);
    let Some((namespace, name)) = query.get("ns").zip(route.repository_mut()) else {
        return Ok(());
    };
    let (registry, caller) = (&call.doors.registry, &call.login.caller);
    let kept = registry.mirrored_name(caller, namespace, name).await;
    *name = kept.map_err(|error| error::pull(error, error::Subject::Manifest))?;
    Ok(())
}

/// What is not on the hot path: pushes, deletions, lists.
async fn answer_others<B>(
    call: &Call<'_>,
    route: Route,
    body: B,
    exchange: &mut Exchange,
) -> Outcome
where
    B: http_body::Body<Data = Bytes> + Send,
    B::Error: Into<Cause>,
{
    let method = &call.head.method;
    match route {
        Route::Manifest(name, reference) if method == Method::PUT => {
            manifests::put(call, &name, reference, body).await
        }
        Route::Manifest(name, reference) if method == Method::DELETE => {
            manifests::delete(call, &name, &reference).await
        }
        Route::Blob(name, digest) if method == Method::DELETE => {
            uploads::delete_blob(call, &name, &digest).await
        }
        Route::Uploads(name) if method == Method::POST => uploads::start(call, &name, body).await,
        Route::Upload(name, id)
            if [Method::GET, Method::PATCH, Method::PUT, Method::DELETE].contains(method) =>
        {
            uploads::serve(call, &name, &id, body).await
        }
        Route::Tags(name) if reads(method) => lists::tags(call, &name, exchange).await,
        Route::Catalog if reads(method) => lists::catalog(call).await,
        Route::Referrers(name, subject) if reads(method) => {
            lists::referrers(call, &name, &subject, exchange).await
        }
        Route::Base | Route::Tags(_) | Route::Catalog | Route::Referrers(..) => {
            Err(not_allowed("GET, HEAD"))
        }
        Route::Manifest(..) => Err(not_allowed("GET, HEAD, PUT, DELETE")),
        Route::Blob(..) => Err(not_allowed("GET, HEAD, DELETE")),
        Route::Uploads(_) => Err(not_allowed("POST")),
        Route::Upload(..) => Err(not_allowed("GET, PATCH, PUT, DELETE")),
    }
}

fn reads(method: &Method) -> bool {
    method == Method::GET || method == Method::HEAD
}

/// `GET /v2/`: these credentials are good.
fn base(call: &Call<'_>) -> Outcome {
    call.doors.registry.connect(&call.login.caller)?;
    let json = HeaderValue::from_static("application/json");
    Ok(body::full(StatusCode::OK, json, "{}"))
}

fn not_allowed(allow: &'static str) -> Failure {
    Failure::new(ErrorCode::Unsupported, format!("this endpoint answers {allow} only"))
        .with_header(header::ALLOW, HeaderValue::from_static(allow))
}

/// A path that is no route, by what is wrong with it.
impl From<RouteError> for Failure {
    fn from(error: RouteError) -> Self {
        let message = error.to_string();
        match error {
            RouteError::Unknown => {
                Self::new(ErrorCode::Unsupported, message).with_status(StatusCode::NOT_FOUND)
            }
            RouteError::Name(_) => Self::new(ErrorCode::NameInvalid, message),
            RouteError::Reference(oci::ReferenceError::Tag) => {
                Self::new(ErrorCode::TagInvalid, message)
            }
            RouteError::Reference(oci::ReferenceError::Digest(_)) | RouteError::Digest(_) => {
                Self::new(ErrorCode::DigestInvalid, message)
            }
        }
    }
}

/// Adds the headers that say what the content is and how the cache came by it.
fn describe(headers: &mut HeaderMap, digest: &Digest, served: &Served, exchange: &mut Exchange) {
    headers.insert(CONTENT_DIGEST, ascii(digest.as_str()));
    headers.insert(header::ETAG, conditional::etag(digest));
    headers.insert(CACHE_STATUS, cache_status(served, exchange));
}

/// How the cache served this (RFC 9211).
fn cache_status(served: &Served, exchange: &mut Exchange) -> HeaderValue {
    let (word, value) = match served {
        Served::Hit => ("hit", HeaderValue::from_static("cistern; hit")),
        Served::Miss => ("miss", HeaderValue::from_static("cistern; fwd=uri-miss; stored")),
        Served::Revalidated => ("revalidated", HeaderValue::from_static("cistern; fwd=stale")),
        Served::Stale(reason) => {
            let reason = error::stale_text(reason);
            let value = format!("cistern; fwd=stale; detail=\"{}\"", quoted(&reason));
            ("stale", ascii(&value))
        }
    };
    exchange.outcome = Some(word.into());
    value
}

/// The inside of a structured string (RFC 8941 3.3.3).
fn quoted(text: &str) -> String {
    text.chars()
        .filter(|character| matches!(character, ' '..='~'))
        .flat_map(|character| {
            matches!(character, '"' | '\\').then_some('\\').into_iter().chain([character])
        })
        .collect()
}

/// A header of text that is known to be printable ASCII.
fn ascii(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("printable ASCII")
}

#[cfg(test)]
mod tests;
