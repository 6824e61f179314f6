//! Uploads of blobs: POST, GET, PATCH, PUT, DELETE.
//!
//! OCI distribution-spec 1.1, "Pushing blobs" and "Mounting a blob from another repository".

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use oci::{Digest, ErrorCode, RepositoryName};
use registry::{Chunk, PushError, PushedBlob, UploadStatus};

use super::{
    CONTENT_DIGEST, Call, Failure, Outcome, ascii,
    error::{self, Subject},
    incoming,
    query::Query,
};
use crate::body::{Body, Cause};

/// What an upload answers.
pub(super) const METHODS: [Method; 5] =
    [Method::GET, Method::HEAD, Method::PATCH, Method::PUT, Method::DELETE];

const UPLOAD_ID: HeaderName = HeaderName::from_static("docker-upload-uuid");

/// Answers POST: mounts a blob, takes one whole, or begins an upload.
pub(super) async fn start<B>(call: &Call<'_>, name: &RepositoryName, body: B) -> Outcome
where
    B: http_body::Body<Data = Bytes> + Send,
    B::Error: Into<Cause>,
{
    let (registry, caller) = (&call.doors.registry, &call.login.caller);
    let query = Query::of(call.head);
    if let Some(digest) = query.get("mount") {
        // What cannot be mounted, for whatever reason, is uploaded.
        let from = query.get("from").map(RepositoryName::parse).transpose();
        if let (Ok(digest), Ok(from)) = (Digest::parse(digest), from) {
            let mounted = registry.mount_blob(caller, name, &digest, from.as_ref()).await;
            if let Some(blob) = mounted.map_err(error::push)? {
                return Ok(created(name, &blob));
            }
        }
    } else if let Some(digest) = query.get("digest").map(parse_digest).transpose()?
        && (!is_empty(call, &body) || is_of_nothing(&digest))
    {
        let chunk = chunk(call, body)?;
        let pushed = registry.push_blob(caller, name, &digest, chunk).await;
        return Ok(created(name, &pushed.map_err(error::push)?));
    }
    let status = registry.start_upload(caller, name).await.map_err(error::push)?;
    Ok(standing(StatusCode::ACCEPTED, name, &status))
}

/// Answers GET, HEAD, PATCH, PUT and DELETE.
pub(super) async fn serve<B>(call: &Call<'_>, name: &RepositoryName, id: &str, body: B) -> Outcome
where
    B: http_body::Body<Data = Bytes> + Send,
    B::Error: Into<Cause>,
{
    let (registry, caller) = (&call.doors.registry, &call.login.caller);
    let refused = |failure| with_standing(failure, name, id);
    match call.head.method {
        Method::GET | Method::HEAD => {
            let status = registry.upload_status(caller, name, id).await.map_err(error::push)?;
            Ok(standing(StatusCode::NO_CONTENT, name, &status))
        }
        Method::PATCH => {
            let chunk = placed(call, name, id, body).await?;
            let status = registry.append_upload(caller, name, id, chunk).await.map_err(refused)?;
            Ok(standing(StatusCode::ACCEPTED, name, &status))
        }
        Method::PUT => {
            let query = Query::of(call.head);
            let digest = parse_digest(query.get("digest").unwrap_or_default())?;
            let chunk = placed(call, name, id, body).await?;
            let pushed = registry.finish_upload(caller, name, id, &digest, chunk).await;
            Ok(created(name, &pushed.map_err(refused)?))
        }
        _ => {
            registry.cancel_upload(caller, name, id).await.map_err(error::push)?;
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            Ok(response)
        }
    }
}

fn parse_digest(text: &str) -> Result<Digest, Failure> {
    Digest::parse(text).map_err(|error| {
        Failure::new(ErrorCode::DigestInvalid, format!("invalid parameter 'digest': {error}"))
    })
}

/// Reads the chunk of a PATCH or PUT; what is wrong with its place is told with where the upload
/// stands.
async fn placed<'a, B>(
    call: &Call<'_>,
    name: &RepositoryName,
    id: &str,
    body: B,
) -> Result<Chunk<'a>, Failure>
where
    B: http_body::Body<Data = Bytes> + Send + 'a,
    B::Error: Into<Cause>,
{
    match chunk(call, body) {
        Ok(chunk) => Ok(chunk),
        Err(failure) => {
            let (registry, caller) = (&call.doors.registry, &call.login.caller);
            let status = registry.upload_status(caller, name, id).await.map_err(error::push)?;
            Err(failure
                .with_header(header::LOCATION, location(name, id))
                .with_header(header::RANGE, range(status.size_bytes)))
        }
    }
}

/// Tells whether a digest is that of no bytes: then a body without any is the blob, and else only
/// the beginning of an upload.
fn is_of_nothing(digest: &Digest) -> bool {
    *digest == Digest::of_with(digest.algorithm(), b"")
}

fn is_empty<B: http_body::Body>(call: &Call<'_>, body: &B) -> bool {
    content_length(call) == Some(0) || body.is_end_stream()
}

fn content_length(call: &Call<'_>) -> Option<u64> {
    let length = call.head.headers.get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

fn chunk<'a, B>(call: &Call<'_>, body: B) -> Result<Chunk<'a>, Failure>
where
    B: http_body::Body<Data = Bytes> + Send + 'a,
    B::Error: Into<Cause>,
{
    let headers = &call.head.headers;
    let length = content_length(call);
    // An empty body has no place.
    let range = if length == Some(0) { None } else { content_range(headers)? };
    let (first_byte, size_bytes) = match (range, length) {
        (None, length) => (None, length),
        (Some((_, size)), Some(length)) if length != size => {
            let text = format!("Content-Range is of {size} bytes, Content-Length says {length}");
            return Err(Failure::new(ErrorCode::SizeInvalid, text));
        }
        (Some((first, size)), _) => (Some(first), Some(size)),
    };
    let bytes = incoming::pieces(body, call.doors.settings.client_idle_timeout);
    Ok(Chunk { first_byte, size_bytes, bytes })
}

/// Reads `<first>-<last>` into the first byte and how many there are.
fn content_range(headers: &HeaderMap) -> Result<Option<(u64, u64)>, Failure> {
    let Some(value) = headers.get(header::CONTENT_RANGE) else { return Ok(None) };
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse::<u64>().ok()).flatten()
    };
    let read = value.to_str().ok().and_then(|text| text.split_once('-'));
    let read = read.and_then(|(first, last)| Some((number(first)?, number(last)?)));
    match read {
        Some((first, last)) if first <= last && last < u64::MAX => {
            Ok(Some((first, last - first + 1)))
        }
        _ => {
            let text = "Content-Range must be <first byte>-<last byte>, both included";
            Err(Failure::new(ErrorCode::BlobUploadInvalid, text))
        }
    }
}

