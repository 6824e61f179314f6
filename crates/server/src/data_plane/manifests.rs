//! Manifests: GET and HEAD, by tag and by digest; what is written is below.
//!
//! OCI distribution-spec 1.1, "Pulling manifests". What is stored is served as it is, whatever
//! the client accepts: its digest is what was asked for.

mod push;

use http::{HeaderValue, Method, Response, header};
use oci::{Reference, RepositoryName, media_type};
use registry::PulledManifest;

pub(super) use self::push::{delete, put};
use super::{Call, IMMUTABLE, Outcome, conditional, describe, error};
use crate::{body::Body, doors::Exchange};

/// Answers GET and HEAD.
pub(super) async fn get(
    call: &Call<'_>,
    name: &RepositoryName,
    reference: &Reference,
    exchange: &mut Exchange,
) -> Outcome {
    let (registry, caller) = (call.registry, &call.login.caller);
    let is_head = call.head.method == Method::HEAD;
    let outcome = if is_head {
        registry.stat_manifest(caller, name, reference).await
    } else {
        registry.pull_manifest(caller, name, reference).await
    };
    let manifest = outcome.map_err(|error| error::pull(error, error::Subject::Manifest))?;
    let PulledManifest { bytes, digest, media_type, served } = manifest;

    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.reserve(9);
    describe(headers, &digest, &served, exchange);
    if matches!(reference, Reference::Digest(_)) {
        headers.insert(header::CACHE_CONTROL, IMMUTABLE);
    }
    if conditional::not_modified(&call.head.headers, &digest) {
        *response.status_mut() = http::StatusCode::NOT_MODIFIED;
        return Ok(response);
    }
    headers.insert(header::CONTENT_TYPE, content_type(&media_type));
    if is_head {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    } else {
        *response.body_mut() = Body::full(bytes);
    }
    Ok(response)
}

/// The header for a stored media type; those that are always met cost nothing.
fn content_type(stored: &str) -> HeaderValue {
    match stored {
        media_type::OCI_MANIFEST => HeaderValue::from_static(media_type::OCI_MANIFEST),
        media_type::OCI_INDEX => HeaderValue::from_static(media_type::OCI_INDEX),
        media_type::DOCKER_MANIFEST => HeaderValue::from_static(media_type::DOCKER_MANIFEST),
        media_type::DOCKER_INDEX => HeaderValue::from_static(media_type::DOCKER_INDEX),
        other => HeaderValue::from_str(other)
            .unwrap_or(HeaderValue::from_static(media_type::OCTET_STREAM)),
    }
}
