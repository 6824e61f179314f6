//! Blobs: GET with ranges, on stored bytes and on bytes still coming, and HEAD.
//!
//! OCI distribution-spec 1.1, "Pulling blobs"; RFC 9110 14 for ranges. The head leaves as soon as
//! the size is known, which for a blob still coming is when its upstream has answered.

use std::ops::Range;

use ::blobs::Access;
use http::{HeaderMap, HeaderValue, Response, StatusCode, Version, header};
use oci::{Digest, ErrorCode, RepositoryName, media_type};
use registry::{OpenBlob, Served};

use super::{
    Call, Failure, IMMUTABLE, Outcome, conditional, describe,
    error::{self, Subject},
    range::{self, Wanted},
};
use crate::{
    body::{self, Body},
    doors::Exchange,
};

/// Answers GET.
pub(super) async fn get(
    call: &Call<'_>,
    name: &RepositoryName,
    digest: &Digest,
    exchange: &mut Exchange,
) -> Outcome {
    let (registry, caller) = (call.registry, &call.login.caller);
    if conditional::not_modified(&call.head.headers, digest) {
        // The client has it: make sure that it may, and start nothing.
        return head(call, name, digest, exchange).await;
    }
    let blob = registry
        .open_blob(caller, name, digest)
        .await
        .map_err(|e| error::pull(e, Subject::Blob))?;
    let mut response = Response::new(Body::empty());
    describe_blob(response.headers_mut(), digest, &blob.served, exchange);
    let Some(size_bytes) = blob.size_bytes else {
        return unknown_size(call, blob, response, exchange);
    };
    match range::wanted(&call.head.headers, &conditional::etag(digest), size_bytes) {
        Wanted::Whole if size_bytes == 0 => {
            prove_empty(blob).await?;
            // HTTP/2 says nothing of a body that does not come.
            response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(0));
        }
        Wanted::Whole => {
            *response.body_mut() = Body::blob(blob.read(None), Some(size_bytes), exchange);
        }
        Wanted::Part(part) => {
            exchange.ranges = Some(1);
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            response.headers_mut().insert(header::CONTENT_RANGE, content_range(&part, size_bytes));
            let length = part.end - part.start;
            *response.body_mut() = Body::blob(blob.read(Some(part)), Some(length), exchange);
        }
        Wanted::Parts(parts) => {
            exchange.ranges = Some(parts.len());
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let content_type = body::parts_content_type(exchange.request_id);
            response.headers_mut().insert(header::CONTENT_TYPE, content_type);
            let reader = blob.read(Some(0..0));
            *response.body_mut() = Body::parts(reader, parts, size_bytes, exchange);
        }
        Wanted::Unsatisfiable => {
            let whole = format!("bytes */{size_bytes}");
            return Err(Failure::from(ErrorCode::RangeInvalid)
                .with_header(header::CONTENT_RANGE, super::ascii(&whole)));
        }
    }
    Ok(response)
}

/// Answers HEAD, which never starts a transfer.
pub(super) async fn head(
    call: &Call<'_>,
    name: &RepositoryName,
    digest: &Digest,
    exchange: &mut Exchange,
) -> Outcome {
    let (registry, caller) = (call.registry, &call.login.caller);
    let blob = registry
        .stat_blob(caller, name, digest)
        .await
        .map_err(|e| error::pull(e, Subject::Blob))?;
    let mut response = Response::new(Body::empty());
    describe_blob(response.headers_mut(), digest, &blob.served, exchange);
    if conditional::not_modified(&call.head.headers, digest) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(response);
    }
    match blob.size_bytes {
        Some(size_bytes) => {
            response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(size_bytes));
        }
        None => *response.body_mut() = Body::unknown(),
    }
    Ok(response)
}

fn describe_blob(
    headers: &mut HeaderMap,
    digest: &Digest,
    served: &Served,
    exchange: &mut Exchange,
) {
    headers.reserve(10);
    describe(headers, digest, served, exchange);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type::OCTET_STREAM));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CACHE_CONTROL, IMMUTABLE);
}

/// An upstream that does not say how long its blob is: chunks tell a broken transfer from a
/// finished one, and where there are none nothing does.
fn unknown_size(
    call: &Call<'_>,
    blob: OpenBlob,
    mut response: Response<Body>,
    exchange: &Exchange,
) -> Outcome {
    if call.head.version < Version::HTTP_11 {
        let text = "the size of the blob is not known until it is stored: try again soon, or \
                    with HTTP/1.1";
        return Err(Failure::new(ErrorCode::Unavailable, text)
            .with_header(header::RETRY_AFTER, HeaderValue::from_static("5")));
    }
    *response.body_mut() = Body::blob(blob.read(None), None, exchange);
    Ok(response)
}

/// Waits for the end of a blob that is said to be empty. Its head is the whole answer, so what is
/// said has to be proven before it leaves.
async fn prove_empty(mut blob: OpenBlob) -> Result<(), Failure> {
    if matches!(blob.served, Served::Hit) {
        return Ok(());
    }
    // A reader that expects no bytes would not look.
    blob.size_bytes = None;
    match blob.read(None).next(Access::User).await {
        None => Ok(()),
        Some(Ok(_)) => Err(ErrorCode::BadGateway.into()),
        Some(Err(error)) => Err(Failure::from(ErrorCode::BadGateway).with_cause(error)),
    }
}

fn content_range(part: &Range<u64>, size_bytes: u64) -> HeaderValue {
    super::ascii(&format!("bytes {}-{}/{size_bytes}", part.start, part.end - 1))
}
