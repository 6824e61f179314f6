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
mod short_names;
mod uploads;

use std::sync::Arc;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header, request::Parts,
};
use oci::{Digest, ErrorCode, RepositoryName, Route, RouteError};
use registry::{Caller, Denied, Naming, Principal, PullError, Registry, Served, StaleReason};
use upstream::Trail;

use crate::{
    auth::{Login, Refusal},
    body::{self, Body, Cause},
    doors::{self, Doors, Exchange},
};
use error::{Failure, Subject};
use query::Query;

const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");
const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");
/// The rule that decided, whatever came of it; `cistern why` tells the rest.
const RULE: HeaderName = HeaderName::from_static("cistern-rule");
/// The upstream's name by which the repository was asked for ("Registry Proxying", after 1.1).
const NAMESPACE: HeaderName = HeaderName::from_static("oci-namespace");

/// What a URL with a digest names never changes; who may see it does.
const IMMUTABLE: HeaderValue = HeaderValue::from_static("private, max-age=31536000, immutable");

type Outcome = Result<Response<Body>, Failure>;

/// One request to the data plane, let in.
struct Call<'a> {
    doors: &'a Doors,
    /// The registry, as asked by those who wait for the answer behind the client.
    registry: &'a Registry,
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
    let asked = asked_by(doors, head);
    let registry = asked.as_ref().unwrap_or(&doors.registry);
    let outcome = match log_in(doors, head, exchange).await {
        Ok(login) => answer(Call { doors, registry, head, login }, body, exchange).await,
        Err(refusal) => Err(Failure::from(&refusal)),
    };
    let mut response = outcome.unwrap_or_else(|failure| failure.render(doors, head, exchange));
    let headers = response.headers_mut();
    headers.insert(API_VERSION, HeaderValue::from_static("registry/2.0"));
    headers.extend(exchange.rule.take().map(|rule| (RULE, rule)));
    headers.extend(exchange.namespace.take().map(|namespace| (NAMESPACE, namespace)));
    response
}

/// Returns the registry as it is asked by another one whose question this is (RFC 9110 7.6.3).
fn asked_by(doors: &Doors, head: &Parts) -> Option<Registry> {
    if !head.headers.contains_key(header::VIA) {
        return None;
    }
    let values = head.headers.get_all(header::VIA).iter();
    let trail = Trail::read(values.filter_map(|value| value.to_str().ok()));
    (!trail.is_empty()).then(|| doors.registry.asked_by(trail))
}

/// Says why something could not be pulled, in words that are safe to show to who asked for it.
pub(crate) fn pull_text(error: &PullError) -> String {
    match error {
        PullError::ManifestUnknown { upstream: Some(host), .. }
        | PullError::BlobUnknown { upstream: Some(host), .. } => {
            format!("{error}, and neither has {host}")
        }
        PullError::ManifestUnknown { .. } | PullError::BlobUnknown { .. } => error.to_string(),
        PullError::Fill(_) => error::pull(error.clone(), Subject::Blob).text(),
        _ => error::pull(error.clone(), Subject::Manifest).text(),
    }
}

/// Says why something was served stale, in words that are safe to show.
pub(crate) fn stale_text(reason: &StaleReason) -> String {
    error::stale_text(reason).into_owned()
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
            tracing::error!(
                error = registry::chain(&error),
                "the role of a session cannot be read"
            );
            Err(Refusal::Unavailable)
        }
    }
}

/// Answers who may not see what is asked for, by the same logins as here; none where he may.
pub(crate) async fn refuse(
    doors: &Doors,
    head: &Parts,
    exchange: &mut Exchange,
    may: impl FnOnce(&Caller) -> Result<(), Denied>,
) -> Option<Response<Body>> {
    let failure = match log_in(doors, head, exchange).await {
        Ok(login) => Failure::from(may(&login.caller).err()?),
        Err(refusal) => Failure::from(&refusal),
    };
    Some(failure.render(doors, head, exchange))
}

