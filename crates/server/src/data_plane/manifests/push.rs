//! Manifests: PUT and DELETE.
//!
//! OCI distribution-spec 1.1, "Pushing Manifests", "Deleting tags", "Deleting Manifests".

use bytes::Bytes;
use http::{HeaderName, Response, StatusCode, header};
use oci::{ErrorCode, Reference, RepositoryName, Tag};
use registry::{NewImage, PushError};

use super::super::{
    CONTENT_DIGEST, Call, Failure, Outcome, ascii, conditional,
    error::{self, Subject},
    incoming,
    query::Query,
};
use crate::body::{Body, Cause};

const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
const TAG: HeaderName = HeaderName::from_static("oci-tag");

/// How many tags one push by digest may set.
const TAGS_MAX: usize = 100;

/// Answers PUT.
pub(in crate::data_plane) async fn put<B>(
    call: &Call<'_>,
    name: &RepositoryName,
    reference: Reference,
    body: B,
) -> Outcome
where
    B: http_body::Body<Data = Bytes> + Send,
    B::Error: Into<Cause>,
{
    let (registry, caller) = (&call.doors.registry, &call.login.caller);
    let tags = tags(call, &reference)?;
    let media_type = match call.head.headers.get(header::CONTENT_TYPE) {
        None => None,
        Some(value) => {
            let text = value.to_str().map_err(|_| {
                Failure::new(ErrorCode::ManifestInvalid, "the content type is not text")
            })?;
            // "The registry SHOULD ignore parameters on the `Content-Type` header."
            Some(text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
        }
    };
    let limit_bytes = registry.settings().manifest_bytes_max;
    let pieces = incoming::pieces(body, call.doors.settings.client_idle_timeout);
    let bytes = match incoming::collect(pieces, limit_bytes).await {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Err(error::push(PushError::TooLarge { limit_bytes })),
        Err(source) => {
            return Err(error::push(PushError::Interrupted { received_bytes: 0, source }));
        }
    };
    let mut new = NewImage::by_reference(reference, media_type, bytes);
    new.whole = registry.settings().strict_ecr;
    // What a digest names never changes: nothing is lost there, whatever the condition.
    if new.tag.is_some() {
        new.precondition = conditional::precondition(&call.head.headers);
    }
    new.tag = tags.first().cloned().or(new.tag);
    let more = tags.iter().skip(1).map(|tag| NewImage { tag: Some(tag.clone()), ..new.clone() });
    let more: Vec<_> = more.collect();
    let pushed = registry.push_manifest(caller, name, new).await.map_err(error::push)?;
    for new in more {
        registry.push_manifest(caller, name, new).await.map_err(error::push)?;
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::CREATED;
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, ascii(&format!("/v2/{name}/manifests/{}", pushed.digest)));
    headers.insert(CONTENT_DIGEST, ascii(pushed.digest.as_str()));
    if let Some(subject) = pushed.subject {
        headers.insert(SUBJECT, ascii(subject.as_str()));
    }
    for tag in &tags {
        headers.append(TAG, ascii(tag.as_str()));
    }
    Ok(response)
}

/// Reads the tags that are to name a manifest which is pushed by digest (`?tag=`, which the
/// specification has after 1.1). ECR knows none.
fn tags(call: &Call<'_>, reference: &Reference) -> Result<Vec<Tag>, Failure> {
    if call.doors.settings.strict_ecr || !matches!(reference, Reference::Digest(_)) {
        return Ok(Vec::new());
    }
    let query = Query::of(call.head);
    let tags = query.all("tag").take(TAGS_MAX + 1).map(Tag::parse);
    let tags: Vec<_> = tags.collect::<Result<_, _>>().map_err(|error| {
        Failure::new(ErrorCode::TagInvalid, format!("invalid parameter 'tag': {error}"))
    })?;
    if tags.len() > TAGS_MAX {
        let text = format!("at most {TAGS_MAX} parameters 'tag' are taken at once");
        let status = StatusCode::URI_TOO_LONG;
        return Err(Failure::new(ErrorCode::TagInvalid, text).with_status(status));
    }
    Ok(tags)
}

/// Answers DELETE: of a tag alone, or of a manifest with its tags.
pub(in crate::data_plane) async fn delete(
    call: &Call<'_>,
    name: &RepositoryName,
    reference: &Reference,
) -> Outcome {
    let (registry, caller) = (&call.doors.registry, &call.login.caller);
    let deleted = registry.delete_manifest(caller, name, reference).await;
    deleted.map_err(|error| error::pull(error, Subject::Manifest))?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::ACCEPTED;
    Ok(response)
}
