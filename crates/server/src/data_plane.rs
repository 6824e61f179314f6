//! `/v2/`: OCI distribution, with Amazon ECR's challenge and words.
//!
//! OCI distribution-spec 1.1. This is the hot path: from the socket to the registry and back there
//! is no router, no middleware and no JSON. What is not offered yet says so by name.

mod blobs;
mod conditional;
mod error;
mod manifests;
mod range;

use std::sync::Arc;

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header, request::Parts,
};
use oci::{Digest, ErrorCode, Route, RouteError};
use registry::Served;

use crate::{
    auth::{Login, Refusal},
    body::{self, Body},
    doors::{self, Doors, Exchange},
};
use error::Failure;

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
pub(crate) async fn serve(doors: &Doors, head: &Parts, exchange: &mut Exchange) -> Response<Body> {
    let outcome = match log_in(doors, head, exchange) {
        Ok(login) => answer(Call { doors, head, login }, exchange).await,
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
pub(crate) fn log_in(
    doors: &Doors,
    head: &Parts,
    exchange: &mut Exchange,
) -> Result<Arc<Login>, Refusal> {
    let login =
        doors.authenticator.log_in(head, doors::host(head), doors.registry.clock().now())?;
    exchange.login = Some(Arc::clone(&login));
    Ok(login)
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

async fn answer(call: Call<'_>, exchange: &mut Exchange) -> Outcome {
    let route = Route::parse(call.head.uri.path())?;
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
        Route::Base => Err(not_offered("writing to the base", "GET, HEAD")),
        Route::Manifest(..) => Err(not_offered("pushing and deleting manifests", "GET, HEAD")),
        Route::Blob(..) => Err(not_offered("deleting blobs", "GET, HEAD")),
        Route::Uploads(_) | Route::Upload(..) => Err(not_offered("pushing blobs", "")),
        Route::Tags(_) => Err(not_offered("listing tags (tags/list)", "")),
        Route::Catalog => Err(not_offered("listing repositories (_catalog)", "")),
        // 404 and nothing else sends a client to the referrers tag schema instead (OCI
        // distribution-spec 1.1, "Unavailable Referrers API").
        Route::Referrers(..) => {
            Err(not_offered("listing referrers", "").with_status(StatusCode::NOT_FOUND))
        }
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

fn not_offered(what: &str, allow: &'static str) -> Failure {
    Failure::new(ErrorCode::Unsupported, format!("{what} is not offered yet"))
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