async fn answer<B>(call: Call<'_>, body: B, exchange: &mut Exchange) -> Outcome
where
    B: http_body::Body<Data = Bytes> + Send,
    B::Error: Into<Cause>,
{
    let parsed = Route::parse(call.head.uri.path());
    let mut route = parsed.map_err(|error| no_route(&error, &call.head.method))?;
    if call.head.uri.query().is_some() && !call.doors.settings.strict_ecr {
        rename(&call, &mut route, exchange).await?;
    }
    // Boxed: their state would otherwise make that of every request large.
    if !reads(&call.head.method) || matches!(route, Route::Uploads(_) | Route::Upload(..)) {
        return Box::pin(answer_write(&call, route, body)).await;
    }
    let whole = match route.repository() {
        Some(name) => name_rule(&call, name, exchange).await?,
        None => None,
    };
    match whole {
        Some(whole) => Box::pin(short_names::answer(&call, &route, whole, exchange)).await,
        None => answer_read(&call, &route, exchange).await,
    }
}

/// Has the answer name the rule of a repository; returns the repository's whole name where it is
/// called by a short one.
async fn name_rule(
    call: &Call<'_>,
    name: &RepositoryName,
    exchange: &mut Exchange,
) -> Result<Option<RepositoryName>, Failure> {
    let naming = call.registry.naming(&call.login.caller, name).await;
    let Naming { rule, whole } = naming.map_err(|error| error::pull(error, Subject::Manifest))?;
    exchange.rule = rule.and_then(|prefix| HeaderValue::from_maybe_shared(prefix).ok());
    Ok(whole)
}

/// Answers GET and HEAD of what is not an upload.
async fn answer_read(call: &Call<'_>, route: &Route, exchange: &mut Exchange) -> Outcome {
    match route {
        Route::Base => base(call),
        Route::Manifest(name, reference) => manifests::get(call, name, reference, exchange).await,
        Route::Blob(name, digest) if call.head.method == Method::HEAD => {
            blobs::head(call, name, digest, exchange).await
        }
        Route::Blob(name, digest) => blobs::get(call, name, digest, exchange).await,
        Route::Tags(name) => Box::pin(lists::tags(call, name, exchange)).await,
        Route::Referrers(name, subject) => {
            Box::pin(lists::referrers(call, name, subject, exchange)).await
        }
        Route::Catalog => Box::pin(lists::catalog(call)).await,
        Route::Uploads(_) => Err(not_allowed("POST")),
        Route::Upload(..) => Err(not_allowed("GET, HEAD, PATCH, PUT, DELETE")),
    }
}

/// Gives a repository the name it is kept under, where a node asks by the upstream's: containerd
/// names that in `ns`.
async fn rename(
    call: &Call<'_>,
    route: &mut Route,
    exchange: &mut Exchange,
) -> Result<(), Failure> {
    let query = Query::of(call.head);
    let Some((namespace, name)) = query.get("ns").zip(route.repository_mut()) else {
        return Ok(());
    };
    exchange.namespace = HeaderValue::try_from(namespace).ok();
    let (registry, caller) = (&call.doors.registry, &call.login.caller);
    let kept = registry.mirrored_name(caller, namespace, name).await;
    *name = kept.map_err(|error| error::pull(error, Subject::Manifest))?;
    Ok(())
}

/// Answers pushes and deletions.
async fn answer_write<B>(call: &Call<'_>, route: Route, body: B) -> Outcome
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
        Route::Upload(name, id) if uploads::METHODS.contains(method) => {
            uploads::serve(call, &name, &id, body).await
        }
        Route::Base | Route::Tags(_) | Route::Catalog | Route::Referrers(..) => {
            Err(not_allowed("GET, HEAD"))
        }
        Route::Manifest(..) => Err(not_allowed("GET, HEAD, PUT, DELETE")),
        Route::Blob(..) => Err(not_allowed("GET, HEAD, DELETE")),
        Route::Uploads(_) => Err(not_allowed("POST")),
        Route::Upload(..) => Err(not_allowed("GET, HEAD, PATCH, PUT, DELETE")),
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
fn no_route(error: &RouteError, method: &Method) -> Failure {
    let message = error.to_string();
    match error {
        RouteError::Unknown => {
            Failure::new(ErrorCode::Unsupported, message).with_status(StatusCode::NOT_FOUND)
        }
        RouteError::Name(_) => Failure::new(ErrorCode::NameInvalid, message),
        // No manifest has such a tag, no content a digest of an algorithm that is not known here: it
        // is not found ("Pulling manifests"), nor ever will be.
        RouteError::Reference(
            oci::ReferenceError::Tag | oci::ReferenceError::Digest(oci::DigestError::Algorithm(_)),
        ) if method != Method::PUT => Failure::new(ErrorCode::ManifestUnknown, message),
        RouteError::Digest(oci::DigestError::Algorithm(_)) => {
            Failure::new(ErrorCode::BlobUnknown, message)
        }
        RouteError::Reference(oci::ReferenceError::Tag) => {
            Failure::new(ErrorCode::TagInvalid, message)
        }
        RouteError::Reference(oci::ReferenceError::Digest(_))
        | RouteError::Digest(_)
        | RouteError::Subject(_) => Failure::new(ErrorCode::DigestInvalid, message),
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