fn with_standing(error: PushError, name: &RepositoryName, id: &str) -> Failure {
    let received = match &error {
        PushError::OutOfOrder { received_bytes, .. } => Some(*received_bytes),
        _ => None,
    };
    let failure = error::push(error);
    match received {
        Some(received) => failure
            .with_header(header::LOCATION, location(name, id))
            .with_header(header::RANGE, range(received)),
        None => failure,
    }
}

/// An answer that says where an upload stands.
fn standing(status: StatusCode, name: &RepositoryName, upload: &UploadStatus) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, location(name, &upload.id));
    headers.insert(header::RANGE, range(upload.size_bytes));
    headers.insert(UPLOAD_ID, ascii(&upload.id));
    response
}

/// An answer that says where a blob is now.
fn created(name: &RepositoryName, blob: &PushedBlob) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::CREATED;
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, ascii(&format!("/v2/{name}/blobs/{}", blob.digest)));
    headers.insert(CONTENT_DIGEST, ascii(blob.digest.as_str()));
    response
}

/// `id` is one of ours, or was found in a path: percent encoding keeps it printable.
fn location(name: &RepositoryName, id: &str) -> HeaderValue {
    ascii(&format!("/v2/{name}/blobs/uploads/{id}"))
}

/// The range of the bytes that came. There is no way to write none: registries say `0-0`.
fn range(size_bytes: u64) -> HeaderValue {
    ascii(&format!("0-{}", size_bytes.saturating_sub(1)))
}

/// Answers DELETE of a blob.
pub(super) async fn delete_blob(
    call: &Call<'_>,
    name: &RepositoryName,
    digest: &Digest,
) -> Outcome {
    let (registry, caller) = (&call.doors.registry, &call.login.caller);
    let deleted = registry.delete_blob(caller, name, digest).await;
    deleted.map_err(|error| error::pull(error, Subject::Blob))?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::ACCEPTED;
    Ok(response)
}
